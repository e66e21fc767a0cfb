#!/bin/bash
# SPDX-License-Identifier: ISC
# make bench: times of the commands people wait for, beside podman (where installed) and the bare runtime, in one run.
# Wall times are medians with idle gaps of 100 ms; CPU is user and system time of the command and of helpers
# that outlive it by up to 2 s.  Root only.
# BENCH=word runs only the parts whose name holds the word.  Podman's networks are netavark's where that is installed or
# apt has it, which is only unpacked here: installed it would change what every podman of this machine does; else CNI's.
. "$(dirname "$0")/lib.sh"
. "$LIB_DIR/registry.sh"
[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
helpers_in() { [ -x "$1/netavark" ] && [ -x "$1/aardvark-dns" ]; }
peer_helpers=
for dir in /usr/lib/podman /usr/libexec/podman; do
	if helpers_in $dir; then peer_helpers=$dir; fi
done
# The last moment with a way out.
if [ -z "${BENCH_PRIVATE:-}$peer_helpers" ] && command -v podman >/dev/null; then
	BENCH_FETCHED=$(mktemp -d /tmp/podbench.XXXXXX) && export BENCH_FETCHED
	(cd "$BENCH_FETCHED" && timeout 30 apt-get download netavark aardvark-dns >/dev/null 2>&1)
fi
# Private namespaces: what is mounted here, and the links and addresses, are nobody else's.
[ -n "${BENCH_PRIVATE:-}" ] || BENCH_PRIVATE=1 exec unshare -m -n --propagation private bash "$0" "$@"
ip link set lo up
# As on any host: /run is no disk.
mount -t tmpfs -o mode=755 none /run
world
at_end() {
	pod rm -f -a -t 0 >/dev/null 2>&1
	[ -z "${have_peer:-}" ] || peer rm -f -a -t 0 >/dev/null 2>&1
	[ ! -s "$WORLD/peer-run/networks/aardvark-dns/aardvark.pid" ] || kill "$(cat "$WORLD/peer-run/networks/aardvark-dns/aardvark.pid")"
	# What is just ending may still be in there.
	umount -l "$WORLD/fs-ext4" "$WORLD/tmpfs" "$WORLD/logs" "$RUNROOT" "$WORLD/peer-run" 2>/dev/null
}
mkdir -p "$RUNROOT" "$WORLD/peer-run"
mount -t tmpfs -o mode=700 none "$RUNROOT"
mount -t tmpfs -o mode=700 none "$WORLD/peer-run"
runs=${RUNS:-20} timing=$BUILD/tests/timing
img=localhost/bench
have_peer= peer_conf= peer_name=podman
command -v podman >/dev/null && have_peer=1
# as_peer COMMAND...: with the peer's configuration, where it has one of its own
as_peer() { if [ -n "$peer_conf" ]; then CONTAINERS_CONF=$peer_conf "$@"; else "$@"; fi; }
peer_words=(podman --root "$WORLD/peer" --runroot "$WORLD/peer-run" --cgroup-manager cgroupfs)
peer() { as_peer "${peer_words[@]}" "$@"; }
# What was fetched is the peer's, in its own configuration only.
unpack() {
	local package
	mkdir "$WORLD/helpers"
	for package in "$BENCH_FETCHED"/*.deb; do dpkg-deb -x "$package" "$WORLD/helpers" || break; done
	rm -rf "$BENCH_FETCHED"
	helpers_in "$WORLD/helpers/usr/lib/podman" || return
	peer_helpers=$WORLD/helpers/usr/lib/podman peer_conf=$WORLD/peer.conf
	cat >"$peer_conf" <<-END
		[network]
		network_backend = "netavark"
		network_config_dir = "$WORLD/peer-networks"
		[engine]
		helper_binaries_dir = ["$peer_helpers", "/usr/lib/podman", "/usr/libexec/podman"]
	END
}
if [ -n "${BENCH_FETCHED:-}" ] && ! unpack 2>/dev/null; then
	echo "# netavark and aardvark-dns are not to be had: the peer's networks are those it has by itself"
fi

# The peer asks for more than a caller without CAP_SYS_RESOURCE may have.
limits="--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"

wanted() { case $1 in *"${BENCH:-}"*) return 0 ;; *) return 1 ;; esac; }
# row NAME BUDGET POD-LINE [PEER-LINE]: each line is "median p10 p90 cpu per-second"
row() {
	awk -v name="$1" -v budget="$2" -v a="$3" -v b="${4:-}" -v peer="$peer_name" 'BEGIN {
		split(a, x, " "); n = split(b, y, " ")
		printf "%-34s pod %8.1f ms (p10 %.1f, cpu %.1f)", name, x[1], x[2], x[4]
		if (n) printf "   %s %8.1f ms (cpu %.1f)   ratio %.2f, cpu %.2f", peer, y[1], y[4], x[1] / y[1], y[4] ? x[4] / y[4] : 0
		printf "   budget %s\n", budget }'
}
t() { "$timing" -n "$runs" -g 100 "$@"; }
pod_words=("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT")
both() { # NAME BUDGET WORDS...
	local name=$1 budget=$2 a b=
	shift 2
	wanted "$name" || return 0
	a=$(t "${pod_words[@]}" "$@") || return 1
	[ -n "$have_peer" ] && b=$(as_peer t "${peer_words[@]}" "$@")
	row "$name" "$budget" "$a" "$b"
}

busybox_image $img >/dev/null || exit 1
if [ -n "$have_peer" ]; then
	# podman refuses the v2 hierarchy of a hybrid host only through crun; a private mount namespace hides it.
	umount /sys/fs/cgroup/unified 2>/dev/null
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . | peer import -q - $img >/dev/null || have_peer=
	peer_name="podman, $(peer info --format '{{.Host.NetworkBackend}}')"
fi
echo "# $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), kernel $(uname -r), $(crun --version | head -n 1)$([ -n "$have_peer" ] && podman --version | sed 's/^/, /')"

if wanted "bare runtime run"; then
	bundle=$WORLD/bundle
	mkdir -p "$bundle"
	cp -a "$WORLD/fs" "$bundle/rootfs"
	(cd "$bundle" && crun spec && jq '.process.args=["true"]|.process.terminal=false' config.json >c && mv c config.json)
	row "bare runtime run" - "$(t crun --root "$WORLD/crun" run -b "$bundle" bench)"
fi
both "run --rm --network none" "14 ms, 24 on v1" run --rm $limits --network none $img true
both "run --rm bridge" "16 ms, 26 on v1" run --rm $limits $img true
both "run --rm bridge, a port" "-" run --rm $limits -p 127.0.0.1:28080:80 $img true
if wanted exec; then
	pod run -d $limits --name ex $img sleep 1000 >/dev/null
	[ -n "$have_peer" ] && peer run -d $limits --name ex $img sleep 1000 >/dev/null
	both "exec" "12 ms" exec ex true
	pod rm -f -t 0 ex >/dev/null
	[ -n "$have_peer" ] && peer rm -f -t 0 ex >/dev/null
fi
# The bare runtime's own exec, in a container of pod's: what is above it is ours.
if wanted "bare runtime exec"; then
	id=$(pod run -d $limits --network none $img sleep 1000)
	row "bare runtime exec" - "$(t crun --root "$RUNROOT/oci-crun" exec "$id" true)"
	pod rm -f -t 0 "$id" >/dev/null
fi
if wanted "run -d"; then
	both "run -d --network none" "-" run -d $limits --network none $img true
	pod rm -f -t 0 -a >/dev/null
	[ -n "$have_peer" ] && peer rm -f -t 0 -a >/dev/null
fi
fill() { # N: so many containers that do not run
	local i
	for i in $(seq "$1"); do
		pod create --name "c$i" $img true >/dev/null
		[ -n "$have_peer" ] && [ "$1" -le 100 ] && peer create --name "c$i" $img true >/dev/null
	done
}
empty() {
	pod rm -f -a >/dev/null
	[ -n "$have_peer" ] && peer rm -f -a >/dev/null
}
if wanted "ps, 100 containers"; then
	fill 100
	both "ps, 100 containers" "4 ms" ps -a
	both "inspect of ps, 100 containers" "4 ms" inspect c50
	empty
fi
# More than the peer can be asked to make in a benchmark's time.
if wanted "1000 containers"; then
	fill 1000
	row "ps -a, 1000 containers" "15 ms" "$(t "${pod_words[@]}" ps -a)"
	row "run --rm, none, 1000 containers" "as without" "$(t "${pod_words[@]}" run --rm $limits --network none $img true)"
	empty
fi
# The rows of these change all the time, and each look must find what is so.
if wanted "ps beside 8 that restart at once"; then
	for i in $(seq 8); do pod run -d --restart always $limits --network none $img true >/dev/null; done
	row "ps beside 8 that restart at once" "10 ms" "$(t "${pod_words[@]}" ps -a)"
	pod rm -f -t 0 -a >/dev/null
fi
both "images" "4 ms" images
if wanted "images, 500 images"; then
	mkdir "$WORLD/one"
	for i in $(seq 500); do
		echo "$i" >"$WORLD/one/n"
		tar -C "$WORLD/one" -c n | store import "localhost/many:$i" >/dev/null
	done
	row "images, 500 images" "-" "$(t "${pod_words[@]}" images)"
	row "images --format json, 500 images" "-" "$(t "${pod_words[@]}" images --format json)"
	row "run --rm, none, 500 images" "as without" "$(t "${pod_words[@]}" run --rm $limits --network none $img true)"
	pod images --filter reference='localhost/many' -q | xargs "${pod_words[@]}" rmi -f >/dev/null
fi
if wanted "stats, 100 containers"; then
	for i in $(seq 100); do pod run -d $limits --network none $img sleep 1000 >/dev/null; done
	row "stats, 100 containers" "-" "$(t "${pod_words[@]}" stats --no-stream)"
	row "ps, 100 that run" "-" "$(t "${pod_words[@]}" ps)"
	pod rm -f -t 0 -a >/dev/null
fi
# Bytes in and out: the time of cp(1) and cat beside ours; CPU with that of helpers.
if wanted "cp of 1 GB" || wanted "logs of 1 GB"; then
	runs_before=$runs runs=3
	id=$(pod run -d $limits --name files --network none $img sleep 1000)
	if wanted "cp of 1 GB"; then
		head -c 1073741824 /dev/zero | tr '\0' 'x' >"$WORLD/big"
		row "cp(1) of 1 GB" - "$(t cp "$WORLD/big" "$WORLD/big.copy")"
		row "cp of 1 GB into a container" "as cp(1)" "$(t "${pod_words[@]}" cp "$WORLD/big" files:/big)"
		row "cp of 1 GB out of it" "as cp(1)" "$(t "${pod_words[@]}" cp files:/big "$WORLD/big.copy")"
		rm -f "$WORLD/big" "$WORLD/big.copy"
	fi
	if wanted "logs of 1 GB"; then
		yes '2026-01-01T00:00:00.000000000+00:00 stdout F a line of a log that is some eighty characters long, as many are' |
			head -c 1073741824 >"$ROOT/containers/$id/ctr.log"
		row "cat of a log of 1 GB" - "$(t cat "$ROOT/containers/$id/ctr.log")"
		row "logs of 1 GB" "-" "$(t "${pod_words[@]}" logs files)"
		row "logs --tail 10 of 1 GB" "-" "$(t "${pod_words[@]}" logs --tail 10 files)"
	fi
	pod rm -f -t 0 files >/dev/null
	runs=$runs_before
fi
# What a container prints on its way into a log, which lies in memory: the time from the start to the last line there, and the
# CPU time of the monitor's own processes.
# monitor_cpu TOOL NAME: in ms
monitor_cpu() {
	local monitor init pid
	read -r monitor init < <($1 inspect --format '{{.State.ConmonPid}} {{.State.Pid}}' "$2")
	for pid in "$monitor" $(pgrep -P "$monitor"); do
		[ "$pid" = "$init" ] || cat /proc/"$pid"/task/*/schedstat
	done | awk '{ ns += $1 } END { printf "%.1f", ns / 1e6 }'
}
log_is_whole() { tail -c 6 "$WORLD/logs/ctr.log" | grep -qx whole; }
# written_once TOOL SCRIPT: "wall-ms cpu-ms" of a container whose output is the script's
written_once() {
	local t0
	t0=$(date +%s%N)
	$1 run -d $limits --name writes --network none --log-driver k8s-file --log-opt path="$WORLD/logs/ctr.log" $img \
		sh -c "$2; echo; echo whole; exec sleep 1000" >/dev/null && until_ok 120 log_is_whole || return 1
	echo "$((($(date +%s%N) - t0) / 1000000)) $(monitor_cpu "$1" writes)"
	$1 rm -f -t 0 writes >/dev/null
	rm -f "$WORLD"/logs/ctr.log*
}
# middle "WALL CPU WALL CPU WALL CPU": as a line for row
middle() {
	local wall cpu
	read -r -a wall < <(xargs -n 2 <<<"$1" | cut -d ' ' -f 1 | sort -n | xargs)
	read -r -a cpu < <(xargs -n 2 <<<"$1" | cut -d ' ' -f 2 | sort -n | xargs)
	echo "${wall[1]} ${wall[0]} ${wall[2]} ${cpu[1]} 0"
}
# written NAME SCRIPT: three of each, by turns
written() {
	local a= b= i
	wanted "$1" || return 0
	mkdir -p "$WORLD/logs"
	mount -t tmpfs -o size=4g none "$WORLD/logs"
	for i in 1 2 3; do
		a+=" $(written_once pod "$2")"
		[ -z "$have_peer" ] || b+=" $(written_once peer "$2")"
	done
	umount -l "$WORLD/logs"
	row "$1" "monitor's cpu below the peer's" "$(middle "$a")" "$([ -z "$b" ] || middle "$b")"
}
written "log of 1 GB written" "yes 'a line of a log that is some eighty characters long, as many of them are, to the end' | head -c 1073741824"
written "log of 64 MB in lines of 2 bytes" "yes | head -c 67108864"
if wanted "50 parallel starts"; then
	bundle=$WORLD/bundle
	if [ ! -d "$bundle" ]; then
		mkdir -p "$bundle"
		cp -a "$WORLD/fs" "$bundle/rootfs"
		(cd "$bundle" && crun spec && jq '.process.args=["true"]|.process.terminal=false' config.json >c && mv c config.json)
	fi
	# What the machine gives without us: the same number of starts of the bare runtime.
	a=$("$timing" -n 100 -p 50 sh -c "exec crun --root $WORLD/crun run -b $bundle bench\$\$")
	echo "50 parallel starts, bare runtime: $(echo "$a" | cut -d' ' -f5)/s"
	for net in none bridge; do
		a=$("$timing" -n 100 -p 50 "${pod_words[@]}" run --rm $limits --network $net $img true)
		b=
		[ -n "$have_peer" ] && b=$(as_peer "$timing" -n 50 -p 50 "${peer_words[@]}" run --rm $limits --network $net $img true)
		echo "50 parallel starts, $net: pod $(echo "$a" | cut -d' ' -f5)/s   $peer_name $(echo "$b" | cut -d' ' -f5)/s   budget $([ $net = none ] && echo 120 || echo 80)/s"
	done
fi
# --- Networks -----------------------------------------------------------------------------------------------
# The set-up of a bridge, as the coordinator asks for it: of a start of one container, whose namespace is made before
# that, and of each more that the same command starts.
net_times() { # NAME WORDS...
	local name=$1
	shift
	"$BUILD/tests/net-drive" -q -c 40 "$@" "$BIN/pod-net" "$RUNROOT/net-bench" | awk '{ print $2 }' | sort -n |
		awk -v name="$name" '{ v[NR] = $1 } END { printf "%s: median %.2f ms, p10 %.2f", name, v[int(NR / 2)] / 1000, v[4] / 1000 }'
}
if wanted "network part of a start"; then
	for ports in "" "-p 127.0.0.1@28081:80"; do
		# shellcheck disable=SC2086
		net_times "network part of a start${ports:+, a port}" -e $ports
		# shellcheck disable=SC2086
		net_times "; of one more of a command" $ports
		# shellcheck disable=SC2086
		"$timing" -n 1 "$BUILD/tests/net-drive" -q -c 40 $ports "$BIN/pod-net" "$RUNROOT/net-bench" |
			awk '{ printf ", cpu with tear-down %.2f ms   budget 1.5 ms\n", $4 / 40 }'
	done
	"$BIN/pod-net" --runroot "$RUNROOT/net-bench" sweep
fi
runs_before=$runs runs=5
# The peer's runtime inherits a socket for each port, within the container's own limit.
both "1000 ports on one container" "-" run --rm --ulimit nofile=4096:4096 --ulimit nproc=1024:1024 -p 127.0.0.1:21000-21999:21000-21999 $img true
runs=$runs_before
# many NAME COUNT PARALLEL WORDS...: so many starts of containers with a port each, so many at a time
many() {
	local name=$1 count=$2 parallel=$3 tool=$4
	shift 4
	"$timing" -n "$count" -p "$parallel" "$@" |
		awk -v name="$name" -v tool="$tool" -v n="$count" '{ printf "%s: %s %.1f/s, cpu %.1f ms each (%d starts)\n", name, tool, $5, $4, n }'
}
if wanted "50 parallel starts, a port each"; then
	for i in 1 2; do
		many "50 parallel starts, a port each" 100 50 pod "${pod_words[@]}" run --rm $limits -p 127.0.0.1::80 $img true
	done
	[ -n "$have_peer" ] && as_peer many "50 parallel starts, a port each" 50 50 "$peer_name" "${peer_words[@]}" run --rm $limits -p 127.0.0.1::80 $img true
	echo "50 parallel starts, a port each: budget 60/s"
fi
if wanted "a port on each of 200 containers"; then
	many "a port on each of 200 containers" "${BENCH_CONTAINERS:-200}" 4 pod "${pod_words[@]}" run -d $limits -p 127.0.0.1::80 $img sleep 1000
	[ -n "$have_peer" ] && as_peer many "a port on each of 200 containers" "${BENCH_CONTAINERS:-200}" 4 "$peer_name" "${peer_words[@]}" run -d $limits -p 127.0.0.1::80 $img sleep 1000
	# What one more costs when they are there.
	both "one more beside 200 containers" "-" run --rm $limits -p 127.0.0.1::80 $img true
	pod rm -f -a -t 0 >/dev/null
	[ -n "$have_peer" ] && peer rm -f -a -t 0 >/dev/null
fi
# Names: both servers on the same files of 10 000 names, asked by the same client.
names() { # PROGRAM TOOL
	unshare -n bash -c '
		ip link set lo up
		for a in 10.9.0.1 10.9.0.2; do ip addr add $a/32 dev lo; done
		rm -f "$2/aardvark.pid"
		"$1" -c "$2" -p 53 run 2>/dev/null || exit
		dnsperf -a 10.9.0.2 -s 10.9.0.1 -d "$3" -l 3 -c 4 -T 1 | awk "/Queries per second/ { q = \$NF } /Average Latency/ { l = \$4 } /Queries lost/ { n = \$3 }
			END { printf \"%.0f/s, latency %.2f ms, %d lost\", q, l * 1000, n }"
		read -r pid <"$2/aardvark.pid"
		awk "{ printf \", cpu %.1f s\n\", (\$14 + \$15) / 100 }" "/proc/$pid/stat"
		kill "$pid"' names "$1" "$WORLD/names" "$WORLD/questions" | sed "s/^/10 000 names, queries: $2 /"
}
if wanted "10 000 names, queries" && command -v dnsperf >/dev/null; then
	mkdir -p "$WORLD/names"
	awk 'BEGIN { print "10.9.0.1"; print "c0 10.9.0.2  c0"
		for (i = 1; i <= 10000; i++) printf "id%d 10.%d.%d.%d  name%d\n", i, 10 + int(i / 65536), int(i / 256) % 256, i % 256, i }' >"$WORLD/names/n1"
	seq 10000 | shuf | sed 's/.*/name& A/' >"$WORLD/questions"
	for i in 1 2; do
		names "$BUILD/libexec/pod/aardvark-dns" pod
		[ -z "$peer_helpers" ] || names "$peer_helpers/aardvark-dns" aardvark-dns
	done
fi
if wanted "monitor memory"; then
	for i in $(seq 50); do pod run -d --network none $img sleep 1000 >/dev/null; done
	sleep 1
	total=0 n=0
	for pid in $(pgrep -x 'pod-monitor(-stdio)?'; pgrep -f 'pod-monitor-stdio'); do
		pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		total=$((total + ${pss:-0})) n=$((n + 1))
	done
	echo "monitor memory: PSS $((total / 50)) KB for each of 50 containers ($n processes)   budget 200 KB"
	pod rm -f -a -t 0 >/dev/null
fi

# --- Pulling: images out of this machine's own files, on a fresh file system each time -------------------
# tree DIR MEGABYTES: many files of the host, at least so many megabytes
tree() {
	local have=0 from
	mkdir -p "$1"
	for from in /usr/lib/python3 /usr/share/doc /usr/include /usr/lib/gcc /usr/share/perl /usr/share/locale /usr/lib/x86_64-linux-gnu /usr/lib /usr/share; do
		[ -d "$from" ] || continue
		cp -a --parents "$from" "$1/" 2>/dev/null
		have=$(du -sm "$1" | cut -f1)
		[ "$have" -ge "$2" ] && break
	done
}
# Podman mounts a part of its store on itself.
emptied() { ! mountpoint -q "$WORLD/fs-ext4" || umount -R "$WORLD/fs-ext4" 2>/dev/null; }
# fresh: an empty ext4 on $WORLD/fs-ext4, so that no earlier removal slows it down
fresh() {
	# What the last one still writes back would be in the way of the next, and a file system in use would stay.
	until_ok 60 emptied || echo "bench: $WORLD/fs-ext4 is still in use" >&2
	rm -f "$WORLD/tmpfs/ext4"
	truncate -s 3G "$WORLD/tmpfs/ext4"
	mkfs.ext4 -q -F "$WORLD/tmpfs/ext4"
	mount -o loop "$WORLD/tmpfs/ext4" "$WORLD/fs-ext4"
}
# timed COMMAND...: "wall-s cpu-s", with the CPU time of helpers that end after the command
timed() {
	local out
	out=$("$timing" -n 1 "$@" 2>"$WORLD/bench.err") || { cat "$WORLD/bench.err" >&2; return 1; }
	echo "$out" | awk '{ print $1 / 1000, $4 / 1000 }'
}
# seed_image NAME MEGABYTES: an image of one layer in the registry
seed_image() {
	local name=$1
	tree "$WORLD/tree-$name" "$2"
	tar -C "$WORLD/tree-$name" -c . | gzip -1 >"$WORLD/$name.tgz"
	rm -rf "$WORLD/tree-$name"
	"$BIN/pod-store" --root "$WORLD/seed" --runroot "$WORLD/seed-run" import "localhost/$name" <"$WORLD/$name.tgz" >/dev/null
	"$BIN/pod" --root "$WORLD/seed" --runroot "$WORLD/seed-run" save -q --format oci-archive -o "$WORLD/$name.tar" "localhost/$name"
	skopeo --insecure-policy copy -q --dest-cert-dir "$REGISTRY_CERTS" "oci-archive:$WORLD/$name.tar" "docker://$REGISTRY/$name:1"
}
pull_bench() { # NAME MEGABYTES
	local name=$1 a b c i slow=0 n=0
	seed_image "$name" "$2" || return 1
	for i in 1 2 3; do
		fresh
		a="$a $(timed "$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/$name:1")"
		fresh
		c="$c $(timed "$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" --storage-opt overlay.sync=filesystem pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/$name:1")"
		[ -n "$have_peer" ] || continue
		fresh
		b="$b $(timed podman --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/$name:1")"
	done
	# Podman writes nothing back itself.
	echo "$a|$b|$c" | awk -F'|' -v name="$name" 'function med(s, k,   v, n) { n = split(s, v, " "); return v[k] < v[k+2] ? (v[k+2] < v[k+4] ? v[k+2] : (v[k] < v[k+4] ? v[k+4] : v[k])) : (v[k] < v[k+4] ? v[k] : (v[k+2] < v[k+4] ? v[k+4] : v[k+2])) }
	{ printf "pull %s: pod %.2f s (cpu %.2f)", name, med($1, 1), med($1, 2)
	  if ($2 != "") printf "   podman %.2f s (cpu %.2f)   ratio %.2f, cpu %.2f   budget 0.25, cpu 0.28", med($2, 1), med($2, 2), med($1, 1) / med($2, 1), med($1, 2) / med($2, 2)
	  printf "   on disk before the answer: pod %.2f s\n", med($3, 1) }'
	# memory of all processes together, and images while it runs
	fresh
	"$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/$name:1" >/dev/null 2>&1 &
	local job=$! peak=0 sum p t0 t1
	while kill -0 "$job" 2>/dev/null; do
		sum=0
		for p in "$job" $(pgrep -f 'pod-(store|image)'); do
			sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup" 2>/dev/null || echo 0)))
		done
		[ "$sum" -gt "$peak" ] && peak=$sum
		t0=$(date +%s%N)
		"$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" images >/dev/null 2>&1
		t1=$(date +%s%N)
		[ $(((t1 - t0) / 1000)) -gt "$slow" ] && slow=$(((t1 - t0) / 1000))
		n=$((n + 1))
		sleep 0.05
	done
	wait "$job"
	echo "pull $name: all processes together at most $((peak / 1024)) MB (PSS, $n samples; budget 60), slowest pod images meanwhile $((slow / 1000)).$(((slow % 1000) / 100)) ms (budget 20)"
}
# settled WORDS: does that, and waits until it has been written back, which is not to be measured with what follows
settled() {
	eval "$1" >/dev/null 2>&1
	sync
	sleep 1
}
# transfer NAME BUDGET BEFORE POD-COMMAND PEER-COMMAND: median of three, each after BEFORE, on a fresh file system that
# holds the image; the words are evaluated with $tool naming pod or the peer with its store there
transfer() {
	local name=$1 budget=$2 before=$3 a= b= i tool
	for i in 1 2 3; do
		fresh
		tool="$BIN/pod --root $WORLD/fs-ext4/r --runroot $WORLD/fs-ext4/rr"
		settled "$before"
		a="$a $(eval "timed $4")"
		[ -n "$have_peer" ] || continue
		fresh
		tool="podman --root $WORLD/fs-ext4/r --runroot $WORLD/fs-ext4/rr"
		settled "$before"
		b="$b $(eval "timed $5")"
	done
	echo "$a|$b" | awk -F'|' -v name="$name" -v budget="$budget" '
	function med(s, k,   v, x, y, z) { split(s, v, " "); x = v[k] + 0; y = v[k+2] + 0; z = v[k+4] + 0
		return x < y ? (y < z ? y : (x < z ? z : x)) : (x < z ? x : (y < z ? z : y)) }
	{ printf "%s: pod %.3f s (cpu %.3f)", name, med($1, 1), med($1, 2)
	  if ($2 != "") printf "   %s %.3f s (cpu %.3f)   ratio %.2f, cpu %.2f", name ~ /skopeo/ ? "skopeo" : "podman", med($2, 1), med($2, 2), med($1, 1) / med($2, 1), med($1, 2) / med($2, 2)
	  print "   budget " budget }'
}
transfer_bench() { # NAME: an image that pull_bench has made
	local ref="$REGISTRY/$1:1" tls="--cert-dir $REGISTRY_CERTS" got
	got="\$tool pull -q $tls $ref"
	if wanted "pull"; then
		transfer "pull again $1" "0.25" "$got" "\$tool pull -q $tls $ref" "\$tool pull -q $tls $ref"
	fi
	if wanted "push"; then
		transfer "push $1 to an empty registry" "0.20" "$got; registry_empty" \
			"\$tool push -q --tls-verify=false $ref \$REGISTRY_HTTP/new:1" "\$tool push -q --tls-verify=false $ref \$REGISTRY_HTTP/new:1"
		transfer "push $1 made here, to an empty registry" "0.20" "$got; \$tool save -q -o $WORLD/tmpfs/p.tar $ref; \$tool rmi -f $ref; \$tool load -q -i $WORLD/tmpfs/p.tar; rm $WORLD/tmpfs/p.tar; registry_empty" \
			"\$tool push -q --tls-verify=false $ref \$REGISTRY_HTTP/new:1" "\$tool push -q --tls-verify=false $ref \$REGISTRY_HTTP/new:1"
		transfer "push $1 to a full registry" "-" "$got" "\$tool push -q $tls $ref $ref" "\$tool push -q $tls $ref $ref"
	fi
	if wanted "save"; then
		transfer "save $1" "0.35" "$got; rm -f $WORLD/tmpfs/s.tar" "\$tool save -q -o $WORLD/tmpfs/s.tar $ref" "\$tool save -q -o $WORLD/tmpfs/s.tar $ref"
		transfer "save $1 as oci-archive" "0.20" "$got; rm -f $WORLD/tmpfs/s.tar" \
			"\$tool save -q --format oci-archive -o $WORLD/tmpfs/s.tar $ref" "\$tool save -q --format oci-archive -o $WORLD/tmpfs/s.tar $ref"
		rm -f "$WORLD/tmpfs/s.tar"
	fi
	if wanted "copy"; then
		# The peer here is skopeo.
		transfer "copy $1 between registries (peer: skopeo)" "1.0" "registry_empty" \
			"$BIN/pod-image copy -q --src-cert-dir $REGISTRY_CERTS --dest-tls-verify=false docker://$ref docker://\$REGISTRY_HTTP/new:1" \
			"skopeo --insecure-policy copy -q --src-cert-dir $REGISTRY_CERTS --dest-tls-verify=false docker://$ref docker://\$REGISTRY_HTTP/new:1"
		transfer "copy $1 to a full registry (peer: skopeo)" "1.0" : \
			"$BIN/pod-image copy -q --src-cert-dir $REGISTRY_CERTS --dest-cert-dir $REGISTRY_CERTS docker://$ref docker://$ref" \
			"skopeo --insecure-policy copy -q --src-cert-dir $REGISTRY_CERTS --dest-cert-dir $REGISTRY_CERTS docker://$ref docker://$ref"
	fi
	if wanted "rmi"; then
		transfer "rmi $1" "50 ms" "$got" "\$tool rmi -f $ref" "\$tool rmi -f $ref"
	fi
	if wanted "load"; then
		skopeo --insecure-policy copy -q --src-cert-dir "$REGISTRY_CERTS" "docker://$ref" "docker-archive:$WORLD/tmpfs/l.tar:$ref"
		transfer "load $1" "0.25" : "\$tool load -q -i $WORLD/tmpfs/l.tar" "\$tool load -q -i $WORLD/tmpfs/l.tar"
		rm -f "$WORLD/tmpfs/l.tar"
	fi
}
# layouts NAME BEFORE COMMAND: median of three of the two layouts of layers, by turns, each on a fresh file system
layouts() {
	local name=$1 i layout tool
	local -A got=()
	for i in 1 2 3; do
		for layout in dir erofs; do
			fresh
			tool="$BIN/pod --root $WORLD/fs-ext4/r --runroot $WORLD/fs-ext4/rr --storage-opt overlay.layout=$layout"
			eval "$2" >/dev/null 2>&1
			got[$layout]="${got[$layout]:-} $(eval "timed $3")"
		done
	done
	echo "${got[dir]}|${got[erofs]}" | awk -F'|' -v name="$name" '
	function med(s, k,   v, x, y, z) { split(s, v, " "); x = v[k] + 0; y = v[k+2] + 0; z = v[k+4] + 0
		return x < y ? (y < z ? y : (x < z ? z : x)) : (x < z ? x : (y < z ? z : y)) }
	{ printf "%s: directories %.3f s (cpu %.3f)   images %.3f s (cpu %.3f)   ratio %.2f, cpu %.2f\n", name, med($1, 1), med($1, 2), med($2, 1), med($2, 2), med($2, 1) / med($1, 1), med($2, 2) / med($1, 2) }'
}
# What the page cache grows by when ten containers read the same 40 MB: each mount of an image has pages of its own.
layout_memory() {
	local layout before got=()
	mkdir -p "$WORLD/read/bin"
	cp /bin/busybox "$WORLD/read/bin/"
	head -c 40000000 /dev/urandom >"$WORLD/read/data"
	for layout in dir erofs; do
		fresh
		tar -C "$WORLD/read" -c . | "$BIN/pod-store" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" --storage-opt overlay.layout=$layout import localhost/read >/dev/null
		sync
		before=$(awk '/^Cached:/ { print $2 }' /proc/meminfo)
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			"$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" run -d --network none localhost/read \
				busybox sh -c 'busybox cat /data >/dev/null; exec busybox sleep 1000' >/dev/null
		done
		sleep 3
		got+=($((($(awk '/^Cached:/ { print $2 }' /proc/meminfo) - before) / 1024)))
		"$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" rm -f -a -t 0 >/dev/null
	done
	echo "layout: memory of what ten containers read: directories ${got[0]} MB   images ${got[1]} MB"
}
layouts_bench() { # NAME: an image that seed_image has made
	local ref="$REGISTRY/$1:1" got
	got="\$tool pull -q --cert-dir $REGISTRY_CERTS $ref"
	layouts "layout: pull $1" : "$got"
	layouts "layout: remove $1" "$got" "\$tool rmi -f $ref"
	layouts "layout: save $1" "$got; rm -f $WORLD/tmpfs/s.tar" "\$tool save -q -o $WORLD/tmpfs/s.tar $ref"
	rm -f "$WORLD/tmpfs/s.tar"
	layouts "layout: run (busybox)" "tar -C $WORLD/fs --owner=0 --group=0 -c . >$WORLD/tmpfs/b.tar; \$tool import -q $WORLD/tmpfs/b.tar localhost/b; \$tool run --rm --net=none localhost/b true" \
		"\$tool run --rm --net=none localhost/b true"
}
# partial_bench MEGABYTES: an image of that size, then one in which each tenth file is another, both zstd:chunked
partial_bench() {
	local n=0 f k whole parts words tool=("$BIN/pod" --root "$WORLD/seed" --runroot "$WORLD/seed-run")
	tree "$WORLD/tree-parts" "$1"
	for k in 1 2; do
		tar -C "$WORLD/tree-parts" -c . | "$BIN/pod-store" --root "$WORLD/seed" --runroot "$WORLD/seed-run" import "localhost/parts-$k" >/dev/null
		"${tool[@]}" push -q --cert-dir "$REGISTRY_CERTS" --compression-format zstd:chunked "localhost/parts-$k" "$REGISTRY/parts-$k:1" >/dev/null || return 1
		"${tool[@]}" rmi -f "localhost/parts-$k" >/dev/null
		[ "$k" = 1 ] || break
		find "$WORLD/tree-parts" -type f | sort | while read -r f; do [ $((n++ % 10)) != 5 ] || echo "changed" >>"$f"; done
	done
	rm -rf "$WORLD/tree-parts"
	for k in false true; do
		fresh
		tool=("$BIN/pod" --root "$WORLD/fs-ext4/r" --runroot "$WORLD/fs-ext4/rr" --storage-opt "pull_options.enable_partial_images=$k")
		"${tool[@]}" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/parts-1:1" >/dev/null || return 1
		[ "$k" = true ] || { whole=$(timed "${tool[@]}" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/parts-2:1"); continue; }
		parts=$(timed "${tool[@]}" pull -q --cert-dir "$REGISTRY_CERTS" "$REGISTRY/parts-2:1")
		"${tool[@]}" rmi -f "$REGISTRY/parts-2:1" >/dev/null
		words=$("${tool[@]}" pull --cert-dir "$REGISTRY_CERTS" "$REGISTRY/parts-2:1" 2>&1 | sed -n 's/.*: skipped/skipped/p')
	done
	echo "partial pull of $1 MB, nine of ten files there: whole ${whole% *} s (cpu ${whole#* }), in parts ${parts% *} s (cpu ${parts#* }), $words of the blob (budget: three quarters)"
}
# A registry that holds nothing, in place of the last one.
registry_empty() {
	[ -z "${empty_pid:-}" ] || kill "$empty_pid"
	rm -rf "$WORLD/registry-http"
	registry_http_start
	empty_pid=$REGISTRY_PID
}
# What a container changed, looked at and made an image of.
changes_bench() {
	local base="tar -C $WORLD/fs --owner=0 --group=0 -cf $WORLD/tmpfs/b.tar .; \$tool import -q $WORLD/tmpfs/b.tar localhost/b; \$tool create --name c $limits localhost/b true"
	if wanted "commit"; then
		head -c 100M /dev/urandom >"$WORLD/tmpfs/big"
		transfer "commit of 100 MB" "0.25" "$base; \$tool cp $WORLD/tmpfs/big c:/big" "\$tool commit -q c localhost/new" "\$tool commit -q c localhost/new"
		rm -f "$WORLD/tmpfs/big"
	fi
	if wanted "diff"; then
		mkdir -p "$WORLD/tmpfs/many"
		(cd "$WORLD/tmpfs/many" && for d in $(seq 100); do mkdir "d$d" && (cd "d$d" && for i in $(seq 100); do echo "$i" >"f$i"; done); done)
		transfer "diff of 10000 changed files" "60 ms" "$base; \$tool cp $WORLD/tmpfs/many c:/many" "\$tool diff c" "\$tool diff c"
		rm -rf "$WORLD/tmpfs/many"
	fi
}
# wanted_any NAME...
wanted_any() {
	local name
	for name; do if wanted "$name"; then return 0; fi; done
	return 1
}
if wanted_any commit diff pull partial push save load layout copy rmi; then
	mkdir -p "$WORLD/tmpfs" "$WORLD/fs-ext4"
	mount -t tmpfs -o size=12g none "$WORLD/tmpfs"
fi
changes_bench
if wanted_any pull partial push save load layout copy rmi; then
	registry_start || exit 1
	if wanted "layout"; then layout_memory; fi
	for size in ${BENCH_SIZES:-120 600}; do
		if wanted "partial"; then partial_bench "$size"; fi
		if [ "${BENCH:-}" = partial ]; then continue; fi
		if wanted "pull"; then pull_bench "image-$size" "$size"; else seed_image "image-$size" "$size"; fi
		transfer_bench "image-$size"
		if wanted "layout"; then layouts_bench "image-$size"; fi
	done
fi
