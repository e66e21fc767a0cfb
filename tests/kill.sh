#!/bin/bash
# SPDX-License-Identifier: ISC
# kill.sh ROUNDS [user]: as root or as a fresh ordinary user, starts pod run, pull, load or rm, and after a random time
# SIGKILLs its process group or one of its helpers.  After each round ps, images and run must work; at the end, after
# one system prune, nothing is left: no mount, link, nft element, namespace, cgroup, lease, lock, process or stray
# directory.  SEED repeats a run.
. "$(dirname "$0")/lib.sh"
. "$LIB_DIR/registry.sh"
img=localhost/kill

kill_pod() { exec setsid "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" >/dev/null 2>&1; }

# kill_one NUMBER: a command, as the group of its own
kill_one() {
	case $1 in
	0) kill_pod run "${kill_group[@]}" --rm -p 127.0.0.1::80 $img sh -c 'sleep 0.05' ;;
	1) kill_pod run "${kill_group[@]}" --rm --network none $img true ;;
	2) kill_pod load -q -i "$KILL_TAR" ;;
	3) kill_pod rm -f -t 0 -a ;;
	4) kill_pod run "${kill_group[@]}" -d $img sleep 0.2 ;;
	5) kill_pod pull -q --cert-dir "$REGISTRY_CERTS" "$KILL_PULLED" ;;
	6) kill_pod run "${kill_group[@]}" --rm --network podman -p 127.0.0.1::80 $img true ;;
	esac
}

kill_objects() {
	awk '{ print $5 }' /proc/self/mountinfo | grep -F "$WORLD" | sort
	# Others' cgroups come and go meanwhile: root's here have a parent of their own, others are told by known IDs.
	find /sys/fs/cgroup -maxdepth 4 -type d -path "*${kill_group[1]:-}/libpod-*" 2>/dev/null |
		grep -F "${kill_known[@]}" | sort
	if [ "$(id -u)" = 0 ]; then
		pgrep -fa "$RUNROOT" | grep -vE 'pgrep|kill.sh' | sed 's/^[0-9]* //' | sort
		ip -o link | grep -o veth
		nft list tables
	else
		# A fresh user has nothing but this; the keeper of its namespace stays.
		ps -u "$(id -u)" -o stat=,args= | grep -vE '^Z|user-part|^[^ ]+ +(ps|bash|grep|sort|sed|comm)( |$)' | sed 's/^[^ ]* *//' | sort
	fi
}
# What outlived the command that had started it has ended: it would make things after they were pruned.
kill_alone() {
	local pid
	for pid in $(pgrep '^pod-'); do
		case $(readlink "/proc/$pid/exe") in "$BIN"/pod-net | "$BIN"/pod-store | "$BIN"/pod-image) return 1 ;; esac
	done
}
# The same five times in a row.
kill_still() {
	local was
	was=$(kill_objects)
	for _ in 1 2 3 4; do
		sleep 0.2
		[ "$(kill_objects)" = "$was" ] || return 1
	done
}
# The IDs seen so far: what each round leaves below these directories.
kill_note_ids() {
	ls "$ROOT/rw" "$RUNROOT/containers" "$RUNROOT"/oci-* 2>/dev/null | grep -E '^[0-9a-f]{64}$' >>"$WORLD/ids"
}

# kill_probes ROUND
kill_probes() {
	local probe probes=("ps -a -q" "images -q" "run ${kill_group[*]} --rm --network none $img true")
	! pod image exists "$KILL_PULLED" || probes+=("run ${kill_group[*]} --rm --network none --pull never $KILL_PULLED true")
	for probe in "${probes[@]}"; do
		# shellcheck disable=SC2086
		if ! timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" $probe >/dev/null 2>"$WORLD/err"; then
			kill_broken=$((kill_broken + 1))
			echo "# round $1: pod $probe: $(head -n 1 "$WORLD/err")"
		fi
	done
}

kill_rounds() {
	local i job victim what
	kill_broken=0
	for i in $(seq "$1"); do
		what=$((RANDOM % 7))
		[ $what != 5 ] || pod rmi -f -i "$KILL_PULLED" >/dev/null 2>&1
		(kill_one $what) &
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
		kill_note_ids
		kill_probes "$i"
	done
}

# kill_more BEFORE COMMAND...: the lines it prints beyond those of before
kill_more() {
	local before=$1
	shift
	comm -13 <(echo "$before" | sort) <("$@" 2>/dev/null | sort)
}
# kill_settled TEXT BEFORE COMMAND...: soon it prints nothing but what it did before.  Less is as good: what the last
# command left to its helpers may still have been there before.
kill_settled() {
	local text=$1 i
	shift
	for i in $(seq 100); do
		[ -n "$(kill_more "$@")" ] || break
		sleep 0.1
	done
	is "$text" "$(kill_more "$@")" ""
}

kill_test() {
	local before kill_group=() kill_known=(-f "$WORLD/ids")
	# Where systemd makes the cgroups it wants slices for parents, and takes them away itself.
	[ "$(id -u)" != 0 ] || [ -d /run/systemd/system ] ||
		kill_group=(--cgroup-parent "/podkill$$") kill_known=(/)
	RANDOM=${SEED:=$$}
	echo "# seed $SEED"
	echo none >"$WORLD/ids"
	before=$(kill_objects)
	if [ "$(id -u)" != 0 ]; then
		# The namespace and its keeper stay; what the first container needed goes a moment after it.
		pod run --rm $img true
		until_ok 20 kill_still
		before=$(kill_objects)
	fi
	kill_rounds "$1"
	is "after each of $1 kills ps, images and run work" "$kill_broken" 0
	pod rm -f -a -t 0 >/dev/null 2>&1
	until_ok 20 kill_alone
	pod system prune -f >/dev/null 2>&1
	kill_settled "no kernel object stays" "$before" kill_objects
	is "no container stays" "$(pod ps -aq)" ""
	kill_settled "no read-write layer stays" "" ls "$ROOT/rw"
	is "no staging directory stays" "$(ls "$ROOT/tmp" 2>/dev/null)" ""
	is "no bundle stays" "$(ls "$RUNROOT/containers" 2>/dev/null)" ""
	is "no lease stays" "$(find /run/pod-net "$RUNROOT/net" -type l -lname "$RUNROOT/*" 2>/dev/null)" ""
	is "no lock of a container stays" "$(ls "$RUNROOT/locks" 2>/dev/null | grep -E '^[0-9a-f]{64}')" ""
	is "the image still runs" "$(pod run --rm $img echo whole)" whole
	find /sys/fs/cgroup -depth -type d -path "*/podkill$$*" -exec rmdir {} \; 2>/dev/null
}

# Root's in a network namespace of its own: what is left there is ours.  A user's has a way out, for pasta.
if [ "${2:-}" != user ]; then
	[ -n "${KILL_INSIDE:-}" ] || KILL_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"
	ip link set lo up
fi
world
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }
KILL_TAR=$WORLD/kill.tar
pod save -q -o "$KILL_TAR" $img 2>/dev/null
registry_start && layout "$WORLD/layout" 1 gzip && registry_push "$WORLD/layout" 1 kill ||
	{ not_ok "a registry can be started"; finish; }
KILL_PULLED=$REGISTRY/kill:latest
if [ "${2:-}" != user ]; then
	kill_test "${1:-50}"
	finish
fi
{
	declare -f $(declare -F | awk '{ print $3 }' | grep '^kill_')
	declare -p img KILL_TAR KILL_PULLED REGISTRY_CERTS
	echo "SEED=${SEED:-$$}"
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import $img >/dev/null; kill_test '"${1:-50}"
} | user_part
