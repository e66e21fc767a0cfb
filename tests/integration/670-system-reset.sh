#!/bin/bash
# SPDX-License-Identifier: ISC
# system reset, migrate, renumber, locks.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
cd "$WORLD" || exit 1
fill() {
	pod run -d --stop-timeout 0 --name run1 --network none -v vol:/v localhost/bb sleep 1000 >/dev/null
	pod create --name made1 --network none localhost/bb true >/dev/null
	echo x | pod secret create s1 - >/dev/null
	pod volume create other >/dev/null
	echo x >"$WORLD/of-artifact" && pod artifact add art "$WORLD/of-artifact" >/dev/null
}
fill
echo mine >"$ROOT/mine"
pid=$(pod inspect -f '{{.State.Pid}}' run1)

# --- locks, renumber
is "no conflicts of locks" "$(pod system locks | grep -c 'No lock conflicts have been detected.')" 1
is "locks is not in the help" "$(pod system --help | grep -c locks)" 0
touch "$RUNROOT/locks/$(printf 'b%.0s' $(seq 64))"
pod system renumber
is "renumber" "$? $(ls "$RUNROOT/locks" | grep -c bbbbbb)" "0 0"
is "the container runs on" "$(pod inspect -f '{{.State.Status}}' run1)" running
is "an event of it" "$(pod events --stream=false --filter type=system --format '{{.Status}}' | grep -c renumber)" 1

# --- migrate
pod system migrate --new-runtime nosuch >/dev/null 2>&1
is "migrate to a runtime that is not there" "$? $(pod inspect -f '{{.State.Status}}' run1)" "125 running"
is "from BoltDB" "$(pod system migrate --migrate-db; pod inspect -f '{{.State.Status}}' run1)" "No BoltDB database found: the state has always been in SQLite.
running"
is "migrate stops what runs" "$(pod system migrate --new-runtime runc)" "stopped $(pod inspect -f '{{.Id}}' run1)"
is "and changes the runtime of all" "$(pod inspect -f '{{.OCIRuntime}}' run1 made1 | tr '\n' ' ')" "runc runc "
pod system migrate --new-runtime crun >/dev/null
pod start run1 >/dev/null
pid=$(pod inspect -f '{{.State.Pid}}' run1)

# --- reset
is "reset asks" "$(echo n | pod --network-config-dir "$WORLD/nets" system reset | grep -cE 'all (containers|images|networks|secrets|volumes)|graphRoot directory: "'"$ROOT"'"|runRoot directory: "'"$RUNROOT"'"')" 7
is "and does nothing without a yes" "$(pod ps -aq | wc -l)" 2
is "networks of all roots are not of this one" "$(echo n | pod system reset | grep -c networks)" 0
pod system reset extra >/dev/null 2>&1
is "no operands" "$?" 125
mkdir -p "$WORLD/nets"
pod --network-config-dir "$WORLD/nets" network create --subnet 10.213.77.0/24 resetnet >/dev/null
is "mounted for all to see" "$(test -d "$(pod mount run1)/bin"; echo $?)" 0
pod --network-config-dir "$WORLD/nets" system reset -f
is "reset" "$?" 0
is "the container is gone" "$(test -d "/proc/$pid"; echo $?)" 1
is "only what is not ours is left" "$(ls "$ROOT") $(cat "$ROOT/mine")" "mine mine"
is "nothing is left of the run root" "$(ls -A "$RUNROOT" 2>/dev/null)" ""
is "nor of networks" "$(ls "$WORLD/nets" | grep -c resetnet)" 0
is "nor a mount" "$(grep -c " $WORLD/" /proc/self/mounts)" 0
pod container cleanup --stopped-only "$(printf 'a%.0s' $(seq 64))"
is "a monitor that comes late makes nothing" "$? $(ls "$ROOT") $(ls -A "$RUNROOT" 2>/dev/null)" "0 mine "
got=$(CONTAINERS_STORAGE_CONF=$WORLD/nowhere pod container cleanup --stopped-only "$(printf 'a%.0s' $(seq 64))" 2>&1)
is "but says what is missing, if that is anything else" "$? $(grep -c "$WORLD/nowhere" <<<"$got")" "125 1"
is "nothing is there afterwards" "$(pod ps -aq; pod images -q; pod volume ls -q; pod secret ls -q)" ""
busybox_image localhost/bb >/dev/null
echo nothing >"$ROOT/pod.db" && echo nothing >"$ROOT/store.db" && rm -f "$ROOT"/*.db-*
pod system check --repair >/dev/null 2>&1
is "what a repair put aside goes, too" "$(ls -d "$ROOT"/*.damaged | wc -l) $(pod system reset --force; ls "$ROOT")" "2 mine"
busybox_image localhost/bb >/dev/null
is "and all can begin anew" "$(pod run --rm --network none localhost/bb echo hello)" hello
pod system reset --force
pod system reset --force
is "twice is no error" "$?" 0

mkdir -p nets2
pod --network-config-dir "$WORLD/nets2" network create --subnet 10.213.78.0/24 resetnet2 >/dev/null
pod system reset --force
is "nor are they removed" "$(ls nets2)" resetnet2.json

user_part <<'E2'
tar -C "$LIB_DIR/user-fs" -c . | store import localhost/bb >/dev/null
pod run -d --stop-timeout 0 --name c --network none -v vol:/v localhost/bb sh -c 'echo >/v/f; chown 5:5 /v/f; exec sleep 1000' >/dev/null
pause=$(cat "$RUNROOT/pause.pid")
is "migrate of an ordinary user stops containers" "$(pod system migrate | cut -d' ' -f1)" stopped
check "and ends the namespace" until_ok 20 sh -c "! kill -0 $pause 2>/dev/null"
pod start c >/dev/null
pod network create mine >/dev/null
is "the next command makes a new one" "$(pod inspect -f '{{.State.Status}}' c)" running
pause=$(cat "$RUNROOT/pause.pid")
pod system reset -f
is "reset of an ordinary user" "$? $(ls -A "$ROOT" 2>/dev/null) $(ls -A "$RUNROOT" 2>/dev/null)" "0  "
check "and of the namespace" until_ok 20 sh -c "! kill -0 $pause 2>/dev/null"
E2
