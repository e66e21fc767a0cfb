#!/bin/bash
# SPDX-License-Identifier: ISC
# policy.json on pull: simple signatures made by skopeo, in a lookaside (files and web server) and in a "dir:" image.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

for tool in docker-registry skopeo gpg; do
	command -v $tool >/dev/null || {
		skip "signatures of images" "$tool is not installed"
		finish
	}
done
world
export HOME=$WORLD/home GNUPGHOME=$WORLD/gpg XDG_CONFIG_HOME=
unset XDG_CONFIG_HOME
at_end() { gpgconf --kill all 2>/dev/null; }
conf=$HOME/.config/containers
mkdir -p "$conf/registries.d" "$WORLD/sigs"
mkdir -m 700 "$GNUPGHOME"
for who in alice bob; do
	gpg --batch --quiet --passphrase '' --quick-gen-key $who@example.org default default never 2>/dev/null
	gpg --export $who@example.org >"$WORLD/$who.gpg"
done
registry_http_start
R=$REGISTRY_HTTP
layout "$WORLD/img" latest gzip
digest=$LAYOUT_DIGEST
printf 'docker:\n  %s:\n    lookaside: file://%s/sigs\n' "$R" "$WORLD" >"$conf/registries.d/test.yaml"
copy() { skopeo --insecure-policy --registries.d "$conf/registries.d" copy -q --dest-tls-verify=false "$@"; }
copy --sign-by alice@example.org "oci:$WORLD/img:latest" "docker://$R/ns/app:1"
copy "oci:$WORLD/img:latest" "docker://$R/ns/app:2"
layout_index "$WORLD/idx" latest
copy --all "oci:$WORLD/idx:latest" "docker://$R/multi:1"

# policy SCOPE RULES...: everything else is rejected
policy() { echo '{"default":[{"type":"reject"}],"transports":{"docker":{"'"$1"'":['"$2"']}}}' >"$WORLD/policy.json"; }
by() { echo '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/$1.gpg"'"'"${2:+,\"signedIdentity\":$2}"'}'; }
pull() { pod pull -q --tls-verify=false --signature-policy "$WORLD/policy.json" "$@"; }
accepted() {
	local text=$1 said
	shift
	pod rmi -a -f >/dev/null 2>&1
	said=$(pull "$@" 2>&1) && ok "$text" || not_ok "$text: $said"
}
refused() { # TEXT WORDS IMAGE
	local text=$1 words=$2 said st
	shift 2
	pod rmi -a -f >/dev/null 2>&1
	said=$(pull "$@" 2>&1)
	st=$?
	if [ $st = 125 ] && [[ $said == *"$words"* ]] && [ -z "$(pod images -q)" ]; then
		ok "$text"
	else
		not_ok "$text: $st: $said"
	fi
}

policy "$R" "$(by alice)"
accepted "skopeo's signature by the right key" "$R/ns/app:1"
accepted "and for the digest it was made for" "$R/ns/app@$digest"
refused "under another tag it is refused" "Signature for identity \"$R/ns/app:1\" is not accepted" "$R/ns/app:2"
refused "an image without a signature" "A signature was required, but no signature exists" "$R/multi:1"
policy "$R" "$(by bob)"
refused "a key that is not in the policy" "is not accepted" "$R/ns/app:1"
policy "$R" "$(by alice),$(by bob)"
refused "each rule must be met" "is not accepted" "$R/ns/app:1"
cat "$WORLD/bob.gpg" "$WORLD/alice.gpg" >"$WORLD/both.gpg"
policy "$R" "$(by both)"
accepted "one of several keys in a file" "$R/ns/app:1"
policy "$R" '{"type":"signedBy","keyType":"GPGKeys","keyPaths":["'"$WORLD/bob.gpg"'","'"$WORLD/alice.gpg"'"]}'
accepted "keyPaths" "$R/ns/app:1"
policy "$R" '{"type":"signedBy","keyType":"GPGKeys","keyData":"'"$(base64 -w0 "$WORLD/alice.gpg")"'"}'
accepted "keyData" "$R/ns/app:1"
policy "$R" "$(by alice '{"type":"matchRepository"}')"
accepted "matchRepository: any tag" "$R/ns/app:2"
policy "$R" "$(by alice '{"type":"matchExact"}')"
refused "matchExact: not by digest" "is not accepted" "$R/ns/app@$digest"
policy "$R" "$(by alice '{"type":"exactReference","dockerReference":"'"$R"'/ns/app:1"}')"
accepted "exactReference" "$R/ns/app:2"
policy "$R" "$(by alice '{"type":"exactRepository","dockerRepository":"'"$R"'/other"}')"
refused "exactRepository" "is not accepted" "$R/ns/app:1"
policy "$R/ns" "$(by alice)"
accepted "a scope of a namespace" "$R/ns/app:1"
refused "and what lies outside it" "is rejected by policy" "$R/multi:1"
policy "$R" '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD"'/none"}'
refused "a key that cannot be read" "open $WORLD/none" "$R/ns/app:1"
policy "$R" '{"type":"signedBy","keyType":"X509Certificates","keyPath":"'"$WORLD/alice.gpg"'"}'
refused "kinds of keys that nobody has implemented" "Unimplemented keyType" "$R/ns/app:1"
policy "$R" '{"type":"unheardOf"}'
refused "an unknown type of rule" "invalid policy in" "$R/ns/app:1"
echo '{"transports":{}}' >"$WORLD/policy.json"
refused "a policy without a default" "Default policy is missing" "$R/ns/app:1"
echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"dir":{"images":[{"type":"reject"}]}}}' >"$WORLD/policy.json"
refused "a scope that no image can have" "Invalid scope \"images\" of dir" "$R/ns/app:1"
rm "$WORLD/policy.json"
refused "a named policy that does not exist" "open $WORLD/policy.json" "$R/ns/app:1"

# --- hostile signatures ---
sig=$(find "$WORLD/sigs" -name signature-1)
cp "$sig" "$WORLD/good"
policy "$R" "$(by alice)"
head -c 100 "$WORLD/good" >"$sig"
refused "a signature cut off" "Source image rejected" "$R/ns/app:1"
printf 'hello' >"$sig"
refused "a file that is no signature" "unrecognized signature format" "$R/ns/app:1"
head -c 2000000 /dev/zero | tr '\0' '\243' >"$sig"
refused "a signature of two megabytes" "signature-1" "$R/ns/app:1"
head -c 200000000 /dev/zero | gpg --batch -q --compress-algo zlib -u alice@example.org --sign >"$sig" 2>/dev/null
start=$SECONDS
refused "a signature that is a decompression bomb" "Invalid GPG signature" "$R/ns/app:1"
check "is refused soon" test $((SECONDS - start)) -lt 20
printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"atomic container signature"},"optional":{}}' \
	"$R/ns/app:1" "sha256:${digest#sha256:}" >"$WORLD/payload"
gpg --batch -q -u alice@example.org --sign -o - "$WORLD/payload" >"$sig" 2>/dev/null
accepted "a payload made by hand" "$R/ns/app:1"
sed "s,$R/ns/app:1,$R/ns/app," "$WORLD/payload" | gpg --batch -q -u alice@example.org --sign >"$sig" 2>/dev/null
refused "a signature for a name without a tag, also by digest" "Signature for identity \"$R/ns/app\" is not accepted" "$R/ns/app@$digest"
sed 's/"optional":{}/"optional":{},"more":1/' "$WORLD/payload" | gpg --batch -q -u alice@example.org --sign >"$sig" 2>/dev/null
refused "a payload with another key" "more: unknown key" "$R/ns/app:1"
sed "s/$digest/sha256:$(printf '%064d' 0)/" "$WORLD/payload" | gpg --batch -q -u alice@example.org --sign >"$sig" 2>/dev/null
refused "a payload for another digest" "does not match" "$R/ns/app:1"
printf 'x' >"$sig"
cp "$WORLD/good" "${sig%1}2"
accepted "a good signature behind a bad one" "$R/ns/app:1"
cp "$WORLD/good" "$sig"
rm "${sig%1}2"

# --- of several platforms, the one that is taken ---
layout_index "$WORLD/idx2" latest
skopeo standalone-sign -o "$WORLD/sig" "$WORLD/idx2/blobs/sha256/${LAYOUT_DIGEST#sha256:}" "$R/multi:1" alice@example.org >/dev/null
mkdir -p "$WORLD/sigs/multi@sha256=${LAYOUT_DIGEST#sha256:}"
cp "$WORLD/sig" "$WORLD/sigs/multi@sha256=${LAYOUT_DIGEST#sha256:}/signature-1"
accepted "of an index, the manifest of this machine must be signed" "$R/multi:1"

# --- a web server as lookaside ---
P=$(free_port)
busybox httpd -f -p "127.0.0.1:$P" -h "$WORLD/sigs" &
remember_pid $!
printf 'default-docker:\n  lookaside: http://127.0.0.1:%s\n' "$P" >"$conf/registries.d/test.yaml"
until_ok 20 curl -s -o /dev/null "http://127.0.0.1:$P/"
accepted "a lookaside on a web server" "$R/ns/app:1"
layout "$WORLD/zst" latest zstd
copy "oci:$WORLD/zst:latest" "docker://$R/zst:1"
refused "that has none for another image" "no signature exists" "$R/zst:1"

# --- dir: ---
skopeo --insecure-policy copy -q --sign-by alice@example.org --sign-identity "x.io/y:1" "oci:$WORLD/img:latest" "dir:$WORLD/signed"
skopeo --insecure-policy copy -q "oci:$WORLD/img:latest" "dir:$WORLD/unsigned"
for t in dir oci; do
	rules="$rules${rules:+,}\"$t\":{\"$WORLD\":[$(by alice '{"type":"exactReference","dockerReference":"x.io/y:1"}')]}"
done
echo '{"default":[{"type":"reject"}],"transports":{'"$rules"'}}' >"$WORLD/policy.json"
accepted "the signature of a dir: image, by the scope of its path" "dir:$WORLD/signed"
refused "a dir: image without one" "no signature exists" "dir:$WORLD/unsigned"
refused "an OCI layout never has one" "no signature exists" "oci:$WORLD/img:latest"
sed -i "s,\"$WORLD\":,\"$WORLD/sign\":," "$WORLD/policy.json"
refused "a path outside the scope" "is rejected by policy" "dir:$WORLD/signed"

# Above all an empty scope is none: it would be of all registries.
echo '{"default":[{"type":"reject"}]}' >"$WORLD/set.json"
for scope in "" "/x" "?x" "#x" "a b" "x.io/a b" " x.io" "$(printf 'x.io\t')" "$(printf 'x.io/\001')"; do
	is "trust set of no scope: '$scope'" "$(pod image trust set --policypath "$WORLD/set.json" -t accept "$scope" 2>&1; echo $?; jq -c . "$WORLD/set.json")" \
		"Error: invalid image uri: $(pod image trust set --policypath "$WORLD/set.json" -t accept "$scope" 2>&1 | sed 's/.*uri: //')
125
{\"default\":[{\"type\":\"reject\"}]}"
done
for scope in x.io X.io/Y x.io:5000/a '*.x.io' '[::1]:5000' x.io/a@sha256:00; do
	check "trust set of $scope" pod image trust set --policypath "$WORLD/set.json" -t accept "$scope"
done
is "are in the policy" "$(jq -c '.transports.docker | keys | length' "$WORLD/set.json")" 6

# --- as an ordinary user ---
if ordinary_user; then
	U=$WORLD/user
	mkdir -p "$U/.config/containers/registries.d" "$U/run"
	chmod 755 "$WORLD" "$WORLD/sigs" "$WORLD/sigs"/* "$WORLD/sigs"/*/* "$WORLD/img"
	cp "$WORLD/alice.gpg" "$WORLD/bob.gpg" "$U/"
	printf 'docker:\n  %s:\n    lookaside: file://%s/sigs\n' "$R" "$WORLD" >"$U/.config/containers/registries.d/a.yaml"
	policy "$R" "$(by user/alice)"
	cp "$WORLD/policy.json" "$U/.config/containers/policy.json"
	chown -R "$world_user" "$U"
	upod() { as_user env HOME="$U" XDG_RUNTIME_DIR="$U/run" "$BIN/pod" --root "$U/root" --runroot "$U/runroot" "$@"; }
	said=$(upod pull -q --tls-verify=false "$R/ns/app:1" 2>&1)
	check "an ordinary user's policy accepts: $said" test -n "$(upod images -q)"
	upod rmi -a -f >/dev/null 2>&1
	mv "$U/.config/containers/policy.json" "$U/kept.json"
	trust_env=(as_user env HOME="$U" XDG_RUNTIME_DIR="$U/run" XDG_CONFIG_HOME="$U/fresh/config" "$BIN/pod" image trust)
	is "a user's first trust set: $("${trust_env[@]}" set -t reject x.io/bad 2>&1)" "$(jq -c '.transports.docker["x.io/bad"][0].type, .default != null' "$U/fresh/config/containers/policy.json" | tr '\n' ' ')" '"reject" true '
	"${trust_env[@]}" set -t reject default
	is "a user's second one" "$("${trust_env[@]}" show -n | awk '{print $2, $3}' | grep -c -e '^default reject' -e '^x.io/bad reject')" 2
	mv "$U/kept.json" "$U/.config/containers/policy.json"
	sed -i 's/alice.gpg/bob.gpg/' "$U/.config/containers/policy.json"
	said=$(upod pull -q --tls-verify=false "$R/ns/app:1" 2>&1)
	check "and refuses" grep -q "Source image rejected" <<<"$said"
	upod system migrate >/dev/null 2>&1
else
	skip "an ordinary user's policy" "not root"
fi
finish
