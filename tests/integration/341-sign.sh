#!/bin/bash
# SPDX-License-Identifier: ISC
# Signatures made here are accepted by skopeo, and skopeo's here: simple ones and sigstore's; keys, certificates, logs.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

for tool in docker-registry skopeo gpg openssl; do
	command -v $tool >/dev/null || {
		skip "signing" "$tool is not installed"
		finish
	}
done
world
export HOME=$WORLD/home GNUPGHOME=$WORLD/gpg
unset XDG_CONFIG_HOME
at_end() { gpgconf --kill all 2>/dev/null; }
conf=$HOME/.config/containers
mkdir -p "$conf/registries.d"
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key alice@example.org default default never 2>/dev/null
gpg --batch --quiet --pinentry-mode loopback --passphrase open --quick-gen-key locked@example.org default default never 2>/dev/null
gpg --export alice@example.org >"$WORLD/alice.gpg"
gpg --export locked@example.org >"$WORLD/locked.gpg"
registry_http_start
R=$REGISTRY_HTTP
printf 'docker:\n  %s:\n    lookaside: file://%s/sigs\n    use-sigstore-attachments: true\n' "$R" "$WORLD" >"$conf/registries.d/test.yaml"
busybox_image localhost/app >/dev/null
sk() { skopeo --registries.d "$conf/registries.d" "$@"; }
policy() { echo '{"default":[{"type":"reject"}],"transports":{"docker":{"'"$R"'":['"$1"']}}}' >"$WORLD/policy.json"; }
# theirs/ours TEXT IMAGE: accepted under the policy by skopeo, or by pod
theirs() {
	local said
	rm -rf "$WORLD/out"
	said=$(sk --policy "$WORLD/policy.json" copy -q --src-tls-verify=false "docker://$2" "dir:$WORLD/out" 2>&1) && ok "$1" || not_ok "$1: $said"
}
pull() { pod pull -q --tls-verify=false --signature-policy "$WORLD/policy.json" "$1" 2>&1; }
ours() {
	local said
	said=$(pull "$2") && ok "$1" || not_ok "$1: $said"
}
refused() { # TEXT WORDS IMAGE
	local said
	said=$(pull "$3")
	if [ $? = 125 ] && [[ $said == *"$2"* ]]; then ok "$1"; else not_ok "$1: $said"; fi
}
push() { pod push -q --tls-verify=false "$@"; }

# --- simple signatures ---
policy '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/alice.gpg"'"}'
check "push --sign-by" push --sign-by alice@example.org localhost/app "$R/app:1"
ours "is accepted here" "$R/app:1"
theirs "and by skopeo" "$R/app:1"
gpg --batch --quiet --passphrase '' --quick-gen-key k@e.org default default never 2>/dev/null
check "by a word shorter than a key's ID" push --sign-by k@e.org localhost/app "dir:$WORLD/short"
check "the signature is there" test -s "$WORLD/short/signature-1"
is "a short word that means several" "$(push --sign-by e localhost/app "dir:$WORLD/short2" 2>&1 | grep -c 'no secret key "e": ')" 1
check "push without a signature" push localhost/app "$R/app:2"
refused "the signature holds for one name" "is not accepted" "$R/app:2"
check "push of the same with its own" push --sign-by alice@example.org localhost/app "$R/app:2"
theirs "makes a second signature for the manifest" "$R/app:2"
theirs "the first one stays" "$R/app:1"
# pod-image alone does the same.
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
copies() { image copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
check "copy --sign-by" copies --remove-signatures --sign-by alice@example.org "docker://$R/app:1" "docker://$R/copied:1"
ours "its signature is accepted here" "$R/copied:1"
theirs "and by skopeo" "$R/copied:1"
check "copy --sign-identity" copies --remove-signatures --sign-by alice@example.org --sign-identity "$R/renamed:1" "docker://$R/app:1" "dir:$WORLD/for"
is "signs for that name" "$(gpg --decrypt "$WORLD/for/signature-1" 2>/dev/null | jq -r '.critical.identity."docker-reference"')" "$R/renamed:1"
mkdir -p "$WORLD/tree/$R/synced" && copies --remove-signatures "docker://$R/app:1" "dir:$WORLD/tree/$R/synced:1"
check "sync --sign-by" image sync -q --src dir --dest docker --dest-tls-verify=false --sign-by alice@example.org "$WORLD/tree" "$R/tree"
theirs "signs each image" "$R/tree/synced:1"
# The passphrase is read once, and contradictions are found before anything is copied.
cp -r "$WORLD/tree/$R/synced:1" "$WORLD/tree/$R/synced:2"
echo open >"$WORLD/pass"
image generate-sigstore-key --output-prefix "$WORLD/sync" --passphrase-file "$WORLD/pass" >/dev/null || not_ok "a key for sync"
check "sync with a passphrase out of a pipe signs all images" image sync -q --src dir --dest docker --dest-tls-verify=false \
	--sign-by-sigstore-private-key "$WORLD/sync.private" --sign-passphrase-file /dev/stdin "$WORLD/tree" "$R/pair" < <(cat "$WORLD/pass")
said=$(image sync -q --src dir --dest docker --sign-by-sigstore x --sign-by-sigstore-private-key y --keep-going "$WORLD/tree" "$R/none" 2>&1)
is "sync: contradictions are said once" "$? $said" "125 Error: only one of --sign-by-sigstore and --sign-by-sigstore-private-key can be used"
said=$(copies --sign-by alice@example.org "docker://$R/app:1" containers-storage:localhost/signed 2>&1)
check "a copy into the store is not signed" grep -q 'the store does not sign' <<<"$said"
# A manifest that is a file, with skopeo on the other side.
copies --remove-signatures "docker://$R/app:1" "dir:$WORLD/alone" || not_ok "a manifest"
m=$WORLD/alone/manifest.json
check "standalone-sign" image standalone-sign -o "$WORLD/ours.sig" "$m" "$R/app:1" alice@example.org
fingerprint=$(gpg --list-keys --with-colons alice@example.org | awk -F: '$1 == "fpr" { print $10; exit }')
is "skopeo verifies it" "$(skopeo standalone-verify "$m" "$R/app:1" "$fingerprint" "$WORLD/ours.sig" 2>&1 | grep -c '^Signature verified')" 1
skopeo standalone-sign -o "$WORLD/theirs.sig" "$m" "$R/app:1" alice@example.org 2>/dev/null
verify() { image standalone-verify --public-key-file "$WORLD/$1.gpg" "$m" "$2" any "$WORLD/$3.sig" 2>&1; }
for who in ours theirs; do
	is "standalone-verify of $who" "$(verify alice "$R/app:1" $who)" "Signature verified, digest $(image manifest-digest "$m")"
	is "of $who: not for another name" "$(verify alice "$R/app:2" $who | grep -c '^Error: verifying signature: ')" 1
	is "of $who: not with another key" "$(verify locked "$R/app:1" $who | grep -c '^Error: verifying signature: ')" 1
done
echo >>"$m"
is "nor of another manifest" "$(verify alice "$R/app:1" ours | grep -c '^Error: verifying signature: ')" 1
is "a key that is not there" "$(image standalone-sign -o "$WORLD/none.sig" "$m" "$R/app:1" nobody@example.org 2>&1 | grep -c '^Error: creating signature: .*no secret key'; ls "$WORLD/none.sig" 2>/dev/null)" 1
is "fingerprints are not taken" "$(image standalone-verify "$m" "$R/app:1" "$fingerprint" "$WORLD/ours.sig" 2>&1 | grep -c 'public-key-file')" 1
said=$(push --sign-by nobody@example.org localhost/app "$R/app:3" 2>&1)
check "an unknown key" grep -q "no secret key" <<<"$said"
echo open >"$WORLD/pass"
echo wrong >"$WORLD/wrong"
policy '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/locked.gpg"'"}'
gpgconf --kill gpg-agent
check "a wrong passphrase fails" bash -c "! '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' push -q --tls-verify=false \
	--sign-by locked@example.org --sign-passphrase-file '$WORLD/wrong' localhost/app '$R/app:4' 2>/dev/null"
check "a key with a passphrase" push --sign-by locked@example.org --sign-passphrase-file "$WORLD/pass" localhost/app "$R/app:4"
theirs "is accepted by skopeo" "$R/app:4"
mkdir -p "$WORLD/dir"
check "push to a directory" push --remove-signatures --sign-by alice@example.org localhost/app "dir:$WORLD/dir"
check "leaves signature-1" test -f "$WORLD/dir/signature-1"
digest=$(skopeo manifest-digest "$WORLD/dir/manifest.json")
is "which skopeo standalone-verify accepts" "$(skopeo standalone-verify "$WORLD/dir/manifest.json" localhost/app:latest \
	"$(gpg --list-keys --with-colons alice@example.org | awk -F: '$1 == "fpr" { print $10; exit }')" "$WORLD/dir/signature-1" 2>&1)" \
	"Signature verified, digest $digest"
said=$(push --sign-by alice@example.org localhost/app "oci:$WORLD/oci" 2>&1)
check "what cannot keep signatures is refused" grep -q "it keeps no signatures" <<<"$said"

# --- images that are there already ---
R2=$R/later
check "push without a signature" push localhost/app "$R2:1"
policy '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/alice.gpg"'"}'
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$R" >"$conf/registries.conf"
layout_index "$WORLD/idx" latest
skopeo --insecure-policy copy -q --all --dest-tls-verify=false "oci:$WORLD/idx:latest" "docker://$R/multi:1"
check "image sign" pod image sign --sign-by alice@example.org "docker://$R2:1"
theirs "skopeo accepts it" "$R2:1"
check "image sign --all" pod image sign -a --sign-by alice@example.org "docker://$R/multi:1"
theirs "for every image of an index" "$R/multi:1"
ours "here too" "$R/multi:1"
check "image sign --directory" pod image sign -d "$WORLD/elsewhere" --sign-by alice@example.org "docker://$R2:1"
is "puts it there" "$(find "$WORLD/elsewhere" -type f -printf '%f')" signature-1
said=$(pod image sign "docker://$R2:1" 2>&1)
is "without a key" "$said" "Error: no identity provided"

# --- sigstore signatures ---
image() { "$BIN/pod-image" "$@"; }
quiet_ok() { "$@" >/dev/null; }
check "a pair of keys" quiet_ok image generate-sigstore-key --output-prefix "$WORLD/key" --passphrase-file "$WORLD/pass"
said=$(image generate-sigstore-key --output-prefix "$WORLD/key" --passphrase-file "$WORLD/pass" 2>&1)
check "is not overwritten" grep -q "Refusing to overwrite" <<<"$said"
policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/key.pub"'"}'
refused "before there is a signature" "no sigstore signature exists" "$R/app:1"
check "push --sign-by-sigstore-private-key" push --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" localhost/app "$R/sig:1"
ours "is accepted here" "$R/sig:1"
# Debian's skopeo has sigstore taken out, so openssl says whether the signature is one.
sig_tag() { skopeo manifest-digest <(skopeo inspect --raw --tls-verify=false "docker://$R/$1") | tr : - | sed 's/$/.sig/'; }
fetch() { curl -s -H "Accept: application/vnd.oci.image.manifest.v1+json" "http://$R/v2/$1"; }
valid() { # NAME:TAG N: the Nth attached signature, by openssl
	local m
	m=$(fetch "${1%:*}/manifests/$(sig_tag "$1")")
	fetch "${1%:*}/blobs/$(jq -r ".layers[$2].digest" <<<"$m")" >"$WORLD/payload"
	jq -r ".layers[$2].annotations[\"dev.cosignproject.cosign/signature\"]" <<<"$m" | base64 -d >"$WORLD/signature"
	openssl dgst -sha256 -verify "$WORLD/key.pub" -signature "$WORLD/signature" "$WORLD/payload" >/dev/null 2>&1
}
check "openssl says that it is one" valid sig:1 0
is "its payload names the image" "$(jq -r '.critical.identity["docker-reference"], .critical.type' "$WORLD/payload" | tr '\n' '|')" \
	"$R/sig:1|cosign container image signature|"
check "a second name" push --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" localhost/app "$R/sig:2"
check "is a second layer beside the first" valid sig:2 1
ours "which stays" "$R/sig:1"
ours "both hold" "$R/sig:2"
layout "$WORLD/img" latest gzip
# A signature in the form that cosign and skopeo write, made without us.
# foreign NAME TAG DIGEST KEY ANNOTATIONS: puts it beside the image
blob() { # NAME FILE: uploads a blob; prints its digest
	local d url
	d=sha256:$(sha256sum "$2" | cut -d' ' -f1)
	url=$(curl -s -D - -o /dev/null -X POST "http://$R/v2/$1/blobs/uploads/" | tr -d '\r' | awk 'tolower($1) == "location:" { print $2 }')
	curl -s -o /dev/null -X PUT -H "Content-Type: application/octet-stream" --data-binary "@$2" "$url&digest=$d"
	echo "$d"
}
foreign() {
	local name=$1 tag=$2 digest=$3 key=$4 more=${5:-\{\}} d c
	printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' \
		"$R/$name:$tag" "$digest" >"$WORLD/p.json"
	openssl dgst -sha256 -sign "$key" -out "$WORLD/p.sig" "$WORLD/p.json"
	echo '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' >"$WORLD/c.json"
	d=$(blob "$name" "$WORLD/p.json") c=$(blob "$name" "$WORLD/c.json")
	jq -n --arg d "$d" --arg c "$c" --argjson n "$(stat -c %s "$WORLD/p.json")" --argjson cn "$(stat -c %s "$WORLD/c.json")" \
		--arg s "$(base64 -w0 "$WORLD/p.sig")" --argjson more "$more" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", size: $cn, digest: $c},
		layers: [{mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", size: $n, digest: $d,
		annotations: ({"dev.cosignproject.cosign/signature": $s} + $more)}]}' >"$WORLD/m.json"
	curl -s -o /dev/null -X PUT -H "Content-Type: application/vnd.oci.image.manifest.v1+json" --data-binary "@$WORLD/m.json" \
		"http://$R/v2/$name/manifests/${digest/:/-}.sig"
}
openssl ecparam -name prime256v1 -genkey -noout -out "$WORLD/f.pem" 2>/dev/null
openssl ec -in "$WORLD/f.pem" -pubout -out "$WORLD/f.pub" 2>/dev/null
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$WORLD/img:latest" "docker://$R/their:1"
foreign their 1 "$LAYOUT_DIGEST" "$WORLD/f.pem"
policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/f.pub"'"}'
ours "a signature made by openssl" "$R/their:1"
openssl genrsa -out "$WORLD/r.pem" 2048 2>/dev/null
openssl rsa -in "$WORLD/r.pem" -pubout -out "$WORLD/r.pub" 2>/dev/null
foreign their 1 "$LAYOUT_DIGEST" "$WORLD/r.pem"
policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/r.pub"'"}'
ours "one by an RSA key" "$R/their:1"

# --- certificates and the log ---
cat >"$WORLD/leaf.ext" <<EXT
subjectAltName=email:dev@example.org
extendedKeyUsage=codeSigning
keyUsage=digitalSignature
1.3.6.1.4.1.57264.1.1=DER:$(printf https://issuer.example.org | od -An -tx1 | tr -d ' \n')
EXT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=authority" -keyout "$WORLD/ca.key" -out "$WORLD/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=leaf" -keyout "$WORLD/leaf.key" -out "$WORLD/leaf.csr" 2>/dev/null
openssl x509 -req -in "$WORLD/leaf.csr" -CA "$WORLD/ca.pem" -CAkey "$WORLD/ca.key" -CAcreateserial -days 1 -extfile "$WORLD/leaf.ext" -out "$WORLD/leaf.pem" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$WORLD/rekor.pem" 2>/dev/null
openssl ec -in "$WORLD/rekor.pem" -pubout -out "$WORLD/rekor.pub" 2>/dev/null
# entry FILE-OF-KEY TIME: the log's promise for p.json and p.sig
entry() {
	local body
	body=$(jq -cn --arg h "$(sha256sum "$WORLD/p.json" | cut -d' ' -f1)" --arg s "$(base64 -w0 "$WORLD/p.sig")" --arg k "$(base64 -w0 "$1")" \
		'{apiVersion: "0.0.1", kind: "hashedrekord", spec: {data: {hash: {algorithm: "sha256", value: $h}}, signature: {content: $s, publicKey: {content: $k}}}}' | base64 -w0)
	printf '{"body":"%s","integratedTime":%s,"logID":"abc","logIndex":7}' "$body" "$2" >"$WORLD/entry"
	jq -c --arg s "$(openssl dgst -sha256 -sign "$WORLD/rekor.pem" "$WORLD/entry" | base64 -w0)" '{SignedEntryTimestamp: $s, Payload: .}' "$WORLD/entry"
}
annotations() { jq -n --rawfile c "$WORLD/leaf.pem" --arg b "$1" '{"dev.sigstore.cosign/certificate": $c, "dev.sigstore.cosign/bundle": $b}'; }
foreign their 1 "$LAYOUT_DIGEST" "$WORLD/leaf.key" "$(jq -n --rawfile c "$WORLD/leaf.pem" '{"dev.sigstore.cosign/certificate": $c}')"
pki() { policy '{"type":"sigstoreSigned","pki":{"caRootsPath":"'"$WORLD/$1"'","subjectEmail":"'"$2"'"}}'; }
pki ca.pem dev@example.org
ours "a certificate of an authority of one's own" "$R/their:1"
pki ca.pem other@example.org
refused "for somebody else" 'Required email "other@example.org" not found' "$R/their:1"
pki rekor.pub dev@example.org
refused "an authority that is none" "no certificates found" "$R/their:1"
cp "$REGISTRY_CERTS/ca.crt" "$WORLD/else.pem" 2>/dev/null || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=else" -keyout /dev/null -out "$WORLD/else.pem" 2>/dev/null
pki else.pem dev@example.org
refused "another authority" "verifying leaf certificate failed" "$R/their:1"
fulcio() {
	policy '{"type":"sigstoreSigned","fulcio":{"caPath":"'"$WORLD/ca.pem"'","oidcIssuer":"'"$1"'","subjectEmail":"dev@example.org"},
		"rekorPublicKeyPath":"'"$WORLD/rekor.pub"'"}'
}
fulcio https://issuer.example.org
refused "Fulcio needs the log" "missing dev.sigstore.cosign/bundle annotation" "$R/their:1"
# The signature is made anew each time, so the entry is made for the one that is put there.
foreign_logged() { # FILE-OF-KEY TIME
	foreign their 1 "$LAYOUT_DIGEST" "$WORLD/leaf.key"
	local more
	more=$(annotations "$(entry "$1" "$2")")
	jq --argjson more "$more" '.layers[0].annotations += $more' "$WORLD/m.json" >"$WORLD/m2.json"
	curl -s -o /dev/null -X PUT -H "Content-Type: application/vnd.oci.image.manifest.v1+json" --data-binary "@$WORLD/m2.json" \
		"http://$R/v2/their/manifests/${LAYOUT_DIGEST/:/-}.sig"
}
foreign_logged "$WORLD/leaf.pem" "$(date +%s)"
ours "a certificate of Fulcio with the log's promise" "$R/their:1"
fulcio https://evil.example.org
refused "from another issuer" "Unexpected Fulcio OIDC issuer" "$R/their:1"
fulcio https://issuer.example.org
foreign_logged "$WORLD/leaf.pem" $(($(date +%s) + 1000000))
refused "used when it was no longer valid" "certificate has expired" "$R/their:1"
foreign_logged "$WORLD/f.pub" "$(date +%s)"
refused "an entry for another key" "publicKey in Rekor SET does not match" "$R/their:1"
openssl ecparam -name prime256v1 -genkey -noout -out "$WORLD/rekor.pem" 2>/dev/null
foreign_logged "$WORLD/leaf.pem" "$(date +%s)"
refused "a promise by another log" "Rekor SET failed" "$R/their:1"
policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/key.pub"'"}'
said=$(push --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/wrong" localhost/app "$R/sig:3" 2>&1)
check "a wrong passphrase" grep -q "wrong passphrase" <<<"$said"
printf 'privateKeyFile: %s\nprivateKeyPassphraseFile: %s\n' "$WORLD/key.private" "$WORLD/pass" >"$WORLD/params.yaml"
check "push --sign-by-sigstore" push --sign-by-sigstore "$WORLD/params.yaml" localhost/app "$R/sig:4"
ours "a parameter file" "$R/sig:4"
printf 'rekorURL: https://rekor.example.org\n' >>"$WORLD/params.yaml"
said=$(push --sign-by-sigstore "$WORLD/params.yaml" localhost/app "$R/sig:5" 2>&1)
check "logs are not written to" grep -q "Rekor is not supported" <<<"$said"
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl ec -pubout >"$WORLD/other.pub" 2>/dev/null
policy '{"type":"sigstoreSigned","keyPath":"'"$WORLD/other.pub"'"}'
refused "another key" "cryptographic signature verification failed" "$R/sig:1"
policy '{"type":"sigstoreSigned","keyPaths":["'"$WORLD/other.pub"'","'"$WORLD/key.pub"'"]}'
ours "one of several keys" "$R/sig:1"
echo '{"default":[{"type":"reject"}],"transports":{"dir":{"":[{"type":"sigstoreSigned","keyPath":"'"$WORLD/key.pub"'",
	"signedIdentity":{"type":"exactReference","dockerReference":"localhost/app:latest"}}]}}}' >"$WORLD/policy.json"
check "ours in a directory" push --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" localhost/app "dir:$WORLD/dir2"
ours "is accepted" "dir:$WORLD/dir2"
printf 'docker:\n  %s:\n    lookaside: file://%s/sigs\n' "$R" "$WORLD" >"$conf/registries.d/test.yaml"
said=$(push --sign-by-sigstore-private-key "$WORLD/key.private" --sign-passphrase-file "$WORLD/pass" localhost/app "$R/sig:6" 2>&1)
check "attached signatures must be allowed" grep -q "use-sigstore-attachments" <<<"$said"

# --- trust set and show ---
cp "$WORLD/policy.json" "$WORLD/p"
pod image trust set --signature-policy "$WORLD/p" -t reject default
pod image trust set --signature-policy "$WORLD/p" -f "$WORLD/alice.gpg" "$R"
is "trust set writes what pull reads" "$(jq -c '[.default[0].type, .transports.docker["'"$R"'"][0]]' "$WORLD/p")" \
	'["reject",{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/alice.gpg"'"}]'
cp "$WORLD/p" "$WORLD/policy.json"
ours "so it is" "$R/app:1"
is "trust show" "$(pod image trust show -n --signature-policy "$WORLD/p" | tr -s ' ' | grep repository)" \
	"repository $R signed alice@example.org file://$WORLD/sigs"
is "as JSON" "$(pod image trust show --json --signature-policy "$WORLD/p" | jq -r '.[] | select(.gpg_id).gpg_id' | sort | tr '\n' ' ')" "N/A alice@example.org "
check "--raw" cmp -s <(pod image trust show --raw --signature-policy "$WORLD/p") <(cat "$WORLD/p"; echo)
said=$(pod image trust set --signature-policy "$WORLD/p" -t sigstoreSigned x.io 2>&1)
echo '{}' >"$WORLD/nothing"
is "a rule beside no default" "$(pod image trust set --signature-policy "$WORLD/nothing" -t reject x.io 2>&1)" "Error: default trust policy must be set"
is "is not written" "$(cat "$WORLD/nothing")" "{}"
is "a rule without a key" "$said" "Error: at least one public key must be defined for type 'sigstoreSigned'"
finish
