#!/bin/bash
# SPDX-License-Identifier: ISC
# The main job against a real registry, as root; nothing is left behind.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
. "$LIB_DIR/main-job.sh"
[ "$(id -u)" = 0 ] || { skip "the main job as root" "needs root"; finish; }
world
job_registry || { not_ok "a registry can be started and filled"; finish; }
# Only now: the registry takes REGISTRY_… variables for its own settings.
export REGISTRY_AUTH_FILE=$WORLD/auth.json
echo "{}" >"$REGISTRY_AUTH_FILE"
mounts=$(wc -l </proc/self/mountinfo)
job
is "the host's mount table is as it was" "$(wc -l </proc/self/mountinfo)" "$mounts"
no_process() { ! pgrep -f "$RUNROOT/" >/dev/null; }
check "no monitor stays" until_ok 20 no_process
check "no read-write layer stays" until_ok 20 nothing_in "$ROOT/rw"
check "no layer stays" until_ok 20 nothing_in "$ROOT/layers"
check "no bundle stays" until_ok 20 nothing_in "$RUNROOT/containers"
until_is "no lease stays" "" find "$RUNROOT/net" -path '*lease*' -name '[0-9]*.*'
finish
