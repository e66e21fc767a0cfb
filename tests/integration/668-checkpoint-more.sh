#!/bin/bash
# SPDX-License-Identifier: ISC
# Pre-checkpoints, checkpoints as images, with a network, a terminal, figures; --rm; increments from archives.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
runtime=
for r in crun runc; do
	[ -n "$runtime" ] || ! "$r" checkpoint --help >/dev/null 2>&1 || runtime=$r
done
if [ "$(id -u)" != 0 ] || [ -z "$runtime" ] || ! criu check >/dev/null 2>&1; then
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

# --- Increments
pod run -d --stop-timeout 0 --name p --network none localhost/bb sh -c "$count" >/dev/null
is "a pre-checkpoint leaves it running" "$(pod container checkpoint -P -e pre.tar --compress none p) $(pod inspect -f '{{.State.Status}}' p)" "p running"
is "its archive has the memory" "$(tar -tf pre.tar | grep -c '^pre-checkpoint/pages-')" 1
is "the rest builds on it" "$(pod container checkpoint --with-previous -k -e inc.tar --compress none p)" p
is "as an increment" "$(tar -tf inc.tar | grep -c '^checkpoint/parent$')" 1
is "restored from both" "$(pod container restore p)" p
is "it runs" "$(pod inspect -f '{{.State.Status}}' p)" running
pod rm -f -t 0 p >/dev/null
pod container restore -i inc.tar >/dev/null 2>&1
is "an increment alone is refused" "$? $(pod ps -aq | wc -l)" "125 0"
pod container restore -i inc.tar --import-previous pre.tar -n q >/dev/null
is "from both archives" "$? $(pod inspect -f '{{.State.Status}}' q)" "0 running"
pod rm -f -t 0 q >/dev/null

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
is "it serves" "$(curl -s -m 5 "http://$ip/page")" served
pod container restore -n w2 -p 127.0.0.1:18099:80 localhost/ck:1 >/dev/null
is "another out of the image" "$(pod ps --format '{{.Names}}' | sort | tr '\n' ,)" "w,w2,"
is "with another address" "$([ "$(pod inspect -f '{{.NetworkSettings.Networks.cknet.IPAddress}}' w2)" != "$ip" ] && echo other)" other
is "and a port" "$(curl -s -m 5 http://127.0.0.1:18099/page)" served

# --- A terminal, and --rm
pod run -d -t --rm --stop-timeout 0 --name t --network none localhost/bb sh -c "$count" >/dev/null
pod container checkpoint t >/dev/null 2>&1
is "--rm without an archive" "$? $(pod inspect -f '{{.State.Status}}' t)" "125 running"
pod container checkpoint -e t.tar.gz --compress gzip t >/dev/null
is "with one it is removed" "$? $(pod ps -a --format '{{.Names}}' | grep -cx t) $(gzip -t t.tar.gz; echo $?)" "0 0 0"
pod container restore -i t.tar.gz >/dev/null
is "and comes back, with its terminal" "$? $(pod inspect -f '{{.State.Status}} {{.Config.Tty}}' t)" "0 running true"
is "all that was frozen" "$(pod container checkpoint -a >/dev/null 2>&1; pod container restore -a | sort | wc -l)" 2
finish
