#!/bin/bash
# SPDX-License-Identifier: ISC
# Directories of leases and locks of names that dead network namespaces left behind are swept, and no others; so are rules.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
mkdir -p /run/pod-net
mount -t tmpfs -o mode=755 none /run/pod-net
boot=$(tr -d - </proc/sys/kernel/random/boot_id | cut -c1-16)
# dead NAME: what a namespace of that name would leave
dead() {
	mkdir -p "/run/pod-net/leases-$1/10.84.1.0_24"
	touch -d '2 hours ago' "/run/pod-net/leases-$1/lock" "/run/pod-net/dns-$1.lock"
}
dead "$boot-fffff1"
ln -s "$WORLD/no-such-state" "/run/pod-net/leases-$boot-fffff1/10.84.1.0_24/10.84.1.7"
dead "$boot-fffff2"
ln -s "$WORLD" "/run/pod-net/leases-$boot-fffff2/10.84.1.0_24/10.84.1.7"
dead "$boot-fffff3"
touch "/run/pod-net/leases-$boot-fffff3/lock"
dead "$boot-fffff4"
flock "/run/pod-net/leases-$boot-fffff4/lock" sleep 100 &
remember_pid $!
remember_pid "$(until_ok 20 pgrep -P $! -x sleep)"
dead 0123456789abcdef-5
net create --subnet 10.84.1.0/24 n1 >/dev/null
pod run -d --name one --network n1 localhost/one:1 sleep 1000 >/dev/null
held() { ! flock -n "/run/pod-net/leases-$boot-fffff4/lock" true; }
until_ok 20 held
own=$(ls -d /run/pod-net/leases-* | grep -vE 'fffff|0123456789abcdef')
pod system prune -f >/dev/null 2>&1
left() { ls /run/pod-net | sed -n "s/^$1-.*fffff/x/p" | tr '\n' ' '; }
is "what holds something, was used a moment ago or is in use stays" "$(left leases)" "x2 x3 x4 "
is "the locks of names go with it" "$(left dns)" "x2.lock x3.lock x4.lock "
check "all of another boot goes" [ -z "$(ls -d /run/pod-net/*0123456789abcdef* 2>/dev/null)" ]
check "a container's own stays" test -e "$own/10.84.1.0_24"
# The own one, as another namespace's sweep would take it.
pod rm -f -t 0 one >/dev/null
empty() { [ -z "$(ls "$RUNROOT/net/containers")" ]; }
until_ok 20 empty
rm -r "$own"
is "and is made again" "$(pod run --rm --network n1 localhost/one:1 ip -4 -o addr show eth0 | grep -c 10.84.1)" 1

# Who waits for the network to be unused, and takes the rules away then, may be killed.
waiting() {
	local pid
	for pid in $(pgrep '^pod-net$'); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] || echo "$pid"
	done
}
alone() { [ -z "$(waiting)" ]; }
until_ok 20 alone
pod run --rm -p 127.0.0.1::80 localhost/one:1 true
kill -KILL $(waiting)
until_ok 20 alone
is "its rules stay with it, until a prune" \
	"$(nft list tables | grep -c ' pod_') $(pod system prune -f >/dev/null; nft list tables | grep -c ' pod_')" "1 0"
is "and the next container has them" "$(pod run -d --name second -p 127.0.0.1::80 localhost/one:1 sleep 1000 >/dev/null; nft list tables | grep -c ' pod_')" 1
pod system prune -f >/dev/null
is "which a prune leaves alone" "$(nft list ruleset | grep -c 'comment "[^"]*second')" 1
pod rm -f -t 0 second >/dev/null

# So does the bridge of one network while another is in use, and what the rules have of it.
bridges() { ip -o link show type bridge | grep -c .; }
rules() { nft list ruleset | grep -c '10[.]88[.]0[.]0/16'; }
until_ok 20 alone
net create --subnet 10.84.1.0/24 n1 >/dev/null
pod run -d --name third --network n1 localhost/one:1 sleep 1000 >/dev/null
until_ok 20 alone
pod run --rm localhost/one:1 true
kill -KILL $(waiting)
until_ok 20 alone
is "a network's bridge stays with it" "$(bridges) $([ "$(rules)" -gt 0 ] && echo rules)" "2 rules"
is "a prune takes it, and its rules" "$(pod system prune -f >/dev/null; until_ok 20 alone; bridges; rules)" "1
0"
pod rm -f -t 0 third >/dev/null
until_ok 20 alone
is "and nothing is noted any more" "$(bridges) $(ls "$RUNROOT"/net | grep ^left-)" "0 "
finish
