#!/bin/bash
# SPDX-License-Identifier: ISC
# Network drivers that are programs of others, and what they do wrong; "netavark create".
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
N=$(cd "$BUILD" && pwd)/libexec/pod/netavark
D=$WORLD/drivers
mkdir "$D"
cat >"$WORLD/containers.conf" <<-END
	[network]
	netavark_plugin_dirs = ["$D", "$WORLD/none"]
END
export CONTAINERS_CONF=$WORLD/containers.conf

# A driver that makes a veth pair by hand and notes what it was asked.
cat >"$D/wire" <<END
#!/bin/bash
input=\$(cat)
echo "\$input" >"$WORLD/asked.\$1"
echo "\$*" >>"$WORLD/words"
name=\$(jq -r .network_options.interface_name <<<"\$input" 2>/dev/null)
case \$1 in
info) echo '{"version": "0.1", "api_version": "1.0.0"}' ;;
create) jq -c '.options.made_by = "wire" | .network_interface = "wire0"' <<<"\$input" ;;
setup)
	ip link add wireh type veth peer name wirec &&
		touch "$WORLD/ns" && mount --bind "\$2" "$WORLD/ns" && ip link set wirec netns "$WORLD/ns" &&
		nsenter --net="$WORLD/ns" sh -c "ip link set wirec name \$name; ip addr add 10.85.7.9/24 dev \$name; ip link set \$name up"
	umount "$WORLD/ns"
	ip addr add 10.85.7.1/24 dev wireh && ip link set wireh up
	echo '{"dns_server_ips": ["10.85.7.53"], "dns_search_domains": ["wire.example"], "interfaces": {"'"\$name"'":
		{"mac_address": "02:00:00:00:00:07", "subnets": [{"ipnet": "10.85.7.9/24", "gateway": "10.85.7.1"}]}}}'
	;;
teardown) ip link del wireh 2>/dev/null; echo gone >"$WORLD/torn" ;;
esac
END
driver() { # NAME SETUP-LINES: one that makes networks as they are
	printf '#!/bin/bash\ncase $1 in\ncreate) cat ;;\nsetup) %s ;;\nteardown) cat >/dev/null ;;\nesac\n' "$2" >"$D/$1"
	chmod +x "$D/$1"
}
chmod +x "$D/wire"
touch "$D/plain-file"

# --- a driver that works -------------------------------------------------------------------------------------------
is "network create" "$(net create -d wire -o colour=red w1)" w1
is "what the driver filled in" "$(net inspect w1 | jq -r '.[0].options.made_by + "," + .[0].options.colour + "," + .[0].network_interface')" wire,red,wire0
check "info was asked for" grep -qx info "$WORLD/words"
id=$(httpd web --network w1:alias=other -p 127.0.0.1:18571:80)
is "run" "$(until_ok 20 get http://10.85.7.9/)" "page of web"
is "it was told the container" "$(jq -r '.container_id + "," + .container_name' "$WORLD/asked.setup")" "$id,web"
is "the ports" "$(jq -c '.port_mappings[0] | [.host_ip, .host_port, .container_port, .protocol]' "$WORLD/asked.setup")" '["127.0.0.1",18571,80,"tcp"]'
is "the network" "$(jq -r '.network.name + "," + .network.driver' "$WORLD/asked.setup")" w1,wire
is "aliases" "$(jq -r '.network_options.aliases | join(",")' "$WORLD/asked.setup" | grep -o other)" other
is "inspect shows its address" "$(pod inspect web | jq -r '.[0].NetworkSettings.Networks.w1 | .IPAddress + "," + .MacAddress')" 10.85.7.9,02:00:00:00:00:07
is "its resolver and domain" "$(pod exec web cat /etc/resolv.conf | tr '\n' ' ')" "search wire.example nameserver 10.85.7.53 "
pod stop -t 0 web >/dev/null
until_ok 20 test -e "$WORLD/torn" && ok "its teardown is called at the end" || not_ok "its teardown is called at the end"
check "with the same words" cmp -s "$WORLD/asked.setup" "$WORLD/asked.teardown"
pod rm -f web >/dev/null
rm -f "$WORLD/torn"
net create --subnet 10.85.8.0/24 b1 >/dev/null
httpd both --network b1 >/dev/null
net connect w1 both
is "connect" "$(inside both ip -o -4 addr show eth1 | awk '{print $4}')" 10.85.7.9/24
net disconnect w1 both
check "disconnect" test -e "$WORLD/torn"
pod rm -f -t 0 both >/dev/null

# --- drivers that do not ------------------------------------------------------------------------------------------
left() { ip -o link | grep -E 'veth|wire'; ls "$RUNROOT/net/containers" 2>/dev/null; }
wrong() { # TEXT PATTERN SETUP-LINES
	driver bad "$3"
	fails "$1" 126 "$2" pod run --rm --network w2 localhost/one:1 true
	until_ok 20 sh -c "[ -z \"\$(ls $RUNROOT/net/containers)\" ]"
	is "nothing stays" "$(left)" ""
}
driver bad cat
net create -d bad w2 >/dev/null
wrong "one that fails and says why" 'plugin "bad" failed: exit code 3, message: no luck' 'echo "{\"error\": \"no luck\"}"; exit 3'
wrong "one that fails without JSON" 'plugin "bad" failed: exit code 4, message: oh dear' 'echo "oh dear" >&2; exit 4'
wrong "one that prints garbage" 'plugin "bad" failed: its answer to setup' 'echo "]]]"'
wrong "one that prints nothing" 'plugin "bad" failed: its answer to setup' 'true'
wrong "one with a wrong address" 'ipnet is not an address' 'echo "{\"interfaces\": {\"eth0\": {\"subnets\": [{\"ipnet\": \"x\"}]}}}"'
wrong "one that names a resolver in two lines" 'dns_server_ips' 'printf "{\"dns_server_ips\": [\"1.2.3.4\\\\noptions x\"]}"'
wrong "one that says too much" 'said more than' 'head -c 3000000 /dev/zero'
wrong "one that kills itself" 'plugin "bad" failed: exit code 137' 'kill -9 $$'
# One that hangs, whatever it is asked after "create": started now, looked at below.
cat >"$D/hangs" <<-'END'
	#!/bin/bash
	case $1 in create) cat ;; setup | teardown) exec sleep 1000 ;; esac
END
printf '#!/bin/sh\ntouch "%s"\nexec sleep 1000\n' "$WORLD/asked.never" >"$D/never"
chmod +x "$D/hangs" "$D/never"
net create -d hangs slow >/dev/null
began=$SECONDS
(pod run --rm --network slow localhost/one:1 true >"$WORLD/hung" 2>&1; echo "$? $((SECONDS - began))" >"$WORLD/hung.end") &
mkdir "$WORLD/other"
(pod --network-config-dir "$WORLD/other" network create -d never w9 >"$WORLD/never" 2>&1; echo "$? $((SECONDS - began))" >"$WORLD/never.end") &
until_ok 20 test -e "$WORLD/asked.never"
(pod --network-config-dir "$WORLD/other" network create w10 >"$WORLD/waited" 2>&1; echo $? >"$WORLD/waited.end") &
# Its teardown fails as well: that is no news.
printf '#!/bin/bash\ncase $1 in\ncreate) cat ;;\n*) echo "no $1" >&2; exit 9 ;;\nesac\n' >"$D/bad"
is "a failure is said once" "$(pod run --rm --network w2 localhost/one:1 true 2>&1)" 'Error: plugin "bad" failed: exit code 9, message: no setup'
httpd both --network b1 >/dev/null
is "connect: as well" "$(net connect w2 both 2>&1)" 'Error: plugin "bad" failed: exit code 9, message: no setup'
pod rm -f -t 0 both >/dev/null
# That of one that did not fail before is.
printf '#!/bin/bash\ncase $1 in\ncreate) cat ;;\nsetup) echo {} ;;\nteardown) echo "no $1" >&2; exit 9 ;;\nesac\n' >"$D/bad2"
chmod +x "$D/bad2"
net create -d bad2 w5 >/dev/null
is "that another one cannot be undone is said" "$(pod run --rm --network w5 --network w2 localhost/one:1 true 2>&1 | sed 's/time="[^"]*"/time=T/' | sort)" \
	"$(printf '%s\n%s' 'Error: plugin "bad" failed: exit code 9, message: no setup' 'time=T level=warning msg="plugin \"bad2\" failed: exit code 9, message: no teardown"')"
printf '#!/bin/sh\nsed s/w3/w4/\n' >"$D/renamer"
printf '#!/bin/sh\n[ "$1" = info ] && echo "{\\"api_version\\": \\"2.0.0\\"}" || cat\n' >"$D/newer"
chmod +x "$D/renamer" "$D/newer"
fails "create: one that changes the name" 125 'network name w4 does not match' net create -d renamer w3
fails "create: one of another protocol" 125 'version 2.0.0 of the plug-in interface' net create -d newer w3
fails "create: a file that is no program" 125 'unsupported driver plain-file' net create -d plain-file w3
fails "create: a path" 125 'unsupported driver ../wire' net create -d ../wire w3
rm "$D/bad"
fails "a driver that has gone" 126 'unknown network driver "bad"' pod run --rm --network w2 localhost/one:1 true
is "only what was made is there" "$(net ls -q | sort | tr '\n' ' ')" "b1 podman slow w1 w2 w5 "

until_ok 120 test -s "$WORLD/hung.end"
is "one that hangs: one error" "$(sed "s|$D|DIR|" "$WORLD/hung")" 'Error: plugin "hangs" failed: DIR/hangs did not end within 30 seconds'
check "its teardown is not waited for as long ($(cat "$WORLD/hung.end"))" awk '$1 == 126 && $2 < 50 { n++ } END { exit !n }' "$WORLD/hung.end"
until_ok 60 test -s "$WORLD/never.end"
is "create: one that hangs: one error" "$(sed "s|$D|DIR|" "$WORLD/never")" 'Error: plugin "never" failed: DIR/never did not end within 30 seconds'
check "it is asked once" awk '$1 == 125 && $2 < 50 { n++ } END { exit !n }' "$WORLD/never.end"
until_ok 60 test -s "$WORLD/waited.end"
is "create: another one meanwhile waits for it" "$(cat "$WORLD/waited" "$WORLD/waited.end" | tr '\n' ' ')" "w10 0 "
is "nothing stays of them" "$(left)" ""

# --- under the name of netavark ---------------------------------------------------------------------------------------
touch "$WORLD/ns2"
unshare --net="$WORLD/ns2" true
request() {
	jq -n --argjson n "$(net inspect w1 | jq '.[0] | {name, id, driver, network_interface, ipv6_enabled, internal, dns_enabled, ipam_options, options}')" \
		'{container_id: "c1", container_name: "c1", networks: {w1: {interface_name: "eth0"}}, network_info: {w1: $n}}'
}
is "setup" "$(request | "$N" --config "$WORLD/nv" --plugin-directory "$D" setup "$WORLD/ns2" | jq -c '.w1 | [.dns_server_ips[0], .dns_search_domains[0], .interfaces.eth0.subnets[0].ipnet]')" \
	'["10.85.7.53","wire.example","10.85.7.9/24"]'
is "teardown" "$(request | "$N" --config "$WORLD/nv" --plugin-directory "$D" teardown "$WORLD/ns2")" ""
is "without the directory" "$(request | "$N" --config "$WORLD/nv" setup "$WORLD/ns2")" '{"error":"unknown network driver \"wire\""}'
umount "$WORLD/ns2"

create() { "$N" --plugin-directory "$D" create <<<"$1"; }
made=$(create '{"network": {"driver": "bridge", "dns_enabled": true}, "used": {"interfaces": ["podman1"], "names": {"podman1": "x", "podman2": "x"},
	"subnets": ["10.89.0.0/24"]}, "options": {"default_interface_name": "podman", "check_used_subnets": true,
	"subnet_pools": [{"base": "10.89.0.0/16", "size": 24}]}}')
is "create: name, bridge, subnet and gateway" "$(jq -c '[.name, .network_interface, .subnets[0].subnet, .subnets[0].gateway, .ipam_options.driver]' <<<"$made")" \
	'["podman0","podman0","10.89.1.0/24","10.89.1.1","host-local"]'
is "create: ID and time" "$(jq "(.id | length == 64) and (.created | test(\"^20\"))" <<<"$made")" true
refused() { # TEXT PATTERN REQUEST
	local said
	said=$(create "$3")
	if [ $? = 1 ] && jq -r .error <<<"$said" | grep -qE "$2"; then ok "create: $1"; else not_ok "create: $1 ($said)"; fi
}
refused "a used name" 'already used' '{"network": {"name": "a", "driver": "bridge"}, "used": {"names": {"a": "x"}}}'
refused "a used subnet" 'already used' '{"network": {"name": "b", "subnets": [{"subnet": "10.1.0.0/16"}]}, "used": {"subnets": ["10.1.2.0/24"]}}'
is "create: unless that is wanted" "$(create '{"network": {"name": "b", "subnets": [{"subnet": "10.1.0.0/16"}]}, "used": {"subnets": ["10.1.2.0/24"]}, "options": {"check_used_subnets": false}}' | jq -r .name)" b
refused "no pool left" 'could not find free subnet' '{"network": {"name": "b"}, "used": {"subnets": ["10.9.0.0/24"]}, "options": {"subnet_pools": [{"base": "10.9.0.0/24", "size": 24}]}}'
refused "a bad pool" 'does not fit' '{"network": {"name": "b"}, "options": {"subnet_pools": [{"base": "10.9.0.0/24", "size": 8}]}}'
refused "an unknown driver" 'unsupported driver' '{"network": {"name": "b", "driver": "warp"}}'
refused "an option that is none" 'unsupported bridge network option' '{"network": {"name": "b", "options": {"warp": "9"}}}'
refused "no network" 'missing field `network`' '{}'
refused "no JSON" 'IO error' 'nonsense'
is "create: with a driver that is a program" "$(create '{"network": {"name": "p", "driver": "wire"}}' | jq -r .options.made_by)" wire
finish
