#!/bin/bash
# SPDX-License-Identifier: ISC
# What a container cannot reach, even one with all capabilities; and what it can; many at once.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
net create --subnet 10.83.1.0/24 open >/dev/null
net create --subnet 10.83.2.0/24 -o isolate=true iso1 >/dev/null
net create --subnet 10.83.3.0/24 -o isolate=true iso2 >/dev/null
net create --subnet 10.83.4.0/24 -o isolate=strict strict >/dev/null
net create --subnet 10.83.5.0/24 --internal shut >/dev/null
# Containers that come and go one after the other: the rules of the last one are not swept away under the next.
swept=0 tables=()
for i in 1 2 3 4 5 6; do
	pod run --rm --network shut localhost/one:1 true
	pod run --rm --network open -p 127.0.0.1:18537:80 localhost/one:1 true
	pod run -d --name next --network shut --network open localhost/one:1 sleep 100 >/dev/null
	rules=$(nft -a list ruleset)
	[[ $rules =~ set\ subnets4\ [^}]*elements.*10.83.1.0/24 ]] || swept=$((swept + 1))
	[[ $rules =~ set\ internal\ [^}]*elements ]] || swept=$((swept + 1))
	tables+=("$(sed -n 's/^table inet pod.*handle //p' <<<"$rules")")
	pod rm -f -t 0 next >/dev/null
done
is "networks of short-lived containers stay masqueraded and closed" "$swept" 0
# It stays for a moment only, in which a slow machine starts nothing.
if [ "${POD_TEST_SLOW:-1}" = 1 ]; then
	is "in one table" "$(printf '%s\n' "${tables[@]}" | sort -u | wc -l)" 1
else
	skip "in one table" "the machine is slow"
fi
no_rules() { [ -z "$(nft list ruleset)" ]; }
check "that goes when nobody has used it for a moment" until_ok 20 no_rules
for n in open iso1 iso2 strict shut; do httpd "on-$n" --network $n --privileged >/dev/null; done
httpd published --network open -p 127.0.0.1:18538:80 >/dev/null
ip_of() { pod inspect "on-$1" | jq -r ".[0].NetworkSettings.Networks.$1.IPAddress"; }
for n in open iso1 iso2 strict; do until_ok 20 get -o /dev/null "http://$(ip_of $n)/"; done
reaches() { inside "on-$1" curl -s -m "$limit" -o /dev/null "http://$(ip_of "$2")/"; }
while read -r from to wanted; do
	# One that is let through may take its time.
	limit=1
	[ "$wanted" = no ] || limit=15
	if reaches "$from" "$to"; then got=yes; else got=no; fi
	is "$from to $to: $wanted" "$got" "$wanted"
done <<-END
	open iso1 yes
	iso1 open yes
	iso1 iso2 no
	iso2 iso1 no
	strict open no
	strict iso1 no
	open strict no
	open shut no
	shut open no
	shut strict no
END
pod run -d --name peer --network shut localhost/one:1 sleep 100 >/dev/null
is "within an internal network" "$(inside peer curl -s -m 15 "http://$(ip_of shut)/")" "page of on-shut"
ip link add outer type veth peer name outer1
ip addr add 192.0.2.1/24 dev outer
ip link set outer up
ip link set outer1 up
inside on-shut curl -s -m 1 -o /dev/null http://192.0.2.1/ && not_ok "internal: not the outside" || ok "internal: not the outside"

# One-way datagrams into a closed network would be enough for harm.
harm() { # FROM TO: a datagram to a port of TO, which answers; what came there
	inside "on-$2" timeout $((5 * ${POD_TEST_SLOW:-1})) "$BUILD/tests/net-drive" udp-echo 9 &
	local echo=$!
	until_ok 20 listens "$2"
	inside "on-$1" timeout $((2 * ${POD_TEST_SLOW:-1})) "$BUILD/tests/net-drive" udp-ask "$(ip_of "$2")" 9 harm
	inside "on-$2" ss -Hlun sport = 9 | awk '{ print "waiting" }'
	kill $echo 2>/dev/null
	wait $echo
}
listens() { inside "on-$1" ss -Hlun sport = 9 | grep -q .; }
is "a datagram reaches an open network" "$(harm iso1 open 2>/dev/null)" harm
is "none reaches an internal network" "$(harm open shut 2>/dev/null)" waiting
is "nor one that is isolated from its network" "$(harm iso2 iso1 2>/dev/null)" waiting

# The host's loopback, which publishing on 127.0.0.1 must not open: packets made by hand, with a route of the
# container's own making.
echo "host secret" >"$WORLD/secret.html"
busybox httpd -p 127.0.0.1:18539 -h "$WORLD" -f >/dev/null 2>&1 &
remember_pid $!
until_ok 20 get http://127.0.0.1:18539/secret.html >/dev/null
gw=10.83.1.1
inside on-open sh -c "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip addr del 127.0.0.1/8 dev lo;
	ip rule add pref 0 to 127.0.0.0/8 lookup 99; ip route add 127.0.0.0/8 via $gw dev eth0 src $(ip_of open) table 99 2>/dev/null ||
	ip route add 127.0.0.1/32 via $gw dev eth0" >/dev/null 2>&1
said=$(inside on-open curl -s -m 2 http://127.0.0.1:18539/secret.html)
is "the host's loopback is closed" "$said" ""
check "by a rule that says so" sh -c 'nft list ruleset | grep -q "open the host.s loopback to bridges"'

# Many at once on one network: as many addresses.
net create --subnet 10.83.16.0/22 many >/dev/null
count=${NET_TEST_MANY:-200}
began=$SECONDS
starts=()
for i in $(seq "$count"); do pod run -d --network many localhost/one:1 sleep 600 >/dev/null 2>>"$WORLD/err" & starts+=($!); done
wait "${starts[@]}"
is "$count parallel starts get $count addresses" \
	"$(net inspect many | jq -r '.[0].containers[].interfaces[].subnets[].ipnet' | sort -u | wc -l)" "$count"
check "in time ($((SECONDS - began)) s)" [ $((SECONDS - began)) -le 200 ]
finish
