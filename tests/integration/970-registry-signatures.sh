#!/bin/bash
# SPDX-License-Identifier: ISC
# Signatures that the registry itself keeps, with skopeo on the other side.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry skopeo gpg jq; do
	command -v $tool >/dev/null || { skip "signatures in registries" "$tool is not installed"; finish; }
done
world
registry_http_start
mkdir "$WORLD/kept"
port=$(free_port)
python3 "$LIB_DIR/signature-registry.py" "$port" "${REGISTRY_HTTP#*:}" "$WORLD/kept" &
remember_pid $!
R=localhost:$port KEPT=$WORLD/kept IMG=$WORLD/img
until_ok 20 curl -s -o /dev/null "http://$R/v2/"
layout "$IMG" latest gzip
DIGEST=$LAYOUT_DIGEST OTHER=$REGISTRY_HTTP

setup() { # SCOPE
	U=$1
	export HOME=$WORLD/home GNUPGHOME=$WORLD/gpg
	unset XDG_CONFIG_HOME
	CONF=$HOME/.config/containers
	mkdir -p "$CONF/registries.d"
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-gen-key alice@example.org default default never 2>/dev/null
	gpg --export alice@example.org >"$WORLD/alice.gpg"
	printf 'default-docker:\n  lookaside: file://%s/sigs\n' "$WORLD" >"$CONF/registries.d/test.yaml"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$R" "$OTHER" >"$CONF/registries.conf"
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$CONF/policy.json"
	pod pull -q "oci:$IMG:latest" >/dev/null
	pod tag "$(pod images -q)" "$R/$U/app:1"
}
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
quietly() { "$@" >"$WORLD/out" 2>&1 || { sed 's/^/# /' "$WORLD/out"; return 1; }; }
sk() { quietly skopeo --registries.d "$CONF/registries.d" "$@"; }
kept() { jq '.signatures | length' "$KEPT/$U+$1@$DIGEST" 2>/dev/null || echo 0; } # NAME
files() { (cd "$1" 2>/dev/null && find . -name '*signature-*' -printf '%P\n' | sort | tr '\n' ' '); }
by() { echo '{"default":[{"type":"reject"}],"transports":{"docker":{"":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$WORLD/alice.gpg"'","signedIdentity":{"type":"exactReference","dockerReference":"'"$R/$U/$1"'"}}]}}}' >"$WORLD/policy.json"; }
theirs() { rm -rf "$WORLD/t" && sk --policy "$WORLD/policy.json" copy -q --src-tls-verify=false "docker://$R/$U/$1" "dir:$WORLD/t"; }
fails() { # TEXT WORDS COMMAND...
	local text=$1 words=$2 said
	shift 2
	said=$("$@" 2>&1)
	if [ $? = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $said"; fi
}

part() {
	check "push --sign-by" quietly pod push -q --sign-by alice@example.org "$R/$U/app:1"
	is "puts the signature into the registry" "$(kept app) $(files "$WORLD/sigs")" "1 "
	by app:1
	check "skopeo accepts the image by it" theirs app:1
	check "skopeo adds one" sk --insecure-policy copy -q --sign-by alice@example.org --src-tls-verify=false --dest-tls-verify=false "docker://$R/$U/app:1" "docker://$R/$U/app:1"
	is "so there are two" "$(kept app)" 2
	pod rmi -af >/dev/null
	check "pull under a policy that asks for it" quietly pod pull -q --signature-policy "$WORLD/policy.json" "$R/$U/app:1"
	check "push to another repository hands them on" quietly pod push -q "$R/$U/app:1" "$R/$U/other:1"
	is "both" "$(kept other)" 2
	check "once more" quietly pod push -q "$R/$U/app:1" "$R/$U/other:1"
	is "adds none" "$(kept other)" 2
	check "copy to a directory" quietly image copy -q "docker://$R/$U/app:1" "dir:$WORLD/d"
	is "takes both" "$(files "$WORLD/d")" "signature-1 signature-2 "
	check "and back" quietly image copy -q "dir:$WORLD/d" "docker://$R/$U/back:1"
	is "gives both" "$(kept back)" 2
	check "copy from one repository to another" quietly image copy -q "docker://$R/$U/app:1" "docker://$R/$U/third:1"
	is "too" "$(kept third) $(files "$WORLD/sigs")" "2 "
	rm -rf "$WORLD/sigs"
	fails "to a registry without that, where no lookaside is" "there is no lookaside for the signatures of the source" image copy -q "docker://$R/$U/app:1" "docker://$OTHER/$U/plain:1"
	mkdir "$WORLD/sigs"
	check "but to a lookaside that is there" quietly image copy -q "docker://$R/$U/app:1" "docker://$OTHER/$U/plain:1"
	is "it is put" "$(files "$WORLD/sigs" | wc -w)" 2
	by nobody:1
	fails "a policy that asks for another name" "is not accepted" pod pull -q --signature-policy "$WORLD/policy.json" "$R/$U/app:1"

	# A lookaside that cannot be written matters only where it is needed.
	printf 'default-docker:\n  lookaside: http://localhost:1/sigs\n' >"$CONF/registries.d/test.yaml"
	check "push --sign-by where the lookaside is a web server" quietly pod push -q --sign-by alice@example.org "$R/$U/app:1" "$R/$U/web:1"
	is "but not needed" "$(kept web)" 3
	fails "and where it is" "Writing directly to a http://localhost:1/sigs lookaside is not supported" pod push -q --sign-by alice@example.org "$R/$U/app:1" "$OTHER/$U/never:1"
	check "nothing was sent there" bash -c "! curl -sf http://$OTHER/v2/$U/never/tags/list >/dev/null"
	printf 'default-docker:\n  lookaside: file://%s/sigs\n' "$WORLD" >"$CONF/registries.d/test.yaml"

	# Others by its side, and what is no list
	echo mixed >"$KEPT/mode"
	quietly image copy -q "docker://$R/$U/app:1" "dir:$WORLD/d"
	is "other kinds are passed over" "$(files "$WORLD/d")" "signature-1 signature-2 "
	echo junk >"$KEPT/mode"
	fails "what is no list" "signature list of $U/app" pod pull -q "$R/$U/app:1"
	echo deny >"$KEPT/mode"
	fails "a registry that takes none" "uploading signature to $DIGEST in $U/app: denied" pod push -q --sign-by alice@example.org "$R/$U/app:1"
	echo off >"$KEPT/mode"
	check "a registry that stops to keep them" quietly pod push -q --sign-by alice@example.org "$R/$U/app:1"
	is "has a lookaside" "$(files "$WORLD/sigs/$U/app@sha256=${DIGEST#sha256:}" | wc -w)" 3
	rm -f "$KEPT/mode"
}
# Transports that are not built: everywhere one may be named, the same words.
transports() {
	local t
	pod manifest create -a refused >/dev/null
	for t in sif ostree atomic; do
		while read -r -a what; do
			what=("${what[@]/#@/$t:/x}")
			what=("${what[@]/#IMAGE/$R/$U/app:1}")
			fails "$t: ${what[*]}" "the transport $t: is not supported" "${what[@]}"
		done <<'COMMANDS'
pod pull @
pod run --rm @ true
pod create @
pod push IMAGE @
pod manifest add refused @
pod manifest create other @
pod manifest inspect @
pod artifact pull @
pod artifact push @
pod artifact add @ /etc/passwd
image copy @ dir:/x
image copy dir:/x @
image inspect @
COMMANDS
	done
}
at_end() { GNUPGHOME=$WORLD/gpg gpgconf --kill all 2>/dev/null; }
(setup root && part && transports; echo "$tap_n $tap_failed" >"$WORLD/count")
read -r tap_n tap_failed <"$WORLD/count"
GNUPGHOME=$WORLD/gpg gpgconf --kill all 2>/dev/null
chmod -R a+rX "$IMG"
chmod 1777 "$KEPT"
{
	declare -p R OTHER KEPT DIGEST IMG
	declare -f setup image quietly sk kept files by theirs fails part transports
	echo 'setup user; part; transports; gpgconf --kill all'
} | user_part
