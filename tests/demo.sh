#!/bin/bash
# SPDX-License-Identifier: ISC
# make demo: an image made of busybox, a container that serves a page on its own network, and the page.
set -eu
bin=${BUILD:?}/bin
work=$(mktemp -d)
pod() { "$bin/pod" --root "$work/root" --runroot "$work/run" "$@"; }
# An ordinary user's layers belong to the user's namespace, which a process keeps until "migrate".  What the monitor
# starts at a container's end may look once more whether there is something to do.
clean() {
	pod rm -f -t 0 demo >/dev/null 2>&1 || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if [ "$(id -u)" != 0 ]; then
			pod unshare rm -rf "$work/root" || :
			pod system migrate || :
		fi
		rm -rf "$work" 2>/dev/null || :
		sleep 0.2
		[ -e "$work" ] || return 0
	done
	rm -rf "$work"
}
trap clean EXIT

mkdir -p "$work/fs/bin" "$work/fs/www"
cp /bin/busybox "$work/fs/bin/"
for a in sh httpd wget cat; do ln -s busybox "$work/fs/bin/$a"; done
echo "Hello from a container, over its own network." >"$work/fs/www/index.html"
tar -C "$work/fs" -c . | "$bin/pod-store" --root "$work/root" --runroot "$work/run" import localhost/demo >/dev/null
pod run -d --name demo -p 127.0.0.1::80 localhost/demo httpd -f -h /www >/dev/null
port=$(pod inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' demo)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	busybox wget -q -O - "http://127.0.0.1:$port/" && exit 0
	sleep 0.2
done
exit 1
