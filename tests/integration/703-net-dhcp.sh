#!/bin/bash
# SPDX-License-Identifier: ISC
# Addresses by DHCP: macvlan and bridges that others manage, renewal, the end, and a server that is not there.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox --list | grep -qx udhcpd || { skip "DHCP" "busybox has no server"; finish; }
busybox_image localhost/one:1 >/dev/null
touch "$WORLD/srv"
unshare --net="$WORLD/srv" true
at_end() { umount "$WORLD/srv"; }
srv() { nsenter --net="$WORLD/srv" "$@"; }
srv ip link set lo up
# serve NAME SUBNET: a server behind the interface NAME
serve() {
	ip link add "$1" type veth peer name "s$1" netns "$WORLD/srv"
	ip link set "$1" up
	srv ip addr add "$2.1/24" dev "s$1"
	srv ip link set "s$1" up
	printf 'start %s.100\nend %s.110\ninterface s%s\nlease_file %s\npidfile %s\nopt subnet 255.255.255.0\nopt router %s.1\nopt dns %s.53\nopt lease 8\n' \
		"$2" "$2" "$1" "$WORLD/leases.$1" "$WORLD/pid.$1" "$2" "$2" >"$WORLD/udhcpd.$1"
	touch "$WORLD/leases.$1"
	nsenter --net="$WORLD/srv" busybox udhcpd -f "$WORLD/udhcpd.$1" >"$WORLD/log.$1" 2>&1 &
	remember_pid $!
}
acks() { grep -c 'sending ACK' "$WORLD/log.$1"; }
mkdir "$WORLD/page"
echo "from the server" >"$WORLD/page/index.html"
nsenter --net="$WORLD/srv" busybox httpd -f -p 80 -h "$WORLD/page" >/dev/null 2>&1 &
remember_pid $!
workers() { pgrep -f "pod-net-dhcp --lease=/helpers/$1"; }
no_worker() { [ -z "$(workers "$1")" ]; }

# A bridge that is somebody else's, with a server on it; and one without, which takes its time.
ip link add dbr type bridge
ip link set dbr up
serve dhb 10.81.2
ip link set dhb master dbr
ip link add nobody type bridge
ip link set nobody up
net create -o mode=unmanaged --interface-name dbr --ipam-driver dhcp others >/dev/null
net create -o mode=unmanaged --interface-name nobody --ipam-driver dhcp empty >/dev/null
(
	began=$(date +%s%N)
	pod run --rm --network empty localhost/one:1 true >"$WORLD/empty.out" 2>&1
	echo "status $? after $((($(date +%s%N) - began) / 1000000000)) s" >>"$WORLD/empty.out"
) &
waiting=$!

id=$(pod run -d --name one --network others localhost/one:1 sleep 100)
address() { pod inspect "$1" | jq -r ".[0].NetworkSettings.Networks.$2.IPAddress"; }
check "an address by DHCP on a bridge" grep -qE '^10\.81\.2\.1(0[0-9]|10)$' <<<"$(address one others)"
is "it is the interface's" "$(inside one ip -o -4 addr show eth0 | awk '{print $4}')" "$(address one others)/24"
is "the way out" "$(inside one ip route show default)" "default via 10.81.2.1 dev eth0 proto static metric 100 "
is "the resolver" "$(pod exec one grep nameserver /etc/resolv.conf)" "nameserver 10.81.2.53"
is "traffic" "$(inside one curl -s -m 15 http://10.81.2.1/)" "from the server"
pid=$(workers "$id")
is "the worker holds no capability" "$(awk '/^Cap(Prm|Eff|Bnd)/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
is "is nobody" "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" 65534
is "and is filtered" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
two=$(pod run -d --network others localhost/one:1 sleep 100)
check "another container, another address" [ "$(address "$two" others)" != "$(address one others)" ]
pod rm -f -t 0 "$two" >/dev/null
until_ok 20 no_worker "$two" && ok "its worker goes with it" || not_ok "its worker goes with it"
check "that of the first stays" [ "$(workers "$id")" = "$pid" ]

serve dhm 10.81.3
if ip link add mvtest link dhm type macvlan 2>"$WORLD/err"; then
	ip link del mvtest
	net create -d macvlan -o parent=dhm lan >/dev/null
	is "macvlan: DHCP without being asked" "$(net inspect lan | jq -r '.[0].ipam_options.driver')" dhcp
	pod run -d --name mac --network lan:mac=02:00:00:00:81:03 localhost/one:1 sleep 100 >/dev/null
	check "macvlan: an address" grep -q '^10\.81\.3\.1' <<<"$(address mac lan)"
	is "macvlan: traffic" "$(inside mac curl -s -m 15 http://10.81.3.1/)" "from the server"
	before=$(address mac lan)
	# The old interface is there for a while yet, as on a busy machine.
	inside mac sh -c "echo here; exec sleep 2" >"$WORLD/held" &
	remember_pid $!
	until_ok 20 grep -q here "$WORLD/held"
	pod restart -t 0 mac >/dev/null
	is "macvlan: the same hardware address gets the same again" "$(address mac lan)" "$before"
	net connect others mac
	check "connect" grep -q '^10\.81\.2\.1' <<<"$(address mac others)"
	net disconnect others mac
	until_ok 20 no_worker '.*eth1' && ok "disconnect ends the worker" || not_ok "disconnect ends the worker"
else
	skip "macvlan" "this kernel has none"
fi

# Leases of eight seconds are renewed after four.
had=$(acks dhb)
renewed() { [ "$(acks dhb)" -gt "$had" ]; }
until_ok 20 renewed && ok "the lease is renewed" || not_ok "the lease is renewed"
kill -KILL "$pid"
pod stop -t 0 one >/dev/null
is "a worker that was killed hinders nothing" "$(pod start one && address one others | cut -d. -f1-3)" "one
10.81.2"
fails "a static address is none of DHCP's" 126 'not in any subnet' pod run --rm --network others:ip=10.81.2.9 localhost/one:1 true
fails "not for internal networks" 125 'internal is not supported' net create --internal -d macvlan --ipam-driver dhcp inner
fails "nor on bridges of ours" 125 'dhcp is not supported with driver bridge' net create --ipam-driver dhcp ours
wait "$waiting"
check "without a server it gives up" grep -qE 'network empty: no DHCP server gave an address within 8 seconds' "$WORLD/empty.out"
check "in time" grep -qE 'status 126 after (8|9|[1-5][0-9]) s' "$WORLD/empty.out"
pod rm -f -a -t 0 >/dev/null
gone() { no_worker "$id" && [ -z "$(ls "$RUNROOT/net/containers")" ] && [ -z "$(ls "$RUNROOT/net/helpers")" ]; }
until_ok 20 gone && ok "nothing stays" || not_ok "nothing stays"
link_gone dbr && not_ok "the bridges of others do" || ok "the bridges of others do"
finish
