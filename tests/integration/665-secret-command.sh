#!/bin/bash
# SPDX-License-Identifier: ISC
# Drivers of secrets that are commands: much data both ways at once, and commands that do not read.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
mkdir keep
head -c 511999 /dev/urandom >big
sec() { timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" secret "$@"; }
o="list=ls keep,lookup=cat $WORLD/keep/\$SECRET_ID,delete=rm $WORLD/keep/\$SECRET_ID"

id=$(sec create -d shell --driver-opts "$o,store=tee $WORLD/keep/\$SECRET_ID" echoes big)
is "511999 bytes through a command that says them again: it ends" "$?" 0
is "and every byte arrives" "$(sha256sum <"keep/$id")" "$(sha256sum <big)"
is "and comes back" "$(sec inspect --showsecret echoes | jq -j '.[0].SecretData' | wc -c | awk '{print ($1 > 400000)}')" 1
sec create -d shell --driver-opts "$o,store=head -c 1 >/dev/null" picky big >/dev/null
is "a command that leaves its input is no failure" "$?" 0
sec create -d shell --driver-opts "$o,store=exec <&-; sleep 0.2" deaf big >/dev/null
is "nor one that closes it" "$?" 0
err=$(sec create -d shell --driver-opts "$o,store=cat /dev/zero" loud big 2>&1 >/dev/null)
is "one that never stops talking is ended" "$? $(grep -c 'said more than' <<<"$err")" "125 1"
is "and leaves no secret" "$(sec exists loud; echo $?)" 1
err=$(sec create -d shell --driver-opts "$o,store=exit 7" fails big 2>&1 >/dev/null)
is "an exit status is told" "$(grep -c 'exit status 7' <<<"$err")" 1
finish
