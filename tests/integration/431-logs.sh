#!/bin/bash
# SPDX-License-Identifier: ISC
# Logs: rotation, following across it, several containers, limits, drivers without a file.
. "$(dirname "$0")/../lib.sh"
world
busybox_image bb >/dev/null
run() { pod run --net none "$@"; }

# A worker that does not answer, as one that has been taken over, does not hide the end: looked at below.
run -d --name mute bb sleep 1000 >/dev/null
for p in $(ps -o pid= --ppid "$(pod inspect -f '{{.State.ConmonPid}}' mute)"); do
	grep -q '^pod-monitor-std' "/proc/$p/comm" && mute=$p
done
kill -STOP "$mute"
(pod wait mute >"$WORLD/waited" 2>&1) &
pod kill mute >/dev/null

# Nor does one keep a start from failing.
cat >"$WORLD/failing" <<'EOF'
#!/bin/sh
case " $* " in *" run "*) ;; *) exit 1 ;; esac
for p in $(ps -o pid= --ppid $PPID); do
	grep -q '^pod-monitor-std' /proc/$p/comm && kill -STOP $p && echo $p >>"${0%/*}/stopped"
done
exit 1
EOF
chmod 755 "$WORLD/failing"
(pod --runtime "$WORLD/failing" run --rm --net none bb true >"$WORLD/failed" 2>&1; echo "rc $?" >>"$WORLD/failed") &

run --name small --log-opt max-size=10kb bb seq 1000 >/dev/null
log=$(pod inspect --format '{{.HostConfig.LogConfig.Path}}' small)
check "max-size bounds the file" test "$(stat -c %s "$log")" -le 10000
check "and the one before it" test "$(stat -c %s "$log.1")" -le 10000
is "there are two files" "$(ls "$log"* | wc -l)" 2
is "logs begins with the older one" "$(pod logs small | head -n 1)" "$(cut -d ' ' -f 4 "$log.1" | head -n 1)"
is "and misses nothing between" "$(pod logs small | md5sum)" "$(seq "$(cut -d ' ' -f 4 "$log.1" | head -n 1)" 1000 | md5sum)"
n=$(wc -l <"$log")
is "tail within the younger" "$(pod logs --tail 3 small | tr '\n' ' ')" "998 999 1000 "
is "tail that begins in the older" "$(pod logs --tail $((n + 5)) small | md5sum)" "$(seq $((1000 - n - 4)) 1000 | md5sum)"
is "tail beyond both" "$(pod logs --tail 100000 small | wc -l)" "$(cat "$log" "$log.1" | wc -l)"
run --name many --log-opt max-size=4k --log-opt max-file=5 bb seq 1000 >/dev/null
log=$(pod inspect --format '{{.HostConfig.LogConfig.Path}}' many)
is "max-file counts files" "$(ls "$log"* | wc -l)" 5
is "logs of all of them" "$(pod logs many | tail -n 250 | md5sum)" "$(seq 751 1000 | md5sum)"
run --name one --log-opt max-size=4k --log-opt max-file=1 bb seq 1000 >/dev/null
is "max-file=1 keeps none" "$(ls "$(pod inspect --format '{{.HostConfig.LogConfig.Path}}' one)"* | wc -l)" 1

# Following: nothing is lost, nothing comes twice, and it ends with the container.
run -d --name slow --log-opt max-size=20k --log-opt max-file=50 bb sh -c 'i=0; while [ $i -lt 60 ]; do i=$((i+1)); seq $((i*100)) $((i*100+99)); sleep 0.02; done' >/dev/null
is "follow across rotations" "$(timeout $((30 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f slow | md5sum)" "$(seq 100 6099 | md5sum)"
# A rotation gives one file after the other its new name: who looks meanwhile must not pass over any.
for round in 1 2 3; do
	run -d --name quick$round --log-opt max-size=4k --log-opt max-file=900 bb sh -c 'sleep 0.3; seq 1 60000' >/dev/null
	is "follow through 700 rotations, round $round" "$(timeout $((60 * ${POD_TEST_SLOW:-1})) "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f quick$round | md5sum)" "$(seq 1 60000 | md5sum)"
done
is "a tail of many files" "$(pod logs --tail 5000 quick1 | md5sum)" "$(seq 55001 60000 | md5sum)"
is "a tail of more than there is" "$(pod logs --tail 70000 quick1 | md5sum)" "$(seq 1 60000 | md5sum)"
is "and the same afterwards" "$(pod logs slow | md5sum)" "$(seq 100 6099 | md5sum)"

run --name a bb sh -c 'echo one; echo err >&2; echo two' >/dev/null 2>&1
run --name b bb echo other >/dev/null
is "standard error keeps its stream" "$(pod logs a 2>&1 >/dev/null)" err
is "names, but one needs none" "$(pod logs --names b) $(pod logs --names a b 2>/dev/null | sort | xargs)" "other a one a two b other"
is "color of whole lines" "$(pod logs --color b | cat -v)/$(pod logs --color -n a b 2>/dev/null | sort | cat -v | xargs)" \
	"^[[37mother^[[0m/^[[31mb other^[[0m ^[[37ma one^[[0m ^[[37ma two^[[0m"
is "several" "$(pod logs a b 2>/dev/null | cut -d ' ' -f 2 | sort | tr '\n' ' ')" "one other two "
is "short IDs in front of several" "$(pod logs a b 2>/dev/null | awk '{ print length($1) }' | sort -u)" 12
is "timestamps" "$(pod logs -t b | grep -cE '^[0-9-]{10}T[0-9:]{8}\.[0-9]{9}[+-][0-9:]{5} other$')" 1
t=$(pod logs -t slow | sed -n 3000p | cut -d ' ' -f 1)
is "since and until meet" "$(($(pod logs --until "$t" slow | wc -l) + $(pod logs --since "$t" slow | wc -l)))" \
	"$((6000 + $(pod logs -t slow | cut -d ' ' -f 1 | grep -cF "$t")))"
is "until a duration ahead, and ago" "$(pod logs --until 1h slow | wc -l) $(pod logs --until -1h slow | wc -l)" "6000 0"
for t in 2020-01-01 2020-01-01Z 2020-01-01T10 2020-01-01T10:20 2020-01-01T10:20:30 2020-01-01T10:20+02:00 2020-01-01T10:20:30.5Z 1577836800.5; do
	is "since $t" "$(pod logs --since "$t" b) $(pod logs --until "$t" b)" "other "
done
log=$(pod inspect --format '{{.HostConfig.LogConfig.Path}}' b)
cp "$log" "$log.1" && ln "$log.1" "$log.2"
is "a rotated file of two names is no endless log" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs b | uniq)" other
rm "$log.1" "$log.2"
if [ "$(id -u)" = 0 ]; then
	cp "$log" "$log.1" && chmod 0 "$log.1"
	for how in "" "--tail 9"; do
		# shellcheck disable=SC2086
		is "one that may not be read is an error: $how" \
			"$(timeout 20 setpriv --bounding-set=-dac_override,-dac_read_search "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs $how b 2>&1 | grep -v ^other$)" \
			"Error: opening log $log.1: permission denied"
	done
	rm "$log.1"
fi
is "since and until a time that Go can tell and nanoseconds cannot" \
	"$(pod logs --since 0001-01-01T00:00:00Z b) $(pod logs --until 9999-12-31T23:59:59Z b) $(pod logs --since 9999-12-31 b) $(pod logs --until 0001-01-01 b)" "other other  "
for t in 1970-01-01Z 1970-01-01T00:00:00Z 0; do
	is "$t is a time, and not no time" "$(pod logs --since "$t" b) $(pod logs --until "$t" b)" "other "
done
for t in 2020-01 2020-13-01 2020-02-30 2020-01-01X 2020-01-01T10:20:30+2 today 1e99; do
	is "no time: $t" "$(pod logs --since "$t" b 2>&1)" "Error: parsing --since \"$t\": unable to interpret time value"
done
# Like Podman: a duration says for how long it is followed.
run -d --name talks bb sh -c 'echo word; exec sleep 100' >/dev/null
until_is "it talks" word pod logs talks
is "followed for a while" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f --until 1s talks; echo $?)" "word
0"
pod rm -f -t 0 talks >/dev/null
is "color" "$(pod logs --color a b 2>/dev/null | grep -c $'\033')" 3
run --name path --log-opt "path=$WORLD/my.log" bb echo x >/dev/null
check "path" grep -q 'stdout F x' "$WORLD/my.log"
run --name partial bb sh -c 'printf a; sleep 0.2; printf b; sleep 0.2; echo c' >/dev/null
is "pieces of a line are one line" "$(pod logs partial)" abc

s=2026-01-01T00:00:00.000000000+00:00
printf '%s\n' "$s stdout F 1" "$s stderr P 2" "$s stderr F " "$s stdout P 3" "$s stdout F " "$s stderr F 4" >"$WORLD/my.log"
is "both streams in one place are in the order of the log" "$(pod logs path 2>&1 | tr '\n' ' ')" "1 2 3 4 "
is "and with a piece's time before each" "$(pod logs -t path 2>&1 | grep -o "$s" | wc -l)" 6

# One that prints without end holds up nobody, and takes no more room than it may.  Its lines are parts of each block that is
# written at once, so that none is cut.
soon() { timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
run -d --name floods --log-opt max-size=1mb bb sh -c 'trap "exit 4" TERM
	yes "fifteen letters" | head -c 1048576 >/f
	for i in 1 2; do while :; do cat /f /f /f /f /f /f /f /f; done & done
	wait' >/dev/null
log=$(pod inspect --format '{{.HostConfig.LogConfig.Path}}' floods)
check "one prints without end" until_ok 20 test -e "$log.1"
is "ps answers" "$(soon ps --filter name=floods --format '{{.Names}} {{.State}}')" "floods running"
is "exec works" "$(soon exec floods echo in)" in
is "so does another container" "$(soon run --rm --net none bb echo out)" out
is "and logs" "$(soon logs --tail 2 floods | uniq)" "fifteen letters"
is "who attaches gets output" "$(soon attach --no-stdin floods 2>/dev/null | sed -n '5{p;q}')" "fifteen letters"
is "stop works" "$(soon stop -t 20 floods; echo $?; pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' floods)" "floods
0
exited 4"
check "what it left is bounded" test "$(($(stat -c %s "$log") + $(stat -c %s "$log.1")))" -le 2000000
is "and whole" "$(cut -c 37- "$log" | sort -u | xargs)" "stdout F fifteen letters"
pod rm floods >/dev/null

# What a container wrote is read without privilege, not by pod itself.
run -d --name long bb sh -c 'seq 500000; while :; do echo more; sleep 0.1; done' >/dev/null
: >"$WORLD/long"
"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f long >"$WORLD/long" &
reader=$!
check "a reader follows" until_ok 20 grep -q more "$WORLD/long"
worker=$(ps -o pid= --ppid $reader | tr -d ' ')
is "it has no rights" "$(grep -E '^(Uid|CapEff|CapBnd|Seccomp):' "/proc/$worker/status" | tr -s '\t\n' ' ')" \
	"Uid: 65534 65534 65534 65534 CapEff: 0000000000000000 CapBnd: 0000000000000000 Seccomp: 2 "
is "nor files" "$(ls "/proc/$worker/root/" | wc -l)" 0
check "pod has not read the log" test "$(awk '$1 == "rchar:" { print $2 }' /proc/$reader/io)" -lt 1000000
kill $reader
wait $reader 2>/dev/null
check "and it ends with pod" until_ok 20 ended "$worker"
timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f long | head -n 1 >"$WORLD/first"
is "it ends when nobody reads any more" "$(cat "$WORLD/first") ${PIPESTATUS[0]}" "1 0"
pod rm -f -t 0 long >/dev/null

# Another user of the machine can write entries to the journal that name a container, but not as its monitor.
mkdir "$WORLD/fake"
cat >"$WORLD/fake/journalctl" <<'EOF'
#!/bin/sh
echo "$*" >>"$JOURNAL_WORDS"
case " $* " in *" --sync "*) exit ;; esac
entry() { printf '__CURSOR=c%s\n__REALTIME_TIMESTAMP=1700000000000000\nPRIORITY=6\nMESSAGE=%s\n\n' "$1" "$1"; }
case " $* " in *" --after-cursor=creal "*) exit ;; esac
entry real
case " $* " in *" _UID=65534 "*) ;; *) entry forged ;; esac
case " $* " in *" --follow "*) sleep 1000 ;; esac
EOF
chmod 755 "$WORLD/fake/journalctl"
pod create --name jfake --network none --log-driver journald bb true >/dev/null
export JOURNAL_WORDS=$WORLD/words
is "only its monitor's entries are the container's" "$(PATH=$WORLD/fake:$PATH pod logs jfake 2>&1)" real
is "and when following" "$(PATH=$WORLD/fake:$PATH timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f -t jfake 2>&1 | cut -d ' ' -f 2)" real
check "journalctl is asked for the container" grep -q "CONTAINER_ID_FULL=$(pod inspect -f '{{.Id}}' jfake) _UID=0 _UID=65534" "$JOURNAL_WORDS"
PATH=$WORLD/fake:$PATH pod logs --since 0001-01-01T00:00:00Z --until 9999-12-31T23:59:59Z jfake >/dev/null
is "it is told no time that it does not know" "$(tail -n 1 "$JOURNAL_WORDS" | grep -o -e '--\(since\|until\)=[^ ]*' | xargs)" "--since=@0 --until=@9223372036.854775"
printf '#!/bin/sh\ncase "$*" in *--output*) yes rubbish 2>/dev/null | head -n 9 ;; esac\n' >"$WORLD/fake/journalctl"
is "rubbish from it is an error" "$(PATH=$WORLD/fake:$PATH pod logs jfake 2>&1)" "Error: journalctl wrote something else than entries"
printf '#!/bin/sh\ncase "$*" in *--output*) echo no right >&2; exit 1 ;; esac\n' >"$WORLD/fake/journalctl"
for how in '' -f; do
	is "nor may it fail: logs $how" "$(PATH=$WORLD/fake:$PATH timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs $how jfake 2>&1; echo $?)" \
		"no right
Error: reading the journal: journalctl failed with status 1
125"
done
is "events out of it: the same" "$(PATH=$WORLD/fake:$PATH pod --events-backend journald events --stream=false 2>&1; echo $?)" \
	"no right
Error: reading the journal: journalctl failed with status 1
125"
is "passthrough" "$(echo in | run --rm --log-driver passthrough bb sh -c 'cat; echo err >&2' 2>&1 | tr '\n' ' ')" "in err "
run --rm --log-driver passthrough bb sh -c 'exit 6'
is "its exit status" $? 6
for d in none passthrough; do
	run --name "drv-$d" --log-driver $d bb true
	out=$(pod logs "drv-$d" 2>&1)
	is "logs of $d" "$?:$out" "125:Error: this container is using the '$d' log driver, cannot read logs: this container is not logging output"
done
# refused TEXT OPTION...
refused() {
	local text=$1 out
	shift
	out=$(run --rm "$@" bb true 2>&1)
	is "refused: $*" "$?" 125
	case $out in *"$text"*) ok "its text" ;; *) not_ok "its text ($out)" ;; esac
}
refused 'invalid log driver "x"' --log-driver x
refused 'can only set log tag with journald log driver' --log-opt tag=x
refused 'can only set log label with journald log driver' --log-opt label=A=b
refused 'invalid log option' --log-opt max-file=0
refused 'invalid log option' --log-opt nonsense
refused 'must be absolute' --log-opt path=x
refused 'cannot be used with --tty' --log-driver passthrough -t

if [ -S /run/systemd/journal/socket ] && command -v journalctl >/dev/null; then
	# The journal remembers what earlier runs of this test wrote.
	j=j$$
	run --name $j --log-driver journald --log-opt tag=mytag$$ --log-opt label=MY_FIELD=$$ bb sh -c 'echo jout; echo jerr >&2; echo "<4>warn"' >/dev/null 2>&1
	check "journald: messages" until_ok 20 sh -c '[ "$(journalctl -q -o cat MY_FIELD=$1 CONTAINER_NAME=j$1 | wc -l)" = 3 ]' x $$
	is "journald: logs" "$(pod logs $j 2>/dev/null | tr '\n' ' '):$(pod logs $j 2>&1 >/dev/null)" "jout warn :jerr"
	is "journald: priorities" "$(journalctl -q -o json CONTAINER_TAG=mytag$$ | jq -r .PRIORITY | sort | tr '\n' ' ')" "3 4 6 "
	is "journald: tail" "$(pod logs --tail 1 $j 2>&1)" "$(journalctl -q -o cat MY_FIELD=$$ CONTAINER_NAME=j$$ | tail -n 1)"
	run -d --name jf --log-driver journald bb sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done' >/dev/null
	is "journald: follow" "$(pod logs -f jf | tr '\n' ' ')" "1 2 3 "
	is "journald: follow one that has ended" "$(pod logs -f jf | tr '\n' ' ')" "1 2 3 "
	is "journald: its last lines" "$(pod logs -f --tail 2 jf | tr '\n' ' ')" "2 3 "
else
	skip "journald" "no systemd journal here"
fi
# A mount namespace where systemd keeps a journal, as far as is looked.  What is made there is not started.
where_journal() {
	unshare -m --propagation private bash -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/systemd/journal \
		/run/log/journal/m && touch /run/systemd/journal/socket && exec env -u CONTAINERS_CONF_OVERRIDE "$@"' x "$@"
}
p="$BIN/pod --root $ROOT --runroot $RUNROOT"
if [ "$(id -u)" = 0 ]; then
	printf '[containers]\nlog_driver = "k8s-file"\n' >"$WORLD/file.conf"
	where_journal sh -c "$p create --name by-host --network none bb true && $p create --name by-path --network none --log-opt PATH=$WORLD/l bb true &&
		CONTAINERS_CONF=$WORLD/file.conf $p create --name by-conf --network none bb true" >/dev/null
	is "without a word: the journal where it is kept, a file where one is named or containers.conf says so" \
		"$(pod inspect --format '{{.HostConfig.LogConfig.Type}}' by-host by-path by-conf | xargs)" "journald k8s-file k8s-file"
	# A journal that takes all and shows nothing.
	is "a journal that cannot be read is not followed in vain" "$(where_journal bash -c "python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(\"/run/systemd/taken\"); time.sleep(60)' & taker=\$!
		until [ -S /run/systemd/taken ]; do sleep 0.05; done; mv /run/systemd/taken /run/systemd/journal/socket
		$p --cgroup-manager cgroupfs run -d --name jruns --network none --log-driver journald bb sleep 1000 >/dev/null
		PATH=$WORLD/fake:\$PATH timeout 20 $p logs -f jruns; echo \$?; $p rm -f -t 0 jruns; kill \$taker" 2>&1)" \
		"no right
Error: reading the journal: journalctl failed with status 1
125
jruns"
	is "info tells" "$(where_journal $p info --format '{{.Host.LogDriver}}')" journald
	printf '[containers]\nlog_driver = "journald"\n' >"$WORLD/wish.conf"
	is "info tells what a container gets where no journal is" "$(unshare -m --propagation private sh -c 'mount -t tmpfs none /run && CONTAINERS_CONF_OVERRIDE=$0 exec "$@"' \
		"$WORLD/wish.conf" $p info --format '{{.Host.LogDriver}}')" k8s-file
	is "a journal that is asked for and not there is no missing command" \
		"$(unshare -m --propagation private sh -c 'mount -t tmpfs none /run && exec "$@"' x $p run --rm --net none --log-driver journald bb true 2>&1; echo $?)" \
		"Error: connecting to the journal: no such file or directory
125"
else
	skip "without a word: the journal where it is kept" "only root can make it up"
fi
# Begun at the top.
check "the end of one whose worker is mute is seen" until_ok 40 grep -qx 137 "$WORLD/waited"
is "and recorded" "$(pod inspect -f '{{.State.Status}} {{.State.ExitCode}}' mute)" "exited 137"
check "the worker is gone" until_ok 10 ended "$mute"
check "a start whose worker is mute fails" until_ok 40 grep -qx "rc 12[67]" "$WORLD/failed"
check "its worker was mute, and is gone" until_ok 10 ended "$(tail -n 1 "$WORLD/stopped")"
finish
