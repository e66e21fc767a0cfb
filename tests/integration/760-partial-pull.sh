#!/bin/bash
# SPDX-License-Identifier: ISC
# Pulling an image whose layers are zstd:chunked fetches only the files that the store does not have; the image is the
# same to the byte.  Whatever the index of a layer says, and however the registry answers: the right image, or nothing.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry python3 zstd openssl; do
	command -v $tool >/dev/null || {
		skip "partial pulls" "$tool is not installed"
		finish
	}
done
world
mkdir -p "$WORLD/home"
export HOME=$WORLD/home
registry_http_start
upstream=${REGISTRY_HTTP#localhost:} port=$(free_port)
: >"$WORLD/mode"
: >"$WORLD/log"
python3 "$LIB_DIR/range-proxy.py" "$port" "$upstream" "$WORLD/mode" "$WORLD/log" &
remember_pid $!
through=localhost:$port
until_ok 20 curl -s -o /dev/null "http://$through/v2/"
mode() { printf '%s' "$1" >"$WORLD/mode"; }
# fetched DIGEST: bytes of that blob that went through
fetched() { awk -v d="${1#sha256:}" '$1 == d { n += $3 } END { print n + 0 }' "$WORLD/log"; }
manifest() { curl -s -H "Accept: application/vnd.oci.image.manifest.v1+json" "http://$REGISTRY_HTTP/v2/${1%:*}/manifests/${1#*:}"; }
layer() { manifest "$1" | jq -r '.layers[0].digest'; }

# 160 files that cannot be compressed, of 20 kB each and all different; in the second image a tenth of them is new, so
# many that one request is for several ranges.
rootfs "$WORLD/fs"
mkdir "$WORLD/fs/data"
openssl rand 3200000 | split -b 20000 -a 3 - "$WORLD/fs/data/f."
ln "$WORLD/fs/data/f.aaa" "$WORLD/fs/data/link"
ln -s f.aab "$WORLD/fs/data/symbolic"
: >"$WORLD/fs/data/empty"
cp -a "$WORLD/fs" "$WORLD/fs2"
n=0
for f in "$WORLD"/fs2/data/f.*; do
	[ $((n++ % 10)) != 5 ] || openssl rand 20000 >"$f"
done
echo "the second" >"$WORLD/fs2/etc/which"
# Fills the buffer that it is decompressed into to the last byte.
head -c 262144 /dev/zero >"$WORLD/fs2/data/even"
# build DIR NAME: the directory as an image in the registry
build() {
	tar -C "$1" --sort=name --owner=0 --group=0 --mtime=@1700000000 --format=pax -b 1 -c . | store import "localhost/$2" >/dev/null
	pod push -q --tls-verify=false --compression-format zstd:chunked "localhost/$2" "$REGISTRY_HTTP/$2:1" >/dev/null || return 1
	[ "$2" != first ] || pod push -q --tls-verify=false --compression-format gzip "localhost/$2" "$REGISTRY_HTTP/plain:1" >/dev/null
	pod rmi "localhost/$2" >/dev/null
}
build "$WORLD/fs" first && build "$WORLD/fs2" second
is "two images are in the registry" $? 0
blob=$(manifest second:1 | jq '.layers[0].size')
pull() { pod pull -q --tls-verify=false "$through/$1" 2>>"$WORLD/said"; }
id=$(manifest second:1 | jq -r .config.digest) id=${id#sha256:}

# What came in parts is what was pushed: each file with its owner, mode and time, and the tar itself.
check_tree() {

	local name
	name=$(pod create --net=none "$through/$1" true)
	pod export "$name" | tar -x -C "$2" 2>/dev/null
	pod rm "$name" >/dev/null
	rm -rf "$2/dev" "$2/proc" "$2/sys" "$2/run"
	(cd "$2" && find . -path ./dev -prune -o -path ./proc -prune -o -path ./sys -prune -o -printf '%P %y %m %s %l\n' | grep -vE '^(etc/(hosts|hostname|resolv.conf|mtab)|run|dev|proc|sys|etc|) ' | sort) >"$WORLD/tree"
	(cd "$3" && find . -path ./dev -prune -o -path ./proc -prune -o -path ./sys -prune -o -printf '%P %y %m %s %l\n' | grep -vE '^(etc/(hosts|hostname|resolv.conf|mtab)|run|dev|proc|sys|etc|) ' | sort) >"$WORLD/tree.want"
	cmp -s "$WORLD/tree" "$WORLD/tree.want" && diff -r "$2/data" "$3/data" >/dev/null && cmp -s "$2/etc/which" "$3/etc/which"
}

# Meanwhile: the second image with indices that are wrong.
faults="digests swapped overlap beyond reversed negative huge missing entries json depth bomb length split split-bomb split-files checksum"
# shellcheck disable=SC2046
python3 "$LIB_DIR/chunked-image.py" "$REGISTRY_HTTP" second:1 newer:1 newer $(for f in $faults; do echo "bad-$f:1 $f"; done) 2>>"$WORLD/said" &
making=$!
pull first:1 >/dev/null
is "the first image is fetched whole" "$(fetched "$(layer first:1)")" "$(manifest first:1 | jq '.layers[0].size')"
is "the second is pulled" "$(pull second:1)" "$id"
got=$(fetched "$(layer second:1)")
check "less than a quarter of it is fetched ($got of $blob bytes)" [ "$got" -gt 0 -a "$got" -lt $((blob / 4)) ]
check "no more than its new files and the index" [ "$got" -lt $((16 * 20000 + 150000)) ]
mkdir "$WORLD/out"
check "its files are those that were pushed" check_tree second:1 "$WORLD/out" "$WORLD/fs2"
is "its layers have the same DiffIDs" "$(pod image inspect --format '{{json .RootFS.Layers}}' "$through/second:1")" \
	"$(curl -s "http://$REGISTRY_HTTP/v2/second/blobs/sha256:$id" | jq -c .rootfs.diff_ids)"
pod push -q --tls-verify=false "$through/second:1" "$REGISTRY_HTTP/again:1" >/dev/null
is "pushed again it has the same digest" "$(manifest again:1 | sha256sum)" "$(manifest second:1 | sha256sum)"
check "the store is whole" pod system check
pod save -q --format oci-archive -o "$WORLD/saved.tar" "$through/second:1"
mkdir "$WORLD/saved" && tar -xf "$WORLD/saved.tar" -C "$WORLD/saved"
d=$(layer second:1)
is "and so has its layer where it was not before" "$(jq -r '.layers[0].digest' "$WORLD/saved/blobs/sha256/$(jq -r '.manifests[0].digest' "$WORLD/saved/index.json" | cut -d: -f2)") $(sha256sum <"$WORLD/saved/blobs/sha256/${d#sha256:}" | cut -d' ' -f1)" "$d ${d#sha256:}"
check "without --quiet it says what was left out" grep -qE 'skipped [0-9.]+ of [0-9.]+ MB' <(
	pod rmi "$through/second:1" >/dev/null
	pod pull --tls-verify=false "$through/second:1" 2>&1
)
# What came in parts serves further ones.
pod rmi -f "$through/first:1" >/dev/null
: >"$WORLD/log"
pull first:1 >/dev/null
got=$(fetched "$(layer first:1)")
check "an image that came in parts serves the next ($got bytes)" [ "$got" -gt 0 -a "$got" -lt $((blob / 4)) ]
pod rmi -f "$through/first:1" "$through/second:1" >/dev/null
pull first:1 >/dev/null

# again TEXT REPOSITORY WHOLE: pulled anew, it is the image; WHOLE: its blob was fetched from the beginning to the end
again() {
	local size whole=no image
	pod rmi -f "$id" >/dev/null 2>&1
	: >"$WORLD/log"
	image=$(pull "$2:1")
	is "$1: it is the image" "$image" "$id"
	size=$(manifest "$2:1" | jq '.layers[0].size')
	[ "$(fetched "$(layer "$2:1")")" -lt "$size" ] || whole=yes
	is "$1: fetched whole" "$whole" "$3"
}
again "an honest registry" second no
mode whole
again "a registry that ignores ranges" second yes
mode late
again "a registry that ignores all but one" second yes
mode lie
again "a registry that lies about ranges" second yes
mode short
again "a registry that sends too little" second yes
mode ""

# As newer versions of containers/storage write them: files in several chunks, and the digest of the tar-split.
wait "$making" || not_ok "layers in chunks, and with faults: $(tail -n 1 "$WORLD/said")"
again "a layer whose files are in chunks" newer no

for fault in $faults; do
	again "$fault" "bad-$fault" yes
done
# What a command leaves is taken away behind its answer.
check "nothing is left of what failed" until_ok 20 bash -c '[ -z "$(ls "$0")" ]' "$ROOT/tmp"

# A file of the store that was changed is noticed, and the layer comes whole.
pod rmi -f "$id" >/dev/null 2>&1
victim=$(echo "$ROOT"/layers/*/diff/data/f.aab)
if [ -f "$victim" ]; then
	echo changed | dd of="$victim" conv=notrunc status=none 2>/dev/null || pod unshare sh -c "echo changed | dd of=$victim conv=notrunc status=none"
	again "a changed file of the store" second yes
	rm -f "$victim" 2>/dev/null || pod unshare rm -f "$victim"
	pod unshare ln -s /etc/passwd "$victim" 2>/dev/null || ln -s /etc/passwd "$victim"
	again "a file of the store that has become a link" second yes
fi
pod rmi -af >/dev/null 2>&1

# Names that lead elsewhere in the index of a layer that is there are names in that layer.
python3 "$LIB_DIR/chunked-image.py" "$REGISTRY_HTTP" first:1 named:1 names
pull named:1 >/dev/null
again "names that lead out of the layer" second yes
pod rmi -af >/dev/null 2>&1

# What another writer made has no tar-split, so it comes whole; but its files serve.
if command -v skopeo >/dev/null; then
	skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false --dest-compress-format zstd:chunked "docker://$REGISTRY_HTTP/plain:1" "docker://$REGISTRY_HTTP/theirs:1" 2>>"$WORLD/said"
	is "skopeo wrote zstd:chunked" "$(manifest theirs:1 | jq -r '.layers[0].annotations | keys[] | sub(".*zstd-chunked."; "")' | sort | head -n 1)" manifest-checksum
	pull theirs:1 >/dev/null
	is "it is fetched whole" "$(fetched "$(layer theirs:1)")" "$(manifest theirs:1 | jq '.layers[0].size')"
	again "with the files of another writer's image" second no
else
	skip "the files of another writer's image" "skopeo is not installed"
fi
pod rmi -af >/dev/null 2>&1

# storage.conf(5): pull_options
printf '[storage]\n[storage.options]\npull_options = {enable_partial_images = "false", use_hard_links = "true", ostree_repos = ""}\n' >"$WORLD/storage.conf"
export CONTAINERS_STORAGE_CONF=$WORLD/storage.conf
pull first:1 >/dev/null
again "enable_partial_images = \"false\"" second yes
printf '[storage.options.pull_options]\nenable_partial_images = "true"\nconvert_images = "false"\n' >"$WORLD/storage.conf"
again "enable_partial_images = \"true\"" second no
unset CONTAINERS_STORAGE_CONF

# The same where layers are their tars and EROFS images of them; and what is pushed from there.
erofs_part() {
	local ROOT=$WORLD/erofs RUNROOT=$WORLD/erofs-run world_opts=(--storage-opt overlay.layout=erofs)
	if ! pull first:1 >/dev/null; then
		skip "partial pulls into EROFS images" "$(tail -n 1 "$WORLD/said" | cut -c1-150)"
		return
	fi
	check "layers are EROFS images" test -f "$(echo "$ROOT"/layers/*/erofs)"
	again "from an EROFS image to another" second no
	mkdir "$WORLD/out.erofs"
	check "its files are those that were pushed" check_tree second:1 "$WORLD/out.erofs" "$WORLD/fs2"
	again "a layer in chunks, from an EROFS image" newer no
	check "the store is whole" pod system check
	pod pull -q --tls-verify=false "$REGISTRY_HTTP/plain:1" >/dev/null
	pod push -q --tls-verify=false --compression-format zstd:chunked --force-compression "$REGISTRY_HTTP/plain:1" "$REGISTRY_HTTP/pushed:1" >/dev/null
	is "pushed from an EROFS image the layer is what it is from a directory" "$(manifest pushed:1 | jq -c '.layers[0] | [.digest, .annotations]')" \
		"$(manifest first:1 | jq -c '.layers[0] | [.digest, .annotations]')"
	pod rmi -af >/dev/null 2>&1
	pull pushed:1 >/dev/null
	again "what was pushed from there serves" second no
	pod rmi -af >/dev/null 2>&1
}
if [ "$(id -u)" = 0 ]; then erofs_part; fi

first=$(layer first:1) second=$(layer second:1)
: >"$WORLD/log"
user_part <<SCRIPT
fetched() { awk -v d="\${1#sha256:}" '\$1 == d { n += \$3 } END { print n + 0 }' "$WORLD/log"; }
mkdir -p "\$HOME/.config/containers"
printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"\$HOME/.config/containers/policy.json"
pod pull -q --tls-verify=false "$through/first:1" >/dev/null
is "an ordinary user pulls the second image" "\$(pod pull -q --tls-verify=false "$through/second:1")" "$id"
got=\$(fetched "$second")
check "less than a quarter of it is fetched (\$got of $blob bytes)" [ "\$got" -gt 0 -a "\$got" -lt $((blob / 4)) ]
is "and it runs" "\$(pod run --rm --net=none "$through/second:1" cat /etc/which)" "the second"
check "the store is whole" pod system check
SCRIPT
