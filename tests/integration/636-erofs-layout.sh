#!/bin/bash
# SPDX-License-Identifier: ISC
# Layers kept as their tar and an EROFS image of it (overlay.layout=erofs): what the rest of the suite sees of them is
# what it sees of directories.
. "$(dirname "$0")/../lib.sh"
POD_TEST_LAYOUT=erofs
world_opts=(--storage-opt overlay.layout=erofs)
world
rootfs "$WORLD/fs"

if [ "$(id -u)" != 0 ]; then
	skip "images as layers" "that takes root"
	finish
fi
if ! why=$(busybox_image localhost/base 2>&1 >/dev/null); then
	check "what cannot be had is refused with a reason" grep -q "layers as EROFS images cannot be had here" <<<"$why"
	skip "images as layers" "$why"
	finish
fi
layers() { ls -1 "$ROOT/layers"; }
is "a layer is two files" "$(ls "$ROOT"/layers/*/ | tr '\n' ' ')" "erofs tar "
is "the tar is the layer" "$(sha256sum <"$(echo "$ROOT"/layers/*/tar)" | cut -d' ' -f1)" "$(layers)"
is "a container runs on it" "$(pod run --rm --net=none localhost/base cat /www/index.html)" "hello from pod"
is "pod inspect names the image" "$(pod inspect --format '{{.GraphDriver.Data.UpperDir}}' localhost/base)" "$ROOT/layers/$(layers)/erofs"

# All kinds of files in the upper of two layers, beside the same in directories.
mkdir -p "$WORLD/two/"{etc,deep/er,opaque}
cd "$WORLD/two" || exit 1
echo new >etc/passwd
: >etc/.wh.group
: >opaque/.wh..wh..opq
echo seen >opaque/new
ln -s ../etc/passwd deep/link
ln etc/passwd deep/hard
ln -s "$(printf 'x%.0s' $(seq 700))" deep/long-link
mknod deep/null c 1 3
mknod deep/big b 259 70000
mkfifo deep/fifo
echo x >"deep/$(printf 'n%.0s' $(seq 255))"
for i in $(seq 400); do echo "$i" >"deep/er/file-$i"; done
truncate -s 20M deep/sparse
echo middle | dd of=deep/sparse bs=1 seek=7000003 conv=notrunc status=none
echo end | dd of=deep/sparse bs=1 seek=20971515 conv=notrunc status=none
cp /bin/busybox deep/capable
chmod 4711 deep/capable
setfattr -n user.note -v text deep/capable
setcap cap_net_raw+ep deep/capable
chown 1234:4321 deep/er deep/er/file-7
touch -d @-5 deep/er/file-8
touch -d 2001-02-03T04:05:06.789 deep/er/file-9
cd "$WORLD" || exit 1
tar -C two -S --xattrs --xattrs-include='*' --pax-option=exthdr.name=%d/%f -c . >two.tar
mkdir -p oci-base/opaque && echo hidden >oci-base/opaque/old && cp -a fs/. oci-base/
tar -C oci-base -c . | store import localhost/low >/dev/null

# layered NAME: low with two.tar on it, by way of a docker-archive made by hand
layered() {
	local a=$WORLD/archive low top
	rm -rf "$a" && mkdir -p "$a"
	tar -C oci-base -c . >"$a/low.tar"
	cp two.tar "$a/top.tar"
	low=$(sha256sum <"$a/low.tar" | cut -d' ' -f1) top=$(sha256sum <"$a/top.tar" | cut -d' ' -f1)
	printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' "$low" "$top" >"$a/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["low.tar","top.tar"]}]' "$1" >"$a/manifest.json"
	tar -C "$a" -cf "$WORLD/$(basename "$1").tar" manifest.json config.json low.tar top.tar
	pod load -q -i "$WORLD/$(basename "$1").tar" >/dev/null
}
layered localhost/two:1
check "an archive of two layers is loaded" pod image exists localhost/two:1
# what a tree holds, by its metadata and contents; directories of which no entry speaks have no time of their own
list() { find . -xdev ! -path . -printf '%P %y %m %U %G %s %T@ %l\n' | sed 's/^\([^ ]*\) d \(.*\) [0-9]* \([0-9.-]*\) $/\1 d \2 \3/' | sort; find . -type f -exec sha256sum {} + | sort; getfattr -R -h -d -m 'user|security' . 2>/dev/null; stat -c '%n %t %T %h' deep/null deep/big deep/hard etc/passwd; }
cat >"$WORLD/list.sh" <<END
$(declare -f list)
list
END
erofs_root=$ROOT erofs_opts=("${world_opts[@]}")
store mount localhost/two:1 bash "$WORLD/list.sh" >"$WORLD/list.erofs" 2>&1
ROOT=$WORLD/plain world_opts=(--storage-opt overlay.layout=dir)
layered localhost/two:1
store mount localhost/two:1 bash "$WORLD/list.sh" >"$WORLD/list.dir" 2>&1
check "the directory layout lies as directories" test -d "$(echo "$ROOT"/layers/*/diff | cut -d' ' -f1)"
check "both layouts show the same tree" diff "$WORLD/list.erofs" "$WORLD/list.dir"
pod diff localhost/two:1 | sort >"$WORLD/diff.dir"
pod image tree localhost/two:1 2>&1 | sed 's/ Top Layer.*//' >"$WORLD/tree.dir"
pod save -q -o "$WORLD/save.dir" localhost/two:1
ROOT=$erofs_root world_opts=("${erofs_opts[@]}")
pod diff localhost/two:1 | sort >"$WORLD/diff.erofs"
check "diff says the same" cmp "$WORLD/diff.dir" "$WORLD/diff.erofs"
check "and something" test -s "$WORLD/diff.erofs"
pod image tree localhost/two:1 2>&1 | sed 's/ Top Layer.*//' >"$WORLD/tree.erofs"
check "image tree says the same" diff "$WORLD/tree.dir" "$WORLD/tree.erofs"
pod save -q -o "$WORLD/save.erofs" localhost/two:1
is "save writes the same" "$(sha256sum <"$WORLD/save.erofs")" "$(sha256sum <"$WORLD/save.dir")"
is "whiteouts and opaque directories hide" "$(pod run --rm --net=none localhost/two:1 sh -c 'ls /opaque; test -e /etc/group; echo $?')" "$(printf 'new\n1')"

# A container's own changes, and what is made of them.
pod run --name c --net=none localhost/two:1 sh -c 'echo 1 >>/etc/passwd; rm -r /deep/er; echo made >/made; mkdir /deep/er' >/dev/null
is "a container's changes" "$(pod diff c | sort | tr '\n' ' ')" "$(printf 'A /made\nC /deep\nC /deep/er\nC /etc/passwd\n%s\n' "$(seq 400 | sed 's,.*,D /deep/er/file-&,')" | sort | tr '\n' ' ')"
id=$(pod commit -q c localhost/made)
check "commit" test -n "$id"
is "what was committed runs" "$(pod run --rm --net=none localhost/made sh -c 'cat /made; tail -n 1 /etc/passwd; ls /deep/er | wc -l')" "$(printf 'made\n1\n0')"
pod export c | tar -t >"$WORLD/exported"
check "export" grep -qx made "$WORLD/exported"
mount=$(pod image mount localhost/two:1)
is "image mount" "$(cat "$mount/opaque/new")" seen
pod image unmount localhost/two:1 >/dev/null
is "a user namespace of its own" "$(pod run --rm --net=none --uidmap 0:200000:65536 --gidmap 0:200000:65536 localhost/two:1 stat -c %u:%g /deep/er/file-7 2>&1)" "1234:4321"

# Check: each injected fault is found, an image is made anew, a tar is not.
check "a whole store" pod system check
top=$(ls -d "$ROOT"/layers/*/ | head -n 1)
top=${top%/}
cp "$top/erofs" "$WORLD/kept.erofs"
printf X | dd of="$top/erofs" bs=1 seek=1700 conv=notrunc status=none
pod system check >"$WORLD/said" 2>&1
is "a modified image is found" $? 125
check "and named" grep -q "its image was modified" "$WORLD/said"
pod system check --repair >/dev/null 2>&1
check "and made anew" cmp "$top/erofs" "$WORLD/kept.erofs"
rm "$top/erofs"
pod system check --repair >/dev/null 2>&1
check "a missing image is made anew" cmp "$top/erofs" "$WORLD/kept.erofs"
check "then all is well" pod system check
pod rm -f c >/dev/null
printf X | dd of="$top/tar" bs=1 seek=100 conv=notrunc status=none
pod system check >"$WORLD/said" 2>&1
is "a modified tar is found" $? 125
check "and named" grep -q "its content was modified" "$WORLD/said"
pod system check --repair --force >/dev/null 2>&1
check "and removed" test ! -e "$top"
check "then all is well again" pod system check

# Choosing
pod --storage-opt overlay.layout=round images >/dev/null 2>"$WORLD/said"
is "another word is refused" $? 125
check "which it says" grep -q 'overlay.layout must be dir, erofs or auto, not "round"' "$WORLD/said"
printf '[storage]\ndriver = "overlay"\n[storage.options.overlay]\nlayout = "auto"\n' >"$WORLD/storage.conf"
ROOT=$WORLD/third world_opts=()
CONTAINERS_STORAGE_CONF=$WORLD/storage.conf pod load -q -i "$WORLD/two:1.tar" >/dev/null
check "storage.conf chooses too" test -f "$(echo "$ROOT"/layers/*/erofs | cut -d' ' -f1)"
is "and any command reads what is there" "$(pod run --rm --net=none localhost/two:1 cat /opaque/new)" seen
# Both ways, with the same digests; what is in use stays.
before=$(pod save -q localhost/two:1 | sha256sum)
store convert dir localhost/two:1 >"$WORLD/said"
is "convert names the layers" "$(sort "$WORLD/said" | tr '\n' ' ')" "$(ls "$ROOT/layers" | tr '\n' ' ')"
is "now they are directories" "$(for l in "$ROOT"/layers/*/; do ls "$l"; done | sort -u | tr '\n' ' ')" "diff tar.index "
is "a container runs on them" "$(pod run --rm --net=none localhost/two:1 cat /opaque/new)" seen
pod create --name user --net=none localhost/two:1 cat /etc/passwd >/dev/null
store convert erofs >/dev/null 2>"$WORLD/said"
is "what a container stands on stays as it is" $? 125
check "which it says" grep -q "stays as it is: a container stands on image" "$WORLD/said"
check "and is not touched" test -z "$(ls -d "$ROOT"/layers/*/tar 2>/dev/null)"
pod rm user >/dev/null
store convert erofs >/dev/null
is "and back" "$(for l in "$ROOT"/layers/*/; do ls "$l"; done | sort -u | tr '\n' ' ')" "erofs tar "
store mount localhost/two:1 bash "$WORLD/list.sh" >"$WORLD/list.back" 2>&1
check "the same tree" cmp "$WORLD/list.erofs" "$WORLD/list.back"
is "the same digests" "$(pod save -q localhost/two:1 | sha256sum)" "$before"
check "and a whole store" pod system check
store convert round >/dev/null 2>&1
is "another layout is refused" $? 125
# Killed at any moment, a layer is whole in one layout or the other.
for ms in 005 010 020 035 050 080; do
	to=$([ "$(ls -d "$ROOT"/layers/*/tar 2>/dev/null)" ] && echo dir || echo erofs)
	setsid "$BIN/pod-store" --root "$ROOT" --runroot "$RUNROOT" convert "$to" >/dev/null 2>&1 &
	pid=$!
	sleep 0.$ms
	kill -KILL -- "-$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ "$(pod run --rm --net=none localhost/two:1 cat /opaque/new 2>&1)" = seen ] && pod system check >/dev/null || { not_ok "killed after $ms ms on the way to $to"; broken=1; }
done
[ -n "${broken:-}" ] || ok "converting may be killed"
# Taking a layer in may be killed too.
for ms in 005 015 030 060; do
	setsid "$BIN/pod-store" --root "$WORLD/killed" --runroot "$RUNROOT" --storage-opt overlay.layout=erofs import localhost/k <two.tar >/dev/null 2>&1 &
	pid=$!
	sleep 0.$ms
	kill -KILL -- "-$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
done
tar -C fs -c . | ROOT=$WORLD/killed store --storage-opt overlay.layout=erofs import localhost/k >/dev/null
is "taking layers in may be killed" "$(ROOT=$WORLD/killed pod run --rm --net=none localhost/k cat /www/index.html; ls "$WORLD/killed/tmp" | wc -l)" "$(printf 'hello from pod\n0')"

# The rest of the suite has directories: what this layout shows is the same, word for word.
world_opts=()
busybox_image localhost/default >/dev/null
is "directories are what root gets" "$(ls "$ROOT"/layers/"$(pod inspect -f '{{index .RootFS.Layers 0}}' localhost/default | cut -d: -f2)" | tr '\n' ' ')" "diff tar.index "
for t in 040-store 100-lifecycle 120-images; do
	BUILD=$BUILD POD_TEST_LAYOUT=erofs bash "$LIB_DIR/integration/$t.sh" >"$WORLD/said" 2>&1
	is "$t with images" "$? $(grep '^not ok' "$WORLD/said")" "0 "
done

# A file system that the kernel cannot read images from.
mkdir "$WORLD/shm"
unshare -m bash -c "mount -t tmpfs none '$WORLD/shm' && '$BIN/pod-store' --root '$WORLD/shm/root' --storage-opt overlay.layout=erofs import localhost/x <two.tar" >/dev/null 2>"$WORLD/said"
check "where it cannot be had erofs fails with the reason" grep -q "layers as EROFS images cannot be had here" "$WORLD/said"
unshare -m bash -c "mount -t tmpfs none '$WORLD/shm' && '$BIN/pod-store' --root '$WORLD/shm/root' --storage-opt overlay.layout=auto import localhost/x <two.tar && ls -d '$WORLD'/shm/root/layers/*/diff" >/dev/null 2>"$WORLD/said"
check "and auto falls back to directories" [ $? = 0 ]
user_part <<'END'
tar -C "$LIB_DIR/user-fs" -c . >"$WORLD/fs.tar"
pod --storage-opt overlay.layout=erofs import -q "$WORLD/fs.tar" localhost/u >/dev/null 2>"$WORLD/said"
check "an ordinary user is told that it takes root" grep -q "take root in the first user namespace" "$WORLD/said"
pod --storage-opt overlay.layout=auto import -q "$WORLD/fs.tar" localhost/u >/dev/null
is "and gets directories by auto" "$(pod run --rm --net=none localhost/u cat /www/index.html)" "hello from pod"
END
