#!/bin/bash
# SPDX-License-Identifier: ISC
# Where cgroups are made by hand the monitors have one beside the containers', so that the end of their caller's ends
# none of them.  As root, and as an ordinary user to whom a cgroup was delegated.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "cgroups of monitors" "only root makes cgroups for this"; finish; }
world
image=localhost/box
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
up() { pod --cgroup-manager cgroupfs run -d --network "${network:-none}" --name "$1" --stop-timeout 1 "${@:2}" >/dev/null; }
field() { pod inspect --format "{{.$2}}" "$1"; }
# What the runtime is asked for, by one that only looks.
cat >"$WORLD/looks" <<'LOOKS'
#!/bin/sh
while [ $# -gt 0 ]; do
	[ "$1" != --bundle ] || cp "$2/config.json" "${0%/*}/asked"
	shift
done
exit 1
LOOKS
chmod 755 "$WORLD/looks"
for parent in mine.slice /mine.slice /machine.slice/mine.slice; do
	pod --cgroup-manager systemd --runtime "$WORLD/looks" run --rm --network none --cgroup-parent $parent $image true >/dev/null 2>&1
	is "the slice of --cgroup-parent $parent" "$(jq -r .linux.cgroupsPath "$WORLD/asked" | cut -d: -f1,2)" mine.slice:libpod
done
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	up stays $image sleep 1000
	is "cgroup v1: a monitor stays with its caller" "$(cat "/proc/$(field stays State.ConmonPid)/cgroup")" "$(cat /proc/self/cgroup)"
	# A hybrid host whose second tree was unmounted, as Podman with crun needs it: the runtime makes a directory in
	# the place of the mount nevertheless.
	if [ -d /sys/fs/cgroup/unified ]; then
		id=$(unshare -m --propagation private bash -c 'umount /sys/fs/cgroup/unified 2>/dev/null
			"$1/pod" --root "$2" --runroot "$3" run -d --network none '$image' sleep 1000
			"$1/pod" --root "$2" --runroot "$3" rm -f -t 0 -l >/dev/null
			find /sys/fs/cgroup/unified >"$4"' x "$BIN" "$ROOT" "$RUNROOT" "$WORLD/left")
		is "nothing stays below where the second tree of a hybrid host was mounted" "${#id} $(grep -c "libpod-$id" "$WORLD/left")" "64 0"
	else
		skip "the place of the second tree of a hybrid host" "no hybrid host"
	fi
	skip "a monitor's own cgroup" "cgroup v1"
	finish
fi

top=/sys/fs/cgroup base=/podtest$$ before=$(sed -n 's/^0:://p' /proc/self/cgroup)
at_end() {
	echo $$ >"$top$before/cgroup.procs"
	pod rm -f -a -t 0 >/dev/null 2>&1
	until_ok 10 sh -c 'find "$1" -mindepth 1 -depth -type d -exec rmdir {} + && rmdir "$1"' x "$top$base" 2>/dev/null
}
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
monitor_of() { field "$1" State.ConmonPid; }
# In a cgroup of its own, which is then killed with all that is in it
from_killed() {
	mkdir -p "$top$base/caller"
	(echo "$BASHPID" >"$top$base/caller/cgroup.procs" && "$@")
	echo 1 >"$top$base/caller/cgroup.kill"
	until_ok 20 grep -qx 'populated 0' "$top$base/caller/cgroup.events"
}
serves() { while read -r p; do cat "/proc/$p/comm"; done <"$1/cgroup.procs" | grep -x pod-net-dns | sort -u; }
waits() { up "$1" --cgroup-parent "$base" $image sh -c 'until [ -e /tmp/go ]; do sleep 0.2; done; exit 7'; }
both_parts() {
	local own
	own=$(group_of self)
	up box --cgroup-parent "$base" $image sleep 1000
	is "$1: the monitor" "$(group_of "$(monitor_of box)")" "$base/conmon"
	# shellcheck disable=SC2046
	is "its other half" "$(group_of $(pgrep -P "$(monitor_of box)" -x pod-monitor-std))" "$base/conmon"
	is "the container's is another" "$(group_of "$(field box State.Pid)" | sed 's,/container$,,')" "$base/libpod-$(field box Id)"
	pod exec -d box sleep 999 >/dev/null
	is "the monitor of an exec session is there too, with both halves" "$(sort -u "$top$base/conmon/cgroup.procs" | wc -l)" 4
	up stays --cgroup-parent "$base" --cgroups no-conmon $image sleep 1000
	is "--cgroups=no-conmon" "$(group_of "$(monitor_of stays)")" "$own"
	INVOCATION_ID=1 NOTIFY_SOCKET=$WORLD/none up service --cgroup-parent "$base" $image sleep 1000
	is "the main process of a service stays in it" "$(group_of "$(monitor_of service)")" "$own"
	pod rm -f -t 0 box stays service >/dev/null
	from_killed waits kept
	is "the end of the caller's cgroup does not end the container" "$(field kept State.Status)" running
	is "nor its monitor" "$(group_of "$(monitor_of kept)")" "$base/conmon"
	pod exec kept touch /tmp/go
	until_is "which says how it ended" "exited 7" pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' kept
	pod rm kept >/dev/null
	if [ "$1" = user ] && [ -z "$(ip route show default)$(ip -6 route show default)" ]; then
		skip "user: what serves networks" "pasta needs a way out"
		return
	fi
	pod network create "$net" >/dev/null
	network=$net from_killed up named --cgroup-parent "$base" $image sleep 1000
	named() { pod exec named nslookup named >/dev/null 2>&1; }
	check "nor the server of names, nor a user's namespace of bridges" until_ok 20 named
	is "which is in a cgroup for such" "$(serves "$top$2/libpod_parent/net")" pod-net-dns
	pod rm -f -t 0 named >/dev/null
	pod network rm "$net" >/dev/null
}
net=names$$
mkdir "$top$base"
both_parts root ""
up box $image sleep 1000
is "without --cgroup-parent" "$(group_of "$(monitor_of box)")" /libpod_parent/conmon
pod rm -f -t 0 box >/dev/null

ordinary_user || { skip "the same as an ordinary user" "no user can be made"; finish; }
rmdir "$top$base/caller" "$top$base/conmon"
sed 's/[^ ]\+/+&/g' "$top$base/cgroup.controllers" >"$top$base/cgroup.subtree_control"
mkdir "$top$base/test"
chown -R "$world_user" "$top$base"
echo $$ >"$top$base/test/cgroup.procs"
# The one that user_part is to take
ordinary_user() { :; }
{
	declare -p top base image net
	declare -f up field group_of monitor_of from_killed waits serves both_parts
	cat <<'PART'
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import $image >/dev/null
both_parts user "$base"
PART
} | user_part
result=$?
world_user=
exit $result
