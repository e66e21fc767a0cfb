#!/bin/bash
# SPDX-License-Identifier: ISC
# Clients of a running container: the attach socket, the ctl FIFO, the worker's death and loneliness.
. "$(dirname "$0")/../lib.sh"
world
drive=$BUILD/tests/monitor-drive
rootfs "$WORLD/fs"
mkdir -p "$WORLD/exits" "$WORLD/state"
mkfifo "$WORLD/fs/go"

at_end() {
	local p
	for p in $(awk 1 "$WORLD"/b-*/pidfile 2>/dev/null); do
		grep -qs '^pod-monitor$' "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$p/status" 2>/dev/null)/comm" && kill -KILL "$p"
	done
	# What monitors that were killed left in the runtime's hands.
	for p in $(ls "$WORLD/state"); do
		unshare --mount sh -c "umount /sys/fs/cgroup/unified; crun --root $WORLD/state delete --force $p" 2>/dev/null
	done
}
# start NAME TERMINAL OPTIONS SCRIPT: starts a detached container; sets $id and $mon, the monitor
start() {
	local b=$WORLD/b-$1 t=$2 o=$3
	mkdir -p "$b/rootfs"
	id=podatt$$-$1
	(cd "$b" && crun spec && jq --arg s "$4" ".process.args=[\"sh\",\"-c\",\$s] | .process.terminal=$t" \
		config.json >c && mv c config.json)
	mon=$("$drive" -m "${monitor:-$BIN/pod-monitor}" -a --root -a "$WORLD/state" -R "$WORLD/fs" -x "$WORLD/exits" \
		-l "$b/log" -d -v $o "$b" "$id" 2>&1 | sed -n 's/.* monitor \([0-9]*\) .*/\1/p')
}
client() { local n=$1; shift; timeout 20 "$drive" "$@" -A "$WORLD/b-$n" x; }
# attached N: so many clients are at the socket of the last one started
attached() { [ "$(ss -Hxp state connected | grep -c "/attach .*,pid=$(pgrep -P "$mon" pod-monitor-std),")" -ge "$1" ]; }
ended() { [ -s "$WORLD/exits/$id" ]; }
log() { cut -c37- "$WORLD/b-$1/log"; }

start two false "" 'read x <>/go; echo one; echo two >&2; read x <>/go'
client two >"$WORLD/o1" 2>"$WORLD/e1" &
c1=$!
client two >"$WORLD/o2" 2>"$WORLD/e2" &
c2=$!
until_ok 20 attached 2
echo >"$WORLD/fs/go"
check "a client gets output" until_ok 20 test -s "$WORLD/e1"
check "so does a second one" until_ok 20 test -s "$WORLD/e2"
client two >"$WORLD/o3" 2>&1 &
c3=$!
until_ok 20 attached 3
echo >"$WORLD/fs/go"
wait $c1 $c2 $c3
is "output of both" "$(cat "$WORLD/o1" "$WORLD/e1" "$WORLD/o2" "$WORLD/e2" | tr '\n' ' ')" "one two one two "
is "a late client gets no history" "$(cat "$WORLD/o3")" ""

start slow false "" 'read x <>/go; seq 50000; read x <>/go'
"$drive" -A "$WORLD/b-slow" x >/dev/null 2>&1 &
dead=$!
until_ok 20 attached 1
kill -STOP $dead
echo >"$WORLD/fs/go"
sleep 0.3
check "a stopped client holds the container up" test "$(log slow | wc -l)" -lt 50000
kill -KILL $dead
wait $dead 2>/dev/null
check "its death lets it go on" until_ok 20 grep -q 'F 50000$' "$WORLD/b-slow/log"
echo >"$WORLD/fs/go"

start in false -i 'cat; echo end'
echo hello | client in -i >"$WORLD/o"
is "half-close of a client ends the input" "$(cat "$WORLD/o" | tr '\n' ' ')" "hello end "
start open false "-i -o" 'read a; echo $a; read a; echo $a; echo end'
echo first | client open -i >"$WORLD/o" &
c=$!
check "input that stays open" until_ok 20 grep -q 'F first' "$WORLD/b-open/log"
echo second | client open -i >/dev/null
wait $c
is "a second client goes on" "$(tr '\n' ' ' <"$WORLD/o")" "first second end "

start tty true -t 'stty -echo; while read a; do [ "$a" = q ] && exit 3; stty size; done'
(printf 'ab\020\021more'; sleep 1) | client tty -t -i >"$WORLD/o"
is "the detach keys end the client only" "$?:$(ended && echo ended)" 0:
echo "1 40 90" >"$WORLD/b-tty/ctl"
head -c 300 /dev/zero | tr '\0' x >"$WORLD/b-tty/ctl"
echo >"$WORLD/b-tty/ctl"
# A line has the size said; the words to ctl and to the terminal take different ways.
says() { echo; sleep 0.1; grep -q "^$1" "$WORLD/o"; }
: >"$WORLD/o"
(until_ok 20 says "40 90"; echo "1 41 91" >"$WORLD/b-tty/ctl"; until_ok 20 says "41 91"; echo q; until_ok 20 ended) |
	client tty -t -i >"$WORLD/o"
is "resized by ctl, which a long line does not wedge" "$(tr -d '\r' <"$WORLD/o" | grep '^4' | uniq | tr '\n' ' ')" "40 90 41 91 "
check "end of it" until_ok 20 ended

start reopen false "" 'echo old; read x <>/go; echo new; read x <>/go'
check "log before" until_ok 20 grep -q old "$WORLD/b-reopen/log"
ino=$(stat -c %i "$WORLD/b-reopen/log")
exec 7<"$WORLD/b-reopen/log"
echo "2 0 0" >"$WORLD/b-reopen/ctl"
until_ok 20 sh -c "[ \"\$(stat -c %i '$WORLD/b-reopen/log')\" != $ino ]"
echo >"$WORLD/fs/go"
check "log reopened by ctl" until_ok 20 grep -q 'F new$' "$WORLD/b-reopen/log"
check "it is another file" test "$ino" != "$(stat -c %i "$WORLD/b-reopen/log")"
check "who has the old one open keeps it" grep -q 'F old$' <&7
exec 7<&-
echo >"$WORLD/fs/go"

start lone false "" 'read x <>/go; seq 30000; echo last; read x <>/go'
worker=$(pgrep -P "$mon" pod-monitor-std)
kill -KILL "$mon"
echo >"$WORLD/fs/go"
check "the worker serves on when the privileged half was killed" until_ok 20 grep -q 'F last$' "$WORLD/b-lone/log"
echo >"$WORLD/fs/go"
check "and ends with the streams" until_ok 20 test ! -e "/proc/$worker/fd/3"
start half false "" 'read x <>/go; echo lost; exit 8'
kill -KILL "$(pgrep -P "$mon" pod-monitor-std)"
sleep 0.2
echo >"$WORLD/fs/go"
check "the end is recorded when the worker was killed" until_ok 20 ended

# A worker that asks for new log files without end, until it hears of the container's.
mkdir -p "$WORLD/own/bin" "$WORLD/own/libexec/pod"
cp "$BIN/pod-monitor" "$WORLD/own/bin/"
cat >"$WORLD/own/libexec/pod/pod-monitor-stdio" <<-'END'
	#!/usr/bin/env python3
	import os, socket, struct
	LOG, RUN, DRAIN, ROTATE, LOGGED = 0x511, 0x513, 0x514, 0x516, 0x517
	s = socket.socket(fileno=3)
	def send(number, seq, body):
	    s.send(struct.pack(">4sHcIcQ", b"\x95\xcc\x01\xcd", number, b"\xce", seq, b"\xcf", 0) + body)
	def until(number):
	    while True:
	        got = s.recv(4096)
	        if got == b"" or got[4:6] == struct.pack(">H", number):
	            break
	until(RUN)
	flood = []
	for i in range(3):
	    flood.append(os.fork())
	    while flood[i] == 0:
	        send(ROTATE, 1, b"\x81\xa5index\x00")
	until(DRAIN)
	for pid in flood:
	    os.kill(pid, 9)
	send(LOGGED, 0, b"\x80")
END
chmod 755 "$WORLD/own/libexec/pod/pod-monitor-stdio"
monitor=$WORLD/own/bin/pod-monitor start flood false "" 'read x <>/go; exit 5'
ino=$(stat -c %i "$WORLD/b-flood/log")
until_ok 20 eval "[ \$(stat -c %i '$WORLD/b-flood/log' 2>/dev/null || echo $ino) != $ino ]"
echo >"$WORLD/fs/go"
check "a worker that has been taken over, and never stops asking, does not hide the end" until_ok 20 ended
ended || kill -KILL "$mon"

# Nor is one cut off that goes on with its logs for long: output would be lost.
python3 - "$WORLD/own/libexec/pod/pod-monitor-stdio" "$WORLD/went-on" <<-'END'
	import sys
	s = open(sys.argv[1]).read()
	s = s[:s.index("flood =")] + """until(DRAIN)
	import time
	for i in range(4):
	    time.sleep(3)
	    send(ROTATE, 1, b"\\x81\\xa5index\\x00")
	    until(LOG)
	open("%s", "w")
	send(LOGGED, 0, b"\\x80")
	""" % sys.argv[2]
	open(sys.argv[1], "w").write(s)
END
monitor=$WORLD/own/bin/pod-monitor start long false "" 'exit 5'
check "nor is one cut off that goes on with its logs" until_ok 20 test -e "$WORLD/went-on"
check "and the end is told then" until_ok 10 ended
ended || kill -KILL "$mon"

start drop false "" 'read x <>/go'
uid=$(awk '/^Uid/ { print $2 }' "/proc/$(pgrep -P "$mon" pod-monitor-std)/status")
caps=$(awk '/^Cap(Prm|Eff|Bnd|Amb)/ { print $2 }' "/proc/$(pgrep -P "$mon" pod-monitor-std)/status" | sort -u)
filter=$(awk '/^Seccomp:/ { print $2 }' "/proc/$(pgrep -P "$mon" pod-monitor-std)/status")
is "the half that reads output has no capability, and a filter" "$caps:$filter" 0000000000000000:2
[ "$(id -u)" != 0 ] || is "and is nobody" "$uid" 65534
echo >"$WORLD/fs/go"
finish
