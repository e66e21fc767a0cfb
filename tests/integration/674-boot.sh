#!/bin/bash
# SPDX-License-Identifier: ISC
# Start after a reboot: the unit that is installed, and what its command starts.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
cd "$WORLD" || exit 1
unit=$LIB_DIR/../pod-run/pod-restart.service.in
if [ -f "$unit" ]; then
	start=$(sed -n 's,^ExecStart=@BINDIR@/pod ,,p' "$unit") stop=$(sed -n 's,^ExecStop=@BINDIR@/pod ,,p' "$unit")
else
	skip "the unit" "not in this tree"
	finish
fi
is "one command each" "$(wc -l <<<"$start") $(wc -l <<<"$stop")" "1 1"
if command -v systemd-analyze >/dev/null; then
	sed 's,@BINDIR@,/bin,;s,/bin/pod,/bin/true,' "$unit" >pod-restart.service
	is "the unit is well-formed" "$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$WORLD/pod-restart.service" 2>&1 | grep -c pod-restart)" 0
	sed 's,@BINDIR@/pod-net.*,/bin/true,' "$LIB_DIR/../pod-net/pod-net-reload.service.in" >pod-net-reload.service
	is "that of networks too" "$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$WORLD/pod-net-reload.service" 2>&1 | grep -c pod-net-reload)" 0
fi
c() { pod "$1" --stop-timeout 0 --network none "${@:2}" localhost/bb sleep 1000 >/dev/null; }
c "run" -d --name always --restart always
c "run" -d --name unless --restart unless-stopped
c "run" -d --name halted --restart unless-stopped
c "run" -d --name none
c create --name never --restart always
pod stop halted >/dev/null
# The machine goes down: all processes end without a word, and the run root is gone.
pids=$(for n in always unless none; do pod inspect -f '{{.State.ConmonPid}} {{.State.Pid}}' $n; done)
gone() { local p; for p in $pids; do [ ! -d "/proc/$p" ] || return 1; done; }
# shellcheck disable=SC2086
kill -KILL $pids
until_ok 20 gone
rm -rf "$RUNROOT"
is "after it nothing runs" "$(pod ps -q | wc -l)" 0
# Podman's words for a time that is not known: not that of 1970.
is "how long ago they ended nobody saw" "$(pod ps -a --filter name=none --format '{{.Status}}|{{.ExitedAt}}') $(pod inspect none | jq -r '.[0].State.FinishedAt')" \
	"Exited (0) 292 years ago|-62135596800 0001-01-01T00:00:00Z"
is "what shall start" "$(pod ps -a --filter should-start-on-boot=true --format '{{.Names}}' | sort | tr '\n' ,)" "always,unless,"
# shellcheck disable=SC2086
pod $start >/dev/null
is "the unit's start" "$? $(pod ps --format '{{.Names}}' | sort | tr '\n' ,)" "0 always,unless,"
# shellcheck disable=SC2086
pod $stop >/dev/null
is "the unit's stop" "$? $(pod ps -q | wc -l)" "0 0"
make -s -C "$LIB_DIR/.." -n install DESTDIR="$WORLD/dest" PREFIX=/usr BUILD="$BUILD" >plan 2>/dev/null
is "make install has that of networks for the system" "$(grep -c 'system/pod-net-reload.service; do' plan)" 1
is "make install has it for the system and for users" "$(grep -cE 'system/pod-restart.service.*user/pod-restart.service' plan)" 1
finish
