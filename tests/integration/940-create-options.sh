#!/bin/bash
# SPDX-License-Identifier: ISC
# Every option of create: what inspect tells of it in Podman's words, and what becomes of it once the container runs.
. "$(dirname "$0")/../lib.sh"
world

# OPTIONS@JQ EXPRESSION ON THE DOCUMENT@WHAT IT PRINTS.  "# " after the options: as root only.
told() {
	cat <<'ROWS'
@[.Config.AttachStdin, .Config.Tty, .HostConfig.Privileged, .Rootfs, .HostConfig.LogConfig.Size]@[false,false,false,"","0B"]
--add-host x:192.0.2.3@.HostConfig.ExtraHosts@["x:192.0.2.3"]
--annotation a=b@[.Config.Annotations.a, .HostConfig.Annotations.a]@["b","b"]
--blkio-weight 100 # @.HostConfig.BlkioWeight@100
--blkio-weight-device BLOCK:100 # @.HostConfig.BlkioWeightDevice[0].Weight@100
--cap-add NET_ADMIN@[.HostConfig.CapAdd, (.EffectiveCaps | index("CAP_NET_ADMIN") != null)]@[["CAP_NET_ADMIN"],true]
--cap-drop CHOWN@[(.HostConfig.CapDrop | index("CAP_CHOWN") != null), (.BoundingCaps | index("CAP_CHOWN"))]@[true,null]
--cap-drop all@[.BoundingCaps, (.HostConfig.CapDrop | length)]@[[],14]
--cap-add all --cap-drop KILL@[.HostConfig.CapAdd | index("CAP_SYS_ADMIN") != null, index("ALL")]@[true,null]
-u 5@[.EffectiveCaps, (.BoundingCaps | length > 0)]@[[],true]
-u alice:wheel --cap-add NET_ADMIN@[.EffectiveCaps, .Config.User]@[["CAP_NET_ADMIN"],"alice:wheel"]
-u 5 --cap-add all@.EffectiveCaps == .BoundingCaps@true
--cgroup-parent /foo # @.HostConfig.CgroupParent@"/foo"
--cgroupns host@.HostConfig.CgroupMode@"host"
--cgroups disabled@.HostConfig.Cgroups@"disabled"
--chrootdirs /www --chrootdirs /tmp@.Config.ChrootDirs@["/www","/tmp"]
--cpu-period 50000 --cpu-quota 25000 # @[.HostConfig.CpuPeriod, .HostConfig.CpuQuota]@[50000,25000]
--cpu-rt-period 1000 --cpu-rt-runtime 500 # @[.HostConfig.CpuRealtimePeriod, .HostConfig.CpuRealtimeRuntime]@[1000,500]
--cpu-shares 77 # @.HostConfig.CpuShares@77
--cpus 0.5 # @[.HostConfig.NanoCpus, .HostConfig.CpuQuota]@[500000000,50000]
--cpuset-cpus 0 --cpuset-mems 0 # @[.HostConfig.CpusetCpus, .HostConfig.CpusetMems]@["0","0"]
--device /dev/null:/dev/x:r@.HostConfig.Devices@[{"PathOnHost":"/dev/null","PathInContainer":"/dev/x","CgroupPermissions":"r"}]
--device-read-bps BLOCK:1mb --device-write-bps BLOCK:2mb # @[.HostConfig.BlkioDeviceReadBps[0].Rate, .HostConfig.BlkioDeviceWriteBps[0].Rate]@[1048576,2097152]
--device-read-iops BLOCK:10 --device-write-iops BLOCK:20 # @[.HostConfig.BlkioDeviceReadIOps[0].Rate, .HostConfig.BlkioDeviceWriteIOps[0].Rate]@[10,20]
--disable-content-trust --link-local-ip 192.0.2.1@.State.Status@"created"
--dns 192.0.2.4 --dns-opt ndots:2 --dns-search example.org@[.HostConfig.Dns, .HostConfig.DnsOptions, .HostConfig.DnsSearch]@[["192.0.2.4"],["ndots:2"],["example.org"]]
--entrypoint /bin/echo@.Config.Entrypoint@["/bin/echo"]
-e A=1 --env-file ENVFILE@[.Config.Env[] | select(test("^[ACD]="))] | sort@["A=1","C=1","D=two words"]
--env-merge B=x${PATH}y@[.Config.Env[] | select(startswith("B="))]@["B=x/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/biny"]
--unsetenv-all@[.Config.Env[] | select(test("^(PATH|container)="))]@[]
--expose 80-82/udp@.Config.ExposedPorts | keys@["80/udp","81/udp","82/udp"]
--uidmap 0:1000:100 --gidmap 0:2000:200 # @.HostConfig.IDMappings@{"UidMap":["0:1000:100"],"GidMap":["0:2000:200"]}
--uidmap 0:1:100 --gidmap 0:2:200@.HostConfig.IDMappings@{"UidMap":["0:1:100"],"GidMap":["0:2:200"]}
--group-add 44 --group-add wheel@.HostConfig.GroupAdd@["44","wheel"]
--health-cmd true --health-interval 5s --health-retries 7 --health-start-period 6s --health-timeout 4s@.Config.Healthcheck@{"Test":["CMD-SHELL","true"],"StartPeriod":6000000000,"Interval":5000000000,"Timeout":4000000000,"Retries":7}
--health-cmd true --health-on-failure kill --health-log-destination events_logger --health-max-log-count 3 --health-max-log-size 9@[.Config.HealthcheckOnFailureAction, .Config.HealthLogDestination, .Config.HealthcheckMaxLogCount, .Config.HealthcheckMaxLogSize]@["kill","events_logger",3,9]
--health-cmd true --health-startup-cmd false --health-startup-interval 3s --health-startup-retries 4 --health-startup-success 2 --health-startup-timeout 8s@.Config.StartupHealthCheck@{"Test":["CMD-SHELL","false"],"Interval":3000000000,"Timeout":8000000000,"Retries":4,"Successes":2}
--no-healthcheck@.Config.Healthcheck.Test@["NONE"]
--hostname box@.Config.Hostname@"box"
--init@.HostConfig.Init@true
-it@[.Config.OpenStdin, .Config.Tty]@[true,true]
--ipc host --pid host --uts host@[.HostConfig.IpcMode, .HostConfig.PidMode, .HostConfig.UTSMode]@["host","host","host"]
--ipc container:other --pid container:other@[.HostConfig.IpcMode, .HostConfig.PidMode] | map(startswith("container:"))@[true,true]
-l a=b --label-file ENVFILE@[.Config.Labels.a, .Config.Labels.C, .Config.Labels.D]@["b","1","two words"]
--log-driver none@[.HostConfig.LogConfig.Type, .HostConfig.LogConfig.Path]@["none",""]
--log-driver json-file@[.HostConfig.LogConfig.Type, (.HostConfig.LogConfig.Path | endswith("/ctr.log"))]@["json-file",true]
--log-driver passthrough@[.HostConfig.LogConfig.Type, .HostConfig.LogConfig.Path]@["passthrough",""]
--log-opt max-size=10kb --log-opt path=LOGFILE@[.HostConfig.LogConfig.Size, (.HostConfig.LogConfig.Path | endswith("/log"))]@["10kB",true]
-m 64m --memory-reservation 32m --memory-swap 128m # @[.HostConfig.Memory, .HostConfig.MemoryReservation, .HostConfig.MemorySwap]@[67108864,33554432,134217728]
--memory-swappiness 10 # @.HostConfig.MemorySwappiness@10
--mount type=bind,src=/tmp,dst=/b,ro@[.Mounts[] | {Type, Source, Destination, RW}]@[{"Type":"bind","Source":"/tmp","Destination":"/b","RW":false}]
--mount type=tmpfs,dst=/u,tmpfs-size=1m@.HostConfig.Tmpfs["/u"] | contains("size=1m")@true
--network none@.HostConfig.NetworkMode@"none"
--no-hosts@.HostsPath@""
--oom-score-adj 100@.HostConfig.OomScoreAdj@100
--passwd=false@.Config.Passwd@false
--pidfile LOGFILE --conmon-pidfile LOGFILE.m@[.PidFile, .ConmonPidFile] | map(split("/") | last)@["log","log.m"]
--pids-limit 99 # @.HostConfig.PidsLimit@99
--privileged@[.HostConfig.Privileged, .HostConfig.CapAdd, .HostConfig.CapDrop]@[true,[],[]]
-p 127.0.0.1:8098:80/udp@.HostConfig.PortBindings@{"80/udp":[{"HostIp":"127.0.0.1","HostPort":"8098"}]}
-p 8100-8101:80-81@[.NetworkSettings.Ports[][].HostPort]@["8100","8101"]
-p 90@[.HostConfig.PortBindings["90/tcp"][0].HostPort, .NetworkSettings.Ports["90/tcp"][0].HostPort] | map(tonumber > 1023)@[true,true]
-p 127.0.0.1::90-92/udp@[.NetworkSettings.Ports[][].HostPort | tonumber] | [.[0] > 1023, .[2] - .[0]]@[true,2]
-P --expose 91@.NetworkSettings.Ports["91/tcp"][0].HostPort | tonumber > 1023@true
-P --expose 90@[.HostConfig.PublishAllPorts, (.HostConfig.PortBindings | keys)]@[true,["90/tcp"]]
--read-only@[.HostConfig.ReadonlyRootfs, (.HostConfig.Tmpfs | keys)]@[true,["/run","/tmp","/var/tmp"]]
--read-only --read-only-tmpfs=false@.HostConfig.Tmpfs@{}
--restart on-failure:3@.HostConfig.RestartPolicy@{"Name":"on-failure","MaximumRetryCount":3}
--rm@.HostConfig.AutoRemove@true
--rmi@[.HostConfig.AutoRemove, .HostConfig.AutoRemoveImage]@[true,true]
--sdnotify ignore@.Config.sdNotifyMode@"ignore"
--security-opt no-new-privileges --security-opt seccomp=unconfined@.HostConfig.SecurityOpt@["no-new-privileges","seccomp=unconfined"]
--shm-size 1m@.HostConfig.ShmSize@1048576
--stop-signal USR1 --stop-timeout 77@[.Config.StopSignal, .Config.StopTimeout]@["SIGUSR1",77]
--systemd always@[.Config.SystemdMode, .Config.StopSignal, .HostConfig.Tmpfs]@[true,"SIGRTMIN+3",{}]
--sysctl net.ipv4.ip_forward=1@.HostConfig.Sysctls["net.ipv4.ip_forward"]@"1"
--timeout 5@.Config.Timeout@5
--tmpfs /t:size=1m,mode=700@.HostConfig.Tmpfs["/t"] | test("size=1m.*mode=700")@true
--tz UTC@.Config.Timezone@"UTC"
--ulimit core=0:0@[.HostConfig.Ulimits[] | select(.Name == "RLIMIT_CORE") | .Soft, .Hard]@[0,0]
--ulimit nofile=77@[.HostConfig.Ulimits[].Name]@["RLIMIT_NOFILE","RLIMIT_NPROC"]
--ulimit host@.HostConfig.Ulimits@[]
--umask 0077@[.Config.Umask, [.HostConfig.Ulimits[].Name]]@["0077",["RLIMIT_NOFILE","RLIMIT_NPROC"]]
-v vvv:/v:nocopy@[.HostConfig.Binds[0], .Mounts[0].Options[0], .Mounts[0].Name]@["vvv:/v:nocopy,rw,rprivate,nosuid,nodev,rbind","nocopy","vvv"]
-v /tmp:/v:z,ro@[.HostConfig.Binds[0], .Mounts[0].Mode, .Mounts[0].RW]@["/tmp:/v:z,ro,rprivate,rbind","z",false]
-w /www@.Config.WorkingDir@"/www"
--requires other@.Dependencies | length@1
--volumes-from other:ro@[.HostConfig.VolumesFrom, [.Mounts[] | [.Destination, .RW]]]@[["other:ro"],[["/data",false]]]
--secret sec@[.Config.Secrets[0].Name, .Config.Secrets[0].Mode]@["sec",292]
--cidfile LOGFILE.cid@.HostConfig.ContainerIDFile | split("/") | last@"log.cid"
ROWS
}

# OPTIONS@COMMAND INSIDE (* in front: words, no shell)@WHAT IT PRINTS, its white space as single blanks
done_inside() {
	cat <<'ROWS'
--add-host x:192.0.2.3 --hostname box@grep -c 192.0.2.3 /etc/hosts; hostname@1 box
--cap-add NET_ADMIN --cap-drop KILL@sed -n 's/CapEff:.*\(....\)$/\1/p' /proc/self/status@15db
-u 5 --cap-add all@[ "$(sed -n 's/CapEff://p' /proc/self/status)" = "$(sed -n 's/CapBnd://p' /proc/self/status)" ] && id -u@5
-u 5@sed -n 's/CapEff:[[:space:]]*//p' /proc/self/status@0000000000000000
--cgroupns host --cgroups disabled@echo fine@fine
--chrootdirs /www --dns 192.0.2.4 --dns-option ndots:2 --dns-search example.org@cat /www/etc/resolv.conf@search example.org nameserver 192.0.2.4 options ndots:2
--device /dev/null:/dev/x@test -c /dev/x && echo there@there
-e A=1 --env-file ENVFILE --env-merge B=x${HOME}@echo $A $C $D@1 1 two words
--env-host --unsetenv container@echo $FROM_HOST $container@yes
--unsetenv-all -h box --entrypoint /bin/busybox@*env@HOSTNAME=box HOME=/root
--group-add 44 -u 7:8@id -G@8 44
--group-entry grp:x:777: --passwd-entry usr:*:777:777::/:/bin/sh -u 777:777@grep -c :777: /etc/passwd /etc/group@/etc/passwd:1 /etc/group:1
--passwd=false -u 778@grep -c 778 /etc/passwd@0
--hosts-file none --no-hostname@grep -c localhost /etc/hosts; [ -e /etc/hostname ] || echo no@2 no
--no-hosts@[ -s /etc/hosts ] || echo none@none
--hostuser HOSTUSER@grep -q ^HOSTUSER: /etc/passwd && echo there@there
--http-proxy=false@echo ${http_proxy-none}@none
--http-proxy@echo ${http_proxy-none}@http://proxy.test
--init --init-path /bin/catatonit@sed -n 2p /proc/1/comm; cut -c1-9 /proc/1/comm@podman-in
--ipc private --uts private --pid private@echo $$@1
--label a=b --annotation c=d --restart no --pull never --quiet@echo fine@fine
--mount type=tmpfs,dst=/u,tmpfs-size=1m --tmpfs /t:size=2m@df -k /u /t | awk 'NR > 1 { print $2 }'@1024 2048
--oom-score-adj 300@cat /proc/self/oom_score_adj@300
--personality LINUX32@uname -m@i686
--privileged@grep Seccomp: /proc/self/status@Seccomp: 0
--read-only@touch /x 2>/dev/null || touch /tmp/x && echo only /tmp@only /tmp
--read-only --read-only-tmpfs=false@touch /tmp/x 2>/dev/null || echo nothing@nothing
--secret sec --secret sec,type=env,target=S@cat /run/secrets/sec; echo ' ' $S@word word
--security-opt no-new-privileges --security-opt mask=/www --umask 0027@sed -n 's/NoNewPrivs:[[:space:]]*//p' /proc/self/status; ls /www; umask@1 0027
--shm-size 1m --shm-size-systemd 1m@df -k /dev/shm | awk 'NR > 1 { print $2 }'@1024
--sysctl net.ipv4.conf.all.forwarding=1 --net none@cat /proc/sys/net/ipv4/conf/all/forwarding@1
--systemd always --shm-size-systemd 2m@df -k /run | awk 'NR > 1 { print $2 }'; echo $container@2048 podman
--tz Asia/Tokyo@TZ= date -r /www +%Z >/dev/null; readlink /etc/localtime >/dev/null; date +%z@+0900
--ulimit nofile=77:88 --ulimit core=0@ulimit -n; ulimit -Hn; ulimit -c@77 88 0
-v vvv:/v:nocopy -v BINDDIR:/b:ro -w /b@cat f; touch g 2>/dev/null || echo ro; pwd@bound ro /b
--volumes-from other@ls /data@seen
-v vvv:/new/place -w /new/place/below@pwd@/new/place/below
--tmpfs /fresh -w /fresh@pwd@/fresh
-v BINDDIR:/new -w /new/../new@cat f@bound
-w /dev/shm@pwd@/dev/shm
--uidmap 0:1:100 --gidmap 0:2:100@awk '{ print $1, $3 }' /proc/self/uid_map@0 100
--image-volume ignore --expose 80 --platform PLATFORM@echo fine@fine
--arch ARCH --os linux --variant= --tls-verify=false --retry 1 --retry-delay 1s --authfile ENVFILE --cert-dir / --creds a:b --decryption-key ENVFILE@echo fine@fine
-i@cat@from stdin
--device-cgroup-rule 'c 1:3 rwm' --cpuset-cpus 0 # @grep Cpus_allowed_list /proc/self/status@Cpus_allowed_list: 0
--pids-limit 55 -m 64m # @cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null@55
--cpu-shares 77 --cpu-period 50000 --cpu-quota 25000 --cgroups enabled # @cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu/cpu.cfs_quota_us@77 50000 25000
--memory-reservation 32m -m 64m --memory-swappiness 10 --oom-kill-disable # @cd /sys/fs/cgroup/memory; cat memory.soft_limit_in_bytes memory.swappiness memory.limit_in_bytes; grep disable memory.oom_control@33554432 10 67108864 oom_kill_disable 1
--ip 10.88.77.5 --mac-address 92:d0:c6:0a:29:33 --network-alias al # @ip -o -4 addr show eth0 | grep -o 10.88.77.5; cat /sys/class/net/eth0/address@10.88.77.5 92:d0:c6:0a:29:33
ROWS
}

export FROM_HOST=yes C=1 http_proxy=http://proxy.test
# words ROW: the options with what stands in capitals put in, in the array w; false if they are not for this user
words() {
	local word
	case $1 in *"# ") [ "$(id -u)" = 0 ] || return 1 ;; esac
	case $1 in *BLOCK*) [ -n "$block" ] || return 1 ;; esac
	word=${1%"# "} word=${word//BLOCK/$block}
	word=${word//ENVFILE/$WORLD/env} word=${word//LOGFILE/$WORLD/log} word=${word//BINDDIR/$WORLD/bound}
	word=${word//PLATFORM/linux/$arch} word=${word//ARCH/$arch} word=${word//HOSTUSER/$(id -un)}
	eval "w=($(sed 's/\${/\\${/g' <<<"$word"))"
}

checks() {
	local options what wanted w arch id block
	block=$(find /dev -maxdepth 1 -type b | head -n 1)
	case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; esac
	printf 'C=1\nD=two words\n' >"$WORLD/env"
	mkdir -p "$WORLD/bound" && echo bound >"$WORLD/bound/f"
	printf word | pod secret create sec - >/dev/null
	pod run --name other -v /data --net none img touch /data/seen
	while IFS=@ read -r options what wanted; do
		words "$options" || continue
		id=$(pod create "${w[@]}" img sleep 100 2>"$WORLD/err") || { not_ok "create $options ($(cat "$WORLD/err"))"; continue; }
		is "inspect: $options" "$(pod inspect "$id" | jq -c ".[0] | $what")" "$wanted"
		pod rm -f "$id" >/dev/null
		rm -f "$WORLD"/log*
	done < <(told)
	while IFS=@ read -r options what wanted; do
		words "$options" || continue
		case $options in *--net*|*--ip*|*--dns*) ;; *) w+=(--net none) ;; esac
		what=${what//HOSTUSER/$(id -un)}
		case $what in
		"*"*) id=$(pod create "${w[@]}" img "${what#\*}" 2>"$WORLD/err") ;;
		*) id=$(pod create "${w[@]}" img sh -c "$what" 2>"$WORLD/err") ;;
		esac || { not_ok "create $options ($(cat "$WORLD/err"))"; continue; }
		wanted=${wanted//HOSTUSER/$(id -un)}
		what=
		case $options in -i) what=-i ;; esac
		is "inside: $options" "$(echo from stdin | pod start -a $what "$id" 2>&1 | xargs)" "$wanted"
	done < <(done_inside)
	pod rm -f -t 0 -a >/dev/null
}
busybox_image img >/dev/null
checks
{
	declare -f told done_inside words checks
	echo 'export FROM_HOST=yes C=1 http_proxy=http://proxy.test'
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; checks'
} | user_part
