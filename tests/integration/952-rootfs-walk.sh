#!/bin/bash
# SPDX-License-Identifier: ISC
# Containers of --rootfs: export writes what they see, what they cannot do is told, an empty path is none.
. "$(dirname "$0")/../lib.sh"
if [ "${ROOTFS_WALK_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then ROOTFS_WALK_NS=1 exec unshare -m bash "$0"; fi
world

# rootfs_checks: the same for root and for a user; $WORLD and pod are at hand
rootfs_checks() {
	fs=$WORLD/bare
	rootfs "$fs"
	listed() { tar -tf "$1" | sed 's,^\./,,' | grep -c "^$2\$"; }
	pod run --name plain --network none --rootfs "$fs" /bin/sh -c 'echo made >/made'
	check "export of a directory" pod export -o "$WORLD/plain.tar" plain
	is "holds what lies there" "$(listed "$WORLD/plain.tar" bin/busybox) $(tar -xOf "$WORLD/plain.tar" made)" "1 made"
	is "and owners as the container has them" "$(tar --numeric-owner -tvf "$WORLD/plain.tar" made | awk '{print $2}')" 0/0
	pod run -d --name over --network none --rootfs "$fs:O" /bin/sh -c 'echo above >/above; rm /made; sleep 100' >/dev/null
	check "it has begun" until_ok 10 pod exec over test -e /above
	until_ok 10 sh -c '! "$0" --root "$1" --runroot "$2" exec over test -e /made' "$BIN/pod" "$ROOT" "$RUNROOT"
	check "export of an overlay" pod export -o "$WORLD/over.tar" over
	is "holds what the container sees" "$(tar -xOf "$WORLD/over.tar" above) $(listed "$WORLD/over.tar" made)" "above 0"
	is "and nothing that is mounted in it" "$(tar -tf "$WORLD/over.tar" | sed 's,^\./,,' | grep -c '^proc/.')" 0
	pod stop -t 0 over >/dev/null
	is "once it has ended, that is gone" "$(pod export over | tar -t | sed 's,^\./,,' | grep -cx 'above\|made')" 1
	echo before >"$WORLD/kept.tar"
	mv "$fs" "$fs.away"
	is "a directory that has gone" "$(pod export -o "$WORLD/kept.tar" plain 2>&1; cat "$WORLD/kept.tar")" "Error: open $fs: no such file or directory
before"
	mv "$fs.away" "$fs"
	is "diff says why not" "$(pod diff plain 2>&1 | grep -c 'was not made from an image: there is nothing to compare it with')" 1
	pod rm -f -t 0 plain over >/dev/null
	is "a path that is empty" "$(pod run --rm --network none --rootfs '' /bin/true 2>&1)" "Error: must set root filesystem source to either image or rootfs: invalid argument"
	is "makes no container" "$(pod ps -aq)" ""
}
rootfs_checks
{
	declare -f rootfs_checks
	echo rootfs_checks
} | user_part
