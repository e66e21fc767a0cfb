#!/bin/bash
# SPDX-License-Identifier: ISC
# The same life of a container for an ordinary user, in a user namespace with subordinate IDs.
. "$(dirname "$0")/../lib.sh"
world
if ! ordinary_user; then
	skip "containers of an ordinary user" "needs root to make the user"
	finish
fi
rootfs "$WORLD/fs"
mkdir "$WORLD/home"
chown "$world_user" "$WORLD/home"
tar -C "$WORLD/fs" --owner=0 --group=0 -c . >"$WORLD/fs.tar"

# One session, since the namespace is kept by a process in it.
cat >"$WORLD/session" <<'EOF2'
BIN=$2 R="--root $1/home/root --runroot $1/home/run"
U() { "$BIN/pod" $R "$@"; }
say() { echo "$1=$(echo "$2" | tr '\n' ' ' | sed 's/ $//')"; }
unshare -U -r --map-auto -m "$BIN/pod-store" $R import localhost/bb <"$1/fs.tar" >/dev/null
say hi "$(U run --rm --net none bb echo hi)"
say root "$(U run --rm --net none bb id -u)"
say map "$(U run --rm --net none bb sh -c 'wc -l </proc/self/uid_map')"
say write "$(U run --rm --net none bb sh -c 'echo x >/etc/x; chown 5:6 /etc/x; stat -c %u:%g /etc/x')"
say status "$(U run --rm --net none bb sh -c 'exit 3'; echo $?)"
U run -d --name c --net none bb sh -c 'trap "exit 4" TERM; echo log; while :; do sleep 0.1; done' >/dev/null
say ps "$(U ps --format '{{.Names}} {{.State}}')"
say exec "$(U exec c echo x)"
say alice "$(U exec -u alice c id -un)"
say logs "$(U logs c)"
say stop "$(U stop c; U inspect --format '{{.State.Status}} {{.State.ExitCode}}' c)"
say again "$(U start c >/dev/null; U inspect --format '{{.State.Status}}' c)"
say rm "$(U rm -f -t 0 c)"
if command -v pasta >/dev/null; then
	say net "$(U run --rm bb sh -c 'ip -o link | grep -vc lo:')"
	U run -d --name p --network pasta bb sleep 1000 >/dev/null
	touch "$1/home/up"
	while [ -e "$1/home/up" ]; do sleep 0.1; done
	U rm -f -t 0 p >/dev/null
fi
say left "$(ls "$1/home/run/containers" "$1/home/root/rw" | grep -v :)"
kill "$(cut -d' ' -f2 "$1/home/run/pause.pid")" 2>/dev/null
EOF2
as_user bash "$WORLD/session" "$WORLD" "$BIN" >"$WORLD/out" 2>"$WORLD/err" &
session=$!
# Only root may look: no connection of two of our programs, which a third would keep from ending.
if command -v pasta >/dev/null && until_ok 60 [ -e "$WORLD/home/up" ]; then
	pids=$(pgrep -f "^[^ ]*pasta.* $WORLD/home/" -d ' ')
	held=$(for pid in $pids; do readlink "/proc/$pid"/fd/*; done | sed -n 's/^socket:\[\(.*\)\]$/\1/p')
	held=$(awk 'NR == FNR { held[$1]; next } $5 == "0005" && $7 in held' - /proc/net/unix <<<"$held")
	is "pasta runs, and holds no connection of ours" "$(wc -w <<<"$pids") $held" "1 "
	rm "$WORLD/home/up"
fi
wait "$session"
field() { sed -n "s/^$1=//p" "$WORLD/out"; }
is "run" "$(field hi)" hi
is "root inside" "$(field root)" 0
is "with subordinate IDs" "$(field map)" 2
is "files can be given away" "$(field write)" 5:6
is "the exit status" "$(field status)" 3
is "ps" "$(field ps)" "c running"
is "exec" "$(field exec)" x
is "exec as a named user" "$(field alice)" alice
is "logs" "$(field logs)" log
is "stop" "$(field stop)" "c exited 4"
is "start again" "$(field again)" running
is "rm -f" "$(field rm)" c
if command -v pasta >/dev/null; then is "a network by pasta" "$(field net)" 1; else
	skip "a network by pasta" "pasta is missing"
	skip "pasta runs, and holds no connection of ours" "pasta is missing"
fi
is "nothing is left" "$(field left)" ""
[ "$tap_failed" = 0 ] || sed 's/^/# /' "$WORLD/err"
finish
