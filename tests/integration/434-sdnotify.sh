#!/bin/bash
# SPDX-License-Identifier: ISC
# --sdnotify: what the service manager is told, and by whom.
. "$(dirname "$0")/../lib.sh"
world
rootfs "$WORLD/fs"
busybox_image bb >/dev/null
sock=$WORLD/n.sock
# listen: what is sent to the socket goes to $WORLD/heard, a line for each datagram
python3 - "$sock" >>"$WORLD/heard" <<'P' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777)
while True: print(s.recv(4096).decode().strip().replace("\n", " "), flush=True)
P
remember_pid $!
until_ok 20 test -S "$sock"
export NOTIFY_SOCKET=$sock
run() { : >"$WORLD/heard"; pod run -d --net none "$@" >/dev/null; }
pid() { pod inspect --format '{{.State.ConmonPid}}' "$1"; }
heard() { [ "$(tr '\n' ,  <"$WORLD/heard")" = "$1" ]; }

run --name i --sdnotify ignore bb sleep 1000
sleep 0.3
is "ignore" "$(cat "$WORLD/heard")" ""
run --name m --sdnotify conmon bb sleep 1000
check "conmon" until_ok 20 heard "MAINPID=$(pid m) READY=1,"
run --name c bb sleep 1000
check "container: the main process" until_ok 20 heard "MAINPID=$(pid c),"
is "it finds a socket" "$(pod exec c sh -c 'ls -l $NOTIFY_SOCKET' | cut -c 1-10)" srwxrwxrwx
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(sys.argv[1]); s.send(b"READY=1\nMAINPID=1")' \
	"/proc/$(pod inspect --format '{{.State.Pid}}' c)/root/run/notify/notify.sock"
check "and what it says is passed on" until_ok 20 heard "MAINPID=$(pid c),READY=1,"
run --name h --sdnotify healthy --health-cmd 'test -e /tmp/up' --health-interval 200ms bb sleep 1000
until_ok 20 test -s "$WORLD/heard"
sleep 0.2
check "healthy: not before it is" heard "MAINPID=$(pid h),"
pod exec h touch /tmp/up
check "but then" until_ok 20 heard "MAINPID=$(pid h),READY=1,"
sleep 0.2
check "once" heard "MAINPID=$(pid h),READY=1,"
is "inspect" "$(pod inspect --format '{{.Config.sdNotifyMode}}' h)" healthy
NOTIFY_SOCKET=$WORLD/gone pod run --rm --net none bb true
is "a socket that is gone is no reason to fail" $? 0
out=$(pod run --rm --sdnotify x bb true 2>&1)
is "a wrong mode" "$?:$out" '125:Error: invalid sdnotify value "x": must be container, conmon, healthy or ignore'
out=$(pod run --rm --net none --sdnotify healthy bb true 2>&1)
is "healthy without a check" "$?:$out" '125:Error: sdnotify policy "healthy" requires a healthcheck to be set'
unset NOTIFY_SOCKET
is "nothing in the environment without one" "$(pod run --rm --net none bb env | grep -c NOTIFY)" 0

# --- Sockets that the service manager opened
# activated WORDS...: "pod run WORDS" with one, as sd_listen_fds(3) has it
activated() {
	python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); os.unlink(sys.argv[1])
if s.fileno() == 3: os.set_inheritable(3, True)
else: os.dup2(s.fileno(), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])' "$WORLD/l.sock" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" run --rm --net none "$@"
}
told='echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $(readlink /proc/self/fd/3 | cut -d: -f1)"'
is "LISTEN_FDS: the container has the socket" "$(activated bb sh -c "$told")" "1 1 web socket"
is "other descriptors come first" "$(activated --preserve-fds 1 bb sh -c "$told" 2>"$WORLD/err") $(grep -c 'Ignoring LISTEN_FDS' "$WORLD/err")" "   socket 1"
is "what was said to another process is ignored" "$(LISTEN_FDS=1 LISTEN_PID=1 pod run --rm --net none bb sh -c "$told")" "   "
# With a descriptor 3 that is open: of a process that is above us, and of one that was never.
above() { LISTEN_FDS=1 LISTEN_PID=$1 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" run --rm --net none bb sh -c "$told" 3</dev/null 2>"$WORLD/err"; }
is "a wrapper was told of them" "$(above $$)" "1 1  /dev/null"
sleep 0 &
stale=$!
wait $stale
is "the number of a process that has ended is stale" "$(above $stale)$(cat "$WORLD/err")" "   "
is "nobody was told" "$(above '')$(cat "$WORLD/err")" "   "
finish
