#!/bin/bash
# SPDX-License-Identifier: ISC
# Many commands at once on directories that do not exist yet, and the removal of many containers by one command.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
# None of them made the run root: each start finds it missing or half made.
rm -rf "$RUNROOT"
starts=()
for i in $(seq 70); do
	pod run -d -p 127.0.0.1::80 localhost/one:1 sleep 1000 >/dev/null 2>>"$WORLD/err" &
	starts+=($!)
done
wait "${starts[@]}"
is "70 first starts at once succeed" "$(pod ps -q | wc -l)$(head -n 1 "$WORLD/err")" 70
is "one command removes them, without a word" "$(pod rm -f -a -t 0 2>&1 >/dev/null)" ""
is "all of them" "$(pod ps -aq)" ""
check "nothing of the network stays" until_ok 20 nothing_in "$RUNROOT/net/containers"
finish
