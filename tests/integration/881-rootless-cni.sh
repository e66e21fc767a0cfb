#!/bin/bash
# SPDX-License-Identifier: ISC
# The CNI backend for an ordinary user: Debian's plug-ins in the user's own network namespace.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null || [ ! -x /usr/lib/cni/bridge ]; then
	skip "CNI of an ordinary user" "pasta or containernetworking-plugins is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
mkdir "$WORLD/plugins"
printf '[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["%s", "/usr/lib/cni"]\n' "$WORLD/plugins" >"$WORLD/containers.conf"
export CONTAINERS_CONF=$WORLD/containers.conf
conf=$HOME/.config/cni/net.d
gone() { ! pgrep -u "$(id -u)" -x pod-net-forward >/dev/null && [ ! -e "$RUNROOT/net/rootless.sock" ]; }
stays() { find "$RUNROOT/net/plugins" -type f -path '*results/*' -o -type f -name '10.*'; }
left() { [ -z "$(stays)" ] && [ -z "$(ls "$RUNROOT/net/containers")" ]; }

is "network create" "$(pod network create --subnet 10.84.1.0/24 n1)" n1
check "its list is the user's" test -s "$conf/n1.conflist"
is "the default network" "$(pod network inspect podman --format '{{.NetworkInterface}}')" cni-podman0
# Only the plug-ins that every kernel serves: no iptables.
list() { printf '{"cniVersion": "0.4.0", "name": "%s", "plugins": [%s]}\n' "$1" "$2" >"$conf/$1.conflist"; }
list plain '{"type": "bridge", "bridge": "cnip", "isGateway": true, "ipMasq": false, "capabilities": {"ips": true}, "ipam": {"type": "host-local",
	"ranges": [[{"subnet": "10.84.2.0/24"}], [{"subnet": "fd84:2::/64"}]], "routes": [{"dst": "0.0.0.0/0"}]}}'
port=$(free_port)
pod run -d --name web --network plain:ip=10.84.2.9,ip=fd84:2::9 -p "127.0.0.1:$port:80" $box httpd -f -p 80 -h /www >/dev/null 2>"$WORLD/err" || cat "$WORLD/err"
is "addresses as they were asked for" "$(pod exec web ip -o addr show eth0 | grep -cE '10.84.2.9/24|fd84:2::9/64')" 2
is "inspect" "$(pod inspect web --format '{{.NetworkSettings.Networks.plain.IPAddress}} {{.NetworkSettings.Networks.plain.Gateway}}')" "10.84.2.9 10.84.2.1"
is "container to container" "$(pod run --rm --network plain $box timeout 20 wget -qO- http://10.84.2.9/)" "hello from pod"
is "a published port" "$(until_ok 20 curl -s -m 5 "http://127.0.0.1:$port/")" "hello from pod"
is "a port in use" "$(pod run --rm --network plain -p "127.0.0.1:$port:80" $box true 2>&1 | grep -c 'address already in use')" 1
check "leases and results are the user's own" grep -q plain <<<"$(stays)"
check "and not the system's" sh -c '! find /var/lib/cni -user "$(id -un)" 2>/dev/null | grep -q .'
list other '{"type": "bridge", "bridge": "cnio", "isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.84.3.0/24"}]]}}'
pod network connect other web
is "connect" "$(pod exec web ip -4 -o addr show eth1 | awk '{print $4}' | cut -d. -f1-3)" 10.84.3
pod network disconnect other web
is "disconnect" "$(pod exec web ip -o link | grep -c 'eth1')" 0
pod rm -f -t 0 web >/dev/null
check "leases and results are gone" until_ok 20 left
check "and the namespace" until_ok 20 gone
# Nobody tells the plug-ins while the namespace is there: afterwards the next command does.
pod run -d --name killed --network plain $box sleep 1000 >/dev/null
kill -9 "$(pod inspect killed --format '{{.State.ConmonPid}}')" "$(pod inspect killed --format '{{.State.Pid}}')"
until_ok 20 gone
pod rm -f killed >/dev/null 2>&1
check "a container that was killed leaves none either" until_ok 20 left

plugin() { printf '#!/bin/sh\ncat >/dev/null\n[ "$CNI_COMMAND" = ADD ] || exit 0\n%s\n' "$2" >"$WORLD/plugins/$1" && chmod +x "$WORLD/plugins/$1"; }
wrong() { # TEXT PATTERN LINES
	local said
	plugin bad "$3"
	list bad '{"type": "bridge", "bridge": "cnib", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.84.4.0/24"}]]}}, {"type": "bad"}'
	said=$(pod run --rm --network bad $box true 2>&1)
	if [ $? != 0 ] && grep -qE "$2" <<<"$said"; then ok "$1"; else not_ok "$1 ($said)"; fi
}
wrong "a plug-in that fails" 'cni plugin bad failed: no luck: today' 'echo "{\"code\": 7, \"msg\": \"no luck\", \"details\": \"today\"}"; exit 1'
DBUS_SYSTEM_BUS_ADDRESS=unix:path=/x wrong "the machine's firewalld is asked nothing" 'failed: unix:path=/dev/null' \
	'echo "{\"code\": 7, \"msg\": \"$DBUS_SYSTEM_BUS_ADDRESS\"}"; exit 1'
wrong "one that prints garbage" 'cni plugin bad' 'echo garbage'
wrong "one that says too much" 'said more than' 'head -c 3000000 /dev/zero'
check "nothing stays of them" until_ok 20 left
# The whole list that "network create" writes, where the kernel has what iptables wants.
if pod unshare --rootless-netns iptables -t nat -L -n >/dev/null 2>&1; then
	is "the list of network create" "$(pod run --rm --network n1 $box ip -4 -o addr show eth0 2>&1 | grep -c 'inet 10\.84\.1\.')" 1
else
	skip "the list of network create" "iptables does not work here"
fi
pod network rm n1 >/dev/null
check "network rm" test ! -e "$conf/n1.conflist"
check "the namespace goes" until_ok 20 gone
EOF2
