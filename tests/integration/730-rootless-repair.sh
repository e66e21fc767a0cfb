#!/bin/bash
# SPDX-License-Identifier: ISC
# An ordinary user's bridges when a helper was killed, their resolvers, and ports of IPv6.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null; then
	skip "helpers of an ordinary user's networks that were killed" "pasta is not installed"
	finish
fi
# A private mount namespace, for a resolv.conf of our own.
[ "$(id -u)" != 0 ] || [ -n "${REPAIR_PRIVATE:-}" ] ||
	REPAIR_PRIVATE=1 exec unshare -m --propagation private bash "$0" "$@"
world
rootfs "$WORLD/fs"
if [ "$(id -u)" = 0 ]; then
	# A resolver on the host's loopback, as systemd-resolved is one: every name has the address 192.0.2.77.
	cat >"$WORLD/dns.py" <<'EOF2'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.54", 53))
print("ready", flush=True)
while True:
    q, a = s.recvfrom(512)
    end = q.index(b"\0", 12) + 5
    kind = q[end - 4:end - 2]
    r = q[12:end] + (b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\xc0\0\2\x4d" if kind == b"\0\1" else b"")
    s.sendto(q[:2] + b"\x81\x80\0\1\0" + (b"\1" if kind == b"\0\1" else b"\0") + b"\0\0\0\0" + r, a)
EOF2
	python3 "$WORLD/dns.py" >"$WORLD/dns.out" 2>&1 &
	remember_pid $!
	until_ok 20 grep -q ready "$WORLD/dns.out"
	echo "nameserver 127.0.0.54" >"$WORLD/resolv.conf"
	mount --bind "$WORLD/resolv.conf" "$(readlink -f /etc/resolv.conf)"
fi
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
port=$(free_port)
worker() { pgrep -r S,R -u "$(id -u)" -x pod-net-forward; }
helper() { pgrep -r S,R -u "$(id -u)" -f 'helpers/rootless-netns$'; }
kill_dns() { pod unshare kill -9 "$(cat "$RUNROOT/net/dns/aardvark.pid")"; }
files() { ls "$RUNROOT/net/helpers" "$RUNROOT"/net/rootless.[sn]* 2>/dev/null | grep -v ':$'; }
gone() { [ -z "$(worker)$(helper)$(files)" ]; }
fetch() { curl -s -m 15 "http://$1:$port/"; }

pod network create --ipv6 one >/dev/null
pod run -d --name web --network one -p "$port:80" $box httpd -f -p 80 -h /www >/dev/null
pod run -d --name other --network one $box sleep 1000 >/dev/null
is "a published port" "$(fetch 127.0.0.1)" "hello from pod"
is "over IPv6 too" "$(fetch '[::1]')" "hello from pod"
is "reload changes nothing" "$(pod network reload -a >/dev/null && fetch 127.0.0.1)" "hello from pod"

kill -9 $(worker)
check "a killed worker: containers keep their links" sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' exec other ip link show eth0 >/dev/null"
pod network reload -a >/dev/null
is "the next command starts another" "$(worker | wc -l) $(helper | wc -l)" "1 1"
is "which publishes the ports again" "$(fetch 127.0.0.1)" "hello from pod"
is "also those of IPv6" "$(fetch '[::1]')" "hello from pod"
is "old and new containers reach each other" \
	"$(pod run --rm --network one $box timeout 20 wget -qO- http://web/)" "hello from pod"
kill -9 $(worker) $(helper)
pod network reload -a >/dev/null
is "killed with pasta: both are back" "$(worker | wc -l) $(helper | wc -l)" "1 1"
is "and the port" "$(fetch 127.0.0.1)" "hello from pod"

# Killed, but not gone yet: it takes a connection that it answers no more.
pid=$(worker)
kill -STOP "$pid"
pod network reload -a >"$WORLD/reloaded" 2>&1 &
reload=$!
asked() { ss -xp 2>/dev/null | grep -c "rootless.sock" | grep -qv '^0$'; }
until_ok 5 asked
kill -9 "$pid"
wait "$reload"
is "a worker that is killed while it is asked" "$? $(cat "$WORLD/reloaded" | wc -l)" "0 2"
is "has a successor, too" "$(worker | wc -l) $(fetch 127.0.0.1)" "1 hello from pod"

kill_dns
pod run -d --name third --network one $box sleep 1000 >/dev/null
is "a killed DNS server: names are there again" "$(pod exec other timeout 20 wget -qO- http://web/)" "hello from pod"
kill_dns
pod rm -f -t 0 third >/dev/null
is "also when the next command only takes a name away" \
	"$(pod exec other timeout 20 wget -qO- http://web/)" "hello from pod"

if pasta --help 2>&1 | grep -q -- --dns-forward; then
	is "a resolver on the host's loopback, through the DNS server" \
		"$(pod exec other nslookup host.example 2>/dev/null | grep -c 192.0.2.77)" 1
	is "and on a network without names" \
		"$(pod run --rm --network podman $box nslookup host.example 2>/dev/null | grep -c 192.0.2.77)" 1
else
	skip "a resolver on the host's loopback" "this pasta has no --dns-forward"
fi
pod run --network one -p "$(free_port):80/sctp" --rm $box true >"$WORLD/out" 2>&1
is "sctp cannot be published" "$? $(grep -c 'Error: ports of protocol sctp cannot be published for ordinary users' "$WORLD/out")" "126 1"


if command -v slirp4netns >/dev/null; then
	mode=slirp4netns:cidr=10.7.0.0/24,mtu=1400,allow_host_loopback=true,port_handler=rootlesskit
	pod run -d --name slirp --network "$mode" -p "127.0.0.1:$(free_port):80" $box httpd -f -p 80 -h /www >/dev/null
	is "slirp4netns: cidr and mtu" "$(pod exec slirp ip addr show tap0 | grep -cE 'mtu 1400|inet 10\.7\.0\.100/24')" 2
	is "slirp4netns: its resolver" "$(pod exec slirp cat /etc/resolv.conf | grep -c 'nameserver 10.7.0.3')" 1
	is "slirp4netns: a published port" "$(curl -s -m 15 "http://$(pod port slirp 80)/")" "hello from pod"
	pod rm -f -t 0 slirp >/dev/null
	check "slirp4netns: outbound_addr" \
		pod run --rm --network slirp4netns:outbound_addr=127.0.0.1,enable_ipv6=true $box true
	for bad in cidr=10.0.0.0/30 cidr=fd00::/64 outbound_addr=::1 outbound_addr6=1.2.3.4 mtu=x port_handler=other; do
		pod run --rm --network "slirp4netns:$bad" $box true >"$WORLD/out" 2>&1
		is "slirp4netns: $bad is refused" "$? $(grep -c '^Error: .*\(invalid\|unknown\)' "$WORLD/out")" "126 1"
	done
fi
pod rm -f -t 0 web other >/dev/null
check "nothing is left after the last container" until_ok 20 gone
is "nor a mount" "$(pod unshare grep -c rootless.ns /proc/mounts)" 0
EOF2
