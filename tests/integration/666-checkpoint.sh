#!/bin/bash
# SPDX-License-Identifier: ISC
# Checkpoint and restore: needs a CRIU that works with this kernel and a runtime built to use it.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1

runtime=
for r in crun runc; do
	[ -n "$runtime" ] || ! "$r" checkpoint --help >/dev/null 2>&1 || runtime=$r
done
if [ "$(id -u)" != 0 ] || [ -z "$runtime" ] || ! criu_works; then
	skip "checkpoint and restore" "no CRIU that works here, or no runtime that uses it"
	finish
fi
busybox_image localhost/bb >/dev/null
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime "$runtime" "$@"; }
other() { "$BIN/pod" --root "$WORLD/root2" --runroot "$WORLD/run2" --runtime "$runtime" "$@"; }
at_end() { other rm -f -a -t 0 >/dev/null 2>&1; }
count='i=0; while :; do i=$((i+1)); echo $i >/tmp/n; echo said $i; sleep 0.2; done'
state() { pod inspect "$1" | jq -r ".[0].State.$2"; }
number() { "${2:-pod}" exec "$1" cat /tmp/n; }
# It counts on from N at least: the same process, not a new one.  The file is empty for a moment at each write.
goes_on() { local was=$1 now; now=$(number "$2" "${3:-pod}"); [ -n "$now" ] && [ "$now" -ge "$was" ]; }
moved() { [ "$(number "$2" "${3:-pod}")" -gt "$1" ]; }
at_least() { [ "$(number c1)" -ge "$1" ] 2>/dev/null; }

pod run -d --name c1 --network none -v vol1:/v localhost/bb sh -c "echo x >/up; rm -f /www/index.html; echo kept >/v/f; $count" >/dev/null
until_ok 20 at_least 5
is "of its own" "$(pod container checkpoint c1)" c1
is "it is exited, with status 0" "$(state c1 Status) $(state c1 ExitCode) $(state c1 Checkpointed)" "exited 0 true"
is "the time of it is known" "$(state c1 CheckpointedAt | cut -c1-2)" 20
is "the images are its owner's" "$(stat -c %a "$(state c1 CheckpointPath)")" 700
is "no log is left" "$(test -e "$(state c1 CheckpointLog)"; echo $?)" 1
was=$(cat "$ROOT"/rw/*/upper/tmp/n)
is "restored" "$(pod container restore c1)" c1
check "it counts on" until_ok 20 goes_on "$was" c1
check "and goes on" until_ok 20 moved "$was" c1
is "inspect tells" "$(state c1 Status) $(state c1 Restored) $(state c1 Checkpointed)" "running true null"
check "its output goes to the log" until_ok 20 bash -c "[ \$($BIN/pod --root $ROOT --runroot $RUNROOT logs c1 | wc -l) -gt $((was + 1)) ]"
is "exec works in it" "$(pod exec c1 cat /v/f)" kept
is "nothing of the checkpoint is left" "$(ls "$ROOT/containers/$(pod inspect -f '{{.Id}}' c1)" | grep -cE '^(checkpoint|pre-checkpoint|dump.log|stats-dump)$')" 0
pod container restore c1 >/dev/null 2>&1
is "one that runs cannot be restored" "$?" 125

finish
