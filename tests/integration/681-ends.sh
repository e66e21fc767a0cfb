#!/bin/bash
# SPDX-License-Identifier: ISC
# A container that has just ended is started at once: its last run's network is given back before the next one's is made.
. "$(dirname "$0")/../lib.sh"
world
again() {
	local i bad=0
	for i in $(seq "$1"); do
		pod run --name "k$i" img true 2>>"$WORLD/err" || bad=$((bad + 1))
		pod start -a "k$i" 2>>"$WORLD/err" || bad=$((bad + 1))
		pod start "k$i" >/dev/null 2>>"$WORLD/err" || bad=$((bad + 1))
		[ "$(pod wait "k$i")" = 0 ] || bad=$((bad + 1))
	done
	is "run and start at once, $1 times" "$bad $(head -n 1 "$WORLD/err")" "0 "
	pod rm -f -t 0 -a >/dev/null
}
busybox_image img >/dev/null
again 4
{
	declare -f again
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; again 12'
} | user_part
