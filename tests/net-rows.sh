# SPDX-License-Identifier: ISC
# Sourced after net.sh by tests that are tables of checks, for root and for an ordinary user:
#
#	net_rows_world "$@"
#	rows() { cat <<'ROWS' ... ROWS; }
#	net_rows
#
# A row is ID|CHECK, a shell command that succeeds.  Rows with # need root, those with # user an ordinary user; where
# the other has a clear error instead, a row of its own says so.  NET_FEATURES="N02 N07": only rows of these IDs.
# A check finds $P (pod), $A (an image), $D (a directory), $NS (runs a command where the bridges are), $IN (runs one
# that may enter namespaces of containers), $DRIVE; the network n1 with q1, which serves, and q2; and a server on port
# 18850 of the host, which says in $WORLD/seen who asked.

# A network namespace that leads to 192.0.2.0/24; a further host in it is 198.51.100.1.
net_rows_world() {
	net_world "$@"
	# What net.sh made of it is for root.
	pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" ${CONF:+--network-config-dir "$CONF"} "$@"; }
	ip link add out type veth peer name away
	ip addr add 192.0.2.1/24 dev out
	ip addr add 192.0.2.3/24 dev out
	ip link set out up
	ip addr add 198.51.100.1/24 dev away
	ip link set away up
	ip route add default via 192.0.2.254
}

# Ours: CNI's plug-in leaves its own.
bridges() { ip -o link show type bridge | grep -v ' cni-'; }

check_rows() {
	local id check need st server
	A=img D=$WORLD/d P=$WORLD/p
	mkdir -p "$D/cnid" "$WORLD/page"
	printf '#!/bin/sh\nexec %s/pod --root %s --runroot %s %s "$@"\n' "$BIN" "$ROOT" "$RUNROOT" "${CONF:+--network-config-dir $CONF}" >"$P"
	chmod 755 "$P"
	# Where the rules of bridges are.
	NS= IN= DRIVE=$BUILD/tests/net-drive
	[ "$(id -u)" = 0 ] || NS="$P unshare --rootless-netns" IN="$P unshare" DRIVE=$LIB_DIR/net-drive
	get() { curl -s -m 15 "$@"; }
	echo "the host" >"$WORLD/page/index.html"
	busybox httpd -f -v -p 18850 -h "$WORLD/page" >"$WORLD/seen" 2>&1 &
	server=$!
	$P network create --subnet 10.85.1.0/24 --subnet fd85:1::/64 n1 >/dev/null
	$P run -d --name q1 --network n1:ip=10.85.1.11,alias=web -p 127.0.0.1:18800:80 -p 18801:80 $A sh -c 'echo page of q1 >/www/index.html; exec httpd -f -p 80 -h /www' >/dev/null
	$P run -d --name q2 --network n1 $A sleep 1000 >/dev/null
	until_ok 20 get -o /dev/null http://127.0.0.1:18800/
	while IFS='|' read -r id check; do
		need=
		case $id in
		*"# user") need=user id=${id%#*} ;;
		*"# ") need=root id=${id%#*} ;;
		esac
		if [ "$need" = root ] && [ "$(id -u)" != 0 ]; then continue; fi
		if [ "$need" = user ] && [ "$(id -u)" = 0 ]; then continue; fi
		case " ${NET_FEATURES:-${id:0:3}} " in *" ${id:0:3} "*) ;; *) continue ;; esac
		(eval "$check") >"$WORLD/row" 2>&1 </dev/null
		st=$?
		is "$id" "$st $([ $st = 0 ] || tail -n 2 "$WORLD/row" | xargs -0 | cut -c1-250)" "0 "
	done < <(rows)
	kill "$server"
	# Later than the containers go those who carry their packets; the next user wants the same subnets.
	$P rm -f -a -t 0 >/dev/null
	if [ "$(id -u)" = 0 ]; then
		until_is "no bridge stays" "" bridges
	else
		check "no namespace of bridges stays" until_ok 20 test ! -e "$RUNROOT/net/rootless.ns"
	fi
}

net_rows() {
	busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
	check_rows
	cp "$BUILD/tests/net-drive" "$WORLD/"
	command -v pasta >/dev/null || { skip "the same as an ordinary user" "pasta is not installed"; finish; }
	{
		declare -f rows bridges check_rows
		echo "NET_FEATURES=\"${NET_FEATURES:-}\""
		echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; CONF=; check_rows'
	} | user_part
}
