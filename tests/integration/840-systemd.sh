#!/bin/bash
# SPDX-License-Identifier: ISC
# On a machine that systemd runs: scopes and slices, the journal, units.  As root, and as an ordinary user with a session.
. "$(dirname "$0")/../lib.sh"
[ -d /run/systemd/system ] || { skip "scopes and slices" "systemd does not run here"; finish; }
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || { skip "scopes and slices" "cgroup v1"; finish; }
if [ "$(id -u)" = 0 ]; then
	slice=machine.slice prefix= user=()
else
	slice=user.slice user=(--user)
	systemctl --user is-system-running >/dev/null 2>&1 || [ -S "$XDG_RUNTIME_DIR/bus" ] ||
		{ skip "scopes and slices" "this user has no session"; finish; }
	prefix=$(systemctl --user show -p ControlGroup --value)
fi
world
image=localhost/box
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
unit=podtest$$
P=$WORLD/p
printf '#!/bin/sh\nexec %s/pod --root %s --runroot %s "$@"\n' "$BIN" "$ROOT" "$RUNROOT" >"$P"
chmod 755 "$P"
at_end() { systemctl "${user[@]}" stop "$unit.service" "$unit-s.service" "$unit-s.socket" 2>/dev/null; }
up() { pod run -d --name "$1" --network none --stop-timeout 1 "${@:2}" >/dev/null; }
field() { pod inspect --format "{{.$2}}" "$1"; }
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
scope() { echo "libpod-$(field "$1" Id).scope"; }
show() { systemctl "${user[@]}" show -p "$2" --value "$1"; }
both() { echo "$(show "$1" ActiveState) $(show "$2" ActiveState)"; }

is "info: who makes cgroups" "$(pod info --format '{{.Host.CgroupManager}} {{.Host.CgroupsVersion}}')" "systemd v2"
is "info: the controllers that we have" "$(pod info --format json | jq -r '.host.cgroupControllers | join(" ")')" "$(cat "/sys/fs/cgroup$prefix/cgroup.controllers")"

# --- The scope of a container, and its limits
up c -m 64m --pids-limit 33 --cpus .5 $image sleep 1000
s=$(scope c)
is "a container is in a scope of $slice" "$(group_of "$(field c State.Pid)" | sed "s,/container$,,")" "$prefix/$slice/$s"
is "inspect says where" "$(field c State.CgroupPath)" "$prefix/$slice/$s"
is "systemd knows of it" "$(show "$s" ActiveState)" active
is "the container sees its own cgroup as the root" "$(pod exec c cat /proc/self/cgroup)" "0::/"
is "--memory" "$(pod exec c cat /sys/fs/cgroup/memory.max)" 67108864
is "--pids-limit" "$(pod exec c cat /sys/fs/cgroup/pids.max)" 33
is "--cpus" "$(pod exec c cat /sys/fs/cgroup/cpu.max)" "50000 100000"
is "the monitor has a scope of its own" "$(group_of "$(field c State.ConmonPid)")" "$prefix/$slice/libpod-conmon-$(field c Id).scope"
pod update -m 96m c >/dev/null
is "update" "$(pod exec c cat /sys/fs/cgroup/memory.max)" 100663296
is "stats" "$(pod stats --no-stream --format '{{.MemLimit}}' c 2>&1)" 100663296
pod pause c >/dev/null
is "pause" "$(field c State.Status)" paused
pod unpause c >/dev/null
is "unpause" "$(pod exec c echo on)" on
check "top" grep -q sleep <(pod top c args)
pod restart -t 0 c >/dev/null
is "a restarted one is in its scope again" "$(group_of "$(field c State.Pid)" | sed "s,/container$,,")" "$prefix/$slice/$s"
m=$(group_of "$(field c State.ConmonPid)")
is "and its monitor in its own" "$(sed 's/-[0-9]*\.scope$/.scope/' <<<"$m")" "$prefix/$slice/libpod-conmon-$(field c Id).scope"
m=${m##*/}
pod rm -f -t 0 c >/dev/null
until_is "no scope stays" "inactive inactive" both "$s" "$m"

# One that ends at once may be gone before it has its scope.
for _ in 1 2 3; do pod run --rm --network none $image true; done 2>"$WORLD/err"
is "nothing is said about one that ends at once" "$(cat "$WORLD/err")" ""

# --- Options
up p --cgroup-parent "$unit.slice" $image sleep 1000
is "--cgroup-parent" "$(group_of "$(field p State.Pid)" | sed "s,/container$,,")" "$prefix/$unit.slice/$(scope p)"
pod rm -f -t 0 p >/dev/null
up p --cgroup-parent "/$slice/$unit.slice" $image sleep 1000
is "--cgroup-parent, a path" "$(group_of "$(field p State.Pid)" | sed "s,/container$,,")" "$prefix/$unit.slice/$(scope p)"
is "its monitor is there" "$(group_of "$(field p State.ConmonPid)")" "$prefix/$unit.slice/libpod-conmon-$(field p Id).scope"
pod rm -f -t 0 p >/dev/null
is "a parent that is no slice" "$(pod run --rm --cgroup-parent /x $image true 2>&1; echo $?)" \
	"Error: did not receive systemd slice as cgroup parent when using systemd to manage cgroups: invalid argument
125"
up n --cgroups no-conmon $image sleep 1000
is "--cgroups=no-conmon: the monitor stays where it was started" \
	"$(group_of "$(field n State.ConmonPid)" | grep -c libpod-conmon)" 0
pod rm -f -t 0 n >/dev/null
# A user's command moves to where it may go on from.
check "--cgroups=disabled" grep -qxE "0::($(group_of self)|.*/pod-[0-9]+\.scope)" <(pod run --rm --network none --cgroups disabled --cgroupns host $image cat /proc/self/cgroup)
is "--cgroup-manager=cgroupfs" "$(pod --cgroup-manager cgroupfs run --rm --network none $image echo ran 2>/dev/null)" ran
up o -m 16m --memory-swap 16m $image sh -c 'x=y; while :; do x=$x$x; done'
until_is "a container that takes too much" "137 true" pod inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' o
pod rm -f -t 0 o >/dev/null
# systemd takes an empty scope away, with the counter, at once.
printf '#!/bin/sh\ncrun "$@" || exit\nsleep %d\n' $((2 * ${POD_TEST_SLOW:-1})) >"$WORLD/slow"
chmod 755 "$WORLD/slow"
pod --runtime "$WORLD/slow" run -d --name o --network none -m 16m --memory-swap 16m $image dd if=/dev/zero of=/dev/null bs=100M >/dev/null
until_is "one that has done so before the runtime comes back" "137 true" pod inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' o
pod rm -f -t 0 o >/dev/null
# A monitor that looks when the scope has gone
takes='until [ -e /tmp/go ]; do sleep 0.2; done; exec dd if=/dev/zero of=/dev/null bs=100M'
late() { # WHAT ACT OOMKILLED: ACT ends o, of which the monitor hears when all is over
	local m pid s
	m=$(field o State.ConmonPid) pid=$(field o State.Pid) s=$(scope o)
	until_ok 5 grep -q '^State:.S' "/proc/$m/status"
	kill -STOP "$m"
	$2
	until_ok 20 sh -c '! systemctl -q is-active "$@"' x "${user[@]}" "$s"
	kill -CONT "$m"
	until_is "a late monitor knows whether memory ran out: $1: $3" "137 $3" pod inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' o
	pod rm -f -t 0 o >/dev/null
}
let_go() { pod exec o touch /tmp/go; }
killed() { kill -KILL "$pid"; }
beside() { pod run --rm --network none -m 16m --memory-swap 16m $image dd if=/dev/zero of=/dev/null bs=100M >/dev/null 2>&1; killed; }
for act in let_go killed; do
	up o -m 16m --memory-swap 16m $image sh -c "dd if=/dev/zero of=/tmp/x bs=1M count=40 2>/dev/null; echo full; $takes"
	until_is "at its limit nothing need be killed" full pod logs o
	late "one at its limit, $act" $act "$([ $act = let_go ] && echo true || echo false)"
done
for act in let_go killed beside; do
	up o -m 16m --memory-swap 16m $image sh -c "echo small; $takes"
	until_is "far from its limit" small pod logs o
	late "one with room, $act" $act "$([ $act = let_go ] && echo true || echo false)"
done
systemd-run "${user[@]}" -q --wait --collect --pipe -p Delegate=yes --unit "$unit" \
	"$P" run --rm --network none --cgroups split --cgroupns host $image cat /proc/self/cgroup >"$WORLD/out" 2>"$WORLD/err"
check "--cgroups=split: below the unit" grep -qE "/$unit.service/libpod-payload-[0-9a-f]{64}\$" "$WORLD/out"

# --- Units
systemd-run "${user[@]}" -q --wait --collect --unit "$unit" "$P" run -d --name svc --network none $image \
	sh -c 'while ! test -e /tmp/go; do sleep 0.2; done; echo went'
is "one that a service started outlives it" "$(field svc State.Status)" running
pod exec svc touch /tmp/go
until_is "with its monitor" "went" pod logs svc
until_is "which says how it ended" "exited 0" pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' svc
pod rm -f -t 0 svc >/dev/null
up svc $image sleep 1000
systemd-run "${user[@]}" -q --wait --collect --unit "$unit" "$P" exec -d svc \
	sh -c 'while ! test -e /tmp/go; do sleep 0.2; done'
sessions() { pod inspect --format '{{len .ExecIDs}}' svc; }
is "a session that a service began outlives it, its monitor is in a scope" \
	"$(sessions) $(systemctl "${user[@]}" list-units --plain --no-legend "libpod-conmon-$(field svc Id)-*.scope" | wc -l)" "1 1"
pod exec svc touch /tmp/go
until_is "and its monitor clears up after it" 0 sessions
pod rm -f -t 0 svc >/dev/null
systemd-run "${user[@]}" -q --collect --unit "$unit" -p Type=notify -p NotifyAccess=all \
	"$P" run -d --name ntf --network none --sdnotify conmon $image sleep 1000
is "Type=notify: the monitor, which is its process, stays in the unit" "$(show "$unit.service" ActiveState) \
$(show "$unit.service" MainPID) $(group_of "$(field ntf State.ConmonPid)" | grep -c "/$unit.service\$")" "active \
$(field ntf State.ConmonPid) 1"
pod rm -f -t 0 ntf >/dev/null
until_ok 20 sh -c '! systemctl -q is-active "$@"' x "${user[@]}" "$unit.service"
systemd-run "${user[@]}" -q --collect --unit "$unit" -p Type=notify -p NotifyAccess=all \
	"$P" run -d --name ntf --network none --sdnotify conmon --cgroups no-conmon $image sleep 1000
is "Type=notify: the unit is active, its process is the monitor" \
	"$(show "$unit.service" ActiveState) $(show "$unit.service" MainPID)" "active $(field ntf State.ConmonPid)"
pod rm -f -t 0 ntf >/dev/null
ends() { [ "$(show "$unit.service" ActiveState)" != active ]; }
check "and ends with the container" until_ok 20 ends
systemd-run "${user[@]}" -q --collect --unit "$unit" -p Type=notify -p NotifyAccess=all -p Delegate=yes -p KillMode=mixed \
	-p "ExecStop=$P rm -f -i -t 1 quad" -p "ExecStopPost=-$P rm -f -i -t 1 quad" \
	"$P" run -d --rm --name quad --network none --sdnotify conmon --cgroups split $image sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'
is "the same with --cgroups=split, all in the unit" \
	"$(show "$unit.service" ActiveState) $(group_of "$(field quad State.Pid)" | grep -c "/$unit.service/libpod-payload-")" "active 1"
systemctl "${user[@]}" stop "$unit.service"
until_is "stopping the unit ends the container" "" pod ps -aq
systemd-run "${user[@]}" -q --collect --unit "$unit-s" --socket-property "ListenStream=$WORLD/sock" -p StandardOutput=null \
	"$P" run --rm --name act --network none --env LISTEN_FDS --env LISTEN_PID=1 $image \
	sh -c 'echo "$LISTEN_FDS $(readlink /proc/self/fd/3 | cut -d: -f1)" >&2; sleep 1000' 2>"$WORLD/err"
python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])' "$WORLD/sock"
told() { [ "$(pod logs act 2>&1)" = "1 socket" ]; }
check "socket activation: the container has the socket" until_ok 20 told
pod rm -f -t 0 act >/dev/null 2>&1

# --- systemd inside
is "--systemd=always: it may make cgroups" "$(pod run --rm --network none --systemd always $image \
	sh -c 'mkdir /sys/fs/cgroup/init.scope && echo 1 >/sys/fs/cgroup/init.scope/cgroup.procs && cat /proc/1/cgroup; echo "$container"')" \
	"0::/init.scope
podman"
is "without it may not" "$(pod run --rm --network none $image sh -c 'mkdir /sys/fs/cgroup/x 2>/dev/null || echo no')" no

# --- The journal
default_driver() {
	(
		unset CONTAINERS_CONF_OVERRIDE
		up "$1" "${@:2}" $image echo kept
		echo "$(field "$1" HostConfig.LogConfig.Type) $(pod info --format '{{.Host.LogDriver}}')"
	)
}
if [ "$(id -u)" != 0 ] && ! journalctl -q -n 1 >/dev/null 2>&1; then
	is "who may not read the journal has files without a word" "$(default_driver df)" "k8s-file k8s-file"
	pod rm -f -t 0 df >/dev/null
	skip "log driver journald" "this user may not read the journal"
else
	is "the journal is the driver without a word" "$(default_driver df)" "journald journald"
	until_is "and holds what is written" kept pod logs df
	pod rm -f -t 0 df >/dev/null
	up j --log-driver journald $image sh -c 'echo one; echo two >&2; echo three; sleep 1000'
	seen() { [ "$(pod logs j 2>/dev/null | wc -l)" = 2 ]; }
	check "journald: what it wrote is there" until_ok 20 seen
	is "logs" "$(pod logs j 2>"$WORLD/err" | xargs) $(cat "$WORLD/err")" "one three two"
	is "--tail" "$(pod logs --tail 1 j 2>&1 | wc -l)" 1
	up ended --log-driver journald $image sh -c 'for i in 1 2 3; do echo $i; done'
	pod wait ended >/dev/null
	followed() { pod logs -f ended | xargs; }
	until_is "logs -f of one that has ended" "1 2 3" followed
	pod rm ended >/dev/null
	is "--since what is to come" "$(pod logs --since 2100-01-01T00:00:00Z j 2>&1)" ""
	is "the fields" "$(journalctl -q -o json --no-pager "CONTAINER_ID_FULL=$(field j Id)" | head -1 | jq -r '[.CONTAINER_NAME, .CONTAINER_ID, .PRIORITY] | join(" ")')" \
		"j $(field j Id | cut -c1-12) 6"
	pod rm -f -t 0 j >/dev/null
fi

# --- After a boot
up always --restart always $image sleep 1000
pids="$(field always State.ConmonPid) $(field always State.Pid)"
# shellcheck disable=SC2086
kill -KILL $pids
gone() { local p; for p in $pids; do [ ! -d "/proc/$p" ] || return 1; done; }
until_ok 20 gone
rm -rf "$RUNROOT"
systemd-run "${user[@]}" -q --wait --collect --unit "$unit" -p Type=oneshot "$P" start --all --filter should-start-on-boot=true >/dev/null 2>&1
is "what starts after a boot outlives the unit that starts it" "$(field always State.Status)" running
pod rm -f -t 0 always >/dev/null
finish
