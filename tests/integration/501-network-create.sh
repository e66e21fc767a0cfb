#!/bin/bash
# SPDX-License-Identifier: ISC
# network create, rm, prune, ls, inspect: definitions, what is chosen, what is refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
field() { jq -r "$2" "$CONF/$1.json"; }

# --- what is chosen ------------------------------------------------------------------------------------------
is "create prints the name" "$(net create n1)" n1
is "the file" "$(field n1 '[.name,.driver,.network_interface,.ipv6_enabled,.internal,.dns_enabled,.ipam_options.driver]|join(" ")')" \
	"n1 bridge podman1 false false true host-local"
is "a subnet of the pool, its first address as gateway" "$(field n1 '.subnets[0]|.subnet+" "+.gateway')" "10.89.0.0/24 10.89.0.1"
check "an ID" grep -qE '^[0-9a-f]{64}$' <<<"$(field n1 .id)"
check "a time" grep -qE '^20[0-9-]+T' <<<"$(field n1 .created)"
is "the next has the next" "$(net create) $(field podman2 '.network_interface+" "+.subnets[0].subnet' 2>/dev/null)" "podman2 podman2 10.89.1.0/24"
ip link add podman3 type bridge
ip addr add 10.89.2.1/24 dev podman3
is "names and addresses of the host are avoided" "$(net create free)$(field free '.network_interface+" "+.subnets[0].subnet')" \
	"freepodman4 10.89.3.0/24"
ip link del podman3
net create --ipv6 --label a=b --label c -o mtu=1400 -o isolate=true --internal six >/dev/null
is "--ipv6 gives both families" "$(field six '[.subnets[].subnet]|length, (.[1]|startswith("fd"))' 2>/dev/null || field six '.subnets|length')" "2"$'\n'"true"
is "labels and options" "$(field six -c 2>/dev/null; jq -c '[.labels,.options,.internal]' "$CONF/six.json")" \
	'[{"a":"b","c":""},{"mtu":"1400","isolate":"true"},true]'
net create --subnet 10.70.1.77/24 --gateway 10.70.1.254 --ip-range 10.70.1.128/25 --subnet fd70::/64 --route 10.99.0.0/16,10.70.1.3,50 \
	--route 10.98.0.0/16,blackhole --dns 192.0.2.1,192.0.2.2 --interface-name brx full >/dev/null
is "everything given" "$(jq -c '[.network_interface,.subnets,.routes,.network_dns_servers,.ipv6_enabled]' "$CONF/full.json")" \
	'["brx",[{"subnet":"10.70.1.0/24","gateway":"10.70.1.254","lease_range":{"start_ip":"10.70.1.129","end_ip":"10.70.1.255"}},{"subnet":"fd70::/64","gateway":"fd70::1"}],[{"destination":"10.99.0.0/16","gateway":"10.70.1.3","metric":50},{"destination":"10.98.0.0/16","route_type":"blackhole"}],["192.0.2.1","192.0.2.2"],true]'
net create -o com.docker.network.driver.mtu=1300 -o com.docker.network.bridge.name=dockbr dock >/dev/null
is "Docker's names" "$(jq -c '[.network_interface,.options]' "$CONF/dock.json")" '["dockbr",{"mtu":"1300"}]'
net create --ipam-driver none bare >/dev/null
is "no addresses" "$(jq -c '[.subnets,.dns_enabled,.ipam_options]' "$CONF/bare.json")" '[null,false,{"driver":"none"}]'
net create --internal --disable-dns quiet >/dev/null
is "internal without DNS: no gateway" "$(field quiet '.subnets[0].gateway')" null
ip link add par0 type veth peer name par1
ip link set par0 up
ip link set par1 up
net create -d macvlan -o parent=par0 -o mode=private --subnet 10.71.0.0/24 mac >/dev/null
is "macvlan" "$(jq -c '[.driver,.network_interface,.options,.dns_enabled,.subnets[0].gateway]' "$CONF/mac.json")" \
	'["macvlan","par0",{"mode":"private"},false,"10.71.0.1"]'
ip addr add 10.71.8.5/24 dev par0
for driver in macvlan ipvlan; do
	is "$driver: the subnet is that of the parent's wire, which this host and other networks have too" \
		"$(net create -d $driver -o parent=par0 --subnet 10.71.8.0/24 --gateway 10.71.8.1 --ip-range 10.71.8.64/28 "wire$driver")" "wire$driver"
	fails "$driver: but not one that no network can have" 125 "subnet 127.0.0.0/8 is already used on the host" net create -d $driver -o parent=par0 --subnet 127.0.0.0/8 x
done
fails "a bridge must not have it" 125 "subnet 10.71.8.0/24 is already used on the host" net create --subnet 10.71.8.0/24 x
for driver in macvlan ipvlan; do
	fails "$driver: no subnet is made up for somebody's wire" 125 "^Error: $driver driver needs at least one subnet specified when the host-local ipam driver is set$" \
		net create -d $driver -o parent=par0 --ipam-driver host-local x
done
fails "ipvlan without subnets" 125 "^Error: ipam driver dhcp is not supported with ipvlan$" net create -d ipvlan -o parent=par0 x
net rm wiremacvlan wireipvlan >/dev/null
ip addr del 10.71.8.5/24 dev par0
cat >"$WORLD/containers.conf" <<-END
	[network]
	default_subnet_pools = [{"base" = "10.66.0.0/23", "size" = 24}]
END
export CONTAINERS_CONF=$WORLD/containers.conf
is "pools of the configuration" "$(net create p1)$(net create p2) $(field p1 '.subnets[0].subnet') $(field p2 '.subnets[0].subnet')" \
	"p1p2 10.66.0.0/24 10.66.1.0/24"
fails "which end" 125 "could not find free subnet from subnet pools" net create p3
unset CONTAINERS_CONF
check "a failure leaves no file" test ! -e "$CONF/p3.json"

# --- what is refused -----------------------------------------------------------------------------------------
fails "a name that is taken" 125 "^Error: network name n1 already used: network already exists$" net create n1
is "--ignore" "$(net create --ignore n1)" n1
fails "a bad name" 125 "names must match \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\]\*" net create '../n'
for subnet in 127.0.0.0/8 127.9.0.0/24 224.0.0.0/24 ::/0 fe80::/64 ff05::/64; do
	fails "a subnet that no network can have: $subnet" 125 "subnet $subnet is already used on the host" net create --subnet $subnet x
done
fails "a used subnet" 125 "subnet 10.89.0.0/25 is already used on the host or by another config" net create --subnet 10.89.0.0/25 x
fails "overlapping subnets" 125 "overlap" net create --subnet 10.72.0.0/24 --subnet 10.72.0.128/25 x
fails "no subnet" 125 "invalid CIDR address: 10.1.2.3" net create --subnet 10.1.2.3 x
fails "a gateway outside" 125 "gateway 10.2.0.1 not in subnet 10.1.2.0/24" net create --subnet 10.1.2.0/24 --gateway 10.2.0.1 x
fails "a gateway without subnet" 125 "every gateway must have a corresponding subnet" net create --gateway 10.2.0.1 x
fails "a range outside" 125 "lease range start ip 10.2.0.9 not in subnet" net create --subnet 10.1.2.0/24 --ip-range 10.2.0.9-10.2.0.12 x
fails "a range the wrong way round" 125 "is behind its end" net create --subnet 10.1.2.0/24 --ip-range 10.1.2.9-10.1.2.8 x
fails "a used bridge" 125 "bridge name podman1 already in use" net create --interface-name podman1 x
fails "a long interface name" 125 "interface name .* invalid" net create --interface-name abcdefghijklmnop x
fails "an unknown driver" 125 "unsupported driver warp: invalid argument" net create -d warp x
fails "an unknown option" 125 "unsupported bridge network option colour" net create -o colour=blue x
fails "a bad mtu" 125 'unable to parse "mtu"' net create -o mtu=large x
fails "a bad vlan" 125 "vlan ID 4095 must be between 0 and 4094" net create -o vlan=4095 x
fails "a bad isolation" 125 'unable to parse "isolate"' net create -o isolate=maybe x
fails "a bad mode" 125 'unknown macvlan mode "fast"' net create -d macvlan -o mode=fast x
fails "a parent that is missing" 125 "parent interface nosuch0 does not exist" net create -d macvlan -o parent=nosuch0 x
fails "an ipam driver" 125 'unsupported ipam driver "magic"$' net create --ipam-driver magic x
fails "subnets without addresses" 125 "none ipam driver does not support subnets" net create --ipam-driver none --subnet 10.1.0.0/24 x
fails "a bad route" 125 "invalid route" net create --route 10.1.0.0/16 x
fails "a route's gateway of the other family" 125 "route gateway fd00::1 invalid" net create --route 10.1.0.0/16,fd00::1 x
fails "a route says how it is written" 125 "^Error: invalid route: 10.1.0.0/16,10.2.0.1,x: the format is <destination" net create --route 10.1.0.0/16,10.2.0.1,x x
fails "a gateway that is the broadcast address" 125 "gateway 10.1.2.255 is the broadcast address of subnet 10.1.2.0/24" \
	net create --subnet 10.1.2.0/24 --gateway 10.1.2.255 x
for word in none host bridge private slirp4netns pasta container ns default; do
	fails "a name that is a mode: $word" 125 "^Error: cannot create network with name \"$word\" because it conflicts with a valid network mode$" net create $word
done
fails "a label without a name" 125 '^Error: failed to parse labels: invalid label format: "=d"$' net create --label =d x
fails "an option without a name" 125 '^Error: failed to parse options: invalid label format: "=5"$' net create -o =5 x
fails "a too small subnet" 125 "too small" net create --subnet 10.1.0.0/31 x
fails "name servers without names" 125 "DNS is not enabled" net create --disable-dns --dns 192.0.2.1 x
check "none of these left a file" test ! -e "$CONF/x.json"

# --- ls, inspect, exists ---------------------------------------------------------------------------------------
is "ls filters" "$(net ls -q -f driver=macvlan) $(net ls -q -f label=a=b) $(net ls -q -f name='^fu' | tr '\n' ' ')" "mac six full "
is "inspect by the beginning of its ID" "$(net inspect "$(field full .id | cut -c1-10)" -f '{{.Name}}')" full
is "inspect's keys" "$(net inspect n1 | jq -c '.[0]|keys')" \
	'["containers","created","dns_enabled","driver","id","internal","ipam_options","ipv6_enabled","name","network_interface","subnets"]'
net exists full && ok "exists: yes" || not_ok "exists: yes"
net exists nosuch
is "exists: no" "$?" 1
is "the default network needs no file" "$(net inspect podman -f '{{(index .Subnets 0).Subnet}}')" 10.88.0.0/16
if command -v podman >/dev/null; then
	# Whatever network programs the machine has, these are netavark's files.
	mkdir "$WORLD/helpers"
	ln -s "$BIN/pod-net" "$WORLD/helpers/netavark"
	printf '[network]\nnetwork_backend = "netavark"\n[engine]\nhelper_binaries_dir = ["%s"]\n' "$WORLD/helpers" >"$WORLD/peer.conf"
	is "Podman reads the definitions" "$(CONTAINERS_CONF=$WORLD/peer.conf podman --root "$WORLD/pr" --runroot "$WORLD/prr" --network-config-dir "$CONF" \
		network inspect full 2>"$WORLD/err" | jq -c '.[0].subnets[0].lease_range.start_ip')" '"10.70.1.129"'
	CONTAINERS_CONF=$WORLD/peer.conf podman --root "$WORLD/pr" --runroot "$WORLD/prr" --network-config-dir "$CONF" network create --subnet 10.73.0.0/24 \
		--label from=podman theirs >/dev/null 2>"$WORLD/err"
	is "and we Podman's" "$(net inspect theirs | jq -c '.[0]|[.subnets[0].subnet,.labels.from]')" '["10.73.0.0/24","podman"]'
fi

# --- read only when needed -----------------------------------------------------------------------------------------
if command -v strace >/dev/null; then
	reads() { strace -f -o "$WORLD/trace" -e trace=openat,openat2,open "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" \
		--network-config-dir "$CONF" "$@" >/dev/null 2>&1; grep -c "$CONF" "$WORLD/trace"; }
	is "pod info reads no networks" "$(reads info)" 0
	is "nor does run --net=none" "$(reads run --rm --net none localhost/one:1 true)" 0
	check "but run --network does" [ "$(reads run --rm --network p1 localhost/one:1 true)" -gt 0 ]
	is "each once" "$(grep -c "$CONF/p1.json\|\"p1.json\"" "$WORLD/trace")" 1
else
	skip "networks are read only when needed" "strace is not installed"
fi

# --- addresses in containers -----------------------------------------------------------------------------------
pod run -d --name c1 --network full:ip=10.70.1.10,ip=10.70.1.11,ip6=fd70::5,mac=92:00:00:00:00:07,interface_name=lan0,alias=one \
	--network n1 localhost/one:1 sleep 100 >/dev/null
is "several static addresses" "$(inside c1 ip -o -4 addr show lan0 | awk '{print $4}' | tr '\n' ' ')" "10.70.1.10/24 10.70.1.11/24 "
check "and IPv6" grep -q fd70::5/64 <<<"$(inside c1 ip -o -6 addr show lan0)"
check "hardware address" grep -q 92:00:00:00:00:07 <<<"$(inside c1 ip link show lan0)"
is "the second network" "$(inside c1 ip -o -4 addr show eth0 | awk '{print $4}')" 10.89.0.2/24
is "routes" "$(inside c1 ip route show 10.99.0.0/16)" "10.99.0.0/16 via 10.70.1.3 dev lan0 proto static metric 50 "
net create --subnet 10.70.9.0/24 --route 10.99.8.0/24,10.70.9.3 --route 10.99.9.0/24,10.71.9.3 astray >/dev/null
fails "a route by a gateway that is nowhere names it" 126 "^Error: network astray: adding the route 10.99.9.0/24: Nexthop has invalid gateway" \
	pod run --rm --network astray localhost/one:1 true
net rm astray >/dev/null
fails "nobody's hardware address" 126 "invalid mac address 00:00:00:00:00:00" \
	pod run --rm --network n1:mac=00:00:00:00:00:00 localhost/one:1 true
check "blackhole" grep -q "^blackhole 10.98" <<<"$(inside c1 ip route show type blackhole)"
is "NetworkID is the ID" "$(pod inspect c1 | jq -r '.[0].NetworkSettings.Networks.n1.NetworkID')" "$(field n1 .id)"
is "network inspect shows the container" "$(net inspect n1 | jq -r '.[0].containers[].interfaces.eth0.subnets[0].ipnet')" 10.89.0.2/24
is "filter dangling: the default network does not lie about" "$(net ls -q -f dangling=false | tr '\n' ' ')" "full n1 podman "
fails "the same address again" 126 "requested ip address 10.70.1.11 is already allocated to container ID" \
	pod run --rm --network full:ip=10.70.1.11 localhost/one:1 true
r=$(pod run --rm --network full localhost/one:1 ip -o addr show eth0)
check "others get addresses of the range" grep -q '10\.70\.1\.1[23]' <<<"$r"
is "--ip, --ip6, --mac-address" "$(pod run --rm --network full --ip 10.70.1.20 --ip6 fd70::20 --mac-address 92:00:00:00:00:20 \
	localhost/one:1 ip addr show eth0 | grep -cE '10.70.1.20/24|fd70::20/64|92:00:00:00:00:20')" 3
r=$(pod run --rm --network mac --ip 10.71.0.9 localhost/one:1 ip -o addr show eth0)
check "macvlan: an interface of its own" grep -q 10.71.0.9/24 <<<"$r"
ip addr add 10.71.0.1/24 dev par1
is "macvlan: real traffic to the other end of its parent" "$(pod run --rm --cap-add net_raw --network mac localhost/one:1 ping -c 1 -W 3 10.71.0.1 | grep -c ' 0% packet loss')" 1
if ! unshare -n sh -c 'ip link add a0 type veth peer name a1; ip link add link a0 name i0 type ipvlan' 2>/dev/null; then
	net create -d ipvlan -o parent=par0 --subnet 10.74.0.0/24 ipv >/dev/null
	fails "ipvlan: a kernel without it is named" 126 "this kernel has no ipvlan interfaces" pod run --rm --network ipv localhost/one:1 true
fi
is "no addresses, but a link" "$(pod run --rm --network bare localhost/one:1 ip -o -4 addr show eth0)" ""
ip link add umbr type bridge
ip addr add 10.75.0.1/24 dev umbr
ip link set umbr up
net create -o mode=unmanaged --interface-name umbr --subnet 10.75.0.0/24 unman >/dev/null
is "unmanaged: reaches the host" "$(pod run --rm --cap-add net_raw --network unman localhost/one:1 ping -c 1 -W 3 10.75.0.1 | grep -c ' 0% packet loss')" 1
sleep 1.5
check "unmanaged: the bridge stays" sh -c 'ip link show umbr >/dev/null'
check "and is not in the packet filter" sh -c '! nft list ruleset | grep -q umbr'
net create -o mode=unmanaged --interface-name nobr --subnet 10.76.0.0/24 unman2 >/dev/null
fails "unmanaged: the bridge must be there" 126 "must already exist" pod run --rm --network unman2 localhost/one:1 true
net create --subnet 10.77.0.0/24 -o no_default_route=true nodef >/dev/null
is "no_default_route" "$(pod run --rm --network nodef localhost/one:1 ip route | grep -c default)" 0
net create --subnet 10.78.0.0/24 -o metric=77 metric >/dev/null
check "metric" grep -q "metric 77" <<<"$(pod run --rm --network metric localhost/one:1 ip route)"
check "host_interface_name" pod run --rm --network n1:host_interface_name=outer0 localhost/one:1 true
check "the table explains itself" sh -c 'nft list ruleset | grep -q "comment \"n1\""'

# --- rm, prune ---------------------------------------------------------------------------------------------------
fails "one in use stays" 2 'Error: "n1" has associated containers with it. Use -f' net rm n1
fails "the default one too" 125 "default network podman cannot be removed" net rm podman
fails "one that is missing" 1 "unable to find network with name or ID nosuch: network not found" net rm nosuch
is "removal prints what was given" "$(net rm dock bare | tr '\n' ' ')" "dock bare "
check "its file is gone" test ! -e "$CONF/dock.json"
net create --label drop lp1 >/dev/null
net create lp2 >/dev/null
is "prune by label" "$(net prune -f --filter label=drop)" lp1
is "--force takes the container with it" "$(net rm -f -t 0 n1)$(pod ps -aq)" n1
until_ok 20 link_gone podman1 && ok "and the bridge" || not_ok "and the bridge"
is "prune spares the default one" "$(net prune -f | grep -cx podman)" 0
is "nothing else is left" "$(net ls -q)" podman

# --- malformed files of every kind -------------------------------------------------------------------------------------
bad=$WORLD/bad id=$(printf 'a%.0s' {1..64})
mkdir "$bad"
rest='"driver":"bridge","network_interface":"pbad0","created":"2026-01-02T03:04:05Z","subnets":[{"subnet":"10.87.1.0/24","gateway":"10.87.1.1"}],"ipv6_enabled":false,"internal":false,"dns_enabled":false,"ipam_options":{"driver":"host-local"}'
file() { printf '%s' "$2" >"$bad/$1.json"; }
file empty ''
head -c 3000 /dev/urandom | tr -d '{' >"$bad/noise.json"
file array '[]'
file null null
file nested "$(printf '[%.0s' {1..100000})"
file types "{\"name\":\"types\",\"id\":\"$id\",\"driver\":3}"
file list "{\"name\":\"list\",\"id\":\"$id\",\"subnets\":\"10.0.0.0/8\",${rest/\"subnets\"/\"x\"}}"
file prefix "{\"name\":\"prefix\",\"id\":\"$id\",${rest/10.87.1.0\/24/10.87.1.0\/99}}"
file gateway "{\"name\":\"gateway\",\"id\":\"$id\",${rest/10.87.1.1\"/10.99.1.1\"}}"
file number "{\"name\":\"number\",\"id\":\"abc\",$rest}"
file link "{\"name\":\"link\",\"id\":\"$id\",${rest/pbad0/..\/..\/etc}}"
file twice "{\"name\":\"twice\",\"name\":\"other\",\"id\":\"$id\",$rest}"
file nul "{\"name\":\"nul\\u0000x\",\"id\":\"$id\",$rest}"
file large "{\"name\":\"large\",\"id\":\"$id\",\"labels\":{\"x\":\"$(head -c 3000000 /dev/zero | tr '\0' y)\"},$rest}"
file behind "{\"name\":\"behind\",\"id\":\"$id\",$rest} trailing"
file misnamed "{\"name\":\"another\",\"id\":\"$id\",$rest}"
mkfifo "$bad/fifo.json"
ln -s loop.json "$bad/loop.json"
ln -s /dev/zero "$bad/zero.json"
mkdir "$bad/dir.json"
file fine "{\"name\":\"fine\",\"id\":\"$id\",$rest}"
with_bad() { timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$bad" "$@"; }
is "those that are no networks are passed over" "$(with_bad network ls -q 2>"$WORLD/warned" | xargs)" "fine podman"
for f in "$bad"/*.json; do
	f=${f##*/}
	[ "$f" = fine.json ] || is "$f: one warning" "$(grep -c "level=warning.*[^a-z]$f" "$WORLD/warned")" 1
done
is "the others work" "$(with_bad run --rm --network fine localhost/one:1 ip -o -4 addr show eth0 2>/dev/null | awk '{ print $4 }')" 10.87.1.2/24
with_bad run --rm --network twice localhost/one:1 true >"$WORLD/out" 2>&1
is "one that is none cannot be joined" "$? $(sed -n 's/^Error: \(.*json"\): .*/\1/p' "$WORLD/out")" '125 reading network config file "twice.json"'
finish
