#!/bin/bash
# SPDX-License-Identifier: ISC
# Health checks: results, states, timers, start-up checks, what follows failures, limits of the log.
. "$(dirname "$0")/../lib.sh"
world
busybox_image bb >/dev/null
run() { pod run -d --net none "$@" bb sleep 1000 >/dev/null; }
health() { pod inspect --format '{{.State.Health.Status}}' "$1"; }
state() { pod inspect --format '{{.State.Status}}' "$1"; }
has() { [ "$(health "$1")" = "$2" ]; }
is_in() { [ "$(state "$1")" = "$2" ]; }

run --name h --health-cmd 'echo said; test -e /tmp/good' --health-interval disable --health-retries 2
is "right after the start" "$(health h)" starting
check "ps says so" test "$(pod ps --format '{{.Status}}' | grep -c '(starting)$')" = 1
out=$(pod healthcheck run h)
is "a check that fails" "$?:$out" 1:unhealthy
is "one failure is not all" "$(health h)" starting
out=$(pod healthcheck run --ignore-result h)
is "its result can be ignored" $? 0
is "so many failures are" "$(health h)" unhealthy
check "filter" test "$(pod ps -q --filter health=unhealthy | wc -l)" = 1
is "keys of the state" "$(pod inspect h | jq -c '.[0].State.Health | keys')" '["FailingStreak","Log","Status"]'
is "keys of a result" "$(pod inspect h | jq -c '.[0].State.Health.Log[0] | keys')" '["End","ExitCode","Output","Start"]'
is "what it printed" "$(pod inspect h | jq -r '.[0].State.Health.Log[0].Output')" said
pod exec h touch /tmp/good
out=$(pod healthcheck run h)
is "a check that passes" "$?:$out" 0:
is "makes healthy and ends the streak" "$(pod inspect h | jq -c '.[0].State.Health | [.Status, .FailingStreak]')" '["healthy",0]'
is "wait" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" wait --condition healthy h)" -1
check "events" test "$(pod events --stream=false --filter event=health_status --format '{{.HealthStatus}}' | tail -n 1)" = healthy
pod exec h rm /tmp/good
pod stop -t 0 h >/dev/null
out=$(pod healthcheck run h 2>&1)
is "of one that does not run" $? 125
pod start h >/dev/null
is "a new life begins anew" "$(pod inspect h | jq -c '.[0].State.Health | [.Status, .FailingStreak, (.Log | length)]')" '["starting",0,0]'

run --name auto --health-cmd true --health-interval 200ms --health-max-log-count 3
check "the monitor keeps the timer" until_ok 20 has auto healthy
entries() { pod inspect auto | jq '.[0].State.Health.Log | length'; }
until_is "it writes a log" 3 entries
first=$(pod inspect auto | jq -r '.[0].State.Health.Log[0].Start')
goes_on() { [ "$(pod inspect auto | jq -r '.[0].State.Health.Log[0].Start')" != "$first" ]; }
until_ok 20 goes_on
is "that is bounded" "$(entries)" 3
run --name size --health-cmd 'i=0; while [ $i -lt 100 ]; do echo 0123456789; i=$((i+1)); done' --health-interval disable --health-max-log-size 40
pod healthcheck run size
is "so is each result" "$(pod inspect size | jq '.[0].State.Health.Log[0].Output | length')" 40
run --name binary --health-cmd 'printf "\377\376\000x\033"' --health-interval disable
check "output that is no text" pod healthcheck run binary
check "is still JSON" sh -c 'printf %s "$1" | jq -e . >/dev/null' x "$(pod inspect binary)"
run --name long --health-cmd 'sleep 100' --health-timeout 1s --health-interval disable
out=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" healthcheck run long)
is "a check that takes too long" "$?:$out:$(pod inspect long | jq '.[0].State.Health.Log[0].ExitCode')" 1:unhealthy:-1
is "is killed" "$(pod exec long ps | grep -c 'sleep 100$')" 0
run --name flood --health-cmd 'yes' --health-timeout 1s --health-interval disable --health-max-log-size 0
timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" healthcheck run flood >/dev/null
check "a check that never stops printing" test "$(pod inspect flood | jq '.[0].State.Health.Log[0].Output | length')" -le 1100000
run --name much --health-cmd 'head -c 1000000 /dev/zero | tr "\0" "\001"; exit 1' --health-interval disable --health-retries 3 --health-max-log-size 0 --health-max-log-count 0
for i in 1 2 3 4; do pod healthcheck run much >/dev/null; done
is "much output of many checks does not make the state unreadable" "$(pod inspect much | jq -c '.[0].State.Health | [.Status, .FailingStreak, (.Log | length)]')" '["unhealthy",4,2]'
pod rm -f -t 0 much >/dev/null
run --name nosuch --health-cmd '["/nosuch", "x"]' --health-interval disable
out=$(pod healthcheck run nosuch)
is "a command that is not there" "$?:$out" 1:unhealthy

run --name period --health-cmd false --health-interval disable --health-start-period 1h --health-retries 1
pod healthcheck run period >/dev/null
is "failures in the start period do not count" "$(pod inspect period | jq -c '.[0].State.Health | [.Status, .FailingStreak]')" '["starting",0]'

bad="--health-cmd false --health-interval 200ms --health-retries 2 --stop-timeout 0"
run --name k $bad --health-on-failure kill
run --name s $bad --health-on-failure stop
run --name r $bad --health-on-failure restart
run --name n $bad
check "on failure: kill" until_ok 20 is_in k exited
is "by SIGKILL" "$(pod inspect --format '{{.State.ExitCode}}' k)" 137
check "on failure: stop" until_ok 20 is_in s exited
restarted() { [ "$(pod inspect --format '{{.RestartCount}}' "$1")" -ge 1 ]; }
check "on failure: restart" until_ok 20 restarted r
check "on failure: none" until_ok 20 has n unhealthy
is "it runs on" "$(state n)" running
pod rm -f -t 0 r >/dev/null

run --name up --health-cmd true --health-interval 200ms --health-startup-cmd 'test -e /tmp/up' --health-startup-interval 200ms --health-startup-success 2
sleep 0.2
is "the start-up check has to pass first" "$(health up)" starting
pod exec up touch /tmp/up
check "then the other begins" until_ok 20 has up healthy
run --name fail --health-cmd true --health-interval 1h --health-startup-cmd false --health-startup-interval 200ms --health-startup-retries 2 --stop-timeout 0
check "start-up checks that fail restart the container" until_ok 20 restarted fail
pod rm -f -t 0 fail >/dev/null

mkdir "$WORLD/hl"
run --name dest --health-cmd 'echo kept' --health-interval disable --health-log-destination "$WORLD/hl"
pod healthcheck run dest
is "results in a directory" "$(jq -r '.Log[0].Output' "$WORLD/hl/"*-healthcheck.log)" kept
pod rm -f -t 0 dest >/dev/null
is "go with the container" "$(ls "$WORLD/hl")" ""
run --name none
out=$(pod healthcheck run none 2>&1)
is "a container without a check" "$?:${out##* has}" "125: no defined healthcheck"
is "has no health" "$(pod inspect none | jq '.[0].State | has("Health")')" false

is "nor does one that is not there" "$(pod healthcheck run nobody 2>&1)" "Error: unable to look up nobody to perform a health check: no container with name or ID \"nobody\" found: no such container"
run --name listed --health-cmd '["NONE"]'
is "none in a list is none" "$(pod inspect listed | jq -c '[.[0].Config.Healthcheck.Test, (.[0].State | has("Health"))]')" '[["NONE"],false]'
pod stop -t 0 none >/dev/null
is "what does not run is told first" "$(pod healthcheck run none 2>&1 | sed 's/[0-9a-f]\{64\}/ID/')" "Error: container ID is not running"
is "what is nought is not shown" "$(pod inspect nosuch | jq -c '.[0].Config.Healthcheck')" '{"Test":["CMD","/nosuch","x"],"Timeout":30000000000,"Retries":3}'
is "but to templates" "$(pod inspect -f '{{.Config.Healthcheck}}' nosuch)" "{[CMD /nosuch x] 0s 0s 0s 30s 3}"

# refused TEXT OPTION...
refused() {
	local text=$1 out
	shift
	out=$(pod run --rm --net none "$@" bb true 2>&1)
	is "refused: $*" $? 125
	case $out in *"$text"*) ok "its text" ;; *) not_ok "its text ($out)" ;; esac
}
refused "healthcheck-retries must be greater than 0" --health-cmd x --health-retries 0
refused "healthcheck-timeout must be at least 1 second" --health-cmd x --health-timeout 1ms
refused "invalid healthcheck-interval" --health-cmd x --health-interval soon
refused "invalid on-failure action" --health-cmd x --health-on-failure explode
refused "cannot specify both --no-healthcheck and --health-cmd" --no-healthcheck --health-cmd x
refused "cannot specify both --no-healthcheck and --health-startup-cmd" --no-healthcheck --health-startup-cmd x
refused "a healthcheck command must be set to use a startup healthcheck" --health-startup-cmd x
refused "must define a healthcheck command" --health-cmd '[]'
refused "destination error" --health-cmd x --health-log-destination /nonexistent
is "nothing stays of them" "$(pod ps -a --filter status=created -q | wc -l)" 0

if ordinary_user; then
	u() { as_user "$BIN/pod" "$@"; }
	tar -C "$WORLD/fs" -cf "$WORLD/fs.tar" .
	u import "$WORLD/fs.tar" localhost/bb >/dev/null 2>&1
	u run -d --net none --name uh --health-cmd true --health-interval 300ms localhost/bb sleep 1000 >/dev/null
	until_is "an ordinary user's" healthy u inspect --format '{{.State.Health.Status}}' uh
	u rm -f -t 0 uh >/dev/null
else
	skip "an ordinary user" "not root"
fi
finish
