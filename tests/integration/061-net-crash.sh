#!/bin/bash
# SPDX-License-Identifier: ISC
# Many set-ups at once never share an address, and what SIGKILL leaves, a sweep removes.
. "$(dirname "$0")/../tap.sh"
BUILD=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
if [ "$(id -u)" != 0 ]; then
	skip "parallel set-ups" "needs root"
	finish
fi
[ -n "${NET_TEST_INSIDE:-}" ] || NET_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"

dir=$(mktemp -d /tmp/podnet.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
ip link set lo up
run=$dir/run
P=$BUILD/bin/pod-net
drive() { "$BUILD/tests/net-drive" "$@"; }
drive_on() { exec "$BUILD/tests/net-drive" "$@"; } # in the background: its process is the driver's
leases=/run/pod-net
many=${NET_TEST_MANY:-200}

# All hold their address until the pipe is closed.
mkfifo "$dir/hold"
exec 9<>"$dir/hold"
pids=()
for i in $(seq "$many"); do
	drive_on -p $((30000 + i)):80 "$P" "$run" sh -c "read x <$dir/hold" >"$dir/out.$i" 2>&1 &
	pids+=($!)
done
for _ in $(seq 300); do
	n=$(cat "$dir"/out.* | grep -c '^eth0')
	[ "$n" = "$many" ] && break
	sleep 0.2
done
is "$many set-ups at once succeed" "$n" "$many"
is "with distinct addresses" "$(cat "$dir"/out.* | sed -n 's/^eth0 //p' | sort -u | wc -l)" "$many"
is "and distinct leases" "$(find "$leases" -type l -lname "$run/*" | wc -l)" "$many"
is "each with its port" "$(nft list ruleset | grep -o 'tcp . 30[0-9]* comment' | sort -u | wc -l)" "$many"
for i in $(seq "$many"); do echo >&9; done
wait "${pids[@]}"
# A namespace's veth goes with its last process, so the kernel gets a moment.
nothing() { # PORTS: no lease, no port of these, no link
	[ -z "$(find "$leases" -type l -lname "$run/*"; nft list ruleset | grep "tcp . $1"; ip -o link | grep -E 'veth|podman0')" ]
}
until_nothing() { for _ in $(seq 100); do nothing "$1" && return; sleep 0.2; done; }
until_nothing 30
is "afterwards no lease stays" "$(find "$leases" -type l -lname "$run/*" | wc -l)" 0
is "no port" "$(nft list ruleset | grep -c comment.*30)" 0
is "and no link" "$(ip -o link | grep -cE 'veth|podman0')" 0

rounds=${NET_TEST_KILLS:-60} bad=0
for i in $(seq "$rounds"); do
	drive_on -p $((31000 + i % 5)):80 "$P" "$run" true >/dev/null 2>&1 &
	d=$!
	# From before the first system call to after the last.
	sleep "0.0$(printf '%02d' $((RANDOM % 25)))"
	h=$(cat /proc/$d/task/$d/children 2>/dev/null)
	if [ $((i % 2)) = 0 ]; then
		kill -9 $d $h 2>/dev/null
	else
		kill -9 $h 2>/dev/null
		kill -9 $d 2>/dev/null
	fi
	wait $d 2>/dev/null
	# The next must not stumble over the remains.
	if [ $((i % 10)) = 0 ]; then
		# A process that was killed amid a system call ends after it.
		for _ in $(seq 100); do drive -q -p $((31000 + i % 5)):80 "$P" "$run" true && continue 2; sleep 0.2; done
		bad=$((bad + 1))
	fi
done
is "after $rounds kills set-ups still work" "$bad" 0
drive -s "$P" "$run"
is "a sweep succeeds" $? 0
# What was killed amid a system call may end after that.
for _ in $(seq 100); do
	nothing 31 && [ -z "$(find "$run/net/containers" -type f)" ] && break
	sleep 0.2
	drive -s "$P" "$run"
done
is "swept: leases" "$(find "$leases" -type l -lname "$run/*" | wc -l)" 0
is "swept: states" "$(find "$run/net/containers" -type f | wc -l)" 0
is "swept: ports" "$(nft list ruleset | grep -c 'tcp . 31')" 0
is "swept: links" "$(ip -o link | grep -cE 'veth|podman0')" 0

# A sweep leaves alone what runs and what is being set up.
drive_on -i running -p 31100:80 "$P" "$run" sh -c "read x <$dir/hold" >"$dir/running" 2>&1 &
r=$!
for _ in $(seq 400); do grep -q eth0 "$dir/running" && break; sleep 0.05; done
drive -s "$P" "$run"
check "a container being set up is not swept" test -e "$run/net/containers/running"
kill -9 $r
wait $r 2>/dev/null
"$P" --runroot "$run" sweep running
check "nor is one that is listed" test -e "$run/net/containers/running"
for _ in $(seq 100); do
	"$P" --runroot "$run" sweep
	[ -e "$run/net/containers/running" ] || break
	sleep 0.2
done
check "one that is not goes" test ! -e "$run/net/containers/running"
is "with its port" "$(nft list ruleset | grep -c 'tcp . 31100')" 0

# A leftover port of a killed container does not hinder the next one, and is not taken down by its sweep.
drive -i first -p 31200:80 "$P" "$run" sh -c 'kill -9 $PPID' >/dev/null 2>&1
# The helper of the first ends after its driver, and may hold the port until then.
for _ in $(seq 100); do
	: >"$dir/second"
	drive_on -i second -p 31200:80 "$P" "$run" sh -c "read x <$dir/hold" >"$dir/second" 2>&1 &
	r=$!
	until grep -q eth0 "$dir/second" || ended "$r"; do sleep 0.05; done
	grep -q eth0 "$dir/second" && break
	wait $r
	sleep 0.2
done
"$P" --runroot "$run" sweep second
is "a sweep of the old owner leaves the port of the new one" "$(nft list ruleset | grep -c 'tcp . 31200 comment "second')" 1
echo >&9
wait $r
"$P" --runroot "$run" sweep
finish
