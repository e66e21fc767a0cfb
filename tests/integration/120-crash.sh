#!/bin/bash
# SPDX-License-Identifier: ISC
# SIGKILL at any moment: the next command finds the truth, and nothing of what died stays.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb:latest >/dev/null
P=("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT")
monitor_of() { pod inspect --format '{{.State.ConmonPid}}' "$1"; }
pid_of() { pod inspect --format '{{.State.Pid}}' "$1"; }

pod run -d --net none --name a bb sleep 100 >/dev/null
kill -9 "$(monitor_of a)"
is "without its monitor a container still runs" "$(pod inspect --format '{{.State.Status}}' a)" running
kill -9 "$(pid_of a)"
until_is "and its end is found" "a stopped" pod ps -a --format '{{.Names}} {{.State}}'
is "stop makes it exited" "$(pod stop a >/dev/null; pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' a)" "exited -1"
is "it starts again" "$(pod start a >/dev/null; pod inspect --format '{{.State.Status}}' a)" running
mon=$(monitor_of a) pid=$(pid_of a)
kill -9 "$mon" "$pid"
until_ok 20 ended "$pid" && until_ok 20 ended "$mon" # which holds its lock until then
is "rm after the death of both" "$(pod rm a)" a

pod run -d --net none --name b bb sleep 100 >/dev/null
kill -9 "$(pid_of b)"
is "a killed process is recorded with its signal" "$(pod wait b)" 137
until_is "by the monitor's cleanup" "exited 137" pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' b
pod rm b >/dev/null

# Kills the coordinator after a while that grows by half a millisecond; whatever it left is whole.
for i in $(seq 1 40); do
	"${P[@]}" run --net none --name "k$i" bb sh -c 'exit 3' >/dev/null 2>&1 &
	client=$!
	sleep "0.0$(printf %02d $((i * 2 % 100)))"
	kill -9 $client 2>/dev/null
	wait $client 2>/dev/null
done
whole() {
	bad= seen=
	while read -r name state code; do
		seen="$seen $state"
		case "$state $code" in
		# 137: the start was not finished, and the monitor took it back.
		"created 0" | "exited 3" | "exited 137") ;;
		*) bad="$bad $name:$state:$code" ;;
		esac
	done < <(pod ps -a --format '{{.Names}} {{.State}} {{.ExitCode}}')
	[ -z "$bad" ]
}
until_ok 20 whole
is "no container is in a state between" "$bad" ""
echo "# states:$(echo $seen | tr ' ' '\n' | sort | uniq -c | tr '\n' ' ')"
started=0 all=0
for name in $(pod ps -a --filter status=created --format '{{.Names}}'); do
	all=$((all + 1))
	[ "$(pod start -a "$name" >/dev/null; echo $?)" = 3 ] && started=$((started + 1))
done
is "those that were only created can be started" "$started" "$all"
is "all are removed" "$(pod rm -f -t 0 -a >/dev/null; pod ps -aq)" ""

for i in $(seq 1 30); do
	"${P[@]}" run --rm --net none --name "r$i" bb true >/dev/null 2>&1 &
	client=$!
	sleep "0.0$(printf %02d $((i * 3 % 100)))"
	kill -9 $client 2>/dev/null
	wait $client 2>/dev/null
done
# Some have a monitor that is just about to remove them.
none() { pod rm -f -t 0 -a >/dev/null 2>&1; pod ps -aq; }
until_is "nothing runs" "" none
if pod system prune --help >/dev/null 2>&1; then
	sleep 10.5 # what is younger belongs to somebody still at it
	pod system prune -f >/dev/null 2>&1
	is "prune leaves no directory of a container" "$(ls "$ROOT/rw" "$ROOT/containers" "$RUNROOT/containers" 2>/dev/null | grep -v : | tr -d '\n')" ""
fi
check "no process of a container is left" until_ok 20 sh -c "! pgrep -f '$RUNROOT/[c]ontainers' >/dev/null"
finish
