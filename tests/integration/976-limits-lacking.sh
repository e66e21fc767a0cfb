#!/bin/bash
# SPDX-License-Identifier: ISC
# Limits of an ordinary user to whom a cgroup was delegated, but no controller, and of one who has no cgroup.
. "$(dirname "$0")/../lib.sh"
if [ "${LIMITS_LACKING_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then LIMITS_LACKING_NS=1 exec unshare -m --propagation private bash "$0"; fi
[ "$(id -u)" = 0 ] || { skip "limits without controllers" "only root makes cgroups for this"; finish; }
# The second tree of a hybrid host is one of version 2 where few controllers are.
top=/sys/fs/cgroup
if [ "$(stat -f -c %T $top)" != cgroup2fs ] && ! { [ "$(stat -f -c %T $top/unified 2>/dev/null)" = cgroup2fs ] && mount --bind $top/unified $top; }; then
	skip "limits without controllers" "no cgroup v2"
	finish
fi
world
rootfs "$WORLD/fs"
ordinary_user || { skip "limits without controllers" "no user can be made"; finish; }
# What the upper one does not give on, the user's has not.
base=/podlimits$$ before=$(sed -n 's/^0:://p' /proc/self/cgroup)
at_end() {
	echo $$ >"$top$before/cgroup.procs"
	until_ok 10 sh -c 'find "$1" -depth -type d -exec rmdir {} +' x "$top$base" 2>/dev/null
}
mkdir -p "$top$base/user/test"
chown -R "$world_user" "$top$base/user"
echo $$ >"$top$base/user/test/cgroup.procs"
# The one that user_part is to take
ordinary_user() { :; }
{
	echo "base=$base"
	cat <<'PART'
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/b >/dev/null
is "the user's cgroup has no controllers" "$(cat "/sys/fs/cgroup$base/user/cgroup.controllers")" ""
r() { pod --cgroup-manager cgroupfs run --rm --network none "$@" localhost/b echo ran 2>&1; }
below() { r --cgroup-parent "$base/user" "$@"; }
is "without limits it runs: the default of processes is for a cgroup of systemd's" "$(below)" ran
disk=$(find /dev -maxdepth 1 -type b 2>/dev/null | head -1)
lacks() { # TEXT CONTROLLER OPTIONS...
	local out text=$1 controller=$2
	shift 2
	out=$(below "$@")
	is "$text" "$? ${out%"${out#*is not available}"}" "126 Error: OCI runtime error: crun: the requested cgroup controller \`$controller\` is not available"
}
lacks "--pids-limit" pids --pids-limit 5
lacks "--cpus" cpu --cpus 0.5
lacks "--memory" memory --memory 64m
lacks "--blkio-weight" io --blkio-weight 100
if [ -n "$disk" ]; then
	lacks "--blkio-weight-device" io --blkio-weight-device "$disk:100"
	for o in device-read-bps device-write-bps device-read-iops device-write-iops; do lacks "--$o" io --$o "$disk:1000"; done
else
	skip "limits of a disk" "there is none"
fi
# A container that has its place keeps it.
pod --cgroup-manager cgroupfs create --name later --network none --cgroup-parent "$base/user" localhost/b true >/dev/null
is "update of one with a cgroup is not ignored" "$(pod update --blkio-weight 100 later 2>&1 >/dev/null)$(pod inspect --format '{{.HostConfig.BlkioWeight}}' later)" 100
is "and no more to be had when it starts" "$(pod start -a later 2>&1 | grep -c 'controller `io` is not available')" 1
pod rm later >/dev/null
is "a command of such a name that is missing is one" "$(pod --cgroup-manager cgroupfs run --rm --network none localhost/b io.weight 2>/dev/null; echo $?)" 127
ignored() { is "no cgroup: $1 is ignored, and told" "$(r "$@" | grep -c '^ran$\|Resource limits are not supported and ignored')" 2; }
ignored --blkio-weight 100
[ -z "$disk" ] || for o in blkio-weight-device device-read-bps device-write-bps device-read-iops device-write-iops; do ignored --$o "$disk:1000"; done
PART
} | user_part
result=$?
world_user=
exit $result
