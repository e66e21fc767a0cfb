#!/bin/bash
# SPDX-License-Identifier: ISC
# Artifacts: kept in the store, taken out again, sent to a registry and fetched; other tools read them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../registry.sh"
world
registry_start
tls=(--cert-dir "$REGISTRY_CERTS")
cd "$WORLD" || exit 1
art() { pod artifact "$@"; }
blobs() { find "$ROOT/artifacts/blobs" -type f | wc -l; }
echo hello >f1
head -c 300000 /dev/urandom >f2
gzip -nc f1 >f3.gz
printf '<html><p>x</html>' >f4
: >f5
mkdir out

is "none yet" "$(art ls -n) $?" " 0"
id=$(art add a1 f1)
is "add gives the digest" "$id" "$(art inspect --format '{{.Digest}}' a1 | cut -d: -f2)"
is "its form" "$(art inspect a1 | jq -c '[.Name,.Manifest.artifactType,.Manifest.config.mediaType,.Manifest.layers[0].annotations]')" \
	'["localhost/a1:latest","application/vnd.unknown.artifact.v1","application/vnd.oci.empty.v1+json",{"org.opencontainers.image.title":"f1"}]'
is "--append" "$(art add --append a1 f2 >/dev/null; art inspect --format '{{len .Manifest.layers}}' a1)" 2
is "types are guessed" "$(art add guess f1 f2 f3.gz f4 f5 >/dev/null; art inspect guess | jq -r '.Manifest.layers[].mediaType' | tr '\n' ,)" \
	"text/plain; charset=utf-8,application/octet-stream,application/x-gzip,text/html; charset=utf-8,text/plain; charset=utf-8,"
is "or given, with annotations" "$(art add --type application/x --file-type x/y --annotation k=v "$REGISTRY/team/art:1" f1 f2 >/dev/null; art inspect "$REGISTRY/team/art:1" | jq -c '.Manifest | [.artifactType,.layers[1].mediaType,.layers[1].annotations.k]')" '["application/x","x/y","v"]'
is "ls" "$(art ls --format '{{.Repository}} {{.Tag}} {{.Digest}}' | tail -1)" "$REGISTRY/team/art 1 $(art inspect --format '{{.Digest}}' "$REGISTRY/team/art:1" | cut -c8-19)"
is "heading" "$(art ls | sed -n 1p | tr -s ' ')" "REPOSITORY TAG DIGEST CREATED SIZE"
is "ls --no-trunc" "$(art ls -n --no-trunc | grep -c 'sha256:[0-9a-f]\{64\}')" 3
is "found by its digest" "$(art inspect --format '{{.Name}}' "$(art inspect --format '{{.Digest}}' guess | cut -c8-20)")" localhost/guess:latest
is "images shows none" "$(pod images -aq | wc -l)" 0
is "no image is found by the name" "$(pod image exists a1; echo $?)" 1
is "the store is whole" "$(pod system check >/dev/null 2>&1; echo $?)" 0
is "another tool reads the layout" "$(skopeo inspect --raw "oci:$ROOT/artifacts:localhost/a1:latest" | sha256sum | cut -d' ' -f1)" "$(art inspect --format '{{.Digest}}' a1 | cut -d: -f2)"

# --- Out again
is "extract" "$(art extract guess out; cat f1 f2 f3.gz f4 f5 | sha256sum)" "$(cd out && cat f1 f2 f3.gz f4 f5 | sha256sum)"
is "one file to a name" "$(art extract --title f1 guess out/name; cat out/name)" hello
is "by its digest" "$(art extract --digest "sha256:$(sha256sum f2 | cut -d' ' -f1)" guess out/by-digest; cmp f2 out/by-digest && echo same)" same
is "replaces what is there" "$(echo old >out/f1; art extract a1 out; cat out/f1)" hello

# --- Registries
is "push" "$(art push -q "${tls[@]}" --digestfile digest "$REGISTRY/team/art:1"; cat digest)" "$(art inspect --format '{{.Digest}}' "$REGISTRY/team/art:1")"
is "curl reads it" "$(curl -s --cacert "$REGISTRY_CERTS/ca.crt" -H 'Accept: application/vnd.oci.image.manifest.v1+json' "https://$REGISTRY/v2/team/art/manifests/1" | sha256sum | cut -d' ' -f1)" "$(cut -d: -f2 digest)"
is "skopeo copies it" "$(skopeo copy -q --src-cert-dir "$REGISTRY_CERTS" --dest-cert-dir "$REGISTRY_CERTS" "docker://$REGISTRY/team/art:1" "docker://$REGISTRY/other:2" && skopeo inspect --raw "${tls[@]}" "docker://$REGISTRY/other:2" | sha256sum | cut -d' ' -f1)" "$(cut -d: -f2 digest)"
is "pull what skopeo wrote" "sha256:$(art pull -q "${tls[@]}" "$REGISTRY/other:2")" "$(cat digest)"
is "with its files" "$(mkdir o2; art extract "$REGISTRY/other:2" o2; cmp f2 o2/f2 && cat o2/f1)" hello
is "pull again" "sha256:$(art pull -q "${tls[@]}" "$REGISTRY/other:2")" "$(cat digest)"

# --- What nobody needs goes
before=$(blobs)
is "rm of one name keeps what others need" "$(art rm "$REGISTRY/other:2" >/dev/null; blobs)" "$before"
is "--replace" "$(art add --replace guess f5 >/dev/null; art inspect guess | jq -c '[.Manifest.layers[].annotations[]]'; blobs)" "$(printf '["f5"]\n%s' $((before - 2)))"
is "--append of a changed file" "$(echo x >f6; art add -a guess f6 >/dev/null; art inspect guess | jq '.Manifest.layers | length')" 2
is "rm gives the digests" "$(art rm guess nosuch 2>/dev/null; echo $?; art rm -i guess nosuch | wc -l)" "$(printf '125\n1')"
is "rm -a" "$(art rm -a | wc -l) $(blobs)" "2 0"

# --- Refused, and nothing made
art add a1 f1 f2 >/dev/null
before=$(find "$ROOT/artifacts" -type f | sort | xargs sha256sum | sha256sum)
layout_index "$WORLD/layout" i
skopeo copy -q --all --dest-cert-dir "$REGISTRY_CERTS" "oci:$WORLD/layout:i" "docker://$REGISTRY/multi:1"
while read -r what; do
	# shellcheck disable=SC2086
	out=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" artifact $what 2>&1)
	is "refused: artifact $what" "$? $(printf '%s\n' "$out" | grep -c '^Error: ')" "125 1"
done <<END
add
add a1
add a1 f3.gz
add a9 nosuch
add a9 out
add a9 /dev/zero
add BAD f1
add --append a9 f1
add --append a1 f1
add --append --replace a1 f3.gz
add --append --type x/y a1 f3.gz
add a9 f1 f1
add --annotation novalue a9 f1
add --annotation org.opencontainers.image.title=x a9 f1
extract a1
extract nosuch out
extract a1 out/none/x
extract a1 newfile
extract --title nosuch a1 out
extract --digest sha256:0000000000000000000000000000000000000000000000000000000000000000 a1 out
extract --title f1 --digest x a1 out
inspect
inspect nosuch
inspect --format {{.Nosuch a1
ls --format {{
pull
pull --tls-verify=false $REGISTRY/nosuch:1
pull --tls-verify=false $REGISTRY/multi:1
pull oci:$WORLD/layout:i
push
push nosuch
rm
rm nosuch
rm -a a1
bogus
END
is "nothing was made or changed" "$(find "$ROOT/artifacts" -type f | sort | xargs sha256sum | sha256sum)" "$before"
is "nor extracted" "$(ls -d newfile out/none 2>/dev/null)" ""

# --- Hostile: titles that go elsewhere, blobs that are not what they should be
evil() { # TITLE TAG
	local d size c l
	mkdir -p "$WORLD/evil"
	read -r c _ < <(printf '{}' | layout_blob "$WORLD/evil")
	read -r l size < <(echo evil | layout_blob "$WORLD/evil")
	read -r d size < <(printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"x/y","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[{"mediaType":"x/y","digest":"%s","size":5,"annotations":{"org.opencontainers.image.title":"%s"}}]}' "$c" "$l" "$1" | layout_blob "$WORLD/evil")
	layout_top "$WORLD/evil" "$2" application/vnd.oci.image.manifest.v1+json "$d" "$size"
	skopeo copy -q --dest-cert-dir "$REGISTRY_CERTS" "oci:$WORLD/evil:$2" "docker://$REGISTRY/evil:$2"
	evil_blob=$l
}
for title in ../../escaped /tmp/escaped-$$ .. a/b; do
	evil "$title" t
	mkdir -p deep/er
	art pull -q "${tls[@]}" "$REGISTRY/evil:t" >/dev/null
	art extract "$REGISTRY/evil:t" deep/er
	is "the title $title becomes no path" "$(ls deep/er | grep -c '^sha256:') $(ls -d escaped deep/escaped /tmp/escaped-$$ deep/er/a 2>/dev/null)" "1 "
	rm -rf deep
done
f=$ROOT/artifacts/blobs/sha256/${evil_blob#sha256:}
printf evix >"$f" && echo >>"$f"
mkdir deep
is "a blob that was changed is not given out" "$(art extract "$REGISTRY/evil:t" deep 2>&1 | grep -c '^Error: .*is damaged'; ls -A deep | wc -l)" "$(printf '1\n0')"
f=$(find "$WORLD/registry" -path "*${evil_blob#sha256:}/data")
before=$(blobs)
art rm "$REGISTRY/evil:t" >/dev/null
printf XXXXX >"$f"
is "a registry that lies leaves nothing" "$(art pull -q "${tls[@]}" "$REGISTRY/evil:t" 2>&1 | grep -c '^Error: '; art inspect "$REGISTRY/evil:t" >/dev/null 2>&1; echo $?; blobs)" "$(printf '1\n125\n%s' $((before - 3 + 1)))"

# --- Many at once lose nothing
pids=
for i in 1 2 3 4; do
	art add "many$i" f1 >/dev/null &
	pids="$pids $!"
done
# shellcheck disable=SC2086
wait $pids
is "four at the same time" "$(art ls -n | grep -c localhost/many)" 4

user_part <<'END'
art() { pod artifact "$@"; }
cd "$WORLD" && mkdir out && echo mine >f1
art add a1 f1 >/dev/null
is "user: inspect" "$(art inspect --format '{{.Name}}' a1)" localhost/a1:latest
is "user: extract" "$(art extract a1 out; cat out/f1; stat -c %U out/f1)" "$(printf 'mine\n%s' "$(id -un)")"
is "user: rm" "$(art rm a1 | wc -l) $(art ls -n | wc -l)" "1 0"
END
