#!/bin/bash
# SPDX-License-Identifier: ISC
# A person before a container: terminal, detach keys, attach, forwarded signals; published ports.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb:latest >/dev/null

P=("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT") # a process of its own, for signals

# tty COMMAND...: runs it on a terminal of its own; what it prints comes without carriage returns
tty() { script -qec "$(printf '%q ' "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@")" /dev/null | tr -d '\r'; }

if command -v script >/dev/null; then
	is "run -t gives a terminal" "$(tty run --rm -t --net none bb sh -c 'test -t 0 && test -t 1 && echo tty' </dev/null)" tty
	is "exec -t gives a terminal" "$(pod run -d --net none --name e bb sleep 100 >/dev/null; tty exec -t e sh -c 'test -t 1 && echo tty' </dev/null)" tty
	pod rm -f -t 0 e >/dev/null
	: >"$WORLD/seen"
	{ until_ok 20 grep -q ready "$WORLD/seen"; printf '\020\021'; until_ok 20 test -e "$WORLD/left"; } | {
		script -qefc "$(printf '%q ' "${P[@]}" run -it --net none --name det bb sh -c 'echo ready; sleep 100')" "$WORLD/seen" >/dev/null
		touch "$WORLD/left"
	}
	is "the detach keys leave it running" "$(pod inspect --format '{{.State.Status}}' det)" running
	pod rm -f -t 0 det >/dev/null
else
	skip "terminals" "script(1) is missing"
fi

"${P[@]}" run --net none --name sig bb sh -c 'trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.1; done' >"$WORLD/sig" &
client=$!
until_ok 20 grep -q up "$WORLD/sig"
kill -USR1 $client
wait $client
is "a signal to the client reaches the process, its status comes back" "$? $(tail -1 "$WORLD/sig")" "9 got"
pod rm sig >/dev/null

pod run -d --net none --name att bb sh -c 'while [ ! -e /go ]; do echo early; sleep 0.1; done; echo late; exit 6' >/dev/null
"${P[@]}" attach att >"$WORLD/att" &
until_ok 20 grep -q early "$WORLD/att"
pod exec att touch /go
wait $!
is "attach shows output and gives the status" "$? $(tail -n 1 "$WORLD/att")" "6 late"
pod rm att >/dev/null

"${P[@]}" run --net none --name kill9 bb sh -c 'echo up; while [ ! -e /go ]; do sleep 0.1; done; exit 2' >"$WORLD/k" &
client=$!
until_ok 20 grep -q up "$WORLD/k"
kill -9 $client
wait $client 2>/dev/null
is "a killed client leaves the container running" "$(pod inspect --format '{{.State.Status}}' kill9)" running
pod exec kill9 touch /go
is "its status is known" "$(pod wait kill9)" 2
until_is "its end is recorded by the monitor" kill9 pod ps -a --filter status=exited --format '{{.Names}}'
pod rm kill9 >/dev/null

is "preserved descriptors" "$(pod run --rm --net none --preserve-fds 1 bb sh -c 'cat <&3' 3<<<hello)" hello
is "only 0, 1 and 2 are open" "$(pod run --rm --net none bb sh -c 'ls /proc/self/fd | tr "\n" " "')" "0 1 2 3 "
is "much output arrives whole" "$(pod run --rm --net none bb sh -c 'head -c 5000000 /dev/zero | tr "\0" x' | wc -c)" 5000000
is "stdin ends the container" "$(printf 'a\nb\n' | pod run --rm -i --net none bb wc -l)" 2

if [ "$(id -u)" = 0 ]; then
	port=$(free_port)
	pod run -d --name web -p "127.0.0.1:$port:80" bb httpd -f -h /www >/dev/null
	is "a published port answers" "$(until_ok 20 busybox wget -q -O - "http://127.0.0.1:$port/")" "hello from pod"
	is "ps shows it" "$(pod ps --format '{{.Ports}}')" "127.0.0.1:$port->80/tcp"
	is "inspect knows it" "$(pod inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' web)" "$port"
	if pod run --rm -p "127.0.0.1:$port:80" bb true 2>/dev/null; then not_ok "a port in use is refused"; else ok "a port in use is refused"; fi
	pod rm -f -t 0 web >/dev/null
	is "the port is free again" "$(pod run --rm -p "127.0.0.1:$port:80" bb echo free)" free
else
	skip "published ports" "not root"
fi
# The size is there before the program's first look at it, however busy the machine is.
sized() { script -qec "stty rows 33 cols 77; $(printf '%q ' "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@")" /dev/null | tr -d '\r'; }
for i in 1 2 3; do
	is "run: the size of the terminal, at once" "$(sized run --rm -t --net none bb busybox stty size)" "33 77"
done
pod create -t --name sized --net none bb busybox stty size >/dev/null
is "start: the size of the terminal, at once" "$(sized start -a sized)" "33 77"
pod rm -f -t 0 sized >/dev/null

finish
