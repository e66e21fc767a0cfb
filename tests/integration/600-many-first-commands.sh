#!/bin/bash
# SPDX-License-Identifier: ISC
# Many commands at once that are all the first on an empty root and run root.
. "$(dirname "$0")/../lib.sh"
world

failed=0
for round in 1 2 3 4 5; do
	pids=()
	for i in $(seq 20); do
		"$BIN/pod" --root "$WORLD/r$round" --runroot "$WORLD/rr$round" ps -aq >"$WORLD/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in $(seq 20); do
		wait "${pids[i - 1]}" || { failed=$((failed + 1)) && sed 's/^/# /' "$WORLD/out.$i"; }
	done
done
is "20 commands at once on empty directories all succeed, five times" "$failed" 0

touch "$WORLD/file"
out=$("$BIN/pod" --root "$WORLD/r1" --runroot "$WORLD/file/run" ps 2>&1)
is "a run root below a file is an error" "$?" 125
is "which is said once" "$(grep -o "$WORLD/file/run" <<<"$out" | wc -l)" 1

finish
