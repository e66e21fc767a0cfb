#!/bin/bash
# SPDX-License-Identifier: ISC
# Images are there before they are written back: the power goes right after the answer, or who writes back is killed.
# Afterwards each is whole or absent.  storage option sync=filesystem: it is there.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "the power goes" "needs root, to mount a file system"; finish; }
# What is mounted here nobody else sees.
[ -n "${ALONE:-}" ] || ALONE=1 exec unshare -m --propagation private bash "$0"
world
at_end() { umount -l "$WORLD/disk" 2>/dev/null; }
mkdir "$WORLD/disk"
truncate -s 1G "$WORLD/ext4"
mkfs.ext4 -q -F "$WORLD/ext4" && mount -o loop "$WORLD/ext4" "$WORLD/disk" 2>/dev/null ||
	{ skip "the power goes" "no file system can be made on a loop device"; finish; }
ROOT=$WORLD/disk/root
big() { # NAME [OPTION...]: makes an image of 60 MB that has never been
	local name=$1
	shift
	head -c 60000000 /dev/urandom >"$WORLD/blob"
	tar -C "$WORLD" -c blob | pod "$@" import -q - "localhost/$name" >/dev/null 2>"$WORLD/import.err"
}
power() {
	"$BUILD/tests/godown" "$WORLD/disk"
	until_ok 60 umount "$WORLD/disk" 2>/dev/null || { not_ok "nothing holds the file system"; finish; }
	mount -o loop "$WORLD/ext4" "$WORLD/disk"
}
busybox_image localhost/base >/dev/null
until_ok 20 umount "$WORLD/disk" 2>/dev/null && mount -o loop "$WORLD/ext4" "$WORLD/disk"

lost=0
for i in 1 2 3 4 5; do
	big "big$i" || not_ok "import $i: $(cat "$WORLD/import.err")"
	power
	pod images >"$WORLD/out" 2>"$WORLD/err"
	is "round $i: images says nothing else" "$? $(grep -vc 'was not on disk as a whole when the power failed' "$WORLD/err")" "0 0"
	pod system check >"$WORLD/check" 2>&1 && ok "round $i: nothing is damaged" || not_ok "round $i: $(cat "$WORLD/check")"
	if grep -q 'was not on disk' "$WORLD/err"; then
		lost=$((lost + 1))
		grep -q "localhost/big$i" "$WORLD/out" && not_ok "round $i: it is told of and listed" || ok "round $i: the image is gone"
	fi
	check "round $i: what was there before is" pod run --rm --network none localhost/base true
	is "round $i: the second command has nothing to say" "$(pod images -q 2>&1 >/dev/null)" ""
done
check "the power came before the end at least once ($lost)" test "$lost" -gt 0

# While it is written back the store is in use, and what was attached out of it is not.
for i in 1 2 3; do
	big mounted
	at=$(pod image mount localhost/mounted)
	is "unmount $i of an image that is being written back" \
		"$(stat -c %s "$at/blob") $(pod image unmount localhost/mounted | wc -l) $(grep -c " $at " /proc/self/mountinfo)" "60000000 1 0"
	at=$(pod mount "$(pod create --name of localhost/mounted true)")
	is "unmount $i of its container" "$(pod unmount of) $(grep -c " $at " /proc/self/mountinfo)" "of 0"
	is "both can be removed then" "$(pod rm of) $(pod rmi localhost/mounted | grep -c Deleted)" "of 1"
done

big synced --storage-opt overlay.sync=filesystem
power
is "sync=filesystem: the image is there" "$(pod images -q localhost/synced 2>&1 | wc -l)" 1
check "and whole" pod system check
is "another value is an error" "$(pod --storage-opt overlay.sync=never images 2>&1; echo $?)" \
	'Error: storage option overlay.sync: "never" is neither none nor filesystem
125'

killed=0
for i in 1 2 3 4 5; do
	head -c 60000000 /dev/urandom >"$WORLD/blob"
	# A session of its own: who is left in it writes back.
	setsid -w bash -c "$(declare -f pod); BIN='$BIN' ROOT='$ROOT' RUNROOT='$RUNROOT'
		tar -C '$WORLD' -c blob | pod import -q - 'localhost/killed$i' >/dev/null; pkill -KILL -s 0 -x pod-store" && killed=$((killed + 1))
	is "who writes back killed, $i: the image is there" "$(pod images -q "localhost/killed$i" 2>&1 | wc -l)" 1
	check "and whole" pod system check
done
check "one was killed at least once ($killed)" test "$killed" -gt 0
finish
