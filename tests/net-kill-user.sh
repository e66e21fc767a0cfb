#!/bin/bash
# SPDX-License-Identifier: ISC
# net-kill-user.sh ROUNDS: as net-kill.sh, for an ordinary user's bridges: commands, their helpers, and the worker that
# keeps the user's network namespace are killed at random moments.
. "$(dirname "$0")/lib.sh"
if ! command -v pasta >/dev/null; then
	skip "kills in the networks of an ordinary user" "pasta is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
echo "rounds=${1:-50} RANDOM=${SEED:=$$}" >"$WORLD/head.sh"
echo "# seed $SEED"
cat - <<'EOF2' >"$WORLD/rest.sh"
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
port=$(free_port)
me=$(id -u)
pod network create --subnet 10.84.1.0/24 --subnet fd84:1::/64 kill1 >/dev/null
pod network create --subnet 10.84.2.0/24 -o isolate=true kill2 >/dev/null
pod run -d --name keeper --network kill1 -p "127.0.0.1:$port:80" $box httpd -f -p 80 -h /www >/dev/null
one_of() {
	local first
	first=$(pod ps -q --filter name=part | shuf -n 1)
	case $1 in
	0) set -- run --rm --network kill1 -p 127.0.0.1::80 $box sh -c 'sleep 0.05' ;;
	1) set -- run -d --name "part$RANDOM" --network kill1 --network kill2 -p 127.0.0.1::80 -p 127.0.0.1::53/udp $box sleep 100 ;;
	2) set -- network connect --alias again kill2 "${first:-keeper}" ;;
	3) set -- network disconnect kill2 "${first:-keeper}" ;;
	4) set -- rm -f -t 0 --filter name=part ;;
	5) set -- network reload -a ;;
	6) set -- run --rm --network kill2 --network kill1 $box true ;;
	esac
	exec setsid "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" >/dev/null 2>&1
}
for i in $(seq "$rounds"); do
	(one_of $((RANDOM % 7))) &
	job=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	case $((RANDOM % 3)) in
	0) kill -KILL -- "-$job" 2>/dev/null ;;
	1) victim=$(pgrep -P "$job" 2>/dev/null | shuf -n 1) && kill -KILL "$victim" 2>/dev/null ;;
	2) kill -KILL $(pgrep -u "$me" -x pod-net-forward) 2>/dev/null ;;
	esac
	wait "$job" 2>/dev/null
	probe "$i" "a start" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network kill1 -p 127.0.0.1::80 $box nslookup keeper
	probe "$i" "the port of another one" curl -s -f -m 10 "http://127.0.0.1:$port/"
done
is "after each of $rounds kills others are reached by port and name, and starts work" "$broken" 0
pod rm -f -a -t 0 >/dev/null 2>&1
pod network rm -f kill1 kill2 >/dev/null 2>&1
pod system prune -f >/dev/null 2>&1
# pod's own pause process keeps the user's namespaces.
processes() { pgrep -u "$me" -fl 'pod-|pasta' | grep -v pause | sort; }
quiet() { [ -z "$(processes)" ]; }
until_ok 20 quiet
is "no process stays" "$(processes)" ""
is "no namespace" "$(ls "$RUNROOT/net" | grep rootless.s)" ""
is "no state" "$(find "$RUNROOT/net/containers" "$RUNROOT/containers" -mindepth 1 2>/dev/null)" ""
is "no lease" "$(find "$RUNROOT/net" -type l 2>/dev/null)" ""
is "no helper" "$(ls "$RUNROOT/net/helpers")" ""
EOF2
cat "$WORLD/head.sh" "$WORLD/rest.sh" >"$WORLD/part.sh"
user_part <"$WORLD/part.sh"
