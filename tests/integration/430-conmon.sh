#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-monitor in the place of conmon: its command line by hand, and below Podman where that is installed.
. "$(dirname "$0")/../lib.sh"
world
mon=$BIN/pod-monitor
rootfs "$WORLD/fs"
mkdir -p "$WORLD/exits" "$WORLD/persist" "$WORLD/state" "$WORLD/attach"

# Neither crun nor runc takes a host with both versions of control groups.
if [ -z "${CONMON_INNER:-}" ] && [ "$(stat -f -c %T /sys/fs/cgroup/unified 2>/dev/null)" = cgroup2fs ]; then
	rm -rf "$WORLD"
	trap - EXIT
	CONMON_INNER=1 exec unshare --mount bash -c 'umount /sys/fs/cgroup/unified; exec bash "$0"' "$0"
fi

at_end() {
	local p
	for p in $(ls "$WORLD/state"); do crun --root "$WORLD/state" delete --force "$p"; done 2>/dev/null
	[ ! -d "$WORLD/pm" ] || podman_ rm -f -a -t 0 >/dev/null 2>&1
}

# --- By hand -----------------------------------------------------------------------------------------
is "version" "$("$mon" --version | sed -n 1p | cut -d. -f1)" "conmon version 2"
check "help names what managers look for" test "$("$mon" --help | grep -cE -- '--log-global-size-max|journald|--exec ')" = 3
# refused TEXT OPTION...
refused() {
	local text=$1 out
	shift
	out=$("$mon" "$@" 2>&1 >/dev/null </dev/null)
	is "refused: $text" "$?" 1
	case $out in *"$text"*) ok "its text: $text" ;; *) not_ok "its text: $text ($out)" ;; esac
}
long=$(printf 'a%.0s' $(seq 64))
base="-c $long -u $long -r /bin/true"
refused "Container ID not provided. Use --cid"
refused "Runtime path not provided. Use --runtime" -c x
refused "Runtime path /nonexistent is not valid" -c x -u x -r /nonexistent
refused "Container UUID not provided. Use --cuuid" -c x -r /bin/true
refused "Log driver not provided. Use --log-path" $base
refused "log-path must not be empty" $base -l ''
refused "k8s-file requires a filename" $base -l k8s-file
refused "No such log driver foo" $base -l foo:/x
refused "Failed to open log file" $base -l /nonexistent/x
refused "k8s-file doesn't support --log-tag" $base -l "$WORLD/l" --log-tag t
refused "k8s-file doesn't support --log-label" $base -l "$WORLD/l" --log-label A=b
refused "Container ID must be longer than 12 characters" -c x -u x -r /bin/true -l journald
refused "Container labels must be in format LABEL=VALUE" $base -l journald: --log-label x
refused "Container label names must contain only uppercase letters, numbers and underscore" $base -l journald: --log-label x=y
refused "log-max-files must be non-negative" $base -l "$WORLD/l" --log-max-files -1
refused "log-max-files must be at least 1 when log-rotate is enabled" $base -l "$WORLD/l" --log-rotate --log-max-files 0
refused "Attach can only be specified for a non-legacy exec session" $base -l "$WORLD/l" -e --exec-attach --exec-process-spec x
refused "seccomp support not present" $base -l "$WORLD/l" --seccomp-notify-socket "$WORLD/s" --seccomp-notify-plugins x
_OCI_SYNCPIPE=x refused "unable to parse _OCI_SYNCPIPE" $base -l "$WORLD/l"

# bundle NAME TERMINAL ARG...
bundle() {
	local b=$WORLD/b-$1 t=$2 args
	shift 2
	args=$(printf '%s\n' "$@" | jq -R . | jq -s .)
	mkdir -p "$b"
	rm -f "$b/config.json"
	(cd "$b" && crun spec && jq ".process.args=$args | .process.terminal=$t | .root.path=\"$WORLD/fs\"" config.json >c &&
		mv c config.json)
}
n=0
next() { n=$((n + 1)) id=$(printf 'c%02d%060d' "$n" $$); }
# create BUNDLE OPTION...: what the manager does up to the start; the pipe's words go to $WORLD/sync
create() {
	local b=$WORLD/b-$1
	shift
	rm -f "$WORLD/sync"
	(cd "$b" && _OCI_SYNCPIPE=3 timeout 30 "$mon" --api-version 1 -c "$id" -u "$id" -r "$(command -v "${runtime:-crun}")" \
		-b "$b" -p "$b/pidfile" -P "$b/monpid" -n name --exit-dir "$WORLD/exits" --persist-dir "$WORLD/persist" --full-attach \
		--runtime-arg --root --runtime-arg "$WORLD/state" "$@" 3>"$WORLD/sync") &&
		until_ok 20 test -s "$WORLD/sync"
}
rt() { "${runtime:-crun}" --root "$WORLD/state" "$@"; }
ended() { [ -s "$WORLD/exits/$id" ]; }

# A runtime that stays as the parent of what it made, and never asks how that ended.
next
bundle orphan false true
cat >"$WORLD/keeper" <<-'END'
	#!/bin/sh
	case " $* " in *" create "*) ;; *) exit 0 ;; esac
	while [ "$1" != --pid-file ]; do shift; done
	setsid sh -c 'sleep 0.5 & echo $! >"$1.new"; mv "$1.new" "$1"; exec sleep 120' - "$2" </dev/null >/dev/null 2>&1 &
	until [ -s "$2" ]; do sleep 0.05; done
END
chmod +x "$WORLD/keeper"
runtime=$WORLD/keeper create orphan -l none
keeper=$(awk '/^PPid/ { print $2 }' "/proc/$(cat "$WORLD/b-orphan/pidfile")/status")
check "the end of one that its parent never hands over is recorded" until_ok 20 ended
kill "$keeper" "$(cat "$WORLD/b-orphan/monpid")" 2>/dev/null

for runtime in $(command -v crun runc); do
	runtime=${runtime##*/}
	r=$runtime
	next
	bundle io false sh -c 'echo out; echo err >&2; printf end; exit 7'
	create io -l "$WORLD/log-$r" --exit-command /bin/sh --exit-command-arg -c --exit-command-arg "cat $WORLD/exits/$id >$WORLD/cleaned-$id"
	is "$r: create" $? 0
	pid=$(cat "$WORLD/b-io/pidfile")
	is "$r: the pipe tells the process ID" "$(cat "$WORLD/sync")" "{\"data\": $pid}"
	check "$r: PID file of the monitor" test -d "/proc/$(cat "$WORLD/b-io/monpid")"
	check "$r: attach socket" test -S "$WORLD/b-io/attach"
	check "$r: FIFOs" test -p "$WORLD/b-io/ctl" -a -p "$WORLD/b-io/winsz"
	check "$r: nothing runs before the start" test "$(rt state "$id" | jq -r .status)" = created
	rt start "$id"
	check "$r: exit file" until_ok 20 ended
	is "$r: exit status" "$(cat "$WORLD/exits/$id") $(cat "$WORLD/persist/exit")" "7 7"
	until_is "$r: the exit command ran and found it" 7 cat "$WORLD/cleaned-$id"
	is "$r: log" "$(cut -d ' ' -f 2- "$WORLD/log-$r" | sort | tr '\n' ,)" "stderr F err,stdout F out,stdout P end,"
	is "$r: the runtime's object is the manager's" "$(rt state "$id" | jq -r .status)" stopped
	rt delete "$id"

	# A log's rotation is asked for while the runtime still makes the container.
	next
	bundle early true sh -c 'echo after'
	cat >"$WORLD/slow-$r" <<-END
		#!/bin/sh
		case " \$* " in *" create "*) echo "2 0 0" >"$WORLD/b-early/ctl"; sleep 0.2 ;; esac
		exec $(command -v "$r") "\$@"
	END
	chmod +x "$WORLD/slow-$r"
	runtime=$WORLD/slow-$r create early -t -l "$WORLD/log-early-$r"
	rt start "$id"
	check "$r: the logs opened anew during the start: exit file" until_ok 20 ended
	is "$r: and the log goes on" "$(cut -d ' ' -f 2- "$WORLD/log-early-$r" | tr -d '\r')" "stdout F after"
	rt delete "$id"

	next
	bundle missing false nosuch
	create missing -l none --exit-command /bin/touch --exit-command-arg "$WORLD/cleaned-$id"
	is "$r: failed create" "$(jq -r .data <"$WORLD/sync")" -1
	check "$r: its message" grep -q nosuch "$WORLD/sync"
	check "$r: the exit command runs then too" until_ok 20 test -e "$WORLD/cleaned-$id"

	next
	bundle long false sh -c 'read x <>/go'
	[ -p "$WORLD/fs/go" ] || mkfifo "$WORLD/fs/go"
	create long -l "$WORLD/log-long" && rt start "$id"
	main=$id
	jq '.process | .args=["sh","-c","echo in; exit 9"]' "$WORLD/b-long/config.json" >"$WORLD/process.json"
	# The whole dance of exec with attach: 3 sync, 5 start, 6 attach.
	mkdir -p "$WORLD/b-ex" "$WORLD/b-ex/exit"
	rm -f "$WORLD/start" && mkfifo "$WORLD/start"
	: >"$WORLD/sync" >"$WORLD/att"
	_OCI_SYNCPIPE=3 _OCI_STARTPIPE=5 _OCI_ATTACHPIPE=6 timeout 20 "$mon" --api-version 1 -c "$id" -u s1 -r "$(command -v "$r")" \
		-b "$WORLD/b-ex" -p "$WORLD/b-ex/pidfile" --exit-dir "$WORLD/b-ex/exit" --full-attach -e --exec-attach \
		--exec-process-spec "$WORLD/process.json" --runtime-arg --root --runtime-arg "$WORLD/state" -l "$WORLD/log-ex-$r" \
		3>"$WORLD/sync" 5<>"$WORLD/start" 6>"$WORLD/att" &
	echo -n x >"$WORLD/start"
	check "$r: exec: clients may attach" until_ok 20 test -s "$WORLD/att"
	is "$r: exec: what the pipe says of it" "$(cat "$WORLD/att")" '{"data": 0}'
	is "$r: exec: nothing is started before the second word" "$(cat "$WORLD/sync")" ""
	echo -n x >"$WORLD/start"
	check "$r: exec: exit file" until_ok 20 test -s "$WORLD/b-ex/exit/$id"
	is "$r: exec: exit status" "$(cat "$WORLD/b-ex/exit/$id") $(tail -n 1 "$WORLD/sync")" '9 {"data": 9}'
	is "$r: exec: output" "$(cut -d ' ' -f 2- "$WORLD/log-ex-$r")" "stdout F in"
	# As CRI-O does: in the foreground, without bundle, with a time limit.
	out=$(_OCI_SYNCPIPE=3 timeout 20 "$mon" -c "$id" -n name -r "$(command -v "$r")" -p "$WORLD/pf" -e --sync -T 10 -l "$WORLD/log-sync-$r" \
		--exec-process-spec "$WORLD/process.json" --runtime-arg --root --runtime-arg "$WORLD/state" 3>"$WORLD/sync")
	is "$r: exec --sync" "$?:$(cat "$WORLD/sync")" '9:{"exit_code": 9}'
	jq '.args=["sleep","100"]' "$WORLD/process.json" >"$WORLD/process-s.json"
	_OCI_SYNCPIPE=3 timeout 20 "$mon" -c "$id" -n name -r "$(command -v "$r")" -p "$WORLD/pf" -e --sync -T 1 -l none \
		--exec-process-spec "$WORLD/process-s.json" --runtime-arg --root --runtime-arg "$WORLD/state" 3>"$WORLD/sync"
	is "$r: time limit of exec" "$(cat "$WORLD/sync")" '{"exit_code": -1, "message": "command timed out"}'
	id=$main
	echo >"$WORLD/fs/go"
	check "$r: end" until_ok 20 ended
	rt delete --force "$id"

	next
	bundle tty true sh -c 'tty; stty size; exit 3'
	create tty -t -l "$WORLD/log-tty-$r"
	echo "1 33 77" >"$WORLD/b-tty/ctl"
	sleep 0.2
	rt start "$id"
	check "$r: terminal" until_ok 20 ended
	is "$r: of the asked size" "$(grep -c '33 77' "$WORLD/log-tty-$r"):$(cat "$WORLD/exits/$id")" 1:3
	rt delete --force "$id"

	next
	bundle pass false sh -c 'cat; echo err >&2'
	out=$(echo through | (create pass -l passthrough && rt start "$id"; until_ok 20 ended) 2>&1)
	is "$r: passthrough" "$(echo $out)" "through err"
	rt delete --force "$id" 2>/dev/null

	next
	bundle fds false sh -c 'cat <&3'
	echo preserved >"$WORLD/in3"
	rm -f "$WORLD/pf"
	(cd "$WORLD/b-fds" && timeout 20 "$mon" -c "$id" -u "$id" -r "$(command -v "$r")" -b . -p "$WORLD/pf" --exit-dir "$WORLD/exits" \
		--socket-dir-path "$WORLD/attach" -l "$WORLD/log-fds-$r" --runtime-arg --root --runtime-arg "$WORLD/state" \
		--runtime-opt --preserve-fds --runtime-opt 1 3<"$WORLD/in3")
	until_ok 20 test -s "$WORLD/pf"
	check "$r: link to the bundle in the directory of sockets" test -L "$WORLD/attach/$id"
	rt start "$id"
	until_ok 20 ended
	is "$r: preserved descriptor" "$(cut -d ' ' -f 4- "$WORLD/log-fds-$r")" preserved
	rt delete --force "$id"
done

# Rotation: old files keep their names in order, none above the limit.
runtime=crun
next
bundle lines false sh -c 'seq 300; exec sleep 0.3'
rm -rf "$WORLD/logs" && mkdir "$WORLD/logs"
create lines -l "$WORLD/logs/l" --log-size-max 2000 --log-rotate --log-max-files 3 && rt start "$id"
until_ok 20 ended
is "rotated files" "$(ls "$WORLD/logs" | tr '\n' ' ')" "l l.1 l.2 l.3 "
is "none is above the limit" "$(find "$WORLD/logs" -type f -size +2000c)" ""
is "they hold what came last, in order" "$(cat "$WORLD/logs/"l.{3,2,1} "$WORLD/logs/l" | cut -d ' ' -f 4 | tail -n 50 | md5sum)" \
	"$(seq 251 300 | md5sum)"
rt delete --force "$id"
next
create lines -l "$WORLD/logs/g" --log-global-size-max 1000 && rt start "$id"
until_ok 20 ended
check "a limit of all output" test "$(stat -c %s "$WORLD/logs/g")" -lt 1100
rt delete --force "$id"
refused "below" $base -l "$WORLD/logs/l" --log-rotate --log-allowlist-dir "$WORLD/exits"
next
bundle reopen false sh -c 'echo one; read x <>/go; echo two'
create reopen -l "$WORLD/logs/r" && rt start "$id"
until_ok 20 grep -q one "$WORLD/logs/r"
mv "$WORLD/logs/r" "$WORLD/logs/old"
echo "2 0 0" >"$WORLD/b-reopen/ctl"
check "logs are reopened" until_ok 20 test -e "$WORLD/logs/r"
echo >"$WORLD/fs/go"
until_ok 20 ended
is "and go on there" "$(cut -d ' ' -f 4 "$WORLD/logs/old" "$WORLD/logs/r" | tr '\n' ' ')" "one two "
rt delete --force "$id"

# What the runtime prints reaches the manager as it is; nobody waits for the runtime by our output; no socket stays.
next
bundle said true true
cat >"$WORLD/sayer" <<-END
	#!/bin/sh
	printf 'line "1"\\n\\tline\\\\2\\001\\n' >&2
	read x <>$WORLD/fs/go
	exit 3
END
chmod +x "$WORLD/sayer"
rm -f "$WORLD/sync"
out=$(cd "$WORLD/b-said" && _OCI_SYNCPIPE=3 timeout 30 "$mon" -c "$id" -u "$id" -r "$WORLD/sayer" -b . -P "$WORLD/b-said/monpid" -t \
	-l none --full-attach 3>"$WORLD/sync")
is "the end of output does not wait for the runtime" "$?:$out:$(cat "$WORLD/sync")" 0::
check "while its terminal is waited for" until_ok 20 test -S "$WORLD/b-said/console"
echo >"$WORLD/fs/go"
check "its failure is told" until_ok 20 test -s "$WORLD/sync"
is "in its own words" "$(cat "$WORLD/sync")" '{"pid": -1, "message": "line \"1\"\n\tline\\2\u0001\n"}'
gone() { ! test -d "/proc/$(cat "$WORLD/b-$1/monpid")"; }
check "the monitor ends" until_ok 20 gone said
is "what stays in the bundle" "$(ls "$WORLD/b-said" | tr '\n' ' ')" "config.json ctl monpid winsz "
# FIFOs of another mode, or none at all, are made anew; an exit command that is missing holds nobody up.
rm "$WORLD/b-said/ctl" && echo old >"$WORLD/b-said/ctl"
chmod 666 "$WORLD/b-said/winsz"
echo >"$WORLD/fs/go" &
was=$(date +%s)
(cd "$WORLD/b-said" && timeout 30 "$mon" -c "$id" -u "$id" -r "$WORLD/sayer" -b . --sync -l none --full-attach --exit-command /nonexistent)
is "a monitor in the foreground" $? 1
wait
check "is not held up by a missing exit command" test $(($(date +%s) - was)) -lt 4
is "its FIFOs" "$(stat -c '%F %a' "$WORLD/b-said/ctl" "$WORLD/b-said/winsz" | sort -u)" "fifo 640"
# Restoring: the order of options that managers know.
next
printf '#!/bin/sh\necho "$*" >"%s"\nexit 1\n' "$WORLD/restored" >"$WORLD/sayer"
(cd "$WORLD" && timeout 30 "$mon" -c "$id" -u "$id" \
	-r "$WORLD/sayer" -b "$WORLD/b-said" --sync -l none --full-attach --restore /cp -s -p /pf --no-pivot --no-new-keyring \
	--runtime-opt --leave-running --runtime-arg --x)
is "command line of restore" "$(cat "$WORLD/restored")" "--systemd-cgroup --x restore --bundle $WORLD/b-said --pid-file /pf --no-pivot \
--no-new-keyring --detach --image-path /cp --work-path $WORLD/b-said --leave-running $id"
# Logs that are no regular files: written, and never replaced by rotation.
next
bundle device false sh -c 'seq 50; exec sleep 0.3'
mkfifo "$WORLD/log-fifo"
cat "$WORLD/log-fifo" >"$WORLD/log-read" &
reader=$!
exec 9<>"$WORLD/log-fifo"
create device -l "$WORLD/log-fifo" -l /dev/null --log-size-max 200 && rt start "$id"
exec 9>&-
until_ok 20 ended
check "log: a FIFO's reader gets it whole" until_ok 20 grep -q 'F 50$' "$WORLD/log-read"
wait "$reader"
is "log: each line of it" "$(cut -d ' ' -f 4 "$WORLD/log-read" | md5sum)" "$(seq 50 | md5sum)"
is "log: devices stay" "$(stat -c %F /dev/null "$WORLD/log-fifo" | tr '\n' ,)" "character special file,fifo,"
rt delete --force "$id"

# Readiness: only words about the service's state go to the host.
mkdir "$WORLD/b-notify"
bundle notify false sleep 100
python3 - "$WORLD/host.sock" >"$WORLD/notified" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(30)
print(repr(s.recv(4096)), flush=True)
P
next
until_ok 20 test -S "$WORLD/host.sock"
create notify -l none --sdnotify-socket "$WORLD/host.sock"
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(sys.argv[1])
s.send(b"MAINPID=1\nREADY=1\nFDSTORE=1\nSTATUS=up")' "$WORLD/b-notify/notify/notify.sock"
check "readiness is passed on" until_ok 20 test -s "$WORLD/notified"
is "without words of harm" "$(cat "$WORLD/notified")" "b'READY=1\\nSTATUS=up\\n'"
rt delete --force "$id"

# --- Below Podman ------------------------------------------------------------------------------------
if ! command -v podman >/dev/null || ! [ "$(id -u)" = 0 ]; then
	skip "Podman" "no podman, or no root"
	finish
fi
mkdir "$WORLD/pm"
printf '[engine]\nconmon_path=["%s"]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n' "$mon" >"$WORLD/pm/containers.conf"
podman_() {
	CONTAINERS_CONF=$WORLD/pm/containers.conf timeout 60 podman --root "$WORLD/pm/root" --runroot "$WORLD/pm/run" \
		--tmpdir "$WORLD/pm/tmp" --storage-driver vfs "$@"
}
opts="--net=none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
tar -C "$WORLD/fs" --exclude go -c . | podman_ import - localhost/bb >/dev/null 2>&1
case $(podman_ info --format '{{.Host.Conmon.Path}}') in "$mon") ok "podman takes it for conmon" ;; *) not_ok "podman takes it for conmon" ;; esac
out=$(podman_ run --rm $opts bb sh -c 'echo out; echo err >&2; exit 7' 2>"$WORLD/err")
is "podman run" "$?:$out:$(cat "$WORLD/err")" 7:out:err
is "podman run -i" "$(head -c 1000000 /dev/zero | podman_ run -i --rm $opts bb wc -c)" 1000000
is "podman run -t" "$(podman_ run -t --rm $opts bb tty)" $'/dev/pts/0\r'
podman_ run --rm $opts bb nosuch 2>/dev/null
is "podman run: missing command" $? 127
out=$(podman_ run -d --name c1 $opts bb sh -c 'echo start; exec sleep 100')
is "podman run -d" "$?:${#out}" 0:64
until_is "podman logs" start podman_ logs c1
is "podman exec" "$(podman_ exec c1 sh -c 'echo ex; exit 4'; echo $?)" $'ex\n4'
is "podman exec -i" "$(echo foo | podman_ exec -i c1 cat)" foo
is "podman exec -t" "$(podman_ exec -t c1 tty)" $'/dev/pts/0\r'
podman_ exec c1 nosuch 2>/dev/null
is "podman exec: missing command" $? 127
podman_ exec -d c1 touch /tmp/done >/dev/null
check "podman exec -d" until_ok 20 podman_ exec c1 test -e /tmp/done
podman_ restart -t 0 c1 >/dev/null
is "podman restart" "$?:$(podman_ inspect --format '{{.State.Status}}' c1)" 0:running
podman_ stop -t 1 c1 >/dev/null 2>&1
is "podman stop" "$?:$(podman_ inspect --format '{{.State.Status}} {{.State.ExitCode}}' c1)" "0:exited 137"
is "podman logs after it" "$(podman_ logs c1 | tr '\n' ' ')" "start start "
podman_ run -d -i --name c3 $opts bb sh -c 'read x; echo "got $x"; exit 5' >/dev/null
out=$(echo word | podman_ attach c3)
is "podman attach" "$?:$(echo $out)" "0:got word"
is "podman wait after kill" "$(podman_ run -d --name c4 $opts bb sleep 100 >/dev/null; podman_ kill c4 >/dev/null; podman_ wait c4)" 137
podman_ run -d --name c5 --restart on-failure:2 $opts bb sh -c 'echo try; exit 1' >/dev/null
until_is "podman's restart policy" 2 podman_ inspect --format '{{.RestartCount}}' c5
podman_ rm -f -a -t 0 >/dev/null 2>&1
is "podman rm" "$(podman_ ps -a -q)" ""
finish
