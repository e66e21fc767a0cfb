#!/bin/bash
# SPDX-License-Identifier: ISC
# kill.sh ROUNDS: starts pod run, pull, load or rm, and after a random time SIGKILLs its process group or one of its
# helpers.  After each round ps, images and run must work; at the end, after one system prune, nothing is left:
# no mount, link, nft element, namespace, cgroup, lease, lock or stray directory.
. "$(dirname "$0")/lib.sh"
. "$LIB_DIR/registry.sh"
rounds=${1:-50}
world
img=localhost/kill
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }
pod save -q -o "$WORLD/kill.tar" $img 2>/dev/null
registry_start && layout "$WORLD/layout" 1 gzip && registry_push "$WORLD/layout" 1 kill ||
	{ not_ok "a registry can be started"; finish; }
pulled=$REGISTRY/kill:latest

kernel_objects() {
	awk '{ print $5 }' /proc/self/mountinfo | sort
	ip -o link show type veth 2>/dev/null | awk '{ print "veth", $2 }' | sed 's/@.*//' | wc -l
	# Cgroups of containers that this test knows of; others' come and go meanwhile.
	find /sys/fs/cgroup -maxdepth 4 -type d -name 'libpod-*' 2>/dev/null | grep -F -f "$WORLD/ids" | sort
	pgrep -fa "$RUNROOT" | grep -vE 'pgrep|kill.sh' | sed 's/^[0-9]* //' | sort
}
# ids seen so far: what each round leaves below these directories
note_ids() { ls "$ROOT/rw" "$RUNROOT/containers" "$RUNROOT"/oci-* 2>/dev/null | grep -E '^[0-9a-f]{64}$' >>"$WORLD/ids"; }
echo none >"$WORLD/ids"
before=$(kernel_objects)

# one_of NUMBER: a command, as the group of its own
one_of() {
	case $1 in
	0) set -- run --rm -p 127.0.0.1::80 $img sh -c 'sleep 0.05' ;;
	1) set -- run --rm --network none $img true ;;
	2) set -- load -q -i "$WORLD/kill.tar" ;;
	3) set -- rm -f -t 0 -a ;;
	4) set -- run -d $img sleep 0.2 ;;
	5) set -- pull -q --cert-dir "$REGISTRY_CERTS" "$pulled" ;;
	esac
	exec setsid "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" >/dev/null 2>&1
}

broken=0
for i in $(seq "$rounds"); do
	what=$((RANDOM % 6))
	[ $what != 5 ] || pod rmi -f -i "$pulled" >/dev/null 2>&1
	(one_of $what) &
	job=$!
	sleep "0.0$((RANDOM % 60 + 10))"
	if [ $((RANDOM % 2)) = 0 ]; then
		kill -KILL -- "-$job" 2>/dev/null
	else
		# One helper of it: a child picked at random.
		victim=$(pgrep -P "$job" 2>/dev/null | shuf -n 1)
		[ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null
	fi
	wait "$job" 2>/dev/null
	note_ids
	probes=("ps -a -q" "images -q" "run --rm --network none $img true")
	! pod image exists "$pulled" || probes+=("run --rm --network none --pull never $pulled true")
	for probe in "${probes[@]}"; do
		# shellcheck disable=SC2086
		if ! timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" $probe >/dev/null 2>"$WORLD/err"; then
			broken=$((broken + 1))
			echo "# round $i: pod $probe: $(head -n 1 "$WORLD/err")"
		fi
	done
done
is "after each of $rounds kills ps, images and run work" "$broken" 0
sleep 1
pod rm -f -a -t 0 >/dev/null 2>&1
pod system prune -f >/dev/null 2>&1
sleep 1
is "no kernel object stays" "$(diff <(echo "$before") <(kernel_objects))" ""
is "no container stays" "$(pod ps -aq)" ""
is "no read-write layer stays" "$(ls "$ROOT/rw" 2>/dev/null)" ""
is "no staging directory stays" "$(ls "$ROOT/tmp" 2>/dev/null)" ""
is "no bundle stays" "$(ls "$RUNROOT/containers" 2>/dev/null)" ""
is "no lease stays" "$(find "$RUNROOT/net" -path '*lease*' -name '[0-9]*.*' 2>/dev/null)" ""
is "the image still runs" "$(pod run --rm $img echo whole)" whole
finish
