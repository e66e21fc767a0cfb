#!/bin/bash
# SPDX-License-Identifier: ISC
# Checkpoint and restore where they cannot be, and archives that are none.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
cd "$WORLD" || exit 1
ck() { pod container checkpoint "$@" 2>&1 >/dev/null </dev/null; }
re() { timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" container restore "$@" 2>&1 >/dev/null </dev/null; }
pod run -d --name c --network none localhost/bb sleep 1000 >/dev/null
pod create --name made --network none localhost/bb true >/dev/null

for bad in "" "nosuch" "made" "-a c" "--compress gzip c" "-e a.tar --compress lz4 c" "--ignore-rootfs c" "--ignore-volumes c" "-P --with-previous c" "-e a.tar --create-image i c" "-e a.tar c made" "-e a.tar -a" "--create-image UPPER c" "-P --create-image i c"; do
	# shellcheck disable=SC2086
	ck $bad >/dev/null
	is "refused: checkpoint $bad" "$?" 125
done
for bad in "" "nosuch" "made" "c" "-i a -a" "-i a c" "--name n c" "--ignore-rootfs c" "--ignore-volumes c" "--import-previous a c" "-p 80:80 c" "--tcp-established --tcp-close c" "--tcp-established --name n -i a" "-i nosuch" "localhost/bb" "-i a -p bad"; do
	# shellcheck disable=SC2086
	re $bad >/dev/null
	is "refused: restore $bad" "$?" 125
done
is "what is not running" "$(ck made)" 'Error: "created" is not running, cannot checkpoint: container state improper'
is "an image that is no checkpoint" "$(re localhost/bb)" "Error: localhost/bb: image is not a checkpoint"
is "the archive that is not written leaves no file" "$(ls a.tar 2>/dev/null)" ""

# --- Runtimes
printf '#!/bin/sh\n[ "$1" != checkpoint ] || exit 1\nexec crun "$@"\n' >unable
chmod 755 unable
pod --runtime "$WORLD/unable" run -d --name u --network none localhost/bb sleep 1000 >/dev/null
is "a runtime that cannot" "$(ck u | grep -c 'configured runtime does not support checkpoint/restore')" 1
mkdir path
printf '#!/bin/sh\necho Version: 3.10\n' >path/criu
printf '#!/bin/sh\n[ "$1" != checkpoint ] || exit 0\nexec crun "$@"\n' >able
chmod 755 path/criu able
pod --runtime "$WORLD/able" run -d --name b --network none localhost/bb sleep 1000 >/dev/null
is "a CRIU that is too old" "$(PATH=$WORLD/path:$PATH ck b | grep -c 'requires at least CRIU 31100')" 1
printf '#!/bin/sh\necho Version: 4.1\n' >path/criu
printf '#!/bin/sh\ncase " $* " in *" --help "*) exit 0;; *" checkpoint "*) echo "it broke" >&2; exit 1;; esac\nexec crun "$@"\n' >able
is "what the runtime says is told" "$(PATH=$WORLD/path:$PATH ck b | grep -c 'it broke')" 1
is "and the container runs on" "$(pod inspect -f '{{.State.Status}}' b)" running

# --- Archives
printf 'no archive at all' >text
: >empty
head -c 100000 /dev/urandom >noise
mkdir -p in/checkpoint
tar -cf nothing.tar -C in checkpoint
ln -s /etc/passwd in/checkpoint/restore.log
tar -cf link.tar -C in checkpoint
rm in/checkpoint/restore.log
mkfifo in/checkpoint/pipe
tar -cf pipe.tar -C in checkpoint
rm in/checkpoint/pipe
echo x >in/checkpoint/a
ln in/checkpoint/a in/checkpoint/b
tar -cf hard.tar -C in checkpoint
rm in/checkpoint/b
ln -s ../../../../etc in/checkpoint/parent
tar -cf parent.tar -C in checkpoint
rm in/checkpoint/parent
id=$(printf 'a%.0s' $(seq 64))
conf() { jq -n --arg id "$id" "$2" >in/config.dump; tar -cf "$1" -C in config.dump checkpoint; }
conf noid.tar '{}'
conf badid.tar '{id: "../../etc", name: "x"}'
conf badname.tar '{id: $id, name: "../x"}'
conf podman.tar '{id: $id, name: "x", runtime: "runc"}'
conf nobase64.tar '{id: $id, name: "x", podContainer: "***", podRun: ""}'
conf norecord.tar '{id: $id, name: "x", podContainer: "3QAQAAA=", podRun: "gA=="}'
conf number.tar '{id: $id, name: "x", podContainer: 3, podRun: "gA=="}'
printf '[%.0s' $(seq 100000) >in/config.dump && tar -cf deep.tar -C in config.dump checkpoint
ln -sf /etc/shadow in/config.dump && tar -cf conflink.tar -C in config.dump checkpoint
rm in/config.dump
tar -cf up.tar -C in --transform 's,^checkpoint/a,../../../../../tmp/podtest-escape,' checkpoint
for f in text empty noise *.tar; do
	err=$(re -i "$f")
	is "refused: $f" "$? $(grep -c '^Error: ' <<<"$err")" "125 1"
done
is "a link is named" "$(re -i link.tar)" 'Error: the archive is no checkpoint: "checkpoint/restore.log" is neither a plain file nor a directory'
is "another engine's lacks what it ran with" "$(re -i podman.tar | grep -c 'reading spec.dump')" 1
is "nothing came out of its place" "$(ls /tmp/podtest-escape 2>/dev/null)" ""
is "nothing is left of any of them" "$(ls "$ROOT/containers" | grep -cvxF "$(pod ps -aq --no-trunc)") $(ls "$RUNROOT/locks" "$RUNROOT/tmp/locks" 2>/dev/null | grep -E '^[0-9a-f]{64}$' | grep -cvxF "$(pod ps -aq --no-trunc)") $(pod ps -aq | wc -l)" "0 0 4"

user_part <<'E2'
tar -C "$LIB_DIR/user-fs" -c . | store import localhost/bb >/dev/null
pod run -d --name c --network none localhost/bb sleep 1000 >/dev/null
is "an ordinary user is told" "$(pod container checkpoint c 2>&1)" "Error: checkpointing a container requires root: the kernel lets nobody else do it"
is "also of restoring" "$(pod container restore c 2>&1)" "Error: restoring a container requires root: the kernel lets nobody else do it"
is "and the container runs on" "$(pod inspect -f '{{.State.Status}}' c)" running
E2
