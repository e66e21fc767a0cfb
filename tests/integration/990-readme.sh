#!/bin/bash
# SPDX-License-Identifier: ISC
# The README's tour and its pipelines, pasted as they stand there but for what needs a registry, as root and as an
# ordinary user; and its map of the tree.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/net.sh"
for tool in jq curl script; do
	command -v $tool >/dev/null || {
		skip "the README's tour" "$tool is not installed"
		finish
	}
done
net_world
# The way out, for the user's networks
ip link add ext0 type veth peer name ext1 && ip link set ext1 up && ip addr add 192.0.2.2/24 dev ext0 && ip link set ext0 up && ip route add default via 192.0.2.1
README=$LIB_DIR/../README

# What is set apart between two lines; a shell in a container gets a terminal and is left.
pasted() {
	sed -n "/^$1/,/^$2/p" "$README" | sed -n 's/^\t//p' | grep -v registry.example.org |
		sed -E 's,^(pod exec -it .*)$,script -qec "\1 -c exit" /dev/null,'
}
{ pasted 'A two-minute tour' 'Each tool in'; pasted 'Each tool in' 'In place of'; } >"$WORLD/tour"

# A tree whose programs know where this test's state lies
tour() {
	local tree=$WORLD/tree p
	mkdir -p "$tree/build/bin" "$tree/tmp"
	for p in pod pod-store pod-net; do
		printf '#!/bin/sh\nexec "%s" --root "%s" --runroot "%s" "$@"\n' "$BIN/$p" "$ROOT" "$RUNROOT" >"$tree/build/bin/$p"
	done
	[ "$(id -u)" != 0 ] || printf '#!/bin/sh\nexec "%s" "$@"\n' "$BIN/pod-net" >"$tree/build/bin/pod-net"
	chmod 755 "$tree/build/bin"/*
	(cd "$tree" && TMPDIR=$tree/tmp bash -e -o pipefail "$1" >"$WORLD/out" 2>&1 </dev/null)
	is "the README's tour and pipelines, pasted" "$?" 0 || sed "s/^/# /" "$WORLD/out"
	for p in 'hello from pod' 'response:200' 'httpd -f -v' 'localhost/busybox:latest' '"Layers"' 'run>store' './www/index.html' Deleted; do
		check "it shows $p" grep -qF -e "$p" "$WORLD/out"
	done
	is "it warns of nothing" "$(grep -c -e ^time= -e ^Error: "$WORLD/out")" 0
	is "nothing stays" "$(pod ps -aq | wc -l) $(pod images -q | wc -l) $(ls "$tree/tmp" | wc -l)" "0 0 0"
}
tour "$WORLD/tour"

# A map of what there is: each directory of sources, and each worker with its tool
cd "$LIB_DIR/.." || exit
for d in common/*/; do grep -q "^	${d%/}[	 ]" "$README" || echo "$d"; done >"$WORLD/absent"
for p in "$BUILD"/libexec/pod/pod-*; do
	p=${p##*/}
	case $p in
	pod-run-* | pod-net-* | pod-store-* | pod-image-* | pod-monitor-*) tool=${p%-*} ;;
	esac
	grep "^	$tool[	 ].*worker" "$README" | grep -qw -e "${p##*-}" || echo "$p"
done >>"$WORLD/absent"
is "the README's map lacks nothing" "$(cat "$WORLD/absent")" ""
{
	declare -f tour
	printf 'tour %q\n' "$WORLD/tour"
} | user_part
