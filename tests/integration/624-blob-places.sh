#!/bin/bash
# SPDX-License-Identifier: ISC
# What is known of blobs that were pushed: where they went and what they became in each way of compressing, so that a
# further push sends nothing that can be mounted or is there.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "what is known of pushed blobs" "docker-registry or skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_http_start
H=$REGISTRY_HTTP
push() { pod push --tls-verify=false "$@" 2>&1; }
skipped() { grep -c 'skipped: already exists' <<<"$1"; }
# What is compressed again need not come out as the same bytes; the image must be whole.
whole() {
	rm -rf "$WORLD/whole"
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$H/$1" "dir:$WORLD/whole" &&
		jq -r .config.digest "$WORLD/whole/manifest.json"
}
digests() { skopeo inspect --raw --tls-verify=false "docker://$H/$1" | jq -c '[.layers[].digest]'; }

ID=sha256:$(busybox_image localhost/made)
is "the first push sends the layer" "$(skipped "$(push localhost/made "$H/one")")" 0
is "one to another repository mounts it" "$(skipped "$(push localhost/made "$H/two")")" 1
is "as the same blob" "$(digests two)" "$(digests one)"
is "zstd is another blob" "$(skipped "$(push --compression-format zstd localhost/made "$H/one:z")")" 0
is "gzip is still known" "$(skipped "$(push localhost/made "$H/three")")" 1
is "and zstd too" "$(skipped "$(push --compression-format zstd localhost/made "$H/three:z")")" 1
is "each as it was" "$(digests three) $(digests three:z)" "$(digests one) $(digests one:z)"
is "another level is another blob" "$(skipped "$(push --compression-level 1 localhost/made "$H/one:l")")" 0
layer=$(basename "$(dirname "$(find "$ROOT/layers" -name places)")")
is "the newest place first, each once" "$(sed "s,$H/,," "$ROOT/layers/$layer/places" | tr '\n' ' ')" "three two one "
is "one line for each way" "$(cut -d' ' -f3 "$ROOT/layers/$layer/packed" | sort | tr '\n' ' ')" "gzip/0 gzip/2 zstd/0 "

# What is noted may be wrong: then the layer is sent, and the image is whole.
cp "$ROOT/layers/$layer/places" "$WORLD/places"
printf '%s/gone\n%s/neither\n' "$H" "$H" >"$ROOT/layers/$layer/places"
push localhost/made "$H/four" >/dev/null
is "places that hold it no more" "$(whole four)" "$ID"
for bad in 'a b c d' 'sha256:1 2 gzip/0' '' "$(head -c 20000 /dev/zero | tr '\0' x)" $'\377\376'; do
	printf '%s' "$bad" >"$ROOT/layers/$layer/packed"
	printf '%s' "$bad" >"$ROOT/layers/$layer/places"
	push localhost/made "$H/five" >/dev/null
	is "damaged notes count as none (${bad:0:9})" "$(whole five)" "$ID"
done
printf '%s\n' "$(printf 'sha256:%064d' 7) 100 gzip/0" >"$ROOT/layers/$layer/packed"
push localhost/made "$H/six" >/dev/null
is "a digest that no registry has" "$(whole six)" "$ID"
for i in $(seq 20); do push -q localhost/made "$H/many$i" >/dev/null; done
is "not more than sixteen places" "$(wc -l <"$ROOT/layers/$layer/places")" 16
is "the last one first" "$(head -1 "$ROOT/layers/$layer/places")" "$H/many20"

# A pulled image goes on from where it went.
layout "$WORLD/lay" x gzip
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$WORLD/lay:x" "docker://$H/src:1"
pod pull -q "oci:$WORLD/lay:x" >"$WORLD/id"
is "a pulled image, sent" "$(skipped "$(push "$(cat "$WORLD/id")" "$H/p/one:1")")" 0
is "then mounted" "$(skipped "$(push "$(cat "$WORLD/id")" "$H/p/two:1")")" 2
is "with its digest" "$(skopeo inspect --tls-verify=false "docker://$H/p/two:1" | jq -r .Digest)" "$LAYOUT_DIGEST"
finish
