#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-monitor with real runtimes: streams, exit codes, errors, logs, signals, exec, who cleans up.
# monitor-drive stands in for pod-run.
. "$(dirname "$0")/../lib.sh"
world
drive=$BUILD/tests/monitor-drive
rootfs "$WORLD/fs"
mkdir -p "$WORLD/exits" "$WORLD/persist" "$WORLD/state"
mkfifo "$WORLD/fs/go"

# Ends containers that a failed check left behind: children of a monitor, by the pid files of this test.
at_end() {
	local p
	for p in $(awk 1 "$WORLD"/b-*/pidfile 2>/dev/null); do
		grep -qs '^pod-monitor$' "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$p/status" 2>/dev/null)/comm" && kill -KILL "$p"
	done
	# What monitors that were killed left in the runtime's hands.
	for p in $(ls "$WORLD/state"); do
		unshare --mount sh -c "umount /sys/fs/cgroup/unified; crun --root $WORLD/state delete --force $p" 2>/dev/null
	done
}

spec_more=
# bundle NAME TERMINAL ARG...: a bundle whose process is ARG...; $spec_more changes config.json
bundle() {
	local b=$WORLD/b-$1 t=$2 args
	shift 2
	args=$(printf '%s\n' "$@" | jq -R . | jq -s .)
	mkdir -p "$b/rootfs"
	rm -f "$b/config.json"
	(cd "$b" && crun spec &&
		jq ".process.args=$args | .process.terminal=$t $spec_more" config.json >c && mv c config.json)
}
# run BUNDLE OPTION...: the container $id of the bundle, in the foreground
run() {
	local name=$1
	shift
	timeout 60 "$drive" -m "$BIN/pod-monitor" -r "$runtime" -a --root -a "$WORLD/state" -R "$WORLD/fs" \
		-x "$WORLD/exits" -p "$WORLD/persist" "$@" "$WORLD/b-$name" "$id"
}
gone() { [ ! -e "$WORLD/state/$id" ]; }
exit_file() { cat "$WORLD/exits/$id" 2>/dev/null; }
n=0
next() { n=$((n + 1)) id=podmon$$-$n; }

for runtime in $(command -v crun runc); do
	r=${runtime##*/}
	next
	bundle io false sh -c 'echo out; echo err >&2; exit 7'
	out=$(run io -l "$WORLD/log-$r" 2>"$WORLD/err")
	is "$r: exit status" $? 7
	is "$r: standard output" "$out" out
	is "$r: standard error" "$(cat "$WORLD/err")" err
	is "$r: exit file" "$(exit_file)" 7
	is "$r: persistent exit file" "$(cat "$WORLD/persist/exit")" 7
	check "$r: log of standard output" grep -qE \
		'^[0-9]{4}(-[0-9]{2}){2}T[0-9:]{8}\.[0-9]{9}[+-][0-9]{2}:[0-9]{2} stdout F out$' "$WORLD/log-$r"
	check "$r: log of standard error" grep -q ' stderr F err$' "$WORLD/log-$r"
	check "$r: the runtime forgets the container" until_ok 20 gone
	is "$r: attach socket removed" "$(ls "$WORLD/b-io/attach" 2>/dev/null)" ""
	is "$r: no mount left" "$(grep -c "$WORLD" /proc/self/mountinfo)" 0

	next
	bundle cat false md5sum
	head -c 3000000 /dev/urandom >"$WORLD/in"
	is "$r: 3 MB of input arrive whole" "$(run cat -i <"$WORLD/in")" "$(md5sum <"$WORLD/in")"
	next
	is "$r: input that is not open" "$(run cat </dev/null)" "$(md5sum </dev/null)"
	next
	bundle copy false cat
	is "$r: 3 MB there and back" "$(run copy -i -l "$WORLD/log-copy" <"$WORLD/in" | md5sum)" \
		"$(md5sum <"$WORLD/in")"
	next
	bundle many false seq 200000
	is "$r: a fast writer loses nothing" "$(run many | md5sum)" "$(seq 200000 | md5sum)"
	next
	is "$r: a reader that goes away" "$(run many | head -n 1)" 1
	next
	is "$r: a slow reader" "$(run many | (sleep 0.5; md5sum))" "$(seq 200000 | md5sum)"
	next
	bundle end false sh -c 'seq 12000; exit 6' # what one pipe holds
	(run end; echo "status $?") 2>&1 | (until_ok 20 test -s "$WORLD/exits/$id"; cat) >"$WORLD/out"
	is "$r: the end is recorded before a slow reader has read all" "$(exit_file)" 6
	is "$r: and it gets all" "$(tail -n 2 "$WORLD/out" | tr '\n' ' ')" "12000 status 6 "

	next
	spec_more='| .process.consoleSize={height:33,width:77}'
	bundle tty true sh -c 'tty; stty size; exit 3'
	spec_more=
	out=$(run tty -t)
	is "$r: exit status with a terminal" $? 3
	is "$r: a terminal of the asked size" "$out" $'/dev/pts/0\r\n33 77\r'
	next
	bundle read true sh -c 'stty -echo; echo ready; read a; echo "got $a"'
	: >"$WORLD/out"
	(until_ok 20 grep -q ready "$WORLD/out"; echo word; until_ok 20 grep -q 'got' "$WORLD/out") | run read -t -i >"$WORLD/out"
	is "$r: input by the terminal" "$(tail -n 1 "$WORLD/out")" $'got word\r'

	for s in 9:137 15:143 6:134; do
		next
		bundle kill false sh -c 'read x <>/go'
		run kill >"$WORLD/out" &
		until_ok 20 test -s "$WORLD/b-kill/pidfile"
		kill -"${s%:*}" "$(cat "$WORLD/b-kill/pidfile")"
		[ "${s%:*}" = 9 ] || { sleep 0.2; kill -9 "$(cat "$WORLD/b-kill/pidfile")" 2>/dev/null; }
		wait $!
		st=$?
		# Process 1 of a container has no default actions: only SIGKILL ends it.
		is "$r: killed by signal ${s%:*}" "$st:$(exit_file)" 137:137
		rm -f "$WORLD/b-kill/pidfile"
	done
	next
	bundle self false sh -c 'sh -c "kill -TERM \$\$"; exit $?'
	run self 2>/dev/null
	is "$r: status of a shell whose child got SIGTERM" $? 143

	next
	bundle missing false nosuch
	out=$(run missing 2>&1)
	is "$r: missing command" $? 127
	case $out in
	"Error: $r: "*"not found in \$PATH"*": OCI runtime attempted to invoke a command that was not found") ok "$r: its text" ;;
	*) not_ok "$r: its text ($out)" ;;
	esac
	check "$r: nothing stays of it" gone
	next
	bundle noexec false /etc/passwd
	out=$(run noexec 2>&1)
	is "$r: command that is not executable" $? 126
	case $out in
	"Error: $r: "*"ermission denied: OCI permission denied") ok "$r: its text" ;;
	*) not_ok "$r: its text ($out)" ;;
	esac

	next
	bundle time false sleep 100
	run time -T 1
	is "$r: time limit" "$?:$(exit_file)" 255:-1

	# Somebody cleans up, and only one does.
	next
	bundle short false true
	run short -c "touch $WORLD/cleaned-$id"
	until_ok 20 gone
	sleep 0.3
	is "$r: no exit command after monitor_cleaned" "$(ls "$WORLD/cleaned-$id" 2>/dev/null)" ""
	next
	run short -n -c "cat $WORLD/exits/$id >$WORLD/cleaned-$id"
	check "$r: exit command when the coordinator did not clean" until_ok 20 test -s "$WORLD/cleaned-$id"
	is "$r: it finds the exit file" "$(cat "$WORLD/cleaned-$id")" 0
	next
	bundle wait false sh -c 'read x <>/go; exit 5'
	out=$(run wait -d -c "ls $WORLD/state/$id; readlink /proc/self/ns/mnt >$WORLD/cleaned-$id")
	is "$r: a detached start keeps no stream open" "$?:$out" 0:
	echo >"$WORLD/fs/go"
	check "$r: exit command of a detached container" until_ok 20 test -s "$WORLD/cleaned-$id"
	is "$r: exit status of a detached container" "$(exit_file)" 5
	is "$r: the exit command runs in the host's mount namespace" \
		"$(cat "$WORLD/cleaned-$id")" "$(readlink /proc/self/ns/mnt)"
	next
	run wait -d -k -c "touch $WORLD/cleaned-$id" 2>/dev/null
	until_ok 20 test -s "$WORLD/b-wait/pidfile"
	echo >"$WORLD/fs/go"
	check "$r: the coordinator was killed" until_ok 20 test -e "$WORLD/cleaned-$id"

	# exec
	next
	bundle long false sh -c 'read x <>/go'
	run long -d
	main=$id
	mkdir -p "$WORLD/b-exec"
	jq '.process | .args=["sh","-c","echo in; cat; exit 9"]' "$WORLD/b-long/config.json" >"$WORLD/process.json"
	out=$(echo data | run exec -i -e "$WORLD/process.json")
	is "$r: exec" "$?:$out" $'9:in\ndata'
	is "$r: exit file of an exec session" "$(cat "$WORLD/exits/session")" 9
	jq '.args=["tty"] | .terminal=true' "$WORLD/process.json" >"$WORLD/process-t.json"
	is "$r: exec with a terminal" "$(run exec -t -e "$WORLD/process-t.json")" $'/dev/pts/0\r'
	jq '.args=["nosuch"]' "$WORLD/process.json" >"$WORLD/process-n.json"
	run exec -e "$WORLD/process-n.json" 2>/dev/null
	is "$r: exec of a missing command" $? 127
	echo >"$WORLD/fs/go"
	id=$main
	check "$r: the end of a container with exec sessions" until_ok 20 test -s "$WORLD/exits/$id"

	# A monitor that was killed with its container
	next
	bundle lost false sh -c 'read x <>/go'
	run lost -v -d 2>"$WORLD/err"
	mon=$(sed -n 's/.* monitor \([0-9]*\) .*/\1/p' "$WORLD/err")
	kill -KILL "$mon" "$(cat "$WORLD/b-lost/pidfile")"
	bundle lost false sh -c 'exit 4'
	until_ok 20 ended "$mon"
	out=$(run lost 2>&1)
	is "$r: started again after monitor and container were killed" "$?:$out" 4:

	# Rotation
	next
	bundle lines false sh -c 'seq 1000; printf unfinished'
	rm -f "$WORLD/log-r"
	run lines -l "$WORLD/log-r" -s 2000 >"$WORLD/out"
	check "$r: log within its limit" test "$(stat -c %s "$WORLD/log-r")" -le 2000
	is "$r: end of the log" "$(tail -n 1 "$WORLD/log-r" | cut -c37-)" "stdout P unfinished"
	is "$r: no record is split" "$(grep -cvE '^.{35} stdout [FP] ' "$WORLD/log-r")" 0

	next
	bundle fds false sh -c 'cat <&3'
	echo preserved >"$WORLD/in3"
	is "$r: preserved descriptor" "$(run fds -L 9 9<"$WORLD/in3")" preserved
	next
	bundle few false ls /proc/self/fd
	is "$r: no other descriptor in the container" "$(run few | tr '\n' ' ')" "0 1 2 3 "
	next
	bundle net false sh -c 'echo "$(readlink /proc/self/ns/net)"; wc -l </proc/net/dev'
	is "$r: an empty network namespace by descriptor" "$(run net -N | tail -n 1)" 3
done
finish
