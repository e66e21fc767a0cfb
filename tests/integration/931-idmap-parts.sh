#!/bin/bash
# SPDX-License-Identifier: ISC
# --rootfs DIR:idmap, and parts of images that are mounted, also writable.
. "$(dirname "$0")/../lib.sh"
world
cd "$WORLD" || exit 1
rootfs "$WORLD/fs"
mkdir -p fs/data/deep fs/out
echo part >fs/data/deep/f
ln -s /data/deep fs/link
ln -s ../../../../../../../../etc fs/up
ln -s /nosuch fs/dangling
image=localhost/bb
if [ "$(id -u)" = 0 ]; then busybox_image $image >/dev/null; else tar -C fs -c . | store import $image >/dev/null; fi
run() { pod run --rm --network none "$@"; }

# Checks of parts, for root and user alike
parts=$(cat <<'E2'
m="--mount type=image,src=$image,dst=/m"
is "a part" "$(run $m,subpath=data/deep $image cat /m/f)" part
is "a part that can be written" "$(run $m,rw=true,subpath=data $image sh -c 'echo new >/m/n; echo more >>/m/deep/f; cat /m/n /m/deep/f; ls /m' | tr '\n' ' ')" "new part more deep n "
is "the image stays as it was" "$(run $m $image sh -c 'ls /m/data; cat /m/data/deep/f' | tr '\n' ' ')" "deep part "
is "one file" "$(run $m,subpath=data/deep/f $image cat /m)" part
is "one file that can be written" "$(run $m,rw=true,subpath=/data/deep/f $image sh -c 'echo more >>/m; cat /m' | tr '\n' ' ')" "part more "
is "a part is not written by default" "$(run $m,subpath=data $image touch /m/x 2>&1 | grep -c 'Read-only')" 1
is "a link leads to a place in the image" "$(run $m,subpath=link $image ls /m)" f
is "also if it can be written" "$(run $m,rw=true,subpath=link $image ls /m)" f
is "one that points outside too" "$(run $m,rw=true,subpath=up $image cat /m/passwd | head -n 1 | cut -d: -f1) $(run $m,rw=true,subpath=up $image grep -c . /m/passwd)" "root 2"
for bad in nosuch dangling link/../../nosuch; do
	run_fails "what is missing: $bad" 127 "no such file" $m,rw=true,subpath=$bad $image true
	run_fails "what is missing: $bad, read-only" 127 "no such file" $m,subpath=$bad $image true
done
# What one run wrote is gone with the next start, and a link that it put there with it.
pod run -d --name keeps --network none --stop-timeout 0 $m,rw=true,subpath=data $image sleep 1000 >/dev/null
pod exec keeps sh -c 'echo kept >/m/k; rm -r /m/deep; ln -s /etc /m/deep'
pod restart -t 0 keeps >/dev/null
is "after a restart it is as the image has it" "$(pod exec keeps ls /m /m/deep | tr -s '\n' ' ')" "/m: deep /m/deep: f "
pod rm -f -t 0 keeps >/dev/null
E2
)
eval "$parts"

if [ "$(id -u)" = 0 ]; then
	# --- A directory of root's, shown to a user namespace
	chown -R 0:0 fs && chown 1000:1000 fs/home/alice
	own="--uidmap 0:200000:65536 --gidmap 0:200000:65536"
	if is_mapped=$(run $own --rootfs "$WORLD/fs:idmap" stat -c %u:%g /bin/busybox /home/alice 2>err | tr '\n' ' '); [ -z "$is_mapped" ] && grep -q 'only on file systems' err; then
		skip "idmap" "this file system has no idmapped mounts"
	else
		is "without idmap it is nobody's" "$(run $own -v "$WORLD/fs:/m" $image stat -c %u:%g /m/bin/busybox)" 65534:65534
		is "with it to who it belonged" "$is_mapped" "0:0 1000:1000 "
		run $own --rootfs "$WORLD/fs:idmap" touch /home/alice/made /made
		is "what is written too" "$(stat -c %u:%g fs/made)" 0:0
		is "with an overlay" "$(run $own --rootfs "$WORLD/fs:O,idmap" sh -c 'touch /over; stat -c %u:%g /over /home/alice' | tr '\n' ' ')" "0:0 1000:1000 "
		is "which leaves the directory alone" "$(ls fs/over 2>/dev/null)" ""
		is "other maps" "$(run --rootfs "$WORLD/fs:idmap=uids=0-500-10#1000-700-1;gids=0-600-2000" stat -c %u:%g /bin/busybox /home/alice | tr '\n' ' ')" "500:600 700:1600 "
		is "relative to the container's" "$(run $own --rootfs "$WORLD/fs:idmap=uids=0-@7-1;gids=0-@8-1" stat -c %u:%g /bin/busybox)" 7:8
		is "what is not named has no owner" "$(run --rootfs "$WORLD/fs:idmap=uids=0-0-1;gids=0-0-1" stat -c %u:%g /home/alice)" 65534:65534
		pod run -d --name again $own --network none --stop-timeout 0 --rootfs "$WORLD/fs:idmap" sleep 1000 >/dev/null
		pod restart -t 0 again >/dev/null
		is "after a restart" "$(pod exec again stat -c %u /bin/busybox)" 0
		pod rm -f -t 0 again >/dev/null
	fi
	run_fails "no maps at all" 125 "needs maps of users and of groups" --rootfs "$WORLD/fs:idmap" true
	run_fails "maps of users only" 125 "needs maps of users and of groups" --rootfs "$WORLD/fs:idmap=uids=0-0-1" true
	for bad in foo=1 uids=0-0 "uids=0-0-1#" uids=0-0-0 uids=0-4294967295-2 "uids=0-0-1x" "uids=0-@0-1;gids=0-0-1" "uids=0-0-1;uids=0-0-1"; do
		run --rootfs "$WORLD/fs:idmap=$bad" true >/dev/null 2>err
		is "refused: idmap=$bad" "$? $(grep -c 'invalid idmap option' err)" "125 1"
	done
	is "nothing is left of them" "$(pod ps -aq | wc -l)" 0
fi
rm -rf fs/run fs/etc/hosts fs/etc/hostname fs/etc/resolv.conf fs/made fs/home/alice/made
chmod -R a+rX fs
declare -p parts >parts.sh
chmod 644 parts.sh
user_part <<'E3'
. "$LIB_DIR/parts.sh"
cd "$WORLD"
image=localhost/bb
cp -r "$LIB_DIR/fs" fs
tar -C fs --owner=0 --group=0 -c . | store import $image >/dev/null
run() { pod run --rm --network none "$@"; }
eval "$parts"
run_fails "a directory of a file system that is not the user's" 125 "the kernel does so only on file systems that can" --uidmap 0:1:1000 --gidmap 0:1:1000 --rootfs "$WORLD/fs:idmap" true
mkdir mine
pod unshare sh -c "mount -t tmpfs -o mode=755 none '$WORLD/mine' && cp -r '$WORLD/fs/.' '$WORLD/mine' && chown -R 0:0 '$WORLD/mine'"
if got=$(run --uidmap 0:1:1000 --gidmap 0:1:1000 --rootfs "$WORLD/mine:idmap" stat -c %u:%g /bin/busybox 2>err); grep -q 'only on file systems' err; then
	skip "a file system of the user's own" "this kernel maps no owners of it"
else
	is "a file system of the user's own" "$got" 0:0
	is "without idmap it is somebody else's" "$(run --uidmap 0:1:1000 --gidmap 0:1:1000 -v "$WORLD/mine:/m" $image stat -c %u:%g /m/bin/busybox)" 65534:65534
fi
pod unshare umount "$WORLD/mine"
E3
