#!/bin/bash
# SPDX-License-Identifier: ISC
# Whoever floods one published port of an ordinary user with connections does not close the others.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null; then
	skip "a flood on a port of an ordinary user" "pasta is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
port=$(free_port) other=$(free_port)
pod network create one >/dev/null
# The worker that carries the ports has this limit from the first command that needs it.
(ulimit -n 400 && pod run -d --name flooded --network one -p "127.0.0.1:$port:80" $box httpd -f -p 80 -h /www >/dev/null)
pod run -d --name web --network one -p "127.0.0.1:$other:80" $box httpd -f -p 80 -h /www >/dev/null
worker=$(pgrep -u "$(id -u)" -x pod-net-forward)
is "the worker has the limit" "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$worker/limits")" "400 400"
is "both answer" "$(until_ok 20 curl -s -m 5 "http://127.0.0.1:$port/") $(until_ok 20 curl -s -m 5 "http://127.0.0.1:$other/")" "hello from pod hello from pod"
fds=()
for _ in $(seq 300); do exec {fd}<>"/dev/tcp/127.0.0.1/$port" && fds+=("$fd"); done
is "300 clients of one port" "${#fds[@]}" 300
taken() { [ "$(ls "/proc/$worker/fd" | wc -l)" -ge 100 ]; }
check "as many of them are served as are its share" until_ok 20 taken
is "the other port answers" "$(curl -s -m 10 "http://127.0.0.1:$other/")" "hello from pod"
for fd in "${fds[@]}"; do exec {fd}>&-; done
is "and so does the first, when they have gone" "$(until_ok 20 curl -s -m 5 "http://127.0.0.1:$port/")" "hello from pod"
EOF2
