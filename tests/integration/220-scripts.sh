#!/bin/bash
# SPDX-License-Identifier: ISC
# Scripts written for podman, with the word replaced.
. "$(dirname "$0")/../lib.sh"
world
podman() { pod "$@"; }
img=localhost/scripts
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }

# id=$(podman run -d …): the command returns although the container goes on
id=$(podman run -d $img sleep 100)
is "run -d prints a 64-digit ID" "$(echo "$id" | grep -cE '^[0-9a-f]{64}$')" 1
is "ps -q shows its short form" "$(podman ps -q)" "${id:0:12}"
is "inspect --format" "$(podman inspect --format '{{.State.Status}} {{.Id}}' "$id")" "running $id"
is "inspect by a prefix" "$(podman inspect --format '{{.State.Running}}' "${id:0:6}")" true
podman inspect "$id" | jq -e --arg id "$id" '.[0].Id == $id and .[0].State.Pid > 0' >/dev/null
is "inspect prints a JSON list" $? 0
podman ps -aq | xargs -r "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" rm -f -t 0 >/dev/null
is "ps -aq | xargs rm -f leaves nothing" "$(podman ps -aq)" ""

out=$(podman run --rm $img echo hi)
is "run --rm prints the container's output only" "$out" hi
is "run -i passes stdin" "$(echo through | podman run -i --rm $img cat)" through
podman run --rm $img sh -c 'exit 7'
is "run returns the container's status" $? 7
id=$(podman run -d $img sleep 100)
podman kill -s KILL "$id" >/dev/null
is "death by signal 9 is 137" "$(podman wait "$id")" 137
podman rm "$id" >/dev/null
podman run --rm $img nosuchcommand 2>/dev/null
is "a missing command is 127" $? 127
podman run --rm $img /etc/passwd 2>/dev/null
is "a command that is not executable is 126" $? 126
podman run --nosuchoption $img true 2>/dev/null
is "an unknown option is 125" $? 125

# save | load
before=$(podman images -q --no-trunc $img)
podman save $img 2>/dev/null >"$WORLD/a.tar"
podman rmi $img >/dev/null
is "rmi took the image away" "$(podman images -q)" ""
podman load -q <"$WORLD/a.tar" >/dev/null
is "save | load keeps the image ID" "$(podman images -q --no-trunc $img)" "$before"
podman save $img 2>/dev/null | podman load 2>/dev/null | grep -q "Loaded image: $img:latest"
is "load says what it loaded" $? 0

# logs -f into a pipe that closes early
id=$(podman run -d $img sh -c 'while :; do echo line; sleep 0.01; done')
timeout 20 bash -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' logs -f $id | head -n 3 >'$WORLD/lines'"
is "logs -f ends when its reader goes" "$(wc -l <"$WORLD/lines")" 3
podman rm -f -t 0 "$id" >/dev/null
id=$(podman run -d --network none $img sh -c 'seq 3000; sleep 1000')
until_is "what it wrote has been recorded" 3000 podman logs --tail 1 "$id"
is "logs -f of one that has become silent too" \
	"$(timeout 20 bash -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' logs -f $id | head -n 1; echo \${PIPESTATUS[0]}")" $'1\n0'
podman rm -f -t 0 "$id" >/dev/null

# The same of run, exec, start and attach: the container goes on alone, or goes if it was to go at its end
early() { timeout 20 bash -c '"$@" 2>"$0" | head -n 1; echo "${PIPESTATUS[0]}"' "$WORLD/err" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@" | tr '\n' ' '; }
broken() { grep -c '^Error: attaching to container [0-9a-f]\{64\}: write /dev/stdout: broken pipe$' "$WORLD/err"; }
lines='while :; do echo line; sleep 0.1; done'
is "run --rm ends when its reader goes" "$(early run --rm --name gone $img sh -c "$lines") $(broken)" "line 126  1"
is "and the container is gone" "$(podman ps -aq)" ""
is "run, and its container goes on" "$(early run --name on $img sh -c "$lines") $(broken) $(podman ps --format '{{.Names}}')" "line 126  1 on"
is "attach" "$(early attach on) $(broken)" "line 125  1"
is "exec" "$(early exec on sh -c "$lines")" "line 141 "
podman stop -t 0 on >/dev/null
is "start -a" "$(early start -a on) $(broken) $(podman ps --format '{{.Names}}')" "line 125  1 on"
is "with a terminal" "$(early run --rm -t $img sh -c "$lines" | tr -d '\r') $(broken)" "line 126  1"

# And of a file without room, however soon the container ends
full() { podman "$@" 2>"$WORLD/err" >/dev/full; echo "$? $(grep -c '^Error: attaching to container [0-9a-f]\{64\}: write /dev/stdout: no space left on device$' "$WORLD/err")"; }
is "run --rm into a full file" "$(full run --rm $img echo hi) $(podman ps -aq --filter name=on --format x | wc -l)" "126 1 1"
podman start on >/dev/null
is "exec into a full file" "$(full exec on echo hi)" "125 1"
is "attach to a full file" "$(full attach on)" "125 1"
is "standard error that is full loses itself only" "$(podman run --rm $img sh -c 'echo a >&2; sleep 0.2; echo b' 2>/dev/full)" b
podman rm -f -t 0 on >/dev/null

# tar c . | podman run -i … tar x
mkdir -p "$WORLD/src" "$WORLD/dst"
head -c 3000000 /dev/urandom >"$WORLD/src/blob"
tar -C "$WORLD/src" -c . | podman run --rm -i -v "$WORLD/dst:/dst" $img tar -x -C /dst -f -
is "3 MB through run -i arrive whole" "$(sha256sum <"$WORLD/dst/blob")" "$(sha256sum <"$WORLD/src/blob")"

# idempotence
id=$(podman run -d --name c1 $img sleep 100)
podman stop -t 0 c1 >/dev/null 2>&1 && podman stop c1 >/dev/null 2>&1
is "stop of a stopped container succeeds" $? 0
is "its status is exited" "$(podman inspect --format '{{.State.Status}}' c1)" exited
podman start c1 >/dev/null && podman start c1 >/dev/null
is "start of a running container succeeds" $? 0
podman rm -f -t 0 nosuch >/dev/null 2>&1
is "rm -f of a missing container is 0" $? 0
podman rm nosuch >/dev/null 2>&1
is "rm of a missing container is 1" $? 1
podman rm c1 >/dev/null 2>&1
is "rm of a running container is 2" $? 2
podman container exists c1
is "exists of a container is 0" $? 0
podman container exists nosuch
is "exists of a missing one is 1" $? 1
podman rmi nosuch >/dev/null 2>&1
is "rmi of a missing image is 1" $? 1
podman rmi $img >/dev/null 2>&1
is "rmi of an image in use is 2" $? 2
podman rm -f -t 0 c1 >/dev/null
podman run --name w -d $img sh -c 'sleep 0.3; exit 3' >/dev/null
is "wait prints the exit code" "$(podman wait w)" 3
podman run --rm --name w2 $img true && podman run --rm --name w2 $img true
is "a name is free again after run --rm" $? 0
is "exec prints" "$(id=$(podman run -d $img sleep 50); podman exec "$id" echo x; podman rm -f -t 0 "$id" >/dev/null)" x
podman run -d --name e $img sleep 50 >/dev/null
podman exec e sh -c 'exit 5'
is "exec returns the status" $? 5
is "exec -i passes stdin" "$(echo y | podman exec -i e cat)" y
podman exec e nosuch 2>/dev/null
is "exec of a missing command is 127" $? 127
podman rm -f -t 0 e >/dev/null
is "ps --format json parses" "$(podman ps -a --format json | jq -r 'type')" array
is "images --format json parses" "$(podman images --format json | jq -r '.[0].Names[0]')" "$img:latest"
podman create --name made $img true >/dev/null
is "create shows created" "$(podman ps -a --filter name=made --format '{{.State}}')" created
is "ps -aq --filter status=created" "$(podman ps -aq --filter status=created | wc -l)" 1
finish
