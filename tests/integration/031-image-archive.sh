#!/bin/bash
# SPDX-License-Identifier: ISC
# Archives and directories of images, ours and those of skopeo, both ways; and hostile ones.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME"
layout "$WORLD/lay" latest gzip
layout_index "$WORLD/idx" latest
ID=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}" 2>/dev/null)
layout "$WORLD/lay" latest gzip
ID=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}")
ID=${ID#sha256:}

n=0
fresh() { n=$((n + 1)) ROOT=$WORLD/root.$n RUNROOT=$WORLD/run.$n; }
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
listed() { store list | awk 'NR > 1 { print $2, $1 }'; }
# refused TEXT WORDS COMMAND...: fails with the words, and the store stays empty
refused() {
	local text=$1 words=$2 said st
	shift 2
	fresh
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]] && [ -z "$(listed)" ]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}

# --- in: what skopeo writes ---
if command -v skopeo >/dev/null; then
	copy() { skopeo --insecure-policy copy -q "$@"; }
	copy "oci:$WORLD/lay:latest" "docker-archive:$WORLD/d.tar:example.com/app:1"
	copy "oci:$WORLD/lay:latest" "oci-archive:$WORLD/o.tar:example.com/app:2"
	copy "oci:$WORLD/lay:latest" "dir:$WORLD/dir"
	for f in "docker-archive:$WORLD/d.tar example.com/app:1" "oci-archive:$WORLD/o.tar example.com/app:2" \
		"dir:$WORLD/dir <none>" "oci:$WORLD/lay localhost/latest:latest" "oci:$WORLD/lay:latest localhost/latest:latest"; do
		fresh
		is "pull ${f%%:*}: ID on standard output" "$(image pull -q "${f% *}")" "$ID"
		is "pull ${f%%:*}: ID and name in the store" "$(listed)" "$ID ${f##* }"
	done
	for f in "$WORLD/d.tar example.com/app:1" "$WORLD/o.tar example.com/app:2" "$WORLD/lay localhost/latest:latest"; do
		fresh
		is "load finds the form of $(basename "${f% *}")" "$(image load -q -i "${f% *}")" "Loaded image: ${f#* }"
	done
	fresh
	is "load from a pipe" "$(image load -q <"$WORLD/d.tar" | cat)" "Loaded image: example.com/app:1"
	for z in gzip zstd xz bzip2; do
		command -v $z >/dev/null || continue
		fresh
		is "load what $z compressed" "$($z -c <"$WORLD/d.tar" | image load -q)" "Loaded image: example.com/app:1"
	done
	fresh
	before=$(find "$WORLD" /tmp /var/tmp -maxdepth 1 | sort)
	cat "$WORLD/d.tar" | image load -q >/dev/null
	is "nothing is left of the spooled stream" "$(find "$WORLD" /tmp /var/tmp -maxdepth 1 -not -name 'root.*' -not -name 'run.*' -user 0 -newer "$WORLD/d.tar" -name '*archive*'; find "$ROOT/tmp" -mindepth 1 2>/dev/null)" ""
else
	skip "archives of other tools" "skopeo is not installed"
fi
fresh
is "an index in a layout: this machine's image" "$(image pull -q "oci:$WORLD/idx")" "$ID"
refused "a reference that is not in the layout" 'no descriptor found for reference "other"' image pull "oci:$WORLD/lay:other"

# --- out ---
fresh
image pull -q "oci:$WORLD/lay" >/dev/null
from=$ROOT
save() { ROOT=$from image save -q "$@"; }
save -o "$WORLD/s.tar" localhost/latest
save --format oci-archive localhost/latest >"$WORLD/so.tar"
save --format oci -o "$WORLD/so" localhost/latest
save --format dir -o "$WORLD/sd" localhost/latest
save localhost/latest | cmp - "$WORLD/s.tar" && ok "equal images make equal archives" || not_ok "equal images make equal archives"
for f in s.tar so.tar so sd; do
	fresh
	image load -q -i "$WORLD/$f" >/dev/null
	is "saved and loaded again keeps its ID: $f" "$(listed | cut -d' ' -f1)" "$ID"
done
is "a docker-archive has the exact tars" "$(tar xOf "$WORLD/s.tar" "$(tar xOf "$WORLD/s.tar" manifest.json | jq -r '.[0].Layers[0]')" | sha256sum | cut -d' ' -f1)" \
	"$(sha256sum "$WORLD/fs.tar" | cut -d' ' -f1)"
if command -v skopeo >/dev/null; then
	for f in docker-archive:$WORLD/s.tar oci-archive:$WORLD/so.tar oci:$WORLD/so dir:$WORLD/sd; do
		is "skopeo reads our ${f%%:*}" "$(skopeo --insecure-policy inspect --config "$f" 2>&1 | jq -r .config.Labels.test)" yes
	done
fi
said=$(save localhost/latest 2>&1 >/dev/full)
is "a full disk is named" "${said##*: }" "no space left on device"

# --- hostile ---
mkdir "$WORLD/h"
tar_of() { tar -C "$WORLD/h" -cf "$WORLD/h.tar" "$@"; }
cfg='{"rootfs":{"type":"layers","diff_ids":["sha256:'$(sha256sum "$WORLD/fs.tar" | cut -d' ' -f1)'"]}}'
manifest() { printf '[{"Config":"%s","RepoTags":["%s"],"Layers":[%s]}]' "$@" >"$WORLD/h/manifest.json"; }
printf '%s' "$cfg" >"$WORLD/h/c.json"
cp "$WORLD/fs.tar" "$WORLD/h/l.tar"
load() { image load -i "$WORLD/h.tar"; }
manifest c.json a.io/x:1 '"l.tar"' && tar_of . && fresh && is "the model of the hostile archives is good" "$(load 2>/dev/null)" "Loaded image: a.io/x:1"
manifest c.json a.io/x:1 '"l.tar","l.tar"' && tar_of . && refused "more layers than diff_ids (63)" "has 2 layers" load
manifest c.json a.io/x:1 '"../../../../etc/passwd"' && tar_of . && refused "a layer outside" "not found in archive" load
manifest ../../../../etc/passwd a.io/x:1 '"l.tar"' && tar_of . && refused "a config outside" "not found in archive" load
manifest c.json ../../x '"l.tar"' && tar_of . && refused "a name with path parts" "invalid reference format" load
ln -s /etc/passwd "$WORLD/h/evil.tar"
manifest c.json a.io/x:1 '"evil.tar"' && tar_of . && refused "a link to a file of the host" "not found in archive" load
rm "$WORLD/h/evil.tar"
ln -s loop2 "$WORLD/h/loop1" && ln -s loop1 "$WORLD/h/loop2"
manifest c.json a.io/x:1 '"loop1"' && tar_of . && refused "links in a circle" "not found in archive" load
rm "$WORLD"/h/loop?
cp "$WORLD/fs2.tar" "$WORLD/h/l.tar"
manifest c.json a.io/x:1 '"l.tar"' && tar_of . && refused "another layer than the DiffID says (50)" "" load
printf '[' >"$WORLD/h/manifest.json" && tar_of . && refused "manifest.json cut off" "parsing manifest.json" load
printf '%0.s[' $(seq 100000) >"$WORLD/h/manifest.json" && tar_of . && refused "nested 100000 deep (65)" "parsing manifest.json" load
truncate -s 100M "$WORLD/h/manifest.json" && tar_of . && refused "manifest.json of 100 MB (65)" "larger than allowed" load
head -c 100000 /dev/urandom >"$WORLD/h.tar" && refused "no archive at all" "" load
head -c 300000 "$WORLD/s.tar" >"$WORLD/h.tar" && refused "an archive cut off" "" load

# --- hostile layouts: each is the good one with one thing changed ---
hostile_layout() { rm -rf "$WORLD/hl" && cp -a "$WORLD/lay" "$WORLD/hl"; }
top=${LAYOUT_DIGEST#sha256:}
# put_manifest JQ: a changed manifest under its right digest
put_manifest() {
	local d size
	hostile_layout
	read -r d size < <(jq -c "$1" "$WORLD/lay/blobs/sha256/$top" | layout_blob "$WORLD/hl")
	layout_top "$WORLD/hl" latest application/vnd.oci.image.manifest.v1+json "$d" "$size"
}
hl() { image pull "oci:$WORLD/hl"; }
hostile_layout && echo >>"$WORLD/hl/blobs/sha256/$top" && refused "a manifest that grew (61)" "" hl
hostile_layout && sed -i 's/second/Second/' "$WORLD/hl/blobs/sha256/$ID" && refused "a config that changed (60)" "digest mismatch" hl
put_manifest '.layers[0].size += 1' && refused "a layer's size wrong by one (61)" "" hl
put_manifest '.layers[0].digest = "sha256:../../../../etc/passwd"' && refused "a digest with path parts (62, CVE-2024-3727)" "invalid digest" hl
put_manifest '.layers[0].digest |= ascii_upcase' && refused "a digest in upper case (62)" "invalid digest" hl
put_manifest '.config.digest = ""' && refused "an empty digest (62)" "invalid digest" hl
put_manifest '.layers += [.layers[0]]' && refused "a layer more than diff_ids (63)" "has 3 layers" hl
put_manifest '.manifests = []' && refused "manifest and index at once (65, CVE-2021-41190)" "both an index and an image manifest" hl
put_manifest '.layers = [range(2000) as $i | .layers[0]]' && refused "2000 layers (65)" "are more than" hl
put_manifest '.mediaType = "application/vnd.oci.image.index.v1+json"' && refused "another mediaType than content (65)" "" hl
hostile_layout
layout_top "$WORLD/hl" latest application/vnd.oci.image.index.v1+json "sha256:$top" "$(stat -c %s "$WORLD/lay/blobs/sha256/$top")"
refused "a manifest that is called an index" "differs from the Content-Type" hl
hostile_layout
read -r d1 s1 < <(jq -c . "$WORLD/idx/index.json" | layout_blob "$WORLD/hl")
read -r d2 s2 < <(printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"%s","size":%s,"platform":{"os":"linux","architecture":"%s"}}]}' "$d1" "$s1" "$(layout_machine)" | layout_blob "$WORLD/hl")
layout_top "$WORLD/hl" latest application/vnd.oci.image.index.v1+json "$d2" "$s2"
refused "an index behind an index (67)" "an index refers to another index" hl
hostile_layout && rm "$WORLD/hl/blobs/sha256/$ID" && ln -s /etc/passwd "$WORLD/hl/blobs/sha256/$ID" && refused "a blob that is a link" "" hl
hostile_layout && rm "$WORLD/hl/blobs/sha256/$ID" && mkfifo "$WORLD/hl/blobs/sha256/$ID" && refused "a blob that is a FIFO" "" hl
# --- what is no image ---
: >"$WORLD/nothing"
echo hello >"$WORLD/text"
mkdir "$WORLD/nowhere"
tar -C "$WORLD/nowhere" -cf "$WORLD/other.tar" .
for f in nothing text nowhere other.tar; do
	refused "load of $f is refused" "" pod load -i "$WORLD/$f"
	is "with one line" "$(pod load -i "$WORLD/$f" 2>&1 | grep -c .)" 1
done
refused "nothing at all" "Error: reading the archive: it is empty" sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' load </dev/null"
refused "and from a pipe" "no tar archive" sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' load <'$WORLD/nothing'"

# --- several images in one archive ---
fresh
from=$ROOT from_run=$RUNROOT
image pull -q "oci:$WORLD/lay" >/dev/null
busybox_image localhost/other >/dev/null
pod tag localhost/latest localhost/twin
pod save -q -m -o "$WORLD/many.tar" localhost/latest localhost/twin localhost/other
is "save -m writes each image once" "$(tar xOf "$WORLD/many.tar" manifest.json | jq -c '[.[].RepoTags]')" \
	'[["localhost/latest:latest","localhost/twin:latest"],["localhost/other:latest"]]'
fresh
is "load of all of them" "$(pod load -q -i "$WORLD/many.tar" | sort | tr '\n' ' ')" \
	"Loaded image: localhost/latest:latest Loaded image: localhost/other:latest Loaded image: localhost/twin:latest "
is "one of them" "$(fresh && image pull -q "docker-archive:$WORLD/many.tar:localhost/twin" >/dev/null; listed | wc -l)" 1
for f in "oci-archive oci.tar" "oci-dir oci.d" "docker-dir docker.d"; do
	ROOT=$from RUNROOT=$from_run pod save -q --format "${f% *}" -o "$WORLD/u.${f#* }" localhost/latest
	fresh
	image load -q -i "$WORLD/u.${f#* }" >/dev/null
	is "save --format ${f% *} keeps the ID" "$(listed | cut -d' ' -f1)" "$ID"
done
ROOT=$from RUNROOT=$from_run pod save -q --format oci-archive --uncompressed -o "$WORLD/plain.tar" localhost/latest
check "save --uncompressed" test -z "$(tar tf "$WORLD/plain.tar" | grep blobs/sha256/. | while read -r b; do tar xOf "$WORLD/plain.tar" "$b" | head -c 2 | grep -a $'\x1f\x8b'; done)"
finish
