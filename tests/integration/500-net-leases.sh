#!/bin/bash
# SPDX-License-Identifier: ISC
# Addresses are given once, and come back whoever died: leases, crashes, namespaces whose number comes again.
. "$(dirname "$0")/../tap.sh"
BUILD=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
if [ "$(id -u)" != 0 ]; then
	skip "leases" "needs root"
	finish
fi
[ -n "${NET_TEST_INSIDE:-}" ] || NET_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"

dir=$(mktemp -d /tmp/podnet.XXXXXX) || exit 1
pids=()
at_end() {
	for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$dir"
}
trap at_end EXIT
ip link set lo up
conf=$dir/conf
mkdir -p "$conf"
P=$BUILD/bin/pod-net
drive() { "$BUILD/tests/net-drive" -d "$conf" "$@"; }
until_ok() {
	for _ in $(seq 400); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
	return 1
}
cat >"$conf/tiny.json" <<-END
	{"name": "tiny", "id": "$(printf tiny | sha256sum | cut -c1-64)", "driver": "bridge", "network_interface": "podlt0",
	 "subnets": [{"subnet": "10.97.1.0/29", "gateway": "10.97.1.1"}], "ipam_options": {"driver": "host-local"}}
END

# A container whose processes were all killed, of a run root that nobody looks at again.
"$BUILD/tests/net-drive" -d "$conf" -i dead -n tiny -a 10.97.1.2 "$P" "$dir/run1" sleep 1000 >"$dir/out" 2>&1 &
d=$!
pids+=("$d")
until_ok grep -q eth0 "$dir/out"
err=$(drive -n tiny -a 10.97.1.2 "$P" "$dir/run2" 2>&1)
is "an address in use is not given to another run root" "$err" \
	"Error: network tiny: IPAM error: requested ip address 10.97.1.2 is already allocated to container ID dead"
kids=$(cat /proc/$d/task/$d/children)
kill -9 $d $kids
wait $d 2>/dev/null
gone() { ! ip -o link | grep -q veth; }
check "its links vanish with its namespace" until_ok gone
check "its state is still there" test -e "$dir/run1/net/containers/dead"
is "its address is free again for who asks for it" "$(drive -n tiny -a 10.97.1.2 "$P" "$dir/run2")" "eth0 10.97.1.2/29"

# The same for the last addresses of a subnet.
for i in 2 3 4 5 6; do
	drive -q -k -i "d$i" -n tiny -a "10.97.1.$i" "$P" "$dir/run1" true
done
check "their links vanish" until_ok gone
is "five states stay" "$(find "$dir/run1/net/containers" -name 'd[2-6]' | wc -l)" 5
check "a subnet full of dead containers is not full" drive -q -n tiny "$P" "$dir/run2"

# Two namespaces, the second perhaps with the number of the first: what was held in the first is no matter.
inner() { # RUNROOT
	unshare -n sh -c 'ip link set lo up; exec "$@"' sh "$BUILD/tests/net-drive" -d "$conf" -k -i same -n tiny -a 10.97.1.3 \
		"$P" "$1" true
}
bad=0
for i in $(seq 12); do inner "$dir/ns$i" >/dev/null 2>"$dir/err" || { bad=$((bad + 1)); cat "$dir/err"; }; done
is "twelve namespaces one after the other give the same address" "$bad" 0
find /run/pod-net -type l -lname "$dir/*" -delete
finish
