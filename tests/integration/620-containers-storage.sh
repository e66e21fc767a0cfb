#!/bin/bash
# SPDX-License-Identifier: ISC
# containers-storage:[driver@root+run]IMAGE: images out of the store of Podman, Buildah and skopeo, which is only read.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v skopeo >/dev/null || {
	skip "the store of another engine" "skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
at_end() { umount "$WORLD/g-overlay/overlay" "$WORLD/p/overlay" 2>/dev/null; }
image() { timeout 30 "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
sko() { skopeo --insecure-policy "$@"; }
refused() { # TEXT WORDS COMMAND...
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
manifest_of() { sha256sum "$1/manifest.json" | cut -d' ' -f1 | sed 's/^/sha256:/'; }

layout "$WORLD/tars" x tar
TARS=$LAYOUT_DIGEST
# Another configuration: containers/storage keeps one manifest for each.
echo zips >"$WORLD/fs/www/kind"
layout "$WORLD/zips" x gzip
ZIPS=$LAYOUT_DIGEST
CONFIG=$(jq -r .config.digest "$WORLD/zips/blobs/sha256/${ZIPS#sha256:}")
if [ "$(id -u)" != 0 ]; then
	skip "the store of another engine" "root makes one here"
	finish
fi

# --- each driver, filled by skopeo ---
for driver in overlay vfs; do
	G=$WORLD/g-$driver S="containers-storage:[$driver@$WORLD/g-$driver+$WORLD/gr-$driver]"
	sko copy -q "oci:$WORLD/tars:x" "${S}example.com/tars:1" || not_ok "$driver: filling the store"
	sko copy -q "oci:$WORLD/zips:x" "${S}docker.io/library/zips:latest" || not_ok "$driver: filling the store"
	sum=$(find "$G" -type f ! -name '*.lock' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
	image copy -q "${S}example.com/tars:1" "dir:$WORLD/$driver.tars" || not_ok "$driver: copying"
	is "$driver: layers that were tars keep the manifest" "$(manifest_of "$WORLD/$driver.tars")" "$TARS"
	sko copy -q "${S}example.com/tars:1" "dir:$WORLD/$driver.theirs"
	is "$driver: as skopeo's own copy out of it" "$(manifest_of "$WORLD/$driver.theirs")" "$TARS"
	image copy -q "${S}zips" "oci:$WORLD/$driver.zips:x" || not_ok "$driver: a short name"
	is "$driver: compressed layers: the same configuration" \
		"$(image inspect --config --raw "oci:$WORLD/$driver.zips:x" | sha256sum | cut -d' ' -f1)" "${CONFIG#sha256:}"
	check "$driver: and skopeo reads the copy" sko copy -q "oci:$WORLD/$driver.zips:x" "dir:$WORLD/$driver.check"
	is "$driver: inspect says what skopeo says" "$(image inspect "${S}docker.io/library/zips" | jq -r .Digest)" "$(sko inspect "${S}docker.io/library/zips" | jq -r .Digest)"
	id=$(pod pull -q "${S}docker.io/library/zips")
	is "$driver: pull: the image's ID" "sha256:$id" "$CONFIG"
	is "$driver: pull: the manifest stays what it was" "$(pod images --digests --format '{{.Repository}} {{.Digest}}')" "docker.io/library/zips $ZIPS"
	is "$driver: it runs" "$(pod run --rm --net=none docker.io/library/zips cat /opt/second)" "second layer $(layout_machine)"
	pod rmi -f "$id" >/dev/null
	is "$driver: by its ID" "$(pod pull -q "${S}${id:0:12}")" "$id"
	is "$driver: then under its own names" "$(pod images --format '{{.Repository}}:{{.Tag}}')" docker.io/library/zips:latest
	pod rmi -f "$id" >/dev/null
	is "$driver: by its digest" "$(pod pull -q "${S}zips@$ZIPS")" "$id"
	pod rmi -f "$id" >/dev/null
	is "$driver: the other store is only read" "$(find "$G" -type f ! -name '*.lock' -print0 | sort -z | xargs -0 sha256sum | sha256sum)" "$sum"
done
G=$WORLD/g-vfs S="containers-storage:[vfs@$WORLD/g-vfs+$WORLD/gr-vfs]"

# --- podman's own ---
if command -v podman >/dev/null; then
	P="containers-storage:[overlay@$WORLD/p+$WORLD/pr]"
	unshare -m bash -c "umount /sys/fs/cgroup/unified 2>/dev/null
		podman --root $WORLD/p --runroot $WORLD/pr --cgroup-manager cgroupfs --storage-driver overlay import - localhost/made:1 <$WORLD/fs.tar
		podman --root $WORLD/p --runroot $WORLD/pr --cgroup-manager cgroupfs --storage-driver overlay images --digests --no-trunc --format '{{.ID}} {{.Digest}}' >$WORLD/podman.said
		" >/dev/null 2>&1
	image copy -q "${P}localhost/made:1" "dir:$WORLD/made"
	is "podman's image: its manifest" "$(manifest_of "$WORLD/made")" "$(cut -d' ' -f2 "$WORLD/podman.said")"
	is "podman's image: its ID" "sha256:$(pod pull -q "${P}made:1")" "$(cut -d' ' -f1 "$WORLD/podman.said")"
	umount "$WORLD/p/overlay" 2>/dev/null
else
	skip "podman's own store" "podman is not installed"
fi

# --- policy ---
echo "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"transports\":{\"containers-storage\":{\"[vfs@$G]example.com\":[{\"type\":\"reject\"}]}}}" >"$WORLD/policy.json"
refused "a scope of policy.json that refuses it" "rejected by policy" image copy -q --signature-policy "$WORLD/policy.json" "${S}example.com/tars:1" "dir:$WORLD/x"
check "and one beside it" image copy -q --signature-policy "$WORLD/policy.json" "${S}zips" "dir:$WORLD/x1"

# --- what is not right ---
refused "an image that is not there" "image not known" image copy -q "${S}example.com/nosuch:1" "dir:$WORLD/x"
refused "a root that is not there" "no such file" image copy -q "containers-storage:[overlay@$WORLD/none]a" "dir:$WORLD/x"
refused "a driver that is not known" "only those of overlay and vfs" image copy -q "containers-storage:[btrfs@$G]a" "dir:$WORLD/x"
refused "a bracket that is not closed" "not closed" image copy -q "containers-storage:[vfs@$G" "dir:$WORLD/x"
refused "a relative root" "no absolute path" image copy -q "containers-storage:[vfs@g]a" "dir:$WORLD/x"
refused "it is not written to" "only read" image copy -q "oci:$WORLD/tars:x" "${S}a:1"

# broken TEXT WORDS: commands on stdin damage a copy of the store in $B
broken() {
	local text=$1 words=$2 B=$WORLD/b
	rm -rf "$B" "$WORLD/x"
	cp -a "$G" "$B"
	. /dev/stdin
	refused "$text" "$words" image copy -q "containers-storage:[vfs@$B]zips" "dir:$WORLD/x"
	pod rmi -a -f >/dev/null 2>&1
	refused "$text: pull" "$words" pod pull -q "containers-storage:[vfs@$B]zips"
}
IMG=${CONFIG#sha256:}
broken "a file that was changed" "not what it was" <<<'for f in "$B"/vfs/dir/*/opt/second; do echo x >>"$f"; done'
broken "a tar-split cut short" "ends too early" <<<'for f in "$B"/vfs-layers/*.gz; do truncate -s 200 "$f"; done'
broken "a tar-split that is no gzip" "damaged" <<<'for f in "$B"/vfs-layers/*.gz; do echo hello there, this is no gzip >"$f"; done'
broken "a layer without tar-split" "no tar-split data" <<<'rm "$B"/vfs-layers/*.gz'
broken "a missing list" "images.json" <<<'rm "$B/vfs-images/images.json"'
broken "a list that is none" "it is no list" <<<'echo {} >"$B/vfs-images/images.json"'
broken "a depth bomb" "parsing vfs-images/images.json" <<<'printf "%0100000d" 0 | tr 0 "[" >"$B/vfs-images/images.json"'
broken "a ring of layers" "too many layers" <<<'jq -c --arg t "$(jq -r ".[-1].id" "$B/vfs-layers/layers.json")" "map(.parent = .id)" "$B/vfs-layers/layers.json" >"$B/l" && mv "$B/l" "$B/vfs-layers/layers.json"'
broken "a layer that is not there" "is not there" <<<'echo "[]" >"$B/vfs-layers/layers.json"'
broken "an ID with a path in it" "malformed ID" <<<'jq -c "map(.id = \"../../etc\")" "$B/vfs-images/images.json" >"$B/l" && mv "$B/l" "$B/vfs-images/images.json"'
broken "a layer's ID with a path in it" "is not there" <<<'jq -c "map(.layer = \"../../etc\")" "$B/vfs-images/images.json" >"$B/l" && mv "$B/l" "$B/vfs-images/images.json"'
broken "another configuration" "digest mismatch" <<<'for f in "$B"/vfs-images/*/=*; do echo "{}" >"$f"; done'
broken "a manifest of another kind" "" <<<'for f in "$B"/vfs-images/*/manifest; do echo "{\"schemaVersion\":2,\"mediaType\":\"text/plain\"}" >"$f"; done'
broken "a directory of a layer that is a link" "" <<<'for d in "$B"/vfs/dir/*; do rm -rf "$d"; ln -s / "$d"; done'
broken "documents that are links" "" <<<'for f in "$B"/vfs-images/*/manifest; do ln -sf /etc/passwd "$f"; done'

# --- an ordinary user's ---
chmod -R a+rX "$WORLD/tars" "$WORLD/zips"
echo "TARS=$TARS CONFIG=$(jq -r .config.digest "$WORLD/tars/blobs/sha256/${TARS#sha256:}")" >"$WORLD/facts"
user_part <<'E2'
shared=$LIB_DIR
. "$shared/facts"
S="containers-storage:[vfs@$HOME/g+$HOME/gr]"
pod unshare env _CONTAINERS_USERNS_CONFIGURED=done skopeo --insecure-policy copy -q "oci:$shared/tars:x" "${S}example.com/tars:1" 2>"$WORLD/err"
is "a user's store filled by skopeo: $(cat "$WORLD/err")" "$(ls "$HOME/g/vfs-images/images.json")" "$HOME/g/vfs-images/images.json"
"$BIN/pod-image" copy -q "${S}example.com/tars:1" "dir:$HOME/out" 2>"$WORLD/err"
is "a user copies out of it: $(cat "$WORLD/err")" "$(sha256sum <"$HOME/out/manifest.json" | cut -d' ' -f1)" "${TARS#sha256:}"
id=$(pod pull -q "${S}example.com/tars:1" 2>"$WORLD/err")
is "a user pulls from it: $(cat "$WORLD/err")" "sha256:$id" "$CONFIG"
E2
