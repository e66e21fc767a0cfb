#!/bin/bash
# SPDX-License-Identifier: ISC
# Checkpoints with a network, as an image, with figures.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
runtime=
for r in crun runc; do
	[ -n "$runtime" ] || ! "$r" checkpoint --help >/dev/null 2>&1 || runtime=$r
done
if [ "$(id -u)" != 0 ] || [ -z "$runtime" ] || ! criu_works; then
	skip "checkpoints with more" "no CRIU that works here, or no runtime that uses it"
	finish
fi
mkdir -p fs/{bin,tmp,proc,dev,sys,etc}
cp /bin/busybox fs/bin/
for a in sh sleep cat rm stty httpd wget; do ln -s busybox fs/bin/$a; done
tar -C fs --owner=0 --group=0 -c . | store import localhost/bb >/dev/null
mkdir nets
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$runtime" --network-config-dir "$WORLD/nets" "$@"; }
count='i=0; while :; do i=$((i+1)); echo $i >/tmp/n; sleep 0.2; done'
number() { pod exec "$1" cat /tmp/n; }
id_of() { pod inspect -f '{{.Id}}' "$1"; }

# --- With a network, as an image, with figures
pod network create --subnet 10.213.79.0/24 --interface-name podck0 cknet >/dev/null
pod run -d --stop-timeout 0 --name w --network cknet localhost/bb httpd -f -p 80 >/dev/null
echo "served" >"$WORLD/page"
pod cp page w:/page
ip=$(pod inspect -f '{{.NetworkSettings.Networks.cknet.IPAddress}}' w) mac=$(pod inspect -f '{{.NetworkSettings.Networks.cknet.MacAddress}}' w)
stats=$(pod container checkpoint --create-image localhost/ck:1 --print-stats w)
is "figures" "$(jq -r '(.podman_checkpoint_duration > 0), (.container_statistics[0].runtime_checkpoint_duration > 0), (.container_statistics[0].criu_statistics.pages_written > 0)' <<<"$stats" | tr '\n' ' ')" "true true true "
is "an image of it" "$(pod image inspect localhost/ck:1 | jq -r '.[0].Annotations["io.podman.annotations.checkpoint.name"]')" w
stats=$(pod container restore --print-stats w)
is "figures of the restore" "$(jq -r '(.podman_restore_duration > 0), (.container_statistics[0].criu_statistics.pages_restored > 0)' <<<"$stats" | tr '\n' ' ')" "true true "
is "the same addresses" "$(pod inspect -f '{{.NetworkSettings.Networks.cknet.IPAddress}} {{.NetworkSettings.Networks.cknet.MacAddress}}' w)" "$ip $mac"
is "it serves" "$(curl -s -m 15 "http://$ip/page")" served
pod container restore -n w2 -p 127.0.0.1:18099:80 localhost/ck:1 >/dev/null
is "another out of the image" "$(pod ps --format '{{.Names}}' | sort | tr '\n' ,)" "w,w2,"
is "with another address" "$([ "$(pod inspect -f '{{.NetworkSettings.Networks.cknet.IPAddress}}' w2)" != "$ip" ] && echo other)" other
is "and a port" "$(curl -s -m 15 http://127.0.0.1:18099/page)" served

finish
