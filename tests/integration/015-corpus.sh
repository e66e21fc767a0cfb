#!/bin/bash
# SPDX-License-Identifier: ISC
# What fuzzers once found, and what they grew from: each parser of foreign bytes takes its kept corpus without harm.
. "$(dirname "$0")/../lib.sh"
corpus=$LIB_DIR/fuzz/corpus

for f in "$LIB_DIR"/fuzz/fuzz-*.c; do
	name=$(basename "$f" .c)
	check "$name has a corpus" [ -n "$(ls "$corpus/$name" 2>/dev/null)" ]
	check "$name takes it" "$BUILD/tests/$name" "$corpus/$name"
done
finish
