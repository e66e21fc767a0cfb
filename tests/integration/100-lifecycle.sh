#!/bin/bash
# SPDX-License-Identifier: ISC
# The life of containers by the command line: run, create, start, stop, kill, rm, wait, exec, logs.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb:latest >/dev/null

same() { # TEXT WANTED GOT
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		printf '# wanted: %s\n# got: %s\n' "$2" "$3"
	fi
}
status() { # TEXT WANTED COMMAND...
	local text=$1 want=$2 got
	shift 2
	"$@" >"$WORLD/out" 2>"$WORLD/err"
	got=$?
	same "$text" "$want" "$got"
}

same "run prints the output" hi "$(pod run --rm --net none bb echo hi)"
status "the exit status is the command's" 3 pod run --rm --net none bb sh -c 'exit 3'
pod run --rm --net none --name k9 bb sleep 100 &
until_ok 20 pod container exists k9 && until_ok 20 pod exec k9 true && pod kill k9 >/dev/null
wait $!
same "death by a signal gives 128 + N" 137 $?
status "a missing command gives 127" 127 pod run --rm --net none bb nosuch
status "a file that cannot be executed gives 126" 126 pod run --rm --net none bb /etc/passwd
status "an unknown option gives 125" 125 pod run --nosuch bb
status "an image that is not there gives 125" 125 pod run --rm --pull never nosuch true
same "no container is left by --rm" "" "$(pod ps -aq)"
same "streams stay apart" "out err" "$(pod run --rm --net none bb sh -c 'echo out; echo err >&2' 2>"$WORLD/e") $(cat "$WORLD/e")"
same "standard input reaches the container" abc "$(echo abc | pod run -i --rm --net none bb cat)"

id=$(pod run -d --net none --name x1 bb sh -c 'trap "exit 7" TERM; echo started; while :; do sleep 0.1; done')
same "run -d prints 64 digits" 64 "${#id}"
same "ps shows it" "$id x1 running" "$(pod ps --no-trunc --format '{{.ID}} {{.Names}} {{.State}}')"
same "inspect by prefix" "$id" "$(pod inspect --format '{{.Id}}' "${id:0:6}")"
same "inspect -l" "$id" "$(pod inspect -l --format '{{.Id}}')"
same "exec runs a command" x "$(pod exec x1 echo x)"
status "exec gives the command's status" 5 pod exec x1 sh -c 'exit 5'
status "exec of a missing command gives 127" 127 pod exec x1 nosuch
same "exec has its input" in "$(echo in | pod exec -i x1 cat)"
same "exec as a named user" "1000 1000" "$(pod exec -u alice x1 sh -c 'echo $(id -u) $(id -g)')"
same "exec with environment and directory" "v /tmp" "$(pod exec -e A=v -w /tmp x1 sh -c 'echo $A $PWD')"
same "logs" started "$(pod logs x1)"
status "the name is taken" 125 pod run --rm --name x1 bb true
status "a running container is not removed" 2 pod rm x1
status "start of a running one is success" 0 pod start x1
status "stop ends it" 0 pod stop x1
same "by its own signal" "exited 7" "$(pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' x1)"
status "stop again is success" 0 pod stop x1
status "kill of a stopped one is an error" 125 pod kill x1
status "exec in a stopped one is an error" 125 pod exec x1 true
same "ps shows none" "" "$(pod ps -q)"
same "ps -a shows it" "${id:0:12}" "$(pod ps -aq --filter status=exited)"
status "start again" 0 pod start x1
same "it runs" running "$(pod inspect --format '{{.State.Status}}' x1)"
status "kill" 0 pod kill x1
same "wait knows the code" 137 "$(pod wait x1)"
status "restart" 0 pod restart -t 0 x1
same "it runs again" running "$(pod inspect --format '{{.State.Status}}' x1)"
status "rename" 0 pod rename x1 x2
status "exists by the old name: no" 1 pod container exists x1
status "exists by the new name" 0 pod container exists x2
status "rm -f" 0 pod rm -f -t 0 x2
status "rm of a missing one gives 1" 1 pod rm x2
status "rm -f of a missing one gives 0" 0 pod rm -f x2
same "the exit code is known after removal" 137 "$(pod wait "$id")"

id=$(pod create --net none --name k bb sh -c 'echo from $0; exit 4')
same "create makes it created" created "$(pod inspect --format '{{.State.Status}}' k)"
status "start -a gives the status" 4 pod start -a k
same "start -a shows the output" "from sh" "$(pod start -a k)"
same "its log has both runs" 2 "$(pod logs k | wc -l)"
same "tail" 1 "$(pod logs --tail 1 k | wc -l)"
pod create --replace --net none --name "${id:0:3}" bb true >/dev/null
status "--replace takes no prefix of an ID for a name" 0 pod container exists "$id"
pod create --replace --net none --name "${id:0:3}" bb true >/dev/null
same "but the one of that name" 2 "$(pod ps -aq | wc -l)"
pod rm "${id:0:3}" >/dev/null
status "rm" 0 pod rm k

pod run -d --rm --net none --name gone bb sleep 0.3 >/dev/null
until_ok 20 sh -c "! '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' container exists gone"
same "--rm removes a detached container" 1 "$(pod container exists gone; echo $?)"

pod run -d --net none --name r --restart on-failure:2 bb sh -c 'echo run; exit 1' >/dev/null
until_is "on-failure:2 restarts twice" "2 exited 1" pod inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' r
same "it ran three times" 3 "$(pod logs r | wc -l)"
pod rm r >/dev/null

pod run -d --net none --name d bb sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done' >/dev/null
same "logs -f ends with the container" "1 2 3" "$(pod logs -f d | tr '\n' ' ' | sed 's/ $//')"
pod rm -f -t 0 d >/dev/null

pod run -d --net none --name base bb sleep 100 >/dev/null
pod run -d --net none --name top --pid container:base bb sleep 100 >/dev/null
status "one that others need is not removed" 2 pod rm -f -t 0 base
status "unless with --depend" 0 pod rm -f -t 0 --depend base
same "all gone" "" "$(pod ps -aq)"

status "cidfile" 0 pod run --rm --net none --cidfile "$WORLD/cid" bb true
same "the cidfile has the ID" 64 "$(wc -c <"$WORLD/cid")"
status "an existing cidfile is refused" 125 pod run --rm --net none --cidfile "$WORLD/cid" bb true

pod run -d --net none --name p1 bb sleep 100 >/dev/null
if pod pause p1 >/dev/null 2>"$WORLD/err"; then
	same "paused" paused "$(pod inspect --format '{{.State.Status}}' p1)"
	status "exec in a paused one is an error" 125 pod exec p1 true
	status "unpause" 0 pod unpause p1
	status "rm -f of a paused one" 0 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' pause p1 && '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' rm -f -t 0 p1"
else
	skip "pause" "$(head -1 "$WORLD/err")"
	pod rm -f -t 0 p1 >/dev/null
fi

pod run -d --net none --name s1 bb sleep 100 >/dev/null
pod run -d --net none --name s2 bb sleep 100 >/dev/null
same "stop -a stops all" 2 "$(pod stop -a -t 0 | wc -l)"
same "prune removes them" 2 "$(pod container prune -f | wc -l)"
for i in 1 2 3; do pod run -d --net none bb sleep 100 >/dev/null; done
SECONDS=0
pod rm -f -t 3 -a >/dev/null 2>&1
if [ "$SECONDS" -le $((6 * ${POD_TEST_SLOW:-1})) ]; then ok "three that ignore the signal take the time of one"; else not_ok "rm -f -a took $SECONDS s"; fi
same "nothing is left in the run root" "" "$(ls "$RUNROOT/containers" "$RUNROOT/exits" | grep -v : | tr -d '\n')"
same "nor in the graph root" "" "$(ls "$ROOT/containers" "$ROOT/rw" 2>/dev/null | grep -v : | tr -d '\n')"
finish
