#!/bin/bash
# SPDX-License-Identifier: ISC
# Registries that lie, break off, send elsewhere or ask for credentials that are not theirs.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME"
layout "$WORLD/lay" latest gzip
M=${LAYOUT_DIGEST#sha256:} B=$WORLD/lay/blobs/sha256
C=$(jq -r .config.digest "$B/$M") L1=$(jq -r '.layers[0].digest' "$B/$M") L2=$(jq -r '.layers[1].digest' "$B/$M")
OCI=application/vnd.oci.image.manifest.v1+json

# server NAME: a canned registry; sets PORT and DIR
server() {
	DIR=$WORLD/$1
	mkdir -p "$DIR"
	"$BUILD/tests/canned-http" "$DIR" &
	remember_pid $!
	until_ok 20 test -s "$DIR/port"
	PORT=$(cat "$DIR/port")
}
# answer DIR PATH[.N] STATUS FILE HEADER...
answer() {
	local to=$1/${2//\//@} status=$3 file=$4 h
	shift 4
	{
		printf 'HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %s\r\n' "$status" "${LENGTH:-$(stat -c %s "$file")}"
		for h; do printf '%s\r\n' "$h"; done
		printf '\r\n'
		cat "$file"
	} >"$to"
}
# good REPO: everything needed to pull it
good() {
	answer "$DIR" "/v2/$1/manifests/latest" "200 OK" "$B/$M" "Content-Type: $OCI"
	for d in "$C" "$L1" "$L2"; do answer "$DIR" "/v2/$1/blobs/$d" "200 OK" "$B/${d#sha256:}"; done
}
n=0
fresh() { n=$((n + 1)) ROOT=$WORLD/root.$n RUNROOT=$WORLD/run.$n; }
pull() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" pull -q --tls-verify=false --retry-delay 10ms "$@"; }
listed() { store list | awk 'NR > 1 { print $2 }'; }
refused() {
	local text=$1 words=$2 said st
	shift 2
	fresh
	said=$(pull "$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]] && [ -z "$(listed)" ]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
works() {
	local text=$1
	shift
	fresh
	is "$text" "$(pull "$@" 2>&1 | tail -n 1)" "${C#sha256:}"
}

server other
OTHER=$DIR OTHER_PORT=$PORT
server one
H=127.0.0.1:$PORT
printf x >"$WORLD/x"
: >"$WORLD/none"

good fine
works "the model is good" "$H/fine"

# --- documents ---
good size && head -c 4300000 /dev/zero | tr '\0' ' ' >"$WORLD/big" && answer "$DIR" /v2/size/manifests/latest "200 OK" "$WORLD/big"
refused "a manifest of more than 4 MiB (65)" "larger than allowed" "$H/size"
LENGTH=104857600 answer "$DIR" /v2/size/manifests/latest "200 OK" "$WORLD/big"
refused "one that says it has 100 MB" "" --retry 0 "$H/size"
good type && answer "$DIR" /v2/type/manifests/latest "200 OK" "$B/$M" "Content-Type: application/vnd.oci.image.index.v1+json"
refused "another Content-Type than content (CVE-2021-41190)" "differs from the Content-Type" "$H/type"
printf '{"schemaVersion":1,"name":"x","fsLayers":[],"history":[]}' >"$WORLD/v1"
answer "$DIR" /v2/v1/manifests/latest "200 OK" "$WORLD/v1" "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws"
refused "a manifest of schema 1 without layers" "no FSLayers" "$H/v1"
answer "$DIR" "/v2/fine/manifests/sha256:$(printf '0%.0s' $(seq 64))" "200 OK" "$B/$M" "Content-Type: $OCI"
refused "another manifest than the digest asked for (60)" "digest mismatch" "$H/fine@sha256:$(printf '0%.0s' $(seq 64))"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:%064d","size":10,"platform":{"os":"linux","architecture":"%s"}}]}' 0 "$(layout_machine)" >"$WORLD/idx"
answer "$DIR" /v2/self/manifests/latest "200 OK" "$WORLD/idx"
answer "$DIR" "/v2/self/manifests/sha256:$(printf '0%.0s' $(seq 64))" "200 OK" "$WORLD/idx"
refused "an index that refers to itself (67)" "digest mismatch" "$H/self"
good cfg && printf '{}' >"$WORLD/c" && answer "$DIR" "/v2/cfg/blobs/$C" "200 OK" "$WORLD/c"
refused "another config (60)" "digest mismatch" "$H/cfg"

# --- blobs ---
good wrong && tr a b <"$B/${L1#sha256:}" >"$WORLD/w" && answer "$DIR" "/v2/wrong/blobs/$L1" "200 OK" "$WORLD/w"
refused "a layer of the right size that is another (60)" "" "$H/wrong"
# Another time in the gzip header: same contents, same DiffID, same size.
good header && { head -c 4 "$B/${L1#sha256:}"; printf 'pod!'; tail -c +9 "$B/${L1#sha256:}"; } >"$WORLD/w" && answer "$DIR" "/v2/header/blobs/$L1" "200 OK" "$WORLD/w"
refused "a layer of another digest whose contents are right (60)" "digest of the layer does not match" "$H/header"
good long && cat "$B/${L1#sha256:}" "$WORLD/x" >"$WORLD/w" && answer "$DIR" "/v2/long/blobs/$L1" "200 OK" "$WORLD/w"
refused "a layer longer than its descriptor (61)" "larger than the" "$H/long"
good short && head -c 1000 "$B/${L1#sha256:}" >"$WORLD/w" && answer "$DIR" "/v2/short/blobs/$L1" "200 OK" "$WORLD/w"
refused "a layer shorter than its descriptor (61)" "copying blob $L1" "$H/short"
size=$(stat -c %s "$B/${L1#sha256:}")
good range && LENGTH=$size answer "$DIR" "/v2/range/blobs/$L1.1" "200 OK" "$WORLD/w"
tail -c +1001 "$B/${L1#sha256:}" >"$WORLD/rest"
answer "$DIR" "/v2/range/blobs/$L1.2" "206 Partial Content" "$WORLD/rest" "Content-Range: bytes 1000-$((size - 1))/$size"
works "a broken transfer goes on where it ended" "$H/range"
check "by a range" grep -q "^Range: bytes=1000-" "$DIR/log"
good norange && LENGTH=$size answer "$DIR" "/v2/norange/blobs/$L1.1" "200 OK" "$WORLD/w"
works "or from the beginning, if the registry knows no ranges" "$H/norange"
good badrange && LENGTH=$size answer "$DIR" "/v2/badrange/blobs/$L1.1" "200 OK" "$WORLD/w"
answer "$DIR" "/v2/badrange/blobs/$L1.2" "206 Partial Content" "$WORLD/rest" "Content-Range: bytes 0-$((size - 1))/$size"
refused "another range than asked for" "another range" "$H/badrange"
good cut && LENGTH=$size answer "$DIR" "/v2/cut/blobs/$L1" "200 OK" "$WORLD/w"
refused "one that always breaks off" "copying blob $L1" --retry 2 "$H/cut"

# --- overload ---
good busy && answer "$DIR" /v2/busy/manifests/latest.1 "429 Too Many Requests" "$WORLD/none" "Retry-After: 1"
answer "$DIR" /v2/busy/manifests/latest.2 "503 Service Unavailable" "$WORLD/none"
works "429 and 503 pass" "$H/busy"
good later
t0=$(date +%s%N)
answer "$DIR" /v2/later/manifests/latest.1 "429 Too Many Requests" "$WORLD/none" "Retry-After: $(LC_ALL=C date -u -d '+5 seconds' '+%a, %d %b %Y %H:%M:%S GMT')"
works "one that names a time" "$H/later"
check "is asked again after it" test $((($(date +%s%N) - t0) / 1000000)) -ge 4000
answer "$DIR" /v2/down/manifests/latest "500 Internal Server Error" "$WORLD/none"
refused "500 for ever does not" "StatusCode: 500" --retry 2 "$H/down"

# --- redirects ---
good go && answer "$DIR" "/v2/go/blobs/$L1" "307 Temporary Redirect" "$WORLD/none" "Location: http://127.0.0.1:$OTHER_PORT/blob"
answer "$DIR" "/v2/go/manifests/latest.1" "401 Unauthorized" "$WORLD/none" 'WWW-Authenticate: Basic realm="x"'
answer "$OTHER" /blob "200 OK" "$B/${L1#sha256:}"
works "a redirect to another host is followed" --creds user:secret "$H/go"
check "the registry got the password" grep -qi "^Authorization: Basic dXNlcjpzZWNyZXQ=" "$DIR/log"
check "the other host did not (CVE-2020-15157)" test "$(grep -ci '^Authorization' "$OTHER/log")" = 0
good loop && answer "$DIR" "/v2/loop/blobs/$L1" "302 Found" "$WORLD/none" "Location: /v2/loop/blobs/$L1"
refused "a redirect to itself" "stopped after 10 redirects" "$H/loop"
for to in file:///etc/passwd ftp://127.0.0.1/x gopher://127.0.0.1:70/x "http://user:pw@127.0.0.1:$OTHER_PORT/blob"; do
	good bad && answer "$DIR" "/v2/bad/blobs/$L1" "302 Found" "$WORLD/none" "Location: $to"
	refused "a redirect to $to" "redirects to a URL that is not" "$H/bad"
done
: >"$OTHER/log"
jq -c '.layers[0].urls = ["http://127.0.0.1:'"$OTHER_PORT"'/blob"] |
	.layers[0].mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"' "$B/$M" >"$WORLD/m"
good urls && rm "$DIR/@v2@urls@blobs@$L1" && answer "$DIR" /v2/urls/manifests/latest "200 OK" "$WORLD/m"
refused "a foreign layer's URL is not an offer (64)" "copying blob $L1" --retry 0 "$H/urls"
is "and is not visited" "$(cat "$OTHER/log")" ""

# --- tokens ---
printf '{"token":"t0ken","expires_in":300}' >"$WORLD/token"
good tok && answer "$DIR" /v2/tok/manifests/latest.1 "401 Unauthorized" "$WORLD/none" \
	'WWW-Authenticate: Bearer realm="http://127.0.0.1:'"$OTHER_PORT"'/token",service="svc",scope="repository:tok:pull,push"'
answer "$OTHER" /token "200 OK" "$WORLD/token"
: >"$OTHER/log"
works "a token is fetched" --creds user:secret "$H/tok"
check "for the scope that is needed, whatever was asked" grep -q "scope=repository%3Atok%3Apull&account=user " "$OTHER/log"
check "and used" grep -q "^Authorization: Bearer t0ken" "$DIR/log"
printf '{"access_token":"acc3ss"}' >"$WORLD/token"
answer "$OTHER" /token "200 OK" "$WORLD/token"
good ident && answer "$DIR" /v2/ident/manifests/latest.1 "401 Unauthorized" "$WORLD/none" \
	'WWW-Authenticate: Bearer realm="http://127.0.0.1:'"$OTHER_PORT"'/token",service="svc"'
printf '{"auths":{"127.0.0.1:%s":{"auth":"PHRva2VuPjo=","identitytoken":"1dent1ty"}}}' "$PORT" >"$WORLD/auth.json"
: >"$OTHER/log"
works "an identity token is changed for another one" --authfile "$WORLD/auth.json" "$H/ident"
check "by a form" grep -qi "^Content-Type: application/x-www-form-urlencoded" "$OTHER/log"
check "which is used" grep -q "^Authorization: Bearer acc3ss" "$DIR/log"
check "the registry never saw the first" test "$(grep -c 1dent1ty "$DIR/log")" = 0
answer "$OTHER" /token "401 Unauthorized" "$WORLD/none"
answer "$DIR" /v2/tok2/manifests/latest "401 Unauthorized" "$WORLD/none" 'WWW-Authenticate: Bearer realm="http://127.0.0.1:'"$OTHER_PORT"'/token"'
refused "a token server that refuses" "unable to retrieve auth token: invalid username/password: unauthorized: authentication required" \
	--creds user:wrong "$H/tok2"
for bad in '{"token":"a\nX-Evil: 1"}' '{"token":""}' '{}' '[]' 'x'; do
	printf '%s' "$bad" >"$WORLD/token" && answer "$OTHER" /token "200 OK" "$WORLD/token"
	refused "a token like $bad" "unable to retrieve auth token" "$H/tok2"
done
for realm in file:///etc/passwd "ftp://127.0.0.1/" "http://u:p@127.0.0.1/" ""; do
	answer "$DIR" /v2/tok2/manifests/latest "401 Unauthorized" "$WORLD/none" 'WWW-Authenticate: Bearer realm="'"$realm"'"'
	refused "a realm like '$realm'" "as its token server" --creds user:secret "$H/tok2"
done
answer "$DIR" /v2/tok2/manifests/latest "401 Unauthorized" "$WORLD/none" 'WWW-Authenticate: Bearer realm="x'
refused "a malformed challenge" "malformed WWW-Authenticate" "$H/tok2"

# --- words ---
printf '{"errors":[{"code":"DENIED","message":"no\\u001b[31m \\r\\n way"}]}' >"$WORLD/err"
answer "$DIR" /v2/esc/manifests/latest "403 Forbidden" "$WORLD/err"
refused "escape sequences in a registry's words (42)" 'no\x1b[31m \r\n way' "$H/esc"
printf '{"tags":["ok","../../x"]}' >"$WORLD/tags" && answer "$DIR" /v2/fine/tags/list "200 OK" "$WORLD/tags"
refused "a tag with path parts" "invalid tag" -a "$H/fine"
printf '{"tags":["latest"]}' >"$WORLD/tags"
answer "$DIR" /v2/fine/tags/list "200 OK" "$WORLD/tags" "Link: <http://127.0.0.1:$OTHER_PORT/v2/fine/tags/list?n=1>; rel=\"next\""
: >"$OTHER/log"
works "tags whose next page is elsewhere" -a "$H/fine"
is "which is not asked" "$(cat "$OTHER/log")" ""
finish
