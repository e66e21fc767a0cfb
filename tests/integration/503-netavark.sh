#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-net under the name of netavark: its words and JSON, and Podman using it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
N=$(cd "$BUILD" && pwd)/libexec/pod/netavark
id=$(printf 'b%.0s' {1..64})
config=$WORLD/config
mkdir -p "$config" /run/netns
netavark() { "$N" --config "$config" --rootless=false --aardvark-binary= "$@"; }
touch "$WORLD/ns"
unshare --net="$WORLD/ns" true
in_ns() { nsenter --net="$WORLD/ns" "$@"; }
request() { # NETWORK BRIDGE SUBNET GATEWAY ADDRESS INTERFACE PORTS
	cat <<-END
	{"container_id": "$id", "container_name": "c", "port_mappings": [$7], "networks": {"$1": {"interface_name": "$6",
	 "static_ips": ["$5"], "static_mac": "92:aa:00:00:00:01", "aliases": ["x"]}},
	 "network_info": {"$1": {"name": "$1", "id": "$(printf "$1" | sha256sum | cut -c1-64)", "driver": "bridge",
	 "network_interface": "$2", "subnets": [{"subnet": "$3", "gateway": "$4"}], "ipv6_enabled": false, "internal": false,
	 "dns_enabled": false, "ipam_options": {"driver": "host-local"}}}}
	END
}
one() { request net1 nvt1 10.86.1.0/24 10.86.1.1 10.86.1.5 eth0 '{"host_ip": "", "container_port": 80, "host_port": 18490, "range": 1, "protocol": "tcp"}'; }
two() { request net2 nvt2 10.86.2.0/24 10.86.2.1 10.86.2.5 eth1 ''; }

# --- the words ---------------------------------------------------------------------------------------------------
check "--version" grep -qE '^netavark [0-9]' <<<"$("$N" --version)"
is "version is JSON" "$("$N" version | jq -r .default_fw_driver)" nftables
is "setup: the status block" "$(one | netavark setup "$WORLD/ns")" \
	'{"net1":{"dns_search_domains":[],"dns_server_ips":[],"interfaces":{"eth0":{"mac_address":"92:aa:00:00:00:01","subnets":[{"gateway":"10.86.1.1","ipnet":"10.86.1.5/24"}]}}}}'
is "the address is there" "$(in_ns ip -o -4 addr show eth0 | awk '{print $4}')" 10.86.1.5/24
mkdir "$WORLD/www"
echo "hello" >"$WORLD/www/index.html"
nsenter --net="$WORLD/ns" busybox httpd -f -p 80 -h "$WORLD/www" >/dev/null 2>&1 &
remember_pid $!
is "the port is published" "$(until_ok 20 get http://127.0.0.1:18490/)" hello
is "a second set-up of the same is an error" "$(one | netavark setup "$WORLD/ns"; one | sed 's/10.86.1.5/10.86.1.6/' | netavark setup "$WORLD/ns")" \
	'{"error":"create veth pair: interface eth0 already exists on container namespace: Netlink error: File exists (os error 17)"}
{"error":"create veth pair: interface eth0 already exists on container namespace: Netlink error: File exists (os error 17)"}'
is "and changes nothing" "$(in_ns ip -o -4 addr show eth0 | awk '{print $4}') $(get http://127.0.0.1:18490/)" "10.86.1.5/24 hello"
is "a second network, as for network connect" "$(two | netavark setup "$WORLD/ns" | jq -r '.net2.interfaces.eth1.subnets[0].ipnet')" 10.86.2.5/24
nft flush ruleset
get -m 2 http://127.0.0.1:18490/ >/dev/null && not_ok "a flush cuts it off" || ok "a flush cuts it off"
netavark firewall-reload
is "firewall-reload restores it" "$(get http://127.0.0.1:18490/)" hello
in_ns ip link del eth1
is "an interface that has gone is made again" "$(two | netavark setup "$WORLD/ns" | jq -r '.net2.interfaces.eth1.subnets[0].ipnet')$(in_ns ip -o -4 addr show eth1 | grep -c 10.86.2.5/24)" 10.86.2.5/241
is "teardown of the second prints nothing" "$(two | netavark teardown "$WORLD/ns")" ""
check "and takes it away" sh -c "! nsenter --net=$WORLD/ns ip link show eth1 2>/dev/null && ! ip link show nvt2 2>/dev/null"
is "the first stays" "$(get http://127.0.0.1:18490/)" hello
one >"$WORLD/request"
"$N" -c "$config" -r false -a "" -f "$WORLD/request" teardown "$WORLD/ns"
is "teardown of the first, from a file" $? 0
check "no bridge, no table" sh -c '! ip link show nvt1 2>/dev/null && [ -z "$(nft list tables)" ]'
said=$(one | netavark teardown "$WORLD/ns")
is "a second teardown is an error" "$?:$said" \
	'1:{"error":"failed to delete container veth eth0: Netlink error: No such device (os error 19)"}'
bad() { # TEXT PATTERN REQUEST
	local out
	out=$(printf '%s' "$3" | netavark setup "$WORLD/ns" 2>/dev/null)
	is "error JSON: $1" "$?:$(jq -r 'keys|join(",")' <<<"$out")" 1:error
	grep -q "$2" <<<"$out" || not_ok "$1: $out"
}
bad "no JSON" "IO error" 'nonsense'
bad "a missing key" 'missing field `host_ip`' "$(one | sed 's/"host_ip": "", //')"
bad "no addresses" "no static ips provided" "$(one | sed 's/"static_ips": \[[^]]*\],//')"
bad "no interface name" "no container interface name given" "$(one | sed 's/"eth0"/""/')"
bad "an unknown driver" 'unknown network driver' "$(one | sed 's/"driver": "bridge"/"driver": "warp"/')"
bad "a bad host address" 'invalid host ip' "$(one | sed 's/"host_ip": ""/"host_ip": "there"/')"
bad "a bad option" 'unable to parse' "$(one | sed 's/"ipam_options"/"options": {"mtu": "x"}, "ipam_options"/')"
# Limits of what is kept: what could not be read again could not be undone either.
is "errors of the system in netavark's words" "$(one | netavark setup "$WORLD/nons"; netavark -f "$WORLD/nofile" setup "$WORLD/ns")" \
	"{\"error\":\"failed to open netns at $WORLD/nons: IO error: No such file or directory (os error 2)\"}
{\"error\":\"failed to load network options: IO error: No such file or directory (os error 2)\"}"
is "and its own" "$(one | sed 's/"host-local"/"magic"/' | netavark setup "$WORLD/ns"; one | sed 's/"driver": "bridge"/"driver": "warp"/' | netavark setup "$WORLD/ns")" \
	'{"error":"unsupported ipam driver magic"}
{"error":"unknown network driver \"warp\""}'
bad "a long interface name" 'invalid interface name' "$(one | sed 's/"eth0"/"eth0123456789abc"/')"
bad "a name too long" 'too long' "$(one | sed "s/\"container_name\": \"c\"/\"container_name\": \"$(printf 'n%.0s' {1..300})\"/")"
bad "too many addresses" 'too many members' "$(one | sed "s/\"10.86.1.5\"/$(seq -s, -f '"10.86.1.%g"' 100 180)/")"
bad "too many ports" 'more than 262144 published ports' "$(one | sed "s/\({\"host_ip\".*tcp\"}\)/$(printf '&,%.0s' {1..9})&/; s/\"range\": 1,/\"range\": 40000,/g; s/18490/1000/g")"
in_ns ip link add eth0 type veth peer name away0
is "an interface that is there" "$(one | netavark setup "$WORLD/ns")" \
	'{"error":"create veth pair: interface eth0 already exists on container namespace: Netlink error: File exists (os error 17)"}'
in_ns ip link del eth0
is "leaves nothing" "$(ip -o link show type bridge; nft list ruleset; ls "$config/net/containers")" ""
mkdir -p "$config/aardvark-dns"
printf 'first\nsecond\n' >"$config/other"
out=$(netavark update ../other --network-dns-servers 192.0.2.1)
is "update of what is no network's name" "$? $out $(cat "$config/other")" '1 {"error":"invalid network name ../other"} first
second'
rmdir "$config/aardvark-dns"
is "no --config" "$(one | "$N" setup "$WORLD/ns")" '{"error":"--config not specified but required for netavark setup"}'
"$N" nosuchword >/dev/null 2>&1
is "bad usage" $? 2
mkfifo "$WORLD/pipe"
for path in "$WORLD/request" "$WORLD/pipe" /proc/self/ns/pid; do
	is "no network namespace: ${path##*/}" "$(one | timeout 20 "$N" -c "$config" -r false -a "" setup "$path")" "{\"error\":\"$path is not a network namespace\"}"
	is "nor for pod-net" "$(timeout 20 "$BIN/pod-net" --root "$ROOT" --runroot "$RUNROOT" setup --id plain "$path" 2>&1)" "Error: $path is not a network namespace"
done
check "what failed leaves nothing" sh -c "! ip link show nvt1 2>/dev/null && ! nsenter --net=$WORLD/ns ip link show eth0 2>/dev/null"
umount "$WORLD/ns"

# --- Podman with our netavark --------------------------------------------------------------------------------------
if ! command -v podman >/dev/null; then
	skip "Podman" "not installed"
	finish
fi
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
mkdir "$WORLD/helpers"
ln -s "$N" "$WORLD/helpers/netavark"
ln -s "$BUILD/libexec/pod/pod-net-dns" "$WORLD/helpers/aardvark-dns"
cat >"$WORLD/containers.conf" <<-END
	[network]
	network_backend = "netavark"
	network_config_dir = "$CONF"
	[engine]
	helper_binaries_dir = ["$WORLD/helpers"]
END
export CONTAINERS_CONF=$WORLD/containers.conf
mount -t tmpfs none /run/containers 2>/dev/null || { mkdir -p /run/containers; mount -t tmpfs none /run/containers; }
p() { podman --root "$WORLD/proot" --runroot "$WORLD/prun" --cgroup-manager cgroupfs "$@"; }
start() { p run -d --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"; }
p_end() { p rm -f -a -t 0 >/dev/null 2>&1; }
at_end() {
	p_end
	[ -s "$WORLD/prun/networks/aardvark-dns/aardvark.pid" ] && kill "$(cat "$WORLD/prun/networks/aardvark-dns/aardvark.pid")" 2>/dev/null
	umount "$WORLD/proot/overlay" 2>/dev/null
}
rootfs "$WORLD/fs"
tar -C "$WORLD/fs" -c . | p import - localhost/one:1 >/dev/null 2>"$WORLD/err"
is "Podman takes ours" "$(p info 2>/dev/null | grep -c 'networkBackend: netavark')" 1
p network create --subnet 10.86.3.0/24 --subnet fd86:3::/64 p3 >/dev/null
p network create --subnet 10.86.4.0/24 p4 >/dev/null
if ! start --name web --network p3:ip=10.86.3.9,ip=fd86:3::9 -p 18491:80 localhost/one:1 httpd -f -p 80 -h /www >/dev/null 2>"$WORLD/err"; then
	cat "$WORLD/err"
	not_ok "Podman starts a container"
	finish
fi
ok "Podman starts a container"
is "static address, port" "$(until_ok 20 get http://127.0.0.1:18491/)" "hello from pod"
is "IPv6" "$(get 'http://[fd86:3::9]/')" "hello from pod"
is "default network" "$(start --rm localhost/one:1 sleep 100 >/dev/null; ip -o -4 addr show podman0 | awk '{print $4}')" 10.88.0.1/16
p network connect p4 web
is "connect" "$(p exec web ip -o -4 addr show eth1 | awk '{print $4}' | cut -d. -f1-3)" 10.86.4
start --name two --network p3 --network p4 localhost/one:1 sleep 100 >/dev/null
is "several networks" "$(p exec two ip -o -4 addr | grep -cE '10\.86\.[34]\.')" 2
is "container to container" "$(p exec two wget -qO- http://10.86.3.9/)" "hello from pod"
is "names, by ours in the place of aardvark-dns" "$(p exec two wget -qO- http://web/ 2>/dev/null)" "hello from pod"
p network disconnect p4 web
is "disconnect" "$(p exec web ip -o link | grep -c eth1)" 0
is "still reachable" "$(get http://127.0.0.1:18491/)" "hello from pod"
nft flush ruleset
p network reload -a >/dev/null
is "network reload" "$(get http://127.0.0.1:18491/)" "hello from pod"
p_end
gone() { ! ip -o link | grep -qE 'podman[0-9]|veth' && [ -z "$(nft list tables)" ]; }
until_ok 20 gone && ok "nothing stays" || { not_ok "nothing stays"; ip -o link; nft list ruleset; }
finish
