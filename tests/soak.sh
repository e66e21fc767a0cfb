#!/bin/bash
# SPDX-License-Identifier: ISC
# soak.sh MINUTES [user]: random commands from four shells on one store, as root or as a fresh ordinary user.  Each
# shell knows what its own containers must answer; some names are everybody's, where only clean refusals may be seen.
# At the end nothing is left: no process, mount, namespace, cgroup, lease, lock or directory, and the monitor that
# lived through it all has no more descriptors and memory than at its beginning.
. "$(dirname "$0")/lib.sh"

# Everything below runs in the world of the user it is for; $WORLD/wrong gets a line for each wrong answer.
soak() {
	local minutes=$1 end shell before fds pss keeper
	SOAK_DIR=$WORLD/soak
	mkdir -p "$SOAK_DIR"
	: >"$WORLD/wrong"
	before=$(soak_objects)
	pod run -d --name keeper --net none img sh -c 'while read -r l; do echo "$l"; done; sleep 100000' </dev/null >/dev/null
	pod exec keeper true
	keeper=$(pod inspect --format '{{.State.ConmonPid}}' keeper)
	fds=$(soak_fds "$keeper") pss=$(soak_pss "$keeper")
	end=$((SECONDS + minutes * 60))
	for shell in 1 2 3 4; do
		soak_shell "$shell" "$end" &
	done
	wait
	cat "$SOAK_DIR"/count.* | sort | uniq -c | sort -rn | sed 's/^/# /'
	is "no wrong answer in $(cat "$SOAK_DIR"/count.* | wc -l) rounds" "$(wc -l <"$WORLD/wrong")" 0
	head -n 40 "$WORLD/wrong" | sed 's/^/# /'
	is "the first container runs on" "$(pod exec keeper echo alive)" alive
	is "its monitor has no more descriptors" "$(soak_fds "$keeper")" "$fds"
	echo "# its memory: $pss kB, now $(soak_pss "$keeper") kB"
	[ "$(soak_pss "$keeper")" -le $((pss + 200)) ]
	is "nor memory" "$?" 0
	pod rm -f -a -t 0 >/dev/null
	pod volume rm -f -a >/dev/null 2>&1
	pod system prune -f >/dev/null 2>&1
	soak_settled "$before"
	is "no process, mount, namespace, link or cgroup stays" "$(soak_objects)" "$before"
	is "no container stays" "$(pod ps -aq)" ""
	is "no directory or lock stays" "$(soak_files)" ""
	is "the databases stay small" "$(find "$ROOT" -name '*.db*' -size +64M)" ""
	is "the image still runs" "$(pod run --rm img echo whole)" whole
}

# Monitors of an ordinary user are looked at from inside the namespace.
soak_in() { if [ "$(id -u)" = 0 ]; then "$@"; else pod unshare "$@"; fi; }
soak_fds() {
	local p n=0
	for p in "$1" $(pgrep -P "$1" -x stdio); do n=$((n + $(soak_in ls "/proc/$p/fd" 2>/dev/null | wc -l))); done
	echo "$n"
}
soak_pss() { soak_in cat "/proc/$1/smaps_rollup" 2>/dev/null | awk '/^Pss:/ { print $2 }'; }
soak_files() {
	ls "$ROOT/rw" "$ROOT/tmp" "$ROOT/containers" "$ROOT/volumes" "$RUNROOT/containers" "$RUNROOT/exits" 2>/dev/null |
		grep -vE '^$|:$|^lock'
	ls "$RUNROOT/locks" 2>/dev/null | grep -E '^[0-9a-f]{64}'
	find "$RUNROOT/net" -path '*lease*' -name '[0-9]*.*' -type f 2>/dev/null
}
soak_objects() {
	awk '{ print $5 }' /proc/self/mountinfo | grep "$WORLD" | sort
	find /sys/fs/cgroup -maxdepth 4 -type d -name 'libpod-*' 2>/dev/null | grep -F -f <(cat "$WORLD/ids" 2>/dev/null || echo none)
	# The namespace's keeper and its like stay, once each.
	ps -eo args | grep -F "$RUNROOT" | grep -vE 'grep|soak|user-part' | sed 's/ .*--peer.*//' | sort -u
}
# What comes after the last answer, and a user's network, which is kept a moment for the next container.
soak_settled() {
	local i
	for i in $(seq 100); do
		[ -z "$(soak_files)" ] && [ "$(soak_objects)" = "$1" ] && return 0
		sleep 0.1
	done
}

# wrong TEXT...: an answer that is not what it must be
wrong() { echo "shell $S: $*" >>"$WORLD/wrong"; }
# p ARG...: pod with a deadline; its output comes back, its complaint is in $E
p() {
	local st
	timeout 90 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$WORLD/networks" "$@" 2>"$E"
	st=$?
	[ "$st" != 124 ] || wrong "pod $*: no end after 90 s"
	! grep -qiE 'protocol|abort|assert|locked|internal|timed out|leak|corrupt|malformed' "$E" || wrong "pod $*: $(head -n 2 "$E" | tr '\n' ' ')"
	return "$st"
}
# must WANTED ARG...: the answer of pod
must() {
	local wanted=$1 got
	shift
	got=$(p "$@")
	[ "$got" = "$wanted" ] || wrong "pod $*: '$got', not '$wanted': $(head -n 2 "$E" | tr '\n' ' ')"
}
state() { must "$2" inspect --format '{{.State.Status}}' "$1"; }

soak_shell() {
	local r rounds='echo code life files volume pause restart rename shared shared shared list secret logs detach kill update
		replace input commit connect behind always policy sharing paused moved health events init pruned'
	S=$1 E=$SOAK_DIR/err.$1
	RANDOM=$((1000 + S + ${SOAK_SEED:-0}))
	while [ "$SECONDS" -lt "$2" ]; do
		# shellcheck disable=SC2086
		set -- $1 $2 ${SOAK_ROUNDS:-$rounds}
		r=${*:$((3 + RANDOM % ($# - 2))):1}
		"round_$r" "s$S.$RANDOM"
		echo "$r" >>"$SOAK_DIR/count.$S"
	done
}
net() { [ $((RANDOM % 3)) = 0 ] && echo bridge || echo none; }
round_echo() { must "$1" run --rm --network "$(net)" img echo "$1"; }
round_code() {
	local code=$((RANDOM % 100 + 1))
	p run --rm --net none img sh -c "exit $code" >/dev/null
	[ $? = "$code" ] || wrong "run: exit $code came back otherwise: $(head -n 1 "$E")"
}
round_life() {
	local id
	id=$(p run -d --name "$1" --network "$(net)" img sh -c 'trap "exit 7" TERM; while :; do sleep 0.05; done') || wrong "run -d $1: $(head -n 1 "$E")"
	echo "$id" >>"$WORLD/ids"
	state "$1" running
	must "$1" exec "$1" echo "$1"
	must "$1" stop -t 20 "$1"
	state "$1" exited
	must 7 wait "$1"
	must 7 inspect --format '{{.State.ExitCode}}' "$1"
	must "$1" start "$1"
	state "$1" running
	must "$1" rm -f -t 0 "$1"
	p container exists "$1"
	[ $? = 1 ] || wrong "$1 is still there after rm -f"
}
round_files() {
	local d=$SOAK_DIR/$1
	mkdir -p "$d/in/sub"
	head -c $((RANDOM * 4)) /dev/urandom >"$d/in/sub/f"
	p create --name "$1" --net none img true >/dev/null
	p cp "$d/in" "$1:/tmp" || wrong "cp to $1: $(head -n 1 "$E")"
	p start -a "$1"
	p cp "$1:/tmp/in" "$d/out" || wrong "cp from $1: $(head -n 1 "$E")"
	diff -r "$d/in" "$d/out" >/dev/null || wrong "cp: $1 came back otherwise"
	p export --output "$d/tar" "$1" || wrong "export $1: $(head -n 1 "$E")"
	tar -tf "$d/tar" 2>/dev/null | grep -q '^tmp/in/sub/f$' || wrong "export: $1 lacks the file"
	p rm "$1" >/dev/null || wrong "rm $1: $(head -n 1 "$E")"
	rm -rf "$d"
}
round_volume() {
	must "$1" volume create "$1"
	p run --rm --net none -v "$1:/v" img sh -c "echo $1 >/v/f" || wrong "volume $1: $(head -n 1 "$E")"
	must "$1" run --rm --net none -v "$1:/v:ro" img cat /v/f
	must "$1" volume rm "$1"
}
round_pause() {
	p run -d --name "$1" --net none img sleep 1000 >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	if p pause "$1" >/dev/null; then
		state "$1" paused
		must "$1" unpause "$1"
	fi
	state "$1" running
	must "$1" rm -f -t 0 "$1"
}
round_restart() {
	local first second
	p run -d --name "$1" --network "$(net)" img sleep 1000 >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	first=$(p inspect --format '{{.State.Pid}}' "$1")
	must "$1" restart -t 0 "$1"
	second=$(p inspect --format '{{.State.Pid}}' "$1")
	[ "$first" != "$second" ] && kill -0 "$second" 2>/dev/null || [ "$(id -u)" != 0 ] || wrong "restart $1: $first then $second"
	must "$1" rm -f -t 0 "$1"
}
round_rename() {
	p create --name "$1" --net none img true >/dev/null || wrong "create $1: $(head -n 1 "$E")"
	p rename "$1" "$1.b" || wrong "rename $1: $(head -n 1 "$E")"
	state "$1.b" created
	must "$1.b" rm "$1.b"
}
# Names of all shells: whatever comes, the status is one of the documented ones.
round_shared() {
	local name=shared$((RANDOM % 3)) st
	case $((RANDOM % 9)) in
	0 | 1) p run -d --name "$name" --network "$(net)" --restart on-failure:2 img sh -c "sleep 0.$((RANDOM % 9)); exit $((RANDOM % 2))" ;;
	2) p rm -f -t 0 "$name" ;;
	3) p restart -t 0 "$name" ;;
	4) p start "$name" ;;
	5) p stop -t 1 "$name" ;;
	6) p exec "$name" true ;;
	7) p run -d --replace --name "$name" --net none img sleep 3 ;;
	8) p kill "$name" ;;
	esac >/dev/null
	st=$?
	case $st in
	0 | 1 | 2 | 125 | 137 | 255) ;;
	*) wrong "shared $name: status $st: $(head -n 1 "$E")" ;;
	esac
}
round_list() {
	p ps -a --format json | jq -e 'map(.Names[0]) | index("keeper") != null' >/dev/null || wrong "ps: no keeper: $(head -n 1 "$E")"
	must keeper ps --filter name=keeper --filter status=running --format '{{.Names}}'
	p top keeper >/dev/null || wrong "top: $(head -n 1 "$E")"
	p stats --no-stream --format json keeper >/dev/null || wrong "stats: $(head -n 1 "$E")"
	must keeper exec keeper echo keeper
}
round_secret() {
	printf '%s' "$1" | p secret create "$1" - >/dev/null || wrong "secret $1: $(head -n 1 "$E")"
	must "$1" run --rm --net none --secret "$1" img cat "/run/secrets/$1"
	p secret rm "$1" >/dev/null || wrong "secret rm $1: $(head -n 1 "$E")"
}
round_logs() {
	p run --name "$1" --net none img seq 100 >/dev/null
	must 100 logs --tail 1 "$1"
	[ "$(p logs "$1" 2>/dev/null | wc -l)" -ge 100 ] || wrong "logs of $1 are short"
	must "$1" rm "$1"
}
round_detach() {
	local id
	id=$(p run -d --rm --name "$1" --net none img sh -c 'sleep 0.1; exit 5') || wrong "run -d --rm $1: $(head -n 1 "$E")"
	must 5 wait "$id"
}
round_kill() {
	p run -d --name "$1" --net none img sleep 1000 >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	must "$1" kill "$1"
	must 137 wait "$1"
	must "$1" rm "$1"
}
round_update() {
	p run -d --name "$1" --net none img sleep 1000 >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	[ "$(id -u)" != 0 ] || p update --memory 64m "$1" >/dev/null || wrong "update $1: $(head -n 1 "$E")"
	must "$1" rm -f -t 0 "$1"
}
# poll WANTED ARG...: pod answers that within 30 s
poll() {
	local wanted=$1 end=$((SECONDS + 30)) got
	shift
	while got=$(p "$@") && [ "$got" != "$wanted" ] && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
	[ "$got" = "$wanted" ] || wrong "pod $*: after 30 s '$got', not '$wanted': $(head -n 2 "$E" | tr '\n' ' ')"
}
# up NAME ARG...: a running container that sleeps
up() {
	local name=$1
	shift
	p run -d --name "$name" "$@" img sleep 1000 >/dev/null || wrong "run -d $name: $(head -n 1 "$E")"
}
gone() {
	p container exists "$1"
	[ $? = 1 ] || wrong "$1 still exists"
}
round_replace() {
	local old new
	old=$(p run -d --name "$1" --network "$(net)" img sleep 1000) || wrong "run -d $1: $(head -n 1 "$E")"
	new=$(p run -d --replace --name "$1" --network "$(net)" img sleep 1000) || wrong "run --replace $1: $(head -n 1 "$E")"
	echo "$new" >>"$WORLD/ids"
	gone "$old"
	must "$new" inspect --format '{{.Id}}' "$1"
	must "$new" ps -aq --no-trunc --filter "name=^$1\$"
	must "$1" rm -f -t 0 "$1"
}
round_input() {
	local sum d=$SOAK_DIR/$1
	head -c $((RANDOM * 20)) /dev/urandom >"$d"
	sum=$(md5sum <"$d")
	[ "$(p run -i --rm --net none img cat <"$d" | md5sum)" = "$sum" ] || wrong "run -i: other bytes came back: $(head -n 1 "$E")"
	[ "$(p exec -i keeper cat <"$d" | md5sum)" = "$sum" ] || wrong "exec -i: other bytes came back: $(head -n 1 "$E")"
	rm "$d"
}
round_commit() {
	p run --name "$1" --net none img sh -c "echo $1 >/f; rm /www/index.html" || wrong "run $1: $(head -n 1 "$E")"
	p commit -q "$1" "made$1" >/dev/null || wrong "commit $1: $(head -n 1 "$E")"
	must "$1" run --rm --net none "made$1" cat /f
	must "" run --rm --net none "made$1" ls /www
	p rmi "made$1" >/dev/null || wrong "rmi made$1: $(head -n 1 "$E")"
	must "$1" rm "$1"
}
round_connect() {
	p network create "n$1" >/dev/null || wrong "network create: $(head -n 1 "$E")"
	up "$1" --network "n$1"
	p network create "m$1" >/dev/null || wrong "network create: $(head -n 1 "$E")"
	p network connect "m$1" "$1" || wrong "network connect: $(head -n 1 "$E")"
	must 2 exec "$1" sh -c 'ls -d /sys/class/net/eth* | wc -l'
	must 2 inspect --format '{{len .NetworkSettings.Networks}}' "$1"
	p network rm "m$1" >/dev/null
	[ $? = 2 ] || wrong "network rm of a used network"
	p network disconnect "m$1" "$1" || wrong "network disconnect: $(head -n 1 "$E")"
	must 1 exec "$1" sh -c 'ls -d /sys/class/net/eth* | wc -l'
	must "$1" rm -f -t 0 "$1"
	p network rm "n$1" "m$1" >/dev/null || wrong "network rm: $(head -n 1 "$E")"
}
round_behind() {
	up "$1" --net none
	p exec -d "$1" sh -c "echo $1 >/tmp/f; mv /tmp/f /tmp/done" >/dev/null || wrong "exec -d: $(head -n 1 "$E")"
	poll "$1" exec "$1" sh -c 'cat /tmp/done 2>/dev/null || true'
	p exec "$1" sh -c 'exit 9'
	[ $? = 9 ] || wrong "exec: exit 9 came back otherwise: $(head -n 1 "$E")"
	must "$1" rm -f -t 0 "$1"
}
round_always() {
	local n
	p run -d --name "$1" --net none --restart always img true >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	poll true inspect --format '{{gt .RestartCount 2}}' "$1"
	must "$1" stop -t 5 "$1"
	state "$1" exited
	n=$(p inspect --format '{{.RestartCount}}' "$1")
	sleep 0.2
	must "$n" inspect --format '{{.RestartCount}}' "$1"
	state "$1" exited
	must "$1" rm -f -t 0 "$1"
	gone "$1"
}
round_policy() {
	p run -d --name "$1" --net none --restart on-failure:2 img sh -c 'echo again; exit 3' >/dev/null || wrong "run -d $1: $(head -n 1 "$E")"
	poll 2 inspect --format '{{.RestartCount}}' "$1"
	poll 'exited 3' inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"
	must 3 wait "$1"
	[ "$(p logs "$1" | grep -c again)" = 3 ] || wrong "logs of $1: $(p logs "$1" | tr '\n' ' ')"
	must "$1" rm "$1"
}
round_sharing() {
	up "$1" -v "v$1:/v" --net none
	p exec "$1" sh -c "echo $1 >/v/f" || wrong "exec $1: $(head -n 1 "$E")"
	must "$1" run --rm --net none --volumes-from "$1" img cat /v/f
	p volume rm "v$1" >/dev/null
	[ $? = 2 ] || wrong "volume rm of a used volume: $(head -n 1 "$E")"
	p volume export "v$1" | tar -tf - 2>/dev/null | grep -q 'f$' || wrong "volume export v$1: $(head -n 1 "$E")"
	must "$1" rm -f -t 0 "$1"
	must "v$1" volume rm "v$1"
	p volume exists "v$1"
	[ $? = 1 ] || wrong "volume v$1 still exists"
}
round_paused() {
	local d=$SOAK_DIR/$1
	up "$1" --net none
	if p pause "$1" >/dev/null; then
		p exec "$1" true
		[ $? = 125 ] || wrong "exec in the paused $1 is not refused"
		p cp "$1:/www/index.html" "$d" || wrong "cp from the paused $1: $(head -n 1 "$E")"
		[ "$(cat "$d" 2>/dev/null)" = "hello from pod" ] || wrong "cp from the paused $1"
		p commit -q --pause=true "$1" "made$1" >/dev/null || wrong "commit of the paused $1: $(head -n 1 "$E")"
		p rmi "made$1" >/dev/null
		state "$1" paused
		rm -f "$d"
	fi
	must "$1" rm -f -t 0 "$1"
	gone "$1"
}
round_moved() {
	local id
	up "$1" --network "$(net)"
	id=$(p inspect --format '{{.Id}}' "$1")
	p rename "$1" "$1.new" || wrong "rename $1: $(head -n 1 "$E")"
	gone "$1"
	must "$id" inspect --format '{{.Id}}' "$1.new"
	must here exec "$1.new" echo here
	up "$1" --net none
	p rename "$1" "$1.new"
	[ $? = 125 ] || wrong "rename to a name in use"
	must "$1
$1.new" rm -f -t 0 "$1" "$1.new"
}
round_health() {
	up "$1" --net none --health-cmd 'test -e /tmp/ok' --health-interval 1s --health-retries 1 --health-start-period 0s
	poll unhealthy inspect --format '{{.State.Health.Status}}' "$1"
	p exec "$1" touch /tmp/ok
	poll healthy inspect --format '{{.State.Health.Status}}' "$1"
	must "$1" rm -f -t 0 "$1"
}
round_events() {
	p run --rm --name "$1" --net none img true || wrong "run $1: $(head -n 1 "$E")"
	poll $'create\ninit\nstart\nattach\ndied\nremove' events --stream=false --filter "container=$1" --format '{{.Status}}'
}
round_init() {
	p create --name "$1" --network "$(net)" img sh -c "echo $1" >/dev/null || wrong "create $1: $(head -n 1 "$E")"
	must "$1" init "$1"
	state "$1" initialized
	must "$1" start -a "$1"
	state "$1" exited
	must "$1" rm "$1"
}
# Nothing that runs or is another shell's goes with what is pruned.
round_pruned() {
	up "$1" --net none --label "of=$1"
	p container prune -f --filter "label=of=$1" >/dev/null || wrong "prune: $(head -n 1 "$E")"
	state "$1" running
	must "$1" kill "$1"
	must 137 wait "$1"
	p container prune -f --filter "label=of=$1" >/dev/null || wrong "prune: $(head -n 1 "$E")"
	gone "$1"
}

world
busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
if [ "${2:-}" != user ]; then
	soak "${1:-30}"
	finish
fi
{
	declare -f $(declare -F | awk '{ print $3 }' | grep -E '^(soak|round|wrong|p$|must|state|net$|poll|up$|gone)')
	echo "SOAK_SEED=${SOAK_SEED:-0}"
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; soak '"${1:-30}"
} | user_part
