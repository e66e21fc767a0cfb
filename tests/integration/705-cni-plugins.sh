#!/bin/bash
# SPDX-License-Identifier: ISC
# The CNI backend with more of Debian's plug-ins: macvlan, ipvlan, ptp, static, dhcp with its daemon, tuning, bandwidth.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
P=/usr/lib/cni
if [ ! -x $P/bridge ]; then
	skip "CNI plug-ins" "containernetworking-plugins is not installed"
	finish
fi
mkdir -p /var/lib/cni /run/cni
mount -t tmpfs none /var/lib/cni
mount -t tmpfs none /run/cni
printf '[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["%s"]\n' $P >"$WORLD/containers.conf"
export CONTAINERS_CONF=$WORLD/containers.conf
busybox_image localhost/one:1 >/dev/null
touch "$WORLD/srv"
unshare --net="$WORLD/srv" true
at_end() { umount "$WORLD/srv"; }
srv() { nsenter --net="$WORLD/srv" "$@"; }
srv ip link set lo up
ip link add par type veth peer name far netns "$WORLD/srv"
ip link set par up
srv ip addr add 10.80.0.1/24 dev far
srv ip link set far up
mkdir "$WORLD/page"
echo "from afar" >"$WORLD/page/index.html"
nsenter --net="$WORLD/srv" busybox httpd -f -p 80 -h "$WORLD/page" >/dev/null 2>&1 &
remember_pid $!
# list NAME PLUGIN-OBJECTS: a definition by hand
list() { printf '{"cniVersion": "0.4.0", "name": "%s", "plugins": [%s]}\n' "$1" "$2" >"$CONF/$1.conflist"; }
far() { inside "$1" curl -s -m 15 http://10.80.0.1/; }
addresses() { inside "$1" ip -o -4 addr show eth0 | awk '{print $4}'; }
start() { pod run -d "$@" localhost/one:1 sleep 200 >/dev/null 2>"$WORLD/err" || cat "$WORLD/err"; }
stays() { find /var/lib/cni -type f -name '[0-9]*.*' -o -path '*results/*' -type f | grep -v last_reserved; }

# static
list fixed '{"type": "bridge", "bridge": "cnifix", "isGateway": false, "ipam": {"type": "static", "addresses":
	[{"address": "10.80.1.7/24", "gateway": "10.80.1.1"}], "routes": [{"dst": "10.99.0.0/16", "gw": "10.80.1.1"}]}, "dns": {"nameservers": ["10.80.1.53"], "search": ["cni.example", "bad\nline"]}}'
start --name s1 --network fixed
is "static: the address" "$(addresses s1)" 10.80.1.7/24
is "static: the route" "$(inside s1 ip route show 10.99.0.0/16 | cut -d' ' -f1-3)" "10.99.0.0/16 via 10.80.1.1"
is "static: resolver and domain" "$(pod exec s1 cat /etc/resolv.conf | sort | tr '\n' ' ')" "nameserver 10.80.1.53 search cni.example "
is "static: inspect" "$(pod inspect s1 | jq -r '.[0].NetworkSettings.Networks.fixed.IPAddress')" 10.80.1.7
pod rm -f -t 0 s1 >/dev/null

# tuning: hardware address, sysctl, mtu
list tuned '{"type": "bridge", "bridge": "cnitun", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.80.2.0/24"}]]}},
	{"type": "tuning", "mac": "02:00:00:00:80:02", "mtu": 1234, "sysctl": {"net.core.somaxconn": "123"}}'
start --name t1 --network tuned
is "tuning: the hardware address" "$(inside t1 ip -j link show eth0 | jq -r '.[0].address')" 02:00:00:00:80:02
is "tuning: the mtu" "$(inside t1 ip -j link show eth0 | jq '.[0].mtu')" 1234
is "tuning: the sysctl" "$(pod exec t1 cat /proc/sys/net/core/somaxconn)" 123
pod rm -f -t 0 t1 >/dev/null

# ptp
list pair '{"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.80.3.0/24"}]]}}'
start --name p1 --network pair
is "ptp: from the host" "$(addresses p1 | cut -d. -f1-3)" 10.80.3
busybox ping -c 1 -W 2 "$(addresses p1 | cut -d/ -f1)" >/dev/null && ok "ptp: reached" || not_ok "ptp: reached"
pod rm -f -t 0 p1 >/dev/null

# bandwidth, if this kernel has the queueing discipline
list slow '{"type": "bridge", "bridge": "cnislow", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.80.4.0/24"}]]}},
	{"type": "bandwidth", "ingressRate": 800000, "ingressBurst": 800000}'
if tc qdisc add dev par root tbf rate 1mbit burst 10k latency 10ms 2>/dev/null && tc qdisc del dev par root; then
	start --name b1 --network slow
	is "bandwidth: the host's end is limited" "$(tc qdisc show | grep -c 'tbf.*rate 800Kbit')" 1
	pod rm -f -t 0 b1 >/dev/null
else
	skip "bandwidth" "this kernel has no tbf"
fi

# macvlan with host-local, with dhcp; ipvlan
if ip link add mvtest link par type macvlan 2>/dev/null; then
	ip link del mvtest
	net create -d macvlan -o parent=par -o mtu=1400 --subnet 10.80.0.0/24 --gateway 10.80.0.1 --ip-range 10.80.0.64/28 mac >/dev/null
	start --name m1 --network mac
	is "macvlan: traffic" "$(until_ok 20 far m1)" "from afar"
	check "macvlan: of the range" grep -qE '^10\.80\.0\.(6[5-9]|7[0-9])/24' <<<"$(addresses m1)"
	is "macvlan: mtu" "$(inside m1 ip -j link show eth0 | jq '.[0].mtu')" 1400
	pod rm -f -t 0 m1 >/dev/null
	printf 'start 10.80.0.100\nend 10.80.0.110\ninterface far\nlease_file %s\npidfile %s\nopt subnet 255.255.255.0\nopt router 10.80.0.1\nopt lease 60\n' \
		"$WORLD/leases" "$WORLD/pid" >"$WORLD/udhcpd.conf"
	touch "$WORLD/leases"
	nsenter --net="$WORLD/srv" busybox udhcpd -f "$WORLD/udhcpd.conf" >"$WORLD/log" 2>&1 &
	remember_pid $!
	net create -d macvlan -o parent=par --ipam-driver dhcp lan >/dev/null
	fails "dhcp: without its daemon there is a clear error" 127 'cni plugin macvlan failed.*dhcp' pod run --rm --network lan localhost/one:1 true
	$P/dhcp daemon >"$WORLD/daemon" 2>&1 &
	remember_pid $!
	until_ok 20 test -S /run/cni/dhcp.sock
	start --name d1 --network lan
	check "dhcp: an address" grep -qE '^10\.80\.0\.1(0[0-9]|10)/24' <<<"$(addresses d1)"
	is "dhcp: traffic" "$(until_ok 20 far d1)" "from afar"
	pod rm -f -t 0 d1 >/dev/null
else
	skip "macvlan, dhcp" "this kernel has no macvlan"
fi
if ip link add ivtest link par type ipvlan 2>/dev/null; then
	ip link del ivtest
	net create -d ipvlan -o parent=par -o mode=l2 --subnet 10.80.0.0/24 --gateway 10.80.0.1 --ip-range 10.80.0.32/28 iv >/dev/null
	start --name i1 --network iv
	is "ipvlan: traffic" "$(until_ok 20 far i1)" "from afar"
	pod rm -f -t 0 i1 >/dev/null
else
	skip "ipvlan" "this kernel has none"
fi
nothing() { [ -z "$(stays)" ]; }
until_ok 20 nothing && ok "leases and results are gone" || { not_ok "leases and results are gone"; stays; }
finish
