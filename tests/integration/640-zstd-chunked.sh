#!/bin/bash
# SPDX-License-Identifier: ISC
# push --compression-format zstd:chunked: any reader of zstd takes it, and its index is true: each file can be had from
# its own frame, and the whole tar from what is between.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
command -v docker-registry >/dev/null && command -v skopeo >/dev/null && command -v zstd >/dev/null || {
	skip "pushes of zstd:chunked" "docker-registry, skopeo or zstd is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_http_start
rootfs "$WORLD/fs"
: >"$WORLD/fs/etc/empty"
TZ=UTC touch -d "2024-02-29 23:59:58.5" "$WORLD/fs/etc/old"
head -c 3000000 /dev/urandom >"$WORLD/fs/etc/large"
ln "$WORLD/fs/etc/passwd" "$WORLD/fs/etc/same"
printf 'x' >"$WORLD/fs/etc/$(printf 'n\303\266\n"\\')"
printf 'x' >"$WORLD/fs/etc/$(printf 'bad\377')"
if [ "$(id -u)" = 0 ]; then setfattr -n user.note -v text "$WORLD/fs/etc/large"; fi
tar -C "$WORLD/fs" --owner=0 --group=0 --xattrs --format=pax -c . >"$WORLD/fs.tar"
store import localhost/app <"$WORLD/fs.tar" >/dev/null
diff_id=sha256:$(sha256sum <"$WORLD/fs.tar" | cut -d' ' -f1)

pod push -q --tls-verify=false --compression-format zstd:chunked localhost/app "$REGISTRY_HTTP/app:1" >/dev/null
is "the push" $? 0
skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$REGISTRY_HTTP/app:1" >"$WORLD/manifest"
note() { jq -r ".layers[0].annotations[\"io.github.containers.zstd-chunked.$1\"]" "$WORLD/manifest"; }
is "the layer is zstd" "$(jq -r '.layers[0].mediaType' "$WORLD/manifest")" application/vnd.oci.image.layer.v1.tar+zstd
blob=$WORLD/registry-http/data/docker/registry/v2/blobs/sha256
digest=$(jq -r '.layers[0].digest' "$WORLD/manifest")
hex=${digest#sha256:}
cp "$blob/${hex:0:2}/$hex/data" "$WORLD/blob"
is "zstd finds the tar in it" "sha256:$(zstd -qdc "$WORLD/blob" | sha256sum | cut -d' ' -f1)" "$diff_id"

# part OFFSET SIZE: bytes of the blob
part() { tail -c "+$(($1 + 1))" "$WORLD/blob" | head -c "$2"; }
IFS=: read -r at size plain type < <(note manifest-position)
is "the kind of index" "$type" 1
is "its check sum" "$(note manifest-checksum)" "sha256:$(part "$at" "$size" | sha256sum | cut -d' ' -f1)"
part "$at" "$size" | zstd -qdc >"$WORLD/toc"
is "its length" "$(stat -c %s "$WORLD/toc")" "$plain"
check "it is JSON" jq -e '.version == 1 and (.entries | length) > 10' "$WORLD/toc"
IFS=: read -r sat ssize splain < <(note tarsplit-position)
is "the check sum of the tar-split" "$(jq -r .tarSplitDigest "$WORLD/toc")" "sha256:$(part "$sat" "$ssize" | sha256sum | cut -d' ' -f1)"
part "$sat" "$ssize" | zstd -qdc >"$WORLD/split"
is "its length" "$(stat -c %s "$WORLD/split")" "$splain"
le64() { od -An -t u8 -j "$1" -N 8 "$WORLD/footer" | tr -d ' '; }
tail -c 64 "$WORLD/blob" >"$WORLD/footer"
is "the footer says the same" "$(le64 0):$(le64 8):$(le64 16):$(le64 24) $(le64 32):$(le64 40):$(le64 48)" "$(note manifest-position) $(note tarsplit-position)"
is "and what it is" "$(tail -c 8 "$WORLD/footer")" GNUlInUx

is "each entry is there" "$(jq '.entries | length' "$WORLD/toc")" "$(tar -tf "$WORLD/fs.tar" | wc -l)"
is "a link" "$(jq -r '.entries[] | select(.type == "hardlink") | .linkName' "$WORLD/toc" | sed 's,.*/,,' | sort | tr '\n' ' ')" "$(tar -tvf "$WORLD/fs.tar" | sed -n 's,.* link to .*/,,p' | sort | tr '\n' ' ')"
is "the time of a file" "$(jq -r '.entries[] | select(.name == "./etc/old") | .modtime' "$WORLD/toc")" 2024-02-29T23:59:58.500000000Z
is "an empty file has no frame" "$(jq -c '.entries[] | select(.name == "./etc/empty") | [.size, .digest, .offset]' "$WORLD/toc")" '[0,null,null]'
if [ "$(id -u)" = 0 ]; then
	is "an attribute" "$(jq -r '.entries[] | select(.name == "./etc/large") | .xattrs["user.note"]' "$WORLD/toc" | base64 -d)" text
fi
# Every file from its frame; and the tar from the segments and the files, as its readers put it together.
jq -r '.entries[] | select(.type == "reg" and .size > 0) | "\(.offset) \(.endOffset) \(.size) \(.digest)"' "$WORLD/toc" >"$WORLD/frames"
wrong=
while read -r from end n want; do
	part "$from" $((end - from)) | zstd -qdc >"$WORLD/file"
	[ "$(stat -c %s "$WORLD/file") sha256:$(sha256sum <"$WORLD/file" | cut -d' ' -f1)" = "$n $want" ] || wrong="$wrong $want"
	cat "$WORLD/file" >>"$WORLD/files"
done <"$WORLD/frames"
is "each file is in its frame" "$wrong" ""
offset=1
while IFS=$'\t' read -r type n payload; do
	if [ "$type" = 2 ]; then
		base64 -d <<<"$payload"
	elif [ "$n" -gt 0 ]; then
		tail -c "+$offset" "$WORLD/files" | head -c "$n"
		offset=$((offset + n))
	fi
done < <(jq -r '[.type, .size // 0, .payload] | @tsv' "$WORLD/split") | cmp -s - "$WORLD/fs.tar"
check "segments and files are the tar" [ $? = 0 ]

# Others read it, and what they read is the image.
id=$(pod images -q --no-trunc localhost/app)
check "skopeo copies it" skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$REGISTRY_HTTP/app:1" "dir:$WORLD/copied"
pod rmi localhost/app >/dev/null
pod pull -q --tls-verify=false "$REGISTRY_HTTP/app:1" >/dev/null
is "it is pulled again" "$(pod images -q --no-trunc "$REGISTRY_HTTP/app:1")" "$id"
is "and runs" "$(pod run --rm --net=none "$REGISTRY_HTTP/app:1" cat /www/index.html)" "hello from pod"
pod push -q --tls-verify=false "$REGISTRY_HTTP/app:1" "$REGISTRY_HTTP/copy:1" >/dev/null
is "what came so goes on as it was" "$(skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$REGISTRY_HTTP/copy:1" | sha256sum)" "$(sha256sum <"$WORLD/manifest")"

printf '[engine]\ncompression_format = "zstd:chunked"\n' >"$WORLD/containers.conf"
store import localhost/plain <"$WORLD/fs.tar" >/dev/null
CONTAINERS_CONF=$WORLD/containers.conf pod push -q --tls-verify=false localhost/plain "$REGISTRY_HTTP/conf:1" >/dev/null
check "containers.conf chooses it too" grep -q zstd-chunked.manifest-position <(skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$REGISTRY_HTTP/conf:1")
truncate -s 1M "$WORLD/hole"
echo x >>"$WORLD/hole"
tar -C "$WORLD" -S -c hole | store import localhost/sparse >/dev/null
pod push -q --tls-verify=false --compression-format zstd:chunked localhost/sparse "$REGISTRY_HTTP/sparse:1" >/dev/null 2>"$WORLD/said"
is "a sparse file is refused" $? 125
check "by name" grep -q "a sparse file cannot be written as zstd:chunked: hole" "$WORLD/said"
pod push -q --tls-verify=false --format v2s2 --compression-format zstd:chunked localhost/plain "$REGISTRY_HTTP/dock:1" >/dev/null 2>"$WORLD/said"
is "Docker's manifest cannot say it" $? 125

if command -v podman >/dev/null && [ "$(id -u)" = 0 ]; then
	peer() { podman --root "$WORLD/peer" --runroot "$WORLD/peer-run" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
	if peer pull -q --tls-verify=false "$REGISTRY_HTTP/app:1" >/dev/null 2>"$WORLD/said"; then
		is "podman pulls it" "$(peer images -q --no-trunc)" "$id"
	else
		skip "podman pulls it" "podman cannot pull here: $(tail -n 1 "$WORLD/said")"
	fi
	peer rmi -af >/dev/null 2>&1
else
	skip "podman pulls it" "podman is not installed, or we are not root"
fi
finish
