#!/bin/bash
# SPDX-License-Identifier: ISC
# Bridge networks of an ordinary user: one network namespace for all, with a way out, names and published ports.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null; then
	skip "bridge networks of an ordinary user" "pasta is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
worker() { pgrep -u "$(id -u)" -x pod-net-forward; }
helper() { pgrep -u "$(id -u)" -f 'helpers/rootless-netns$'; }
gone() { [ -z "$(worker)$(helper)" ] && [ -z "$(ls "$RUNROOT/net/helpers" "$RUNROOT/net/rootless.sock" 2>/dev/null | grep -v ':$')" ]; }

pod network create one >"$WORLD/out" 2>&1
is "a network can be made" "$(cat "$WORLD/out")" one
pod network create --ipv6 two >/dev/null
is "a container on a bridge network has an address of it" \
	"$(pod run --rm --network one $box ip -4 -o addr show eth0 | grep -c 'inet 10\.89\.')" 1
check "the namespace goes with the last container" until_ok 20 gone

pod run -d --name web --network one $box httpd -f -p 80 -h /www >/dev/null
pod run -d --name other --network one --network-alias nick $box sleep 1000 >/dev/null
is "there is one worker and one pasta" "$(worker | wc -l) $(helper | wc -l)" "1 1"
ip=$(pod inspect web --format '{{.NetworkSettings.Networks.one.IPAddress}}')
is "containers reach each other" "$(pod exec other timeout 20 wget -qO- "http://$ip/")" "hello from pod"
is "and by name" "$(pod exec other timeout 20 wget -qO- http://web/)" "hello from pod"
check "aliases too" sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' exec web nslookup nick.dns.podman | grep -q 'Name:.*nick'"
# Not its usual name, which a bridge of the host may have.
bridge=$(pod network inspect --format '{{.NetworkInterface}}' one)
is "pod unshare --rootless-netns sees the bridge" \
	"$(pod unshare --rootless-netns ip -o link show "$bridge" | grep -c ',UP')" 1
pod network connect two other
is "connect: the container has a second interface" "$(pod exec other ip -o link | grep -c 'eth[01]')" 2
pod run -d --name six --network two $box httpd -f -p 80 -h /www >/dev/null
ip6=$(pod inspect six --format '{{.NetworkSettings.Networks.two.GlobalIPv6Address}}')
is "IPv6 between containers" "$(pod exec other timeout 20 wget -qO- "http://[$ip6]/")" "hello from pod"
pod network disconnect two other
is "disconnect: it has one again" "$(pod exec other ip -o link | grep -c 'eth[01]')" 1

# Services of the host, which the container finds by name.
port=$(free_port)
mkdir "$WORLD/hostwww" && echo "the host" >"$WORLD/hostwww/index.html"
busybox httpd -f -p "$port" -h "$WORLD/hostwww" &
httpd=$!
is "host.containers.internal" "$(pod exec other timeout 20 wget -qO- "http://host.containers.internal:$port/")" "the host"
kill $httpd

pod rm -f -t 0 web other six >/dev/null
check "nothing is left after the last container" until_ok 20 gone

# Killed, and nobody cleans up.
pod run -d --name killed --network one $box sleep 1000 >/dev/null
kill -9 $(pgrep -u "$(id -u)" -x pod-monitor) $(pod inspect killed --format '{{.State.Pid}}')
check "nothing is left after everything was killed" until_ok 20 gone
pod rm -f killed >/dev/null 2>&1
pod run -d --name again --network one $box sleep 1000 >/dev/null
kill -9 $(worker)
is "without its worker the namespace stays" \
	"$(pod run --rm --network one $box ip -4 -o addr show eth0 | grep -c 'inet 10\.89\.')" 1
pod rm -f -t 0 again >/dev/null 2>&1
check "and goes" until_ok 20 gone
EOF2
