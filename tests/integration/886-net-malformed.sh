#!/bin/bash
# SPDX-License-Identifier: ISC
# Malformed files of every kind that networks read: each costs a warning or one clear error, nobody hangs or crashes,
# other networks go on, and nothing is left.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
net_world "$@"
busybox_image localhost/one:1 >/dev/null
net create --subnet 10.84.1.0/24 good >/dev/null
left() { ls "$RUNROOT/net/containers" 2>/dev/null; pod ps -aq; find /run/pod-net "$RUNROOT/net" -type l -lname "$RUNROOT/*" 2>/dev/null; ip -o link | grep veth; }
clean() { [ -z "$(left)" ]; }
good=$CONF/good.json
# spoil NAME: reads the definition of "good" from standard input and changes it with jq; makes the file of NAME
spoil() { jq --arg n "$1" '.name = $n | .id = ("0" * 64) | .network_interface = "mal0" | .subnets[0].subnet = "10.84.2.0/24" | .subnets[0].gateway = "10.84.2.1"' "$good" | jq "$2" >"$CONF/$1.json"; }
# Each makes $CONF/bad.json.
kinds() {
	cat <<'KINDS'
empty|: >"$CONF/bad.json"
not JSON|echo nonsense >"$CONF/bad.json"
cut short|head -c 60 "$good" >"$CONF/bad.json"
another kind of JSON|echo '[1, 2]' >"$CONF/bad.json"
another name inside|cp "$good" "$CONF/bad.json"
bytes that are no text|head -c 4000 /dev/urandom >"$CONF/bad.json"
a NUL inside|spoil bad . && printf '\0' >>"$CONF/bad.json"
too large|{ spoil bad . && head -c 20000000 /dev/zero | tr '\0' ' ' >>"$CONF/bad.json"; }
too deep|{ printf '%s' '{"name":"bad","x":'; head -c 5000 /dev/zero | tr '\0' '['; } >"$CONF/bad.json"
doubled keys|printf '{"name":"bad","name":"bad","id":"%064d","driver":"bridge"}' 0 >"$CONF/bad.json"
a short ID|spoil bad '.id = "abc"'
no driver|spoil bad 'del(.driver)'
a driver that is a number|spoil bad '.driver = 7'
a subnet that is none|spoil bad '.subnets[0].subnet = "10.84.300.0/24"'
a gateway that is none|spoil bad '.subnets[0].gateway = "nonsense"'
a gateway outside|spoil bad '.subnets[0].gateway = "10.99.0.1"'
a lease range that is none|spoil bad '.subnets[0].lease_range = {start_ip: "x", end_ip: "y"}'
subnets that are no list|spoil bad '.subnets = "10.84.2.0/24"'
a route that is none|spoil bad '.routes = [{destination: "x", gateway: "10.84.2.1"}]'
a name server that is none|spoil bad '.network_dns_servers = ["nonsense\noptions x"]'
an option that is a list|spoil bad '.options = {mtu: []}'
an unknown option|spoil bad '.options = {colour: "blue"}'
an interface name that is a path|spoil bad '.network_interface = "../../etc/x"'
an interface name that is long|spoil bad '.network_interface = "abcdefghijklmnopqrst"'
an unknown driver|spoil bad '.driver = "nosuch"'
an unknown way of addresses|spoil bad '.ipam_options = {driver: "nosuch"}'
a thousand subnets|spoil bad '.subnets = [range(1000) | {subnet: "10.\(100 + . / 256 | floor).\(. % 256).0/24"}]'
a symbolic link|ln -s /etc/passwd "$CONF/bad.json"
a link to itself|ln -s bad.json "$CONF/bad.json"
a directory|mkdir "$CONF/bad.json"
a pipe that nobody writes to|mkfifo "$CONF/bad.json"
a device|mknod "$CONF/bad.json" c 1 5
a socket|perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$CONF/bad.json"
KINDS
}
while IFS='|' read -r kind make; do
	eval "$make"
	said=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" network ls -q 2>"$WORLD/err")
	listed="$? $(grep -cx good <<<"$said")"
	timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" run --rm --network bad localhost/one:1 true >"$WORLD/out" 2>&1
	st=$?
	case $st in 125 | 126 | 127) ran=refused ;; *) ran="status $st" ;; esac
	is "a definition: $kind" "$listed $ran $(grep -c '^Error: ' "$WORLD/out") $(wc -l <"$WORLD/out") $(until_ok 10 clean && echo clean)" "0 1 refused 1 1 clean"
	rm -rf "$CONF/bad.json"
done < <(kinds)
# What is wrong with it is the error of who names it, and a warning to others.
echo nonsense >"$CONF/bad.json"
for words in "inspect bad" "rm bad" "exists bad" "update --dns-add 192.0.2.1 bad"; do
	fails "network $words says why it is none" 125 '^Error: (inspecting object: network bad: )?reading network config file "bad.json": [^\n]*JSON' net $words
	is "network $words: once" "$(net $words 2>&1 >/dev/null | wc -l)" 1
done
fails "network ls warns of it" 0 'level=warning msg="Error reading network config file' net ls
is "pod-net alone: once" "$("$BIN/pod-net" --runroot "$RUNROOT" --network-config-dir "$CONF" inspect bad 2>&1 | grep -c bad.json)" 1
cp "$CONF/bad.json" "$CONF/podman.json"
is "the default network is there nevertheless" "$(net inspect podman 2>/dev/null | jq -r '.[0].subnets[0].subnet')" 10.88.0.0/16
rm "$CONF/bad.json" "$CONF/podman.json"
pod run -d --name good --network good localhost/one:1 sleep 1000 >/dev/null
spoil bad '.subnets[0] = {subnet: "10.84.1.128/25", gateway: "10.84.1.129"}'
fails "a definition: a subnet that overlaps another network's" 126 \
	'^Error: network bad: one of its subnets overlaps that of another network$' pod run --rm --network bad localhost/one:1 true
rm "$CONF/bad.json"
pod rm -f -t 0 good >/dev/null
check "nothing of it is left" until_ok 10 clean
is "beside them, all goes on" "$(pod run --rm --network good localhost/one:1 ip -4 -o addr show eth0 | grep -c 10.84.1)" 1

# --- what is too long or too much ----------------------------------------------------------------------------------
long=$(head -c 300 /dev/zero | tr '\0' x)
for words in "create $long" "create -d $long n" "create --interface-name $long n" "create --subnet $long n" "inspect $long" "rm $long" \
	"create --gateway $long --subnet 10.84.30.0/24 n" "create --route $long,10.1.1.1 --subnet 10.84.31.0/24 n" \
	"create$(printf ' --dns 10.1.1.%s' $(seq 70)) n"; do
	is "one error: network ${words%%"${long:0:20}"*}" "$(net $words 2>&1 >/dev/null | grep -cE '^Error: .*(longer than [0-9]+ bytes|more than 64 dns_servers)$') $(net $words 2>&1 >/dev/null | wc -l)" "1 1"
done
is "nothing of it is made" "$(net ls -q | sort | tr '\n' ' ')" "good podman "

# --- leases --------------------------------------------------------------------------------------------------------
pod run -d --name one --network good localhost/one:1 sleep 1000 >/dev/null
leases=$(dirname "$(find /run/pod-net -type l -lname "$RUNROOT/*" | head -n 1)")
next() { pod run --rm --network good localhost/one:1 ip -4 -o addr show eth0 2>&1 | sed -n 's/.*inet \(10\.84\.1\.[0-9]*\).*/\1/p'; }
got() { # TEXT: the next container has an address of its own
	local a
	a=$(timeout 30 bash -c "$(declare -f pod next); BIN='$BIN' ROOT='$ROOT' RUNROOT='$RUNROOT' CONF='$CONF'; next")
	if [ -n "$a" ] && [ "$a" != "$(pod inspect one --format '{{.NetworkSettings.Networks.good.IPAddress}}')" ]; then ok "$1"; else not_ok "$1 ($a)"; fi
}
head -c 300 /dev/urandom >"$leases/last"
got "a last address that is none"
rm -rf "$leases/last"
ln -s /nonsense "$leases/last"
got "one that leads elsewhere"
rm -rf "$leases/last"
mkdir "$leases/last"
got "one that is a directory"
rm -rf "$leases/last"
for i in 10 11 12; do : >"$leases/10.84.1.$i"; done
mkdir "$leases/10.84.1.13"
ln -s "10.84.1.14" "$leases/10.84.1.14"
ln -s relative/path "$leases/10.84.1.15"
ln -s /proc/self/root "$leases/nonsense"
got "addresses that are files, directories and loops"
rm -rf "$leases"/10.84.1.1[0-5] "$leases/nonsense"
# --- states ----------------------------------------------------------------------------------------------------------
state=$RUNROOT/net/containers/$(pod inspect one --format '{{.Id}}')
head -c 500 /dev/urandom >"$state"
bounded() { timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" "$@" >/dev/null 2>"$WORLD/err"; }
check "a state that is garbage: stop" bounded stop -t 0 one
check "start" bounded start one
is "it has a network" "$(pod exec one ip -4 -o addr show eth0 | grep -c 10.84.1)" 1
echo x >"$RUNROOT/net/containers/not-an-id"
pod rm -f -t 0 one >/dev/null
pod system prune -f >/dev/null 2>&1
rm -f "$RUNROOT/net/containers/not-an-id"
check "nothing is left" until_ok 10 clean
finish
