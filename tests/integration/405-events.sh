#!/bin/bash
# SPDX-License-Identifier: ISC
# events: what each command writes, filters, times, formats, following, rotation.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
past() { pod events --stream=false "$@"; }
names() { past --format '{{.Status}}' "$@" | tr '\n' ' '; }
"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" events --format '{{.Type}} {{.Status}} {{.Name}}' >"$WORLD/live" &
remember_pid $!
# The words follow the watch at once.
follows() { [ -n "$(find "/proc/$1/fd" -lname '*inotify' 2>/dev/null)" ] && sleep 0.2; }
until_ok 20 follows $!
pod run -d --name a --network none --label k=v localhost/bb sleep 100 >/dev/null
is "a start" "$(names -f container=a)" "create init start "
pod exec a true
pod pause a >/dev/null && pod unpause a >/dev/null
pod kill -s USR1 a >/dev/null
pod rename a b
pod stop -t 0 b >/dev/null
pod start b >/dev/null
pod rm -f -t 0 b >/dev/null
is "the life of a container" "$(names -f type=container -f label=k=v)" \
	"create init start exec exec_died pause unpause kill rename stop died cleanup init start stop died cleanup remove "
pod run --rm --name third --network none localhost/bb sh -c 'exit 7'
is "one in the foreground" "$(names -f container=third)" "create init start attach died remove "
is "exit status" "$(past -f container=third -f event=die --format '{{.ContainerExitCode}}')" 7
is "several values of a key" "$(names -f container=third -f event=create -f event=remove)" "create remove "
is "keys in any case" "$(names -f CONTAINER=third -f event=create)" "create "
pod tag localhost/bb localhost/cc && pod untag localhost/cc localhost/cc && pod rmi localhost/bb >/dev/null
is "images" "$(names -f type=image)" "tag untag untag remove "
pod volume create v >/dev/null && pod volume rm v >/dev/null
is "volumes" "$(names -f volume=v)" "create remove "
is "line" "$(past -f container=third -f event=start | sed 's/^[-0-9]* [0-9:.]* +[0-9]* [A-Z]* //; s/[0-9a-f]\{64\}/ID/')" \
	"container start ID (image=localhost/bb:latest, name=third)"
is "short IDs" "$(past --no-trunc=false -f container=third -f event=start | sed 's/.*start \([0-9a-f]*\) .*/\1/' | tr -d '\n' | wc -c)" 12
is "nothing of a name that nobody has" "$(past -f container=nosuch -f event=create --format json | jq -r '[.Type,.Status,.Image,.Attributes.k] | join(" ")')" ""
is "JSON" "$(past -f label=k -f event=create --format json | jq -r '[.Type,.Status,.Image,.Attributes.k] | join(" ")')" \
	"container create localhost/bb:latest v"
until_ok 20 grep -q 'volume remove v' "$WORLD/live"
is "following" "$(grep -c . "$WORLD/live")" "$(past -f type=container -f type=volume -f type=image --format x | wc -l)"
is "since" "$(past --since "$(date -d '+1 hour' +%s)" | wc -l)" 0
is "until" "$(past --until -1h | wc -l) $(past --until 2020-01-01 | wc -l)" "0 0"
is "until a duration counts on" "$(past --until 1h | wc -l)" "$(past | wc -l)"
is "since and until the ends of time" "$(past --since 0001-01-01T00:00:00Z --until 9999-12-31T23:59:59Z -f volume=v | wc -l) $(past --until 0001-01-01 | wc -l)" "$(past -f volume=v | wc -l) 0"
is "the first instant of 1970 is one of them" "$(past --until 1970-01-01Z | wc -l) $(timeout 5 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" events --since 1970-01-01Z --until "$(($(date +%s) + 1))" -f volume=v | wc -l)" "0 $(past -f volume=v | wc -l)"
is "until ends the stream" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" events --since 1h --until "$(($(date +%s) + 1))" -f volume=v | wc -l)" 2
for bad in "-f nosuch=x" "-f container" "-f event=nosuch" "-f type=nosuch" "--since nosuch" "--format {{.Nosuch}}" extra; do
	# shellcheck disable=SC2086
	past $bad >/dev/null 2>&1
	is "refused: $bad" "$?" 125
done

# --- Back ends
is "none writes nothing" "$(n=$(past | wc -l); pod --events-backend none volume create w >/dev/null; echo $(($(past | wc -l) - n)))" 0
pod --events-backend none events --stream=false >/dev/null 2>&1
is "and cannot be read" "$?" 125
pod --events-backend nosuch volume create w2 2>&1 | grep -q 'is not a valid events backend'
is "an unknown one is named" "$?" 0

# --- Rotation
printf '[engine]\nevents_logfile_max_size = "4k"\nevents_logfile_path = "%s/ev/log"\n' "$WORLD" >"$WORLD/conf"
export CONTAINERS_CONF_OVERRIDE=$WORLD/conf
"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" events -f type=volume --format '{{.Name}}' >"$WORLD/live2" &
remember_pid $!
until_ok 20 follows $!
for i in $(seq 60); do echo "$i"; done | while read -r i; do pod volume create "rot$i"; done >/dev/null
is "the file stays small" "$([ "$(stat -c %s "$WORLD/ev/log")" -le 4096 ] && echo small)" small
is "the newest events are kept" "$(past --format '{{.Name}}' | tail -1)" rot60
is "and the rotation is one" "$(past -f event=log-rotation --format '{{.Type}}' | sed -n 1p)" system
until_ok 20 grep -qx rot60 "$WORLD/live2"
is "whoever follows sees all, once" "$(sort "$WORLD/live2" | uniq | wc -l) $(wc -l <"$WORLD/live2")" "60 60"
is "each line is JSON" "$(jq -c . "$WORLD/ev/log" | wc -l)" "$(wc -l <"$WORLD/ev/log")"
finish
