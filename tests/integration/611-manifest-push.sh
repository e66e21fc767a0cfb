#!/bin/bash
# SPDX-License-Identifier: ISC
# Manifest lists and registries: add from there, push there, and back; other tools read what is pushed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../registry.sh"
world
registry_start
tls=(--cert-dir "$REGISTRY_CERTS")
list() { pod manifest "$@"; }
raw() { skopeo inspect --raw "${tls[@]}" "docker://$REGISTRY/$1"; }
layout_index "$WORLD/layout" i
cp -a "$WORLD/layout" "$WORLD/layout0"
layout "$WORLD/one" x gzip
one=$LAYOUT_DIGEST
skopeo copy -q --all --dest-cert-dir "$REGISTRY_CERTS" "oci:$WORLD/layout:i" "docker://$REGISTRY/multi:1"
skopeo copy -q --dest-cert-dir "$REGISTRY_CERTS" "oci:$WORLD/one:x" "docker://$REGISTRY/single:1"
busybox_image localhost/a:1 >/dev/null
machine=$(layout_machine)

is "an index of a registry is shown" "$(list inspect --tls-verify=false "docker://$REGISTRY/multi:1" | jq -S -c .)" "$(raw multi:1 | jq -S -c .)"
list create all >/dev/null
is "add --all" "$(list add --all "${tls[@]}" all "docker://$REGISTRY/multi:1" >/dev/null; list inspect all | jq -c '[.manifests[].digest]')" "$(raw multi:1 | jq -c '[.manifests[].digest]')"
is "without it, the one for this machine" "$(list create mine >/dev/null; list add "${tls[@]}" mine "$REGISTRY/multi:1" >/dev/null; list inspect mine | jq -r '.manifests[].platform.architecture')" "$machine"
is "or for another" "$(list create other >/dev/null; list add "${tls[@]}" --os linux --arch s390x other "$REGISTRY/multi:1" >/dev/null; list inspect other | jq -r '.manifests[].platform.architecture')" s390x
is "a single image" "$(list add "${tls[@]}" mine "docker://$REGISTRY/single:1" >/dev/null; list inspect mine | jq -r '.manifests[-1] | .digest + " " + .platform.architecture')" "$one $machine"
is "nothing is pulled for it" "$(pod images --format '{{.Repository}}' | grep -c single)" 0

list push -q "${tls[@]}" --digestfile "$WORLD/digest" all "docker://$REGISTRY/copy:1"
is "push tells the digest" "$(cat "$WORLD/digest")" "sha256:$(raw copy:1 | sha256sum | cut -d' ' -f1)"
is "the images kept theirs" "$(raw copy:1 | jq -c '[.manifests[].digest]')" "$(raw multi:1 | jq -c '[.manifests[].digest]')"
is "skopeo copies it, with all images" "$(skopeo copy -q --all --src-cert-dir "$REGISTRY_CERTS" "docker://$REGISTRY/copy:1" "dir:$WORLD/sk" && jq '.manifests | length' "$WORLD/sk/manifest.json")" 3
is "and so do we, the index kept" "$("$BIN/pod-image" copy -q --all --src-cert-dir "$REGISTRY_CERTS" "docker://$REGISTRY/copy:1" "oci:$WORLD/back:x" && jq -r '.manifests[0].digest' "$WORLD/back/index.json")" "$(cat "$WORLD/digest")"
is "pull takes one image of it" "$(pod pull -q "${tls[@]}" "$REGISTRY/copy:1" >/dev/null; pod run --rm --network none "$REGISTRY/copy:1" cat /opt/second)" "second layer $machine"

list create mixed localhost/a:1 >/dev/null
list add "${tls[@]}" mixed "docker://$REGISTRY/single:1" "oci:$WORLD/one:x" >/dev/null
list add --os linux --arch s390x mixed "oci:$WORLD/layout:i" >/dev/null
is "from four places" "$(list inspect mixed | jq '.manifests | length')" 3
is "pushed together" "$(list push -q "${tls[@]}" mixed "docker://$REGISTRY/mixed:1"; raw mixed:1 | jq '.manifests | length')" 3
is "what was made here is compressed there" "$(d=$(raw mixed:1 | jq -r '.manifests[0].digest'); raw "mixed@$d" | jq -r '.layers[0].mediaType')" application/vnd.oci.image.layer.v1.tar+gzip
is "all of it can be run" "$(pod pull -q "${tls[@]}" "$REGISTRY/mixed:1" >/dev/null && pod run --rm --network none "$REGISTRY/mixed:1" cat /www/index.html)" "hello from pod"

is "--format v2s2" "$(list push -q "${tls[@]}" -f v2s2 mine "docker://$REGISTRY/docker:1"; raw docker:1 | jq -r '.mediaType, .manifests[0].mediaType' | tr '\n' ' ')" \
	"application/vnd.docker.distribution.manifest.list.v2+json application/vnd.docker.distribution.manifest.v2+json "
is "--add-compression" "$(list push -q "${tls[@]}" --add-compression zstd mine "docker://$REGISTRY/more:1"; raw more:1 | jq -c '[.manifests[].annotations]')" \
	'[null,{"io.github.containers.compression.zstd":"true"}]'
printf '[engine]\nadd_compression = ["zstd"]\n' >"$WORLD/forms.conf"
forms_of() { jq -c '[.manifests[].annotations["io.github.containers.compression.zstd"]]' "$1"; }
is "containers.conf has the default" "$(CONTAINERS_CONF_OVERRIDE=$WORLD/forms.conf list push -q "${tls[@]}" mine "oci:$WORLD/forms:x"; skopeo inspect --raw "oci:$WORLD/forms:x" >"$WORLD/forms.json"; forms_of "$WORLD/forms.json")" '[null,"true"]'
is "which an empty word takes away, as does an index alone" "$(for o in --add-compression= --all=false; do CONTAINERS_CONF_OVERRIDE=$WORLD/forms.conf list push -q "${tls[@]}" $o mine "oci:$WORLD/plain$o:x"; skopeo inspect --raw "oci:$WORLD/plain$o:x" >"$WORLD/forms.json"; forms_of "$WORLD/forms.json"; done | tr '\n' ' ')" "[null] [null] "
is "which is zstd" "$(d=$(raw more:1 | jq -r '.manifests[1].digest'); raw "more@$d" | jq -r '.layers[0].mediaType')" application/vnd.oci.image.layer.v1.tar+zstd
is "--add-compression zstd:chunked" "$(list push -q "${tls[@]}" --add-compression zstd:chunked mine "docker://$REGISTRY/parts:1"; d=$(raw parts:1 | jq -r '.manifests[1].digest'); raw "parts@$d" | jq -r '.layers[0].annotations | keys[] | select(endswith("manifest-checksum"))')" io.github.containers.zstd-chunked.manifest-checksum
is "--compression-format" "$(list push -q "${tls[@]}" --compression-format zstd mine "docker://$REGISTRY/zstd:1"; d=$(raw zstd:1 | jq -r '.manifests[0].digest'); raw "zstd@$d" | jq -r '.layers[0].mediaType')" application/vnd.oci.image.layer.v1.tar+zstd
is "--all=false sends the index alone" "$(list push -q --all=false mine "oci:$WORLD/alone:x"; find "$WORLD/alone/blobs" -type f | wc -l)" 1
is "pod push of a list sends its images too" "$(pod push -q "${tls[@]}" mixed "dir:$WORLD/pushed"; find "$WORLD/pushed" -name '*.manifest.json' | wc -l)" 3
is "oci-archive" "$(list push -q "${tls[@]}" mixed "oci-archive:$WORLD/l.tar:x"; skopeo inspect --raw "oci-archive:$WORLD/l.tar:x" | jq '.manifests | length')" 3
is "--rm" "$(list push -q "${tls[@]}" --rm mine "oci:$WORLD/rm:x"; list exists mine; echo $?)" 1
is "docker-archive cannot hold it" "$(list push -q "${tls[@]}" all "docker-archive:$WORLD/d.tar" 2>&1 | grep -c '^Error: .*cannot hold an index')" 1

# Round trips of an index between all places that can hold one.
previous=docker://$REGISTRY/multi:1 want=$(raw multi:1 | sha256sum)
for to in "dir:$WORLD/r1" "oci:$WORLD/r2:x" "oci-archive:$WORLD/r3.tar:x" "docker://$REGISTRY/round:1"; do
	is "copy --all to ${to%%:*} keeps the index" "$("$BIN/pod-image" copy -q --all --src-cert-dir "$REGISTRY_CERTS" --dest-cert-dir "$REGISTRY_CERTS" "$previous" "$to" && skopeo inspect --raw "${tls[@]}" "$to" | sha256sum)" "$want"
	previous=$to
done

# Very many descriptors: ten places with fifteen registries each, of which only the last answers.
{
	printf '[[registry]]\nlocation = "%s"\n' "$REGISTRY"
	for i in $(seq 2 15); do printf '[[registry.mirror]]\nlocation = "127.0.0.%s:1"\ninsecure = true\n' "$i"; done
} >"$WORLD/mirrors.conf"
list create many >/dev/null
api=(curl -sf -o /dev/null --cacert "$REGISTRY_CERTS/ca.crt")
raw single:1 >"$WORLD/single.json"
for i in $(seq 10); do
	jq -c --arg i "$i" '.annotations.number = $i' "$WORLD/single.json" >"$WORLD/many.json"
	"${api[@]}" -X POST $(jq -r --arg r "https://$REGISTRY/v2/many-$i" '.config, .layers[] | $r + "/blobs/uploads/?from=single&mount=" + .digest' "$WORLD/single.json")
	"${api[@]}" -T "$WORLD/many.json" -H "Content-Type: $(jq -r .mediaType "$WORLD/many.json")" "https://$REGISTRY/v2/many-$i/manifests/1"
	list add "${tls[@]}" --variant "v$i" many "docker://$REGISTRY/many-$i:1" >/dev/null
done
out=$(CONTAINERS_REGISTRIES_CONF=$WORLD/mirrors.conf list push -q "${tls[@]}" many "oci:$WORLD/many:x" 2>&1)
is "a list of ten places with fourteen mirrors each" "$? $out" "0 "

# Broken: an image that has gone, another manifest under its name.
list create gone >/dev/null
list add --os linux --arch s390x gone "oci:$WORLD/layout0:i" >/dev/null
rm -r "$WORLD/layout0"
out=$(list push -q gone "dir:$WORLD/none" 2>&1)
is "an image that has gone" "$? $(printf '%s\n' "$out" | grep -c '^Error: ')" "125 1"
is "a registry that is not there" "$(list add "${tls[@]}" gone docker://localhost:1/x:1 >/dev/null 2>&1; echo $?) $(list inspect gone | jq '.manifests | length')" "125 1"
finish
