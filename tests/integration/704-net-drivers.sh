#!/bin/bash
# SPDX-License-Identifier: ISC
# Drivers and their options, each once for real.  What this kernel has no module for is passed over.
# NET_DRIVERS=word runs only the parts whose name holds the word.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
touch "$WORLD/srv"
unshare --net="$WORLD/srv" true
at_end() { umount "$WORLD/srv"; }
srv() { nsenter --net="$WORLD/srv" "$@"; }
srv ip link set lo up
# Another machine on a wire: "par" here, 10.82.0.1 there.
ip link add par type veth peer name far netns "$WORLD/srv"
ip link set par up
ip addr add 192.0.2.3/24 dev par
srv sysctl -qw net.ipv6.conf.far.accept_dad=0
for a in 10.82.0.1/16 192.0.2.1/24 fd82::1/64 2001:db8::1/64; do srv ip addr add $a dev far; done
srv ip link set far up
mkdir "$WORLD/page"
echo "from afar" >"$WORLD/page/index.html"
nsenter --net="$WORLD/srv" busybox httpd -f -v -p 80 -h "$WORLD/page" >"$WORLD/log" 2>&1 &
remember_pid $!
has() { # KIND ARGUMENTS...: can this kernel make such a link?
	local kind=$1
	shift
	ip link add tryout "$@" type "$kind" ${more:-} 2>/dev/null && ip link del tryout
}
wanted() { case $1 in *"${NET_DRIVERS:-}"*) return 0 ;; *) return 1 ;; esac; }
start() { pod run -d "$@" localhost/one:1 sleep 300 >/dev/null; }
of() { inside "$1" ip -j -d link show "${2:-eth0}" | jq -r ".[0].linkinfo.info_data.$3"; }
reach() { inside "$1" curl -s -m 15 "http://$2/"; }

# --- macvlan, ipvlan ----------------------------------------------------------------------------------------------
i=0
for mode in bridge private vepa passthru source; do
	i=$((i + 1))
	wanted "macvlan $mode" || continue
	if ! has macvlan link par; then skip "macvlan, mode $mode" "this kernel has none"; continue; fi
	net create -d macvlan -o parent=par -o "mode=$mode" -o bclim=3 --subnet 10.82.0.0/16 --gateway 10.82.0.1 "mac$mode" >/dev/null
	start --name "m$mode" --network "mac$mode:ip=10.82.0.1$i"
	is "macvlan, mode $mode" "$(of "m$mode" eth0 mode)" "$mode"
	case $mode in
	bridge)
		is "macvlan reaches the wire" "$(until_ok 20 reach "m$mode" 10.82.0.1)" "from afar"
		net create --subnet 10.81.99.0/24 beside >/dev/null
		start --name own --network beside
		inside own ip link add eth1 type veth peer name eth8
		fails "connect meets an interface of the container's own" 125 "interface eth1 already exists on container namespace" net connect "mac$mode" own
		check "and leaves it" inside own ip link del eth1
		check "without it it connects" net connect "mac$mode" own
		check "and disconnects" net disconnect "mac$mode" own
		pod rm -f -t 0 own >/dev/null
		net rm beside >/dev/null
		;;
	esac
	pod rm -f -t 0 "m$mode" >/dev/null
	net rm "mac$mode" >/dev/null
done
i=0
for mode in l2 l3 l3s; do
	i=$((i + 1))
	wanted "ipvlan $mode" || continue
	if ! has ipvlan link par; then skip "ipvlan, mode $mode" "this kernel has none"; continue; fi
	net create -d ipvlan -o parent=par -o "mode=$mode" --subnet 10.82.0.0/16 --gateway 10.82.0.1 "ip$mode" >/dev/null
	start --name "i$mode" --network "ip$mode:ip=10.82.0.2$i"
	is "ipvlan, mode $mode" "$(of "i$mode" eth0 mode)" "$mode"
	[ $mode = l2 ] && is "ipvlan reaches the wire" "$(until_ok 20 reach "i$mode" 10.82.0.1)" "from afar"
	pod rm -f -t 0 "i$mode" >/dev/null
	net rm "ip$mode" >/dev/null
done

# --- bridges ------------------------------------------------------------------------------------------------------
if ! wanted "filtering"; then
	:
elif more="vlan_filtering 1" has bridge; then
	net create -o vlan=10 --interface-name trunk --subnet 10.83.0.0/24 blue >/dev/null
	net create -o vlan=20 --interface-name trunk --subnet 10.83.0.0/24 red >/dev/null
	httpd b1 --network blue:ip=10.83.0.11 >/dev/null
	start --name b2 --network blue:ip=10.83.0.12
	start --name r1 --network red:ip=10.83.0.13
	is "vlan: within one" "$(until_ok 20 reach b2 10.83.0.11)" "page of b1"
	inside r1 curl -s -m 2 http://10.83.0.11/ >/dev/null && not_ok "vlan: not into another" || ok "vlan: not into another"
	is "vlan: the port's" "$(bridge -j vlan show | jq -r '[.[] | select(.ifname | startswith("veth")) | .vlans[] | select(.flags // [] | index("PVID")) | .vlan] | sort | unique | join(",")')" "10,20"
	pod rm -f -t 0 b1 b2 r1 >/dev/null
	net rm blue red >/dev/null
else
	skip "vlan" "this kernel's bridges have none"
fi
if ! wanted vrf; then
	:
elif more="table 77" has vrf; then
	ip link add red type vrf table 77
	ip link set red up
	net create -o vrf=red --interface-name brvrf --subnet 10.83.1.0/24 invrf >/dev/null
	httpd v1 --network invrf:ip=10.83.1.11 >/dev/null
	is "vrf: the bridge is in it" "$(ip -j link show brvrf | jq -r '.[0].master')" red
	is "vrf: reached from there" "$(until_ok 20 ip vrf exec red curl -s -m 15 http://10.83.1.11/)" "page of v1"
	pod rm -f -t 0 v1 >/dev/null
else
	skip "vrf" "this kernel has none"
fi
if wanted vrf; then
	net create -o vrf=lo --subnet 10.83.2.0/24 novrf >/dev/null
	fails "vrf: one that is none" 126 'lo is not a vrf' pod run --rm --network novrf localhost/one:1 true
fi

net create --subnet 10.83.4.0/24 plain >/dev/null

# The way out by addresses of one's own choice.
outbound() {
	for a in 192.0.2.8/24; do ip addr add $a dev par; done
	sysctl -qw net.ipv6.conf.par.accept_dad=0
	for a in 2001:db8::7/64 2001:db8::8/64; do ip addr add $a dev par; done
	net create --subnet 10.83.3.0/24 --subnet fd83:3::/64 -o outbound_addr4=192.0.2.8 -o outbound_addr6=2001:db8::8 out >/dev/null
	start --name o1 --network out
	start --name o2 --network plain
	is "outbound_addr4" "$(until_ok 20 reach o1 192.0.2.1)" "from afar"
	check "comes from it" grep -q '192\.0\.2\.8\]*:' "$WORLD/log"
	is "outbound_addr6" "$(until_ok 20 reach o1 '[2001:db8::1]')" "from afar"
	check "comes from that" grep -q '2001:db8::8\]' "$WORLD/log"
	reach o2 192.0.2.1 >/dev/null
	check "other networks come from the host's" grep -q '192\.0\.2\.3\]*:' "$WORLD/log"
	fails "outbound_addr4 must be one" 125 'is not an IPv4 address' net create -o outbound_addr4=fd00::1 bad
	pod rm -f -t 0 o1 o2 >/dev/null
}
! wanted outbound || outbound

# Bridges of others.
unmanaged() {
	ip link add mine type bridge
	ip addr add 10.83.5.1/24 dev mine
	ip link set mine up
	net create -o mode=unmanaged --interface-name mine --subnet 10.83.5.0/24 unman >/dev/null
	httpd u1 --network unman >/dev/null
	is "unmanaged: reached" "$(until_ok 20 get "http://$(pod inspect u1 | jq -r '.[0].NetworkSettings.Networks.unman.IPAddress')/")" "page of u1"
	is "unmanaged: no rules" "$(nft list ruleset | grep -c mine)" 0
	pod rm -f -t 0 u1 >/dev/null
	net rm unman >/dev/null
	is "unmanaged: the bridge stays as it was" "$(ip -o -4 addr show mine | awk '{print $4}')" 10.83.5.1/24
	net create -o mode=unmanaged --interface-name absent --subnet 10.83.6.0/24 noman >/dev/null
	fails "unmanaged: there must be one" 126 'the bridge must already exist' pod run --rm --network noman localhost/one:1 true
}
! wanted unmanaged || unmanaged

# Options of a bridge and of a container's place on it.
options() {
	net create --subnet 10.83.7.0/24 -o metric=77 -o mtu=1400 opts >/dev/null
	start --name p1 --network opts:host_interface_name=wire0
	is "host_interface_name" "$(ip -o link show master "$(net inspect opts | jq -r '.[0].network_interface')" | grep -c wire0)" 1
	is "metric" "$(inside p1 ip route show default)" "default via 10.83.7.1 dev eth0 proto static metric 77 "
	is "mtu" "$(inside p1 ip -j link show eth0 | jq '.[0].mtu')" 1400
	fails "a host name that is taken" 126 'exists|File exists' pod run --rm --network opts:host_interface_name=wire0 localhost/one:1 true
	net create --subnet 10.83.8.0/24 -o no_default_route=true noway >/dev/null
	start --name p2 --network noway
	is "no_default_route" "$(inside p2 ip route show default)" ""
	net create --subnet 10.83.9.0/24 -o com.docker.network.bridge.name=dockbr -o com.docker.network.driver.mtu=1300 dock >/dev/null
	is "Docker's names of options" "$(net inspect dock | jq -r '.[0] | .network_interface + "," + .options.mtu')" dockbr,1300
	pod rm -f -t 0 p1 p2 >/dev/null
}
! wanted options || options

# A name that the user chose is free for the next container, yet no end of a container waits for the kernel.
kept() { ip link show wire1 >/dev/null 2>&1; }
freed() { ! kept; }
same_ns() { [ "$(readlink "/proc/$1/ns/net")" = "$(readlink "/proc/$2/ns/net")" ]; }
# keep NAME SECONDS: somebody else has the container's namespace, and with it the link
keep() {
	local pid
	pid=$(pod inspect -f '{{.State.Pid}}' "$1")
	nsenter -n -t "$pid" sleep "$2" &
	remember_pid $!
	until_ok 10 same_ns $! "$pid"
}
host_name() {
	local failed=0
	start --name k1 --network bridge:host_interface_name=wire1
	keep k1 100
	if command -v strace >/dev/null; then
		strace -f -qq -e trace=sendmsg,sendto -o "$WORLD/trace" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" \
			--network-config-dir "$CONF" rm -f -t 0 k1 >/dev/null
		is "an end is answered before the link goes" "$(awk '/RTM_DELLINK.*"wire1"/ { by = $1 } by == $1 && /sendmsg\(3,/ { late++ }
			END { print by != "" ? late + 0 : "no link" }' "$WORLD/trace")" 0
	else
		skip "an end is answered before the link goes" "no strace"
		pod rm -f -t 0 k1 >/dev/null
	fi
	check "which it does" until_ok 20 freed
	for i in 1 2 3 4 5 6; do
		start --name k1 --network bridge:host_interface_name=wire1 || failed=$((failed + 1))
		keep k1 100
		pod restart -t 0 k1 >/dev/null || failed=$((failed + 1))
		keep k1 100
		pod rm -f -t 0 k1 >/dev/null
	done
	is "the next one meets none left" "$failed" 0
	check "nor stays any" until_ok 20 freed
}
! wanted options || host_name

# --- sctp ---------------------------------------------------------------------------------------------------------
sctp() { perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 132) or exit 1; '"$1" -- "${@:2}"; }
if ! wanted sctp; then
	:
elif command -v perl >/dev/null && sctp 'exit 0'; then
	start --name s1 --network plain -p 127.0.0.1:18704:9/sctp -p 18705:9/sctp
	pid=$(pod inspect -f '{{.State.Pid}}' s1)
	nsenter -n -t "$pid" perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 132) and bind(S, sockaddr_in(9, INADDR_ANY)) and
		listen(S, 5) or die; while (accept(C, S)) { syswrite(C, "by sctp\n"); close(C); }' >/dev/null 2>&1 &
	remember_pid $!
	ask() { timeout 20 perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 132) and connect(S, sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) and
		sysread(S, $x, 100) and print $x or exit 1' "$@"; }
	is "sctp: published on localhost" "$(until_ok 20 ask 127.0.0.1 18704)" "by sctp"
	is "sctp: on every address" "$(ask 192.0.2.3 18705)" "by sctp"
	pod rm -f -t 0 s1 >/dev/null
	closed() { ! ask 127.0.0.1 18704 >/dev/null; }
	check "sctp: closed afterwards" until_ok 20 closed
else
	skip "sctp" "this kernel has none"
fi

# --- no packet filter -----------------------------------------------------------------------------------------------
nofilter() {
	printf '[network]\nfirewall_driver = "none"\n' >"$WORLD/containers.conf"
	export CONTAINERS_CONF=$WORLD/containers.conf
	# Those of the parts before go a moment after their last container.
	no_rules() { [ -z "$(nft list tables)" ]; }
	until_ok 20 no_rules
	before=$(nft list ruleset)
	httpd n1 --network plain >/dev/null
	is "firewall_driver none: containers are reached" "$(until_ok 20 get "http://$(pod inspect n1 | jq -r '.[0].NetworkSettings.Networks.plain.IPAddress')/")" "page of n1"
	is "and there is no rule more" "$(nft list ruleset)" "$before"
	pod rm -f -t 0 n1 >/dev/null
	printf '[network]\nfirewall_driver = "warp"\n' >"$WORLD/containers.conf"
	fails "an unknown firewall_driver" 125 'valid firewall backend' pod run --rm --network plain localhost/one:1 true
	unset CONTAINERS_CONF
}
! wanted nofilter || nofilter
finish
