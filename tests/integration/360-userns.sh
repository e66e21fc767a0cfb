#!/bin/bash
# SPDX-License-Identifier: ISC
# Containers in user namespaces of their own: who owns what, inside, outside and on disk.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
if [ "$(id -u)" = 0 ]; then
	run() { pod run --rm "$@"; }
	is "--uidmap: the map is the one asked for" "$(run --uidmap 0:100000:65536 localhost/bb cat /proc/self/uid_map | tr -s ' ')" " 0 100000 65536"
	is "the image's files belong to root inside" "$(run --uidmap 0:100000:65536 localhost/bb stat -c %u:%g / /bin/busybox | tr '\n' ' ')" "0:0 0:0 "
	is "the engine's files too" "$(run --uidmap 0:100000:65536 localhost/bb sh -c 'echo >>/etc/hosts && stat -c %u /etc/hosts /etc/resolv.conf' | tr '\n' ' ')" "0 0 "
	is "a user of the image finds his home his own" "$(run --uidmap 0:100000:65536 -u alice localhost/bb sh -c 'id -u; touch /tmp/a; stat -c %u /tmp/a')" "1000
1000"
	pod run --name m --uidmap 0:100000:65536 localhost/bb sh -c 'touch /mine; chown 7:8 /mine; rm /www/index.html; mkdir /w; echo x >/etc/new' || not_ok "a container that writes"
	is "what it wrote lies on disk with its own ids" "$(stat -c %u:%g "$ROOT"/rw/*/upper/mine)" 7:8
	is "diff knows nothing of the map" "$(store diff "$(pod inspect -f "{{.Id}}" m)" | grep -c -e mine -e index.html)" 2 # A, D
	check "it starts again" pod start m
	pod rm -f -t 0 m >/dev/null
	run --uidmap 0:100000:65536 -v vol:/home/alice localhost/bb sh -c 'stat -c %u:%g /home/alice; touch /home/alice/f' >/dev/null
	is "a new volume has the image's owner, mapped" "$(stat -c %u:%g "$ROOT/volumes/vol/_data")" 100000:100000
	is "a file in it too" "$(stat -c %u:%g "$ROOT/volumes/vol/_data/f")" 100000:100000
	is "the container's root may set its network's sysctls and bind low ports" \
		"$(run --uidmap 0:100000:65536 localhost/bb sh -c 'cat /proc/sys/net/ipv4/ping_group_range; timeout 1 nc -l -p 80 >/dev/null 2>&1; echo $?' | tr -s '\t\n' '  ')" "0 0 143 "
	is "--network none" "$(run --network none --uidmap 0:100000:65536 localhost/bb id -u)" 0
	is "--userns keep-id by root is an identity map" "$(run --userns keep-id localhost/bb sh -c 'id -u; stat -c %u /bin')" "0
0"
	pod run -d --name x --uidmap 0:200000:70000 localhost/bb sleep 100 >/dev/null
	is "exec joins it" "$(pod exec x sh -c 'touch /e; stat -c %u /e; cat /proc/self/uid_map' | tr -s ' \n' ' ')" "0 0 200000 70000 "
	is "its process runs as the mapped root" "$(stat -c %u /proc/"$(pod inspect -f '{{.State.Pid}}' x)")" 200000
	pod rm -f -t 0 x >/dev/null
	if command -v runc >/dev/null; then
		is "the same with runc" "$(run --runtime runc --uidmap 0:100000:65536 localhost/bb stat -c %u:%g / 2>&1)" 0:0
	fi
	run --uidmap 1:100000:100 localhost/bb true 2>"$WORLD/err"
	check "a map without root is refused in words" grep -q 'ID 0 is not mapped' "$WORLD/err"
	is "nothing stays mounted" "$(grep -c "$WORLD" /proc/mounts)" 0
fi
user_part <<'EOF'
rootfs "$WORLD/fs"
busybox_image localhost/bb >/dev/null
run() { pod run --rm "$@"; }
is "user: keep-id keeps the id" "$(run --userns keep-id localhost/bb id -u)" "$(id -u)"
is "user: root's files stay root's" "$(run --userns keep-id localhost/bb stat -c %u:%g / /bin/busybox /tmp | tr '\n' ' ')" "0:0 0:0 0:0 "
is "user: links are kept" "$(run --userns keep-id localhost/bb readlink /bin/ls)" busybox
mkdir share && echo hi >share/f
is "user: a bind mount is the user's own" "$(run --userns keep-id -v "$PWD/share:/s" localhost/bb sh -c 'echo new >/s/g && stat -c %u /s/f /s/g' | sort -u)" "$(id -u)"
is "user: keep-id:uid=,gid=" "$(run --userns keep-id:uid=2000,gid=3000 localhost/bb sh -c 'id -u; id -g' | tr '\n' ' ')" "2000 3000 "
pod run --name k --network none --userns keep-id -u 0 localhost/bb sh -c 'touch /mine; chown 12 /mine'
check "user: such a container starts again" pod start -a k
is "user: the layer was copied once" "$(ls -d "$ROOT"/layers/*/map-* | wc -l)" 2
pod rm -f -t 0 k >/dev/null
is "user: uidmap" "$(run --uidmap 0:1:1000 localhost/bb sh -c 'id -u; stat -c %u /bin; cat /proc/self/uid_map' | tr -s ' \n' ' ')" "0 0 0 1 1000 "
is "user: nomap" "$(run --userns nomap localhost/bb sh -c 'id -u; stat -c %u /bin' | tr '\n' ' ')" "0 0 "
is "user: what a volume holds is mapped" "$(run --userns nomap -v vol:/www localhost/bb stat -c %u:%g /www/index.html)" 0:0
pod rmi -f localhost/bb >/dev/null
is "user: copies go with the image" "$(ls "$ROOT/layers")" ""
EOF
