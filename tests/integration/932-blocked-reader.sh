#!/bin/bash
# SPDX-License-Identifier: ISC
# A client whose output nobody reads handles signals all the same, and nothing of the output is lost once it is read.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
rootfs "$WORLD/fs"
tar -C fs --owner=0 --group=0 -c . | store import localhost/bb >/dev/null
blocked=$(cat <<'E2'
# What a container with 1 MB for us says in the end, if it got USR1 while we did not read
say='trap "echo got >/tmp/got" USR1; (i=0; while [ $i -lt 20000 ]; do echo "line $i of what nobody reads yet, which is rather long"; i=$((i+1)); done; echo all) & while [ ! -e /tmp/got ]; do sleep 0.1; done; wait'
# full FIFO: no page more goes into it (single bytes still would, where the last page has room)
full() { timeout 5 dd if=/dev/zero of="$1" bs=4096 count=1 oflag=nonblock 2>&1 | grep -q 'unavailable'; }
got() { pod exec "$1" test -e /tmp/got 2>/dev/null; }
for how in run start; do
	mkfifo "$how.out"
	exec 7<>"$how.out"
	case $how in
	run) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --name "of-$how" --network none localhost/bb sh -c "$say" >"$how.out" 7<&- & ;;
	start)
		pod create --name "of-$how" --network none localhost/bb sh -c "$say" >/dev/null
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" start -a "of-$how" >"$how.out" 7<&- & ;;
	esac
	client=$!
	remember_pid $client
	until_ok 60 full "$how.out" || not_ok "$how: the reader is blocked"
	kill -USR1 $client
	check "$how: a signal gets through while nobody reads" until_ok 20 got "of-$how"
	(cat <&7 >"$how.read") &
	reader=$!
	remember_pid $reader
	check "$how: it ends once that is read" until_ok 30 ended $client
	until_ok 20 sh -c 'tail -n 1 "$0" | tr -d "\0" | grep -qx all' "$how.read"
	# The pages that looked whether there is room may be among them.
	is "$how: and nothing was lost" "$(tr -d '\0' <"$how.read" | grep -c '^line [0-9]* of what nobody reads yet, which is rather long$') $(tail -n 1 "$how.read" | tr -d '\0')" "20000 all"
	kill $reader 2>/dev/null
	exec 7<&-
	pod rm -f -t 0 "of-$how" >/dev/null
done
E2
)
eval "$blocked"
declare -p blocked >blocked.sh
chmod 644 blocked.sh
user_part <<'E3'
. "$LIB_DIR/blocked.sh"
cd "$WORLD"
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/bb >/dev/null
eval "$blocked"
E3
