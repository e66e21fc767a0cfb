#!/bin/bash
# SPDX-License-Identifier: ISC
# What clients pass on and what ends them: signals to run, attach and start -a, detach keys, conditions of wait, and what
# follows when containers that hang together stop, come again, get other names or go.
. "$(dirname "$0")/../lib.sh"
world
img=localhost/bb

signals_checks() {
	local img=localhost/bb job id first
	teller='for s in HUP INT QUIT USR1 USR2; do trap "echo got-$s" $s; done; trap "echo got-TERM; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
	said() { grep -q "$1" "$WORLD/out" 2>/dev/null; }
	heard() { pod logs "$1" 2>/dev/null | grep -q "$2"; }
	state_of() { pod inspect --format '{{.State.Status}}' "$1"; }
	# client WORDS...: pod in the background, with the signals of one that a terminal started, its words in out
	client() {
		: >"$WORLD/out"
		perl -e '$SIG{$_} = "DEFAULT" for qw(INT QUIT); exec @ARGV' "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" >"$WORLD/out" 2>"$WORLD/err" &
		job=$!
	}
	# ends TEXT STATUS: the client does, so
	ends() {
		local text=$1 wanted=$2
		wait "$job"
		is "$text" "$?" "$wanted"
	}

	# --- Signals
	client run --rm --network none $img sh -c "$teller"
	check "run: it runs" until_ok 20 said ready
	for s in HUP INT QUIT USR1 USR2; do
		kill -$s $job
		check "run passes $s on" until_ok 20 said "got-$s"
	done
	kill -TERM $job
	ends "TERM too, and the status is the container's" 3
	check "its last words came through" said got-TERM

	client run --sig-proxy=false --network none --name deaf $img sh -c "$teller"
	check "run --sig-proxy=false: it runs" until_ok 20 said ready
	kill -TERM $job
	ends "the signal ends the client" 143
	is "and not the container" "$(state_of deaf)" running
	client attach --sig-proxy=false deaf
	check "attach --sig-proxy=false: it is attached" until_ok 20 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' kill -s USR1 deaf >/dev/null; sleep 0.1; grep -q got-USR1 '$WORLD/out'"
	kill -INT $job
	ends "the signal ends the client" 130
	is "and not the container" "$(state_of deaf) $(pod logs deaf | grep -c got-INT)" "running 0"
	client attach deaf
	check "attach: it is attached" until_ok 20 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' kill -s USR2 deaf >/dev/null; sleep 0.1; grep -q got-USR2 '$WORLD/out'"
	kill -INT $job
	check "attach passes INT on" until_ok 20 said got-INT
	kill -TERM $job
	ends "the status of attach is the container's" 3
	client start -a deaf
	check "start -a: it runs again" until_ok 20 said ready
	kill -HUP $job
	check "start -a passes HUP on" until_ok 20 said got-HUP
	kill -TERM $job
	ends "the status of start -a is the container's" 3
	is "stopped by a signal of its own is not stopped by the user" "$(pod inspect --format '{{.State.ExitCode}} {{.State.Error}}' deaf)" "3 "
	pod rm deaf >/dev/null

	# --- Detach keys end the client alone
	mkfifo "$WORLD/keys"
	: >"$WORLD/out"
	pod run -dit --network none --name tty --detach-keys ctrl-x,d $img sh >/dev/null
	script -qefc "$BIN/pod --root $ROOT --runroot $RUNROOT attach --detach-keys ctrl-x,d tty" /dev/null <"$WORLD/keys" >"$WORLD/out" 2>&1 &
	job=$!
	exec 7>"$WORLD/keys"
	echo 'echo to$((1+1))gether' >&7
	check "a terminal is attached" until_ok 20 said to2gether
	printf '\030d' >&7
	ends "the keys end the client, with success" 0
	exec 7>&-
	is "and not the container" "$(state_of tty)" running
	pod rm -f -t 0 tty >/dev/null

	# --- wait
	pod create --name w1 --network none $img sh -c 'exit 5' >/dev/null
	pod run -d --name w2 --network none $img sleep 1000 >/dev/null
	pod wait --condition exited w1 >"$WORLD/w" &
	job=$!
	pod start w1 >/dev/null
	ends "wait for one that begins later" 0
	is "its code" "$(cat "$WORLD/w")" 5
	is "several, in the order asked for" "$(pod kill w2 >/dev/null; pod wait w2 w1 | xargs)" "137 5"
	pod wait --condition removing --condition exited w1 >/dev/null
	is "any of several conditions" "$?" 0
	is "one that is not there" "$(pod wait --ignore nobody; pod wait nobody 2>&1 | grep -c 'no such container\|no container with name')" "-1
1"
	pod rm w1 w2 >/dev/null

	# --- Containers that stand on others
	first=$(pod run -d --name under --network none $img sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done')
	pod run -d --name over --requires under --network none $img sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done' >/dev/null
	pod rm -f -t 0 under >/dev/null 2>"$WORLD/err"
	is "one that others need stays" "$? $(pod container exists under; echo $?)" "2 0"
	pod stop -a >/dev/null
	ended_ones() { pod ps -a --filter status=exited --format '{{.Names}}' | sort | xargs; }
	until_is "stop -a ends both" "over under" ended_ones
	pod start over >/dev/null
	is "start brings the lower one too" "$(state_of under) $(state_of over)" "running running"
	is "rm --depend takes both" "$(pod rm -f -t 0 --depend under | wc -l) $(pod ps -aq | wc -l)" "2 0"

	# --- Names
	id=$(pod run -d --name before --network none $img sh -c 'until [ -e /go ]; do sleep 0.05; done; exit 6')
	pod wait "$id" >"$WORLD/w" &
	job=$!
	pod rename before after
	is "a new name while it runs" "$(pod ps --format '{{.Names}}' --filter "id=$id") $(pod container exists before; echo $?)" "after 1"
	pod run -d --name before --network none $img sleep 1000 >/dev/null
	is "the old one is free" "$(pod inspect --format '{{eq .Id "'"$id"'"}}' before)" false
	pod exec after touch /go
	wait $job
	is "who waits for it goes on waiting for it" "$(cat "$WORLD/w")" 6
	named() { pod events --stream=false --filter "container=$id" --filter event=rename --filter event=create --filter event=died --format '{{.Status}} {{.Name}}' | xargs; }
	until_is "events have the name of their time" "create before rename after died after" named
	new=$(pod container clone --name copy before)
	is "a clone is of its image and command, and not started" "$(pod inspect --format '{{.ImageName}} {{join .Config.Cmd " "}} {{.State.Status}}' "$new")" "$img:latest sleep 1000 created"
	pod container clone --destroy --force --run before replaced >/dev/null 2>&1
	is "one may take its place" "$(pod container exists before; echo $?) $(state_of replaced)" "1 running"
	new=$(pod run -d --replace --name copy --network none $img sleep 1000)
	is "--replace: another container of that name" "$(pod inspect --format '{{.Id}}' copy)" "$new"
	pod rm -f -t 0 -a >/dev/null

	# --- Coming again
	pod run -d --name again --restart on-failure:2 --network none $img sh -c 'echo run; exit 4' >/dev/null
	until_is "restarts are counted" "2 exited 4" pod inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' again
	pod start again >/dev/null
	until_is "from the start for a start by hand" 6 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' logs again | grep -c run"
	until_is "and no further" "2 exited" pod inspect --format '{{.RestartCount}} {{.State.Status}}' again
	pod run -d --rm --restart on-failure:1 --name passing --network none -v "seen:/seen" $img sh -c 'echo run >>/seen/runs; exit 1' >/dev/null
	check "--rm with on-failure: it goes in the end" until_ok 20 sh -c "! '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' container exists passing"
	is "but not before it had its second run" "$(pod run --rm --network none -v seen:/seen $img grep -c run /seen/runs)" 2
	pod rm -f -t 0 -a >/dev/null
	pod volume rm seen >/dev/null

	# --- Options of logs together
	pod run --name told --network none $img sh -c 'for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done' >/dev/null 2>&1
	is "logs: the last lines of both streams" "$(pod logs --tail 10 told 2>&1 | sort | xargs) $(pod logs --tail 2 told 2>&1 | wc -l)" "err1 err2 err3 err4 err5 out1 out2 out3 out4 out5 2"
	is "times, and the last one" "$(pod logs -t --tail 1 told 2>&1 | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]{5}) (out|err)5$')" 1
	is "names, times, the last one" "$(pod logs -n -t --tail 1 told 2>&1 | grep -cE '^[0-9]{4}-.* (out|err)5$')" 1
	is "until before it began, with follow" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" logs -f --until -1h told 2>&1 | wc -l)" 0
	is "none of the last" "$(pod logs --tail 0 told 2>&1 | wc -l)" 0
	is "streams stay apart" "$(pod logs told 2>/dev/null | grep -c out) $(pod logs told 2>&1 >/dev/null | grep -c err)" "5 5"
	pod rm told >/dev/null
}

busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }
signals_checks
{
	declare -f signals_checks
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/bb >/dev/null'
	echo signals_checks
} | user_part
