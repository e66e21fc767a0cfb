#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-store by its command face: images in and out, names, removal, mounts, changes, sweeping.
. "$(dirname "$0")/../lib.sh"
world

refused() { ! "$@" 2>"$WORLD/err"; }
works() { store mount "$@" true; }
listed() { ls "$ROOT/$1"; }
empty() { [ -z "$(ls "$ROOT/$1")" ]; }

rootfs "$WORLD/fs"
tar -C "$WORLD/fs" --owner=0 --group=0 --sort=name -c . >"$WORLD/fs.tar"
id=$(store import localhost/base:1 <"$WORLD/fs.tar")
is "import prints the ID of the image" "${#id}" 64
is "list -q prints it" "$(store list -q)" "$id"
is "the image has its name" "$(store list --noheading --format '{{.Name}}')" localhost/base:1
is "list --format json" "$(store list --format json | jq -r '.[0].Id')" "$id"

want=$(sha256sum <"$WORLD/fs.tar")
is "export writes the very stream that was imported" "$(store export base:1 | sha256sum)" "$want"
is "the same through gzip" "$(store export --compress gzip base:1 | gzip -dc | sha256sum)" "$want"
is "the same through zstd" "$(store export --compress zstd base:1 | zstd -dc | sha256sum)" "$want"
gzip -c "$WORLD/fs.tar" >"$WORLD/fs.tgz"
again=$(store import localhost/again:1 <"$WORLD/fs.tgz")
is "a compressed layer is imported" "${#again}" 64
is "and the layer that was there is shared" "$(listed layers | wc -l)" 1
head -c 20000 "$WORLD/fs.tgz" >"$WORLD/short.tgz"
check "a stream that was cut off is refused" refused store import localhost/short:1 <"$WORLD/short.tgz"
check "something else is refused" refused store import localhost/junk:1 </bin/busybox
is "and no image came of them" "$(store list -q | wc -l)" 2
check "nor is anything left of them in staging" until_ok 20 empty tmp

is "mount runs a command in the tree" "$(store mount base:1 cat www/index.html)" "hello from pod"
before=$(wc -l </proc/self/mountinfo)
store mount base:1 sh -c 'echo gone >www/index.html; mkdir d'
is "what it writes goes with it" "$(store mount base:1 cat www/index.html)" "hello from pod"
is "the host's mount table is as it was" "$(wc -l </proc/self/mountinfo)" "$before"
store mount base:1 sh -c 'exit 7'
is "its exit status is the command's" $? 7
check "no read-write layer stays" until_ok 20 empty rw

mkdir "$WORLD/at"
is "mount --at attaches a tree for all to see" "$(store mount --at "$WORLD/at" base:1)" "$WORLD/at"
is "it is there" "$(cat "$WORLD/at/www/index.html")" "hello from pod"
echo kept >"$WORLD/at/kept"
check "an image in use by it stays" refused store rm base:1
check "unmount" store unmount "$WORLD/at"
check "takes it away" empty "../at"
check "and its layer" until_ok 20 empty rw

check "a name is given" store tag base:1 other quay.io/x/y:2
check "a short name is found as localhost/NAME:latest" works other
check "a short name is found in any registry" works y:2
check "a prefix of the ID is found" works "${id:0:12}"
check "the same with sha256:" works "sha256:${id:0:12}"
is "an unknown name" "$(store mount nosuch true 2>&1)" "Error: nosuch: image not known"
is "an image with several names is not removed by its ID" "$(store rm "$id" 2>&1 | sed 's/(.*)/(…)/')" \
	"Error: unable to delete image \"$id\" by ID with more than one tag (…): please force removal"
is "rm of one of several names only takes it" "$(store rm other)" "Untagged: localhost/other:latest"
is "rm -f by ID removes the image" "$(store rm -f "$id" | tail -n 1)" "Deleted: $id"
is "the other image stays" "$(store list -q)" "$again"
is "and its layer, which both had, works" "$(store mount again:1 cat www/index.html)" "hello from pod"
check "the last one goes" store rm again:1
check "and so does its layer" until_ok 20 empty layers
check "also from the disk" until_ok 20 empty trash

mkdir -p "$ROOT/layers/$(printf %064d 7)/diff/x" "$ROOT/tmp/dead/0/diff" "$ROOT/trash/old/x"
check "sweep" store sweep
is "leaves nothing that belongs to nobody" "$(listed layers)$(listed tmp)$(listed trash)" ""

# A disk that is full: one error, nothing half-made, and the store goes on.
if mkdir "$WORLD/small" && small_disk "$WORLD/small" 6 2>/dev/null; then
	at_end() { umount -l "$WORLD/small"; }
	ROOT=$WORLD/small/root
	first=$(store import localhost/first:1 <"$WORLD/fs.tar")
	is "a small disk takes one image" "${#first}" 64
	head -c 3500000 /dev/urandom >"$WORLD/fs/big"
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . >"$WORLD/big.tar"
	check "but not a second one" refused store import localhost/second:1 <"$WORLD/big.tar"
	check "which it says" grep -qi 'no space left on device' "$WORLD/err"
	is "in one line" "$(wc -l <"$WORLD/err")" 1
	is "the first image works" "$(store mount first:1 cat www/index.html)" "hello from pod"
	check "nothing is left of the second" until_ok 20 empty tmp
	is "nor listed" "$(store list -q)" "$first"
else
	skip "a full disk" "cannot mount a file system here"
fi
finish
