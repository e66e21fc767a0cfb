#!/bin/bash
# SPDX-License-Identifier: ISC
# Checkpoint archives across engines, with the memory: Podman's goes on here, and ours in Podman.  Needs Podman, a CRIU
# that works with this kernel and a runtime that uses it; 930 has the rest of such archives, without memory.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" != 0 ] || ! runc checkpoint --help >/dev/null 2>&1 || ! criu_works || ! podman --version >/dev/null 2>&1; then
	skip "checkpoint archives across engines" "no Podman, no CRIU that works here, or no runc"
	finish
fi
[ -n "${ENGINES_INSIDE:-}" ] || ENGINES_INSIDE=1 exec unshare -m --propagation private bash "$0" "$@"
world
cd "$WORLD" || exit 1
umount /sys/fs/cgroup/unified 2>/dev/null
# Podman's volumes are where an archive of ours says.
mkdir -p peer /var/lib/containers/storage
mount --bind peer /var/lib/containers/storage
peer() { podman --runroot "$WORLD/peerrun" --tmpdir "$WORLD/peertmp" --cgroup-manager cgroupfs --events-backend file --network-config-dir "$WORLD/peernets" --runtime runc "$@" 2>>peer.err; }
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --runtime runc "$@"; }
at_end() { peer rm -f -a -t 0 >/dev/null; umount -l /var/lib/containers/storage/overlay /var/lib/containers/storage 2>/dev/null; }
mkdir -p fs/{bin,tmp,proc,dev,sys,etc,run}
cp /bin/busybox fs/bin/
for name in sh sleep cat; do ln -s busybox fs/bin/$name; done
tar -C fs --owner=0 --group=0 -c . | store import localhost/bb >/dev/null
pod save -q -o bb.tar localhost/bb && peer load -q -i bb.tar >/dev/null
count='i=0; while :; do i=$((i+1)); echo $i >/tmp/n; sleep 0.2; done'
limit='--ulimit nofile=1024:1024 --ulimit nproc=1024:1024'
# at_least ENGINE CONTAINER N: it has counted that far
at_least() { [ "$("$1" exec "$2" cat /tmp/n)" -ge "$3" ] 2>/dev/null; }

# shellcheck disable=SC2086
peer run -d $limit --network none --name theirs -v theirs:/v localhost/bb sh -c "echo kept >/v/f; $count" >/dev/null
check "Podman's counts" until_ok 60 at_least peer theirs 3
is "Podman exports it" "$(peer container checkpoint -e theirs.tar --compress none theirs)" theirs
is "it goes on here" "$(pod container restore -i theirs.tar 2>err | wc -c; cat err)" 65
check "from where it was" until_ok 60 at_least pod theirs 4
is "with its volume" "$(pod exec theirs cat /v/f)" kept
pod rm -f -t 0 theirs >/dev/null

pod run -d $limit --network none --name ours -v ours:/v localhost/bb sh -c "echo kept >/v/f; $count" >/dev/null
check "ours counts" until_ok 60 at_least pod ours 3
is "exported" "$(pod container checkpoint -e ours.tar --compress none ours)" ours
is "it goes on in Podman" "$(peer container restore -i ours.tar | wc -c)" 65
[ -n "$(peer ps -q)" ] || { sed 's/^/# /' peer.err; finish; }
check "from where ours was" until_ok 60 at_least peer ours 4
is "with the volume of ours" "$(peer exec ours cat /v/f)" kept
finish
