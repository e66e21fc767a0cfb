#!/bin/bash
# SPDX-License-Identifier: ISC
# Pulling from a real registry with TLS by an own CA and a password, as root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "pulls from a registry" "docker-registry or skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_start tester secret
layout "$WORLD/gz" latest gzip
layout "$WORLD/zst" latest zstd
layout_index "$WORLD/idx" latest
registry_push "$WORLD/gz" latest app:1 --format v2s2
registry_push "$WORLD/gz" latest ns/other:2 --format v2s2
registry_push "$WORLD/zst" latest zapp:latest
registry_push "$WORLD/idx" latest multi:latest --all

image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
pull() { image pull --cert-dir "$REGISTRY_CERTS" --creds tester:secret "$@"; }
fresh() { ROOT=$WORLD/root.$1 RUNROOT=$WORLD/run.$1; }
# refused TEXT WORDS COMMAND...: the command fails with the words on stderr and nothing in the store
refused() {
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
names() { store list | awk 'NR > 1 { print $1 }' | sort | tr '\n' ' '; }

fresh a
id=$(pull -q "$REGISTRY/app:1")
is "an image in Docker's format has the ID of its configuration" "$id" \
	"$(skopeo --insecure-policy inspect --raw --cert-dir "$REGISTRY_CERTS" --creds tester:secret "docker://$REGISTRY/app:1" |
		jq -r .config.digest | cut -d: -f2)"
is "it has its name" "$(names)" "$REGISTRY/app:1 "
said=$(pull "$REGISTRY/app:1" 2>&1 >/dev/null)
check "layers that are there are not fetched again" grep -q "skipped: already exists" <<<"$said"
asked=$(POD_TRACE=1 pull "$REGISTRY/app:1" 2>&1 >/dev/null | grep -o 'fetch_document kind="[a-z]*"' | sort -u)
is "nor is the configuration of an image that is whole" "$asked" 'fetch_document kind="manifest"'
rm -rf "$ROOT/layers/$(ls "$ROOT/layers" | sed -n 1p)"
is "but a layer that is missing brings it again" "$(pull -q "$REGISTRY/app:1") $(ls "$ROOT/layers" | wc -l)" "$id 2"
check "progress in Podman's words" grep -q "Trying to pull $REGISTRY/app:1..." <<<"$said"

fresh b
id=$(pull -q "$REGISTRY/zapp")
is "layers compressed by zstd" "$(names)" "$REGISTRY/zapp:latest "

fresh c
id=$(pull -q "$REGISTRY/multi")
check "of an index, the image of this machine" test -n "$id"
other=$(pull -q --arch s390x "$REGISTRY/multi" 2>/dev/null)
check "and another one if it is asked for" test "$other" != "$id"
refused "an architecture that is not there" 'no image found in image index for architecture "mips", variant "", OS "linux"' \
	pull --arch mips "$REGISTRY/multi"
fresh d
pull -q "$REGISTRY/multi@$LAYOUT_INDEX" >/dev/null
is "by digest it gets no name" "$(names)" "<none> "
refused "a digest that is not there" "manifest unknown" \
	pull "$REGISTRY/multi@sha256:0000000000000000000000000000000000000000000000000000000000000000"

fresh e
refused "an unknown tag" "initializing source docker://$REGISTRY/app:no: reading manifest no in $REGISTRY/app: manifest unknown" \
	pull "$REGISTRY/app:no"
refused "a wrong password" "unauthorized: authentication required" \
	image pull --cert-dir "$REGISTRY_CERTS" --creds tester:wrong "$REGISTRY/app:1"
refused "no password" "unauthorized: authentication required" image pull --cert-dir "$REGISTRY_CERTS" "$REGISTRY/app:1"
refused "an unknown CA (CVE-2025-6032)" "x509: certificate signed by unknown authority" \
	image pull --creds tester:secret "$REGISTRY/app:1"
refused "the right CA for another name" "x509: certificate is not valid for this host" \
	pull "127.0.0.1:${REGISTRY#*:}/app:1"
refused "nobody listens" "pinging container registry localhost:1: Get \"https://localhost:1/v2/\": dial tcp localhost:1: connect: connection refused" \
	pull localhost:1/app
P=$(free_port)
python3 -c '
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"{}")
    do_HEAD = do_GET
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()' "$P" &
remember_pid $!
until_ok 20 curl -s -o /dev/null -I "http://127.0.0.1:$P/"
refused "a registry that lies about a length" \
	"reading manifest latest in 127.0.0.1:$P/app: Get \"http://127.0.0.1:$P/v2/app/manifests/latest\": " \
	pull --tls-verify=false "127.0.0.1:$P/app"
is "nothing of all that is in the store" "$(names)" ""
pull -q --tls-verify=false "$REGISTRY/app:1" >/dev/null
is "without verification, if that is asked for" "$(names)" "$REGISTRY/app:1 "

# --- configuration ---
# The bundle of the system, for those who see another one: our CA is in it, and before it one of the same name.
BUNDLE=/etc/ssl/certs/ca-certificates.crt
if [ "$(id -u)" = 0 ] && [ -f "$BUNDLE" ]; then
	fresh e2
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test CA" -keyout "$WORLD/twin.key" -out "$WORLD/twin.crt" 2>/dev/null
	cat "$BUNDLE" "$WORLD/twin.crt" "$REGISTRY_CERTS/ca.crt" >"$WORLD/bundle"
	cat "$BUNDLE" "$WORLD/twin.crt" >"$WORLD/bundle2"
	seen_by() { # BUNDLE WORDS...
		unshare -m --propagation private sh -c 'mount --bind "$0" "'"$BUNDLE"'" && exec "$@"' "$@"
	}
	check "an authority of the system's bundle" test -n "$(seen_by "$WORLD/bundle" "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" pull -q --creds tester:secret "$REGISTRY/app:1")"
	# Where other distributions have it.
	check "an authority in /etc/ssl/cert.pem" test -n "$(unshare -m --propagation private sh -c '
		ca=$(cat "$0")
		for d in /etc/ssl /etc/pki; do [ ! -d "$d" ] || mount -t tmpfs none "$d"; done
		printf "%s\n" "$ca" >/etc/ssl/cert.pem && exec "$@"' \
		"$REGISTRY_CERTS/ca.crt" "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" pull -q --creds tester:secret "$REGISTRY/app:1")"
	refused "another one of that name is none" "x509: certificate signed by unknown authority" \
		seen_by "$WORLD/bundle2" "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" pull --creds tester:secret "$REGISTRY/app:1"
else
	skip "authorities of the system's bundle" "root puts another one over it"
fi

fresh f
mkdir -p "$WORLD/auth"
auth="{\"auths\":{\"$REGISTRY/ns\":{\"auth\":\"$(printf tester:secret | base64)\"}}}"
echo "$auth" >"$WORLD/auth/ns.json"
image pull -q --authfile "$WORLD/auth/ns.json" --cert-dir "$REGISTRY_CERTS" "$REGISTRY/ns/other:2" >/dev/null
is "credentials of a namespace are used for it" "$(names)" "$REGISTRY/ns/other:2 "
refused "and for nothing else" "unauthorized" \
	image pull --authfile "$WORLD/auth/ns.json" --cert-dir "$REGISTRY_CERTS" "$REGISTRY/app:1"
cat >"$WORLD/registries.conf" <<CONF
unqualified-search-registries = ["localhost:1", "$REGISTRY"]
[aliases]
"short" = "$REGISTRY/ns/other"
[[registry]]
prefix = "hub.example.com/team"
location = "$REGISTRY/ns"
[[registry.mirror]]
location = "localhost:1/mirror"
[[registry]]
location = "blocked.example.com"
blocked = true
CONF
conf() { pull --registries-conf "$WORLD/registries.conf" "$@"; }
fresh g
conf -q app:1 >/dev/null 2>&1
is "a short name is looked for in each search registry" "$(names)" "$REGISTRY/app:1 "
fresh g2
conf -q short:2 >/dev/null
is "an alias names one place" "$(names)" "$REGISTRY/ns/other:2 "
fresh g3
image pull -q --authfile "$WORLD/auth/ns.json" --cert-dir "$REGISTRY_CERTS" --registries-conf "$WORLD/registries.conf" \
	hub.example.com/team/other:2 >/dev/null 2>&1
is "a prefix with a location, after a mirror that is gone" "$(names)" "hub.example.com/team/other:2 "
refused "a blocked registry" "registry blocked.example.com is blocked" conf blocked.example.com/x
mkdir -p "$HOME/.config/containers/certs.d/$REGISTRY"
cp "$REGISTRY_CERTS/ca.crt" "$HOME/.config/containers/certs.d/$REGISTRY/"
fresh h
image pull -q --creds tester:secret "$REGISTRY/app:1" >/dev/null
is "certificates are found in certs.d" "$(names)" "$REGISTRY/app:1 "
echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"'"$REGISTRY"'/ns":[{"type":"reject"}],
	"'"$REGISTRY"'/zapp":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]}}}' >"$WORLD/policy.json"
refused "a policy that rejects" "Source image rejected: Running image docker://$REGISTRY/ns/other:2 is rejected by policy." \
	pull --signature-policy "$WORLD/policy.json" "$REGISTRY/ns/other:2"
refused "a policy that demands a signature, by a key that is not there" 'open /k' \
	pull --signature-policy "$WORLD/policy.json" "$REGISTRY/zapp"
check "a policy that accepts" test -n "$(pull -q --signature-policy "$WORLD/policy.json" "$REGISTRY/app:1")"

# --- login and inspect ---
is "login" "$(printf secret | image login -u tester --password-stdin "$REGISTRY")" "Login Succeeded!"
refused "login with a wrong password" "logging into \"$REGISTRY\": invalid username/password" image login -u tester -p no "$REGISTRY"
is "inspect prints the index" "$(image inspect --raw --creds tester:secret "$REGISTRY/multi" | jq '.manifests | length')" 3
fresh i
is "all tags are a registry's" "$(pull -q -a "dir:$WORLD/none" 2>&1; echo $?)" "Error: pulling all tags is not supported for dir transport
125"
is "all tags" "$(pull -q -a "$REGISTRY/app" | wc -l)" 1

# --- plain HTTP ---
registry_http_start
REGISTRY_SAVED=$REGISTRY REGISTRY=$REGISTRY_HTTP REGISTRY_CREDS= registry_push "$WORLD/gz" latest app:1 --dest-tls-verify=false
fresh j
refused "plain HTTP is not tried unasked" "server gave HTTP response to HTTPS client" image pull "$REGISTRY_HTTP/app:1"
image pull -q --tls-verify=false "$REGISTRY_HTTP/app:1" >/dev/null
is "but if it is asked for" "$(names)" "$REGISTRY_HTTP/app:1 "

# --- who holds what ---
check "no file of the pull lies outside the store" test -z "$(find /var/tmp /tmp -maxdepth 1 -newer "$WORLD/policy.json" -user nobody 2>/dev/null)"

# --- an ordinary user ---
if ordinary_user; then
	mkdir "$WORLD/user"
	chown "$world_user" "$WORLD/user"
	chmod -R a+rX "$REGISTRY_CERTS"
	id=$(as_user unshare -r --map-auto "$BIN/pod-image" --root "$WORLD/user/root" --runroot "$WORLD/user/run" pull -q \
		--cert-dir "$REGISTRY_CERTS" --creds tester:secret "$REGISTRY/app:1" 2>"$WORLD/user.err")
	check "an ordinary user in a user namespace: $(cat "$WORLD/user.err")" test -n "$id"
	id=$(as_user "$BIN/pod-image" inspect --raw --cert-dir "$REGISTRY_CERTS" --creds tester:secret "$REGISTRY/app:1" 2>"$WORLD/user.err" |
		jq -r .schemaVersion)
	is "and without one, inspect: $(cat "$WORLD/user.err")" "$id" 2
else
	skip "an ordinary user" "it takes root to make one"
fi
finish
