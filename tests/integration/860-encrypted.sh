#!/bin/bash
# SPDX-License-Identifier: ISC
# Encrypted layers, with skopeo on the other side: keys by JWE (RSA, EC), PKCS #7 and OpenPGP; and what must not be read.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

for tool in docker-registry skopeo openssl jq gpg; do
	command -v $tool >/dev/null || {
		skip "encrypted images" "$tool is not installed"
		finish
	}
done
world
registry_http_start
R=$REGISTRY_HTTP K=$WORLD/k
mkdir "$K"
openssl genrsa -out "$K/rsa.pem" 2048 2>/dev/null
openssl rsa -in "$K/rsa.pem" -pubout -out "$K/rsa.pub" 2>/dev/null
openssl pkcs8 -topk8 -in "$K/rsa.pem" -out "$K/shut.pem" -passout pass:Open-9 2>/dev/null
openssl req -x509 -key "$K/rsa.pem" -subj "/CN=reader" -days 2 -out "$K/rsa.crt" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$K/ec.pem"
openssl pkcs8 -topk8 -nocrypt -in "$K/ec.pem" -out "$K/ec8.pem" # skopeo reads no other form
openssl ec -in "$K/ec.pem" -pubout -out "$K/ec.pub" 2>/dev/null
openssl genrsa -out "$K/other.pem" 2048 2>/dev/null
printf 'Open-9\n' >"$K/passphrase"
chmod -R a+rX "$K"
layout "$WORLD/img" latest gzip
copy() { skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
pull() { pod pull -q --tls-verify=false "$@"; }
layers() { jq -c '[.layers[] | [.mediaType, .digest, (.annotations // {} | length)]]' "$1/manifest.json"; }
plain=$(jq -c '[.layers[] | [.mediaType, .digest, 0]]' "$WORLD/img/blobs/sha256/${LAYOUT_DIGEST#sha256:}")
image() { copy "$@" "oci:$WORLD/img:latest" "docker://$R/${name:?}:1"; }
name=jwe image --encryption-key "jwe:$K/rsa.pub"
name=ec image --encryption-key "jwe:$K/ec.pub"
name=pkcs7 image --encryption-key "pkcs7:$K/rsa.crt"
name=many image --encryption-key "jwe:$K/ec.pub" --encryption-key "jwe:$K/rsa.pub"
export GNUPGHOME=$WORLD/gpg
mkdir -m 700 "$GNUPGHOME"
at_end() { gpgconf --kill all 2>/dev/null; }
for who in open shut; do
	printf '%s\n' "Key-Type: RSA" "Key-Length: 2048" "Subkey-Type: RSA" "Subkey-Length: 2048" "Name-Email: $who@example.org" \
		"$([ $who = open ] && echo %no-protection || echo Passphrase: Open-9)" %commit | gpg --batch --quiet --gen-key 2>/dev/null
	gpg --batch --pinentry-mode loopback --passphrase Open-9 --export-secret-keys "$who@example.org" >"$K/$who.gpg" 2>/dev/null
done
gpg --batch --export open@example.org >"$K/open.pub"
chmod a+r "$K"/*.gpg "$K/open.pub"
name=pgp image --encryption-key pgp:open@example.org --encryption-key pgp:shut@example.org
name=top image --encryption-key "jwe:$K/rsa.pub" --encrypt-layer -1

# --- What skopeo encrypted

opened() { # TEXT IMAGE KEY...
	local text=$1 image=$2 said
	shift 2
	pod rmi -a -f >/dev/null 2>&1
	rm -rf "$WORLD/out"
	said=$(pull "$@" "$image" 2>&1 >/dev/null) && pod push -q "$image" "dir:$WORLD/out" 2>/dev/null
	is "$text" "$said$(layers "$WORLD/out")" "$plain"
}
opened "RSA key" "$R/jwe:1" --decryption-key "$K/rsa.pem"
is "and it runs" "$(pod run --rm --net none --pull never "$R/jwe:1" cat /opt/second 2>&1)" "second layer $(layout_machine)"
opened "EC key" "$R/ec:1" --decryption-key "$K/ec.pem"
opened "certificate, and it may be given too" "$R/pkcs7:1" --decryption-key "$K/rsa.crt" --decryption-key "$K/rsa.pem"
opened "OpenPGP" "$R/pgp:1" --decryption-key "$K/open.gpg"
opened "OpenPGP, the other recipient, whose key has a passphrase" "$R/pgp:1" --decryption-key "$K/shut.gpg:Open-9"
opened "one of two recipients" "$R/many:1" --decryption-key "$K/rsa.pem"
opened "the other, among keys that do not fit" "$R/many:1" --decryption-key "$K/other.pem" --decryption-key "$K/ec.pem"
opened "one layer of two" "$R/top:1" --decryption-key "$K/rsa.pem"
for how in Open-9 pass=Open-9 "file=$K/passphrase"; do
	opened "key with a passphrase, ${how%%/*}" "$R/jwe:1" --decryption-key "$K/shut.pem:$how"
done
pod rmi -a -f >/dev/null 2>&1
opened "to pull it again" "$R/many:1" --decryption-key "$K/ec.pem"
# What the registry could send but the manifest is out of its reach.
aside() { skopeo inspect --raw --tls-verify=false "docker://$R/many:1" | jq -r '(.config, .layers[]).digest[7:]' | while read -r hex; do
	mv "$WORLD/registry-http/data/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/$1" "$WORLD/registry-http/data/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/$2"; done; }
aside data aside
is "is said as of others, and fetches nothing" "$(pod pull --tls-verify=false --decryption-key "$K/ec.pem" "$R/many:1" 2>&1 | grep -c 'skipped: already exists\|^[0-9a-f]\{64\}$')" 3
is "but not without the key" "$(pod pull -q --tls-verify=false "$R/many:1" 2>&1 | grep -c .)" 1
is "nor with another" "$(pod pull -q --tls-verify=false --decryption-key "$K/other.pem" "$R/many:1" 2>&1 | grep -c '^Error')" 1
aside aside data
is "which says why" "$(pod pull -q --tls-verify=false "$R/many:1" 2>&1 | grep -c 'missing private key')" 1
pod rmi -a -f >/dev/null 2>&1
is "run pulls with the key" "$(pod run --rm --net none --tls-verify=false -q --decryption-key "$K/rsa.pem" \
	"$R/jwe:1" cat /opt/second 2>&1)" "second layer $(layout_machine)"
pod rmi -a -f >/dev/null 2>&1
is "and so does create" "$(pod create -q --tls-verify=false --decryption-key "$K/shut.pem:fd=7" \
	--name holder "$R/jwe:1" true 7<"$K/passphrase" 2>&1 | grep -c '^[0-9a-f]\{64\}$')" 1
pod rm -f holder >/dev/null

pod rmi -a -f >/dev/null 2>&1
pull --decryption-key "$K/rsa.pem" "$R/jwe:1" >/dev/null
is "--policy newer takes the one that is there" "$(pod pull --tls-verify=false --policy newer "$R/jwe:1" 2>&1 | grep -c 'Copying blob')" 0
copy "oci:$WORLD/img:latest" "docker://$R/turn:1"
pull "$R/turn:1" >/dev/null
name=turn image --encryption-key "jwe:$K/rsa.pub"
is "and fetches another" "$(pod pull --tls-verify=false --policy newer --decryption-key "$K/rsa.pem" "$R/turn:1" 2>&1 | grep -c '^Copying blob sha256')" 2

# --- Artifacts, of what skopeo encrypts: layers of tar

echo payload >"$WORLD/f"
tar -C "$WORLD" -cf "$WORLD/f.tar" f
art() { pod artifact "$@"; }
art add --file-type application/vnd.oci.image.layer.v1.tar "$R/art:plain" "$WORLD/f.tar" >/dev/null
art push -q --tls-verify=false "$R/art:plain" >/dev/null
copy --encryption-key "jwe:$K/rsa.pub" "docker://$R/art:plain" "docker://$R/art:1"
art_fails() { # TEXT WORDS OPTION...
	local said=$(art pull -q --tls-verify=false "${@:3}" "$R/art:1" 2>&1)
	[[ $said == *"$2"* ]] && [ "$(art ls -q | wc -l)" = 1 ] && ok "artifact: $1" || not_ok "artifact: $1: $said"
}
art_fails "another key" "none of the private keys" --decryption-key "$K/other.pem"
art_fails "a wrong passphrase" "wrong passphrase" --decryption-key "$K/shut.pem:no"
is "artifact pull --decryption-key" "$(art pull -q --tls-verify=false --decryption-key "$K/shut.pem:Open-9" "$R/art:1" >/dev/null; art extract "$R/art:1" "$WORLD/got.tar"; cmp "$WORLD/got.tar" "$WORLD/f.tar" && echo same)" same
was=$(art inspect "$R/art:plain" | jq -r .Digest)
art rm -a >/dev/null
is "a plain one stays what it was, with a key too" "$(art pull -q --tls-verify=false --decryption-key "$K/rsa.pem" "$R/art:plain")" "${was#sha256:}"
art rm -a >/dev/null

# --- What cannot be read leaves nothing

refused() { # TEXT WORDS IMAGE KEY...
	local text=$1 words=$2 image=$3 said st
	shift 3
	pod rmi -a -f >/dev/null 2>&1
	said=$(pull "$@" "$image" 2>&1)
	st=$?
	if [ $st = 125 ] && [[ $said == *"$words"* ]] && [ "$(grep -c Error <<<"$said")" = 1 ] &&
		[ -z "$(pod images -aq)" ] && nothing_in "$ROOT/layers" "$ROOT/tmp"; then
		ok "$text"
	else
		not_ok "$text: $st: $said $(ls "$ROOT/layers" "$ROOT/tmp")"
	fi
}
refused "no key" "missing private key needed for decryption" "$R/jwe:1"
refused "another key" "none of the private keys could be used" "$R/jwe:1" --decryption-key "$K/other.pem"
refused "another key of another kind" "none of the private keys" "$R/ec:1" --decryption-key "$K/rsa.pem"
refused "another key for a certificate" "none of the private keys" "$R/pkcs7:1" --decryption-key "$K/other.pem"
refused "only a certificate" "missing private key" "$R/pkcs7:1" --decryption-key "$K/rsa.crt"
refused "a wrong passphrase" "wrong passphrase" "$R/jwe:1" --decryption-key "$K/shut.pem:no"
refused "no passphrase" "no passphrase was given" "$R/jwe:1" --decryption-key "$K/shut.pem"
refused "OpenPGP, another key" "none of the private keys" "$R/jwe:1" --decryption-key "$K/open.gpg"
refused "OpenPGP, a wrong passphrase" "wrong passphrase" "$R/pgp:1" --decryption-key "$K/shut.gpg:no"
refused "OpenPGP, no passphrase" "no passphrase was given" "$R/pgp:1" --decryption-key "$K/shut.gpg"
head -c 500 "$K/open.gpg" >"$K/cut.gpg"
refused "OpenPGP, half a key" "holds no RSA key" "$R/pgp:1" --decryption-key "$K/cut.gpg"
refused "a provider" "provider: is not supported" "$R/pgp:1" --decryption-key provider:x
refused "a key that is none" "is no private key" "$R/jwe:1" --decryption-key "$K/passphrase"
refused "a key that is not there" "nosuch.pem: no such file" "$R/jwe:1" --decryption-key "$K/nosuch.pem"

copy "docker://$R/jwe:1" "dir:$WORLD/sealed"
# changed NAME JQ [OFFSET]: the encrypted image with another manifest; with OFFSET its second layer differs there
changed() {
	local d=$WORLD/$1 hex new size
	cp -a "$WORLD/sealed" "$d"
	hex=$(jq -r '.layers[1].digest[7:]' "$d/manifest.json") new=$hex
	if [ $# = 3 ]; then
		size=$(stat -c %s "$d/$hex")
		perl -e 'open(F, "+<", $ARGV[0]); seek(F, $ARGV[1], 0); read(F, $c, 1); seek(F, $ARGV[1], 0);
			print F chr(ord($c) ^ 1)' "$d/$hex" $(($3 < 0 ? size + $3 : $3))
		new=$(sha256sum "$d/$hex" | cut -d' ' -f1)
		mv "$d/$hex" "$d/$new"
	fi
	jq -c --arg d "sha256:$new" ".layers[1].digest = \$d | $2" "$d/manifest.json" >"$d/m" && mv "$d/m" "$d/manifest.json"
}
N=org.opencontainers.image.enc
key="--decryption-key $K/rsa.pem"
changed begin . 0
changed middle . 60
changed end . -1
changed swapped ".layers[1].annotations[\"$N.pubopts\"] = .layers[0].annotations[\"$N.pubopts\"]"
changed keys ".layers[1].annotations[\"$N.keys.jwe\"] = .layers[0].annotations[\"$N.keys.jwe\"]"
changed text ".layers[1].annotations[\"$N.keys.jwe\"] = \"e30=\""
changed junk ".layers[1].annotations[\"$N.keys.jwe\"] = \"@@\""
changed none ".layers[1].annotations = {}"
changed cipher ".layers[1].annotations[\"$N.pubopts\"] = \"eyJjaXBoZXIiOiJST1QxMyIsImhtYWMiOiIifQ==\""
changed box ".layers[1].annotations[\"$N.keys.jwe\"] |=
	(@base64d | fromjson | .tag = \"AAAAAAAAAAAAAAAAAAAAAA\" | tojson | @base64)"
for at in begin middle end swapped; do
	refused "changed: $at" "its HMAC is not the one" "dir:$WORLD/$at" $key
done
refused "the keys of another layer" "its HMAC is not the one" "dir:$WORLD/keys" $key
refused "a box without anything" "keys.jwe" "dir:$WORLD/text" $key
refused "a box that is no base64" "keys.jwe is no base64" "dir:$WORLD/junk" $key
refused "no annotations" "it is encrypted for nobody" "dir:$WORLD/none" $key
refused "an unknown cipher" "unsupported cipher type: ROT13" "dir:$WORLD/cipher" $key
refused "a box with another tag" "none of the private keys" "dir:$WORLD/box" $key
# A message of OpenPGP with one byte changed, at its begin, among its recipients, in its text and its digest.
copy "docker://$R/pgp:1" "dir:$WORLD/message"
jq -r ".layers[1].annotations[\"$N.keys.pgp\"]" "$WORLD/message/manifest.json" | base64 -d >"$WORLD/message.gpg"
n=$(stat -c %s "$WORLD/message.gpg")
for at in 0 20 300 $((n - 60)) $((n - 5)); do
	cp -a "$WORLD/message" "$WORLD/message.$at"
	perl -e 'local $/; my $m = <STDIN>; substr($m, $ARGV[0], 1) ^= "\x01"; print $m' "$at" <"$WORLD/message.gpg" | base64 -w 0 >"$WORLD/note"
	jq -c --rawfile m "$WORLD/note" ".layers[1].annotations[\"$N.keys.pgp\"] = \$m" "$WORLD/message/manifest.json" >"$WORLD/message.$at/manifest.json"
	# The first recipient is open, the second shut.
	refused "OpenPGP, changed at $at of $n" "decrypting layer" "dir:$WORLD/message.$at" --decryption-key "$K/$([ "$at" -lt 100 ] && echo open.gpg || echo shut.gpg:Open-9)"
done
hex=$(jq -r '.layers[1].digest[7:]' "$WORLD/sealed/manifest.json")
printf x >>"$WORLD/sealed/$hex"
refused "a blob that is not what the manifest says" "digest mismatch" "dir:$WORLD/sealed" $key

# --- What is encrypted here

key_of() { printf '%s\n' "Key-Type: RSA" "Key-Length: 2048" "Subkey-Type: RSA" "Subkey-Length: 2048" "Name-Real: $1" "Name-Email: $2" "Expire-Date: $3" %no-protection %commit | gpg --batch --quiet --gen-key 2>/dev/null; }
gpg --batch --quiet --passphrase '' --quick-gen-key "Ada Curve <ada@example.org>" future-default default never 2>/dev/null
key_of "Bob Old" bob@example.org seconds=1
key_of "Eve Reader" eve@example.org 0
gpg --batch --export-secret-keys eve@example.org >"$K/eve.gpg" 2>/dev/null
chmod a+r "$K/eve.gpg"

pod pull -q "oci:$WORLD/img:latest" >/dev/null
pod tag "$(pod images -q | head -n 1)" localhost/plain
sent() { # TEXT KEYS SKOPEO-KEYS...
	local text=$1 keys=$2 said
	shift 2
	rm -rf "$WORLD/out"
	said=$(pod push -q --tls-verify=false $keys localhost/plain "docker://$R/sent:1" 2>&1 >/dev/null)
	copy "$@" "docker://$R/sent:1" "dir:$WORLD/out" 2>"$WORLD/err" || sed "s/^/# /" "$WORLD/err"
	is "$text" "$said$(layers "$WORLD/out" 2>/dev/null)" "$plain"
}
sent "skopeo opens it: RSA" "--encryption-key jwe:$K/rsa.pub" --decryption-key "$K/rsa.pem"
sent "EC" "--encryption-key jwe:$K/ec.pub" --decryption-key "$K/ec8.pem"
sent "certificate" "--encryption-key pkcs7:$K/rsa.crt" --decryption-key "$K/rsa.pem" --decryption-key "$K/rsa.crt"
sent "OpenPGP" "--encryption-key pgp:open@example.org" --decryption-key "$K/open.gpg"
opened "and we open that" "$R/sent:1" --decryption-key "$K/open.gpg"
pod tag "$(pod images -q | head -n 1)" localhost/plain
pgp="--encryption-key pgp:open@example.org --encryption-key pgp:shut@example.org --encryption-key pgp:eve@example.org"
sent "three OpenPGP recipients, by the last" "$pgp" --decryption-key "$K/eve.gpg"
opened "we too, by the first" "$R/sent:1" --decryption-key "$K/open.gpg"
opened "we too, by the second" "$R/sent:1" --decryption-key "$K/shut.gpg:Open-9"
pod tag "$(pod images -q | head -n 1)" localhost/plain
check "a recipient with a name" pod push -q --tls-verify=false --encryption-key "pgp:Eve Reader" localhost/plain "docker://$R/eve:1"
opened "who can read it" "$R/eve:1" --decryption-key "$K/eve.gpg"
pod tag "$(pod images -q | head -n 1)" localhost/plain
sent "OpenPGP beside another kind" "$pgp --encryption-key jwe:$K/rsa.pub" --decryption-key "$K/rsa.pem"
opened "by either" "$R/sent:1" --decryption-key "$K/open.gpg"
pod tag "$(pod images -q | head -n 1)" localhost/plain
both="--encryption-key jwe:$K/rsa.pub --encryption-key jwe:$K/ec.pub --encryption-key pkcs7:$K/rsa.crt"
sent "all of them, by the first" "$both" --decryption-key "$K/rsa.pem"
sent "by the second" "$both" --decryption-key "$K/ec8.pem"
opened "and we too" "$R/sent:1" --decryption-key "$K/ec.pem"
pod tag "$(pod images -q | head -n 1)" localhost/plain
types() { skopeo inspect --raw --tls-verify=false "docker://$R/$1" | jq -r '[.layers[].mediaType | sub(".*tar"; "")] | join(" ")'; }
pod push -q --tls-verify=false --encryption-key "jwe:$K/rsa.pub" --encrypt-layer -1 localhost/plain "docker://$R/last:1"
is "only the last layer" "$(types last:1)" "+gzip +gzip+encrypted"
pod push -q --tls-verify=false --encryption-key "jwe:$K/rsa.pub" --encrypt-layer 0,1 --compression-format zstd \
	--force-compression localhost/plain "docker://$R/zstd:1"
is "other compression" "$(types zstd:1)" "+zstd+encrypted +zstd+encrypted"
push_fails() { # TEXT WORDS OPTION...
	local text=$1 words=$2 said
	shift 2
	said=$(pod push -q --tls-verify=false "$@" 2>&1)
	[ $? = 125 ] && [[ $said == *"$words"* ]] && ok "$text" || not_ok "$text: $said"
}
to="localhost/plain docker://$R/bad:1"
push_fails "a layer that is not there" "there is no layer 7" --encryption-key "jwe:$K/rsa.pub" --encrypt-layer 7 $to
push_fails "layers without a key" "--encryption-key" --encrypt-layer 0 $to
push_fails "Docker's manifest" "v2s2" --encryption-key "jwe:$K/rsa.pub" --format v2s2 $to
push_fails "an archive of docker" "v2s2" --encryption-key "jwe:$K/rsa.pub" localhost/plain "docker-archive:$WORLD/x.tar"
for what in pkcs11:key.yaml provider:p:x; do
	push_fails "${what%%:*}" "Error: Invalid encryption keys: $what: only jwe:, pgp: and pkcs7: are supported" --encryption-key $what $to
done
push_fails "an address that gpg does not know" "encrypting for pgp:nobody@example.org: the keyring has no key of that address" --encryption-key pgp:nobody@example.org $to
push_fails "a part of an address" "the keyring has no key of that address" --encryption-key pgp:open $to
push_fails "a key that others cannot read" "encrypting for pgp:ada@example.org: no RSA key of it can be used" --encryption-key pgp:ada@example.org $to
push_fails "a key that has expired" "no RSA key of it can be used" --encryption-key pgp:bob@example.org $to
push_fails "no address" "expected pgp:ADDRESS" --encryption-key pgp: $to
push_fails "one of two is not known" "pgp:nobody@example.org" --encryption-key pgp:open@example.org --encryption-key pgp:nobody@example.org $to
push_fails "no scheme" "expected jwe:PATH, pgp:ADDRESS or pkcs7:PATH" --encryption-key "$K/rsa.pub" $to
push_fails "a private key instead of a public one" "is no public key" --encryption-key "jwe:$K/rsa.pem" $to
check "nothing was sent" test -e "$WORLD/registry-http/data/docker/registry/v2/repositories/sent" -a ! -e "$WORLD/registry-http/data/docker/registry/v2/repositories/bad"

# --- pod-image copy

image_copy() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
image_copy --encryption-key "jwe:$K/rsa.pub" "oci:$WORLD/img:latest" "docker://$R/copied:1"
is "pod-image copy encrypts" "$(types copied:1)" "+gzip+encrypted +gzip+encrypted"
image_copy "docker://$R/copied:1" "dir:$WORLD/as-it-is"
is "without a key it is copied as it is" "$(sha256sum <"$WORLD/as-it-is/manifest.json")" \
	"$(skopeo inspect --raw --tls-verify=false "docker://$R/copied:1" | sha256sum)"
image_copy --decryption-key "$K/rsa.pem" "docker://$R/copied:1" "dir:$WORLD/open"
is "with it, plain" "$(layers "$WORLD/open")" "$plain"
image_copy --decryption-key "$K/rsa.pem" --encryption-key "jwe:$K/ec.pub" "docker://$R/copied:1" "docker://$R/turned:1"
opened "for somebody else instead" "$R/turned:1" --decryption-key "$K/ec.pem"
said=$(image_copy "docker://$R/copied:1" "docker-archive:$WORLD/y.tar" 2>&1)
[[ $said == *"is encrypted, and needs its key"* ]] && ok "nothing else becomes of it without" || not_ok "archive: $said"
said=$(image_copy --decryption-key "$K/rsa.pem" "dir:$WORLD/end" "dir:$WORLD/z" 2>&1)
[[ $said == *"its HMAC is not the one"* ]] && ok "a changed layer is not copied" || not_ok "changed: $said"

user_part <<EOF
R=$R K=$K
$(cat <<'EOF2'
is "an ordinary user runs it" "$(pod run --rm --net none --tls-verify=false -q --decryption-key "$K/rsa.pem" \
	"$R/jwe:1" cat /opt/second 2>&1)" "second layer $(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"
check "and encrypts it for another" pod push -q --tls-verify=false --encryption-key "jwe:$K/ec.pub" "$R/jwe:1" "docker://$R/user:1"
export GNUPGHOME=$WORLD/gpg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --import "$K/open.pub" 2>/dev/null
check "or by OpenPGP" pod push -q --tls-verify=false --encryption-key pgp:open@example.org "$R/jwe:1" "docker://$R/user:2"
for what in pkcs11:key.yaml provider:p:x; do
	is "not ${what%%:*}" "$(pod push -q --tls-verify=false --encryption-key $what "$R/jwe:1" "docker://$R/user:3" 2>&1)" "Error: Invalid encryption keys: $what: only jwe:, pgp: and pkcs7: are supported"
done
pod rmi -a -f >/dev/null 2>&1
is "who can read it" "$(pod pull -q --tls-verify=false --decryption-key "$K/ec.pem" "$R/user:1" 2>&1 | grep -c '^[0-9a-f]*$')" 1
pod rmi -a -f >/dev/null 2>&1
is "for who has that key" "$(pod pull -q --tls-verify=false --decryption-key "$K/open.gpg" "$R/user:2" 2>&1 | grep -c '^[0-9a-f]*$')" 1
gpgconf --kill all 2>/dev/null
pod rmi -a -f >/dev/null 2>&1
check "and nobody else" test "$(pod pull -q --tls-verify=false --decryption-key "$K/rsa.pem" "$R/user:1" 2>&1 | grep -c 'none of the private keys')" = 1
EOF2
)
EOF
