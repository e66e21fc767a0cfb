#!/bin/bash
# SPDX-License-Identifier: ISC
# make dist works where nothing was built yet, and a variant has a place of its own.
. "$(dirname "$0")/../lib.sh"
world
tree=$LIB_DIR/..
if [ "$(git -C "$tree" rev-parse --show-toplevel 2>/dev/null)" = "$(realpath "$tree")" ]; then
	make -s -C "$tree" dist BUILD="$WORLD/fresh" >"$WORLD/out" 2>&1
	is "dist makes its directory" "$? $(cat "$WORLD/out")" "0 "
	is "the tarball holds the tree" "$(tar -tzf "$WORLD"/fresh/pod-*.tar.gz | cut -d/ -f2 | sort -u | tr '\n' ' ')" \
		" $(git -C "$tree" ls-tree --name-only HEAD | LC_ALL=C sort | tr '\n' ' ')"
else
	skip "dist" "no clone"
fi
is "clean takes what BUILD names" "$(make -s -n -C "$tree" clean BUILD=/some/where)" "rm -rf /some/where"
is "sanitizers have a directory of their own" "$(unset BUILD; make -s -n -C "$tree" clean SAN=address,undefined)" \
	"rm -rf build/address-undefined"
finish
