#!/bin/bash
# SPDX-License-Identifier: ISC
# The signatures of an image go where the image goes: pull and push, copies, indexes, other engines' stores; and what
# would make them worthless is an error.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry skopeo gpg jq; do
	command -v $tool >/dev/null || { skip "signatures of copies" "$tool is not installed"; finish; }
done
world
registry_http_start
R=$REGISTRY_HTTP
layout "$WORLD/img" latest gzip
DIGEST=$LAYOUT_DIGEST
layout_index "$WORLD/idx" latest
layout "$WORLD/tar" latest tar
# The same image; its first layer is of two members, as no compressor of ours makes it.
cp -r "$WORLD/img" "$WORLD/members"
(
	cd "$WORLD/members/blobs/sha256" || exit
	was=$(jq -r '.layers[0].digest' "${DIGEST#sha256:}")
	gzip -dc "${was#sha256:}" >"$WORLD/first.tar"
	read -r layer size < <({ head -c 100000 "$WORLD/first.tar" | gzip -n3; tail -c +100001 "$WORLD/first.tar" | gzip -n; } | layout_blob "$WORLD/members")
	read -r manifest size < <(jq -c --arg d "$layer" --argjson n "$size" '.layers[0] += {digest: $d, size: $n}' "${DIGEST#sha256:}" | layout_blob "$WORLD/members")
	layout_top "$WORLD/members" latest application/vnd.oci.image.manifest.v1+json "$manifest" "$size"
	echo "$layer" >"$WORLD/members.layer"
)

setup() { # SCOPE
	U=$1
	export HOME=$WORLD/home GNUPGHOME=$WORLD/gpg
	unset XDG_CONFIG_HOME
	CONF=$HOME/.config/containers
	mkdir -p "$CONF/registries.d"
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-gen-key alice@example.org default default never 2>/dev/null
	gpg --export alice@example.org >"$WORLD/alice.gpg"
	lookasides ''
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$R" >"$CONF/registries.conf"
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$CONF/policy.json"
}
lookasides() { # MORE
	printf 'docker:\n  %s:\n    lookaside: file://%s/sigs\n%b' "$R" "$WORLD" "$1" >"$CONF/registries.d/test.yaml"
}
sk() { skopeo --registries.d "$CONF/registries.d" "$@"; }
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
quietly() { "$@" >"$WORLD/out" 2>&1 || { sed 's/^/# /' "$WORLD/out"; return 1; }; }
# files DIR: names of the signatures in it
files() { (cd "$1" 2>/dev/null && find . -name '*signature-*' -printf '%P\n' | sort | tr '\n' ' '); }
at() { echo "$WORLD/sigs/$U/$1@sha256=${2#sha256:}"; } # NAME DIGEST: its lookaside
digest_at() { skopeo inspect --raw --tls-verify=false "docker://$R/$U/$1" | sha256sum | cut -d' ' -f1; }
same_as_first() { cmp -s "$1" "$(at app "$DIGEST")/signature-1"; }
# by KEY-FILE RULE NAME: a policy that accepts only images signed for NAME
policy() { echo '{"default":[{"type":"reject"}],"transports":{"docker":{"'"$R"'":['"$1"']},"dir":{"":['"$1"']}}}' >"$WORLD/policy.json"; }
by() { policy '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/alice.gpg"'","signedIdentity":{"type":"exactReference","dockerReference":"'"$R/$U/$1"'"}}'; }
theirs() { rm -rf "$WORLD/t" && quietly sk --policy "$WORLD/policy.json" copy -q --src-tls-verify=false "$1" "dir:$WORLD/t"; }
fails() { # TEXT WORDS COMMAND...
	local text=$1 words=$2 said
	shift 2
	said=$("$@" 2>&1)
	if [ $? = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $said"; fi
}
kept='"Would invalidate signatures"'

simple_signatures() {
	local said words d
	sk --insecure-policy copy -q --dest-tls-verify=false --sign-by alice@example.org "oci:$IMG:latest" "docker://$R/$U/app:1"
	sk --insecure-policy copy -q --dest-tls-verify=false "oci:$IMG:latest" "docker://$R/$U/plain:1"

	# --- through the store ---
	check "pull of an image that skopeo signed" quietly pod pull -q "$R/$U/app:1"
	check "push to a directory" quietly pod push -q "$R/$U/app:1" "dir:$WORLD/d1"
	is "its signature goes with it" "$(files "$WORLD/d1")" "signature-1 "
	check "as it was made" same_as_first "$WORLD/d1/signature-1"
	check "push to another repository" quietly pod push -q "$R/$U/app:1" "$R/$U/other:1"
	check "its signature lies in that one's lookaside" same_as_first "$(at other "$DIGEST")/signature-1"
	by app:1
	check "skopeo accepts the copy by it" theirs "docker://$R/$U/other:1"
	check "push again" quietly pod push -q "$R/$U/app:1" "$R/$U/other:1"
	is "adds none that is there" "$(files "$(at other "$DIGEST")")" "signature-1 "
	check "push --sign-by" quietly pod push -q --sign-by alice@example.org "$R/$U/app:1" "$R/$U/other:1"
	is "adds the new one to the old" "$(files "$(at other "$DIGEST")")" "signature-1 signature-2 "
	by other:1
	check "skopeo accepts it by the new one" theirs "docker://$R/$U/other:1"
	check "and a directory has both" quietly pod push -q --sign-by alice@example.org "$R/$U/app:1" "dir:$WORLD/d1"
	is "the old one first" "$(files "$WORLD/d1") $(same_as_first "$WORLD/d1/signature-1" && echo yes)" "signature-1 signature-2  yes"
	check "push --remove-signatures" quietly pod push -q --remove-signatures "$R/$U/app:1" "$R/$U/bare:1"
	is "leaves them" "$(files "$(at bare "$DIGEST")")" ""
	check "and takes those away that the directory had" quietly pod push -q --remove-signatures "$R/$U/app:1" "dir:$WORLD/d1"
	is "so that none is left" "$(files "$WORLD/d1")" ""

	# --- what cannot keep them ---
	for d in "oci:$WORLD/o" "oci-archive:$WORLD/o.tar" "docker-archive:$WORLD/d.tar"; do
		words=$(sk --insecure-policy copy -q --src-tls-verify=false "docker://$R/$U/app:1" "$d" 2>&1 | sed -n 's/.*msg="//; s/"$//p')
		fails "push to ${d%%:*} is refused in skopeo's words" "${words:-skopeo said nothing}" pod push -q "$R/$U/app:1" "$d"
		[[ ${words} == "Can not copy signatures to"* ]] || not_ok "skopeo's words: $words"
		check "but not without the signatures" quietly pod push -q --remove-signatures "$R/$U/app:1" "$d"
	done
	check "save leaves them, as Podman's does" quietly pod save -q --format oci-archive -o "$WORLD/s.tar" "$R/$U/app:1"
	quietly pod save -q --format docker-dir -o "$WORLD/s" "$R/$U/app:1"
	is "also to a directory" "$(files "$WORLD/s")" ""

	# --- what would change the manifest ---
	fails "another kind of manifest" "Manifest must be converted to type \"application/vnd.docker.distribution.manifest.v2+json\" to be written to destination, but we cannot modify it: $kept" \
		pod push -q --format v2s2 "$R/$U/app:1" "$R/$U/other:2"
	fails "another compression" "Copying this image would require changing layer representation, which we cannot do: $kept" \
		pod push -q --compression-format zstd "$R/$U/app:1" "$R/$U/other:2"
	check "nothing is there then" bash -c "! skopeo inspect --raw --tls-verify=false docker://$R/$U/other:2 >/dev/null 2>&1"
	check "without the signatures it may be" quietly pod push -q --remove-signatures --format v2s2 "$R/$U/app:1" "$R/$U/other:2"
	fails "the words say how" "--remove-signatures" pod push -q --format v2s2 "$R/$U/app:1" "$R/$U/other:3"

	sk --insecure-policy copy -q --dest-tls-verify=false --sign-by alice@example.org "oci:$MEMBERS:latest" "docker://$R/$U/members:1"
	quietly pod pull -q "$R/$U/members:1"
	d=$(<"$MEMBERS.layer")
	fails "a layer that cannot be compressed as it was" "Copying this image would require changing layer representation, which we cannot do: $kept" \
		pod push -q "$R/$U/members:1" "dir:$WORLD/again"
	check "leaves no manifest" test ! -e "$WORLD/again/manifest.json"
	fails "the words say which it is" "Layer 1 is $d, and would be sha256:" pod push -q "$R/$U/members:1" "dir:$WORLD/again"
	check "where it lies already it need not be" quietly pod push -q "$R/$U/members:1" "$R/$U/members:2"
	is "and the manifest is the one that was signed" "$(digest_at members:2)" "$(digest_at members:1)"
	check "without the signatures it may be" quietly pod push -q --remove-signatures "$R/$U/members:1" "dir:$WORLD/again"
	is "as another layer" "$(jq -r '.layers | length' "$WORLD/again/manifest.json") $(grep -c "$d" "$WORLD/again/manifest.json")" "2 0"
	pod rmi -f "$R/$U/members:1" >/dev/null

	# --- the store's knowledge ---
	pod rmi -f "$R/$U/app:1" >/dev/null
	quietly pod pull -q "$R/$U/plain:1"
	quietly pod push -q "$R/$U/plain:1" "dir:$WORLD/d2"
	is "signatures go with the image" "$(files "$WORLD/d2")" ""
	check "pulled under its signed name" quietly pod pull -q "$R/$U/app:1"
	quietly pod push -q "$R/$U/plain:1" "dir:$WORLD/d2"
	is "the image has them, whatever its names" "$(files "$WORLD/d2")" "signature-1 "
	check "a further signature in the registry" quietly pod image sign --sign-by alice@example.org "docker://$R/$U/app:1"
	quietly pod pull -q "$R/$U/app:1" && quietly pod push -q "$R/$U/app:1" "dir:$WORLD/d2"
	is "comes with the next pull" "$(files "$WORLD/d2")" "signature-1 signature-2 "
	check "an image from a directory brings its own" quietly eval 'pod rmi -af && pod pull -q "dir:$WORLD/d2"'
	rm -rf "$WORLD/d3" && quietly pod push -q "$(pod images -q)" "dir:$WORLD/d3"
	is "to be handed on" "$(files "$WORLD/d3")" "signature-1 signature-2 "
	check "the store is sound" quietly pod system check
	mkdir -p "$WORLD/never" && rmdir "$WORLD/never"
	lookasides "  $R/$U/unsigned:\n    lookaside: file://$WORLD/never/sigs\n"
	check "push of what has no signature" quietly image copy -q "docker://$R/$U/plain:1" "docker://$R/$U/unsigned:1"
	check "makes no lookaside" test ! -e "$WORLD/never"
	lookasides "  $R/$U/web:\n    lookaside: http://localhost:1/sigs\n"
	fails "a lookaside that is a web server" "Writing directly to a http://localhost:1/sigs lookaside is not supported" image copy -q "dir:$WORLD/d2" "docker://$R/$U/web:1"
	lookasides ''
}

copies() {
	local d words
	check "copy from a registry to a directory" quietly image copy -q "docker://$R/$U/app:1" "dir:$WORLD/c1"
	check "takes the signature" same_as_first "$WORLD/c1/signature-1"
	check "and back" quietly image copy -q "dir:$WORLD/c1" "docker://$R/$U/back:1"
	check "skopeo accepts it" eval 'by app:1; theirs "docker://$R/$U/back:1"'
	check "skopeo accepts our directory" theirs "dir:$WORLD/c1"
	quietly sk --insecure-policy copy -q --src-tls-verify=false "docker://$R/$U/app:1" "dir:$WORLD/c2"
	check "and we skopeo's" quietly image copy -q --signature-policy "$WORLD/policy.json" "dir:$WORLD/c2" "docker://$R/$U/back:2"
	check "of the same files" diff -r "$WORLD/c1" "$WORLD/c2"
	check "copy --remove-signatures" quietly image copy -q --remove-signatures "docker://$R/$U/app:1" "dir:$WORLD/c1"
	is "leaves the directory without" "$(files "$WORLD/c1")" ""
	fails "copy --format" "$kept" image copy -q --format v2s2 "docker://$R/$U/app:1" "dir:$WORLD/c3"
	check "sync" quietly image sync -q --src docker --dest dir "$R/$U/app:1" "$WORLD/sync"
	check "takes signatures too" same_as_first "$WORLD/sync/app:1/signature-1"
	check "also on the way back" quietly image sync -q --src dir --dest docker "$WORLD/sync" "$R/$U/synced"
	check "to where the repository is then" same_as_first "$(at synced/app "$DIGEST")/signature-1"
}

indexes() {
	local m
	sk --insecure-policy copy -q --all --dest-tls-verify=false "oci:$IDX:latest" "docker://$R/$U/multi:1"
	check "an index with its images, signed" quietly pod image sign -a --sign-by alice@example.org "docker://$R/$U/multi:1"
	quietly sk --insecure-policy copy -q --all --src-tls-verify=false "docker://$R/$U/multi:1" "dir:$WORLD/m1"
	check "copy --all" quietly image copy -q --all "docker://$R/$U/multi:1" "dir:$WORLD/m2"
	is "has the signatures that skopeo's copy has" "$(files "$WORLD/m2")" "$(files "$WORLD/m1")"
	is "one for each image, one for the index" "$(files "$WORLD/m2" | wc -w)" 4
	check "the same bytes" diff -r "$WORLD/m1" "$WORLD/m2"
	check "and back" quietly image copy -q --all "dir:$WORLD/m2" "docker://$R/$U/multi2:1"
	is "one lookaside for each" "$(find "$WORLD/sigs/$U" -path '*/multi2@*/signature-1' | wc -l)" 4
	by multi:1
	check "skopeo accepts all" quietly sk --policy "$WORLD/policy.json" copy -q --all --src-tls-verify=false "docker://$R/$U/multi2:1" "dir:$WORLD/m3"
	check "we accept an image of the directory" quietly image copy -q --signature-policy "$WORLD/policy.json" "dir:$WORLD/m3" "dir:$WORLD/m4"
	is "and copy its own signature only" "$(files "$WORLD/m4")" "signature-1 "
	fails "an index of the other kind" "but we cannot modify it: $kept" image copy -q --all --format v2s2 "docker://$R/$U/multi:1" "docker://$R/$U/multi3:1"
	# A list made here is new, its images are as they were.
	quietly pod pull -q "$R/$U/app:1"
	check "manifest push" quietly eval 'pod manifest create "list-$U" "$R/$U/app:1" && pod manifest push --all "list-$U" "docker://$R/$U/list:1"'
	check "takes the signatures of its images" same_as_first "$(at list "$DIGEST")/signature-1"
	is "and the list has none" "$(files "$(at list "$(digest_at list:1)")")" ""
	check "manifest push --remove-signatures" quietly pod manifest push --all --remove-signatures "list-$U" "docker://$R/$U/list2:1"
	is "does not" "$(files "$(at list2 "$DIGEST")")" ""
}

sigstore() {
	local name d=${DIGEST/:/-}
	fetch() { curl -s -H "Accept: application/vnd.oci.image.manifest.v1+json" "http://$R/v2/$U/$1"; }
	lookasides "    use-sigstore-attachments: true\n  $R/$U/off:\n    lookaside: file://$WORLD/sigs\n    use-sigstore-attachments: false\n"
	echo open >"$WORLD/pass"
	quietly image generate-sigstore-key --output-prefix "$WORLD/key" --passphrase-file "$WORLD/pass"
	pod rmi -af >/dev/null
	quietly pod pull -q "$R/$U/plain:1"
	check "an image with an attached signature" quietly pod push -q --remove-signatures --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" "$R/$U/plain:1" "$R/$U/sig:1"
	policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/key.pub"'","signedIdentity":{"type":"exactReference","dockerReference":"'"$R/$U/sig:1"'"}}'
	pod rmi -af >/dev/null
	check "pull" quietly pod pull -q "$R/$U/sig:1"
	check "push elsewhere" quietly pod push -q "$R/$U/sig:1" "$R/$U/sig2:1"
	is "takes it along" "$(fetch "sig2/manifests/$d.sig" | jq -c .layers)" "$(fetch "sig/manifests/$d.sig" | jq -c .layers)"
	check "where it is accepted" quietly pod pull -q --signature-policy "$WORLD/policy.json" "$R/$U/sig2:1"
	quietly pod push -q "$R/$U/sig:1" "$R/$U/sig2:1"
	is "a second push adds none" "$(fetch "sig2/manifests/$d.sig" | jq '.layers | length')" 1
	check "copy to a directory" quietly image copy -q "docker://$R/$U/sig2:1" "dir:$WORLD/g"
	is "keeps it as a file" "$(tr '\0' 0 <"$WORLD/g/signature-1" | head -n 1)" 0sigstore-json
	check "which is accepted" quietly image copy -q --signature-policy "$WORLD/policy.json" "dir:$WORLD/g" "docker://$R/$U/sig3:1"
	is "and becomes an attached one again" "$(fetch "sig3/manifests/$d.sig" | jq -c .layers)" "$(fetch "sig/manifests/$d.sig" | jq -c .layers)"
	fails "where they are not written" "writing sigstore attachments is disabled by configuration" image copy -q "dir:$WORLD/g" "docker://$R/$U/off:1"
	check "copy without" quietly image copy -q --remove-signatures "dir:$WORLD/g" "docker://$R/$U/off:2"
	lookasides ''
}

artifacts() {
	local d
	art() { pod artifact "$@"; }
	echo "of $U" >"$WORLD/file"
	art add "$R/$U/art:plain" "$WORLD/file" >/dev/null
	quietly art push -q "$R/$U/art:plain"
	d=sha256:$(digest_at art:plain)
	check "an artifact without a signature makes no lookaside" test ! -e "$(at art "$d")"
	check "skopeo signs it" quietly sk --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false --sign-by alice@example.org "docker://$R/$U/art:plain" "docker://$R/$U/sart:1"
	art rm -a >/dev/null
	check "artifact pull" quietly art pull -q "$R/$U/sart:1"
	check "keeps the signature" cmp -s "$ROOT/artifacts/signatures/${d#sha256:}.signature-1" "$(at sart "$d")/signature-1"
	check "artifact pull of what is there, unsigned" quietly art pull -q "$R/$U/art:plain"
	is "leaves it" "$(files "$ROOT/artifacts/signatures" | tr -d '\n')" "${d#sha256:}.signature-1 "
	check "artifact push" quietly art push -q "$R/$U/sart:1"
	is "adds none that is there" "$(files "$(at sart "$d")")" "signature-1 "
	rm -rf "$WORLD/sigs.was" && cp -a "$WORLD/sigs" "$WORLD/sigs.was" && rm -rf "$(at sart "$d")"
	check "where the signature is gone" quietly art push -q "$R/$U/sart:1"
	check "it is put back" cmp -s "$(at sart "$d")/signature-1" "$WORLD/sigs.was/$U/sart@sha256=${d#sha256:}/signature-1"
	by sart:1
	check "skopeo accepts it" theirs "docker://$R/$U/sart:1"
	check "artifact push --sign-by" quietly art push -q --sign-by alice@example.org "$R/$U/sart:1"
	is "adds one" "$(files "$(at sart "$d")")" "signature-1 signature-2 "
	quietly art pull -q "$R/$U/sart:1"
	is "which the next pull keeps" "$(files "$ROOT/artifacts/signatures" | wc -w)" 2
	cp "$CONF/policy.json" "$WORLD/open.json" && cp "$WORLD/policy.json" "$CONF/policy.json"
	art rm -a >/dev/null
	check "a policy that asks for it is content" quietly art pull -q "$R/$U/sart:1"
	by other:1 && cp "$WORLD/policy.json" "$CONF/policy.json"
	fails "and another is not" "is not accepted" art pull -q "$R/$U/sart:1"
	cp "$WORLD/open.json" "$CONF/policy.json"
	is "rm takes the signatures with it" "$(art rm -a >/dev/null; files "$ROOT/artifacts/signatures")" ""
	check "an attached one" quietly art pull -q "$R/$U/sart:1"
	lookasides "    use-sigstore-attachments: true\n"
	check "artifact push --sign-by-sigstore-private-key" quietly art push -q --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" "$R/$U/sart:1"
	art rm -a >/dev/null
	quietly art pull -q "$R/$U/sart:1"
	is "is kept as a file" "$(tr '\0' 0 <"$ROOT/artifacts/signatures/${d#sha256:}.signature-3" | head -n 1)" 0sigstore-json
	lookasides ''
	check "the store is sound" quietly pod system check
	art rm -a >/dev/null
}

# Another engine's store keeps them too; of compressed layers it has only the tar, so they can be handed on by neither.
other_store() {
	local S="vfs@$WORLD/cs-" d name
	sk --insecure-policy copy -q --dest-tls-verify=false --preserve-digests --sign-by alice@example.org "oci:$TAR:latest" "docker://$R/$U/tar:1"
	d=$(digest_at tar:1)
	for name in app tar; do
		if ! quietly sk --insecure-policy copy -q --src-tls-verify=false "docker://$R/$U/$name:1" "containers-storage:[$S$name+$WORLD/csrun]$R/$U/$name:1"; then
			skip "signatures out of containers-storage" "skopeo cannot write to a store here"
			return
		fi
	done
	fails "copy out of containers-storage of what was compressed" "Copying this image would require changing layer representation, which we cannot do: $kept" \
		image copy -q "containers-storage:[${S}app]$R/$U/app:1" "dir:$WORLD/cs0"
	check "copy out of containers-storage" quietly image copy -q "containers-storage:[${S}tar]$R/$U/tar:1" "dir:$WORLD/cs1"
	check "takes the signature" cmp -s "$WORLD/cs1/signature-1" "$(at tar "$d")/signature-1"
	by app:1
	jq '.transports["containers-storage"] = {"": .transports.docker[]}' "$WORLD/policy.json" >"$WORLD/policy2.json"
	check "by which the policy may ask for it" quietly pod pull -q --signature-policy "$WORLD/policy2.json" "containers-storage:[${S}app]$R/$U/app:1"
	by other:1
	jq '.transports["containers-storage"] = {"": .transports.docker[]}' "$WORLD/policy.json" >"$WORLD/policy2.json"
	fails "and refuse it" "is not accepted" pod pull -q --signature-policy "$WORLD/policy2.json" "containers-storage:[${S}app]$R/$U/app:1"
}

IMG=$WORLD/img IDX=$WORLD/idx TAR=$WORLD/tar MEMBERS=$WORLD/members
at_end() { GNUPGHOME=$WORLD/gpg gpgconf --kill all 2>/dev/null; }
(setup root && simple_signatures && copies && indexes && sigstore && artifacts && other_store; echo "$tap_n $tap_failed" >"$WORLD/count")
read -r tap_n tap_failed <"$WORLD/count"
GNUPGHOME=$WORLD/gpg gpgconf --kill all 2>/dev/null
chmod -R a+rX "$WORLD/img" "$WORLD/idx" "$WORLD/tar" "$WORLD/members"
{
	declare -p R DIGEST IMG MEMBERS kept
	declare -f setup lookasides sk image quietly files at digest_at same_as_first policy by theirs fails \
		simple_signatures copies sigstore artifacts
	echo 'setup user; simple_signatures; copies; sigstore; artifacts; gpgconf --kill all'
} | user_part
