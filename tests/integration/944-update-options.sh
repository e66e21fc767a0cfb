#!/bin/bash
# SPDX-License-Identifier: ISC
# Each option of update and of container clone: what inspect tells afterwards of a container that is not running.
. "$(dirname "$0")/../lib.sh"
world

# OPTIONS@JQ EXPRESSION ON THE DOCUMENT@WHAT IT PRINTS.  "# " after the options: as root only; "+": clone has it too.
rows() {
	cat <<'ROWS'
--blkio-weight 200 + # @.HostConfig.BlkioWeight@200
--blkio-weight-device BLOCK:300 + # @.HostConfig.BlkioWeightDevice[0].Weight@300
--cpu-period 60000 --cpu-quota 30000 + # @[.HostConfig.CpuPeriod, .HostConfig.CpuQuota]@[60000,30000]
--cpu-rt-period 2000 --cpu-rt-runtime 1000 + # @[.HostConfig.CpuRealtimePeriod, .HostConfig.CpuRealtimeRuntime]@[2000,1000]
--cpu-shares 99 + # @.HostConfig.CpuShares@99
--cpus 0.25 + # @.HostConfig.NanoCpus@250000000
--cpuset-cpus 0 --cpuset-mems 0 + # @[.HostConfig.CpusetCpus, .HostConfig.CpusetMems]@["0","0"]
--device-read-bps BLOCK:1mb --device-write-bps BLOCK:2mb + # @[.HostConfig.BlkioDeviceReadBps[0].Rate, .HostConfig.BlkioDeviceWriteBps[0].Rate]@[1048576,2097152]
--device-read-iops BLOCK:5 --device-write-iops BLOCK:6 # @[.HostConfig.BlkioDeviceReadIOps[0].Rate, .HostConfig.BlkioDeviceWriteIOps[0].Rate]@[5,6]
-m 96m --memory-reservation 48m --memory-swap 192m --memory-swappiness 20 + # @[.HostConfig.Memory, .HostConfig.MemoryReservation, .HostConfig.MemorySwap, .HostConfig.MemorySwappiness]@[100663296,50331648,201326592,20]
--restart on-failure:7@.HostConfig.RestartPolicy@{"Name":"on-failure","MaximumRetryCount":7}
--env NEW=1@.Config.Env | index("NEW=1") != null@true
--health-cmd 'test -e /x' --health-interval 8s --health-retries 9 --health-start-period 7s --health-timeout 6s@.Config.Healthcheck@{"Test":["CMD-SHELL","test -e /x"],"StartPeriod":7000000000,"Interval":8000000000,"Timeout":6000000000,"Retries":9}
--health-on-failure stop --health-max-log-count 2 --health-max-log-size 11 --health-log-destination events_logger@[.Config.HealthcheckOnFailureAction, .Config.HealthcheckMaxLogCount, .Config.HealthcheckMaxLogSize, .Config.HealthLogDestination]@["stop",2,11,"events_logger"]
--health-startup-cmd true --health-startup-interval 4s --health-startup-retries 3 --health-startup-success 2 --health-startup-timeout 5s@.Config.StartupHealthCheck@{"Test":["CMD-SHELL","true"],"Interval":4000000000,"Timeout":5000000000,"Retries":3,"Successes":2}
--no-healthcheck@.Config.Healthcheck.Test@["NONE"]
ROWS
}

checks() {
	local options what wanted w plain block
	block=$(find /dev -maxdepth 1 -type b | head -n 1)
	while IFS=@ read -r options what wanted; do
		case $options in *BLOCK*) [ -n "$block" ] || continue ;; esac
		case $options in *"# ") [ "$(id -u)" = 0 ] || continue ;; esac
		plain=${options%"# "} plain=${plain//BLOCK/$block}
		eval "w=(${plain%"+ "})"
		pod create --name one --net none --health-cmd true --health-interval disable img sleep 100 >/dev/null
		pod update "${w[@]}" one >/dev/null 2>"$WORLD/err"
		is "update $options" "$(pod inspect one | jq -c ".[0] | $what")$(head -n 1 "$WORLD/err")" "$wanted"
		case $plain in
		*"+ ")
			pod container clone "${w[@]}" one two >/dev/null 2>"$WORLD/err"
			is "clone $options" "$(pod inspect two | jq -c ".[0] | $what")$(head -n 1 "$WORLD/err")" "$wanted"
			;;
		esac
		pod rm -f -i one two >/dev/null 2>&1
	done < <(rows)
}
busybox_image img >/dev/null
checks
{
	declare -f rows checks
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; checks'
} | user_part
