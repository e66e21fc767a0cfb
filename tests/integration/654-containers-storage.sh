#!/bin/bash
# SPDX-License-Identifier: ISC
# An additional image store that is a containers/storage directory, of Podman, Buildah or skopeo: its layers are used where they lie.
. "$(dirname "$0")/../lib.sh"

command -v skopeo >/dev/null || {
	skip "an additional store of another engine" "skopeo is not installed"
	finish
}
world
# skopeo mounts its store on itself
sko() { unshare -m skopeo --insecure-policy "$@"; }
everything() {
	local G=$WORLD/g sum base tree changed rows S
	export HOME=$WORLD/home
	mkdir -p "$HOME"
	busybox_image localhost/base >/dev/null
	base=$(pod inspect -f '{{.Id}}' localhost/base)
	# A file, a directory and what was in one go; a directory comes again.
	pod run --name c --network none localhost/base sh -c 'rm /www/index.html; rm -r /home; mkdir -p /home/new; rm /etc/group; echo two >/two' >/dev/null
	pod commit -q c localhost/two >/dev/null 2>&1
	pod rm c >/dev/null
	tree=$(pod image tree two | sha256sum) changed=$(pod image diff two | sort) rows=$(pod history -q two)
	two=$(pod inspect -f '{{.Id}}' localhost/two)
	pod save -q --format oci-archive -o "$WORLD/base.tar" localhost/base
	pod save -q --format oci-archive -o "$WORLD/two.tar" localhost/two
	pod rmi -a -f >/dev/null
	S="containers-storage:[overlay@$G+$G.run]"
	sko copy -q "oci-archive:$WORLD/base.tar" "${S}localhost/base:latest" && sko copy -q "oci-archive:$WORLD/two.tar" "${S}localhost/two:latest" || {
		skip "an additional store of another engine" "skopeo cannot make one here"
		return
	}
	seen() { (cd "$G" && find . -printf '%p %y %m %U %s %T@ %C@\n' | sort | sha256sum); }
	sum=$(seen)
	pa() { pod --storage-opt "additionalimagestore=$G" "$@"; }
	is "listed with R/O true" "$(pa images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.ReadOnly}}' --no-trunc --sort repository)" "localhost/base:latest sha256:$base true
localhost/two:latest sha256:$two true"
	is "nothing is said of it" "$(pa images -q 2>&1 >/dev/null)" ""
	is "run" "$(pa run --rm --network none localhost/two cat /two)" two
	is "run: what is gone and what hides" "$(pa run --rm --network none localhost/two sh -c 'ls /www /home; ls /etc/group' 2>&1 | tr -s '\n' ' ')" "/home: new /www: ls: /etc/group: No such file or directory "
	is "run as another user" "$(pa run --rm --network none -u alice localhost/base id -un)" alice
	is "create, start" "$(pa create --network none --name d localhost/base sh -c 'echo new >/new; rm /www/index.html' >/dev/null; pa start -a d; pa diff d | grep -v /etc | sort | tr '\n' ' ')" "A /new C /www D /www/index.html "
	is "exists, inspect, history, tree" "$(pa image exists localhost/two; echo $?) $(pa image inspect -f '{{.Id}} {{len .RootFS.Layers}}' two) $(pa history -q two) $(pa image tree two | sha256sum)" "0 $two 2 $rows $tree"
	is "mount as an image" "$(pa run --rm --network none --mount type=image,src=base,dst=/i two cat /i/www/index.html)" "hello from pod"
	is "diff of the image" "$(pa image diff two | sort)" "$changed"
	is "rmi is refused" "$(pa rmi localhost/base 2>&1 | sed -n 1p)" "Error: cannot remove read-only image \"$base\""
	is "prune passes it over" "$(pa rm -f d >/dev/null; pa image prune -a -f; pa images -q | wc -l)" 2
	is "tag gives it a record of our own" "$(pa tag two localhost/mine && pa images --format '{{.ReadOnly}}' localhost/mine)" false
	is "without a layer of our own" "$(ls "$ROOT/layers" | wc -l)" 0
	is "it runs, and goes" "$(pa run --rm --network none localhost/mine cat /two) $(pa rmi localhost/mine | grep -c Untagged)" "two 1"
	pa run --name e --network none two sh -c 'echo three >/three' >/dev/null
	pa commit -q e localhost/three >/dev/null
	is "commit on top" "$(pa run --rm --network none localhost/three cat /two /three | tr '\n' ' ')$(ls "$ROOT/layers" | wc -l)" "two three 1"
	is "save: the exact tars" "$(pa save -q --format oci-archive localhost/two | tar -xO index.json | jq -r '.manifests[0].digest')" "$(tar -xOf "$WORLD/two.tar" index.json | jq -r '.manifests[0].digest')"
	is "save: what was made on top" "$(pa save -q localhost/three | tar -xO manifest.json | jq '.[0].Layers | length')" 3
	is "pull out of it copies nothing" "$(pa pull -q "${S}localhost/base") $(ls "$ROOT/layers" | wc -l)" "$base 1"
	is "check" "$(pa system check; echo $?)" 0
	is "nothing was written there" "$(seen)" "$sum"
	is "its index is kept, and once" "$(ls "$RUNROOT/image-stores" | wc -l)" 1
	pod rm -f e >/dev/null
	is "with other owners" "$(pa run --rm --network none --uidmap 0:1:60000 --gidmap 0:1:60000 localhost/two cat /two 2>&1)" two
	is "of the driver vfs" "$(pod --root "$ROOT.vfs" --storage-driver vfs --storage-opt "additionalimagestore=$G" run --rm --network none localhost/two sh -c 'ls /www /home' | tr -s '\n' ' ')" "/home: new /www: "
	is "a reset leaves no index of it" "$(pr() { pod --root "$ROOT.r" --runroot "$RUNROOT.r" --storage-opt "additionalimagestore=$G" "$@"; }; pr images -q | wc -l; ls "$RUNROOT.r" | grep image-stores; pr system reset -f >/dev/null; ls "$RUNROOT.r" 2>/dev/null)" "2
image-stores"
	is "by storage.conf" "$(printf '[storage]\ndriver="overlay"\n[storage.options]\nadditionalimagestores=["%s"]\n' "$G" >"$WORLD/conf"; CONTAINERS_STORAGE_CONF=$WORLD/conf pod images -q | wc -l)" 3
	pod rmi -f -a >/dev/null
	is "nothing was written there" "$(seen)" "$sum"
	# Signatures that lie with an image there are the image's.
	sko copy -q "oci-archive:$WORLD/two.tar" "dir:$WORLD/signed" && printf '\243one of them' >"$WORLD/signed/signature-1" && printf '\243another' >"$WORLD/signed/signature-2"
	sko copy -q "dir:$WORLD/signed" "${S}localhost/two:latest"
	pa push -q localhost/two "dir:$WORLD/out"
	is "push: the signatures that are kept there" "$(cat "$WORLD/out"/signature-* | sha256sum)" "$(cat "$WORLD/signed"/signature-* | sha256sum)"
	is "push: without them" "$(pa push -q --remove-signatures localhost/two "dir:$WORLD/bare"; ls "$WORLD/bare" | grep -c "signature\|manifest.json")" 1
	is "push: to where none can be" "$(pa push -q localhost/two "oci:$WORLD/layout" 2>&1 | grep -c 'signatures for OCI images is not supported')" 1
	is "save: leaves them" "$(pa save -q --format docker-dir -o "$WORLD/saved" localhost/two; ls "$WORLD/saved" | grep -c "signature\|manifest.json")" 1
	is "tag: they go with it" "$(pa tag two localhost/mine; pa push -q localhost/mine "dir:$WORLD/mine"; ls "$WORLD/mine" | grep -c signature; pa rmi localhost/mine >/dev/null)" 2
	# What is put there later is seen.
	pa images -q >/dev/null
	sko copy -q "oci-archive:$WORLD/base.tar" "${S}localhost/later:1"
	is "a change there is seen" "$(pa images --format '{{.Repository}}' | sort | tr '\n' ' ')$(ls "$RUNROOT/image-stores" | wc -l)" "localhost/base localhost/later localhost/two 1"
	for size in 0 5000; do
		truncate -s $size "$RUNROOT"/image-stores/*
		is "a kept index of $size bytes is made anew" "$(pa images -q 2>&1 | wc -l) $(pa images -q 2>&1 | wc -l) $(ls "$RUNROOT/image-stores" | wc -l) $(($(stat -c %s "$RUNROOT"/image-stores/*) > size))" "2 2 1 1"
	done
	sqlite3 "$(ls "$RUNROOT"/image-stores/*)" "UPDATE name SET name = 'localhost/planted:1' WHERE name LIKE '%/two:%'; PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	is "a kept index is used" "$(pa images | grep -c planted)" 1
	chmod 777 "$RUNROOT/image-stores"
	is "one that others may have put there is not" "$(pa images | grep -c -e planted -e localhost/two)" 1
	is "nor where it is not, which is left as it is" "$(pa images | grep -c planted) $(ls "$RUNROOT/image-stores" | wc -l)" "0 1"
	is "a run root that cannot keep an index" "$(rm -rf "$RUNROOT/image-stores"; ln -s /nowhere "$RUNROOT/image-stores"; pa images -q | wc -l; rm "$RUNROOT/image-stores")" 2
}

everything

# --- Hostile ones: damaged TEXT WORDS IMAGES, commands on stdin damage a copy in $B
G=$WORLD/g B=$WORLD/b two_dir=$(jq -r '.[] | select(.names[] == "localhost/two:latest").layer' "$G/overlay-images/images.json")
edit() { jq -c "$2" "$B/$1" >"$B/l" && mv "$B/l" "$B/$1"; }
damaged() {
	local text=$1 words=$2 n=$3 said
	rm -rf "$B"
	cp -a "$G" "$B"
	. /dev/stdin
	said=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --storage-opt "additionalimagestore=$B" images -q --no-trunc 2>"$WORLD/said" | sort -u | wc -l)
	if [ "$said" = "$n" ] && grep -q "passed over: .*$words" "$WORLD/said"; then ok "$text"; else not_ok "$text: $said images, $(cat "$WORLD/said")"; fi
}
damaged "a list that is none" "it is no list" 0 <<<'echo {} >"$B/overlay-images/images.json"'
damaged "a depth bomb" "parsing overlay-layers/layers.json" 0 <<<'printf "%0100000d" 0 | tr 0 "[" >"$B/overlay-layers/layers.json"'
damaged "a list that is too large" "images.json" 0 <<<'truncate -s 9M "$B/overlay-images/images.json"'
damaged "a list that is a pipe" "not a regular file" 0 <<<'rm "$B/overlay-images/images.json"; mkfifo "$B/overlay-images/images.json"'
damaged "a list that is a link" "images.json" 0 <<<'mv "$B/overlay-images/images.json" "$WORLD/list"; ln -s "$WORLD/list" "$B/overlay-images/images.json"'
damaged "a ring of layers" "too many layers" 1 <<<'edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .parent = .id else . end)"'
damaged "a layer that is not there" "is not there" 1 <<<'edit overlay-layers/layers.json "map(select(.id != \"$two_dir\"))"'
damaged "a layer that is not complete" "is not complete" 1 <<<'edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .flags = {incomplete: true} else . end)"'
damaged "a layer of another digest" "not named after what is in it" 1 <<<'edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .\"diff-digest\" |= sub(\"[0-9a-f]{4}$\"; \"0000\") else . end)"'
damaged "an ID with a path in it" "malformed ID" 1 <<<'edit overlay-images/images.json "map(if .layer == \"$two_dir\" then .id = \"../../etc\" else . end)"'
damaged "a layer with a path in its ID" "is not there" 1 <<<'edit overlay-images/images.json "map(if .layer == \"$two_dir\" then .layer = \"../../etc\" else . end)"'
damaged "the layer of another image" "the image has 1 layers there, by its manifest 2" 1 <<<'edit overlay-images/images.json "(map(select(.layer != \"$two_dir\"))[0].layer) as \$o | map(.layer = \$o)"'
damaged "another configuration" "digest mismatch" 1 <<<'for f in "$B/overlay-images/$two"/=*; do echo "{}" >"$f"; done'
damaged "a manifest that is none" "image $two" 1 <<<'echo "{" >"$B/overlay-images/$two/manifest"'
damaged "a manifest that is a link" "image $two" 1 <<<'ln -sf /etc/passwd "$B/overlay-images/$two/manifest"'
damaged "a layer without files" "has no directory of files" 1 <<<'rm -rf "$B/overlay/$two_dir/diff"'
damaged "files of a layer elsewhere" "has no directory of files" 1 <<<'rm -rf "$B/overlay/$two_dir/diff"; ln -s / "$B/overlay/$two_dir/diff"'
damaged "a layer elsewhere" "has no directory of files" 1 <<<'mv "$B/overlay/$two_dir" "$WORLD/away"; ln -s "$WORLD/away" "$B/overlay/$two_dir"'
rm -rf "$WORLD/away"
damaged "a layer that would be a file system" "has no directory of files" 1 <<<'truncate -s 4096 "$B/overlay/$two_dir/tar" "$B/overlay/$two_dir/erofs"'
damaged "a layer pulled in parts" "layer $two_dir was pulled in parts, by its table of contents" 1 <<<'edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .\"toc-digest\" = .\"diff-digest\" | del(.\"diff-digest\") else . end)"'
# Under the name that it has there, of which no image can be made in place.
toc=$(printf 'a%.0s' {1..64}) base_dir=$(jq -r '.[] | select(.names[] == "localhost/base:latest").layer' "$G/overlay-images/images.json")
damaged "one of that name" "was pulled in parts, by its table of contents, .*: pod pull containers-storage: copies it" 1 <<'END'
name=$(printf '%s+@TOC=%s' "$base_dir" "$toc" | sha256sum | cut -d' ' -f1)
edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .id = \"$name\" | .\"toc-digest\" = \"sha256:$toc\" | del(.\"diff-digest\") else . end)"
edit overlay-images/images.json "map(if .layer == \"$two_dir\" then .layer = \"$name\" else . end)"
mv "$B/overlay/$two_dir" "$B/overlay/$name"
mv "$B/overlay-layers/$two_dir.tar-split.gz" "$B/overlay-layers/$name.tar-split.gz"
END
is "is copied, and looked at" "$(pod pull -q "containers-storage:[overlay@$B+$B.run]localhost/two") $(pod run --rm --network none localhost/two cat /two; pod rmi -f localhost/two >/dev/null)" "$two two"
damaged "a layer with shifted owners" "the files of layer $two_dir have shifted owners" 1 <<<'edit overlay-layers/layers.json "map(if .id == \"$two_dir\" then .uidmap = [{container_id: 0, host_id: 100000, size: 65536}] else . end)"'
damaged "a layer of composefs" "layer $two_dir is one of composefs" 1 <<<'mkdir "$B/overlay/$two_dir/composefs-data"'
damaged "signatures of other sizes" "its signatures have other sizes" 1 <<<'for f in "$B/overlay-images/$two"/=c2lnbmF0dXJl*; do echo more >>"$f"; done'
damaged "made for a mount program" "mount program" 0 <<<'printf true >"$B/overlay/.has-mount-program"'
damaged "of the driver vfs" "another driver than overlay, from which pod pull containers-storage: copies" 0 <<<'mv "$B/overlay-images" "$B/vfs-images"'
damaged "names that are none are left out" "is not there" 1 <<<'edit overlay-images/images.json "map(.names += [\"../x\", \"UPPER\"])"; edit overlay-layers/layers.json "map(select(.id != \"$two_dir\"))"'
damaged "a manifest that cannot be read now" "permission denied" 1 <<<'chmod 0 "$B/overlay-images/$two/manifest"'
chmod 600 "$B/overlay-images/$two/manifest"
is "and can be later" "$(pod --storage-opt "additionalimagestore=$B" images -q | sort -u | wc -l)" 2
rm -rf "$B"
cp -a "$G" "$B"
pb() { pod --storage-opt "additionalimagestore=$B" "$@"; }
pb images -q >/dev/null
rm "$B/overlay-layers/$two_dir.tar-split.gz"
is "a layer without tar-split runs" "$(pb run --rm --network none localhost/two cat /two)" two
is "but cannot be saved" "$(pb save -q localhost/two 2>&1 >/dev/null | grep -c "layer $two_dir of $B has no tar-split data")" 1
rm -rf "$B/overlay/$two_dir/diff"
is "a layer that went after the index was made" "$(pb run --rm --network none localhost/two cat /two 2>&1 | grep -c '^Error: .*layer')" 1
rm -rf "$B"

is "image mount" "$(pod --storage-opt "additionalimagestore=$G" image mount localhost/base | xargs -I{} cat {}/www/index.html)" "hello from pod"
pod --storage-opt "additionalimagestore=$G" image umount -a >/dev/null
is "push: the manifest stays what it was" "$(pod --storage-opt "additionalimagestore=$G" push -q localhost/two "dir:$WORLD/pushed"; sha256sum <"$WORLD/pushed/manifest.json" | cut -d' ' -f1)" \
	"$(tar -xOf "$WORLD/two.tar" index.json | jq -r '.manifests[0].digest' | cut -d: -f2)"

# --- Podman's own ---
if command -v podman >/dev/null; then
	unshare -mn bash -c "umount /sys/fs/cgroup/unified 2>/dev/null
		p='podman --root $G --runroot $G.run --cgroup-manager cgroupfs --storage-driver overlay'
		tar -C $WORLD/fs -c . | \$p import - localhost/podmans:1
		\$p create --name away --network none localhost/podmans:1 true
		\$p commit away localhost/committed:1
		\$p manifest create localhost/list:1 && \$p manifest add localhost/list:1 containers-storage:localhost/podmans:1
		\$p images --no-trunc --format '{{.Repository}} {{.ID}}' >$WORLD/podman.said" >/dev/null 2>&1
	pm() { pod --storage-opt "additionalimagestore=$G" "$@"; }
	is "podman's: a manifest list is passed over" "$(pm images -q 2>&1 >/dev/null | grep -c 'passed over: .*it is a list of images')" 1
	is "podman's: the others are as podman says" "$(pm images --no-trunc --format '{{.Repository}} {{.ID}}' | sort)" "$(grep -v /list "$WORLD/podman.said" | sort)"
	is "podman's: they run" "$(pm run --rm --network none localhost/committed:1 cat /www/index.html)" "hello from pod"
else
	skip "podman's own store" "podman is not installed"
fi
chown 1:1 "$WORLD/g"
is "of another user" "$(pod --storage-opt "additionalimagestore=$WORLD/g" images -q 2>&1 | grep -c 'passed over: .*of another user, from which pod pull containers-storage: copies')" 1
{ echo 'sko() { pod unshare unshare -m env _CONTAINERS_USERNS_CONFIGURED=done skopeo --insecure-policy "$@"; }'; declare -f everything; echo everything; } | user_part
