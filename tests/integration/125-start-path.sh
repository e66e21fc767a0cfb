#!/bin/bash
# SPDX-License-Identifier: ISC
# The start path: what is not done twice, and what is not left behind for the sake of speed.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
world
img=localhost/start-path
busybox_image $img >/dev/null || exit 1
have_cgroup() { find /sys/fs/cgroup -maxdepth 4 -type d -name "*$1*" 2>/dev/null | head -n 1; }
gone() { ! [ -e "$RUNROOT/oci-crun/$1" ] && [ -z "$(have_cgroup "$1")" ]; }
not() { ! "$@"; }
runs() { [ "$(pod inspect -f '{{.State.Status}}' "$1" 2>/dev/null)" = "$2" ]; }

# --- One start of the runtime for each container ---
if command -v strace >/dev/null && command -v crun >/dev/null; then
	# runs_of MANAGER: what crun is asked for in a run, with cgroups made in that way
	runs_of() {
		strace -f -qq -s 4096 -e trace=execve,execveat -o "$WORLD/trace" \
			"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --cgroup-manager "$1" --runtime crun run --rm --network none $img true
		sed -n 's/.*exec\(ve\|veat\)(.*"[^"]*\/crun", .*"--root".*"\(run\|create\|start\|state\|kill\|delete\)".* = 0/\2/p' "$WORLD/trace" | xargs
	}
	is "a run executes crun once" "$(runs_of cgroupfs)" run
	strace -f -qq -e trace=fsync,fdatasync,syncfs -o "$WORLD/trace" \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none $img echo word >/dev/null
	is "a run whose container is removed waits for no disk" "$(grep -c sync "$WORLD/trace")" 0
	strace -f -qq -e trace=fchown,chown,fchownat -o "$WORLD/trace" \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" images >/dev/null
	is "images changes no owner, which would wait for the file system's journal" "$(grep -c chown "$WORLD/trace")" 0
	strace -f -qq -e trace=ftruncate -o "$WORLD/trace" \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" images >/dev/null
	is "nor cuts the index of a log to let it grow again" "$(grep -c ', 3)' "$WORLD/trace")" 0
	# Of the coordinator only: each walk through /sys waits for whoever changes network devices.
	strace -qq -e trace=statfs,open,openat -o "$WORLD/trace" \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none $img true
	is "a run looks at the cgroup file systems once" "$(grep -c '"/sys/fs/cgroup"' "$WORLD/trace")" 1
	if [ -d /run/systemd/system ]; then
		is "with a scope of systemd's crun is executed once more, to end it" "$(runs_of systemd)" "run delete"
	else
		skip "with a scope of systemd's crun is executed once more, to end it" "no systemd runs this machine"
	fi
	if [ -e /sys/fs/cgroup/pids/cgroup.procs ]; then
		strace -f -qq -e trace=execve,execveat,write -o "$WORLD/trace" \
			"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none $img true
		# The runtime waits for the rest of the grace period that the first move begins.
		mover=$(awk '/write\(0, "0", 1/ { print $1; exit }' "$WORLD/trace")
		helper=$(awk '/exec(ve|veat)\(.*pod-store"/ { print $1; exit }' "$WORLD/trace")
		echo "# moved by $mover, the first helper is $helper"
		check "a run begins its first move between cgroups before anything else" \
			[ "$mover" -lt "$helper" ]
	else
		skip "a run begins its first move between cgroups before anything else" "no cgroup v1"
	fi
else
	skip "a run executes crun once" "no strace or no crun"
	skip "a run whose container is removed waits for no disk" "no strace"
	skip "images changes no owner, which would wait for the file system's journal" "no strace"
	skip "nor cuts the index of a log to let it grow again" "no strace"
	skip "a run looks at the cgroup file systems once" "no strace"
	skip "with a scope of systemd's crun is executed once more, to end it" "no strace or no crun"
	skip "a run begins its first move between cgroups before anything else" "no strace"
fi

# --- Containers have nothing in common: their directories do not crowd into one group of inodes ---
if [ "$(stat -f -c %T "$ROOT")" = ext2/ext3 ] && command -v lsattr >/dev/null; then
	is "ext4 is told that containers are strangers to each other" \
		"$(lsattr -d "$ROOT/rw" "$ROOT/containers" | awk '{ print $1 ~ /T/ }' | xargs)" "1 1"
else
	skip "ext4 is told that containers are strangers to each other" "not on ext4"
fi

# --- What was started for the sake of speed does not stay either ---
pod run --rm --network none --name front $img sleep 1000 &
front=$!
until_ok 20 runs front running
# "pod" is a shell's function: the program is its child.
coordinator=$(pgrep -P $front -x pod || echo $front)
is "no child that has ended waits for a run in the foreground" "$(ps -o stat=,args= --ppid "$coordinator" | grep ^Z)" ""
pod kill front >/dev/null
wait $front 2>/dev/null

# --- Nothing of an ended container stays ---
id=$(pod run -d --network none $img sleep 1000)
check "a running container has its cgroup" [ -n "$(have_cgroup $id)" ]
check "and the runtime its record" [ -e "$RUNROOT/oci-crun/$id" ]
pod kill "$id" >/dev/null
check "it ends" until_ok 20 runs $id exited
check "record and cgroup are gone" until_ok 20 gone $id
pod start "$id" >/dev/null
check "it starts anew" until_ok 20 runs $id running
pod rm -f -t 0 "$id" >/dev/null
check "and is gone with its removal" until_ok 20 gone $id

# --- What waits for years holds little ---
id=$(pod run -d --network none $img sleep 1000)
monitor=$(pod inspect -f '{{.State.ConmonPid}}' "$id")
# own_kb LIMIT: the pages that nobody shares, of the monitor and of the half that holds the streams
own_kb() {
	local pid kb=0
	for pid in "$monitor" $(pgrep -P "$monitor" pod-monitor); do
		kb=$((kb + $(awk '/^Private_Dirty:/ { print $2 }' "/proc/$pid/smaps_rollup")))
	done
	echo "# $kb KB"
	[ "$kb" -gt 0 ] && [ "$kb" -le "$1" ]
}
if [ "$(getconf PAGESIZE)" = 4096 ]; then
	check "an idle monitor has at most 190 KB of its own" until_ok 20 own_kb 190
else
	skip "an idle monitor has at most 190 KB of its own" "larger pages"
fi
pod rm -f -t 0 "$id" >/dev/null

# Processes that outlive the container's first one: only the runtime ends those.
nap=$((100000 + $$))
id=$(pod run -d --network none --pid host $img sh -c "setsid sleep $nap & setsid sleep $nap & sleep 1000")
until_ok 20 pgrep -f "^sleep $nap\$" >/dev/null
pod kill "$id" >/dev/null
check "with processes left in the cgroup the runtime is asked, and ends them" until_ok 20 gone $id
sleepers() { pgrep -f "^sleep $nap\$" >/dev/null; }
check "none of them lives on" until_ok 20 not sleepers
pod rm -f -t 0 "$id" >/dev/null

# A container that made groups of its own.
id=$(pod run -d --network none --privileged $img sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/pids; do mkdir $d/inner; done 2>/dev/null; sleep 1000')
until_ok 20 sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' top '$id' args | grep -q '^sleep'"
pod kill "$id" >/dev/null
check "groups made inside go too" until_ok 20 gone $id
pod rm -f -t 0 "$id" >/dev/null

# --- The runtime is protected ---
got=$(pod run --rm --network none $img sh -c 'env | grep -c LIBCONTAINER')
is "the container's environment does not tell of the runtime's" "$got" 0
if command -v crun >/dev/null; then
	sum=$(sha256sum "$(command -v crun)")
	pod run --rm --network none --pid host --privileged $img sh -c \
		'for p in /proc/[0-9]*; do case $(readlink $p/exe) in */crun) echo x >>$p/exe ;; esac; done' 2>/dev/null
	is "and nobody wrote to its program" "$(sha256sum "$(command -v crun)")" "$sum"
	check "the host has no mount on it" not findmnt -n $(command -v crun)
fi

# --- Names and states at once ---
bad=0
for i in 1 2 3 4 5 6 7 8; do
	pod run --rm --network none --name again $img true || bad=$((bad + 1))
done
is "a name is free again when run --rm has returned" "$bad" 0
pod run --rm --network none $img sh -c 'exit 7'
is "the exit status is the container's" $? 7
# Whoever looks at it just when it has ended writes that down before the command that waits for it can.
mkfifo "$WORLD/word"
"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run -i --rm --network none --name seen $img sh -c 'read x; exit 5' <"$WORLD/word" &
run=$!
exec 7>"$WORLD/word"
until_ok 20 runs seen running
main=$(pod inspect -f '{{.State.Pid}}' seen)
kill -STOP $run
kill -KILL "$main"
exec 7>&-
until_ok 20 eval '[ "$(pod ps -a --filter name=seen --format "{{.State}}")" != running ]'
pod ps -a --filter name=seen --format '# {{.State}}'
kill -CONT $run
wait $run
is "run --rm of one whose end others have seen first: the exit status" $? 137
is "and it has gone" "$(pod ps -aq --filter name=seen)" ""
id=$(pod run -d --network none --restart on-failure:2 $img sh -c 'exit 3')
check "a restart policy starts it twice more" until_ok 20 eval '[ "$(pod inspect -f {{.RestartCount}} $id)" = 2 ] && runs $id exited'
is "with its status" "$(pod wait "$id")" 3

# --- The log of changes ---
log_is_short() { [ "$(stat -c %s "$ROOT/${1:-pod}.db-wal")" -lt "${2:-400000}" ]; }
for i in $(seq 40); do pod create --network none $img true >/dev/null; done
# It is folded once a second at most, which the database's time tells.
touch -d '1 minute ago' "$ROOT/pod.db"
pod create --network none $img true >/dev/null
check "the log of changes is folded back when a command has ended" until_ok 20 log_is_short
# In a minute to come, lest a second go by on a slow machine.
for i in $(seq 40); do
	touch -d '1 minute' "$ROOT/pod.db"
	pod create --network none $img true >/dev/null
done
is "many changes at once leave a long one" "$(log_is_short; echo $?)" 1
touch -d '1 minute ago' "$ROOT/pod.db"
pod ps >/dev/null
check "which a command folds back that only reads" until_ok 20 log_is_short
for i in $(seq 20); do
	touch -d '1 minute' "$ROOT/store.db"
	pod volume create >/dev/null
done
is "the store's log is left long as well" "$(log_is_short store 65536; echo $?)" 1
touch -d '1 minute ago' "$ROOT/store.db"
pod volume ls >/dev/null
check "and folded back by what only reads the store" until_ok 20 log_is_short store 65536
finish
