#!/bin/bash
# SPDX-License-Identifier: ISC
# One check for each feature of the command line, as root and as an ordinary user.  A=an image with a shell.
. "$(dirname "$0")/../lib.sh"
world

# Without a line: R22 belongs to pods; MO4 to the monitor's service; RL3 needs a user session (the virtual machine).
# ID|CHECK, a shell command that succeeds.  Rows with # need root: limits without a delegated cgroup, mounts outside
# the user's namespace and the like.
rows() {
	cat <<'ROWS'
G01 store location|[ "$($P info --format '{{.Store.GraphRoot}}')" = "$ROOT" ]
G02 runtime choice|$P --runtime crun run --rm --net none $A true
G03 events backend|[ "$($P --events-backend file info --format '{{.Host.EventLogger}}')" = file ]
G04 log level|[ -n "$($P --log-level debug ps 2>&1 >/dev/null)" ]
G06 version|[ -n "$($P version --format '{{.Client.Version}}')" ]
G07 environment|CONTAINERS_CONF=/dev/null $P info >/dev/null
G08 Docker's --context|$P --context default ps >/dev/null
G09 completion|[ -n "$($P completion bash)" ]
G10 any prefix|id=$($P inspect c1 --format '{{.Id}}'); [ "$($P inspect ${id:0:6} --format '{{.Name}}')" = c1 ]
G10 the latest|[ -n "$($P inspect -l --format '{{.Id}}')" ]
G11 status of a misuse|$P run --nosuch 2>/dev/null; [ $? = 125 ]
L01 run|[ "$($P run --rm --net none $A echo hi)" = hi ]
L02 start -a|[ "$($P start -a said)" = said ]
L03 stop twice|$P stop -t 0 c2 && $P stop c2
L04 restart|$P restart -t 0 c1
L05 kill|$P kill -s USR1 c1
L06 rm of none|$P rm -f nosuch && { $P rm nosuch 2>/dev/null; [ $? = 1 ]; }
L07 ps with a filter|[ "$($P ps -aq --filter status=exited --filter name=said | wc -l)" = 1 ]
L08 inspect|[ "$($P inspect --type container --format '{{.State.Status}}' c1)" = running ]
L09 pause # |$P pause c1 && $P unpause c1
L10 wait|[ "$($P wait c3)" = 3 ]
L11 init|$P create --name ini --net none $A true && $P init ini && [ "$($P inspect --format '{{.State.Status}}' ini)" = initialized ] && $P start -a ini
L12 rename|$P create --name ren --net none $A true && $P rename ren ren2 && $P rm ren2
L12 update # |$P update --memory 64m c1
L12 clone|$P container clone said twin && $P container exists twin
L13 stats|$P stats --no-stream --format json c1 | jq -e '.[0].name == "c1"'
L13 top|$P top c1 | grep -q sleep
L15 cp to a stream|$P cp c1:/etc/passwd - | tar -t | grep -qx passwd
L15 export|$P export said | tar -t | grep -q '^bin/busybox$'
L15 diff|$P run --name dif --net none $A touch /new && $P diff dif | grep -qx 'A /new'
L15 mount # |m=$($P mount said) && test -x "$m/bin/busybox" && $P unmount said
L16 commit|$P commit -q said x1 | grep -qE '^[0-9a-f]{64}$'
L17 exists|$P container exists c1
L17 cleanup|$P container cleanup said
L19 rootfs with an overlay|$P run --rm --net none --rootfs "$FS:O" /bin/sh -c 'touch /written' && [ ! -e "$FS/written" ]
L20 start at boot|$P create --name boot --restart always --net none $A sleep 100 && $P start --all --filter should-start-on-boot=true && $P rm -f -t 0 boot
R01 names and files|$P run --rm --name a --replace --cidfile "$D/cid" --pidfile "$D/pid" --label x=y --annotation a=b --net none $A true && [ -s "$D/cid" ] && [ -s "$D/pid" ]
R02 stdin|[ "$(echo hi | $P run -i --rm --net none $A cat)" = hi ]
R02 a terminal|script -qec "$BIN/pod --root $ROOT --runroot $RUNROOT run --rm -t --net none img tty" /dev/null | grep -q /dev/pts/0
R03 init first|$P run --rm --init --net none $A sh -c 'readlink /proc/1/exe; cat /proc/1/comm' | grep -qE 'init|catatonit|tini' || ! $P run --rm --init --net none $A true 2>/dev/null
R03 command|[ "$($P run --rm --net none --entrypoint '["echo","a"]' -w /tmp $A b)" = 'a b' ] && [ "$($P run --rm --net none -w /tmp -u 5:6 --umask 0027 $A sh -c 'pwd; id -u; id -g; umask' | xargs)" = '/tmp 5 6 0027' ]
R03 timeout|$P run --rm --net none --timeout 1 $A sleep 100; [ $? != 0 ]
R03 time zone|[ "$($P run --rm --net none --tz UTC $A date +%Z)" = UTC ]
R04 no such image|$P run --pull never --rm nosuch true 2>/dev/null; [ $? = 125 ]
R06 the host's processes|$P run --rm --net none --pid host $A test -d /proc/$$
R06 namespaces|[ "$($P run --rm --net none --uts host $A hostname)" = "$(hostname)" ] && $P run --rm --net none --ipc private --cgroupns private $A true
R06 host name|[ "$($P run --rm --net none -h box $A hostname)" = box ]
R07 processors # |$P run --rm --net none --cpus .5 $A sh -c 'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null' | grep -q '^50000'
R08 memory # |$P run --rm --net none -m 64m $A sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null' | grep -qx 67108864
R08 shared memory|$P run --rm --net none --shm-size 3m $A df -k /dev/shm | grep -q ' 3072 '
R08 oom score|[ "$($P run --rm --net none --oom-score-adj 500 $A cat /proc/self/oom_score_adj)" = 500 ]
R09 processes # |$P run --rm --net none --pids-limit 7 $A sh -c 'cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null' | grep -qx 7
R09 ulimits|[ "$($P run --rm --net none --ulimit nofile=77:88 $A sh -c 'ulimit -n; ulimit -Hn' | xargs)" = '77 88' ]
R10 no cgroup|$P run --rm --net none --cgroups disabled $A true
R11 no capability|$P run --rm --net none --cap-drop all $A grep -q 'CapEff.*0000000000000000' /proc/self/status
R11 no new privileges|[ "$($P run --rm --net none --security-opt no-new-privileges $A sed -n 's/NoNewPrivs:[[:space:]]*//p' /proc/self/status)" = 1 ]
R11 groups|[ "$($P run --rm --net none -u 5 --group-add 44 $A id -G)" = '0 44' ] || [ "$($P run --rm --net none -u 5:5 --group-add 44 $A id -G)" = '5 44' ]
R11 sysctl|[ "$($P run --rm --sysctl net.ipv4.ip_forward=1 --net none $A cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
R12 read-only|$P run --rm --net none --read-only $A touch /x 2>/dev/null; [ $? = 1 ]
R12 but for tmpfs|$P run --rm --net none --read-only $A touch /tmp/x
R13 a read-only volume|$P run --rm --net none -v /tmp:/m:ro $A touch /m/x 2>/dev/null; [ $? = 1 ]
R13 tmpfs and mounts|$P run --rm --net none --tmpfs /t:size=1m --mount type=bind,src="$D",dst=/b,ro --mount type=tmpfs,dst=/u $A sh -c 'touch /t/x /u/x && ! touch /b/x 2>/dev/null'
R14 a device|$P run --rm --net none --device /dev/null:/dev/x $A test -c /dev/x
R15 network modes|$P run --rm --net host $A true && $P run --rm --net none $A sh -c '[ "$(ls /sys/class/net)" = lo ]'
R15 options of pasta in the configuration # user|printf '[network]\npasta_options=["-I","tapconf"]\n' >"$D/pasta.conf"; [ "$(CONTAINERS_CONF_OVERRIDE="$D/pasta.conf" $P run --rm --network pasta $A sh -c 'ls /sys/class/net | grep tap')" = tapconf ]
R16 hosts|$P run --rm --net none --add-host x:1.2.3.4 $A grep -q 1.2.3.4 /etc/hosts
R16 resolver|$P run --rm --dns 192.0.2.7 --dns-search example.org --dns-option ndots:3 $A sh -c 'grep -q "nameserver 192.0.2.7" /etc/resolv.conf && grep -q "search example.org" /etc/resolv.conf && grep -q ndots:3 /etc/resolv.conf'
R17 variables|[ "$($P run --rm --net none -e X=1 $A sh -c 'echo $X')" = 1 ]
R17 files of variables|echo Y=2 >"$D/env"; [ "$($P run --rm --net none --env-file "$D/env" --unsetenv PATH --env-merge Z='${Y}x' $A /bin/sh -c 'echo $Y')" = 2 ]
R19 log files|$P run --name lg --net none --log-driver k8s-file --log-opt path="$D/l" $A echo x >/dev/null; grep -q 'stdout F x' "$D/l"
R19 no log|$P run --name nl --net none --log-driver none $A echo x >/dev/null && ! $P logs nl 2>/dev/null
R20 restart|$P run -d --name rs --net none --restart on-failure:2 $A false >/dev/null; until_ok 20 sh -c '[ "$($0 inspect --format "{{.RestartCount}} {{.State.Status}}" rs)" = "2 exited" ]' "$P"
R21 own user # user|[ "$($P run --rm --net none --userns keep-id $A id -u)" = "$(id -u)" ]
R21 entries|$P run --rm --net none --passwd-entry 'me:*:77:77::/:/bin/sh' -u 77 $A grep -q '^me:' /etc/passwd
R23 systemd inside|$P run --rm --net none --systemd always $A sh -c 'test -d /run/lock'
R24 secrets|printf x | $P secret create s1 - && [ "$($P run --rm --net none --secret s1 $A cat /run/secrets/s1)" = x ]
R25 files|$P run --rm --net none $A test -e /run/.containerenv
V01 volumes|[ "$($P volume create v1)" = v1 ]
V02 lists|$P volume ls -q --filter dangling=true | grep -qx v1
V03 export and import|$P run --rm --net none -v v1:/v $A touch /v/f && $P volume export v1 -o "$D/v.tar" && $P volume create v2 && $P volume import v2 "$D/v.tar" && $P run --rm --net none -v v2:/v $A test -e /v/f
V05 first use|[ "$($P run --rm --net none -v fresh:/www $A cat /www/index.html)" = 'hello from pod' ]
V07 anonymous|n=$($P volume ls -q | wc -l); $P run --rm --net none -v /x $A true; [ "$($P volume ls -q | wc -l)" = "$n" ]
E01 exec|[ "$($P exec c1 echo x)" = x ]
E03 logs|$P logs --tail 1 -t said | grep -q ' said$'
H01 health|$P run -d --name h --net none --health-cmd true --health-interval disable $A sleep 100 && $P healthcheck run h
H05 at once|$P run -d --name h2 --net none --health-cmd true $A sleep 100 && $P inspect --format '{{.State.Health.Status}}' h2 | grep -qE '^(starting|healthy)$'
H03 by itself|$P run -d --name h3 --net none --health-cmd true --health-interval 1s $A sleep 100 && until_ok 20 sh -c '[ "$($0 inspect --format "{{len .State.Health.Log}}" h3)" -ge 1 ]' "$P"
H04 on failure|$P run -d --name h4 --net none --health-cmd false --health-interval 1s --health-retries 1 --health-on-failure kill $A sleep 100 && until_ok 20 sh -c '[ "$($0 inspect --format "{{.State.Status}}" h4)" = exited ]' "$P"
EV1 events|$P events --stream=false --format json | jq -es 'length > 10'
EV3 filters|[ -n "$($P events --filter event=died --stream=false)" ]
SE1 secrets|printf x >"$D/f"; $P secret create s2 "$D/f" && $P secret inspect s2 | jq -e '.[0].Spec.Name == "s2"' && $P secret rm s2
SE2 the shell driver|mkdir -p "$D/sec" && $P secret create --driver shell --driver-opts "store=cat >$D/sec/\$SECRET_ID,lookup=cat $D/sec/\$SECRET_ID,list=ls $D/sec,delete=rm $D/sec/\$SECRET_ID" s3 "$D/f" && [ "$($P run --rm --net none --secret s3 $A cat /run/secrets/s3)" = x ] && $P secret rm s3
SY1 use of space|$P system df --format json | jq -e 'length == 3'
SY5 check|$P system check
HK1 hooks|mkdir -p "$D/hooks" && printf '{"version":"1.0.0","hook":{"path":"/bin/sh","args":["sh","-c","echo >>%s/hooked"]},"when":{"always":true},"stages":["prestart"]}' "$D" >"$D/hooks/a.json" && $P --hooks-dir "$D/hooks" run --rm --net none $A true && [ -e "$D/hooked" ]
MO5 another runtime|$P --runtime runc run --rm --net none $A true
CF1 configuration|printf '[containers]\ndefault_ulimits=["nofile=55:66"]\n' >"$D/conf"; [ "$(CONTAINERS_CONF="$D/conf" $P run --rm --net none $A sh -c 'ulimit -n')" = 55 ]
CF6 seccomp|$P run --rm --net none $A grep -q 'Seccomp:.*2' /proc/self/status
O01 templates|$P ps --format 'table {{.ID}} {{.Names}}' | sed -n 1p | grep -qE '^CONTAINER ID +NAMES$'
O02 JSON|$P ps -a --format json | jq -e 'length > 3'
O04 results alone|[ "$($P run --rm --net none $A echo only 2>/dev/null)" = only ]
RL1 root inside|[ "$($P run --rm --net none $A id -u)" = 0 ]
RL2 unshare # user|[ "$($P unshare id -u)" = 0 ]
RL4 native overlay|[ "$($P info --format '{{.Store.GraphDriverName}}')" = overlay ]
CF8 maps # user|[ "$($P unshare cat /proc/self/uid_map | wc -l)" = 2 ]
L14 ports|$P create --name prt -p 127.0.0.1:18099:80 $A true && [ "$($P inspect --format '{{(index (index .HostConfig.PortBindings "80/tcp") 0).HostPort}}' prt)" = 18099 ] && $P rm prt
L18 runlabel|$P commit -q --change 'LABEL install="echo put IMAGE"' said lab && $P container runlabel --display install lab 2>&1 | grep -q 'echo put .*lab'
R05 access to registries|$P run --rm --tls-verify=false --creds x:y --cert-dir "$D" --retry 1 --retry-delay 1s --pull never --net none $A true
R18 health options|$P run -d --name h18 --net none --health-cmd 'exit 3' --health-interval disable --health-retries 1 --health-timeout 10s --health-start-period 0s --health-on-failure none --health-max-log-count 2 $A sleep 100 && { $P healthcheck run h18; [ $? = 1 ]; } && [ "$($P inspect --format '{{.State.Health.Status}}' h18)" = unhealthy ] && $P run --rm --net none --no-healthcheck $A true
E02 attach|$P run -d --name att --net none $A sh -c 'until [ -e /go ]; do sleep 0.1; done; echo seen; exit 4' && { $P attach --no-stdin --sig-proxy=false att >"$D/att" & w=$!; }; until_ok 20 grep -q attach <($P events --stream=false --filter container=att --filter event=attach) || until_ok 20 sh -c '$0 events --stream=false --filter container=att --filter event=attach | grep -q attach' "$P"; $P exec att touch /go; wait $w; [ $? = 4 ] && grep -qx seen "$D/att"
E04 signals of the client|$P run --rm --name sig --net none $A sh -c 'trap "exit 9" TERM; touch /ready; while :; do sleep 0.1; done' & w=$!; until_ok 20 $P exec sig test -e /ready && kill -TERM $w; wait $w; [ $? = 9 ]
H02 of the image|mkdir -p "$D/hc" && $P save -q -o "$D/hc.tar" $A && tar -C "$D/hc" -xf "$D/hc.tar" && jq -c '.config.Healthcheck = {Test: ["CMD-SHELL", "test -e /bin/sh"], Interval: 7000000000}' "$D/hc/$(jq -r '.[0].Config' "$D/hc/manifest.json")" >"$D/hc/new.json" && jq -c '.[0].Config = "new.json" | .[0].RepoTags = ["localhost/checked:latest"]' "$D/hc/manifest.json" >"$D/hc/m" && mv "$D/hc/m" "$D/hc/manifest.json" && tar -C "$D/hc" -cf "$D/hc2.tar" . && $P load -q -i "$D/hc2.tar" && $P run -d --name h02 --net none checked sleep 100 && $P healthcheck run h02 && $P inspect h02 | jq -e '.[0] | .Config.Healthcheck.Interval == 7000000000 and .State.Health.Status == "healthy"'
EV2 back ends|$P --events-backend none run --rm --name unseen --net none $A true && [ -z "$($P --events-backend file events --stream=false --filter container=unseen)" ] && [ -n "$($P --events-backend file events --stream=false --filter container=c1)" ]
SE3 use of secrets|printf 'a b' | $P secret create s4 - && [ "$($P run --rm --net none --secret s4,type=env,target=TOLD $A sh -c 'echo "$TOLD"')" = 'a b' ] && [ "$($P run --rm --net none --secret s4,target=/told,uid=5,mode=0400 $A stat -c '%u %a' /told)" = '5 400' ]
V04 on the host|$P volume create v4 && m=$($P unshare $P volume mount v4 2>/dev/null || $P volume mount v4) && [ -n "$m" ] && { $P unshare $P volume unmount v4 2>/dev/null || $P volume unmount v4; } && $P volume reload
V06 drivers|$P volume create v6 -o type=tmpfs -o device=tmpfs -o o=size=1m && [ "$($P volume inspect --format '{{.Options.type}}' v6)" = tmpfs ] && { $P volume create --driver nosuch v7; [ $? = 125 ]; }
MO1 the monitor|"$BIN/pod-monitor" --version | grep -q '^conmon version [0-9]'
MO2 exec behind|$P exec -d c1 touch /behind && until_ok 20 $P exec c1 test -e /behind
MO3 logs that are bounded|$P run --name many --net none --log-opt max-size=10kb --log-opt path="$D/many" $A seq 5000 >/dev/null && [ "$(stat -c %s "$D/many")" -le 10240 ]
HK2 hooks of the old form|mkdir -p "$D/old" && printf '{"hook":"/bin/touch","arguments":["%s/old.ran"],"stage":["prestart"],"cmd":[".*"]}' "$D" >"$D/old/h.json" && $P --hooks-dir "$D/old" run --rm --net none $A true && [ -e "$D/old.ran" ]
HK3 later directories win|mkdir -p "$D/later" && printf '{"hook":"/bin/touch","arguments":["%s/later.ran"],"stage":["prestart"],"cmd":["."]}' "$D" >"$D/later/h.json" && rm -f "$D/old.ran" && $P --hooks-dir "$D/old" --hooks-dir "$D/later" run --rm --net none $A true && [ -e "$D/later.ran" ] && [ ! -e "$D/old.ran" ]
O03 tables|[ "$($P ps -a --filter name=nosuch)" = 'CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES' ] && [ -z "$($P ps -a --noheading --filter name=nosuch)" ] && $P ps -a --no-trunc --filter name=c1 | grep -qE '^[0-9a-f]{64} '
SY2 prune|$P system prune -af && [ "$($P ps -aq --filter status=exited | wc -l)" = 0 ]
ROWS
}

check_rows() {
	local id check need st
	A=img D=$WORLD/d P=$WORLD/p
	mkdir -p "$D"
	printf '#!/bin/sh\nexec %s/pod --root %s --runroot %s "$@"\n' "$BIN" "$ROOT" "$RUNROOT" >"$P"
	chmod 755 "$P"
	for id in c1 c2; do pod run -d --name $id --net none $A sh -c 'trap : USR1; while :; do sleep 1000 & wait; done' >/dev/null; done
	pod run --name said --net none $A echo said >/dev/null
	pod run --name c3 --net none $A sh -c 'exit 3'
	while IFS='|' read -r id check; do
		need=
		case $id in
		*"# user") need=user id=${id%#*} ;;
		*"# ") need=root id=${id%#*} ;;
		esac
		if [ "$need" = root ] && [ "$(id -u)" != 0 ]; then continue; fi
		if [ "$need" = user ] && [ "$(id -u)" = 0 ]; then continue; fi
		(eval "$check") >"$WORLD/row" 2>&1 </dev/null
		st=$?
		is "$id" "$st $([ $st = 0 ] || tail -n 1 "$WORLD/row" | cut -c1-150)" "0 "
	done < <(rows)
}

# --rootfs wants a directory of the same user.
rootfs "$WORLD/fs"
FS=$WORLD/fs
busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
check_rows
pod rm -f -t 0 -a >/dev/null
{
	declare -f rows check_rows
	echo 'FS=$WORLD/fs; mkdir "$FS"; cp -a "$LIB_DIR/user-fs/." "$FS/" 2>/dev/null'
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; check_rows'
} | user_part
