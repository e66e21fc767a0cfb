#!/bin/bash
# SPDX-License-Identifier: ISC
# make check-slow: what takes minutes: a layer of a million empty files (hostile layers, 51), from end to end.
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" = 0 ] && [ -z "${IN_MEMORY:-}" ]; then
	exec unshare -m --propagation private bash -c 'mount -t tmpfs -o nr_inodes=0,size=12g none /mnt && IN_MEMORY=1 exec bash "$0"' "$0"
fi
world
[ -z "${IN_MEMORY:-}" ] || ROOT=/mnt/root
rss() { awk '/Maximum resident/ { print $NF }' "$WORLD/time"; }
/usr/bin/time -v -o "$WORLD/time" true 2>/dev/null || { echo "check-slow: GNU time is not installed" >&2; exit 1; }
start=$SECONDS
id=$("$BUILD/tests/hostile-layer" million_files /nowhere | /usr/bin/time -v -o "$WORLD/time" \
	"$BIN/pod-store" --root "$ROOT" --runroot "$RUNROOT" import localhost/million)
check "a million files: imported in $((SECONDS - start)) s" test -n "$id"
check "in bounded memory ($(rss) KB)" test "$(rss)" -lt 65536
start=$SECONDS
sum=$(store export localhost/million | sha256sum)
is "exported again, byte for byte, in $((SECONDS - start)) s" "$sum" "$("$BUILD/tests/hostile-layer" million_files /nowhere | sha256sum)"
start=$SECONDS
pod rmi -f localhost/million >/dev/null
check "rmi returns in $((SECONDS - start)) s" test $((SECONDS - start)) -lt 5
check "and all of it goes" until_ok 200 test -z "$(ls "$ROOT/layers")"
finish
