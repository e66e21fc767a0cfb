#!/bin/bash
# SPDX-License-Identifier: ISC
# A firewalld that runs lets networks through, on a system bus and in a network namespace of this test.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
if ! command -v firewalld >/dev/null || ! command -v dbus-daemon >/dev/null; then
	skip "networks and firewalld" "firewalld is not installed"
	finish
fi
N=$BUILD/libexec/pod/netavark
# The bus of this test has no systemd on it to make cgroups.
pod() { "$BIN/pod" --cgroup-manager cgroupfs --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" "$@"; }
busybox_image localhost/one:1 >/dev/null
mkdir "$WORLD/etc-firewalld" "$WORLD/log"
[ -d /run/dbus ] || mkdir /run/dbus
mount -t tmpfs tmpfs /run/dbus
mount --bind "$WORLD/log" /var/log
mount --bind "$WORLD/etc-firewalld" /etc/firewalld
# A neighbour on another link, and the zone for what is not known refuses.
touch "$WORLD/far"
unshare --net="$WORLD/far" true
ip link add near type veth peer name far netns "$WORLD/far"
ip addr add 192.0.2.1/24 dev near
ip link set near up
far() { nsenter --net="$WORLD/far" "$@"; }
far ip link set lo up
far ip addr add 192.0.2.2/24 dev far
far ip link set far up
at_end() { umount "$WORLD/far" /etc/firewalld; }
mkdir "$WORLD/page"
echo "from afar" >"$WORLD/page/index.html"
nsenter --net="$WORLD/far" busybox httpd -f -p 80 -h "$WORLD/page" &
remember_pid $!
dbus-daemon --system --nofork --nopidfile 2>"$WORLD/bus.log" &
remember_pid $!
until_ok 20 test -S /run/dbus/system_bus_socket
run_firewalld() {
	firewalld --nofork --nopid --log-target console >"$WORLD/firewalld.log" 2>&1 &
	firewalld=$!
	remember_pid $firewalld
	until_ok 60 firewall-cmd -q --state
}
# What firewalld made of the zone; firewall-cmd is slow.
zone() { nft list chain inet firewalld filter_INPUT_ZONES | sed -n "s/.* saddr \\([^ ]*\\) goto filter_IN_$1\$/\\1/p" | sort | xargs; }
sources() { zone trusted; }
net create --subnet 10.84.1.0/24 --subnet fd84:1::/64 --interface-name pfw1 n1 >/dev/null
net create --subnet 10.84.2.0/24 --internal --interface-name pfw2 n2 >/dev/null

# --- Without one ----------------------------------------------------------------------------------------------------
printf '[network]\nfirewall_driver = "firewalld"\n' >"$WORLD/must.conf"
must() { CONTAINERS_CONF=$WORLD/must.conf pod "$@"; }
fails "firewall_driver firewalld, and none runs" 126 'firewalld' must run --rm --network n1 localhost/one:1 true
is "nothing is left" "$(must ps -aq; ls "$RUNROOT/net/containers")" ""
printf '[network]\nfirewall_driver = "iptables"\n' >"$WORLD/old.conf"
fails "firewall_driver iptables is none of ours" 125 'Must provide a valid firewall backend, got iptables' \
	env CONTAINERS_CONF="$WORLD/old.conf" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" run --rm --network n1 localhost/one:1 true

# --- With one --------------------------------------------------------------------------------------------------------
run_firewalld || { skip "networks where firewalld runs" "it does not run here: $(tail -n 1 "$WORLD/firewalld.log")"; finish; }
httpd w1 --network n1 -p 18801:80 >/dev/null
is "the subnets are in the zone trusted" "$(sources)" "10.84.1.0/24 fd84:1::/64"
is "a published port is reached" "$(until_ok 20 far curl -s -m 3 http://192.0.2.1:18801/)" "page of w1"
is "the way out is open" "$(inside w1 curl -s -m 5 http://192.0.2.2/)" "from afar"
is "names are answered" "$(pod exec w1 nslookup w1 10.84.1.1 | grep -c 'Address.*10\.84\.1\.')" 2
pod run -d --name w2 --network n2 localhost/one:1 sleep 300 >/dev/null
is "an internal network is not trusted" "$(sources)" "10.84.1.0/24 fd84:1::/64"
firewall-cmd -q --reload
is "firewalld forgets when it reloads" "$(sources)" ""
pod network reload -a >/dev/null
is "network reload tells it again" "$(sources)" "10.84.1.0/24 fd84:1::/64"
is "the way out is open again" "$(inside w1 curl -s -m 5 http://192.0.2.2/)" "from afar"
firewall-cmd -q --reload
pod run --rm --network n1 localhost/one:1 true
is "so does a start beside others" "$(sources)" "10.84.1.0/24 fd84:1::/64"
# It loads for longer than it takes most of the time.
firewall-cmd -q --reload
kill -STOP $firewalld
(sleep 12; kill -CONT $firewalld) &
pod network reload w1 >/dev/null
is "one that is busy is waited for" "$(sources)" "10.84.1.0/24 fd84:1::/64"
# It has none of its rules for a while: stopped there, it is as busy as on a slow machine.
between() { nft list table inet firewalld_policy_drop && ! nft list table inet firewalld; } >/dev/null 2>&1
stopped_between() {
	local reload tries
	for tries in $(seq 10); do
		firewall-cmd -q --reload &
		reload=$!
		while kill -0 $reload 2>/dev/null; do
			between || continue
			kill -STOP $firewalld
			between && return
			kill -CONT $firewalld
		done
		wait $reload
	done
	return 1
}
check "it is stopped between its rules" stopped_between
(sleep 3; kill -CONT $firewalld) &
pod network reload w1 >/dev/null
is "one that has no rules just now is told" "$(sources)" "10.84.1.0/24 fd84:1::/64"
until_ok 60 firewall-cmd -q --state
# Whoever stays tells it now, and again without being asked.
follow=("$BIN/pod-net" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" reload --follow)
fails "reload --follow without a bus" 125 'there is no system bus' env DBUS_SYSTEM_BUS_ADDRESS= "${follow[@]}"
told() { [ "$(sources)" = "10.84.1.0/24 fd84:1::/64" ]; } 2>/dev/null
firewall-cmd -q --reload
"${follow[@]}" &
follower=$!
remember_pid $follower
check "reload --follow tells it now" until_ok 30 told
firewall-cmd -q --reload
check "after each time" until_ok 30 told
kill $firewalld
wait $firewalld 2>/dev/null
run_firewalld
check "one that has started is told too" until_ok 60 told
is "the way out is open again" "$(inside w1 curl -s -m 5 http://192.0.2.2/)" "from afar"
# It has its name some time before its rules, and a service that comes with it is as early.
kill $follower $firewalld
wait $follower $firewalld 2>/dev/null
named() { dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.fedoraproject.FirewallD1 | grep -q true; }
firewalld --nofork --nopid --log-target console >"$WORLD/firewalld.log" 2>&1 &
firewalld=$!
remember_pid $firewalld
until named; do kill -0 $firewalld || break; done
kill -STOP $firewalld
check "one that starts has no rules yet" sh -c '! nft list table inet firewalld' 2>/dev/null
"${follow[@]}" &
follower=$!
remember_pid $follower
watches() { pgrep -P $follower -f firewalld >/dev/null; }
until_ok 20 watches
sleep 2
kill -CONT $firewalld
check "a follower that comes as early tells it" until_ok 60 told
worker=$(pgrep -P $follower)
kill $follower
wait $follower 2>/dev/null
check "its worker ends with it" until_ok 20 ended "$worker"
firewall-cmd -q --zone=work --change-source=10.84.1.0/24
pod rm -f -t 0 w1 w2 >/dev/null
gone() { [ "$(sources)" = "" ] && link_gone pfw1; }
check "the subnets leave with the last container" until_ok 20 gone
is "what the administrator put elsewhere stays" "$(zone work)" 10.84.1.0/24
firewall-cmd -q --zone=work --remove-source=10.84.1.0/24
must run -d --name w3 --network n1 localhost/one:1 sleep 300 >/dev/null
is "firewall_driver firewalld" "$(sources)" "10.84.1.0/24 fd84:1::/64"
pod rm -f -t 0 w3 >/dev/null
check "and out again" until_ok 20 gone

# --- As netavark ----------------------------------------------------------------------------------------------------
id=$(printf 'e%.0s' {1..64})
touch "$WORLD/ns"
unshare --net="$WORLD/ns" true
jq -n --arg id "$id" '{container_id: $id, container_name: "web", networks: {n3: {interface_name: "eth0", static_ips: ["10.84.3.9"]}},
	network_info: {n3: {name: "n3", id: $id, driver: "bridge", network_interface: "pfw3", subnets: [{subnet: "10.84.3.0/24", gateway: "10.84.3.1"}],
	ipv6_enabled: false, internal: false, dns_enabled: false, ipam_options: {driver: "host-local"}}}}' >"$WORLD/request"
"$N" --config "$WORLD/nv" -f "$WORLD/request" --firewall-driver firewalld setup "$WORLD/ns" >/dev/null
is "netavark setup" "$(sources)" 10.84.3.0/24
DBUS_SYSTEM_BUS_ADDRESS='' "$N" --config "$WORLD/nv" -f "$WORLD/request" teardown "$WORLD/ns"
is "without a bus it is not told" "$(sources)" 10.84.3.0/24
DBUS_SYSTEM_BUS_ADDRESS='unix:abstract=/nowhere;unix:path=/run/dbus/system_bus_socket,x=y' "$N" --config "$WORLD/nv" -f "$WORLD/request" setup "$WORLD/ns" >/dev/null
told() { [ "$(sources)" = 10.84.3.0/24 ]; }
firewall-cmd -q --reload
"$N" --config "$WORLD/nv" firewalld-reload &
follower=$!
remember_pid $follower
check "netavark firewalld-reload tells it now" until_ok 30 told
firewall-cmd -q --reload
check "netavark firewalld-reload stays" until_ok 30 told
kill $follower
wait $follower 2>/dev/null
"$N" --config "$WORLD/nv" -f "$WORLD/request" teardown "$WORLD/ns"
is "netavark teardown" "$(sources)" ""
umount "$WORLD/ns"

finish
