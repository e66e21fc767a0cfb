#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-image sync --src yaml: a list of registries, repositories and tags; the same list gives the same with skopeo.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v docker-registry >/dev/null && command -v skopeo >/dev/null && command -v htpasswd >/dev/null || {
	skip "sync by a list" "docker-registry, skopeo or htpasswd is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_start alice secret
registry_http_start
H=$REGISTRY_HTTP S=$REGISTRY
sync() { timeout 60 "$BIN/pod-image" sync -q --src yaml "$@"; }
sko() { skopeo --insecure-policy "$@"; }
tree() { (cd "$1" && find . -name manifest.json -printf '%h\n' | sort | tr '\n' ' '); }
refused() { # TEXT WORDS LIST...
	local text=$1 words=$2 said st
	shift 2
	printf '%s\n' "$@" >"$WORLD/bad.yaml"
	said=$(sync --dest dir "$WORLD/bad.yaml" "$WORLD/bad" 2>&1)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
layout "$WORLD/lay" x gzip
for t in 1.13.1 1.13.2 1.13.2-alpine 2.0; do
	sko copy -q --dest-tls-verify=false "oci:$WORLD/lay:x" "docker://$H/web/nginx:$t"
done
sko copy -q --dest-tls-verify=false "oci:$WORLD/lay:x" "docker://$H/db:1"
sko copy -q --dest-cert-dir "$REGISTRY_CERTS" --dest-creds alice:secret "oci:$WORLD/lay:x" "docker://$S/closed:7"

cat >"$WORLD/list.yaml" <<L
$H:
  tls-verify: false
  images:
    db: []
    web/nginx:
      - "2.0"
  images-by-tag-regex:
    web/nginx: ^1\.13\.[12]$
$S:
  images:
    closed: ["7"]
  credentials:
    username: alice
    password: secret
  cert-dir: $REGISTRY_CERTS
L
mkdir "$WORLD/ours" "$WORLD/theirs"
check "a list to directories" sync --dest dir "$WORLD/list.yaml" "$WORLD/ours"
is "what it named" "$(tree "$WORLD/ours")" "./closed:7 ./db:1 ./nginx:1.13.1 ./nginx:1.13.2 ./nginx:2.0 "
is "with the digests" "$(cat "$WORLD"/ours/*/manifest.json | sha256sum)" "$(for i in 1 2 3 4 5; do cat "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}"; done | sha256sum)"
sko sync -q --src yaml --dest dir "$WORLD/list.yaml" "$WORLD/theirs" >/dev/null 2>&1 ||
	sko sync --src yaml --dest dir "$WORLD/list.yaml" "$WORLD/theirs" >/dev/null 2>&1
is "as skopeo does it" "$(tree "$WORLD/ours")" "$(tree "$WORLD/theirs")"
is "images-by-semver" "$(printf '%s:\n  tls-verify: false\n  images-by-semver:\n    web/nginx: ">=1.13.2 || ~1.13.1"\n' "$H" >"$WORLD/s.yaml"; sync --dest dir "$WORLD/s.yaml" "$WORLD/semver"; tree "$WORLD/semver")" "./nginx:1.13.1 ./nginx:1.13.2 ./nginx:2.0 "
sync --scoped --dest dir "$WORLD/list.yaml" "$WORLD/scoped"
check "--scoped" test -f "$WORLD/scoped/$H/web/nginx:2.0/manifest.json"
check "to another registry, with a suffix" sync --dest docker --dest-tls-verify=false --append-suffix -new "$WORLD/list.yaml" "$H/mirror"
is "the tags there" "$(sko list-tags --tls-verify=false "docker://$H/mirror/nginx" | jq -c '.Tags | sort')" '["1.13.1-new","1.13.2-new","2.0-new"]'
is "a digest in the list" "$(printf '%s:\n  tls-verify: false\n  images:\n    db: ["%s"]\n' "$H" "$LAYOUT_DIGEST" >"$WORLD/d.yaml" && sync --dest dir "$WORLD/d.yaml" "$WORLD/bydigest" && tree "$WORLD/bydigest")" "./db "
is "--dry-run copies nothing" "$(sync --dry-run --dest dir "$WORLD/d.yaml" "$WORLD/dry" 2>&1 | grep -c "Copying image docker://$H/db@$LAYOUT_DIGEST to dir:$WORLD/dry/db"; ls "$WORLD/dry" 2>/dev/null)" 1
printf '%s:\n  tls-verify: false\n  images:\n    nosuch: []\n    db: ["1"]\n' "$H" >"$WORLD/k.yaml"
sko sync --src yaml --dest dir "$WORLD/k.yaml" "$WORLD/theirs.k" >/dev/null 2>&1
said=$(sync --dest dir "$WORLD/k.yaml" "$WORLD/kept" 2>&1)
is "a repository that cannot be listed fails in the end" "$? ${said##*$'\n'}" "125 Error: not everything in the list was copied, as said above"
check "it is named" grep -q "^Error: listing the tags of $H/nosuch: " <<<"$said"
is "the others are copied, as by skopeo" "$(tree "$WORLD/kept")" "$(tree "$WORLD/theirs.k")"
printf 'localhost:%s:\n  tls-verify: false\n  images:\n    a: []\n' "$(free_port)" | cat - "$WORLD/k.yaml" >"$WORLD/k2.yaml"
sync --dest dir "$WORLD/k2.yaml" "$WORLD/kept2" >/dev/null 2>&1
is "and so with a registry that is not there" "$? $(tree "$WORLD/kept2")" "125 ./db:1 "
printf '%s:\n  tls-verify: false\n  images:\n    db: ["none", "1"]\n' "$H" >"$WORLD/k.yaml"
sync --dest dir "$WORLD/k.yaml" "$WORLD/kept3" >/dev/null 2>&1
is "an image that is not there ends it" "$? $(tree "$WORLD/kept3")" "125 "
sync --keep-going --dest dir "$WORLD/k.yaml" "$WORLD/kept3" >/dev/null 2>&1
is "--keep-going: what can be had" "$? $(tree "$WORLD/kept3")" "125 ./db:1 "
timeout 60 strace -f -qq -s 4096 -e trace=execve -o "$WORLD/words" "$BIN/pod-image" sync -q --src yaml --dest dir "$WORLD/list.yaml" "$WORLD/again" >/dev/null 2>&1
check "passwords stand in no command's words" test -z "$(grep secret "$WORLD/words")" -a -s "$WORLD/words"
is "--format" "$(sync --format v2s2 --dest dir "$WORLD/d.yaml" "$WORLD/v2" && jq -r .mediaType "$WORLD/v2/db/manifest.json")" application/vnd.docker.distribution.manifest.v2+json
said=$("$BIN/pod-image" sync -q --src dir --dest dir "$WORLD/ours" "$WORLD/x" 2>&1)
is "dir to dir is refused" "$? $said" "125 Error: cannot sync from dir to dir: use cp or rsync"

refused "no YAML" "" "a: [b"
refused "no registries" "names no registries" "- a"
refused "no registry's name" "is no registry" "a b:" "  images: {}"
refused "an unknown key" "imagez" "$H:" "  imagez: {}"
refused "a condition on versions that is none" 'a: "latest" is no condition on versions' "$H:" "  images-by-semver:" "    a: latest"
refused "a tag that is none" "neither a tag nor a digest" "$H:" "  images:" "    a: ['../x']"
refused "a repository with a tag" "stand in its list" "$H:" "  images:" "    a:1: []"
refused "a path that leads out" "" "$H:" "  images:" "    ../../a: ['1']"
refused "an expression that is none" "a(b" "$H:" "  images-by-tag-regex:" "    a: 'a(b'"
refused "credentials without a password" "password" "$H:" "  credentials:" "    username: a" "  images: {a: ['1']}"
refused "nothing in it" "No images to sync found" "$H:" "  images: {}"
refused "a bomb of aliases" "" 'a: &a [x,x,x,x,x,x,x,x,x]' 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]' 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]' 'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]' 'e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]' 'f: [*e,*e,*e,*e,*e,*e,*e,*e]'
finish
