#!/bin/bash
# SPDX-License-Identifier: ISC
# net-kill.sh ROUNDS: starts run, network connect, disconnect, create, rm or reload on bridges with names and published
# ports, and after a random time SIGKILLs its process group or one of its helpers.  After each round a container that
# nobody touched is still reached by its port and its name, and another one can be started; at the end, after one
# system prune, no rule, link, lease, namespace, name or process is left.  SEED repeats a run.
. "$(dirname "$0")/lib.sh"
. "$LIB_DIR/net.sh"
net_world "$@"
rounds=${1:-50}
RANDOM=${SEED:=$$}
echo "# seed $SEED"
img=localhost/one:1
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }
port=$(free_port)
net create --subnet 10.84.1.0/24 --subnet fd84:1::/64 --interface-name kill1 kill1 >/dev/null
net create --subnet 10.84.2.0/24 --interface-name kill2 -o isolate=true kill2 >/dev/null
httpd keeper --network kill1 -p "127.0.0.1:$port:80" >/dev/null
names=$(dirname "$(grep -l "$(pod inspect -f '{{.Id}}' keeper)" /run/pod-net/dns-*/kill1)")
keeper_ns=$(readlink "/proc/$(pod inspect -f '{{.State.Pid}}' keeper)/ns/net")

# one_of NUMBER: a command, as the group of its own
one_of() {
	local first
	first=$(pod ps -q --filter name=part | shuf -n 1)
	case $1 in
	0) set -- run --rm --network kill1 -p 127.0.0.1::80 $img sh -c 'sleep 0.05' ;;
	1) set -- run -d --name "part$RANDOM" --network kill1 --network kill2 -p 127.0.0.1::80 -p 127.0.0.1::53/udp $img sleep 100 ;;
	2) set -- run -d --name "part$RANDOM" --network kill1:alias=other -p "[::1]:$((port + 1)):80" $img sleep 100 ;;
	3) set -- network connect --alias again kill2 "${first:-keeper}" ;;
	4) set -- network disconnect kill2 "${first:-keeper}" ;;
	5) set -- rm -f -t 0 --filter name=part ;;
	6) set -- network reload -a ;;
	7) set -- run --rm --network kill2 --network kill1 $img true ;;
	8) set -- network create --subnet 10.84.3.0/24 kill3 ;;
	9) set -- network rm -f -t 0 kill3 ;;
	esac
	exec setsid "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" "$@" >/dev/null 2>&1
}

words=("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF")
for i in $(seq "$rounds"); do
	(one_of $((RANDOM % 10))) &
	job=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	if [ $((RANDOM % 2)) = 0 ]; then
		kill -KILL -- "-$job" 2>/dev/null
	else
		victim=$(pgrep -P "$job" 2>/dev/null | shuf -n 1)
		[ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null
	fi
	wait "$job" 2>/dev/null
	probe "$i" "the port of another one" curl -s -f -m 5 "http://127.0.0.1:$port/"
	probe "$i" "a start" "${words[@]}" run --rm --network kill1 -p 127.0.0.1::80 $img \
		nslookup keeper
done
is "after each of $rounds kills others are reached by port and name, and starts work" "$broken" 0
is "the one that nobody touched has its namespace" \
	"$(readlink "/proc/$(pod inspect -f '{{.State.Pid}}' keeper)/ns/net")" "$keeper_ns"

processes() { pgrep -fa "$RUNROOT" | grep -vE 'pgrep|kill.sh' | sed 's/^[0-9]* //' | sort; }
namespaces() { # network namespaces that other processes than ours here are not in
	local own pid
	own=$(readlink /proc/self/ns/net)
	for pid in $(pgrep -f "$RUNROOT"); do readlink "/proc/$pid/ns/net"; done | sort -u | grep -vF "$own"
}
pod rm -f -a -t 0 >/dev/null 2>&1
pod network rm -f kill1 kill2 kill3 >/dev/null 2>&1
pod system prune -f >/dev/null 2>&1
quiet() {
	[ -z "$(processes)" ] && [ -z "$(nft list tables)" ] && ! ip -o link | grep -qE 'kill[0-9]|veth'
}
until_ok 5 quiet
is "no process stays" "$(processes)" ""
is "no network namespace" "$(namespaces)" ""
is "no rule" "$(nft list ruleset)" ""
is "no link" "$(ip -o link | grep -vE '^[0-9]+: lo:|sit0|tunl0|ip6')" ""
is "no lease" "$(find /run/pod-net "$RUNROOT/net" -type l -lname "$RUNROOT/*" 2>/dev/null)" ""
is "no state" "$(find "$RUNROOT/net/containers" "$RUNROOT/containers" -mindepth 1 2>/dev/null)" ""
is "no name" "$(ls "$names" 2>/dev/null)" ""
is "no definition" "$(ls "$CONF")" ""
finish
