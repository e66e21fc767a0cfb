#!/bin/bash
# SPDX-License-Identifier: ISC
# Small things that containers rely on: names and homes that they find in /etc, whatever is mounted there.
. "$(dirname "$0")/../lib.sh"
world

behaviours() {
	local run="pod run --rm --net none" home
	mkdir -p "$WORLD/d"
	echo own >"$WORLD/own"
	is "a volume on /etc: names of the container are there" "$(pod run --rm --net host --name boxed --hostname box -v etc:/etc img sh -c 'grep -c "box boxed" /etc/hosts; cat /etc/hostname; grep -c nameserver /etc/resolv.conf >/dev/null || echo no')" "1
box"
	is "nothing of it stays in the volume" "$($run --no-hosts --no-hostname -v etc:/etc img cat /etc/hosts /etc/hostname)" ""
	is "nor where a directory of the host is" "$($run --hostname box -v "$WORLD/d:/etc" img cat /etc/hostname; cat "$WORLD/d/hostname" "$WORLD/d/hosts")" box
	is "a file of the user's own wins" "$($run -v "$WORLD/own:/etc/hosts" img cat /etc/hosts)" own
	is "a tmpfs on /run has no .containerenv" "$($run --tmpfs /run img ls -A /run)" ""
	is "on the host's network: its name" "$(pod run --rm --net host img sh -c 'hostname; cat /etc/hostname')" "$(uname -n)
$(uname -n)"
	is "or the one that is given" "$(pod run --rm --net host --hostname box img hostname)" box
	is "an unknown user: the working directory is the home" "$($run -u 4242:4242 -w /tmp img sh -c 'echo $HOME; grep -c "^4242:.*:/tmp:/bin/sh" /etc/passwd')" "/tmp
1"
	is "without a line: /" "$($run -u 4242:4242 -w /tmp --passwd=false img sh -c 'echo $HOME')" /
	home=$(getent passwd daemon | cut -d: -f6)
	is "--hostuser: so is it for accounts of the host" "$($run --hostuser daemon -w /tmp img sh -c 'grep "^daemon:" /etc/passwd | cut -d: -f6')" /tmp
	is "--hostuser: a home that is mounted stays one" "$($run --hostuser daemon -v "$WORLD/d:$home" img sh -c 'grep "^daemon:" /etc/passwd | cut -d: -f6')" "$home"
	pod run -v absent:/v:nocreate img true 2>"$WORLD/err"
	is "run of nocreate: found before anything is made" "$? $(cat "$WORLD/err") $(pod ps -aq) $(pod volume ls -q)" "125 Error: volume absent does not exist and its creation was disabled: no such volume  etc"
	pod volume rm etc >/dev/null
	# root of the image is in wheel, which this map leaves out
	is "groups that the map of IDs leaves out are not set" "$($run --uidmap 0:1:5 img sh -c 'id -G; cat /proc/self/gid_map | tr -s " "' 2>"$WORLD/err"; cat "$WORLD/err" | grep -c 'Additional gid=10 is not present in the user namespace, skip setting it')" "0
 0 1 5
1"
	pod run -d --name mapped --net none --uidmap 0:1:5 img sleep 1000 >/dev/null 2>&1
	is "nor by exec" "$(pod exec mapped id -G 2>/dev/null)" 0
	pod rm -f -t 0 mapped >/dev/null
}
keep_id() {
	local run="pod run --rm --net none --userns keep-id"
	# Whatever ID this user has, the image has no account for it.
	mkdir "$WORLD/nobody"
	tar -C "$LIB_DIR/user-fs" -c . | tar -C "$WORLD/nobody" -x
	sed -i /alice/d "$WORLD/nobody/etc/passwd"
	tar -C "$WORLD/nobody" --owner=0 --group=0 -c . | store import nobody >/dev/null
	is "keep-id: a home that is mounted stays one" "$($run -v "$HOME:$HOME" nobody sh -c 'echo $HOME; tail -n 1 /etc/passwd | cut -d: -f1,6')" "$HOME
$(id -un):$HOME"
	is "keep-id: one that is not is none" "$($run -w /tmp nobody sh -c 'echo $HOME')" /tmp
}
for group in "" container image volume network system; do
	is "pod $group --help: in the order of the alphabet" "$(pod $group --help | sed -n '/^Available/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort -c 2>&1)" ""
done
busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
behaviours
{
	declare -f behaviours keep_id
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; behaviours; keep_id'
} | user_part
