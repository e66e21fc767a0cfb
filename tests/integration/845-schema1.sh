#!/bin/bash
# SPDX-License-Identifier: ISC
# Docker manifests of version 2 schema 1, signed and unsigned, as old registries serve them: pulled and copied by
# converting them, with the image ID that other engines come to.  Written by skopeo, served by docker-registry.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "manifests of schema 1" "docker-registry or skopeo is not installed"
	finish
}
world
img() { "$BIN/pod-image" "$@"; }
V1=application/vnd.docker.distribution.manifest.v1+prettyjws

# What a person does with them; S: the directory with the images, R: the registry, ID: the image's by skopeo's conversion
# DIGEST: of the manifest by the registry's word.
use_them() {
	local d=$WORLD/use f
	mkdir -p "$d"
	is "a signed one is pulled, with the ID that skopeo's conversion has" "$(pod pull -q --tls-verify=false $R/s1:1)" "$ID"
	is "its configuration counts" "$(pod inspect -f '{{.Config.WorkingDir}} {{index .Config.Labels "test"}} {{.Created}}' $R/s1:1)" "/www yes 2026-01-02 03:04:05 +0000 UTC"
	is "its history, with steps that made no layer" "$(pod history --format '{{.CreatedBy}}' $R/s1:1 | tr '\n' ,)" ",second,base,"
	is "both layers are there" "$(pod run --rm --net none $R/s1:1 cat index.html /opt/second)" "hello from pod
second layer $(layout_machine)"
	is "it is known by its digest" "$(pod image inspect -f '{{range .RepoDigests}}{{.}} {{end}}' $R/s1:1 | grep -c "$DIGEST")" 1
	is "pulled by digest" "$(pod pull -q --tls-verify=false "$R/s1@$DIGEST")" "$ID"
	is "an image that has not changed is not pulled again" "$(pod pull --policy newer --tls-verify=false $R/s1:1 2>&1 >/dev/null | grep -c 'Copying blob')" 0
	pod pull -q --tls-verify=false "$R/s1@sha256:$(printf %064d 7)" 2>"$d/err" && not_ok "another digest is refused" || ok "another digest is refused"
	pod push -q --tls-verify=false $R/s1:1 $R/again$(id -u):1
	is "pushed again it is of schema 2, with the same layers" "$(skopeo inspect --raw --tls-verify=false docker://$R/again$(id -u):1 |
		jq -c '[.schemaVersion, [.layers[].digest]]')" "[2,$LAYERS]"
	pod rmi -f "$ID" >/dev/null
	is "from a directory" "$(pod pull -q dir:$S/dir)" "$ID"
	is "an unsigned one" "$(pod pull -q dir:$S/plain)" "$ID"
	is "manifest-digest" "$(img manifest-digest $S/dir/manifest.json)" "$(skopeo manifest-digest $S/dir/manifest.json)"
	is "inspect" "$(img inspect --tls-verify=false docker://$R/s1:1 | jq -c '[.Digest, .Layers, .Os, .Created, .Labels.test]')" \
		"[\"$DIGEST\",$LAYERS,\"linux\",\"2026-01-02T03:04:05Z\",\"yes\"]"
	for f in oci:$d/o:x oci-archive:$d/o.tar docker-archive:$d/d.tar dir:$d/dir; do
		img copy -q --src-tls-verify=false docker://$R/s1:1 "$f" || not_ok "copied to ${f%%:*}:"
		is "copied to ${f%%:*}: it is the same image" "$(pod pull -q "$f")" "$ID"
		# An ordinary user's skopeo cannot unpack an oci-archive here.
		[ "${f%%:*}" = oci-archive ] || is "and skopeo reads it there" \
			"$(skopeo inspect --config "$f" | jq -c '[(.rootfs.diff_ids | length), .config.WorkingDir]')" '[2,"/www"]'
	done
	is "copied to a registry compressed otherwise" "$(img copy -q --src-tls-verify=false --dest-tls-verify=false --format oci \
		--dest-compress-format zstd --dest-force-compress-format docker://$R/s1:1 docker://$R/z$(id -u):1 && pod pull -q --tls-verify=false $R/z$(id -u):1)" "$ID"
	img copy -q --preserve-digests --src-tls-verify=false docker://$R/s1:1 dir:$d/no 2>"$d/err" && not_ok "--preserve-digests is an error" ||
		check "--preserve-digests is an error" grep -q 'asked not to be done' "$d/err"
	cp -r "$S/dir" "$d/bad"
	sed -i 's/second/SECOND/' "$d/bad/manifest.json"
	printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$d/pol"
	is "a changed one has another digest" "$([ "$(img manifest-digest "$d/bad/manifest.json")" = "$(img manifest-digest "$S/dir/manifest.json")" ] && echo same || echo other)" other
	jq '.fsLayers += .fsLayers' "$S/plain/manifest.json" >"$d/bad/manifest.json"
	run_fails "more layers than steps" 125 "length of history not equal to number of layers" pull -q "dir:$d/bad"
	jq '.history |= map(.v1Compatibility |= (fromjson | .parent = "") | .v1Compatibility |= tojson)' "$S/plain/manifest.json" >"$d/bad/manifest.json"
	run_fails "steps that do not stand on each other" 125 "invalid parent ID" pull -q "dir:$d/bad"
	jq '.fsLayers |= map(.blobSum = "sha256:../../../etc/passwd")' "$S/plain/manifest.json" >"$d/bad/manifest.json"
	run_fails "a name in place of a digest" 125 "invalid blobSum" pull -q "dir:$d/bad"
	jq '.layers = []' "$S/plain/manifest.json" >"$d/bad/manifest.json"
	run_fails "what could be read in two ways" 125 "fields of schema 1 and of newer manifests" pull -q "dir:$d/bad"
	cp "$S/plain/manifest.json" "$d/bad/manifest.json"
	for f in $(jq -r '.[] | split(":")[1]' <<<"$LAYERS"); do gzip -n <"$S/other.tar" >"$d/bad/$f"; done
	run_fails "a layer that is another one" 125 "digest of the layer does not match" pull -q "dir:$d/bad"
	is "nothing of what was refused is stored" "$(pod images -q | sort -u | wc -l)" 1
}
run() { pod "$@"; }

port=$(free_port)
registry_run "$WORLD/registry-http" "$port" 'compatibility:\n  schema1:\n    enabled: true\n'
R=localhost:$port S=$WORLD
until_ok 20 curl -s -o /dev/null "http://$R/v2/"
layout "$WORLD/lay" x gzip
# With a step without a layer on top.
cfg=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}")
read -r c cs < <(jq -c '.history = [(.history[] + {created: "2026-01-02T03:04:05Z"})] + [{created: "2026-01-02T03:04:05Z", created_by: "no layer", empty_layer: true}]' \
	"$WORLD/lay/blobs/sha256/${cfg#sha256:}" | tr -d '\n' | layout_blob "$WORLD/lay")
read -r m ms < <(jq -c --arg c "$c" --argjson s "$cs" '.config.digest = $c | .config.size = $s' "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}" |
	tr -d '\n' | layout_blob "$WORLD/lay")
layout_top "$WORLD/lay" x application/vnd.oci.image.manifest.v1+json "$m" "$ms"
skopeo --insecure-policy copy -q --format v2s1 --dest-tls-verify=false "oci:$WORLD/lay:x" "docker://$R/s1:1" || not_ok "skopeo writes schema 1"
skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$R/s1:1" "dir:$WORLD/dir"
cp -r "$WORLD/dir" "$WORLD/plain"
jq 'del(.signatures)' "$WORLD/dir/manifest.json" >"$WORLD/plain/manifest.json"
skopeo --insecure-policy copy -q --format v2s2 "dir:$WORLD/dir" "dir:$WORLD/v2"
ID=$(jq -r .config.digest "$WORLD/v2/manifest.json" | cut -d: -f2)
LAYERS=$(jq -c '[.layers[].digest]' "$WORLD/v2/manifest.json")
DIGEST=$(curl -sI -H "Accept: $V1" "http://$R/v2/s1/manifests/1" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip')
is "the registry serves a signed manifest" "$(curl -sI -H "Accept: $V1" "http://$R/v2/s1/manifests/1" | tr -d '\r' | sed -n 's/^Content-Type: //Ip')" "$V1"
mkdir -p "$WORLD/other" && echo other >"$WORLD/other/f" && tar -C "$WORLD/other" -cf "$WORLD/other.tar" f
use_them
chmod -R a+rX "$WORLD/dir" "$WORLD/plain"
{
	declare -f use_them layout_machine img run
	printf 'R=%q S=%q ID=%q LAYERS=%q DIGEST=%q\n' "$R" "$S" "$ID" "$LAYERS" "$DIGEST"
	echo use_them
} | user_part
