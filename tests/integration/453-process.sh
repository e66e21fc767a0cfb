#!/bin/bash
# SPDX-License-Identifier: ISC
# What the process of a container finds: environment, limits, time zone, groups, security options, cgroups.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/process
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
value() { # V1-FILE V2-FILE
	echo "if [ -e /sys/fs/cgroup/$2 ]; then cat /sys/fs/cgroup/$2; else cat /sys/fs/cgroup/$1; fi"
}

# --- Environment
printf 'A=1\n# no\n  B=2 3\nHOSTVAR\nPRE*\n' >"$WORLD/env"
is "--env-file" "$(HOSTVAR=h PRE1=x PRE2=y run --env-file "$WORLD/env" $image sh -c 'echo "$A|$B|$HOSTVAR|$PRE1$PRE2"')" "1|2 3|h|xy"
is "--env over --env-file" "$(run --env-file "$WORLD/env" -e A=2 $image sh -c 'echo $A')" 2
is "--env-merge uses what is there" "$(run --env-merge 'PATH=/more:${PATH}' $image sh -c 'echo ${PATH%%:*}')" /more
is "--unsetenv" "$(run --unsetenv container $image sh -c 'echo ${container-none}')" none
is "--unsetenv-all" "$(run --unsetenv-all -e X=1 $image /bin/env | grep -vE '^(HOME|HOSTNAME)=' | xargs)" X=1
is "--env-host" "$(HOSTVAR=h run --env-host $image sh -c 'echo $HOSTVAR')" h
is "--http-proxy is on" "$(https_proxy=p run $image sh -c 'echo $https_proxy')" p
is "--http-proxy=false" "$(https_proxy=p run --http-proxy=false $image sh -c 'echo $https_proxy')" ""
printf 'l1=v1\nl2\n' >"$WORLD/labels"
is "--label-file" "$(pod create --name l --label-file "$WORLD/labels" -l l3=v3 $image true >/dev/null; pod inspect --format '{{.Config.Labels}}' l)" "map[l1:v1 l2: l3:v3]"
pod rm l >/dev/null

# --- Limits of the process
is "--ulimit" "$(run --ulimit nofile=50:60 --ulimit core=0 $image sh -c 'ulimit -n; ulimit -Hn; ulimit -c' | xargs)" "50 60 0"
is "--ulimit host" "$(run --ulimit host $image sh -c 'ulimit -Hn')" "$(ulimit -Hn)"
is "--ulimit -1 is no limit" "$(run --ulimit core=-1 $image sh -c 'ulimit -c')" unlimited
is "--oom-score-adj" "$(run --oom-score-adj 300 $image cat /proc/self/oom_score_adj)" 300
is "--umask" "$(run --umask 0027 $image sh -c umask)" 0027
is "--tz local" "$(run --tz local $image date +%z)" "$(date +%z)"
is "--personality=LINUX32" "$(run --personality LINUX32 $image uname -m)" "$(setarch linux32 uname -m)"
is "--timeout" "$(run --timeout 1 $image sleep 30; echo $?)" 255
is "--group-add" "$(run --group-add 5 --group-add wheel $image id -G)" "0 5 10"
is "--group-add keep-groups" "$(setpriv --groups 4321 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none --group-add keep-groups $image id -G | tr ' ' '\n' | grep -c 4321)" 1
is "--init-path" "$(cp /usr/bin/catatonit "$WORLD/init" 2>/dev/null; run --init --init-path "$WORLD/init" $image sh -c 'tr "\\0" "\\n" </proc/1/cmdline | head -1')" /run/podman-init
is "--pidfile" "$(pod run -d --name pf --network none --pidfile "$WORLD/pid" --conmon-pidfile "$WORLD/mpid" $image sleep 100 >/dev/null; cat "$WORLD/pid")" "$(pod inspect --format '{{.State.Pid}}' pf)"
check "--conmon-pidfile names the monitor" grep -q pod-monitor /proc/"$(cat "$WORLD/mpid")"/comm
mknod "$WORLD/null" c 1 3
pod run --rm --network none --pidfile "$WORLD/null" $image true
is "a device is no place for the monitor's" "$(pod run --network none --conmon-pidfile "$WORLD/null" $image true 2>&1; pod ps -aq --filter status=created)" "Error: $WORLD/null is no regular file"
check "a device is not replaced by them" test -c "$WORLD/null"
pod rm -f -t 0 pf >/dev/null
read -r pf mpf soft <<<"$(pod run -d --name pf --network none $image sleep 100 >/dev/null; pod inspect --format '{{.PidFile}} {{.ConmonPidFile}} {{(index .HostConfig.Ulimits 0).Soft}}' pf)"
is "without them they are where inspect says" "$(cat "$pf") $(cat "/proc/$(cat "$mpf")/comm")" "$(pod inspect --format '{{.State.Pid}}' pf) pod-monitor"
is "and it has the limits that inspect tells" "$(pod exec pf sh -c 'ulimit -n')" "$soft"
pod rm -f -t 0 pf >/dev/null
is "--annotation" "$(pod create --name an --annotation x=y $image true >/dev/null; pod inspect --format '{{index .Config.Annotations "x"}}' an)" y
pod rm an >/dev/null
is "--chrootdirs" "$(run --chrootdirs /www $image cat /www/etc/hosts | grep -c localhost | sed 's/[1-9]/some/')" some
echo "# base" >"$WORLD/base"
is "--hosts-file" "$(run --hosts-file "$WORLD/base" $image head -1 /etc/hosts)" "# base"

# --- Security
is "mask=" "$(run --security-opt mask=/www:/etc/group $image sh -c 'ls /www; cat /etc/group')" ""
is "unmask=ALL" "$(run --security-opt unmask=ALL $image sh -c 'grep -c " /proc/kcore " /proc/mounts')" 0
is "unmask=PATH" "$(run --security-opt unmask=/proc/kcore $image sh -c 'grep -c " /proc/kcore " /proc/mounts')" 0
is "the others stay" "$(run --security-opt unmask=/proc/kcore $image sh -c 'grep -c " /proc/keys " /proc/mounts')" 1
is "proc-opts=" "$(run --security-opt proc-opts=hidepid=2 $image sh -c 'grep " /proc proc" /proc/mounts | grep -cE "hidepid=(2|invisible)"')" 1
is "no-new-privileges" "$(run --security-opt no-new-privileges:true $image grep NoNewPrivs /proc/self/status | cut -f2)" 1
[ -e /sys/fs/selinux/enforce ] ||
	is "label= is harmless without SELinux" "$(run --security-opt label=type:foo_t $image echo fine)" fine
run_fails "AppArmor that is not there" 125 "AppArmor is not enabled" --security-opt apparmor=foo $image true
rootfs "$WORLD/fs2"
tar -C "$WORLD/fs2" -c . >"$WORLD/fs.tar"
pod import --change 'LABEL io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}' \
	"$WORLD/fs.tar" localhost/profile >/dev/null 2>&1
run_fails "--seccomp-policy image" 1 "No space left on device" --seccomp-policy image localhost/profile mkdir /tmp/x
pod import --change 'LABEL io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":"mkdir"}]},"x":{}' \
	"$WORLD/fs.tar" localhost/broken-profile >/dev/null 2>&1
run_fails "a broken profile of an image" 125 "loading seccomp profile" --seccomp-policy image localhost/broken-profile true
is "default leaves the label alone" "$(run localhost/profile sh -c 'mkdir /tmp/x && echo made')" made
pod import --change 'LABEL io.containers.capabilities=CHOWN,SETUID' "$WORLD/fs.tar" localhost/fewer >/dev/null 2>&1
is "an image may ask for fewer capabilities" "$(run localhost/fewer grep CapBnd /proc/self/status | cut -f2)" 0000000000000081
pod import --change 'LABEL io.containers.capabilities=SYS_ADMIN' "$WORLD/fs.tar" localhost/more >/dev/null 2>&1
run_fails "not for more" 125 "are not allowed by default" localhost/more true

# --- Image volumes
pod import --change 'VOLUME /www' "$WORLD/fs.tar" localhost/volumes >/dev/null 2>&1
is "--image-volume bind" "$(run --image-volume bind localhost/volumes sh -c 'grep -c " /www " /proc/mounts')" 1
is "--image-volume tmpfs" "$(run --image-volume tmpfs localhost/volumes sh -c 'grep -c " /www tmpfs" /proc/mounts')" 1
is "--image-volume ignore" "$(run --image-volume ignore localhost/volumes sh -c 'grep -c " /www " /proc/mounts')" 0
is "--rm takes them along" "$(pod volume ls -q)" ""

# --- cgroups
is "--memory and --memory-reservation" "$(run -m 64m --memory-reservation 32m $image sh -c "$(value memory/memory.soft_limit_in_bytes memory.low)")" 33554432
is "--cpu-shares" "$(run -c 512 $image sh -c "$(value cpu/cpu.shares cpu.weight)" | sed 's/^\(20\|59\)$/512/')" 512
is "--cpu-period and --cpu-quota" "$(run --cpu-period 50000 --cpu-quota 25000 $image sh -c "$(value cpu/cpu.cfs_quota_us cpu.max)" | cut -d' ' -f1)" 25000
is "--cpuset-cpus" "$(run --cpuset-cpus 0 $image sh -c "$(value cpuset/cpuset.cpus cpuset.cpus)")" 0
parent=podtest$$
[ "$(pod info --format '{{.Host.CgroupManager}}')" = cgroupfs ] || parent=$parent.slice
is "--cgroup-parent" "$(pod run -d --name cg --network none --cgroup-parent "$parent" $image sleep 100 >/dev/null; grep -c "/$parent/" /proc/"$(pod inspect --format '{{.State.Pid}}' cg)"/cgroup | sed 's/[1-9][0-9]*/some/')" some
pod rm -f -t 0 cg >/dev/null
find /sys/fs/cgroup -depth -type d -name "podtest$$" -exec rmdir {} \; 2>/dev/null
is "not a slice without systemd" "$(pod --cgroup-manager cgroupfs create --cgroup-parent x.slice $image true 2>&1)" \
	"Error: systemd slice received as cgroup parent when using cgroupfs: invalid argument"
is "nor anything else with it" "$(pod --cgroup-manager systemd create --cgroup-parent /x $image true 2>&1)" \
	"Error: did not receive systemd slice as cgroup parent when using systemd to manage cgroups: invalid argument"
is "--cgroups disabled" "$(run --cgroups disabled $image cat /proc/1/cgroup | grep -c libpod)" 0
run_fails "not with runc" 125 "is not compatible with NoCgroups" --runtime runc --cgroups disabled $image true 2>/dev/null
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
	is "--cgroups split" "$(run --cgroups split --cgroupns host $image cat /proc/self/cgroup | grep -c libpod-payload-)" 1
	is "--cgroup-conf" "$(run --cgroup-conf memory.high=33554432 $image cat /sys/fs/cgroup/memory.high)" 33554432
	is "--memory-swap" "$(run -m 64m --memory-swap 96m $image cat /sys/fs/cgroup/memory.swap.max)" 33554432
	is "--blkio-weight" "$(run --blkio-weight 100 $image sh -c 'cat /sys/fs/cgroup/io.weight /sys/fs/cgroup/io.bfq.weight 2>/dev/null | head -1 | tr -dc 0-9' | sed 's/.*/some/')" some
else
	run_fails "--cgroups split needs cgroup v2" 125 "only supported on cgroup v2" --cgroups split $image true
	run_fails "--cgroup-conf needs cgroup v2" 125 "cannot use --cgroup-conf without cgroup v2" --cgroup-conf memory.high=1 $image true
	ok "--memory-swap # SKIP cgroup v1"
	ok "--blkio-weight # SKIP cgroup v1"
fi
finish
