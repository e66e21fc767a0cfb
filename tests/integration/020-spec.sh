#!/bin/bash
# SPDX-License-Identifier: ISC
# What the options of run become inside a container: limits, capabilities, mounts, files, filters; with crun and
# runc, as root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/spec:1
busybox_image "$image" >/dev/null

run() { pod run --rm --network none "$@"; }
status() { run "$@" "$image" cat /proc/self/status | tr -d '\t ' | grep -E '^(Cap|Seccomp:|NoNewPrivs)'; }
limit() { # V1-FILE V2-FILE: the first that exists in the container
	echo "if [ -e /sys/fs/cgroup/$2 ]; then cat /sys/fs/cgroup/$2; else cat /sys/fs/cgroup/$1; fi"
}

# --- Privilege
is "a container of root has the eleven capabilities" "$(status | grep CapEff)" CapEff:00000000800405fb
is "and inherits none" "$(status | grep CapInh)" CapInh:0000000000000000
is "--cap-drop all leaves none" "$(status --cap-drop all | grep CapBnd)" CapBnd:0000000000000000
is "--cap-add adds one" "$(status --cap-drop all --cap-add net_raw | grep CapEff)" CapEff:0000000000002000
is "another user has none" "$(status -u alice | grep CapEff)" CapEff:0000000000000000
is "but the ones added for it" "$(status -u alice --cap-add net_raw | grep CapEff)" CapEff:0000000000002000
is "and inherits none" "$(status -u alice | grep CapInh)" CapInh:0000000000000000
is "--security-opt no-new-privileges" "$(status --security-opt no-new-privileges | grep NoNew)" NoNewPrivs:1
is "a filter is in force" "$(status | grep Seccomp)" Seccomp:2
is "for runc too" "$(status --runtime runc | grep Seccomp)" Seccomp:2
is "unless unconfined" "$(status --security-opt seccomp=unconfined | grep Seccomp)" Seccomp:0
is "or privileged" "$(status --privileged | grep Seccomp)" Seccomp:0
is "the compiled filter is kept, closed to others" "$(stat -c %a "$RUNROOT"/seccomp/* | sort -u)" 600
for f in "$RUNROOT"/seccomp/*; do echo "torn" >"$f"; done
is "a torn one is made again" "$(status | grep Seccomp)" Seccomp:2

cat >"$WORLD/profile.json" <<'END'
{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}
END
for runtime in crun runc; do
	is "a profile of the user decides ($runtime)" \
		"$(run --runtime $runtime --security-opt "seccomp=$WORLD/profile.json" $image mkdir /tmp/x 2>&1)" \
		"mkdir: can't create directory '/tmp/x': No space left on device"
done
echo '{"defaultAction":"SCMP_ACT_MAYBE"}' >"$WORLD/bad.json"
run_fails "a bad profile is refused" 125 'unknown action "SCMP_ACT_MAYBE"' --security-opt "seccomp=$WORLD/bad.json" $image true
is "paths are masked" "$(run $image sh -c 'cat /proc/timer_list | wc -c')" 0
run_fails "and read-only" 1 "Read-only file system" $image sh -c 'echo 1 >/proc/sys/kernel/printk'

# --- Limits
is "--memory" "$(run -m 64m $image sh -c "$(limit memory/memory.limit_in_bytes memory.max)")" 67108864
is "--pids-limit" "$(run --pids-limit 7 $image sh -c "$(limit pids/pids.max pids.max)")" 7
is "and its default" "$(run $image sh -c "$(limit pids/pids.max pids.max)")" 2048
is "--cpus" "$(run --cpus .5 $image sh -c "$(limit cpu/cpu.cfs_quota_us cpu.max)" | cut -d' ' -f1)" 50000
is "--ulimit" "$(run --ulimit nofile=100:200 $image sh -c 'ulimit -n; ulimit -Hn' | xargs)" "100 200"
is "--sysctl" "$(run --sysctl net.ipv4.ip_forward=1 $image cat /proc/sys/net/ipv4/ip_forward)" 1
run_fails "a sysctl of the host is refused" 125 "sysctl 'kernel.core_pattern' is not allowed" --sysctl kernel.core_pattern=x $image true
is "--cgroups=disabled" "$(run --cgroups disabled $image echo works)" works

# --- The process
is "--user finds name, groups and home" "$(run -u alice $image sh -c 'id; echo $HOME' | xargs)" \
	"uid=1000(alice) gid=1000(alice) groups=10(wheel),1000(alice) /home/alice"
is "--workdir" "$(run -w /www $image pwd)" /www
is "--umask" "$(run --umask 077 $image sh -c umask)" 0077
is "--env, --env-merge, --unsetenv" \
	"$(run -e A=1 --env-merge 'PATH=${PATH}:/more' --unsetenv container $image sh -c 'echo "$A ${container-none} ${PATH##*:}"')" \
	"1 none /more"
is "--entrypoint as an array of nothing: none" "$(run --entrypoint '[]' $image echo a)" a
is "--entrypoint as JSON" "$(run --entrypoint '["echo","a b"]' $image c)" "a b c"
is "--init is process 1" "$(run --init $image sh -c 'tr "\0" " " </proc/1/cmdline')" \
	'/run/podman-init -- sh -c tr "\0" " " </proc/1/cmdline '
is "--tz" "$(run --tz Asia/Tokyo $image date +%Z)" JST
is "only standard streams are open" "$(run $image sh -c 'ls /proc/1/fd; true' | xargs)" "0 1 2"
run_fails "no descriptor as working directory" 125 "names a file descriptor" -w /proc/self/fd/5 $image true

# --- Mounts
mkdir "$WORLD/host"
echo data >"$WORLD/host/file"
is "-v" "$(run -v "$WORLD/host:/m" $image cat /m/file)" data
run_fails "-v …:ro" 1 "Read-only file system" -v "$WORLD/host:/m:ro" $image touch /m/x
run_fails "a missing source" 125 "statfs $WORLD/none: " -v "$WORLD/none:/m" $image true
run -v keep:/v $image touch /v/there
is "a named volume keeps what was written" "$(run -v keep:/v $image ls /v)" there
is "--tmpfs" "$(run --tmpfs /t:size=1m $image sh -c 'df -k /t | tail -1' | awk '{print $2}')" 1024
is "--tmpfs keeps what the image has there" "$(run --tmpfs /www $image cat /www/index.html)" "hello from pod"
is "--shm-size" "$(run --shm-size 1m $image sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}')" 1024
run_fails "--read-only" 1 "Read-only file system" --read-only $image touch /x
check "but /tmp stays writable" run --read-only $image touch /tmp/x
run_fails "unless that is off" 1 "Read-only file system" --read-only --read-only-tmpfs=false $image touch /tmp/x
check "--device" run --device /dev/null:/dev/other $image test -c /dev/other
check "/run/.containerenv is there" run $image test -f /run/.containerenv
check "/etc/mtab too" run $image test -L /etc/mtab

# --- Names
is "--hostname" "$(run -h box $image sh -c 'hostname; cat /etc/hostname' | xargs)" "box box"
is "--add-host" "$(run --add-host a:1.2.3.4 $image sh -c 'grep -c "^1.2.3.4.a$" /etc/hosts')" 1
is "--dns, --dns-search, --dns-option" \
	"$(pod run --rm --dns 1.2.3.4 --dns-search x.y --dns-option ndots:3 $image cat /etc/resolv.conf | xargs)" \
	"search x.y nameserver 1.2.3.4 options ndots:3"
is "--uts host" "$(run --uts host $image hostname)" "$(hostname)"
check "--pid host" run --pid host $image test -d /proc/$$
check "--ipc host" run --ipc host $image true

# --- Namespaces of another container
pod run -d --name other --network none $image sh -c 'echo shared >/dev/shm/f; exec sleep 1000' >/dev/null
other=$(pod inspect --format '{{.Id}}' other)
before=$(wc -l </proc/self/mountinfo)
is "--ipc container: has its shared memory" "$(until_ok 20 run --ipc container:other $image cat /dev/shm/f)" shared
is "--pid container: sees its processes" "$(run --pid container:other $image sh -c 'tr "\0" " " </proc/1/cmdline')" "sleep 1000 "
is "--uts container: has its host name" "$(run --uts container:other $image hostname)" "${other:0:12}"
is "--network container: has its hosts file" \
	"$(pod run --rm --network container:other $image tail -1 /etc/hosts | cut -f2)" "${other:0:12} other"
is "the host's mount table is as it was" "$(wc -l </proc/self/mountinfo)" "$before"
run_fails "a container that is not there" 125 "nosuch" --ipc container:nosuch $image true
pod rm -f -t 0 other >/dev/null

# --- An ordinary user
if ordinary_user 2>/dev/null; then
	cat >"$WORLD/user.sh" <<'END'
BIN=$1 WORLD=$2 image=$3
pod() { "$BIN/pod" "$@"; }
run() { pod run --rm --network host "$@" $image sh -c "$script"; }
pod info >/dev/null 2>&1
pod load -q -i "$WORLD/image.tar" >/dev/null || exit 1
script='id -u; head -1 /proc/self/uid_map | awk "{print \$2}"' run
script='grep -c "" /proc/self/uid_map' run -u alice
script='test -c /dev/other && echo device' run --device /dev/null:/dev/other
script='grep ^Seccomp: /proc/self/status | cut -f2' run
script='echo runc' run --runtime runc
pod run --rm --pid host --network host $image echo pid
END
	if pod save -q -o "$WORLD/image.tar" $image 2>/dev/null; then
		chmod 644 "$WORLD/image.tar"
		is "an ordinary user has the same" "$(as_user bash "$WORLD/user.sh" "$BIN" "$WORLD" $image | xargs)" \
			"0 $(id -u "$world_user") 2 device 2 runc pid"
	else
		skip "an ordinary user has the same" "images cannot be saved yet"
	fi
else
	skip "an ordinary user has the same" "cannot make a user"
fi
finish
