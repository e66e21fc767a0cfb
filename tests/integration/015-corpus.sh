#!/bin/bash
# SPDX-License-Identifier: ISC
# What fuzzers once found, and what they grew from: each parser of foreign bytes takes its kept corpus without harm.
. "$(dirname "$0")/../lib.sh"
corpus=$LIB_DIR/fuzz/corpus

for d in "$corpus"/*; do
	ok "${d##*/}" "$BUILD/tests/${d##*/}" "$d"
done
finish
