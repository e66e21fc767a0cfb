#!/bin/bash
# SPDX-License-Identifier: ISC
# Limits that are taken away again, limits that are none, and limits that this machine cannot set.
. "$(dirname "$0")/../lib.sh"
if [ "${LIMITS_WALK_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then LIMITS_WALK_NS=1 exec unshare -m bash "$0"; fi
world

# refusal_checks: the same for root and for a user; $WORLD and pod are at hand
refusal_checks() {
	image=localhost/limits
	busybox_image $image >/dev/null || { not_ok "an image can be imported"; return; }
	# refused "OPTIONS" WORDS: and no container is made
	refused() {
		local out
		# shellcheck disable=SC2086
		out=$(pod create --network none $1 $image true 2>&1 >/dev/null)
		is "refused: $1" "$? $(grep -cF -- "$2" <<<"$out") $(pod ps -aq | wc -l)" "125 1 0"
	}
	refused "--cpus nan" 'invalid value nan for --cpus'
	refused "--device-read-bps /dev/nosuch:1mb" 'could not parse throttle device at /dev/nosuch: no such file'
	refused "--device-write-iops /dev/null:5" 'could not parse throttle device at /dev/null: not a block device'
	refused "--blkio-weight-device /dev/nosuch:100" 'could not parse throttle device at /dev/nosuch: no such file'
	refused "--cgroup-parent ../outside" 'invalid cgroup parent ../outside: invalid argument'
	refused "--cgroup-parent /a/../../b" 'invalid cgroup parent /a/../../b'
	[ -e /sys/fs/resctrl/schemata ] || refused "--rdt-class gold" '--rdt-class gold: no resctrl file system is mounted'
	is "--cgroups=disabled: limits are said to be ignored" "$(pod run --rm --network none --cgroups disabled --memory 64m $image echo ran 2>&1 | grep -c '^ran$\|Resource limits are \(ignored\|not supported\)')" 2
	id=$(pod create --cgroups disabled $image true)
	is "nor later without a word" "$(pod update --pids-limit 50 "$id" 2>&1 | grep -c "^$id\$\|Resource limits are ignored")" 2
	pod rm "$id" >/dev/null
	is "not without limits" "$(pod run --rm --network none --cgroups disabled $image echo ran 2>&1)" ran
}
refusal_checks
is "--cpu-quota -1 is no limit" "$(pod run --rm --network none --cpu-quota -1 $image echo ran 2>&1)" ran
disk=$(find /dev -maxdepth 1 -type b 2>/dev/null | head -1)
if [ -n "$disk" ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ ! -e /sys/fs/cgroup/blkio/blkio.weight_device ] &&
	[ ! -e /sys/fs/cgroup/blkio/blkio.bfq.weight_device ]; then
	is "a weight of a device that the kernel cannot give is discarded, and told" "$(pod run --rm --network none --blkio-weight-device "$disk:100" $image echo ran 2>&1 | grep -c '^ran$\|Block I/O weight_device.*limit discarded')" 2
else
	skip "a weight of a device that the kernel cannot give" "no disk, or it can"
fi

# --- Taken away while it runs
value() { pod exec lim sh -c "for f in $*; do [ ! -e /sys/fs/cgroup/\$f ] || cat /sys/fs/cgroup/\$f; done"; }
unlimited() { [ "$1" = max ] || [ "$1" = -1 ] || [ "${1%% *}" = max ] || [ "$1" -gt 1000000000000 ] 2>/dev/null; }
pod run -d --name lim --network none --pids-limit 9 --cpu-quota 50000 --memory 64m --memory-reservation 32m $image sleep 300 >/dev/null
is "they are set" "$(value pids/pids.max pids.max) $(value cpu/cpu.cfs_quota_us cpu.max | cut -d' ' -f1) $(value memory/memory.limit_in_bytes memory.max)" "9 50000 67108864"
check "update --pids-limit -1" eval "pod update --pids-limit -1 lim >/dev/null"
check "the kernel has no limit" unlimited "$(value pids/pids.max pids.max)"
check "update --cpu-quota -1" eval "pod update --cpu-quota -1 lim >/dev/null"
check "no quota either" unlimited "$(value cpu/cpu.cfs_quota_us cpu.max)"
check "update --memory 0 --memory-reservation 0" eval "pod update --memory 0 --memory-reservation 0 lim >/dev/null"
check "nor of memory" unlimited "$(value memory/memory.limit_in_bytes memory.max)"
for f in memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes; do
	[ ! -e "/sys/fs/cgroup/$f" ] || check "nor $f" unlimited "$(value $f)"
done
is "and inspect says so" "$(pod inspect --format '{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}}' lim)" "-1 0 0"
check "they can be set again" eval "pod update --pids-limit 11 --memory 96m lim >/dev/null"
is "which counts" "$(value pids/pids.max pids.max) $(value memory/memory.limit_in_bytes memory.max)" "11 100663296"
check "it starts again without a quota" eval "pod restart -t 0 lim >/dev/null"
check "which it has not" unlimited "$(value cpu/cpu.cfs_quota_us cpu.max)"
pod rm -f -t 0 lim >/dev/null
{
	declare -f refusal_checks
	echo refusal_checks
} | user_part
