#!/bin/bash
# SPDX-License-Identifier: ISC
# SIGKILL at any moment leaves a store that opens and holds no image that is listed but does not work.
. "$(dirname "$0")/../lib.sh"
world
rounds=${ROUNDS:-50}

# A tar of some hundred files, so that there is something to be interrupted in.
mkdir -p "$WORLD/fs"
for d in $(seq 10); do
	mkdir "$WORLD/fs/d$d"
	for f in $(seq 20); do echo "$d/$f" >"$WORLD/fs/d$d/f$f"; done
done
head -c 3000000 /dev/urandom >"$WORLD/fs/bulk"
echo whole >"$WORLD/fs/last"
tar -C "$WORLD/fs" --owner=0 --group=0 --sort=name -c . >"$WORLD/fs.tar"
start=$(date +%s%N)
first=$(store import localhost/first:1 <"$WORLD/fs.tar")
took_us=$((($(date +%s%N) - start) / 1000))

# Every image in the list has all of its files; prints what does not.
broken() {
	local id
	for id in $(store list -a -q || echo list); do
		[ "$(store mount "$id" sh -c 'cat d*/f* last | wc -l' 2>&1)" = 201 ] || echo "$id"
	done
}

# Runs a command in a process group of its own and kills all of it, or only the process that works for it,
# after that many microseconds.
killed_after() {
	local us=$1 pid worker
	shift
	setsid "$BIN/pod-store" --root "$ROOT" "$@" <"$WORLD/fs.tar" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '%d.%06d' $((us / 1000000)) $((us % 1000000)))"
	worker=$(pgrep -P "$pid" -x pod-store)
	if [ $((RANDOM % 3)) = 0 ] && [ -n "$worker" ]; then
		kill -KILL "$worker" 2>/dev/null
	else
		kill -KILL -- "-$pid" 2>/dev/null
	fi
	wait "$pid" 2>/dev/null
}

bad= n_import=0
for i in $(seq "$rounds"); do
	at=$((RANDOM * took_us / 25000))
	# The layer is new each time that the image before it went.
	case $((i % 3)) in
	0) killed_after "$((at / 4))" rm "localhost/n:$((i - 1))" ;;
	*) killed_after "$at" import "localhost/n:$i" ;;
	esac
	bad=$bad$(broken)
	store list -q -a >/dev/null 2>"$WORLD/err" || bad="$bad list:$(cat "$WORLD/err")"
	[ "$(store list -q | wc -l)" -gt 1 ] && n_import=$((n_import + 1))
	store rm -f "$(store list -a -q | head -n 1)" >/dev/null 2>&1
	store list -q | grep -q . || first=$(store import localhost/first:1 <"$WORLD/fs.tar")
done
is "after $rounds kills every image that is listed works" "$bad" ""
echo "# $n_import rounds had an image more than before"
store rm -f $(store list -a -q) >/dev/null
check "a sweep goes through" store sweep
is "and leaves no directory behind" "$(ls "$ROOT/layers" "$ROOT/rw" "$ROOT/tmp" "$ROOT/trash" | grep -v :)" ""
check "the store still takes images" store import localhost/first:1 <"$WORLD/fs.tar"
is "which work" "$(broken)" ""
finish
