#!/bin/bash
# SPDX-License-Identifier: ISC
# An ordinary user's own service of Podman's, asked by that user, also over TCP and through ssh.
# Debian's crun refuses hybrid cgroups: they are taken away in a namespace of our own.
[ "$(id -u)" != 0 ] || [ -n "${REMOTE_USER_INSIDE:-}" ] ||
	REMOTE_USER_INSIDE=1 exec unshare -m --propagation private bash "$0" "$@"
. "$(dirname "$0")/../lib.sh"
[ -z "${REMOTE_USER_INSIDE:-}" ] || umount /sys/fs/cgroup/unified 2>/dev/null

world
chmod 755 "$WORLD"
rootfs "$WORLD/fs"
user_part <<'USER'
command -v podman >/dev/null || { skip "a service of the user's own" "needs podman"; finish; }
export DISABLE_HC_SYSTEMD=true
unset CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nevents_logger = "file"\ncgroup_manager = "cgroupfs"\n' >"$WORLD/theirs.conf"
tcp=$(free_port)
for at in "unix://$WORLD/p.sock" "tcp:127.0.0.1:$tcp"; do
	CONTAINERS_CONF=$WORLD/theirs.conf podman --root "$WORLD/p" --runroot "$WORLD/pr" --storage-driver vfs system service -t 0 "$at" >>"$WORLD/p.log" 2>&1 &
	remember_pid $!
done
until_ok 30 test -S "$WORLD/p.sock" || not_ok "the service does not start"
until_ok 30 curl -s "http://127.0.0.1:$tcp/_ping" >/dev/null || not_ok "the service does not start"
mkdir "$WORLD/bin"
printf '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n' >"$WORLD/bin/ssh"
chmod +x "$WORLD/bin/ssh"
podr() { PATH=$WORLD/bin:$PATH timeout 60 "$BIN/pod" --url "$U" "$@"; }
U=unix://$WORLD/p.sock
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | podr import - img:1 >/dev/null
is "it is the user's" "$(podr info -f '{{.Host.Security.Rootless}} {{.Store.GraphRoot}}')" "true $WORLD/p"
for U in "unix://$WORLD/p.sock" "tcp://127.0.0.1:$tcp" "ssh://me@host$WORLD/p.sock"; do
	way=${U%%:*}
	is "$way: run" "$(echo typed | podr run --rm -i --network none img:1 sh -c 'cat; id -u; exit 7'; echo $?)" "typed
0
7"
	is "$way: 127, 126 and 125" "$(podr run --rm --network none img:1 nosuch 2>/dev/null; echo $?; podr run --rm --network none img:1 /etc/passwd 2>/dev/null; echo $?; podr run --rm --pull never nosuch 2>/dev/null; echo $?)" "127
126
125"
	is "$way: run -d" "$(podr run -d --name one --network none -v vol:/v img:1 sh -c 'echo up; trap "exit 3" TERM; while :; do sleep 0.1; done' | wc -c)" 65
	until_is "$way: logs" up podr logs one
	is "$way: exec" "$(echo typed | podr exec -i one sh -c 'cat; exit 9'; echo $?)" "typed
9"
	is "$way: exec -it" "$(timeout 60 script -qec "PATH=$WORLD/bin:$PATH $BIN/pod --url $U exec -it one tty; echo \$?" /dev/null </dev/null | tr -d '\r\b' | sed 's/\^[@D]//g')" "/dev/pts/0
0"
	is "$way: cp both ways" "$(echo data >"$WORLD/f"; podr cp "$WORLD/f" one:/tmp/f; podr cp one:/tmp/f "$WORLD/g"; cat "$WORLD/g"; podr cp one:/tmp - | tar -x -O tmp/f)" "data
data"
	is "$way: stop, and what it ended with" "$(podr stop one; podr inspect one -f '{{.State.ExitCode}}')" "one
3"
	is "$way: events" "$(podr events --stream=false --since 5m --filter container=one --filter event=died --format '{{.Name}} {{.ContainerExitCode}}' | tail -n 1)" "one 3"
	is "$way: rm -a" "$(podr rm -fa -t 0 | wc -c; podr ps -aq; podr volume rm vol)" "65
vol"
	is "$way: the user's ids" "$(podr run --rm --userns keep-id --network none img:1 id -u; podr run --rm --uidmap 0:5:100 --network none img:1 sh -c 'echo $(cat /proc/self/uid_map)')" "$(id -u)
0 5 100"
	is "$way: system df" "$(podr system df --format '{{.Type}} {{.Total}}' | head -n 1)" "Images 1"
done
check "nothing was made here" nothing_in "$HOME/.local/share/pod"
USER
