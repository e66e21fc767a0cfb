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
# names NO_PROXY TEXT WANT: how often the proxy is asked for a registry of that name
for row in 'registry.invalid:5000|a name with its port|0' 'registry.invalid:5001|with another port|1' '.invalid|what ends like this|0' \
	'*.invalid|with a star|0' '.registry.invalid|what is below it, not itself|1'; do
	IFS='|' read -r no text want <<<"$row"
	: >"$DIR/log"
	said=$(HTTP_PROXY=http://127.0.0.1:$PORT NO_PROXY=$no look registry.invalid:5000)
	is "NO_PROXY, $text" "$(asked '^GET ')" "$want"
done
# A proxy that speaks SOCKS: greeted, asked for a name, and gone.
port=$(free_port)
python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[2] + ".ready", "w")
c = s.accept()[0]
c.recv(100)
c.sendall(b"\5\0")
open(sys.argv[2], "wb").write(c.recv(100))' "$port" "$WORLD/socks" &
remember_pid $!
until_ok 10 test -e "$WORLD/socks.ready"
(HTTP_PROXY=socks5://127.0.0.1:$port timeout 10 "$BIN/pod-image" inspect --raw --retry 0 --tls-verify=false docker://registry.invalid:5000/a:1) >/dev/null 2>&1
check "socks5: the proxy looks the name up" grep -qa registry.invalid "$WORLD/socks"
finish
