#!/bin/bash
# SPDX-License-Identifier: ISC
# Registries by way of a proxy: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, and what never goes that way.
. "$(dirname "$0")/../lib.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME"
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
DIR=$WORLD/proxy
mkdir "$DIR"
"$BUILD/tests/canned-http" "$DIR" &
remember_pid $!
until_ok 20 test -s "$DIR/port"
PORT=$(cat "$DIR/port")
body='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
printf 'HTTP/1.1 200 x\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\nContent-Length: %s\r\n\r\n%s' \
	"${#body}" "$body" >"$DIR/http:@@registry.invalid:5000@v2@a@manifests@1"
look() { timeout 30 "$BIN/pod-image" inspect --raw --retry 0 --tls-verify=false "docker://$1/a:1" 2>&1; }
asked() { grep -ac "$1" "$DIR/log"; }

for v in http_proxy HTTP_PROXY; do
	: >"$DIR/log"
	is "$v: the registry answers by way of the proxy" "$(export "$v=http://127.0.0.1:$PORT"; look registry.invalid:5000)" "$body"
	is "$v: the proxy was asked for the whole URL" "$(asked '^GET http://registry.invalid:5000/v2/a/manifests/1 ')" 1
done
: >"$DIR/log"
(HTTPS_PROXY=http://127.0.0.1:$PORT look registry.invalid:5000) >/dev/null
check "HTTPS_PROXY: a tunnel is asked for" test "$(asked '^CONNECT registry.invalid:5000 ')" -ge 1
: >"$DIR/log"
said=$(HTTP_PROXY=http://127.0.0.1:$PORT HTTPS_PROXY=http://127.0.0.1:$PORT NO_PROXY=registry.invalid look registry.invalid:5000)
is "NO_PROXY: nobody asks the proxy" "$(asked .)" 0
check "but the registry itself: $said" grep -q "no such host" <<<"$said"
(HTTP_PROXY=http://127.0.0.1:$PORT HTTPS_PROXY=http://127.0.0.1:$PORT look localhost:1) >/dev/null
is "localhost is never asked by way of a proxy" "$(asked .)" 0
(HTTP_PROXY=http://127.0.0.1:$PORT HTTPS_PROXY=http://127.0.0.1:$PORT look 127.0.0.9:1) >/dev/null
is "nor is an address of the loopback" "$(asked .)" 0
for name in localhost.invalid localhosts.invalid 127.invalid 127.0.0.1.invalid; do
	: >"$DIR/log"
	(HTTP_PROXY=http://127.0.0.1:$PORT HTTPS_PROXY=http://127.0.0.1:$PORT look "$name:5000") >/dev/null
	check "$name only begins like them" test "$(asked "$name:5000")" -ge 1
done
finish
