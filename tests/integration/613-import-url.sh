#!/bin/bash
# SPDX-License-Identifier: ISC
# What comes from elsewhere: import from a URL; files of an artifact in a container.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../registry.sh"
world
cd "$WORLD" || exit 1
rootfs "$WORLD/fs"
mkdir www
tar -C fs --owner=0 --group=0 -cf www/fs.tar .
gzip -nk www/fs.tar
head -c 600000 www/fs.tar >www/short.tar
echo 'no tar at all' >www/text
port=$(free_port)
busybox httpd -f -p "127.0.0.1:$port" -h www &
remember_pid $!
until_ok 20 curl -s -o /dev/null "http://127.0.0.1:$port/text"
url=http://127.0.0.1:$port

id=$(pod import -q "$url/fs.tar" localhost/u:1)
is "an image" "$(pod run --rm --network none localhost/u:1 cat /www/index.html)" "hello from pod"
is "the same layer as from the file" "$(pod image inspect --format '{{.RootFS.Layers}}' "$id")" "[sha256:$(sha256sum www/fs.tar | cut -d' ' -f1)]"
is "compressed" "$(pod import -q "$url/fs.tar.gz" localhost/u:2 >/dev/null; pod image inspect --format '{{.RootFS.Layers}}' localhost/u:2)" "$(pod image inspect --format '{{.RootFS.Layers}}' localhost/u:1)"
is "a bad name is refused before anything is fetched" "$(pod import "$url/fs.tar" BAD 2>&1)" 'Error: parsing reference "BAD": invalid reference format: repository name must be lowercase'
is "says so" "$(pod import "$url/fs.tar" 2>&1 >/dev/null | sed -n 1p)" "Downloading from \"$url/fs.tar\""
before=$(pod images -aq | sort)
for bad in "$url/nosuch" "$url/short.tar" "$url/text" http://127.0.0.1:1/x http://user:pw@127.0.0.1/x "http:///x" "https://127.0.0.1:$port/fs.tar"; do
	out=$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" import -q "$bad" localhost/bad:1 2>&1)
	is "refused: $bad" "$? $(printf '%s\n' "$out" | grep -c '^Error: ')" "125 1"
done
is "and nothing is left of it" "$(pod images -aq | sort)" "$before"

# --- Artifacts in containers
echo one >f1
echo two >f2
pod artifact add a1 f1 >/dev/null
pod artifact add a2 f1 f2 >/dev/null
inside() { pod run --rm --network none --mount "$1" localhost/u:1 sh -c "$2" 2>&1; }
is "one file at a path" "$(inside type=artifact,src=a1,dst=/data 'cat /data')" one
is "in a directory of the image" "$(inside type=artifact,src=a1,dst=/tmp 'cat /tmp/f1')" one
is "several below" "$(inside type=artifact,src=a2,dst=/data 'cat /data/f1 /data/f2' | tr '\n' ' ')" "one two "
is "chosen by title" "$(inside type=artifact,source=a2,target=/data,title=f2 'cat /data')" two
is "chosen by digest" "$(inside "type=artifact,src=a2,destination=/data,digest=sha256:$(sha256sum f2 | cut -d' ' -f1)" 'cat /data')" two
is "with a name" "$(inside type=artifact,src=a1,dst=/tmp,name=n 'cat /tmp/n') $(inside type=artifact,src=a2,dst=/d,name=n 'cat /d/n-1')" "one two"
is "it cannot be written" "$(inside type=artifact,src=a1,dst=/data 'echo x >/data' >/dev/null; echo $?) $(pod artifact extract a1 out; cat out)" "1 one"
is "it stays in a container that is started again" "$(pod create --name c --network none --mount type=artifact,src=a1,dst=/data localhost/u:1 cat /data >/dev/null; pod start -a c; pod start -a c)" "$(printf 'one\none')"
for bad in type=artifact,src=nosuch,dst=/d type=artifact,src=a1 type=artifact,dst=/d type=artifact,src=a1,dst=/d,title=x type=artifact,src=a1,dst=/d,digest=x type=artifact,src=a1,dst=/d,bad=1 type=artifact,src=a1,dst=/d,title=; do
	out=$(inside "$bad" true)
	is "refused: $bad" "$? $(printf '%s\n' "$out" | grep -c '^Error: ')" "125 1"
done
is "no container is left of those" "$(pod ps -aq | wc -l)" 1

user_part <<'END'
cd "$WORLD" && echo mine >f1
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -cf fs.tar .
port=$(free_port)
busybox httpd -f -p "127.0.0.1:$port" -h "$WORLD" &
httpd=$!
until_ok 20 curl -s -o /dev/null "http://127.0.0.1:$port/f1"
pod import -q "http://127.0.0.1:$port/fs.tar" localhost/u:1 >/dev/null
kill $httpd
is "user: import" "$(pod run --rm --network none localhost/u:1 cat /www/index.html)" "hello from pod"
pod artifact add a1 f1 >/dev/null
is "user: an artifact in a container" "$(pod run --rm --network none --mount type=artifact,src=a1,dst=/data localhost/u:1 cat /data)" mine
END
