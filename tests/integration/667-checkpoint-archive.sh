#!/bin/bash
# SPDX-License-Identifier: ISC
# Archives of checkpoints, also in another root: needs a CRIU that works with this kernel and a runtime built to use it.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1

runtime=
for r in crun runc; do
	[ -n "$runtime" ] || ! "$r" checkpoint --help >/dev/null 2>&1 || runtime=$r
done
if [ "$(id -u)" != 0 ] || [ -z "$runtime" ] || ! criu_works; then
	skip "checkpoint and restore" "no CRIU that works here, or no runtime that uses it"
	finish
fi
busybox_image localhost/bb >/dev/null
# Events in a file: the journal has no roots, and would tell of the other one too.
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$runtime" --events-backend file "$@"; }
other() { "$BIN/pod" --root "$WORLD/root2" --runroot "$WORLD/run2" --runtime "$runtime" "$@"; }
at_end() { other rm -f -a -t 0 >/dev/null 2>&1; }
count='i=0; while :; do i=$((i+1)); echo $i >/tmp/n; echo said $i; sleep 0.2; done'
state() { pod inspect "$1" | jq -r ".[0].State.$2"; }
number() { "${2:-pod}" exec "$1" cat /tmp/n; }
# It counts on from N at least: the same process, not a new one.  The file is empty for a moment at each write.
goes_on() { local was=$1 now; now=$(number "$2" "${3:-pod}"); [ -n "$now" ] && [ "$now" -ge "$was" ]; }
moved() { [ "$(number "$2" "${3:-pod}")" -gt "$1" ]; }
at_least() { [ "$(number c1)" -ge "$1" ] 2>/dev/null; }

pod run -d --name c1 --network none -v vol1:/v localhost/bb sh -c "echo x >/up; rm -f /www/index.html; echo kept >/v/f; $count" >/dev/null
until_ok 20 at_least 3
is "to an archive, and on it runs" "$(pod container checkpoint -R -k -e a.tar.zst c1) $(state c1 Status)" "c1 running"
is "the archive is its owner's" "$(stat -c %a a.tar.zst)" 600
zstd -dcq a.tar.zst >a.tar
for f in config.dump spec.dump network.status stats-dump ctr.log rootfs-diff.tar deleted.files volumes/vol1.tar checkpoint/inventory.img; do
	is "it holds $f" "$(tar -tf a.tar | grep -cx "$f")" 1
done
is "what was changed" "$(tar -xOf a.tar rootfs-diff.tar | tar -tf - | grep -cE '^(up|tmp/n)$')" 2
is "no whiteouts" "$(tar -xOf a.tar rootfs-diff.tar | tar -tf - | grep -c '\.wh\.')" 0
is "what was deleted" "$(tar -xOf a.tar deleted.files | jq -r '.[]')" /www/index.html
is "--keep keeps the log" "$(test -s "$ROOT/containers/$(pod inspect -f '{{.Id}}' c1)/dump.log"; echo $?)" 0

# --- Elsewhere
tar -C "$WORLD/fs" --owner=0 --group=0 -c . | "$BIN/pod-store" --root "$WORLD/root2" --runroot "$WORLD/run2" import localhost/bb >/dev/null
id=$(other container restore -i a.tar.zst)
is "in another root it keeps its ID" "$id" "$(pod inspect -f '{{.Id}}' c1)"
check "it counts on there" until_ok 20 goes_on 1 c1 other
is "with its changes" "$(other exec c1 cat /up)" x
is "without what it deleted" "$(other exec c1 ls /www)" ""
is "with its volume" "$(other exec c1 cat /v/f)" kept
err=$(other container restore -i a.tar.zst 2>&1)
is "not twice" "$? $(grep -c 'in use' <<<"$err")" "125 1"
err=$(other container restore -i a.tar.zst -n c2 2>&1)
is "a volume that is there is not overwritten" "$? $(grep -c 'already exists. Use --ignore-volumes' <<<"$err")" "125 1"
is "and nothing is left of it" "$(other ps -aq | wc -l)" 1
other container restore --ignore-volumes -i a.tar.zst -n c2 >/dev/null
is "under another name beside it" "$(other ps --format '{{.Names}} {{.Status}}' | cut -d' ' -f1,2 | sort | tr '\n' ,)" "c1 Up,c2 Up,"
[ "$(other inspect -f '{{.Id}}' c2)" != "$id" ] && ok "with another ID" || not_ok "with another ID"
is "events tell" "$(pod events --stream=false --format '{{.Status}}' | grep -cE '^(checkpoint|restore)$')" 1
finish
