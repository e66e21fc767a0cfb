#!/bin/bash
# SPDX-License-Identifier: ISC
# network connect, disconnect, reload, update, and networks of other namespaces, on containers that run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
net create --subnet 10.81.1.0/24 --subnet fd81:1::/64 --interface-name pnc1 n1 >/dev/null
net create --subnet 10.81.2.0/24 --interface-name pnc2 n2 >/dev/null
net create --subnet 10.81.3.0/24 --interface-name pnc3 n3 >/dev/null
addr() { pod inspect "$1" | jq -r ".[0].NetworkSettings.Networks.\"$2\".IPAddress"; }

# --- connect, disconnect ---------------------------------------------------------------------------------------
httpd web --network n1 -p 127.0.0.1:18480:80 >/dev/null
until_ok 20 get http://127.0.0.1:18480/ >/dev/null
net connect --alias shop --ip 10.81.2.9 --mac-address 92:00:00:00:00:09 n2 web
is "connect" $? 0
is "a further interface" "$(inside web ip -o -4 addr show eth1 | awk '{print $4}')" 10.81.2.9/24
check "with its hardware address" grep -q 92:00:00:00:00:09 <<<"$(inside web ip link show eth1)"
is "inspect knows it" "$(addr web n2)" 10.81.2.9
is "its alias too" "$(pod inspect web | jq -r '.[0].NetworkSettings.Networks.n2.Aliases[0]')" shop
is "real traffic over it" "$(pod run --rm --network n2 localhost/one:1 wget -qO- http://10.81.2.9/)" "page of web"
check "the container's hosts file has the address" pod exec web grep -q '^10.81.2.9.*web' /etc/hosts
pod exec web sh -c 'echo "192.0.2.7 mine" >>/etc/hosts'
fails "a second time" 125 'is already connected to network "n2": network is already connected' net connect n2 web
fails "a network that is missing" 125 "unable to find network with name or ID nosuch: network not found" net connect nosuch web
fails "a container that is missing" 125 'no container with name or ID "nosuch" found' net connect n2 nosuch
fails "an address that is taken" 125 "requested ip address 10.81.2.9 is already allocated" \
	sh -c "$(declare -f pod net); BIN=$BIN ROOT=$ROOT RUNROOT=$RUNROOT CONF=$CONF; pod run -d --name w2 --network n1 localhost/one:1 sleep 100 >/dev/null; pod network connect --ip 10.81.2.9 n2 w2"
is "what failed leaves nothing" "$(inside w2 ip -o link | grep -c eth1) $(pod inspect w2 | jq -c '.[0].NetworkSettings.Networks|keys')" '0 ["n1"]'
net disconnect n1 web
is "disconnect" $? 0
is "the way out is the other network's" "$(inside web ip route show default | xargs)" \
	"default via 10.81.2.1 dev eth1 proto static metric 100"
is "the interface goes" "$(inside web ip -o link | grep -c eth0)" 0
is "so does its line in hosts, the container's own stays" \
	"$(pod exec web sh -c 'grep -c ^10.81.1 /etc/hosts; grep -c mine /etc/hosts' | tr '\n' ' ')" "0 1 "
is "its published port leads to the other network" "$(get http://127.0.0.1:18480/)" "page of web"
fails "a second time" 125 'is not connected to network "n1": network is not connected' net disconnect n1 web
net disconnect -f n1 web
is "--force" $? 0
net disconnect n2 web
get -m 2 http://127.0.0.1:18480/ >/dev/null && not_ok "without a network the port is closed" || ok "without a network the port is closed"
net connect n3 web
is "and open again on the next one" "$(get http://127.0.0.1:18480/)" "page of web"
pod restart -t 0 web >/dev/null
is "after a restart the same networks" "$(pod inspect web | jq -c '.[0].NetworkSettings.Networks|keys')" '["n3"]'
is "with traffic" "$(until_ok 20 get http://127.0.0.1:18480/)" "page of web"
pod stop -t 0 web >/dev/null
net connect n1 web
net disconnect n3 web
pod start web >/dev/null
is "one that does not run is connected when it starts" "$(inside web ip -o -4 addr show eth0 | awk '{print $4}' | cut -d. -f1-3)" 10.81.1
until_ok 20 link_gone pnc3 && ok "the bridge that nobody uses goes" || not_ok "the bridge that nobody uses goes"
net disconnect n1 web
pod stop -t 0 web >/dev/null
pod start web >/dev/null
is "one with no network at all has only loopback" "$(inside web ip -o link | wc -l)" 1
net connect n1 web
for i in 4 5; do net create --subnet 10.81.$i.0/24 --subnet fd81:$i::/64 six$i >/dev/null; done
pod run -d --name six --network six4 --network six5 localhost/one:1 sleep 100 >/dev/null
is "of several networks the first is the way out, the next stands by" \
	"$(for v in 4 6; do inside six ip -$v -o route show default; done | awk '{ print $3, $5, $9 }' | xargs)" \
	"10.81.4.1 eth0 100 10.81.5.1 eth1 100 fd81:4::1 eth0 100 fd81:5::1 eth1 101"
net disconnect six4 six
is "and takes its place" "$(for v in 4 6; do inside six ip -$v -o route show default; done | awk '{ print $3 }' | xargs)" \
	"10.81.5.1 fd81:5::1"
pod rm -f -t 0 six >/dev/null
pod run -d --name none --network none localhost/one:1 sleep 100 >/dev/null
fails "other modes" 125 '"none" is not supported: invalid network mode' net connect n1 none
is "events" "$(find "$ROOT" "$RUNROOT" -name events.log -exec cat {} + | jq -r 'select(.Type=="network")|.Status+" "+.Network' | grep -c 'connect n2')" 2

# --- container:, ns: ---------------------------------------------------------------------------------------------
pod run -d --name friend --network container:web localhost/one:1 sleep 100 >/dev/null
is "container: the same interfaces" "$(inside friend ip -o -4 addr show eth0 | awk '{print $4}')" "$(inside web ip -o -4 addr show eth0 | awk '{print $4}')"
is "the same hosts file" "$(pod exec friend cat /etc/hosts)" "$(pod exec web cat /etc/hosts)"
net connect n2 web
check "which follows" pod exec friend grep -q "^$(addr web n2)" /etc/hosts
touch "$WORLD/ns"
unshare --net="$WORLD/ns" sh -c 'ip link set lo up; ip link add x0 type veth peer name x1; ip addr add 192.0.2.55/24 dev x0'
check "ns:PATH" grep -q 192.0.2.55 <<<"$(pod run --rm --network "ns:$WORLD/ns" localhost/one:1 ip addr)"
fails "ns: a path that is none" 125 "nosuch" pod run --rm --network "ns:$WORLD/nosuch" localhost/one:1 true
umount "$WORLD/ns"
mkdir -p /run/netns /etc/netns
mount -t tmpfs none /etc/netns
mkdir /etc/netns/podns$$
echo "nameserver 192.0.2.99" >/etc/netns/podns$$/resolv.conf
if ip netns add podns$$ 2>/dev/null; then
	is "ns: /etc/netns has its resolv.conf" "$(pod run --rm --network ns:/run/netns/podns$$ localhost/one:1 cat /etc/resolv.conf)" \
		"nameserver 192.0.2.99"
	ip netns del podns$$
fi

# --- reload ------------------------------------------------------------------------------------------------------
httpd r1 --network n1 -p 18481:80 >/dev/null
until_ok 20 get http://127.0.0.1:18481/ >/dev/null
nft flush ruleset
get -m 2 http://127.0.0.1:18481/ >/dev/null && not_ok "a flush cuts it off" || ok "a flush cuts it off"
is "reload prints IDs" "$(net reload r1)" "$(pod inspect -f '{{.Id}}' r1)"
is "and restores the port" "$(get http://127.0.0.1:18481/)" "page of r1"
check "and the rest of the table" sh -c 'nft list ruleset | grep -q masquerade'
net reload -a >/dev/null
before=$(nft list ruleset | sort)
net reload -a >/dev/null
is "a second reload changes nothing" "$(nft list ruleset | sort)" "$before"
nft delete table inet "$(nft list tables | awk '{print $3}')"
net reload -a >/dev/null
is "reload -a after the table was deleted" "$(get http://127.0.0.1:18481/)" "page of r1"
pod stop -t 0 r1 >/dev/null
fails "one that does not run" 125 "container state improper" net reload r1

# A start looks at what is there, however short ago the last one was.
n1_rules() { nft list ruleset | grep -oE '[^ {]+ ([.] [^ ]+ )?comment "n1"'; }
httpd r2 --network n1 >/dev/null
whole=$(n1_rules)
nft flush ruleset
httpd r3 --network n1 -p 18482:80 >/dev/null
is "a start just after a flush puts its network back" "$(n1_rules)" "$whole"
is "and its port" "$(until_ok 20 get http://127.0.0.1:18482/)" "page of r3"
nft flush ruleset
httpd r4 --network n1 >/dev/null
is "also one without ports" "$(n1_rules)" "$whole"
bridge=$(net inspect n1 | jq -r '.[0].network_interface')
nft delete element inet "$(nft list tables | awk '{print $3}')" bridges "{ $bridge }"
httpd r5 --network n1 >/dev/null
is "what an administrator took away alone is put back, too" "$(n1_rules)" "$whole"

# --- update ------------------------------------------------------------------------------------------------------
net update --dns-add 192.0.2.1,192.0.2.2 n1
is "--dns-add" "$(net inspect n1 | jq -c '.[0].network_dns_servers')" '["192.0.2.1","192.0.2.2"]'
net update --dns-add 192.0.2.3 --dns-drop 192.0.2.1 n1
is "--dns-drop" "$(net inspect n1 | jq -c '.[0].network_dns_servers')" '["192.0.2.2","192.0.2.3"]'
fails "no address" 125 "unable to parse ip seven" net update --dns-add seven n1
fails "the default network" 125 "not enabled" net update --dns-add 192.0.2.1 podman

# --- rm while a container starts ----------------------------------------------------------------------------------
# Both meet at the lock of the leases: either the network is gone, or it is in use.
leases=$(find /run/pod-net -lname "$RUNROOT/*" -printf '%h\n' | head -n 1)
both=0
for i in 1 2 3 4 5 6 7 8; do
	net create "race$i" >/dev/null
	exec 9>>"${leases%/*}/lock"
	flock 9
	case $((i % 4)) in
	0 | 1) pod run -d --name racer --network "race$i" localhost/one:1 sleep 1000 >"$WORLD/joined" 2>&1 9>&- & ;;
	*) pod network connect "race$i" r2 >"$WORLD/joined" 2>&1 9>&- & ;;
	esac
	joins=$!
	[ $((i % 2)) = 0 ] || sleep 0.2
	net rm "race$i" >"$WORLD/removed" 2>&1 9>&- &
	removes=$!
	sleep 0.4
	exec 9>&-
	joined=yes removed=yes
	wait $joins || joined=$(cat "$WORLD/joined")
	wait $removes || removed=$(cat "$WORLD/removed")
	case "$joined/$removed" in
	yes/*"network race$i is being used by container "* | yes/*'"race'"$i"'" has associated containers'* | *"race$i: network not found"*/yes) ;;
	*)
		both=$((both + 1))
		echo "# round $i: $joined/$removed" ;;
	esac
	net disconnect "race$i" r2 >/dev/null 2>&1
	pod rm -f -t 0 -i racer >/dev/null
	net rm -f "race$i" >/dev/null
done
is "a network that a container joins while it is removed" "$both" 0
is "what is left of one that was killed is in nobody's way" "$(
	net create --subnet 10.84.77.0/24 gone >/dev/null
	pod run -d --name killed --network gone localhost/one:1 sleep 1000 >/dev/null
	id=$(pod inspect -f '{{.Id}}' killed)
	cp "$RUNROOT/net/containers/$id" "$WORLD/state"
	pod rm -f -t 0 killed >/dev/null
	cp "$WORLD/state" "$RUNROOT/net/containers/$id"
	net rm gone 2>&1
	rm -f "$RUNROOT/net/containers/$id")" gone

# --- nothing stays -----------------------------------------------------------------------------------------------
pod rm -f -a -t 0 >/dev/null
gone() { [ "$(ip -o link show type bridge | wc -l; ip -o link | grep -c veth; nft list tables | wc -l; find "$RUNROOT/net/containers" -type f | wc -l)" = $'0\n0\n0\n0' ]; }
until_ok 20 gone && ok "nothing stays" || { not_ok "nothing stays"; ip -o link; nft list ruleset; }
finish
