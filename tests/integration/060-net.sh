#!/bin/bash
# SPDX-License-Identifier: ISC
# Bridge networks: links, addresses, published ports, leases.  Everything happens in a network namespace made here.
. "$(dirname "$0")/../tap.sh"
BUILD=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
if [ "$(id -u)" != 0 ]; then
	skip "bridge networks" "needs root"
	finish
fi
[ -n "${NET_TEST_INSIDE:-}" ] || NET_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"

dir=$(mktemp -d /tmp/podnet.XXXXXX) || exit 1
pids=()
at_end() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$dir"
}
trap at_end EXIT
ip link set lo up
run=$dir/run conf=$dir/conf
mkdir -p "$conf" "$dir/www"
echo "hello from inside" >"$dir/www/index.html"
drive() { "$BUILD/tests/net-drive" -d "$conf" "$@"; }
drive_on() { exec "$BUILD/tests/net-drive" -d "$conf" "$@"; } # in the background: its process is the driver's
P=$BUILD/bin/pod-net
cat >"$dir/httpd" <<-END
	#!/bin/sh
	echo \$\$ >$dir/httpd.pid
	exec busybox httpd -f -p 80 -h $dir/www
END
chmod +x "$dir/httpd"
httpd=$dir/httpd
within() { nsenter -n -t "$(cat "$dir/httpd.pid")" "$@"; }
background() { # NAME COMMAND...: output in $dir/NAME
	local name=$1
	shift
	"$@" >"$dir/$name" 2>&1 &
	pids+=($!)
	last=$!
}
until_line() { # FILE PATTERN
	for _ in $(seq 400); do grep -sqE "$2" "$1" && return; sleep 0.05; done
	return 1
}
until_ok() {
	for _ in $(seq 400); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
	return 1
}
get() { curl -s -m 15 "$@"; }
listens() { # WHERE t|u PORT
	[ -n "$("$1" ss "-Hln$2" "sport = $3")" ]
}
gone() { # LINK
	! ip link show "$1" >/dev/null 2>&1
}
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
network() { # NAME BRIDGE SUBNETS OPTIONS MORE
	local id
	id=$(printf '%s' "$1" | sha256sum | cut -c1-64)
	cat >"$conf/$1.json" <<-END
	{"name": "$1", "id": "$id", "driver": "bridge", "network_interface": "$2", "created": "2026-01-02T15:04:05Z",
	 "subnets": [$3], "ipv6_enabled": false, "internal": false, "dns_enabled": false,
	 "options": {$4}, "ipam_options": {"driver": "host-local"}$5}
	END
}
network dual podt0 '{"subnet": "10.99.1.0/24", "gateway": "10.99.1.1"}, {"subnet": "fd99:1::/64", "gateway": "fd99:1::1"}'
network small podt1 '{"subnet": "10.99.2.0/29", "gateway": "10.99.2.1", "lease_range": {"start_ip": "10.99.2.3", "end_ip": "10.99.2.4"}}'
network inside podt2 '{"subnet": "10.99.3.0/24"}' '' && sed -i 's/"internal": false/"internal": true/' "$conf/inside.json"
network alone podt3 '{"subnet": "10.99.4.0/24", "gateway": "10.99.4.1"}' '"isolate": "true", "mtu": "1400"'
network strict podt4 '{"subnet": "10.99.5.0/24", "gateway": "10.99.5.1"}' '"isolate": "strict"'
network other podt5 '{"subnet": "10.99.6.0/24", "gateway": "10.99.6.1"}' '"isolate": "true"'
network strange podt6 '{"subnet": "10.99.7.0/24", "gateway": "10.99.7.1"}' '"colour": "blue"'
network vlan podt7 '{"subnet": "10.99.8.0/24"}' && sed -i 's/"bridge"/"warpdrive"/' "$conf/vlan.json"
echo '{"name": "broken", "id": 3' >"$conf/broken.json"
cp "$conf/dual.json" "$conf/misnamed.json"

# --- The default network -----------------------------------------------------------------------------------------
out=$(drive "$P" "$run" ip -o addr)
first=$(sed -n 's/^eth0 //p' <<<"$out")
check "the default network gives an address" grep -qE '^10\.88\.0\.[0-9]+/16$' <<<"$first"
check "the container has it" grep -q "eth0.*inet $first" <<<"$out"
check "its loopback interface is up" grep -q 'lo.*inet 127.0.0.1/8' <<<"$out"
last=${first%/16}
is "the next container gets the next address" "$(drive "$P" "$run")" "eth0 10.88.0.$((${last##*.} + 1))/16"
# More queues than are used would be turned off again, and links made at the same time wait for that.
is "its interface has one queue each way" "$(drive -q "$P" "$run" ip -d link show eth0 | grep -oE 'num[tr]xqueues [0-9]+' | tr '\n' ' ')" "numtxqueues 1 numrxqueues 1 "
is "mode none: only loopback" "$(drive -N "$P" "$run" ip -o -br link | awk '{print $1 $2}')" loUNKNOWN
is "default route through the bridge" "$(drive -q "$P" "$run" ip route show default)" \
	"default via 10.88.0.1 dev eth0 proto static metric 100 "
check "the bridge goes with the last container" until_ok gone podman0
check "and so does the table" until_ok sh -c '! nft list tables | grep -q pod_'

# --- Published ports ---------------------------------------------------------------------------------------------
background a drive_on -i "$(printf 'a%.0s' {1..64})" -p 18080:80 -p 127.0.0.1@18081:80 -p 18082:53/udp "$P" "$run" $httpd
a=$last
until_line "$dir/a" '^eth0' && until_ok get http://127.0.0.1:18080/
addr=$(sed -n 's,^eth0 \(.*\)/16,\1,p' "$dir/a")
is "published port from localhost" "$(get http://127.0.0.1:18080/)" "hello from inside"
is "from the address of the bridge" "$(get http://10.88.0.1:18080/)" "hello from inside"
is "on one address only: there" "$(get http://127.0.0.1:18081/)" "hello from inside"
get -o /dev/null http://10.88.0.1:18081/ && not_ok "on one address only: not elsewhere" || ok "on one address only: not elsewhere"
is "another container reaches the container" "$(drive -q "$P" "$run" curl -s -m 15 "http://$addr/")" "hello from inside"
is "and its published port" "$(drive -q "$P" "$run" curl -s -m 15 http://10.88.0.1:18080/)" "hello from inside"
is "the container reaches its own published port" \
	"$(within curl -s -m 15 http://10.88.0.1:18080/)" "hello from inside"
check "the reserved port is seen listening" sh -c 'ss -Hltn sport = 18080 | grep -q LISTEN'
check "so is that of udp" sh -c 'ss -Hlun sport = 18082 | grep -q 18082'
check "nft tells which container has a port" sh -c 'nft list ruleset | grep -q "tcp . 18080 comment \"aaaaaaaaaaaa "'
err=$(drive -p 18080:80 "$P" "$run" 2>&1)
is "port in use: exit status" $? 125
is "port in use: Podman's words" "$err" \
	"Error: cannot listen on the TCP port: listen tcp4 :18080: bind: address already in use"
is "what failed leaves nothing" "$(ls "$run/net/containers")" "$(printf 'a%.0s' {1..64})"
err=$(drive -a "$addr" "$P" "$run" 2>&1)
is "address in use: Podman's words" "$err" \
	"Error: network podman: IPAM error: requested ip address $addr is already allocated to container ID $(printf 'a%.0s' {1..64})"
is "another run root knows the lease too" "$(drive -a "$addr" "$P" "$dir/run2" 2>&1)" "$err"
port=$(drive -p 0:80 "$P" "$run" | sed -n 's/^port \([0-9]*\) tcp/\1/p')
check "a free port is chosen" [ "$port" -gt 1023 ]

# From outside: another namespace beside the host.
unshare -n sleep 600 &
outside=$!
pids+=($outside)
until_ok sh -c "[ \$(readlink /proc/$outside/ns/net) != $(readlink /proc/self/ns/net) ]"
ip link add out0 type veth peer name out1 netns $outside
ip addr add 203.0.113.1/24 dev out0 && ip addr add fd99:f::1/64 dev out0 nodad && ip link set out0 up
nsenter -n -t $outside sh -c 'ip addr add 203.0.113.2/24 dev out1; ip addr add fd99:f::2/64 dev out1 nodad; ip link set out1 up; ip link set lo up'
out() { nsenter -n -t $outside "$@"; }
is "published port from outside" "$(out curl -s -m 15 http://203.0.113.1:18080/)" "hello from inside"
background seen out busybox nc -l -p 7000 -e cat /proc/net/tcp /proc/net/tcp6
until_ok listens out t 7000
seen=$(drive -q "$P" "$run" sh -c '(sleep 1; echo) | busybox nc -w 15 203.0.113.2 7000')
check "traffic to the outside has the host's address" grep -qE '027100CB:1B58 [0F]*017100CB:' <<<"$seen"

# udp
background udp within "$BUILD/tests/net-drive" udp-echo 53
until_ok listens within u 53
is "udp port" "$(out "$BUILD/tests/net-drive" udp-ask 203.0.113.1 18082 datagram)" datagram
background udp within "$BUILD/tests/net-drive" udp-echo 53
until_ok listens within u 53
is "udp port from localhost" "$("$BUILD/tests/net-drive" udp-ask 127.0.0.1 18082 local)" local
stop "$a"

# --- IPv6 --------------------------------------------------------------------------------------------------------
background six drive_on -n dual -p 18090:80 "$P" "$run" $httpd
six=$last
until_line "$dir/six" '^eth0 fd99'
check "dual stack: both addresses" sh -c "grep -q '^eth0 10.99.1.[0-9]*/24' '$dir/six' && grep -q '^eth0 fd99:1::[0-9a-f]*/64' '$dir/six'"
a6=$(sed -n 's,^eth0 \(fd99.*\)/64,\1,p' "$dir/six")
until_ok get http://127.0.0.1:18090/
is "published port by IPv6" "$(out curl -s -m 15 'http://[fd99:f::1]:18090/')" "hello from inside"
is "container to container by IPv6" "$(drive -q -n dual "$P" "$run" curl -s -m 15 "http://[$a6]/")" "hello from inside"
is "the outside by IPv6" "$(drive -q -n dual "$P" "$run" busybox ping -c 1 -W 2 fd99:f::2 | grep -c ' 0% packet loss')" 1
stop "$six"

# --- Options of networks -----------------------------------------------------------------------------------------
check "lease range" grep -qE '^eth0 10.99.2.[34]/29$' <<<"$(drive -n small "$P" "$run")"
err=$(drive -q -n small "$P" "$run" sh -c "'$BUILD/tests/net-drive' -d '$conf' -n small '$P' '$dir/run3' >/dev/null; exec '$BUILD/tests/net-drive' -d '$conf' -a 10.99.2.9 -n small '$P' '$run'" 2>&1)
check "an address outside the subnet" grep -q "requested static ip 10.99.2.9 not in any subnet on network small" <<<"$err"
is "internal: no way out" "$(drive -q -n inside "$P" "$run" ip route show default)" ""
is "mtu" "$(drive -q -n alone "$P" "$run" cat /sys/class/net/eth0/mtu 2>/dev/null || drive -q -n alone "$P" "$run" ip -o link show eth0 | sed 's/.* mtu \([0-9]*\).*/\1/')" 1400
background iso drive_on -n alone "$P" "$run" $httpd
iso=$last
until_line "$dir/iso" '^eth0'
ia=$(sed -n 's,^eth0 \(.*\)/24,\1,p' "$dir/iso")
until_ok get "http://$ia/"
drive -q -n other "$P" "$run" curl -s -m 1 "http://$ia/" >/dev/null && not_ok "isolate=true apart from isolate=true" ||
	ok "isolate=true apart from isolate=true"
is "isolate=true open to others" "$(drive -q -n dual "$P" "$run" curl -s -m 15 "http://$ia/")" "hello from inside"
drive -q -n strict "$P" "$run" curl -s -m 1 "http://$ia/" >/dev/null && not_ok "isolate=strict apart from all" ||
	ok "isolate=strict apart from all"
stop "$iso"
is "two networks" "$(drive -n dual -n small "$P" "$run" | cut -d' ' -f1 | sort -u | tr '\n' ' ')" "eth0 eth1 "
check "an unknown option is named" sh -c "$BUILD/tests/net-drive -d $conf -n strange $P $run 2>&1 | grep -q 'unsupported bridge network option colour'"
check "an unknown driver is named" sh -c "$BUILD/tests/net-drive -d $conf -n vlan $P $run 2>&1 | grep -q 'unknown network driver .*warpdrive'"
is "an unknown network" "$(drive -n nosuch "$P" "$run" 2>&1 | grep -v level=warning)" \
	"Error: unable to find network with name or ID nosuch: network not found"

# --- Command face ------------------------------------------------------------------------------------------------
p() { "$P" --runroot "$run" --network-config-dir "$conf" "$@"; }
is "list, in order of names" "$(p list -q 2>/dev/null | tr '\n' ' ')" "alone dual inside other podman small strange strict vlan "
check "a bad file is warned about" sh -c "$P --runroot $run --network-config-dir $conf list 2>&1 >/dev/null | grep -q broken.json"
check "and one with another's name" sh -c "$P --runroot $run --network-config-dir $conf list 2>&1 >/dev/null | grep -q misnamed.json"
is "inspect" "$(p inspect dual | jq -r '.[0].subnets[1].gateway')" fd99:1::1
touch "$dir/ns" && unshare --net="$dir/ns" true
is "setup of a named namespace" "$(p setup --id byhand --network dual -p 18095:80 "$dir/ns" | jq -r .interfaces.eth0.subnets[0].gateway)" 10.99.1.1
check "it is there" sh -c "nsenter --net=$dir/ns ip -o addr show eth0 | grep -q 10.99.1"
p teardown byhand
check "teardown takes the link away" sh -c "! nsenter --net=$dir/ns ip link show eth0 2>/dev/null"
p teardown byhand
is "a second teardown is no error" $? 0
umount "$dir/ns"

# --- Nothing stays -----------------------------------------------------------------------------------------------
drive -s "$P" "$run"
until_ok sh -c "[ -z \"\$(find /run/pod-net -type l -lname '$run/*'; ip -o link show type bridge; nft list tables)\" ]"
is "no lease stays" "$(find /run/pod-net -type l -lname "$run/*" | wc -l)" 0
is "no state stays" "$(find "$run/net/containers" -type f | wc -l)" 0
is "no bridge stays" "$(ip -o link show type bridge | wc -l)" 0
is "no table stays" "$(nft list tables | wc -l)" 0
finish
