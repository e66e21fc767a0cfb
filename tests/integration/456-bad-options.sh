#!/bin/bash
# SPDX-License-Identifier: ISC
# Bad input for the options of create: one Error line, status 125, and nothing made.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/bad
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
mkdir "$WORLD/d"
pod ps >/dev/null
state() {
	pod ps -aq --no-trunc
	pod volume ls -q
	find "$ROOT"/rw "$ROOT"/containers "$ROOT"/volumes "$RUNROOT"/containers -mindepth 1 -maxdepth 1 2>/dev/null | sort
}
before=$(state)

# WORDS | what the error holds
while IFS='|' read -r words text; do
	[ -n "$words" ] || continue
	eval "set -- $words"
	pod create "$@" $image true >"$WORLD/out" 2>"$WORLD/err" </dev/null
	st=$?
	if [ "$st" != 125 ] || [ "$(grep -c '^Error:' "$WORLD/err")" != 1 ] || ! grep -qF -- "$text" "$WORLD/err"; then
		not_ok "$words: status $st: $(head -n 2 "$WORLD/err" | tr '\n' ' ')"
	else
		ok "$words"
	fi
done <<'TABLE'
-v /tmp:/m:O,Z|invalid options "O, Z", can only specify 1 'z', 'Z', or 'O' option
-v /tmp:/m:O,ro|can't use 'O' with other options
-v /tmp:/m:O,upperdir=/x|must set both `upperdir` and `workdir`
-v /tmp:/m:O,upperdir=x,workdir=y|absolute
-v /tmp:/m:upperdir=/x,workdir=/y|without the option 'O'
-v /tmp:/m:ro,rw|invalid options "ro, rw", can only specify 1 'rw' or 'ro' option
-v /tmp:/m:shared,slave|can only specify 1 '[r]shared', '[r]private', '[r]slave' or '[r]unbindable' option
-v /tmp:/m:bind,rbind|can only specify 1 '[r]bind' option
-v /tmp:/m:U,U|can only specify 1 'U' option
-v /tmp:/m:idmap=foo|invalid idmap option
-v /tmp:/m:foo|invalid option type "foo"
-v /tmp:/m:nocreate|invalid option type "nocreate"
-v a:b:c:d|a:b:c:d: incorrect volume format, should be [host-dir:]ctr-dir[:option]
-v /tmp:m|invalid container path "m", must be an absolute path
-v :/m|host directory cannot be empty
-v /nosuch:/m|statfs /nosuch: no such file or directory
-v a/b:/m|names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument
-v /tmp:/m -v /usr:/m|/m: duplicate mount destination
-v /tmp:/m --tmpfs /m|/m: duplicate mount destination
--mount foo|incorrect mount format: should be --mount type=
--mount type=foo,dst=/m|invalid filesystem type "foo"
--mount type=artifact,dst=/m|must set source
--mount type=bind,src=/nosuch,dst=/m|statfs /nosuch: no such file or directory
--mount type=bind,src=/tmp,dst=/m,tmpfs-size=5|tmpfs-size
--mount type=bind,src=/tmp,dst=/m,subpath=x|subpath: invalid mount option
--mount type=tmpfs,dst=/m,src=/tmp|source is not supported with tmpfs mounts
--mount type=tmpfs,dst=/m,size=abc|invalid mount option
--mount type=tmpfs|must set volume destination
--mount type=volume,dst=/m,src=/tmp|creating named volume "/tmp"
--mount type=volume,dst=/m,relabel=foo|relabel mount option must be 'private' or 'shared'
--mount type=image,dst=/m|must set source and destination for image volume
--mount type=image,src=x,dst=/m,foo=1|foo: invalid mount option
--mount type=glob,src=/nosuch*,dst=/m|no file paths matching glob "/nosuch*"
--tmpfs foo|invalid container path "foo", must be an absolute path
--tmpfs /a:bad|unknown mount option "bad": invalid mount option
--tmpfs /a:size=x|invalid mount option
--volumes-from nosuch|looking up container "nosuch" for volumes-from
--volumes-from a:foo|invalid option "foo" specified - volumes from another container can only use z,ro,rw options
--volumes-from a:ro,rw|more than once
--rootfs /dev/null|not a directory
--userns auto:foo|invalid option specified: "foo"
--userns auto:size=x|strconv.ParseUint: parsing "x": invalid syntax
--userns foo|unrecognized namespace mode foo passed
--userns container:nosuch|looking up container to share user namespace with
--gidmap a:b:c|initializing ID mappings: GID setting is malformed
--userns private|must provide at least one UID or GID mapping
--uidmap 1|initializing ID mappings: UID setting is malformed
--uidmap a:b:c|initializing ID mappings: UID setting is malformed
--uidmap 0:4294967290:100|leaves the numbers there are
--subuidname nosuchname|no subuid ranges found for user "nosuchname" in /etc/subuid
--hostuser nosuchuser|user: unknown user nosuchuser
--passwd-entry $'a\nb'|must be one line
--group-entry $'a\nb'|must be one line
--device /nosuch|stat /nosuch: no such file or directory
--device /etc/passwd|/etc/passwd is not a valid device: not a device node
--device /dev/null:/x:q|invalid device mode: q
--device nosuch.com/x=y|unresolvable CDI devices nosuch.com/x=y
--gpus nosuch|unresolvable CDI devices nvidia.com/gpu=nosuch
--device-cgroup-rule foo|invalid device cgroup rule requires type, major:Minor, and access rules: "foo"
--device-cgroup-rule 'x 1:1 r'|invalid device type in device-access-add: x
--device-cgroup-rule 'c x:1 r'|invalid device number in device-access-add
--device-cgroup-rule 'c 1:1 q'|invalid device access in device-access-add: q
--ulimit foo|ulimit option "foo" requires name=SOFT:HARD, failed to be parsed: invalid ulimit argument: foo
--ulimit nofile=2:1|ulimit soft limit must be less than or equal to hard limit: 2 > 1
--ulimit nosuch=1|invalid ulimit type: nosuch
--ulimit nofile=1:2:3|too many limit value arguments
--group-add keep-groups --group-add x|the '--group-add keep-groups' option is not allowed with any other --group-add options
--seccomp-policy foo|invalid seccomp policy "foo": valid policies are ["default" "image"]
--seccomp-policy image|seccomp profile
--security-opt seccomp=/nosuch|opening seccomp profile failed: open /nosuch: no such file or directory
--security-opt foo|invalid --security-opt 1: "foo"
--security-opt foo=bar|invalid --security-opt 2: "foo=bar"
--security-opt no-new-privileges:x|invalid --security-opt 2: "no-new-privileges:x"
--security-opt systempaths=foo|only `unconfined` is supported
--cgroups foo|running container create option: invalid cgroup mode "foo": invalid argument
--cgroup-conf foo|--cgroup-conf must be formatted KEY=VALUE
--cgroup-conf ../x=1|--cgroup-conf must be formatted KEY=VALUE
--cgroupns foo|unrecognized namespace mode foo passed
--pid foo|unrecognized namespace mode foo passed
--ipc foo|unrecognized namespace mode foo passed
--uts foo|unrecognized namespace mode foo passed
--pid container:nosuch|looking up container to share pid namespace with
--hostname x --uts host|cannot set hostname when running in the host UTS namespace
--shm-size x|unable to translate --shm-size: invalid size: 'x'
--shm-size 5m --ipc host|cannot set shmsize when running in the {host } IPC Namespace
--shm-size-systemd x|invalid size: 'x'
--systemd foo|--systemd values must be one of "true, false, always": invalid configuration
--init --systemd always|cannot use container-init binary with systemd=always
--init --init-path /nosuch|container-init binary not found on the host: stat /nosuch: no such file or directory
--init --pid host|cannot add init binary as PID 1 (PID namespace isn't private)
--umask 99|running container create option: invalid umask string 99: invalid argument
--tz nosuch|unknown time zone nosuch
--tz ../../../etc/shadow|unknown time zone
--personality foo|invalid personality "foo"
--env-file /nosuch|parsing env file "/nosuch": open /nosuch: no such file or directory
--label-file /nosuch|unable to process labels: open /nosuch: no such file or directory
--label =x|unable to process labels: invalid label format: "=x"
--annotation foo|annotations must be formatted KEY=VALUE
--env-merge foo|not of the form NAME=VALUE
--env =x|invalid environment variable
--image-volume foo|invalid image volume mode "foo" required value: bind, tmpfs, ignore
--decryption-key /nosuch|Invalid decryption keys: open /nosuch: no such file or directory
--pids-limit x|invalid argument "x" for "--pids-limit" flag
--memory lots|memory
--memory -5|memory
--memory-swap 5m|you should always set a memory limit when using a memoryswap limit, see usage
--memory 5m --memory-swap 4m|minimum memoryswap limit should be larger than memory limit, see usage
--memory 5m --memory-reservation 6m|minimum memory limit cannot be less than memory reservation limit, see usage
--memory-swappiness 200|invalid value: 200, valid memory swappiness range is 0-100
--oom-score-adj 2000|must be between -1000 and 1000
--blkio-weight 5|range of blkio weight is from 10 to 1000
--blkio-weight-device foo|bad format: foo
--blkio-weight-device /dev/null:5|invalid weight for device: /dev/null:5
--device-read-bps foo|bad format: foo
--device-read-bps /dev/null:x|invalid rate for device: /dev/null:x. The correct format is <device-path>:<number>[<unit>]
--device-write-iops /dev/null:-1|invalid rate for device
--cpus -1|invalid value -1 for --cpus
--cpus 1 --cpu-quota 5|--cpu-quota and --cpus cannot be set together
--cpus 1 --cpu-period 5|--cpu-period and --cpus cannot be set together
--cpu-period 1|CPU cfs period cannot be less than 1ms
--cpu-quota 1|CPU cfs quota cannot be less than 1ms
--sysctl kernel.domainname=x|sysctl 'kernel.domainname' is not allowed
--network podman:unknown=1|invalid option for network podman: unknown bridge network option: unknown
--network bridge:unknown=1|invalid option for network podman: unknown bridge network option: unknown
--cpuset-cpus x|invalid value x for cpuset cpus
--cpuset-mems x|invalid value x for cpuset mems
--sysctl foo|foo is invalid, sysctl values must be in the form of KEY=VALUE
--sysctl a=b|sysctl 'a' is not allowed
--sysctl net.a=1 --network host|can't be set since
--cap-add foo|"CAP_FOO": unknown capability
--cap-drop foo|"CAP_FOO": unknown capability
--stop-signal foo|invalid signal: foo
--stop-timeout -5|stop-timeout
--restart foo|running container create option: "foo" is not a valid restart policy: invalid argument
--restart always --rm|the --rm option conflicts with --restart
--restart on-failure:x|retry count
--pull foo|unsupported pull policy "foo"
--platform a/b --arch x|--platform option can not be specified with --arch or --os
--name a/b|running container create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument
--cidfile /etc/passwd|container id file exists. Ensure another container is not using it or delete /etc/passwd
--replace|cannot replace container without --name being set
--workdir foo|needs to be an absolute path
--workdir /proc/self/fd/7|file descriptor
--attach foo|invalid stream "foo" for --attach
--requires nosuch|"nosuch" is not a valid container, cannot be used as a dependency
--timeout x|invalid argument "x" for "--timeout" flag
--read-only-tmpfs=maybe|invalid argument "maybe" for "--read-only-tmpfs" flag
--network nosuch|unable to find network with name or ID nosuch: network not found
--network podman --network nosuch|unable to find network with name or ID nosuch: network not found
--network podman --dns-search a_b|a_b is not a valid domain
--dns-search 1.2|1.2 is not a valid domain
--dns-search -a.b|-a.b is not a valid domain
--dns-search a..b|a..b is not a valid domain
--dns-search 'a b'|a b is not a valid domain
--dns-option 'a b'|invalid DNS option "a b"
--health-interval x|invalid healthcheck-interval: time: invalid duration "x"
--health-timeout 0s|healthcheck-timeout must be at least 1 second
--health-start-period -1s|healthcheck-start-period must be 0 seconds or greater
--health-retries 0|healthcheck-retries must be greater than 0
--health-startup-interval x|invalid healthcheck-interval: time: invalid duration "x"
--health-startup-timeout x|invalid healthcheck-timeout: time: invalid duration "x"
--health-cmd true --health-retries -1|invalid argument "-1" for "--health-retries" flag: strconv.ParseUint: parsing "-1": invalid syntax
--health-startup-retries -1|invalid argument "-1" for "--health-startup-retries" flag
--health-startup-success -1|invalid argument "-1" for "--health-startup-success" flag
--health-max-log-count -1|invalid argument "-1" for "--health-max-log-count" flag
--health-max-log-size -1|invalid argument "-1" for "--health-max-log-size" flag
--retry -1|invalid argument "-1" for "--retry" flag
--stop-timeout -1|invalid argument "-1" for "--stop-timeout" flag: strconv.ParseUint: parsing "-1": invalid syntax
--pidfile /tmp|opening pidfile /tmp: is a directory
--conmon-pidfile /nosuch/x|opening conmon-pidfile /nosuch/x: no such file or directory
--no-such-option|unknown flag: --no-such-option
TABLE
is "nothing was made by any of them" "$(state)" "$before"
finish
