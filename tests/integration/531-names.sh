#!/bin/bash
# SPDX-License-Identifier: ISC
# Containers find each other by name: the DNS server's life, names, aliases, short IDs, live changes.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" != 0 ]; then
	skip "names of containers" "needs root"
	finish
fi
[ -n "${NET_TEST_INSIDE:-}" ] || NET_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"
ip link set lo up
world
# Servers of other tests are nobody's business here.
mkdir -p /run/pod-net
mount -t tmpfs -o mode=700 none /run/pod-net
mkdir "$WORLD/networks"
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$WORLD/networks" "$@"; }
busybox_image localhost/b >/dev/null
servers() { find /run/pod-net -name aardvark.pid | wc -l; }
# asked CONTAINER NAME [SERVER]: the addresses, or the error
asked() { pod exec "$1" nslookup "$2" ${3:+"$3"} 2>&1 | awk '/^Name:/ { on = 1 } on && /^Address/ { print $NF } /NXDOMAIN|REFUSED/ { print "none" }' | sort -u | tr '\n' ' ' | sed 's/ $//'; }

pod network create --subnet 10.96.1.0/24 n1 >/dev/null
pod network create --subnet 10.96.2.0/24 n2 >/dev/null
pod network create --subnet 10.96.3.0/24 --internal n3 >/dev/null
is "no server without containers" "$(servers)" 0
id=$(pod run -d --name c1 --network n1:alias=web,ip=10.96.1.10 localhost/b sleep 1000)
is "a container starts the server" "$(servers)" 1
pod run -d --name c2 --network n1 --network n2 localhost/b sleep 1000 >/dev/null
pod run -d --name c3 --network n2 --dns 10.96.2.1 localhost/b sleep 1000 >/dev/null
is "one server for all networks" "$(servers)" 1
is "resolv.conf names the gateway and the domain" "$(pod exec c1 cat /etc/resolv.conf | sort | tr '\n' ' ')" \
	"nameserver 10.96.1.1 search dns.podman "
is "a name" "$(asked c2 c1)" 10.96.1.10
is "an alias" "$(asked c2 web)" 10.96.1.10
is "a short ID" "$(asked c2 "${id:0:12}")" 10.96.1.10
is "the address back" "$(pod exec c2 nslookup 10.96.1.10 | grep -c 'name = c1')" 1
is "what is on another network is unknown" "$(asked c1 c3.dns.podman)" none
is "and its server does not speak with strangers" "$(asked c1 c3 10.96.2.1 | sort -u)" none
is "from both networks both are known" "$(asked c2 c3)" "$(pod inspect c3 --format '{{.NetworkSettings.Networks.n2.IPAddress}}')"

pod network connect --alias later n2 c1
is "a network joined later is known at once" "$(asked c3 later | grep -c 10.96.2)" 1
pod network disconnect n2 c1
is "and left" "$(asked c3 later.dns.podman)" none
pod stop -t 0 c1 >/dev/null
is "a stopped container has no name" "$(asked c2 c1.dns.podman)" none
pod start c1 >/dev/null
is "started again it has" "$(asked c2 c1)" 10.96.1.10

# The server is killed: the next container starts it again.
kill -9 "$(cat "$(find /run/pod-net -name aardvark.pid)")"
pod run -d --name c4 --network n3 localhost/b sleep 1000 >/dev/null
is "a server that was killed is started again" "$(asked c2 c1)" 10.96.1.10
is "on an internal network too" "$(asked c4 c4 | cut -d. -f1-3)" 10.96.3
pod rm -f -t 0 c1 c2 c3 c4 >/dev/null
until_none() { for _ in $(seq 200); do [ "$(servers)" = 0 ] && return; sleep 0.1; done; return 1; }
until_none
is "after the last container it has ended" "$?" 0
# The last container takes the directory of names away while the next one waits for its lock.
names=$(echo /run/pod-net/dns-*.lock)
mkdir "${names%.lock}"
# Its holder lives: in a PID namespace the list of locks has only those of living processes.
flock -x "$names" sleep 100 &
holder=$!
remember_pid $holder
locked() { ! flock -n "$names" true; }
until_ok 20 locked
pod run --name c6 --network n1 localhost/b true >"$WORLD/out" 2>&1 &
run=$!
remember_pid $run
waits() { grep -q -- "-> FLOCK.*:$(stat -c %i "$names") " /proc/locks; }
check "a container waits for the lock of names" until_ok 20 waits
rmdir "${names%.lock}"
pkill -P $holder sleep
wait $holder
wait $run
is "it starts though the directory has gone meanwhile" "$? $(cat "$WORLD/out")" "0 "
pod rm c6 >/dev/null
# Names that files of the directory have as well.
for name in aardvark.pid b.tmp-1; do
	pod network create --subnet 10.96.7.0/24 "$name" >/dev/null
	pod run -d --name c7 --network "$name" localhost/b sleep 1000 >/dev/null
	is "names on a network called $name" "$(asked c7 c7 | cut -d. -f1-3)" 10.96.7
	pod rm -f -t 0 c7 >/dev/null
	pod network rm "$name" >/dev/null
done
# A port that the kernel has not taken down yet.
pod network create --subnet 10.96.8.0/24 --interface-name late0 late >/dev/null
ip link add late0 type bridge
ip link add port0 type veth peer name port1
ip link set port0 master late0
(sleep 0.3 && ip link del port0) &
remember_pid $!
pod network rm late >/dev/null
is "a bridge goes with its network, after its last port" "$? $(ip link show late0 2>&1)" '0 Device "late0" does not exist.'
# The next network's bridge has the name of one that was to go in a moment.
pod network create --subnet 10.96.8.0/24 --interface-name next0 before >/dev/null
pod run --rm --network before localhost/b true
pod network rm before >/dev/null
pod network create --subnet 10.96.9.0/24 --interface-name next0 after >/dev/null
pod run -d --name c7 --network after localhost/b sleep 1000 >/dev/null
ip link set "$(ip -o link show master next0 | awk -F '[ :@]+' '{ print $2 }')" nomaster
gone() { ! ip link show next0 >/dev/null 2>&1; }
check "a bridge does not go for one of the same name that was there before" eval '! until_ok 2 gone'
# A definition written by hand has the same bridge.
jq '.name = "same" | .id = ("1" + .id[1:]) | .subnets = [{"subnet": "10.96.10.0/24", "gateway": "10.96.10.1"}]' \
	"$WORLD/networks/after.json" >"$WORLD/networks/same.json"
pod network rm same >/dev/null
check "nor with another network of the same bridge" eval '! gone'
pod rm -f -t 0 c7 >/dev/null
pod network rm after >/dev/null
until_none
is "and then the server ends too" "$?" 0
# Another program has the port.
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 53)); time.sleep(60)' &
remember_pid $!
taken() { ss -Hlnu | grep -q "0.0.0.0:53 "; }
until_ok 20 taken
err=$(pod run --rm --name c5 --network n1 localhost/b true 2>&1)
is "a port that is taken is one clear error" "$? $(echo "$err" | grep -c 'aardvark-dns failed to start')" "126 1"
is "and nothing stays" "$(servers) $(pod ps -aq | wc -l)" "0 0"
# Which dns_bind_port is for: containers ask port 53 all the same.
printf '[network]\ndns_bind_port = 1053\n' >"$WORLD/containers.conf"
export CONTAINERS_CONF=$WORLD/containers.conf
pod network create --subnet 10.96.4.0/24 --subnet fd96:4::/64 n4 >/dev/null
pod run -d --name c6 --network n4:ip=10.96.4.6 --network n3:ip=10.96.3.3 localhost/b sleep 1000 >/dev/null
is "dns_bind_port: asked on port 53" "$(asked c6 c6 10.96.4.1)" "10.96.3.3 10.96.4.6 fd96:4::2"
is "by IPv6" "$(asked c6 c6 fd96:4::1)" "10.96.3.3 10.96.4.6 fd96:4::2"
is "by TCP" "$(nsenter -n -t "$(pod inspect -f '{{.State.Pid}}' c6)" dig +tcp +short +time=3 +tries=1 @10.96.4.1 c6.dns.podman | sort | xargs)" "10.96.3.3 10.96.4.6"
is "on an internal network" "$(asked c6 c6 10.96.3.1)" "10.96.3.3 10.96.4.6 fd96:4::2"
nft flush ruleset
pod network reload -a >/dev/null
is "also after a reload" "$(asked c6 c6 10.96.4.1)" "10.96.3.3 10.96.4.6 fd96:4::2"
pod rm -f -t 0 c6 >/dev/null
until_none
pod network rm n4 >/dev/null
is "nothing of it stays" "$(nft list ruleset | grep -c 10.96.4)" 0
printf '[network]\ndns_bind_port = 77777\n' >"$WORLD/containers.conf"
err=$(pod run --rm --network n1 localhost/b true 2>&1)
is "a port that is none" "$? $(echo "$err" | grep -c 77777)" "125 1"
finish
