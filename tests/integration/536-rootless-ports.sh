#!/bin/bash
# SPDX-License-Identifier: ISC
# Published ports of an ordinary user's containers on bridge networks: the client's address is kept.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null; then
	skip "published ports of an ordinary user" "pasta is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
install -m 755 "$BUILD/tests/net-drive" "$WORLD/net-drive"
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
port=$(free_port) local=$(free_port) free=$(free_port)
own=$(hostname -I | tr ' ' '\n' | grep -v : | head -n 1)
get() { curl -s -m 15 "$@"; }
pod network create one >/dev/null
pod run -d --name web --network one -p "$port:80" -p "127.0.0.1:$local:80" $box httpd -f -vv -p 80 -h /www >/dev/null
check "a published port answers" until_ok 20 get -o /dev/null "http://127.0.0.1:$port/"
is "so does one of an address" "$(get "http://127.0.0.1:$local/")" "hello from pod"
if [ -n "$own" ]; then
	is "by the host's own address" "$(get "http://$own:$port/")" "hello from pod"
	check "the container sees the address of the client" until_ok 20 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' logs web 2>&1 | grep -q '$own'"
	check "one of 127.0.0.1 is not open there" sh -c "! curl -s -m 2 http://$own:$local/"
else
	skip "the container sees the address of the client" "this host has no address"
fi
is "a port in use is refused" "$(pod run --rm --network one -p "$port:80" $box true 2>&1 | grep -c 'address already in use')" 1
head -c 5000000 /dev/urandom >"$WORLD/big"
pod cp "$WORLD/big" web:/www/big
is "much data arrives whole" "$(get "http://127.0.0.1:$port/big" | sha256sum)" "$(sha256sum <"$WORLD/big")"
pod run -d --name udp --network one -p "$free:5000/udp" $box sleep 1000 >/dev/null
inside=$(pod inspect udp --format '{{.State.Pid}}')
listens() { [ -n "$(pod unshare nsenter -t "$inside" -n ss -Hlun 'sport = 5000')" ]; }
ask() {
	pod unshare nsenter -t "$inside" -n "$LIB_DIR/net-drive" udp-echo 5000 &
	until_ok 20 listens
	timeout 20 "$LIB_DIR/net-drive" udp-ask "$1" "$free" datagram
}
is "udp comes back" "$(ask 127.0.0.1)" datagram
[ -z "$own" ] || is "also by the host's own address" "$(ask "$own")" datagram
pod rm -f -t 0 web >/dev/null
check "the port is free again" until_ok 20 sh -c "! curl -s -m 1 http://127.0.0.1:$port/ 2>/dev/null"
pod rm -f -t 0 udp >/dev/null
# The monitor is killed with its container: nobody tears down.
pod run -d --name web --network one -p "$port:80" $box httpd -f -p 80 -h /www >/dev/null
pod run -d --name stays --network one $box sleep 1000 >/dev/null
check "published again" until_ok 20 get -o /dev/null "http://127.0.0.1:$port/"
pid=$(pod inspect web --format '{{.State.Pid}}')
kill -9 "$(pod inspect web --format '{{.State.ConmonPid}}')" "$pid"
check "the port ends with a monitor that was killed" until_ok 20 sh -c "! curl -s -m 1 http://127.0.0.1:$port/ 2>/dev/null"
pod rm -f -a -t 0 >/dev/null 2>&1
EOF2
