#!/bin/bash
# SPDX-License-Identifier: ISC
# The CNI backend: definitions, Debian's plug-ins, and plug-ins that misbehave.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
if [ ! -x /usr/lib/cni/bridge ]; then
	skip "CNI" "containernetworking-plugins is not installed"
	finish
fi
mkdir -p /var/lib/cni "$WORLD/plugins"
mount -t tmpfs none /var/lib/cni
cat >"$WORLD/containers.conf" <<-END
	[network]
	network_backend = "cni"
	cni_plugin_dirs = ["$WORLD/plugins", "/usr/lib/cni"]
END
export CONTAINERS_CONF=$WORLD/containers.conf
busybox_image localhost/one:1 >/dev/null
list() { jq -c "$2" "$CONF/$1.conflist"; }

# --- definitions -------------------------------------------------------------------------------------------------
is "the default network is in memory" "$(net inspect podman | jq -c '.[0]|[.network_interface,.subnets[0].subnet]')" '["cni-podman0","10.88.0.0/16"]'
is "its ID is the hash of its name" "$(net inspect -f '{{.ID}}' podman)" 2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9
check "without a file" test ! -e "$CONF/podman.conflist"
net create --subnet 10.84.1.0/24 --subnet fd84:1::/64 --label a=b -o mtu=1400 n1 >/dev/null
net create --subnet 10.84.2.0/24 n2 >/dev/null
is "create writes a list" "$(list n1 '[.cniVersion,.name,[.plugins[].type],.args.podman_labels,.plugins[0].mtu]')" \
	'["0.4.0","n1",["bridge","portmap","firewall","tuning"],{"a":"b"},1400]'
is "which reads back" "$(net inspect n1 | jq -c '.[0]|[.subnets[].subnet,.labels,.options]')" \
	'["10.84.1.0/24","fd84:1::/64",{"a":"b"},{"mtu":"1400"}]'
echo 'nonsense' >"$CONF/bad1.conflist"
echo '{"name": "bad/name", "plugins": [{"type": "bridge"}]}' >"$CONF/bad2.conflist"
echo '{"name": "empty", "plugins": []}' >"$CONF/bad3.conflist"
echo '{"name": "lost", "plugins": [{"type": "nosuchplugin"}]}' >"$CONF/bad4.conflist"
sed 's/"mtu": 1400/"mtu": 1300/' "$CONF/n1.conflist" >"$CONF/zz.conflist"
is "bad files cost a warning each" "$(net ls -q 2>"$WORLD/err" | tr '\n' ' ')$(grep -c 'Error reading network config file' "$WORLD/err")" "n1 n2 podman 5"
rm "$CONF"/bad?.conflist "$CONF/zz.conflist"
fails "what CNI has no words for" 125 "unsupported bridge network option" net create -o metric=5 x
fails "update" 125 "not supported for backend CNI" net update --dns-add 192.0.2.1 n1

# --- plug-ins ----------------------------------------------------------------------------------------------------
if ! httpd web --network n1:ip=10.84.1.9,ip=fd84:1::9,mac=92:00:00:00:00:77 -p 18520:80 >/dev/null 2>"$WORLD/err"; then
	cat "$WORLD/err"
	not_ok "a container starts"
	finish
fi
ok "a container starts"
is "several static addresses" "$(inside web ip -o addr show eth0 | grep -cE '10.84.1.9/24|fd84:1::9/64')" 2
is "loopback is up" "$(inside web ip -o link show lo | grep -c LOOPBACK,UP)" 1
check "hardware address" grep -q 92:00:00:00:00:77 <<<"$(inside web ip link show eth0)"
is "inspect" "$(pod inspect web | jq -r '.[0].NetworkSettings.Networks.n1|.IPAddress+" "+.Gateway')" "10.84.1.9 10.84.1.1"
is "traffic" "$(until_ok 20 get http://10.84.1.9/)" "page of web"
settled() { ! ip -6 addr | grep -q tentative; }
until_ok 20 settled
is "IPv6" "$(get 'http://[fd84:1::9]/')" "page of web"
is "published port" "$(get http://127.0.0.1:18520/)" "page of web"
is "container to container" "$(pod run --rm --network n1 localhost/one:1 wget -qO- http://10.84.1.9/)" "page of web"
is "two networks" "$(pod run --rm --network n1 --network n2 localhost/one:1 ip -o -4 addr | grep -cE '10\.84\.[12]\.')" 2
check "the result is cached" test -e "$(echo /var/lib/cni/results/n1-*-eth0)"
net connect n2 web
is "connect" "$(inside web ip -o -4 addr show eth1 | awk '{print $4}' | cut -d. -f1-3)" 10.84.2
net disconnect n2 web
is "disconnect" "$(inside web ip -o link | grep -c eth1)" 0
is "default network" "$(pod run --rm localhost/one:1 ip -o -4 addr show eth0 | grep -c 10.88.0)" 1
is "info names the back end" "$(pod info -f '{{.Host.NetworkBackend}} {{.Host.NetworkBackendInfo.Backend}}')" "cni cni"
pod run --rm --network n2:ip=10.84.2.20,ip=10.84.2.21 localhost/one:1 true 2>"$WORLD/err"
is "addresses that host-local has no two of are one error" "$? $(sed 's/failed to .*/failed/' "$WORLD/err")" "126 Error: network n2: cni plugin bridge failed: failed"
net create --subnet 10.84.7.0/24 n7 >/dev/null
bridge=$(list n7 '.plugins[0].bridge' | tr -d '"')
# host-local names one of the two, now this, now that.
fails "nor when it is the network's first container" 126 "failed to allocate all requested IPs: 10.84.7.2" \
	pod run --rm --network n7:ip=10.84.7.20,ip=10.84.7.21 localhost/one:1 true
check "which leaves no bridge" link_gone "$bridge"
# Such a bridge, as somebody else may have left it.
ip link add "$bridge" type bridge && ip link add tv504 type veth peer name tw504 && ip link set tv504 master "$bridge" && ip link del tv504
check "of the hardware address 0" grep -q 00:00:00:00:00:00 <<<"$(ip -o link show "$bridge")"
is "is in nobody's way" "$(pod run --rm --network n7:ip=10.84.7.20 localhost/one:1 ip -o -4 addr show eth0 | awk '{print $4}')" 10.84.7.20/24
net rm n7 >/dev/null
fails "a static address outside" 126 "not in any subnet on network n1" pod run --rm --network n1:ip=10.1.1.1 localhost/one:1 true
pod rm -f -t 0 web >/dev/null
nothing() { [ -z "$(find /var/lib/cni/results -type f) $(find /var/lib/cni/networks -name '10.*')" ] ||
	[ "$(find /var/lib/cni/results -type f | wc -l) $(find /var/lib/cni/networks -name '10.*' | wc -l)" = "0 0" ]; }
until_ok 20 nothing && ok "leases and results are gone" || { not_ok "leases and results are gone"; find /var/lib/cni -type f; }

# --- plug-ins that misbehave ---------------------------------------------------------------------------------------
plugin() { cat >"$WORLD/plugins/$1"; chmod +x "$WORLD/plugins/$1"; }
behaves() { # NAME TYPE
	cat >"$CONF/$1.conflist" <<-END
	{"cniVersion": "0.4.0", "name": "$1", "plugins": [{"type": "bridge", "bridge": "cnb0", "ipam": {"type": "host-local",
	 "ranges": [[{"subnet": "10.84.9.0/24"}]]}}, {"type": "$2"}]}
	END
}
plugin liar <<'END'
#!/bin/sh
cat >/dev/null
[ "$CNI_COMMAND" = ADD ] && echo garbage
exit 0
END
plugin loser <<'END'
#!/bin/sh
cat >/dev/null
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{"code": 7, "msg": "no luck", "details": "today"}'
exit 1
END
plugin mute <<'END'
#!/bin/sh
echo "words on stderr" >&2
exit 3
END
plugin flood <<'END'
#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
exec cat /dev/zero
END
behaves l1 liar
behaves l2 loser
behaves l3 mute
behaves l4 flood
fails "garbage" 126 "cni plugin liar: its answer is not a JSON object" pod run --rm --network l1 localhost/one:1 true
fails "a failure in its own words" 126 "cni plugin loser failed: no luck: today" pod run --rm --network l2 localhost/one:1 true
fails "a failure without JSON" 126 "cni plugin mute failed: words on stderr" pod run --rm --network l3 localhost/one:1 true
is "which is said once" "$(pod run --rm --network l3 localhost/one:1 true 2>&1)" "Error: network l3: cni plugin mute failed: words on stderr (exit status 3)"
fails "a flood" 126 "flood said more than" pod run --rm --network l4 localhost/one:1 true
until_ok 20 nothing && ok "nothing is left of them" || { not_ok "nothing is left of them"; find /var/lib/cni -type f; }
echo nonsense >"$CONF/l9.conflist"
is "a list that is none is said once" "$(pod run --rm --network l9 localhost/one:1 true 2>&1 | sed 's/list": .*/list"/')" 'Error: reading network config file "l9.conflist"'
rm "$CONF/l9.conflist"
plugin sleeper <<END
#!/bin/sh
sleep 98765.$$
END
behaves l5 sleeper
hung() { pod run --rm --network l5 localhost/one:1 true 2>&1 | tee "$WORLD/hung" >&2; return "${PIPESTATUS[0]}"; }
began=$SECONDS
fails "one that hangs is ended" 126 "did not end within" hung
check "to undo it, it is not waited for as long" test $((SECONDS - began)) -lt 50
is "what is wrong is said once" "$(grep -c sleeper "$WORLD/hung") $(wc -l <"$WORLD/hung")" "1 1"
check "with all it started" sh -c "! pgrep -f 'sleep 98765[.]$$' >/dev/null"
is "removal" "$(net rm n1 n2 | tr '\n' ' ')$(find "$CONF" -name 'n?.conflist' | wc -l)" "n1 n2 0"
finish
