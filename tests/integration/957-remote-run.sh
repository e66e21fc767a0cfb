#!/bin/bash
# SPDX-License-Identifier: ISC
# Containers that a service of Podman's makes and runs, and what runs in them: streams, exit statuses, signals.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/remote-service.sh"

service
fails() { # TEXT STATUS MESSAGE WORDS...: the last line of standard error
	local text=$1 want=$2 message=$3 said st
	shift 3
	said=$(podr "$@" 2>&1 >/dev/null)
	st=$?
	is "$text" "$st $(tail -n 1 <<<"$said")" "$want Error: $message"
}
all_ended() { local p; for p; do ended "$p" || return 1; done; }
run=(run --rm --network none)

# --- run ---
is "run" "$(podr "${run[@]}" img:1 echo hello)" hello
is "its streams are apart" "$(podr "${run[@]}" img:1 sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
is "its exit status" "$(podr "${run[@]}" img:1 sh -c 'exit 7'; echo $?)" 7
is "at once, always" "$(for i in 1 2 3 4 5; do podr "${run[@]}" img:1 sh -c 'exit 4'; echo $?; done | sort | uniq -c | awk '{ print $1, $2 }')" "5 4"
is "nothing stays with --rm" "$(podr ps -aq)" ""
is "standard input" "$(echo typed | podr "${run[@]}" -i img:1 cat)" typed
is "much of it, both ways at once" "$(head -c 20000000 /dev/zero | podr "${run[@]}" -i img:1 cat | wc -c)" 20000000
is "without -i there is none" "$(echo typed | podr "${run[@]}" img:1 cat)" ""
is "it is 127" "$(podr "${run[@]}" img:1 nosuch 2>/dev/null; echo $?)" 127
is "one that may not be executed is 126" "$(podr "${run[@]}" img:1 /etc/passwd 2>/dev/null; echo $?)" 126
is "nor do those stay" "$(podr ps -aq)" ""
fails "an option that no service is told, before anything is pulled" 125 "unknown flag: --pidfile" run --pidfile x none.test/x true
fails "one that this service would pass over" 125 "--hosts-file: the service is of version 4.3.1, which does not know it" run --hosts-file none none.test/x true
check "an image that there is not" eval 'podr run --rm --tls-verify=false 127.0.0.1:1/x true 2>&1 | grep -q "^Error: .*127.0.0.1:1"'
is "--pull never" "$(podr run --rm --pull never localhost/none true 2>/dev/null; echo $?)" 125

# --- What it is like ---
is "words" "$(X=caller podr "${run[@]}" -e A=b -e X -w /tmp -h host --user 1000 img:1 sh -c 'echo $A $X; pwd; hostname; id -u' | tr '\n' ' ')" "b caller /tmp host 1000 "
is "--entrypoint" "$(podr "${run[@]}" --entrypoint echo img:1 a b)" "a b"
is "of several words" "$(podr "${run[@]}" --entrypoint '["echo","x"]' img:1 y)" "x y"
ID=$(podr create --name made --network bridge -l a=b --annotation c=d --cap-drop CHOWN --cap-add NET_ADMIN --restart on-failure:3 \
	--stop-signal INT --stop-timeout 3 --read-only -p 127.0.0.1:18080:80/udp -v vol:/data:ro -v "$WORLD/home:/home/x" \
	--add-host h:1.2.3.4 --dns 9.9.9.9 img:1 true)
is "create prints the ID" "$ID" "$(podr inspect made -f '{{.Id}}')"
is "all of it is told" "$(podr inspect made -f '{{.Config.Labels.a}} {{.Config.Annotations.c}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.Config.StopSignal}} {{.Config.StopTimeout}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}} {{.HostConfig.ExtraHosts}} {{.HostConfig.Dns}}')" \
	"b d on-failure 3 2 3 true [CAP_NET_ADMIN] [CAP_CHOWN] [h:1.2.3.4] [9.9.9.9]"
is "its ports" "$(podr ps -a --filter name=made --format '{{.Ports}}')" "127.0.0.1:18080->80/udp"
is "its volumes" "$(podr inspect made | jq -c '[.[0].Mounts[] | .Type + " " + .Destination + " " + (.RW | tostring)] | sort')" '["bind /home/x true","volume /data false"]'
fails "a name that is taken" 125 "$(podr create --name made img:1 true 2>&1 | sed 's/^Error: //')" create --name made img:1 true
fails "an option of a network that there is not" 125 "--network podman:x=1: x: not built for a remote service yet" create --network podman:x=1 img:1 true
podr rm -f made >/dev/null
seen() { # WANT WORDS... : what a container with those options prints
	local want=$1
	shift
	is "${*%%img:1*}" "$(podr "${run[@]}" "$@" 2>&1)" "$want"
}
seen "tmpfs 1024" --mount type=tmpfs,dst=/t,tmpfs-size=1m img:1 sh -c "df -k /t | awk 'NR == 2 { print \$1, \$2 }'"
seen 2048 --tmpfs /t:size=2m img:1 sh -c "df -k /t | awk 'NR == 2 { print \$2 }'"
echo theirs >"$WORLD/home/f"
seen "theirs ro" --mount "type=bind,src=$WORLD/home,dst=/b,ro" img:1 sh -c 'echo $(cat /b/f) $(touch /b/g 2>/dev/null || echo ro)'
rm "$WORLD/home/f"
seen passwd --mount type=image,src=localhost/img:1,dst=/i img:1 sh -c 'ls /i/etc | grep passwd'
seen "1:3 r" --device /dev/null:/dev/other:r img:1 sh -c 'stat -c %t:%T /dev/other | tr "\n" " "; echo r'
seen "100 200" --ulimit nofile=100:200 --ulimit nproc=1000 img:1 sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
seen "NoNewPrivs: 1" --security-opt no-new-privileges img:1 sh -c 'grep NoNewPrivs /proc/self/status | tr "\t" " "'
seen "Seccomp: 0" --security-opt seccomp=unconfined img:1 sh -c 'grep Seccomp: /proc/self/status | tr "\t" " "'
seen "" --security-opt mask=/etc/passwd img:1 cat /etc/passwd
seen 1024 --shm-size 1m img:1 sh -c "df -k /dev/shm | awk 'NR == 2 { print \$2 }'"
seen "low line high" --env-file <(printf 'A=low\nB=line\nC=low\n') -e C=high img:1 sh -c 'echo $A $B $C'
seen 0077 --umask 0077 img:1 sh -c umask
seen 100 --oom-score-adj 100 img:1 cat /proc/self/oom_score_adj
seen yes --pid host img:1 sh -c 'test $$ -gt 2 && echo yes'
seen "$(hostname)" --uts host img:1 hostname
seen "rw rw no" --read-only img:1 sh -c 'for d in /tmp /run /; do touch $d/x 2>/dev/null && echo rw || echo no; done | tr "\n" " " | sed "s/ $//"'
seen "no no" --read-only --read-only-tmpfs=false img:1 sh -c 'for d in /tmp /; do touch $d/x 2>/dev/null && echo rw || echo no; done | tr "\n" " " | sed "s/ $//"'
seen "2" --sysctl kernel.shm_rmid_forced=0 --unsetenv TERM img:1 sh -c 'echo $(($(cat /proc/sys/kernel/shm_rmid_forced) + 2))$TERM'
is "an address" "$(podr run --rm --ip 10.88.7.7 --mac-address 02:00:00:00:07:07 img:1 sh -c 'ip addr show eth0 | grep -o -e 10.88.7.7 -e 02:00:00:00:07:07 | tr "\n" " "')" "02:00:00:00:07:07 10.88.7.7 "
is "a network with an address and a name" "$(podr run --rm --network podman:ip=10.88.7.8,mac=02:00:00:00:07:08,interface_name=net7 img:1 sh -c 'ip addr show net7 | grep -o -e 10.88.7.8 -e 02:00:00:00:07:08 | tr "\n" " "')" "02:00:00:00:07:08 10.88.7.8 "
podr run -d --name made img:1 sleep 1000 >/dev/null
is "the network of another" "$(podr run --rm --network container:made img:1 readlink /proc/self/ns/net)" "$(podr exec made readlink /proc/self/ns/net)"
podr rm -f -t 0 made >/dev/null
seen "0 100000 1000 5 7000 1 ;0 200000 1000" --uidmap 0:100000:1000 --uidmap 5000:7000:1 --gidmap 0:200000:1000 img:1 sh -c 'echo $(sed "s/5000/5/" /proc/self/uid_map) ";$(echo $(cat /proc/self/gid_map))"'
seen "0 100000 1000 0 100000 1000" --uidmap 0:100000:1000 img:1 sh -c 'echo $(cat /proc/self/uid_map /proc/self/gid_map)'
fails "maps and a mode" 125 "--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive" create --userns host --uidmap 0:1:1 img:1
fails "a flag of a map" 125 "--uidmap +0:1:1: not built for a remote service yet" create --uidmap +0:1:1 img:1
if [ -e "$WORLD/has-ids" ]; then
	seen "4321 7 7" --userns auto:size=4321,uidmapping=5000:7:1 img:1 sh -c 'echo $(awk "NR == 1 { print \$3 } NR == 2 { print \$2, \$2 }" /proc/self/uid_map)'
else
	skip "ids that the service chooses" "no /etc of its own can be made for the service"
fi
fails "an option of that there is not" 125 'unknown option specified: "x"' create --userns auto:x=1 img:1 true
seen merged --env-merge 'PATH=${PATH}:/merged' img:1 sh -c 'echo ${PATH##*:/}'
seen "nobody" --hostuser nobody img:1 sh -c 'grep -o ^nobody: /etc/passwd | tr -d : | sort -u'
seen "rootfs" --rootfs "$WORLD/fs:O" echo rootfs
fails "a root file system named by half" 125 "--rootfs fs: a directory of a service is named by an absolute path" create --rootfs fs true
is "--cidfile" "$(podr create --cidfile "$WORLD/cid" --name made img:1 true) $(podr inspect made -f '{{.HostConfig.ContainerIDFile}}')" "$(cat "$WORLD/cid") $WORLD/cid"
fails "which is there" 125 "container id file exists. Ensure another container is not using it or delete $WORLD/cid" run --cidfile "$WORLD/cid" none.test/x true
is "start by it" "$(podr stop --cidfile "$WORLD/cid")" "$(cat "$WORLD/cid")"
is "--replace" "$(podr create --replace --name made img:1 true | cmp -s - "$WORLD/cid"; echo $?; podr ps -aq | wc -l)" "1
1"
fails "of no name" 125 "cannot replace container without --name being set" run --replace img:1 true
is "--replace where there is none" "$(podr rm made; podr run --rm --replace --name made img:1 echo x)" "made
x"
is "--attach" "$(podr "${run[@]}" -a stderr img:1 sh -c 'echo out; echo err >&2' 2>&1; echo typed | podr "${run[@]}" -i -a stdin -a stdout img:1 cat)" "err
typed"
fails "a stream that there is not" 125 'invalid stream "x" for --attach - must be one of stdin, stdout, or stderr: invalid argument' run -a x img:1 true
podr tag img:1 other:1
is "--rmi" "$(podr run --rmi --network none other:1 echo x; podr ps -aq; podr image exists localhost/other:1; echo $?)" "x
1"
is "--platform" "$(podr create --pull never --platform linux/amd64 --name made img:1 true | wc -c)" 65
fails "twice" 125 "--platform option can not be specified with --arch or --os" create --platform linux/amd64 --arch arm64 img:1
podr rm made >/dev/null
is "secret create" "$(printf hush | podr secret create -l a=b sec - | wc -c)" 26
seen "hush hush 400" --secret sec,mode=0400 --secret sec,type=env,target=SEC img:1 sh -c 'echo $SEC $(cat /run/secrets/sec) $(stat -c %a /run/secrets/sec)'
is "secret ls" "$(podr secret ls --format '{{.Name}} {{.Driver}}')" "sec file"
is "secret inspect" "$(podr secret inspect sec -f '{{.Spec.Name}} {{.Spec.Labels.a}}')" "sec b"
is "secret exists" "$(podr secret exists sec; echo $?; podr secret exists none; echo $?)" "0
1"
fails "a name that is taken" 125 "sec: secret name in use" secret create sec <(echo x)
is "secret rm" "$(podr secret rm sec | wc -c) $(podr secret ls -q)" "26 "
fails "of none" 125 'no secret with name or id "sec": no such secret' secret rm sec
podr run -d --name made --network none --health-cmd 'test -e /ok' --health-interval disable --health-retries 2 \
	--memory 64m --memory-reservation 32m --cpu-shares 100 --pids-limit 50 --timeout 3000 --expose 80-81/udp --expose 80 \
	--log-driver k8s-file --log-opt max-size=1m --label-file <(echo lf=1) -l l=2 img:1 sleep 1000 >/dev/null
is "the rest is told" "$(podr inspect made -f '{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}} {{.Config.Timeout}} {{.HostConfig.LogConfig.Type}} {{.Config.Labels.lf}} {{.Config.Labels.l}} {{.Config.Healthcheck.Retries}}')" "67108864 33554432 100 50 3000 k8s-file 1 2 2"
is "healthcheck run" "$(podr healthcheck run made >/dev/null; podr healthcheck run made; echo $?; podr healthcheck run --ignore-result made; echo $?; podr exec made touch /ok; podr healthcheck run made; echo $?)" "unhealthy
1
unhealthy
0
0"
fails "words that mean nothing" 125 'invalid --security-opt 2: "nonsense=1"' create --security-opt nonsense=1 img:1
podr rm -f -t 0 made >/dev/null
podr volume rm vol >/dev/null
is "run -d" "$(podr run -d --name one --network none img:1 sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' | wc -c)" 65

# --- exec ---
is "exec" "$(podr exec one echo hello)" hello
is "its streams and status" "$(podr exec one sh -c 'echo out; echo err >&2; exit 5' 2>/dev/null; echo $?)" "out
5"
is "its standard input" "$(echo typed | podr exec -i one cat)" typed
is "its words" "$(podr exec -e A=b -w /tmp -u 1000 one sh -c 'echo $A; pwd; id -u' | tr '\n' ' ')" "b /tmp 1000 "
is "a command that there is not" "$(podr exec one nosuch 2>/dev/null; echo $?)" 127
is "exec -d" "$(podr exec -d one sleep 0 | wc -c)" 65
fails "exec in none" 125 'no container with name or ID "none" found: no such container' exec none true
fails "exec without a command" 125 "must provide a non-empty command to start an exec session: invalid argument" exec one

# --- One that is there ---
podr create --name there --network none -i img:1 sh -c 'read x; echo "got $x"; exit 6' >/dev/null
is "start -ai" "$(echo typed | podr start -ai there; echo $?)" "got typed
6"
fails "attach to one that does not run" 125 "you can only attach to running containers" attach there
fails "start -a of two" 125 "you cannot start and attach multiple containers at once" start -a there one
podr start there >/dev/null
is "attach" "$(echo again | podr attach there; echo $?)" "got again
6"
fails "attach to none" 125 'no container with name or ID "none" found: no such container' attach none
podr rm there >/dev/null

# --- Terminals ---
# on_tty WORDS...: on a terminal of 33 lines of 77 columns; what it shows, without carriage returns
on_tty() {
	timeout 60 script -qec "stty rows 33 cols 77; $BIN/pod $*" /dev/null </dev/null | tr -d '\r\b' | sed 's/\^[@D]//g'
	return "${PIPESTATUS[0]}"
}
is "exec -t" "$(podr exec -t one tty)" /dev/pts/0$'\r'
is "exec -it, its size and status" "$(on_tty "exec -it one sh -c 'until [ \"\$(stty size 2>/dev/null)\" = \"33 77\" ]; do sleep 0.1; done; echo seen; exit 4'"; echo $?)" "seen
4"
is "run -it" "$(on_tty "run --rm -it --network none img:1 sh -c 'until [ \"\$(stty size 2>/dev/null)\" = \"33 77\" ]; do sleep 0.1; done; echo seen; exit 5'"; echo $?)" "seen
5"
is "the terminal is put right" "$(on_tty "exec -it one true; stty -a" | grep -oE '(^| )-?(icanon|echo)( |$)' | tr -d ' \n')" icanonecho
is "what is typed" "$( (sleep 2; echo typed; sleep 1) | timeout 60 script -qec "$BIN/pod exec -it one head -n 1" /dev/null | tr -d '\r' | sort -u)" typed
is "the keys that detach" "$( (sleep 2; printf '\020\021'; sleep 5) | timeout 60 script -qec "$BIN/pod run -it --name left --network none img:1 cat; echo \$?" /dev/null | tr -d '\r'; podr ps --format '{{.Names}}' --filter name=left)" "0
left"
is "others" "$( (sleep 2; printf 'xy'; sleep 5) | timeout 60 script -qec "$BIN/pod exec -it --detach-keys x,y one cat; echo \$?" /dev/null | tr -d '\r')" 0
podr rm -f -t 0 left >/dev/null
is "stop" "$(podr stop one; podr inspect one -f '{{.State.ExitCode}}')" "one
3"

# --- Signals go to the container ---
"$BIN/pod" "${run[@]}" --name two img:1 sh -c 'trap "echo got; exit 9" TERM INT; echo up; while :; do sleep 0.1; done' >"$WORLD/out" 2>"$WORLD/err" &
client=$!
until_is "it runs" up cat "$WORLD/out"
kill -TERM $client
wait $client
is "with the status it ends with" "$? $(tail -n 1 "$WORLD/out")" "9 got"
# What is typed reaches all processes of the terminal, our workers too.
setsid "$BIN/pod" "${run[@]}" --name two img:1 sh -c 'trap "echo got; exit 9" TERM INT; echo up; while :; do sleep 0.1; done' >"$WORLD/out" 2>"$WORLD/err" &
client=$!
until_is "it runs" up cat "$WORLD/out"
kill -INT -- -$client
wait $client
is "also when they were typed" "$? $(tail -n 1 "$WORLD/out")" "9 got"
"$BIN/pod" "${run[@]}" --sig-proxy=false --name three img:1 sh -c 'echo up; while :; do sleep 0.1; done' >"$WORLD/out" 2>&1 &
client=$!
until_is "it runs" up cat "$WORLD/out"
workers=$(pgrep -P $client)
is "which have workers" "$(wc -w <<<"$workers")" 2
kill -TERM $client
wait $client
is "not with --sig-proxy=false" "$? $(podr ps --format '{{.Names}}')" "143 three"
check "our workers have gone with us" until_ok 10 all_ended $workers
# --- Events ---
podr create --name told --network none -l a=b img:1 true >/dev/null
is "events" "$(podr events --stream=false --since 5m --filter container=told --format '{{.Type}} {{.Status}} {{.Name}} {{.Image}}')" "container create told localhost/img:1"
is "as lines" "$(podr events --stream=false --since 5m --filter container=told | grep -c '^20.* container create [0-9a-f]\{64\} (image=localhost/img:1, name=told')" 1
is "as JSON" "$(podr events --stream=false --since 5m --filter container=told --format json | jq -r '.Type + " " + .Name + " " + .Status')" "container told create"
check "a filter that it does not know" eval 'podr events --stream=false --since 5m --filter bogus=1 2>&1 | grep -q "^Error: .*bogus"'
podr events --filter event=remove --format '{{.Name}}' >"$WORLD/out" 2>&1 &
follower=$!
removed() { podr create --name "gone" --network none img:1 true >/dev/null; podr rm gone >/dev/null; grep -qx gone "$WORLD/out"; }
check "they are followed" until_ok 20 removed
kill $follower
wait $follower 2>/dev/null
check "nothing was made here" nothing_in "$HOME"
finish
