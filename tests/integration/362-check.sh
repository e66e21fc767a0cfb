#!/bin/bash
# SPDX-License-Identifier: ISC
# system check: every kind of damage is named, repaired or removed, and crashes nothing.
. "$(dirname "$0")/../lib.sh"
command -v sqlite3 >/dev/null || { skip "system check" "sqlite3(1) is not installed"; finish; }
world
# "pod rm -f -a" at the end would not survive a damaged store.
sound() { # a fresh store with two images and a volume
	local gold="$WORLD/gold${world_opts[*]}"
	rm -rf "$ROOT" "$RUNROOT"
	if [ -d "$gold" ]; then
		cp -a "$gold" "$ROOT"
		. "$gold.ids"
		return
	fi
	busybox_image localhost/base >/dev/null
	pod run --name c --network none localhost/base sh -c 'echo one >/one; mkdir -p /opq/x' >/dev/null
	pod commit -q c localhost/two >/dev/null
	pod rm c >/dev/null
	pod volume create v >/dev/null
	echo precious >"$ROOT/volumes/v/_data/f"
	base=$(pod inspect -f '{{.Id}}' base) two=$(pod inspect -f '{{.Id}}' two)
	lower=$(pod inspect base | jq -r '.[0].RootFS.Layers[0]' | cut -d: -f2)
	upper=$(ls "$ROOT/layers" | grep -v "$lower")
	pod images >/dev/null # whatever was still to be removed is
	cp -a "$ROOT" "$gold"
	echo "base=$base two=$two lower=$lower upper=$upper" >"$gold.ids"
}
sql() { sqlite3 "$ROOT/store.db" "$@"; }
# damaged TEXT PATTERN IMAGES-LEFT: the check names it and fails; the repair leaves those images, and then all is well
damaged() {
	pod system check >"$WORLD/out" 2>"$WORLD/err"
	is "$1: the check fails" $? 125
	check "$1: and names it" grep -q "$2" "$WORLD/out" "$WORLD/err"
	pod system check --repair >"$WORLD/out" 2>"$WORLD/err"
	is "$1: the repair succeeds" "$? $(grep -c Error "$WORLD/err")" "0 0"
	is "$1: what is whole stays" "$(pod images --format '{{.Repository}}' | sort | tr '\n' ' ')" "$3"
	is "$1: and is well" "$(pod system check 2>&1; echo $?)" 0
	is "$1: the volume keeps what it holds" "$(cat "$ROOT/volumes/v/_data/f" 2>/dev/null)" "${4-precious}"
	[ -z "$3" ] || is "$1: containers run" "$(pod run --rm --network none "${3%% *}" echo yes 2>&1)" yes
}
both="localhost/base localhost/two "
sound
is "a sound store" "$(pod system check; echo $?)" 0
is "quickly" "$(pod system check -q; echo $?)" 0
rm -rf "$ROOT/layers/$upper"
damaged "missing layer" "layer $upper: its directory is missing" "localhost/base "
# What root keeps as images where it can, users and other kernels keep as directories: both are looked at.
default_opts=("${world_opts[@]}")
world_opts=(--storage-opt overlay.layout=dir)
sound && rm -rf "$ROOT/layers/$lower/diff"
damaged "missing files" "layer $lower: its files are missing" ""
sound && rm "$ROOT/layers/$upper/tar.index"
damaged "missing index" "its index is missing" "localhost/base "
sound && echo tampered >"$ROOT/layers/$upper/diff/one"
is "quick does not see a changed file" "$(pod system check -q; echo $?)" 0
damaged "changed file" "layer $upper" "localhost/base "
sound && rm "$ROOT/layers/$lower/diff/www/index.html"
damaged "deleted file" "layer $lower" ""
sound && truncate -s 20 "$ROOT/layers/$upper/tar.index"
damaged "truncated index" "layer $upper" "localhost/base "
sound && head -c 300 /dev/urandom >"$ROOT/layers/$upper/tar.index"
damaged "garbage for an index" "layer $upper" "localhost/base "
# What the stream does not show, file by file.
sound
mkdir -p "$WORLD/tree/sub" && echo one >"$WORLD/tree/one" && : >"$WORLD/tree/empty" && ln -s one "$WORLD/tree/link" && chmod 4711 "$WORLD/tree/one"
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$WORLD/tree/one"
tar --xattrs --xattrs-include='*' --owner=5 --group=6 --numeric-owner -C "$WORLD" -cf "$WORLD/tree.tar" tree
pod import -q "$WORLD/tree.tar" localhost/tree >/dev/null
is "files with owners, modes, attributes: are what they were" "$(pod system check; echo $?)" 0
# An access control list that all files below the graph root would inherit has no part in a layer.
setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000000ffffffff "$ROOT/tmp"
tar --owner=0 --group=0 -C "$WORLD" -c tree | pod import -q - localhost/listed >/dev/null
is "below a directory with a default access control list: so are those" "$(pod system check; echo $?)" 0
setfattr -x system.posix_acl_default "$ROOT/tmp"
pod rmi localhost/listed >/dev/null
tree=$(pod inspect tree | jq -r '.[0].RootFS.Layers[0]' | cut -d: -f2)
cp -a "$ROOT/layers/$tree" "$WORLD/kept-layer"
touched() { # TEXT COMMAND: done in the layer's files it is named; undone all is well
	(cd "$ROOT/layers/$tree/diff" && eval "$2")
	pod system check >"$WORLD/out" 2>&1
	is "$2: the check names the file" "$? $(grep -c '^Damage detected in layer' "$WORLD/out") $(grep -Fc "Damage detected in layer $tree: $1" "$WORLD/out")" "125 1 1"
	is "$2: quick does not look" "$(pod system check -q; echo $?)" 0
	rm -rf "$ROOT/layers/$tree" && cp -a "$WORLD/kept-layer" "$ROOT/layers/$tree"
}
touched "/tree/one: its owner is 0:6, not 5:6" "chown -h 0 tree/one; chmod 4711 tree/one; setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 tree/one"
touched "/tree/link: its owner is 5:7, not 5:6" "chown -h :7 tree/link"
touched "/tree/one: its mode is 0711, not 4711" "chmod 0711 tree/one"
touched "/tree/sub: its mode is 0777, not 0755" "chmod 0777 tree/sub"
touched "/: its mode is 0700, not 0755" "chmod 0700 ."
touched "/tree/one: its extended attribute security.capability is missing" "setfattr -x security.capability tree/one"
touched "/tree/one: its extended attribute security.capability was modified" "setfattr -n security.capability -v 0x0100000200ffffff00000000ffffffff00000000 tree/one"
touched "/tree/empty: it has an extended attribute that it did not have" "setfattr -n user.more -v x tree/empty"
touched "/tree: it hides what lower layers have there" "setfattr -n trusted.overlay.opaque -v y tree"
touched "/tree/link: it leads to something else" "rm tree/link; ln -s two tree/link; chown -h 5:6 tree/link"
touched "/tree/empty: its size is 1, not 0" "printf x >tree/empty"
touched "/tree/empty: it is missing" "rm tree/empty"
touched "/tree/sub: it is missing" "rmdir tree/sub"
touched "/tree/sub: it is of another type" "rmdir tree/sub; : >tree/sub"
touched "/tree/empty: it is of another type" "rm tree/empty; mknod tree/empty c 0 0"
touched "/tree/sub/evil: it does not belong to the layer" "mkdir -p tree/sub/evil/more; touch -d @0 tree/sub"
touched "/tree: it is missing" "rm -r tree"
(cd "$ROOT/layers/$tree/diff" && rm -r tree && mkdir tree && chown 5:6 tree && seq 1 200 | xargs touch)
is "no more than some of them are named" "$(pod system check 2>/dev/null | grep -c 'in layer') $(pod system check 2>/dev/null | grep -c 'more of its files are not as they were')" "50 1"
damaged "files with other names" "layer $tree: /1: it does not belong to the layer" "$both"
rm -rf "$WORLD/kept-layer"
# A worker that fails says nothing of the layer.
sound
mkdir "$WORLD/lame" && cp -a "$BIN" "$BIN/../libexec" "$WORLD/lame/"
printf '#!/bin/sh\nexit 1\n' >"$WORLD/lame/libexec/pod/pod-store-pack"
"$WORLD/lame/bin/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" system check --repair >"$WORLD/out" 2>&1
check "a layer that cannot be checked: is named" grep -q "layer $upper: it cannot be checked" "$WORLD/out"
is "and stays" "$(pod images --format '{{.Repository}}' | sort | tr '\n' ' ')" "$both"
is "and is sound" "$(pod system check; echo $?)" 0
rm -rf "$WORLD/lame"
world_opts=("${default_opts[@]}")
sound
if [ -e "$ROOT/layers/$upper/tar" ]; then # and an image of it that can be made anew
	sound && rm "$ROOT/layers/$lower/tar"
	damaged "missing tar" "layer $lower: its files are missing" ""
	sound && printf X | dd of="$ROOT/layers/$upper/tar" bs=1 seek=100 conv=notrunc 2>/dev/null
	is "quick does not see a changed tar" "$(pod system check -q; echo $?)" 0
	damaged "changed tar" "layer $upper: its content was modified" "localhost/base "
	sound && truncate -s 1000 "$ROOT/layers/$lower/tar"
	damaged "short tar" "layer $lower" ""
	sound && rm "$ROOT/layers/$upper/erofs"
	damaged "missing image of a tar" "layer $upper: its image is missing" "$both"
	sound && rm "$ROOT/layers/$upper/erofs"
	is "quick sees and mends it too" "$(pod system check -q 2>&1 | grep -c 'its image is missing') $(pod system check -q --repair >/dev/null 2>&1; pod run --rm --network none two cat /one)" "1 one"
	truncate -s 20 "$ROOT/layers/$upper/erofs"
	damaged "truncated image of a tar" "layer $upper" "$both"
	sound && head -c 300 /dev/urandom >"$ROOT/layers/$upper/erofs"
	damaged "garbage for an image of a tar" "layer $upper: its image was modified" "$both"
fi
sound && sql "DELETE FROM layer WHERE id = '$upper'"
damaged "lost row of a layer" "image $two: a layer is missing" "localhost/base "
sound && sql "DELETE FROM document WHERE image = '$two'"
damaged "lost document" "image $two: its configuration is missing" "localhost/base "
sound && sql "UPDATE document SET config = x'7b7d' WHERE image = '$two'"
damaged "changed configuration" "image $two: its configuration was modified" "localhost/base "
sound && sql "UPDATE document SET parsed = x'dd10000000' WHERE image = '$two'"
damaged "hostile record" "image $two: its parsed configuration is unreadable" "localhost/base "
sound && sql "DELETE FROM use WHERE image = '$two' AND position = 1"
damaged "lost use of a layer" "image $two: a layer is missing" "localhost/base "
sound && sql "DELETE FROM image WHERE id = '$two'"
damaged "lost row of an image" "belong to images that are not there" "localhost/base "
sound && rm -r "$ROOT/volumes/v"
damaged "missing volume" "volume v: its directory is missing" "$both" ""
sound && sql "DELETE FROM volume"
damaged "forgotten volume" "volume v: the index does not know it" "$both"
is "a forgotten volume is back" "$(pod volume ls -q)" v
sound && mkdir -p "$ROOT/layers/0123456789abcdef/diff"
is "a young leftover may be on its way" "$(pod system check; echo $?)" 0
pod system check --max 0s >"$WORLD/out" 2>&1
check "an old one is named" grep -q "layer 0123456789abcdef: it belongs to no image" "$WORLD/out"
pod system check --max 0s --repair >/dev/null 2>&1
is "and removed" "$(ls -d "$ROOT/layers/0123456789abcdef" 2>&1 | grep -c 'No such')" 1
# What is no directory or no file any more.
sound && rm -rf "$ROOT/layers/$upper" && mkfifo "$ROOT/layers/$upper"
damaged "a FIFO for a layer" "layer $upper: its directory is missing" "localhost/base "
sound && mv "$ROOT/layers/$upper" "$WORLD/elsewhere" && ln -s "$WORLD/elsewhere" "$ROOT/layers/$upper"
pod save -q -o "$WORLD/base.tar" localhost/base
damaged "a link for a layer" "layer $upper: its directory is missing" "localhost/base "
is "what it led to is left alone" "$(ls -d "$WORLD/elsewhere/"* | wc -l)" "$(ls "$ROOT/layers/$lower" | wc -l)"
sound && : >"$WORLD/no" && rm -rf "$ROOT/layers/$lower" && mv "$WORLD/no" "$ROOT/layers/$lower"
damaged "a file for a layer" "layer $lower: its directory is missing" ""
is "and it can come again" "$(pod load -q -i "$WORLD/base.tar" && pod run --rm --network none base echo yes)" "Loaded image: localhost/base:latest
yes"
world_opts=(--storage-opt overlay.layout=dir)
sound && rm "$ROOT/layers/$upper/tar.index" && mkfifo "$ROOT/layers/$upper/tar.index"
is "a FIFO for an index keeps nobody waiting" "$(timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" push -q localhost/two "dir:$WORLD/fifo" >/dev/null 2>&1; [ $? = 125 ] && echo ended)" ended
damaged "a FIFO for an index" "layer $upper" "localhost/base "
world_opts=("${default_opts[@]}")
# Blobs that are kept to be pushed again can be made again.
sound && pod save -q --format oci-archive -o "$WORLD/two.tar" localhost/two && pod rmi -f localhost/two localhost/base >/dev/null && pod load -q -i "$WORLD/two.tar" >/dev/null
kept=$(ls "$ROOT"/layers/*/blob.* | head -n 1)
printf X | dd of="$kept" bs=1 seek=99 conv=notrunc 2>/dev/null
is "quick does not see a changed blob" "$(pod system check -q; echo $?)" 0
damaged "changed blob" "the blob that it keeps was modified" "localhost/two "
is "it is gone, and only that one" "$(ls "$kept" 2>&1 | grep -c 'No such') $(ls "$ROOT"/layers/*/blob.* | wc -l)" "1 1"
is "pushed, it is the same image" "$(pod push -q localhost/two "oci-archive:$WORLD/again.tar" && pod rmi -f localhost/two >/dev/null && pod load -q -i "$WORLD/again.tar" >/dev/null && pod images -q --no-trunc)" "sha256:$two"
sound && pod save -q --format oci-archive -o "$WORLD/two.tar" localhost/two && pod rmi -f localhost/two localhost/base >/dev/null && pod load -q -i "$WORLD/two.tar" >/dev/null
kept=$(ls "$ROOT"/layers/*/blob.* | head -n 1) && mv "$kept" "$WORLD/whole-blob"
for how in 'head -c 50 "$WORLD/whole-blob" >"$kept"' ': >"$kept"' '{ cat "$WORLD/whole-blob"; echo; } >"$kept"' 'mkfifo "$kept"' 'mkdir "$kept"'; do
	eval "$how"
	is "$how: pushed, it is made anew" "$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" push -q localhost/two "oci:$WORLD/anew" 2>&1; jq -r .config.digest "$WORLD/anew/blobs/sha256/$(jq -r '.manifests[0].digest' "$WORLD/anew/index.json" | cut -d: -f2)")" "sha256:$two"
	damaged "$how" "the blob that it keeps was modified" "localhost/two "
	rm -rf "$kept" "$WORLD/anew"
done
cp "$WORLD/whole-blob" "$kept" && printf X | dd of="$kept" bs=1 seek=99 conv=notrunc 2>/dev/null
for to in oci: dir:; do
	pod push -q localhost/two "$to$WORLD/anew" >"$WORLD/out" 2>&1
	is "a changed blob goes nowhere ($to)" "$? $(grep -c '^Error: .*digest mismatch: expected' "$WORLD/out") $(wc -l <"$WORLD/out")" "125 1 1"
	rm -rf "$WORLD/anew"
done
# The directories and files of the store.
displaced() { # NAME KIND IMAGES-LEFT [VOLUME]
	pod images >/dev/null 2>"$WORLD/err"
	is "$2 for $1: other commands say so" "$? $(grep -c "something else is in the place of $1\$" "$WORLD/err") $(grep -c 'system check --repair' "$WORLD/err")" "125 1 1"
	damaged "$2 for $1" "in the place of $1" "$3" "${4-precious}"
	check "$2 for $1: what it was is kept" test -e "$ROOT/$1.damaged" -o -L "$ROOT/$1.damaged"
}
sound && rm -r "$ROOT/layers" && mkfifo "$ROOT/layers"
displaced layers "a FIFO" ""
sound && mv "$ROOT/layers" "$WORLD/layers" && ln -s "$WORLD/layers" "$ROOT/layers"
displaced layers "a link" ""
for part in empty tmp trash; do
	sound && rm -r "${ROOT:?}/$part" && : >"$ROOT/$part"
	displaced $part "a file" "$both"
done
for part in lists artifacts; do
	sound && mkfifo "$ROOT/$part"
	damaged "a FIFO for $part" "in the place of $part" "$both"
done
sound && mv "$ROOT/volumes" "$WORLD/volumes" && ln -s relative "$ROOT/volumes"
displaced volumes "a link to nowhere" "$both" ""
sound && rm "$ROOT/store.lock" && mkdir "$ROOT/store.lock"
displaced store.lock "a directory" "$both"
sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && rm -f "$ROOT/store.db-wal" && mkdir "$ROOT/store.db-wal"
displaced store.db-wal "a directory" "$both"
sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && rm "$ROOT/store.db" && mkfifo "$ROOT/store.db"
pod system check --repair --max 0s >/dev/null 2>&1
is "a FIFO for the index: a repair leaves an empty, sound store" "$(pod system check; echo $?) $(pod images -q | wc -l) $(pod volume ls -q)" "0 0 v"
sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && mv "$ROOT/store.db" "$WORLD/linked.db" && ln -s "$WORLD/linked.db" "$ROOT/store.db" && rm -f "$ROOT"/store.db-*
is "an index that is a link is read, and stays" "$(pod system check --repair; pod images -q | wc -l; readlink "$ROOT/store.db")" "2
$WORLD/linked.db"
rm -f "$WORLD"/linked.db*
sound && rm -r "$ROOT/volumes/v" && mkfifo "$ROOT/volumes/v"
damaged "a FIFO for a volume" "volume v: its directory is missing" "$both" ""
check "is kept" test -p "$ROOT/volumes/v.damaged"
sound && mv "$ROOT/volumes/v/_data" "$WORLD/data" && ln -s "$WORLD/data" "$ROOT/volumes/v/_data"
damaged "a link for a volume's data" "volume v: its directory is missing" "$both" ""
is "and for what it leads to" "$(cat "$ROOT/volumes/v/_data.damaged/f")" precious
# The index itself.
sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && printf 'not a database' | dd of="$ROOT/store.db" conv=notrunc 2>/dev/null
pod images >"$WORLD/out" 2>"$WORLD/err"
is "damaged index: other commands say so" "$? $(grep -c 'index of the store is damaged' "$WORLD/err") $(grep -c 'system check --repair' "$WORLD/err")" "125 1 1"
pod system check >/dev/null 2>"$WORLD/err"
is "damaged index: the check fails" "$?" 125
pod system check --repair >/dev/null 2>&1
is "damaged index: a new one takes its place" "$(pod system check; echo $?) $(pod volume ls -q)" "0 v"
check "damaged index: the old one is kept" test -s "$ROOT/store.db.damaged"
for at in 2 3 5 8 12 17; do
	sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && head -c 4096 /dev/urandom | dd of="$ROOT/store.db" bs=4096 seek="$at" conv=notrunc 2>/dev/null
	pod system check >/dev/null 2>&1
	rc=$?
	[ "$rc" = 125 ] || [ "$rc" = 0 ] || not_ok "page $at of the index is garbage: status $rc"
	pod system check --repair >/dev/null 2>&1
	is "page $at of the index is garbage: after the repair all is well" "$(pod system check --max 0s --repair >/dev/null 2>&1; pod system check 2>&1; echo $?)" 0
done
sound && : >"$ROOT/store.db" && rm -f "$ROOT"/store.db-*
pod system check --repair --max 0s >/dev/null 2>&1
is "empty index: a repair leaves an empty, sound store" "$(pod system check; echo $?) $(pod images -q | wc -l) $(ls "$ROOT/layers" | wc -l) $(pod volume ls -q)" "0 0 0 v"
# The store's own program does the same for the store.
sound
is "pod-store check: a sound store" "$(store check 2>&1; echo $?)" 0
rm -rf "$ROOT/layers/$upper"
is "pod-store check: a missing layer is named" "$(store check 2>"$WORLD/err" | grep -c "^Damage detected in layer $upper: its directory is missing") $(grep -c '^Error: damage detected in local storage' "$WORLD/err")" "1 1"
is "pod-store check: and nothing was done" "$(store check >/dev/null 2>&1; echo $?)" 125
is "pod-store check --repair" "$(store check --repair 2>&1 >"$WORLD/out"; echo $?) $(grep -c "^Deleted .*$upper" "$WORLD/out") $(store check 2>&1; echo $?)" "0 1 0"
is "pod-store check --repair: what is whole stays" "$(store list -n --format '{{.Name}}')" localhost/base:latest
store check --max nonsense >"$WORLD/out" 2>&1
is "pod-store check: a wrong duration" "$? $(grep -c 'invalid argument "nonsense" for "-m, --max" flag' "$WORLD/out")" "125 1"
sound && pod create --name k localhost/two true >/dev/null && rm -rf "$ROOT/layers/$upper"
store check --repair >"$WORLD/out" 2>&1
is "pod-store check: a container keeps its image" "$? $(grep -c 'damage remains' "$WORLD/out") $(grep -c 'pod system check --force' "$WORLD/out") $(pod ps -aq | wc -l)" "125 1 1 1"
sound && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && printf 'not a database' | dd of="$ROOT/store.db" conv=notrunc 2>/dev/null
is "pod-store check: a damaged index gets a successor" "$(store check >/dev/null 2>&1; echo $?) $(store check --repair >/dev/null 2>&1; store check 2>&1; echo $?)" "125 0"
# Containers.
for kind in missing FIFO; do
	sound && pod create --name k localhost/two cat /one >/dev/null && rm -r "$ROOT/rw/"*/work
	[ $kind = missing ] || mkfifo "$ROOT/rw/$(pod ps -aq --no-trunc)/work"
	damaged "$kind for an overlay's directory" "the directory of its overlay is missing" "$both"
	is "$kind for an overlay's directory: the container starts" "$(pod start -a k 2>&1; pod rm k)" "one
k"
done
sound && pod create --name k localhost/two true >/dev/null && rm -r "$ROOT/rw/"*/upper && mkfifo "$ROOT/rw/$(pod ps -aq --no-trunc)/upper"
is "a FIFO for a container's changes is named, and goes with --force" "$(pod system check 2>&1 | grep -c 'its read-write layer is incomplete') $(pod system check --force >/dev/null 2>&1; pod ps -aq | wc -l)" "1 0"
sound && pod create --name k localhost/two true >/dev/null && rm -rf "$ROOT/layers/$upper"
pod system check --repair >"$WORLD/out" 2>"$WORLD/err"
is "a container on a damaged image keeps it" "$? $(grep -c 'damage remains' "$WORLD/err") $(pod ps -a -q | wc -l)" "125 1 1"
check "and is named" grep -q "container .*: its image .* is damaged" "$WORLD/out"
pod system check --force >/dev/null 2>&1
is "with --force it goes" "$? $(pod ps -a -q | wc -l) $(pod images -q | wc -l)" "0 0 1"
world_opts=(--storage-opt overlay.layout=dir)
sound && pod create --name k localhost/two true >/dev/null && printf TWO >"$ROOT/layers/$upper/diff/one" && chmod 600 "$ROOT/layers/$upper/diff/one"
pod system check --repair >"$WORLD/out" 2>"$WORLD/err"
is "a container on an image with a modified file keeps it, and the repair says so" "$? $(grep -c 'damage remains' "$WORLD/err") $(pod ps -aq | wc -l)" "125 1 1"
is "with --force it goes too" "$(pod system check --force >/dev/null 2>&1; echo $?) $(pod ps -aq | wc -l) $(pod system check; echo $?)" "0 0 0"
world_opts=("${default_opts[@]}")
# A container whose read-write layer is gone.
sound
pod create --name k localhost/two true >/dev/null
pod run --name l --network none localhost/two sh -c 'cat /kept; echo work >/kept' >/dev/null 2>&1
pod create --rootfs --name r --network none "$ROOT/empty" true >/dev/null
is "containers of all kinds: all is well" "$(pod system check; echo $?)" 0
l=$(pod inspect -f '{{.Id}}' l) k=$(pod inspect -f '{{.Id}}' k)
mv "$ROOT/rw/$l" "$WORLD/taken"
pod start -a l >"$WORLD/out" 2>&1
is "a lost layer: the start says so" "$? $(grep -c "^Error: .*mounting storage for container $l: its read-write layer is missing\$" "$WORLD/out") $(ls -d "$ROOT/rw/$l" 2>/dev/null)" "125 1 "
pod cp l:/kept "$WORLD/copy" >"$WORLD/out" 2>&1
is "a lost layer: so does cp" "$? $(grep -c 'its read-write layer is missing' "$WORLD/out") $(ls -d "$ROOT/rw/$l" 2>/dev/null)" "125 1 "
is "a lost layer: the check names it" "$(pod system check 2>/dev/null; echo $?)" "Damage detected in container $l: its read-write layer is missing
125"
pod system check --repair >"$WORLD/out" 2>"$WORLD/err"
is "a lost layer: a repair leaves the container" "$? $(grep -c 'damage remains' "$WORLD/err") $(grep -c 'with --force' "$WORLD/err") $(pod ps -aq | wc -l)" "125 1 1 3"
mkdir "$ROOT/rw/$l" && cp -a "$WORLD/taken/image" "$ROOT/rw/$l/"
pod start -a l >"$WORLD/out" 2>&1
is "half of one is no other image, and is not removed" "$? $(grep -c 'its read-write layer is missing' "$WORLD/out") $(ls "$ROOT/rw/$l")" "125 1 image"
rm -r "$ROOT/rw/$l" && mv "$WORLD/taken" "$ROOT/rw/$l"
is "the layer is back: so is what it holds" "$(pod start -a l 2>&1) $(pod system check; echo $?)" "work 0"
rm -rf "${ROOT:?}/rw/$l" "$ROOT/rw/$k"
pod system check --force >"$WORLD/out" 2>&1
is "a lost layer, --force: such containers go" "$? $(grep -c "^Deleted container \($k\|$l\)" "$WORLD/out") $(pod ps -aq | wc -l) $(pod system check; echo $?)" "0 2 1 0"
# A lost record is no reason for other commands to remove what was written.
sound
pod run --name k --network none localhost/two sh -c 'echo work >/work'
pod run --name l --network none localhost/two true
k=$(pod inspect -f '{{.Id}}' k)
sqlite3 "$ROOT/pod.db" "PRAGMA foreign_keys = ON; DELETE FROM container WHERE name = 'k'"
pod run --rm --network none localhost/two true
pod start l >/dev/null
pod rm -f l >/dev/null
pod system renumber
is "a lost record: ordinary commands leave the layer" "$(cat "$ROOT/rw/$k/upper/work"; pod ps -aq | wc -l)" "work
0"
named() { pod system check 2>/dev/null | grep -q "$k: its record is missing"; }
until_ok 20 named # once its monitor has ended
is "a lost record of one that ran: the check names it at once" "$(pod system check 2>/dev/null; echo $?; ls "$ROOT/rw")" "Damage detected in container $k: its record is missing
125
$k"
is "a lost record: a repair removes the layer" "$(pod system check --repair | tail -n 1; ls "$ROOT/rw" | wc -l; ls "$RUNROOT/containers" | wc -l; pod system check; echo $?)" "Deleted container $k
0
0
0"
pod run --name k --network none localhost/two true
sqlite3 "$ROOT/pod.db" "PRAGMA foreign_keys = ON; DELETE FROM container WHERE name = 'k'"
pruned() { pod system prune -f >/dev/null && [ -z "$(ls "$ROOT/rw")" ]; }
check "a lost record: prune removes the layer" until_ok 20 pruned
# The database of containers.
with_containers() { # three of them, and all in the file itself
	sound
	for name in one two three; do pod create --name $name localhost/two cat /one >/dev/null; done
	sqlite3 "$ROOT/pod.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
}
with_containers && printf 'not a database' | dd of="$ROOT/pod.db" conv=notrunc 2>/dev/null
pod ps -a >/dev/null 2>"$WORLD/err"
is "damaged database: other commands say so" "$? $(grep -c 'database: .*not a database' "$WORLD/err") $(grep -c 'system check --repair' "$WORLD/err")" "125 1 1"
damaged "damaged database" "in the database of containers: file is not a database" "$both"
check "damaged database: the old one is kept" test -s "$ROOT/pod.db.damaged"
is "damaged database: what comes after works" "$(pod run --name one localhost/two cat /one; pod ps -aq | wc -l)" "one
1"
with_containers
leaf=$(sqlite3 "$ROOT/pod.db" "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_container_2'")
head -c 4096 /dev/urandom | dd of="$ROOT/pod.db" bs=4096 seek=$((leaf - 1)) conv=notrunc 2>/dev/null
damaged "a page of the database is garbage" "in the database of containers" "$both"
is "a page of the database is garbage: no container was lost" "$(pod ps -a --format '{{.Names}}' | sort | tr '\n' ' '; pod start -a two)" "one three two one"
for at in 1 2 4 6 8 10; do
	with_containers && head -c 4096 /dev/urandom | dd of="$ROOT/pod.db" bs=4096 seek=$at conv=notrunc 2>/dev/null
	pod system check --repair --max 0s >/dev/null 2>&1
	is "page $at of the database is garbage: after the repair all is well" "$(pod system check --max 0s 2>&1; echo $?) $(pod ps -aq >/dev/null && pod rm -fa >/dev/null && pod run --rm localhost/two cat /one)" "0 one"
done
for part in pod.db pod.db-wal; do
	with_containers && rm -f "$ROOT/$part" && mkfifo "$ROOT/$part"
	damaged "a FIFO for $part" "in the place of $part" "$both"
	[ $part = pod.db ] || is "and no container was lost" "$(pod ps -aq | wc -l)" 3
done
# broken_index FILE [INDEX]: the first page of an index of one table of the database is garbage, which no row stands in
broken_index() {
	local page
	sqlite3 "$ROOT/$1" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	page=$(sqlite3 "$ROOT/$1" "SELECT rootpage FROM sqlite_master WHERE name LIKE '${2:-sqlite_autoindex_%}' LIMIT 1")
	head -c 4096 /dev/urandom | dd of="$ROOT/$1" bs=4096 seek=$((page - 1)) conv=notrunc 2>/dev/null
}
# Those who come second must neither take the new one for damaged nor find it half full.
for part in pod.db store.db; do
	for round in 1 2 3; do
		with_containers && broken_index $part
		for i in 1 2 3 4 5; do pod system check --repair >"$WORLD/out.$i" 2>&1 & done
		wait
		is "$part: five repairs at once, round $round: all succeed and nothing is lost" \
			"$(cat "$WORLD"/out.? | grep -c Error) $(pod ps -aq | wc -l) $(ls "$ROOT/rw" | wc -l) $(pod images -q | wc -l) $(ls -d "$ROOT"/$part.damaged* | grep -c 'damaged$\|damaged\.')" "0 3 3 2 1"
	done
done
# A container whose record was lost: what it wrote may be all that is left of it.
with_containers && lost=$(pod inspect -f '{{.Id}}' two) && echo work >"$ROOT/rw/$lost/upper/work"
sqlite3 "$ROOT/pod.db" "PRAGMA foreign_keys = ON; DELETE FROM container WHERE name = 'two'"
is "a lost record: a young layer is no damage" "$(pod system check; echo $?) $(pod system check --repair; echo $?) $(cat "$ROOT/rw/$lost/upper/work")" "0 0 work"
is "an old one is, and is only told of" "$(pod system check --max 0s 2>/dev/null; echo $?) $(cat "$ROOT/rw/$lost/upper/work")" "Damage detected in container $lost: its record is missing
125 work"
is "a repair removes it" "$(pod system check --repair --max 0s | tail -n 1; ls "$ROOT/rw" | wc -l; pod system check --max 0s; echo $?)" "Deleted container $lost
2
0"
with_containers && lost=$(pod inspect -f '{{.Id}}' two) && rm -r "$ROOT/rw/$lost/upper"
sqlite3 "$ROOT/pod.db" "PRAGMA foreign_keys = ON; DELETE FROM container WHERE name = 'two'"
is "what was killed on its way goes at once" "$(pod system check; echo $?) $(ls "$ROOT/rw" | wc -l)" "0 2"
# Who has the damaged one open meanwhile goes on with the new one.
for round in 1 2 3; do
	with_containers && broken_index pod.db exec_session_container
	mkfifo "$WORLD/hold"
	sqlite3 "$ROOT/pod.db" <"$WORLD/hold" >/dev/null 2>&1 &
	exec {hold}>"$WORLD/hold"
	echo 'BEGIN IMMEDIATE;' >&$hold
	for i in 1 2 3 4; do (pod create --name "new$i" localhost/two true >/dev/null 2>"$WORLD/new.$i" && echo made) {hold}>&- >"$WORLD/made.$i" & done
	pod system check --repair {hold}>&- >"$WORLD/out" 2>&1 &
	sleep 0.5
	exec {hold}>&-
	wait
	rm "$WORLD/hold"
	is "round $round: what was made during a repair is there, and nothing else" "$(pod ps -a --format '{{.Names}}' | grep -c new) $(cat "$WORLD"/made.? "$WORLD"/new.? | sort | uniq -c | xargs)" "4 4 made"
done
with_containers
mkfifo "$WORLD/in"
pod run --rm -i --network none localhost/two sh -c 'cat; exit 3' <"$WORLD/in" >"$WORLD/out" 2>&1 &
exec {hold}>"$WORLD/in"
runs() { pod ps -q | grep -q .; }
check "a container runs" until_ok 20 runs
broken_index pod.db exec_session_container
pod system check --repair {hold}>&- >/dev/null 2>&1
echo hello >&$hold
exec {hold}>&-
wait $!
is "a command that waits through a repair goes on" "$? $(cat "$WORLD/out") $(pod ps -aq | wc -l)" "3 hello 3"
with_containers && rm -f "$ROOT"/pod.db* && mkdir "$ROOT/pod.db"
pod system check --repair >/dev/null 2>&1
rm -f "$ROOT"/pod.db-* && printf 'not a database' | dd of="$ROOT/pod.db" conv=notrunc 2>/dev/null
is "damage that comes again: is repaired again" "$(pod system check --repair >/dev/null 2>&1; echo $?) $(pod system check 2>&1; echo $?)" "0 0"
check "and both are kept" test -d "$ROOT/pod.db.damaged" -a -f "$ROOT/pod.db.damaged.1"
# Where there is no room for a new one the old one stays as it is.
at_end() { umount "$ROOT" 2>/dev/null; }
sound && rm -rf "$ROOT" && mkdir "$ROOT" && small_disk "$ROOT" 12
busybox_image localhost/two >/dev/null
for name in one two three; do pod create --name $name localhost/two true >/dev/null; done
broken_index pod.db
before=$(sha256sum <"$ROOT/pod.db")
head -c 20M /dev/zero >"$ROOT/full" 2>/dev/null
pod system check --repair >/dev/null 2>"$WORLD/err"
is "a full disk: the repair fails, and the database is what it was" "$? $(sha256sum <"$ROOT/pod.db")" "125 $before"
rm "$ROOT/full"
is "with room: the repair succeeds" "$(pod system check --repair >/dev/null 2>&1; echo $?) $(pod ps -aq | wc -l)" "0 3"
umount "$ROOT" 2>/dev/null
# The index is gone and its images with it: the containers on them are known to be damaged only after its repair.
sound && pod create --name k localhost/two true >/dev/null && sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
at=$(grep -abo 'CREATE TABLE image' "$ROOT/store.db" | head -n 1 | cut -d: -f1)
head -c 60 /dev/zero | tr '\0' '\a' | dd of="$ROOT/store.db" bs=1 seek="$at" conv=notrunc 2>/dev/null
pod system check --force >"$WORLD/out" 2>&1
is "half an index, --force: containers without an image go at once" "$? $(pod ps -aq | wc -l) $(pod system check 2>&1; echo $?)" "0 0 0"
# Rows that SQLite finds nothing wrong with.
sound && sql "INSERT INTO name SELECT x'ff80', image FROM name LIMIT 1; INSERT INTO past_name SELECT image, cast(x'ff80' AS TEXT) FROM name LIMIT 1"
damaged "names of images that are none" "in the index: 2 entries belong to images that are not there, or have a name that is none" "$both"
sound && pod volume create w >/dev/null && sql "UPDATE volume SET record = x'8001' WHERE name = 'v'"
says_all=$(pod volume ls 2>&1)
check "a volume's record that is none is named" grep -q "reading the record of volume v: " <<<"$says_all"
damaged "record of a volume" "volume v: its record cannot be read" "$both"
is "record of a volume: both are there" "$(pod volume ls -q | sort | tr '\n' ' ')" "v w "
sound && sql "UPDATE volume SET name = x'ff00fe' WHERE name = 'v'"
damaged "name of a volume" "its record cannot be read" "$both"
is "name of a volume: it is back" "$(pod volume ls -q | tr '\n' ' ')" "v "
sound && pod create --name k localhost/two true >/dev/null && pod create --name l localhost/two true >/dev/null
sqlite3 "$ROOT/pod.db" "UPDATE container SET summary = x'8001' WHERE name = 'k'" >/dev/null
damaged "summary of a container" "the record of container [0-9a-f]* cannot be read" "$both"
is "summary of a container: it is made anew" "$(pod ps -a --format '{{.Names}} {{.Command}}' | sort | tr '\n' ' ')" "k true l true "
k=$(pod inspect -f '{{.Id}}' k)
sqlite3 "$ROOT/pod.db" "UPDATE container_config SET config = x'8001' WHERE id = '$k'" >/dev/null
pod system check >"$WORLD/out" 2>&1
is "configuration of a container: the check names it" "$? $(grep -c "the record of container $k cannot be read" "$WORLD/out")" "125 1"
pod system check --repair >"$WORLD/out" 2>&1
is "configuration of a container: the others stay" "$? $(pod ps -a --format '{{.Names}}' | tr '\n' ' ')" "0 l "
is "configuration of a container: and is well" "$(pod system check 2>&1; echo $?)" 0
for value in "''" "'$(printf %0300d 1)'" "x'00ff'" 9223372036854775807; do
	sound && sqlite3 "$ROOT/pod.db" "UPDATE setting SET value = $value WHERE key = 'run_root'"
	is "run root of the database (${value:0:8}): what is no path is nobody's" "$(pod ps -aq 2>&1; pod system check 2>&1; echo $?)" 0
done
# What every container stands on.
mkdir "$WORLD/outside" && echo precious >"$WORLD/outside/hosts"
for kind in FIFO file mode link hard-link; do
	sound && pod run --rm --network none localhost/two true
	inode=$(stat -c %i "$ROOT/mountpoints")
	case $kind in
	FIFO) rm -rf "$ROOT/mountpoints/run" && mkfifo "$ROOT/mountpoints/run" ;;
	file) echo x >"$ROOT/mountpoints/etc/hosts" ;;
	mode) chmod 0 "$ROOT/mountpoints/run" ;;
	link) rm -rf "$ROOT/mountpoints/etc" && ln -s "$WORLD/outside" "$ROOT/mountpoints/etc" ;;
	hard-link) ln -f "$WORLD/outside/hosts" "$ROOT/mountpoints/etc/hosts" ;;
	esac
	damaged "mount points ($kind)" "in the store: the mount points of containers are not what was made" "$both"
	is "mount points ($kind): mended where containers have them below them" "$(stat -c '%i %a' "$ROOT/mountpoints") \
$(cd "$ROOT/mountpoints" && stat -c '%n %a %s %F' etc/hosts run | sed 's/run 755 [0-9]*/run 755/')" "$inode 755 \
etc/hosts 644 0 regular empty file
run 755 directory"
	is "mount points ($kind): nothing else is touched" "$(cat "$WORLD/outside/hosts")" precious
done
# Artifacts and manifest lists.
sound
{ printf 0123456789 && head -c 300000 /dev/urandom; } >"$WORLD/file"
pod artifact add localhost/art "$WORLD/file" >/dev/null
pod manifest create l1 >/dev/null && pod manifest add --artifact l1 "$WORLD/file" >/dev/null
is "with an artifact and a list: all is well" "$(pod system check 2>&1; echo $?)" 0
blob=$(sha256sum <"$WORLD/file" | cut -d' ' -f1)
printf X | dd of="$ROOT/artifacts/blobs/sha256/$blob" bs=1 seek=9 conv=notrunc 2>/dev/null
kept=$(find "$ROOT"/lists/*/blobs/sha256 -type f -size +2k | head -n 1)
printf X | dd of="$kept" bs=1 seek=9 conv=notrunc 2>/dev/null
list=$(basename "$(dirname "$(dirname "$(dirname "$kept")")")")
damaged "modified blobs" "artifact $blob: this blob was modified" "$both"
check "of the list too" test "${#list}" = 64 -a ! -e "$ROOT/lists/$list"
is "the artifact can be added again" "$(pod artifact add --replace localhost/art "$WORLD/file" >/dev/null; mkdir "$WORLD/o"; pod artifact extract localhost/art "$WORLD/o" && cmp "$WORLD/file" "$WORLD/o/file" && echo same)" same
pod system check --max nonsense 2>"$WORLD/err"
is "a wrong duration" "$?" 125
sound
rm -rf "$ROOT" "$RUNROOT"
user_part <<'END'
busybox_image localhost/base >/dev/null
pod create --name c localhost/base true >/dev/null
is "user: a sound store" "$(pod system check; echo $?)" 0
is "user: pod-store check" "$("$BIN/pod-store" --root "$ROOT" --runroot "$RUNROOT" check; echo $?)" 0
pod unshare sh -c "for f in $ROOT/layers/*/diff/etc/passwd; do echo x >\$f; done"
pod system check >"$WORLD/out" 2>&1
is "user: a changed file is found" "$? $(grep -c 'Damage detected in layer' "$WORLD/out")" "125 1"
pod unshare sh -c "for f in $ROOT/layers/*; do rm -r \$f; mkfifo \$f; done; rm -r $ROOT/tmp; ln -s /tmp $ROOT/tmp"
is "user: a FIFO for a layer, a link for a directory" "$(pod system check 2>&1 | grep -c 'in the place of tmp') $(pod system check --repair 2>&1 | grep 'its directory is missing' | sort -u | wc -l)" "1 1"
head -c 4096 /dev/urandom >"$ROOT/pod.db"
: >"$ROOT/pod.db-wal"
is "user: a database that is garbage" "$(pod system check 2>&1 | grep -c 'in the database of containers')" 1
is "user: --force" "$(pod system check --force >/dev/null 2>&1; echo $?) $(pod ps -aq | wc -l) $(pod images -q | wc -l)" "0 0 0"
END
