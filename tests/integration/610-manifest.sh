#!/bin/bash
# SPDX-License-Identifier: ISC
# Manifest lists in the store: create, add, annotate, inspect, exists, remove, rm, and what other commands make of them.
. "$(dirname "$0")/../lib.sh"
world
list() { pod manifest "$@"; }
images() {
	busybox_image localhost/a:1 >/dev/null
	tar -C "$WORLD/fs" --owner=0 --group=0 -cf "$WORLD/x.tar" .
	pod import --arch s390x "$WORLD/x.tar" localhost/b:1 >/dev/null 2>&1
	machine=$(pod image inspect --format '{{.Architecture}}' localhost/a:1)
}
# What is asked of lists, as root and as an ordinary user.
basics() {
	id=$(list create l1)
	is "$1 create gives an ID" "$(printf %s "$id" | grep -cE '^[0-9a-f]{64}$')" 1
	is "$1 an empty list" "$(list inspect l1 | jq -c '[.schemaVersion,.mediaType,.manifests]')" \
		'[2,"application/vnd.docker.distribution.manifest.list.v2+json",null]'
	is "$1 add answers with the ID" "$(list add l1 containers-storage:localhost/a:1) $(list add l1 localhost/b:1)" "$id $id"
	is "$1 the platforms" "$(list inspect l1 | jq -r '.manifests[].platform | .os + "/" + .architecture' | tr '\n' ' ')" \
		"linux/$machine linux/s390x "
	is "$1 the digests are those of the manifests" "$(list inspect l1 | jq -r '.manifests[].digest' | tr '\n' ' ')" \
		"$(pod image inspect --format '{{.Digest}}' localhost/a:1 localhost/b:1 | tr '\n' ' ')"
	is "$1 run takes the image of this machine" "$(pod run --rm --network none localhost/l1 cat /www/index.html)" "hello from pod"
	is "$1 inspect too" "$(pod image inspect --format '{{.Id}}' l1)" "$(pod image inspect --format '{{.Id}}' localhost/a:1)"
	is "$1 exists" "$(list exists l1; echo $?) $(list exists l2; echo $?) $(list exists localhost/a:1 2>/dev/null; echo $?)" "0 1 125"
	is "$1 rm" "$(list rm l1 | cut -d' ' -f1 | tr '\n' ' ')$(pod images -q | wc -l)" "Untagged: Deleted: 2"
}
images
basics root

D() { pod image inspect --format '{{.Digest}}' "$1"; }
id=$(list create l1 localhost/a:1 localhost/b:1)
is "create with images" "$(list inspect l1 | jq '.manifests | length')" 2
is "--amend" "$(list create --amend l1)" "$id"
is "images" "$(pod images --format '{{.Repository}} {{.ID}}' | grep l1)" "localhost/l1 ${id:0:12}"
names() { pod images --format '{{.Repository}}' "$@" | sort | tr '\n' ' '; }
is "images --filter manifest=true" "$(names --filter manifest=true)" "localhost/l1 "
is "and false" "$(names --filter manifest=false)" "localhost/a localhost/b "
is "with another" "$(names --filter manifest=true --filter reference=b)" ""
is "a word that is neither" "$(pod images --filter manifest=x 2>&1; echo $?)" 'Error: non-boolean value "x" for manifest filter: invalid argument
125'
is "images as JSON" "$(pod images --format json | jq -c '[.[] | select(.Id == "'"$id"'") | .IsManifestList,.Names]')" '[true,["localhost/l1:latest"]]'
is "adding again changes nothing" "$(list add l1 localhost/a:1 >/dev/null; list inspect l1 | jq '.manifests | length')" 2
is "a list in a list needs --all" "$(list create l2 >/dev/null; list add l2 containers-storage:l1 >/dev/null; list inspect l2 | jq -c '[.manifests[].platform.architecture]')" "[\"$machine\"]"
is "--all" "$(list create --all l3 localhost/l1 >/dev/null; list inspect l3 | jq '.manifests | length')" 2
is "--arch chooses" "$(list create l4 >/dev/null; list add --arch s390x l4 containers-storage:l1 >/dev/null; list inspect l4 | jq -r '.manifests[].digest')" "$(D localhost/b:1)"
is "run --arch chooses" "$(pod create --arch s390x --network none localhost/l1 true >/dev/null 2>&1; pod ps -a --format '{{.ImageID}}' --no-trunc | sed -n 1p)" "$(pod image inspect --format '{{.Id}}' localhost/b:1)"
pod rm -fa >/dev/null

# --- annotate
d=$(D localhost/a:1)
is "annotate" "$(list annotate --os linux --os-version 3 --variant v3 --features f1,f2 --os-features win32k --annotation k=v --annotation k2=a=b l1 "$d")" "$id"
is "what it says" "$(list inspect l1 | jq -c '.manifests[] | select(.digest == "'"$d"'") | [.platform,.annotations]')" \
	"[{\"architecture\":\"$machine\",\"os\":\"linux\",\"os.version\":\"3\",\"os.features\":[\"win32k\"],\"variant\":\"v3\",\"features\":[\"f1\",\"f2\"]},{\"k\":\"v\",\"k2\":\"a=b\"}]"
is "annotate by image" "$(list annotate --annotation n=1 l1 localhost/b:1 >/dev/null; list inspect l1 | jq -r '.manifests[] | select(.platform.architecture == "s390x") | .annotations.n')" 1
is "--index" "$(list annotate --index --annotation i=1 --subject localhost/a:1 l1 >/dev/null; list inspect l1 | jq -r '[.mediaType,.annotations.i,.subject.digest] | join(" ")')" \
	"application/vnd.oci.image.index.v1+json 1 $d"
is "create --annotation" "$(list create --annotation c=d l5 >/dev/null; list inspect l5 | jq -c .annotations)" '{"c":"d"}'
is "add --annotation" "$(list add --annotation e=f --os plan9 l5 localhost/b:1 >/dev/null; list inspect l5 | jq -c '.manifests[0] | [.annotations.e,.platform.os]')" '["f","plan9"]'
is "remove" "$(list remove l5 "$(D localhost/b:1)" >/dev/null; list inspect l5 | jq -c .manifests)" null

# --- Other places
pod push -q localhost/a:1 "oci:$WORLD/layout:x" && pod push -q localhost/b:1 "dir:$WORLD/dir"
is "add oci: and dir:" "$(list create l6 >/dev/null; list add l6 "oci:$WORLD/layout:x" "dir:$WORLD/dir" >/dev/null; list inspect l6 | jq -c '[.manifests[].platform.architecture]')" "[\"$machine\",\"s390x\"]"
is "the digest is that of the layout" "$(list inspect l6 | jq -r '.manifests[0].digest')" "$(jq -r '.manifests[0].digest' "$WORLD/layout/index.json")"

# --- Artifacts of a list
printf hello >"$WORLD/f1"
printf '<html>' >"$WORLD/f2"
printf '{"a":1}' >"$WORLD/config"
id=$(list create art)
is "add --artifact" "$(list add --artifact --artifact-type application/x --artifact-layer-type x/y --artifact-config "$WORLD/config" --artifact-config-type x/c --artifact-subject localhost/a:1 --annotation k=v --os linux --arch "$machine" art "$WORLD/f1" "$WORLD/f2")" "$id"
is "its entry" "$(list inspect art | jq -c '.manifests[0] | [.mediaType,.artifactType,.annotations.k,.platform.os]')" '["application/vnd.oci.image.manifest.v1+json","application/x","v","linux"]'
list push -q art "oci:$WORLD/artpush:x"
d=$(list inspect art | jq -r '.manifests[0].digest')
is "pushed with the digest it has" "$(jq -c '[.artifactType,.config.mediaType,.layers[0].mediaType,.layers[0].annotations[],.subject.digest]' "$WORLD/artpush/blobs/sha256/${d#sha256:}")" \
	"[\"application/x\",\"x/c\",\"x/y\",\"f1\",\"$(D localhost/a:1)\"]"
is "with its files" "$(cat "$WORLD/artpush/blobs/sha256/$(printf hello | sha256sum | cut -d' ' -f1)")" hello
is "no titles, no configuration" "$(list add --artifact --artifact-exclude-titles art "$WORLD/f2" >/dev/null; list push -q art "oci:$WORLD/artpush:x"; d=$(list inspect art | jq -r '.manifests[1].digest'); jq -c '[.artifactType,.config.mediaType,.layers[0].annotations]' "$WORLD/artpush/blobs/sha256/${d#sha256:}")" \
	'["application/vnd.unknown.artifact.v1","application/vnd.oci.empty.v1+json",null]'
is "artifact ls does not show it" "$(pod artifact ls -n | wc -l)" 0
is "it goes with the list" "$(list rm art >/dev/null; ls "$ROOT/lists" | wc -l)" 0

# --- Names
pod tag l6 localhost/l6:two
is "tag names the list" "$(list inspect localhost/l6:two | jq '.manifests | length')" 2
is "untag" "$(pod untag localhost/l6:two localhost/l6:two; list exists localhost/l6:two; echo $?)" 1
is "rmi takes the list, not an image of it" "$(pod rmi l6 | tail -1 | cut -d' ' -f1) $(pod image exists localhost/a:1; echo $?)" "Deleted: 0"
is "rm of several" "$(list rm l2 nosuch l3 2>&1 | grep -cE '^(Deleted|Error: nosuch: image not known)'; list rm nosuch 2>/dev/null; echo $?)" "$(printf '3\n1')"
is "rm --ignore" "$(list rm --ignore nosuch l4 >/dev/null; echo $?)" 0
is "rm spares images" "$(list rm localhost/a:1 2>&1; echo $?)" "$(printf 'Error: localhost/a:1: image is not a manifest list\n125')"
is "the store is whole" "$(pod system check >/dev/null 2>&1; echo $?)" 0

# --- Refused, and nothing made
before=$(pod images --format json | jq -S -c 'map({Id,Digest,Names})')
zero=sha256:0000000000000000000000000000000000000000000000000000000000000000
while read -r what; do
	# shellcheck disable=SC2086
	out=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" manifest $what 2>&1)
	is "refused: manifest $what" "$? $(printf '%s\n' "$out" | grep -c '^Error: ')" "125 1"
done <<END
create l1
create
create Bad..
create UPPER
create l9 localhost/nosuch:1
create l9 oci:$WORLD/nosuch
create l9 docker-archive:$WORLD/x.tar
create --annotation novalue l9
add l1
add nosuch localhost/a:1
add localhost/a:1 localhost/b:1
add l1 localhost/nosuch:1
add l1 dir:$WORLD/fs
add --arch riscv64 l1 containers-storage:l1
add --annotation novalue l1 localhost/a:1
add --artifact l1 $WORLD/nosuch
add --artifact l1 $WORLD
add --artifact --all l1 $WORLD/x.tar
add --artifact --artifact-config $WORLD/nosuch l1 $WORLD/x.tar
add --artifact --artifact-subject containers-storage:nosuch l1 $WORLD/x.tar
add --artifact-type x/y l1 localhost/a:1
annotate l1
annotate l1 $zero --os linux
annotate l1 notadigest --os linux
annotate --index --os linux l1
annotate --index l1 $zero
annotate --subject localhost/a:1 l1 $d
annotate --index --subject containers-storage:nosuch l1
remove l1
remove l1 $zero
remove l1 notadigest
remove nosuch $zero
inspect localhost/nosuch
push nosuch dir:$WORLD/none
push --format bad l1 dir:$WORLD/none
push --add-compression bad l1 dir:$WORLD/none
push --compression-format bad l1 dir:$WORLD/none
rm localhost/a:1
bogus
END
is "nothing was made or changed" "$(pod images --format json | jq -S -c 'map({Id,Digest,Names})')" "$before"
is "nor written" "$([ -e "$WORLD/none" ] && ls "$WORLD/none" | wc -l || echo 0)" 0
is "run of a list without this platform" "$(pod run --rm --pull never --network none --arch riscv64 localhost/l1 true 2>&1; echo $?)" \
	"$(printf 'Error: localhost/l1: image not known\n125')"
pod rmi localhost/a:1 >/dev/null
is "nor without the image" "$(pod image inspect l1 2>&1 | grep -c 'could not find image instance')" 0
is "its image is missed" "$(list create l7 >/dev/null; list add l7 localhost/b:1 >/dev/null; pod rmi localhost/b:1 >/dev/null; pod image inspect --format x l7 2>&1 | grep -c 'no image found in image index\|could not find image instance')" 1

# --- Many at once lose nothing
busybox_image localhost/a:1 >/dev/null
pod import --arch s390x "$WORLD/x.tar" localhost/b:1 >/dev/null 2>&1
list create many >/dev/null
for a in 1 2 3 4; do pod import --arch "arm$a" --message "m$a" "$WORLD/x.tar" "localhost/m:$a" >/dev/null 2>&1; done
for a in 1 2 3 4; do list add many "localhost/m:$a" >/dev/null & done
wait
is "four who add at the same time" "$(list inspect many | jq '[.manifests[].platform.architecture] | sort | join(" ")')" '"arm1 arm2 arm3 arm4"'

user_part <<'END'
list() { pod manifest "$@"; }
busybox_image() { tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import "$1"; }
busybox_image localhost/a:1 >/dev/null
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -cf "$WORLD/x.tar" .
pod import --arch s390x "$WORLD/x.tar" localhost/b:1 >/dev/null 2>&1
machine=$(pod image inspect --format '{{.Architecture}}' localhost/a:1)
id=$(list create l1 localhost/a:1 localhost/b:1)
is "user: two images" "$(list inspect l1 | jq '.manifests | length')" 2
is "user: run takes the image of this machine" "$(pod run --rm --network none localhost/l1 cat /www/index.html)" "hello from pod"
is "user: annotate" "$(list annotate --variant v9 l1 localhost/b:1 >/dev/null; list inspect l1 | jq -r '.manifests[1].platform.variant')" v9
is "user: push" "$(list push -q l1 "oci:$WORLD/o:x"; skopeo inspect --raw "oci:$WORLD/o:x" | jq '.manifests | length')" 2
is "user: rm" "$(list rm l1 | tail -1)" "Deleted: $id"
END
