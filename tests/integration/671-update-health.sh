#!/bin/bash
# SPDX-License-Identifier: ISC
# update of health checks, of containers that run and that do not.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
cd "$WORLD" || exit 1
up() { pod update "$@" 2>&1 >/dev/null; }
check_of() { pod inspect "$1" | jq -c ".[0].Config.Healthcheck | $2"; }
status() { pod inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1"; }
is_healthy() { [ "$(status "$1")" = "$2" ]; }
count() { pod exec r cat /n 2>/dev/null | wc -c; }
more() { [ "$(count)" -ge "$1" ]; }
pod create --name c --network none localhost/bb sleep 1000 >/dev/null
pod run -d --stop-timeout 0 --name r --network none localhost/bb sleep 1000 >/dev/null

# --- One that does not run
for bad in "--health-interval 5s" "--health-retries 3" "--health-on-failure kill" "--health-startup-cmd true" "--health-cmd true --no-healthcheck" "--health-cmd true --health-interval x" "--health-cmd true --health-timeout 0s" "--health-cmd true --health-retries 0" "--health-cmd true --health-on-failure bad" "--health-cmd true --health-log-destination /nosuch"; do
	# shellcheck disable=SC2086
	up $bad c >/dev/null
	is "refused: update $bad" "$?" 125
done
is "and nothing was changed" "$(check_of c .)" null
up --health-cmd 'echo hi' --health-interval 7s --health-timeout 5s --health-retries 2 --health-start-period 1s c
is "a check" "$(check_of c '[.Test, .Interval, .Timeout, .Retries, .StartPeriod]')" '[["CMD-SHELL","echo hi"],7000000000,5000000000,2,1000000000]'
up --health-interval 8s c
is "one thing of it" "$(check_of c '[.Test, .Interval, .Retries]')" '[["CMD-SHELL","echo hi"],8000000000,2]'
up --health-on-failure kill --health-max-log-count 2 --health-max-log-size 10 c
is "what follows" "$(pod inspect c | jq -c '.[0].Config | [.HealthcheckOnFailureAction, .HealthcheckMaxLogCount, .HealthcheckMaxLogSize]')" '["kill",2,10]'
up --health-startup-cmd 'true' --health-startup-interval 1s --health-startup-success 2 c
is "a start-up check" "$(pod inspect c | jq -c '.[0].Config.StartupHealthCheck | [.Test, .Interval, .Successes]')" '[["CMD-SHELL","true"],1000000000,2]'
up --no-healthcheck c
is "none" "$(check_of c .Test) $(pod inspect c | jq -c '.[0].Config.StartupHealthCheck')" '["NONE"] null'

# --- One that runs
is "a running one without a check" "$(check_of r .)" null
up --health-cmd 'printf x >>/n' --health-interval 200ms --health-timeout 5s r
check "is checked at once" until_ok 20 more 1
check "and again" until_ok 20 more 3
check "it is healthy" until_ok 20 is_healthy r healthy
up --health-interval 1h r
sleep 0.2
n=$(count)
up --health-cmd 'false' --health-interval 100ms --health-retries 2 r
check "another command counts from now on" until_ok 20 is_healthy r unhealthy
is "the old one is not run any more" "$(( $(count) - n <= 1 ))" 1
up --no-healthcheck r
is "no check any more" "$(status r)" ""
up --health-cmd true --health-interval disable r
is "without a timer it waits" "$(status r)" starting
is "to be run by hand" "$(pod healthcheck run r; echo $?) $(status r)" "0 healthy"
is "it has run all the time" "$(pod inspect -f '{{.State.Status}} {{.RestartCount}}' r)" "running 0"
is "events" "$(pod events --stream=false --filter event=update --format '{{.Name}}' | sort | uniq -c | tr -s ' ' | tr '\n' ,)" " 5 c, 5 r,"
finish
