#!/bin/bash
# SPDX-License-Identifier: ISC
# Mounts of run: overlays, owners, parts of volumes, images, patterns, other containers' volumes, a root file
# system without an image, systemd's directories.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/mounts
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
dir=$WORLD/dir
mkdir -p "$dir/sub"
echo a >"$dir/a"
echo b >"$dir/sub/b"
ln -s /etc/passwd "$dir/link"

# --- Overlays
is "-v …:O shows the source and takes what is written" \
	"$(run -v "$dir:/m:O" $image sh -c 'echo x >/m/new; rm /m/a; ls /m' | xargs)" "link new sub"
is "which leaves the source as it was" "$(ls "$dir" | xargs)" "a link sub"
check "and nothing behind" until_ok 20 nothing_in "$ROOT/containers"
mkdir "$WORLD/up" "$WORLD/work"
run -v "$dir:/m:O,upperdir=$WORLD/up,workdir=$WORLD/work" $image sh -c 'echo kept >/m/new'
is "upperdir= keeps it" "$(cat "$WORLD/up/new")" kept
is "for the next one" "$(run -v "$dir:/m:O,upperdir=$WORLD/up,workdir=$WORLD/work" $image cat /m/new)" kept
pod run -d --name over --network none -v "$dir:/m:O" $image sh -c 'ls /m; touch /m/again; sleep 100' >/dev/null
pod restart -t 0 over >/dev/null
is "an overlay without upperdir= begins anew at each start" "$(until_ok 20 pod logs over | sort | uniq -c | grep -c again)" 0
pod rm -f -t 0 over >/dev/null
run -v named:/m $image sh -c 'echo v >/m/in'
is "O works over a named volume" "$(run -v named:/m:O $image sh -c 'rm /m/in; echo gone')" gone
is "which keeps its content" "$(run -v named:/m $image cat /m/in)" v

# --- Owners
run -v "$dir:/m:U" -u 1000:1000 $image true
is "U gives the source to the container's user" "$(stat -c %u:%g "$dir/sub/b" | xargs)" 1000:1000
is "links and what they lead to keep apart" "$(stat -c %u /etc/passwd):$(stat -c %u "$dir/link")" 0:1000
chown -hR 0:0 "$dir"
is "chown=true is the same" "$(run --mount "type=bind,src=$dir,dst=/m,chown=true" -u 5 $image stat -c %u /m/a)" 5
chown -hR 0:0 "$dir"
run -v owned:/m:U -u 1000:1000 $image touch /m/x
is "U for a volume" "$(run -v owned:/m $image stat -c %u /m)" 1000

# --- Parts of volumes
run -v parts:/v $image sh -c 'mkdir -p /v/s/t; echo part >/v/s/t/f; ln -s /etc /v/out; ln -s ../../.. /v/up'
is "subpath: a directory" "$(run --mount type=volume,src=parts,dst=/m,subpath=s/t $image ls /m)" f
is "subpath: a file" "$(run --mount type=volume,src=parts,dst=/m,subpath=/s/t/f $image cat /m)" part
run_fails "subpath: a link cannot lead out" 127 "no such file" --mount type=volume,src=parts,dst=/m,subpath=out/passwd $image true
is "nor can .." "$(run --mount type=volume,src=parts,dst=/m,subpath=up/s $image ls /m)" t
run_fails "subpath: what is missing" 127 "no such file" --mount type=volume,src=parts,dst=/m,subpath=nosuch $image true

# --- Images and patterns
is "type=image" "$(run --mount type=image,src=$image,dst=/m $image cat /m/www/index.html)" "hello from pod"
run_fails "is read-only" 1 "Read-only file system" --mount type=image,src=$image,dst=/m $image touch /m/x
is "unless rw=true" "$(run --mount type=image,src=$image,dst=/m,rw=true $image sh -c 'touch /m/x; ls /m/x')" /m/x
mkdir "$WORLD/hostly" && echo host >"$WORLD/hostly/f"
ln -s "$WORLD/hostly" "$WORLD/fs/hostly"
tar -C "$WORLD/fs" --owner=0 --group=0 -c . | store import localhost/hostly >/dev/null
rm "$WORLD/fs/hostly"
run_fails "a link of an image leads to no place of the host" 127 "no such file" --mount type=image,src=localhost/hostly,dst=/m,subpath=/hostly $image ls /m
is "its subpath" "$(run --mount type=image,src=$image,dst=/m,subpath=/www $image ls /m)" index.html
run_fails "an image that is not there" 125 "nosuch" --pull never --mount type=image,src=nosuch,dst=/m $image true
is "type=glob" "$(run --mount "type=glob,src=$dir/*,dst=/m" $image ls /m | xargs)" "a link sub"
is "without a target: where they are" "$(run --mount "type=glob,src=$dir/s*" $image cat "$dir/sub/b")" b
run_fails "a pattern without match" 125 'no file paths matching glob' --mount "type=glob,src=$dir/q*,dst=/m" $image true
is "type=ramfs" "$(run --mount type=ramfs,dst=/m $image sh -c 'grep -c " /m ramfs" /proc/mounts')" 1
is "type=devpts" "$(run --mount type=devpts,dst=/m,max=7 $image sh -c 'grep -c " /m devpts.*max=7" /proc/mounts')" 1

# --- From other containers
pod create --name source -v parts:/v:ro -v "$dir:/d" $image true >/dev/null
is "--volumes-from" "$(run --volumes-from source $image sh -c 'cat /v/s/t/f /d/a' | xargs)" "part a"
run_fails "keeps read-only" 1 "Read-only file system" --volumes-from source $image touch /v/x
check "unless rw is asked for" run --volumes-from source:rw $image touch /v/x
run_fails "ro makes all so" 1 "Read-only file system" --volumes-from source:ro $image touch /d/x
is "what the user mounts wins" "$(run --volumes-from source -v parts:/d $image cat /d/s/t/f)" part
pod run -d --name user --network none --volumes-from source $image sleep 100 >/dev/null
run_fails "a container others stand on stays" 125 "no container" --volumes-from nosuch $image true
pod rm source >/dev/null 2>"$WORLD/err"
is "and cannot be removed" "$(grep -c 'has dependent containers' "$WORLD/err")" 1
pod start source >/dev/null
pod rm -f -t 0 user >/dev/null
pod rm source >/dev/null

# --- What others need is not stopped by an attempt to remove it
pod run -d --name base --network none $image sleep 1000 >/dev/null
pod create --name top1 --network none --requires base $image true >/dev/null
pod create --name top2 --network none --requires base $image true >/dev/null
ids=$(pod ps -aq --no-trunc --filter 'name=^top[12]$' --sort id | xargs | sed 's/ /, /')
for words in base "-t 0 base" "base nosuch" "-t 0 base nosuch"; do
	pod rm -f $words >/dev/null 2>"$WORLD/err"
	is "rm -f $words: refused" "$?" 2
	is "... the others are named" "$(sed 's/.*before it: \(.*\): container already exists$/\1/' "$WORLD/err")" "$ids"
	is "... and it runs on" "$(pod inspect --format '{{.State.Status}}' base)" running
done
pod pause base 2>/dev/null >"$WORLD/paused"
pod rm -f -t 0 base >/dev/null 2>&1
is "nor is it thawed" "$(pod inspect --format '{{.State.Status}}' base)" "$([ -s "$WORLD/paused" ] && echo paused || echo running)"
is "with --depend all go" "$(pod rm -f -t 0 --depend base | wc -l)" 3

# --- No image
is "--rootfs" "$(run --rootfs "$WORLD/fs" cat /www/index.html)" "hello from pod"
run --rootfs "$WORLD/fs:O" touch /written
is "--rootfs DIR:O leaves the directory alone" "$(ls "$WORLD/fs/written" 2>/dev/null)" ""
run --rootfs "$WORLD/fs" touch /written
is "without it, it is written to" "$(ls "$WORLD/fs/written")" "$WORLD/fs/written"
is "its passwd counts" "$(run -u alice --rootfs "$WORLD/fs" id -u)" 1000
run_fails "a directory that is missing" 125 "stat /nosuch: no such file or directory" --rootfs /nosuch true

# --- systemd
is "--systemd=always: /run, /tmp and the journal are empty" \
	"$(run --systemd always $image sh -c 'grep -cE " /(run|run/lock|tmp|var/log/journal) tmpfs" /proc/mounts')" 4
is "and the container has a machine ID" "$(run --systemd always $image sh -c 'echo ${#container_uuid}')" 32
is "its stop signal" "$(id=$(pod create --systemd always $image true); pod inspect --format '{{.Config.StopSignal}}' "$id"; pod rm "$id" >/dev/null)" SIGRTMIN+3
is "--shm-size-systemd" "$(run --systemd always --shm-size-systemd 1m $image sh -c 'df -k /run | tail -1' | awk '{print $2}')" 1024
is "--systemd=false" "$(run --systemd false $image sh -c 'grep -cE " /(run|tmp) tmpfs" /proc/mounts')" 0
run_fails "not with --init" 125 "cannot use container-init binary with systemd=always" --init --systemd always $image true

# --- Descriptors
exec 9<"$dir/a"
is "--preserve-fd keeps the number" "$(run --preserve-fd 9 $image sh -c 'cat <&9')" a
is "and hands over nothing else" "$(run --preserve-fd 9 $image sh -c 'for f in 3 4 5 6 7 8; do readlink /proc/self/fd/$f; done' | sort -u)" /dev/null
exec 9<&-
run_fails "a closed one" 125 "file descriptor 9 is not available" --preserve-fd 9 $image true
run_fails "a number that is none" 125 'invalid argument "x" for "--preserve-fd"' --preserve-fd x $image true
is "the host's mount table is as it was" "$(grep -c "$WORLD" /proc/self/mountinfo)" 0
finish
