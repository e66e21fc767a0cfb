#!/bin/bash
# SPDX-License-Identifier: ISC
# update, init, container clone.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
busybox_image localhost/other >/dev/null
id=$(pod run -d --name a --network none --memory 64m -e X=1 -e Y=2 --label k=v localhost/bb sleep 1000)
host() { pod inspect -f "{{.HostConfig.$1}}" a; }

# --- update
if grep -q memory /proc/cgroups 2>/dev/null && [ -d "/sys/fs/cgroup/memory" ]; then
	file=$(find /sys/fs/cgroup/memory -path "*$id*" -name memory.limit_in_bytes | sed -n 1p)
	is "update prints the ID" "$(pod update --memory 96m a)" "$id"
	is "the cgroup follows" "$(cat "$file")" 100663296
else
	file=/sys/fs/cgroup$(pod inspect -f '{{.State.CgroupPath}}' a)
	# In a scope of systemd's, crun makes one more for the container.
	[ ! -d "$file/container" ] || file=$file/container
	file=$file/memory.max
	is "update prints the ID" "$(pod update --memory 96m a)" "$id"
	if [ -e "$file" ]; then is "the cgroup follows" "$(cat "$file")" 100663296; else skip "the cgroup follows" "no memory controller"; fi
fi
is "the record too" "$(host Memory)" 100663296
pod update --cpus 0.5 --pids-limit 55 a >/dev/null
is "processor" "$(host CpuQuota)" 50000
is "tasks" "$(host PidsLimit)" 55
is "what was not named stays" "$(host Memory)" 100663296
pod update --restart on-failure:3 -e X=3 -e Z=4 --unsetenv Y --ulimit nofile=55:66 a >/dev/null
is "restart policy" "$(host RestartPolicy.Name) $(host RestartPolicy.MaximumRetryCount)" "on-failure 3"
pod restart -t 0 a >/dev/null
is "environment from the next start" "$(pod exec a sh -c 'echo $X $Y $Z')" "3 4"
is "limits from the next start" "$(pod exec a sh -c 'ulimit -Sn')" 55
is "an event" "$(pod events --stream=false -f event=update -f container=a --format '{{.Name}}' | uniq)" a
for bad in "--memory 1x a" "--memory-swap 1m a" "--restart sometimes a" "--ulimit x=1 a" "--memory 32m nosuch" "--cpus 1 --cpu-quota 5 a"; do
	# shellcheck disable=SC2086
	pod update $bad >/dev/null 2>&1
	is "refused: $bad" "$?" 125
done
is "nothing of it stays" "$(host Memory) $(host RestartPolicy.Name)" "100663296 on-failure"
pod stop -t 0 a >/dev/null
is "one that does not run" "$(pod update --memory 80m a)" "$id"
is "its record" "$(host Memory)" 83886080

# --- init
pod create --name i --network none localhost/bb sh -c 'echo ran' >/dev/null
is "init" "$(pod init i)" i
is "the state" "$(pod ps -a -f name=i --format '{{.State}}')" initialized
pod init i 2>&1 | grep -q 'has already been created in runtime'
is "a second time" "$?" 0
is "it starts" "$(pod start -a i)" ran
is "--all" "$(pod init --all | wc -l)" 2

# --- clone
c=$(pod container clone a)
is "the name" "$(pod ps -a --no-trunc -f "id=$c" --format '{{.Names}}')" a-clone
is "another" "$(pod container clone a >/dev/null; pod ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" "a a-clone a-clone1 i "
is "what it is like" "$(pod inspect -f '{{.HostConfig.Memory}} {{index .Config.Labels "k"}} {{.Config.Cmd}}' a-clone)" "83886080 v [sleep 1000]"
pod container clone --memory 70m --name b a >/dev/null
is "other limits" "$(pod inspect -f '{{.HostConfig.Memory}}' b) $(host Memory)" "73400320 83886080"
pod container clone --run a r >/dev/null
is "--run" "$(pod inspect -f '{{.State.Status}}' r)" running
pod container clone a o localhost/other >/dev/null
is "another image" "$(pod inspect -f '{{.ImageName}}' o)" localhost/other:latest
pod container clone --destroy r r2 2>&1 | grep -q 'cannot remove container'
is "one that runs is not destroyed" "$?" 0
is "and nothing is made" "$(pod container exists r2; echo $?)" 1
pod container clone --destroy -f r r2 >/dev/null
is "unless forced" "$(pod container exists r; echo $?) $(pod container exists r2; echo $?)" "1 0"
pod create --name v --network none -v /anon -v named:/named localhost/bb true >/dev/null
pod container clone v v2 >/dev/null
pod start -a v v2 >/dev/null 2>&1 || { pod start -a v; pod start -a v2; }
is "anonymous volumes are its own, named ones shared" "$(pod volume ls -q | wc -l)" 3
for bad in nosuch "a a-clone" "-f a x" "--name q a x" "a x localhost/nosuch"; do
	# shellcheck disable=SC2086
	pod container clone $bad >/dev/null 2>&1
	is "refused: $bad" "$?" 125
done
finish
