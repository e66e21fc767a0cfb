#!/bin/bash
# SPDX-License-Identifier: ISC
# A container that was killed before its record was kept, or after it went, leaves no cgroup: below whichever parent it
# was made, with what it made in there itself, and no process.  Another container's cgroups are not looked into.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "cgroups of orphans" "only root makes cgroups for this"; finish; }
world
image=localhost/box
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
top=/sys/fs/cgroup
[ "$(stat -f -c %T $top)" = cgroup2fs ] || top=$top/pids
mine=$top/podtest$$
at_end() { find "$mine" -depth -type d -exec rmdir {} + 2>/dev/null; }
hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
other=$(hex)
# A process that only its runtime knows, as its monitor was killed before it said anything.
forgotten() {
	local id pid
	# shellcheck disable=SC2086
	id=$(pod run -d --network none --cgroups "$2" --runtime "$1" ${4:-$image} sleep 1000)
	pid=$(pod inspect --format '{{.State.Pid}}' "$id")
	kill -KILL "$(pod inspect --format '{{.State.ConmonPid}}' "$id")"
	sqlite3 "$ROOT/pod.db" 'DELETE FROM container'
	[ "$3" != killed ] || rm -r "$RUNROOT"/oci-* # before it wrote anything down
	pod system prune -f >/dev/null
	is "$1${3:+ $3}, cgroup $2${4:+, ${4%% *}}: nothing goes on that nobody knows" "$(ps -o stat= -p "$pid" | grep -v Z)" ""
	is "and its runtime knows nothing of it" "$(find "$RUNROOT"/oci-* -mindepth 1 2>/dev/null)" ""
}
forgotten crun enabled
forgotten crun disabled
forgotten crun disabled killed
# Its root directory does not tell whose it is, and on kernels before 6.7 no overlay does.
forgotten crun disabled killed "--rootfs $WORLD/fs"
if command -v runc >/dev/null; then forgotten runc enabled; else skip "runc" "not installed"; fi
for place in /libpod-ID /deep/er/libpod-ID /deep/libpod-payload-ID /my.slice/libpod-ID.scope; do
	id=$(hex)
	group=$mine${place/ID/$id}
	mkdir -p "$group/container/its/own" "$group/second" "$mine/libpod-$other/libpod-$id" "$RUNROOT/containers/$id"
	sleep 1000 &
	sleeper=$!
	disown $sleeper
	world_pids+=("$sleeper")
	echo $sleeper >"$group/container/its/own/cgroup.procs"
	pod system prune -f >/dev/null
	is "nothing stays of $place" "$(ls -d "$group" "$RUNROOT/containers/$id" 2>/dev/null)" ""
	until_ok 5 sh -c '! kill -0 "$1" 2>/dev/null' x $sleeper
	is "its process is gone" "$(ps -o stat= -p $sleeper | grep -v Z)" ""
	is "the directory of that name in another container's stays" "$(ls -d "$mine/libpod-$other/libpod-$id")" \
		"$mine/libpod-$other/libpod-$id"
done
user_part < <(
	echo image=$image
	declare -f forgotten
	cat <<-'END'
		busybox_image $image >/dev/null
		forgotten crun enabled
		forgotten crun enabled killed
	END
)
