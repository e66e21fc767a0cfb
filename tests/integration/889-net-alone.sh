#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-net by itself, without pod: networks are defined, namespaces joined, changed and taken down, as root and as an
# ordinary user.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
. "$(dirname "$0")/../net-rows.sh"
net_rows_world "$@"

# A driver that makes a veth pair by hand.
driver='#!/bin/bash
input=$(cat)
name=$(jq -r .network_options.interface_name <<<"$input" 2>/dev/null)
case $1 in
create) jq -c ".network_interface = \"wire0\"" <<<"$input" ;;
setup)
	ip link add wireh type veth peer name wirec && ip link set wirec netns "$2" || exit 1
	nsenter --net="$2" sh -c "ip link set wirec name $name; ip addr add 10.84.7.9/24 dev $name; ip link set $name up"
	echo "{\"interfaces\": {\"$name\": {\"mac_address\": \"02:00:00:00:00:07\", \"subnets\": [{\"ipnet\": \"10.84.7.9/24\"}]}}}" ;;
teardown) ip link del wireh ;;
esac'
conf() { # TABLE-LINES: what containers.conf says of networks
	printf '[network]\n%s\n' "$1" >"$WORLD/alone.conf"
	export CONTAINERS_CONF=$WORLD/alone.conf
}

# $SPACE COMMAND...: where namespaces of containers may be entered
alone() {
	local pid
	# A namespace of its own, as other managers hand one over.
	$SPACE unshare -n sleep 600 &
	remember_pid $!
	until_ok 20 sh -c 'pgrep -P "$1" -x sleep || [ "$(cat "/proc/$1/comm")" = sleep ]' x $! >/dev/null
	pid=$(pgrep -P $! -x sleep || echo $!)
	NS=/proc/$pid/ns/net
	in_ns() { $SPACE nsenter -n -t "$pid" "$@"; }
	N() { $SPACE "$BIN/pod-net" --root "$ROOT" --runroot "$RUNROOT" ${CONF:+--network-config-dir "$CONF"} "$@"; }

	is "drivers" "$(N drivers | xargs)" "bridge macvlan ipvlan"
	# As configured: a driver that is a program of others, pools and the default subnet, the CNI backend.
	mkdir "$WORLD/drivers"
	echo "$driver" >"$WORLD/drivers/wire"
	chmod 755 "$WORLD/drivers/wire"
	conf "netavark_plugin_dirs = [\"$WORLD/drivers\"]"
	is "a driver of others: create" "$(N create -d wire w1)" w1
	is "setup" "$(N setup --id alone0 --network w1 "$NS" | jq -c '.interfaces.eth0.subnets[0].ipnet')" '"10.84.7.9/24"'
	is "and it is so" "$(in_ns ip -o -4 addr show eth0 | grep -c 10.84.7.9/24)" 1
	check "teardown" N teardown alone0
	is "undoes it" "$(in_ns ip -o link show eth0 2>&1)" 'Device "eth0" does not exist.'
	is "remove" "$(N remove w1)" w1
	conf 'default_subnet = "10.84.77.0/24"
default_subnet_pools = [{"base" = "10.84.96.0/20", "size" = 26}]'
	is "the configured default subnet and pool" "$(N inspect podman | jq -r '.[0].subnets[0].subnet') $(N create p1) $(N inspect p1 | jq -r '.[0].subnets[0].subnet')" \
		"10.84.77.0/24 p1 10.84.96.0/26"
	N remove p1 >/dev/null
	conf 'firewall_driver = "iptables"'
	fails "a configured driver of the packet filter" 125 "valid firewall backend" N list
	conf 'network_backend = "cni"
cni_plugin_dirs = ["/usr/lib/cni"]'
	if [ -x /usr/lib/cni/bridge ]; then
		is "CNI: create" "$(N create --subnet 10.84.8.0/24 cni1)" cni1
		is "list" "$(N list -q | xargs)" "cni1 podman"
		is "setup" "$(N setup --id alone0 --network cni1 --ip 10.84.8.9 "$NS" | jq -c '.interfaces.eth0.subnets[0].ipnet')" '"10.84.8.9/24"'
		is "and it is so" "$(in_ns ip -o -4 addr show eth0 | grep -c 10.84.8.9/24)" 1
		fails "update" 125 "not supported for backend CNI" N update --dns-add 192.0.2.1 cni1
		fails "teardown in another namespace" 125 "^Error: that is not the network namespace that was set up as alone0$" N teardown --netns /proc/self/ns/net alone0
		check "teardown" N teardown --netns "$NS" alone0
		is "undoes it" "$(in_ns ip -o link show eth0 2>&1)" 'Device "eth0" does not exist.'
		is "remove" "$(N remove cni1)" cni1
		is "and its definition has gone" "$(N list -q)" podman
		$BRIDGES ip link del cni-podman1 2>/dev/null
	else
		skip "CNI" "containernetworking-plugins is not installed"
	fi
	unset CONTAINERS_CONF
	is "create prints the name" "$(N create --subnet 10.84.1.0/24 --label a=b front)" front
	is "and again with --ignore" "$(N create --subnet 10.84.1.0/24 --ignore front)" front
	fails "a used name" 125 "^Error: network name front already used: network already exists$" N create front
	fails "a used subnet" 125 "^Error: subnet 10.84.1.0/24 is already used" N create --subnet 10.84.1.0/24 other
	fails "a name that is a mode" 125 "conflicts with a valid network mode$" N create host
	N create --subnet 10.84.2.0/24 --subnet fd84:2::/64 --internal back >/dev/null
	is "the definitions are pod's" "$(pod network inspect front back -f '{{.Name}} {{(index .Subnets 0).Subnet}} {{.Internal}}' | xargs)" \
		"front 10.84.1.0/24 false back 10.84.2.0/24 true"
	is "and pod's are seen" "$(pod network create --subnet 10.84.3.0/24 third) $(N list -q | xargs)" "third back front podman third"

	# Of what fails half-way nothing stays.
	left() { $BRIDGES ip -o link show type bridge; find "$RUNROOT/net/containers" -type f ! -name alone1; $BRIDGES nft list ruleset 2>/dev/null | grep 10.84.2; }
	in_ns ip link add eth0 type veth peer name away0
	fails "an interface that is there" 125 "^Error: create veth pair: interface eth0 already exists on container namespace$" \
		N setup --id alone1 --network front -p 18084:80 "$NS"
	is "leaves nothing" "$(left)" ""
	in_ns ip link del eth0
	is "setup" "$(N setup --id alone1 --name one --network front -p 18084:80 "$NS" | jq -c '[.interfaces.eth0.subnets[0].ipnet,.ports[0].host_port]')" \
		'["10.84.1.3/24",18084]'
	in_ns ip link add lan2 type veth peer name away2
	fails "connect meets one that is there" 125 "interface lan2 already exists on container namespace$" \
		N connect --interface lan2 back alone1 "$NS"
	is "which leaves nothing" "$(left | grep -v podman1)" ""
	check "nor takes the other one away" in_ns ip link del lan2
	is "connect tells what there is now" "$(N connect --alias store --ip 10.84.2.9 --mac-address 92:00:00:00:00:84 --interface lan2 --name one back alone1 "$NS" |
		jq -c '[(.interfaces|keys),.interfaces.lan2.mac_address,.interfaces.lan2.subnets[0].ipnet]')" \
		'[["eth0","lan2"],"92:00:00:00:00:84","10.84.2.9/24"]'
	is "and it is so" "$(in_ns ip -o -4 addr show lan2 | grep -c '10.84.2.9/24')" 1
	is "names are answered" "$(in_ns dig +short +time=5 +tries=3 @10.84.2.1 store.dns.podman A)" 10.84.2.9
	fails "twice" 125 'already connected to network "back"' N connect back alone1 "$NS"
	fails "no such network" 125 "^Error: unable to find network with name or ID nosuch: network not found$" N connect nosuch alone1 "$NS"
	fails "no such container" 125 "^Error: container nobody has no networks" N connect back nobody "$NS"
	fails "no namespace" 125 "is not a network namespace" N connect back alone1 /etc/passwd
	fails "one in use is not removed" 2 "^Error: network back is being used by container alone1$" N remove back
	is "and stays" "$(N list -q | grep -x back)" back

	N update --dns-add 192.0.2.8,192.0.2.9 front
	N update --dns-drop 192.0.2.8 front
	is "update" "$(N inspect front | jq -c '.[0].network_dns_servers')" '["192.0.2.9"]'
	fails "update without anything" 125 "^Error: at least one of --dns-add and --dns-drop is needed$" N update front
	$BRIDGES nft flush ruleset
	check "reload restores what was flushed" N reload
	check "all of it" grep -q 18084 <<<"$($BRIDGES nft list ruleset)"
	$BRIDGES nft flush ruleset
	check "or of one" N reload alone1
	check "which is there again" grep -q 18084 <<<"$($BRIDGES nft list ruleset)"

	is "disconnect tells what is left" "$(N disconnect back alone1 "$NS" | jq -c '.interfaces|keys')" '["eth0"]'
	fails "twice" 125 'is not connected to network "back"' N disconnect back alone1 "$NS"
	# Whoever removes a network and whoever joins it meet at one lock: either it is gone, or it is in use.
	local leases joins removes joined removed both=0
	leases=$(find /run/pod-net/leases-* "$RUNROOT/net" -lname "$RUNROOT/*/alone1" -printf '%h\n' 2>/dev/null | head -n 1)
	for i in 1 2 3 4 5 6; do
		N create "race$i" >/dev/null
		exec 9>>"${leases%/*}/lock"
		flock 9
		N connect "race$i" alone1 "$NS" >"$WORLD/joined" 2>&1 9>&- &
		joins=$!
		[ $((i % 2)) = 0 ] || sleep 0.1
		N remove "race$i" >"$WORLD/removed" 2>&1 9>&- &
		removes=$!
		sleep 0.2
		exec 9>&-
		joined=yes removed=yes
		wait $joins || joined=$(cat "$WORLD/joined")
		wait $removes || removed=$(cat "$WORLD/removed")
		case "$joined/$removed" in
		yes/*"network race$i is being used by container alone1"*)
			N disconnect "race$i" alone1 "$NS" >/dev/null
			N remove "race$i" >/dev/null ;;
		*"race$i: network not found"*/yes) ;;
		*)
			both=$((both + 1))
			echo "# round $i: $joined/$removed" ;;
		esac
	done
	is "a network that is joined while it is removed" "$both" 0
	is "remove prints what was given" "$(N rm back third | xargs)" "back third"
	fails "one that is not there" 125 "unable to find network with name or ID back" N remove back
	check "teardown" N teardown alone1
	is "then the other goes too" "$(N remove front)" front
	is "nothing is defined any more" "$(N list -q)" podman
	kill "$pid"
}

SPACE= BRIDGES=
alone
is "no rule is left" "$(nft list ruleset)" ""
is "nor a bridge" "$(ip -o link show type bridge)" ""

command -v pasta >/dev/null || { skip "the same as an ordinary user" "pasta is not installed"; finish; }
{
	declare -f alone fails conf
	declare -p driver
	echo 'SPACE="$BIN/pod --root $ROOT --runroot $RUNROOT unshare" BRIDGES="$SPACE --rootless-netns" CONF='
	echo 'alone; check "the namespace of bridges goes" until_ok 20 test ! -e "$RUNROOT/net/rootless.ns"'
} | user_part
