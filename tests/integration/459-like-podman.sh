#!/bin/bash
# SPDX-License-Identifier: ISC
# Small things of run and create in which scripts written for Podman would see a difference.
. "$(dirname "$0")/../lib.sh"
world
busybox_image bb >/dev/null
run() { pod run --rm --net none "$@"; }

# A variable of a script that is empty: --memory "$MEMORY" sets nothing.
for o in annotation arch blkio-weight blkio-weight-device cgroups cpuset-cpus cpuset-mems device device-read-bps \
	device-write-iops env env-file env-merge health-cmd health-interval health-on-failure health-start-period \
	health-timeout image-volume label-file log-opt memory memory-reservation memory-swap os personality platform pull \
	sdnotify seccomp-policy secret shm-size storage-opt subgidname subuidname umask variant; do
	check "an empty --$o is none" pod create --net none --$o '' bb true
done
for o in ip mac-address; do
	check "an empty --$o is none" pod create --$o '' bb true
done
pod run -d --name alive --net none bb sleep 100 >/dev/null
for o in blkio-weight cpuset-cpus memory memory-reservation memory-swap; do
	check "nor does update change anything by an empty --$o" pod update --$o '' alive
done
is "an empty --umask leaves the usual one" "$(run --umask '' bb sh -c umask)" 0022
run_fails "a variable without a name is refused" 125 "invalid environment variable" --env =x bb true
check "a policy in Kubernetes' words" pod create --net none --pull IfNotPresent bb true

warning='The input device is not a TTY. The --tty and --interactive flags might not work properly'
run -it bb true </dev/null >/dev/null 2>"$WORLD/err"
is "-it without a terminal warns" "$(grep -cF "level=warning msg=\"$warning\"" "$WORLD/err")" 1
run -i bb true </dev/null >/dev/null 2>"$WORLD/err"
is "-i alone does not" "$(cat "$WORLD/err")" ""
check "nor is it an error" run -it bb true </dev/null

run_fails "a log file that cannot be opened" 126 "Failed to open log file /nonexistent/x: no such file" \
	--log-opt path=/nonexistent/x bb true
check "an option of another engine's log driver" run --log-opt labels=a --log-opt foo= bb true
run_fails "but not one without a value" 125 'invalid log option "foo"' --log-opt foo bb true
run_fails "nor the driver" 125 'invalid log option "driver=none"' --log-opt driver=none bb true

for how in --no-hosts "--dns none"; do
	# shellcheck disable=SC2086
	pod run -d --name bare --net host $how bb sleep 100 >/dev/null
	check "the network of a container with $how can be shared" pod run --rm --net container:bare bb true
	pod rm -f -t 0 bare >/dev/null
done

pod create --name same --net none bb true >/dev/null
check "a container can be given its own name" pod rename same same
is "and keeps it" "$(pod ps -a --filter name=same --format '{{.Names}}')" same
finish
