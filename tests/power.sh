#!/bin/bash
# SPDX-License-Identifier: ISC
# power.sh ROUNDS: the power goes while images are pulled, committed, tagged and removed and containers run.  After each
# time the store opens, check finds no damage, and every image that is listed runs.
#
# Without more, the power of a file system goes: an ext4 on a loop device is stopped with nothing written back
# (tests/godown.c).  With POD_VM, that of a virtual machine: POD_VM is a command to which "--disk FILE -- COMMAND..."
# is added; it runs COMMAND as root in a machine that sees this tree, whose /var/lib/containers lies on an ext4 in
# FILE, which is kept; the machine ends with the process group of POD_VM.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/registry.sh
rounds=${1:-20}
[ "$(id -u)" = 0 ] || { echo "check-power: needs root" >&2; exit 1; }

# --- What is done while the power goes -----------------------------------------------------------------------------
# layouts DIR: images that share layers, to be pulled from there
layouts() {
	local i
	for i in 1 2 3 4; do
		layout "$1/l$i" latest "$([ $((i % 2)) = 0 ] && echo gzip || echo zstd)" 2>/dev/null
		mv "$1/l$i" "$1/ready$i"
		rm -rf "$WORLD/fs"
	done
}
work() { # DIR of layouts: until it is stopped
	local i n=0 id
	while :; do
		n=$((n + 1)) i=$((RANDOM % 4 + 1))
		pod pull -q "oci:$1/ready$i" && pod tag "$(pod images -q | head -n 1)" "localhost/pulled$i" &
		id=$(pod create --network none localhost/base sh -c "head -c 300000 /dev/urandom >/f; echo $n >/n; rm -f /www/index.html")
		pod start -a "$id"
		pod commit -q "$id" "localhost/made$((n % 5))"
		pod rm -f -t 0 "$id"
		wait
		[ $((n % 3)) != 0 ] || pod rmi -f "localhost/pulled$i" "localhost/made$(((n + 2) % 5))"
		pod volume create "v$n"
		[ "$(pod volume ls -q | wc -l)" -lt 5 ] || pod volume rm -a -f
	done >/dev/null 2>&1
}
# whole: after the power is back; says what is wrong
whole() {
	local image bad=0
	pod images -q --no-trunc >"$WORLD/listed" || { echo "images failed"; return 1; }
	pod system check >"$WORLD/check" 2>&1 || { head -n 5 "$WORLD/check"; bad=1; }
	for image in $(sort -u "$WORLD/listed"); do
		pod run --rm --network none "${image#sha256:}" sh -c 'test -x /bin/busybox' || { echo "$image does not run"; bad=1; }
	done
	pod ps -a >/dev/null && pod volume ls >/dev/null || bad=1
	pod system prune -f >/dev/null || bad=1
	return $bad
}
base() { pod image exists localhost/base || busybox_image localhost/base >/dev/null; }

# --- In the machine: look at what the last one left, and work until the power goes -----------------------------------
if [ "${1:-}" = inside ]; then
	WORLD=$(mktemp -d) ROOT=/var/lib/containers/power RUNROOT=/run/pod-power
	mkdir -p "$ROOT"
	whole && echo "whole $(sort -u "$WORLD/listed" | wc -l) images" || echo "damaged"
	base || echo damaged
	mkdir "$WORLD/layouts" && layouts "$WORLD/layouts" && echo working
	work "$WORLD/layouts"
fi

world
if [ -n "${POD_VM:-}" ]; then
	truncate -s 4G "$WORLD/disk" && mkfs.ext4 -q -F "$WORLD/disk"
	for round in $(seq 0 "$rounds"); do
		# What the one before said is not this one's.
		: >"$WORLD/said"
		# The last one only looks.
		# shellcheck disable=SC2086
		setsid $POD_VM --disk "$WORLD/disk" -- env BUILD="$BUILD" bash "$PWD/tests/power.sh" inside >"$WORLD/said" 2>"$WORLD/err" &
		machine=$!
		until_ok 140 grep -q "^working" "$WORLD/said"
		[ "$round" = "$rounds" ] || sleep "$((RANDOM % 8)).$((RANDOM % 10))"
		kill -KILL -- "-$machine" 2>/dev/null
		wait "$machine" 2>/dev/null
		if grep -q '^working' "$WORLD/said" && ! grep -q '^damaged' "$WORLD/said"; then
			ok "$([ "$round" = 0 ] && echo "the machine starts" || echo "the power of the machine went, $round"): $(grep '^whole' "$WORLD/said")"
		else
			not_ok "round $round: $(tail -n 4 "$WORLD/said" "$WORLD/err" | tr '\n' ' ')"
		fi
	done
	finish
fi

[ -n "${ALONE:-}" ] || ALONE=1 exec unshare -m --propagation private bash "$0" "$@"
at_end() { umount -l "$WORLD/disk" 2>/dev/null; }
mkdir "$WORLD/disk" "$WORLD/layouts"
truncate -s 2G "$WORLD/ext4"
mkfs.ext4 -q -F "$WORLD/ext4" && mount -o loop "$WORLD/ext4" "$WORLD/disk" || { echo "check-power: no file system can be made on a loop device" >&2; exit 1; }
layouts "$WORLD/layouts"
ROOT=$WORLD/disk/root
base
sync -f "$WORLD/disk"
images=0
for round in $(seq "$rounds"); do
	setsid bash -c "$(declare -f work pod); BIN='$BIN' ROOT='$ROOT' RUNROOT='$RUNROOT' WORLD='$WORLD'; work '$WORLD/layouts'" &
	worker=$!
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	"$BUILD/tests/godown" "$WORLD/disk" || { not_ok "the file system can be stopped"; finish; }
	kill -KILL -- "-$worker" 2>/dev/null
	wait "$worker" 2>/dev/null
	# Whatever still runs of it is as dead as with a machine: monitors have mount namespaces of their own.
	for at in $(grep -ls " $WORLD/disk " /proc/[0-9]*/mountinfo); do
		at=${at%/mountinfo}
		[ "$(readlink "$at/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || kill -KILL "${at#/proc/}" 2>/dev/null
	done
	until_ok 60 umount "$WORLD/disk" 2>/dev/null || umount -l "$WORLD/disk"
	umount -R -l "$RUNROOT" 2>/dev/null
	rm -rf --one-file-system "$RUNROOT"
	mount -o loop "$WORLD/ext4" "$WORLD/disk" || { not_ok "the file system can be mounted again"; finish; }
	if said=$(whole 2>&1); then ok "the power went, $round: $(sort -u "$WORLD/listed" | wc -l) images are whole"; else not_ok "the power went, $round: $said"; fi
	images=$((images + $(sort -u "$WORLD/listed" | wc -l)))
	base
done
check "there were images to be lost ($images in $rounds rounds)" test "$images" -gt "$rounds"
finish
