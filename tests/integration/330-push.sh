#!/bin/bash
# SPDX-License-Identifier: ISC
# push: to a real registry and to every other transport; digests stay what they were; what is there is not sent.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "pushes to a registry" "docker-registry or skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_start tester secret
TLS=$REGISTRY
layout "$WORLD/gz" latest gzip
D_OCI=$LAYOUT_DIGEST
layout "$WORLD/zst" latest zstd
D_ZST=$LAYOUT_DIGEST
registry_push "$WORLD/gz" latest app:1
registry_push "$WORLD/gz" latest dock:1 --format v2s2
registry_push "$WORLD/zst" latest zapp:1
registry_http_start

access=(--cert-dir "$REGISTRY_CERTS" --creds tester:secret)
http() { local c=$1; shift; pod "$c" --tls-verify=false "$@"; }
tls() { local c=$1; shift; pod "$c" "${access[@]}" "$@"; }
look() { skopeo --insecure-policy inspect "$@"; }
look_tls() { look --cert-dir "$REGISTRY_CERTS" --creds tester:secret "docker://$TLS/$1"; }
look_http() { look --tls-verify=false "docker://$REGISTRY_HTTP/$1"; }
# refused TEXT WORDS COMMAND...
refused() {
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}

# The three have one configuration and so one ID: each gets a store of its own.
in_store() { ROOT=$WORLD/root.$1 RUNROOT=$WORLD/run.$1; }
# The configuration goes beside the layers: both find at the same time that nobody speaks TLS, one later than the other.
P=$(free_port)
python3 - "$P" "${REGISTRY_HTTP##*:}" <<'END' &
import asyncio, sys
seen = 0
async def pump(r, w):
    try:
        while b := await r.read(65536):
            w.write(b)
            await w.drain()
    except OSError:
        pass
    w.close()
async def on(r, w):
    global seen
    b = await r.read(65536)
    if b[:1] == b"\x16":
        seen += 1
        await asyncio.sleep(1 / seen)
        w.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        w.close()
        return
    ur, uw = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    uw.write(b)
    await asyncio.gather(pump(r, uw), pump(ur, w))
async def main():
    await (await asyncio.start_server(on, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
END
remember_pid $!
until_ok 20 curl -s -o /dev/null "http://127.0.0.1:$P/v2/"
mkdir "$WORLD/plain" && echo x >"$WORLD/plain/f"
tar -C "$WORLD/plain" -c f | pod import -q - localhost/plain >/dev/null
is "two requests at once find out that a registry is plain" "$(http push -q localhost/plain "127.0.0.1:$P/plain:1" 2>&1)" ""
pod rmi -f localhost/plain >/dev/null

for n in dock zapp app; do in_store $n && tls pull -q "$TLS/$n:1" >/dev/null; done
D_DOCK=$(look_tls dock:1 | jq -r .Digest)

# --- the very same image elsewhere ---
for n in "app $D_OCI" "dock $D_DOCK" "zapp $D_ZST"; do
	in_store "${n% *}"
	said=$(http push --digestfile "$WORLD/digest" "$TLS/${n% *}:1" "$REGISTRY_HTTP/new/${n% *}:2" 2>&1)
	is "${n% *} keeps its digest on an empty registry: $(tail -1 <<<"$said")" "$(cat "$WORLD/digest")" "${n#* }"
	is "${n% *} is what another tool finds there" "$(look_http "new/${n% *}:2" | jq -r .Digest)" "${n#* }"
	is "with its layers" "$(look_http "new/${n% *}:2" | jq -c .Layers)" "$(look_tls "${n% *}:1" | jq -c .Layers)"
done
in_store app
said=$(http push "$TLS/app:1" "$REGISTRY_HTTP/new/app:3" 2>&1)
is "what is there is not sent again" "$(grep -c 'skipped: already exists' <<<"$said")" 2
said=$(tls push "$TLS/app:1" "$TLS/elsewhere/app:1" 2>&1)
is "within a registry blobs are mounted" "$(grep -c 'skipped: already exists' <<<"$said")" 2
is "and the image is whole" "$(look_tls elsewhere/app:1 | jq -r .Digest)" "$D_OCI"
is "nothing on standard output" "$(http push -q "$TLS/app:1" "$REGISTRY_HTTP/new/app:4" 2>&1)" ""
skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$REGISTRY_HTTP/new/app:2" "oci:$WORLD/back:x" &&
	is "pulled back by another tool" "$(jq -r '.manifests[0].digest' "$WORLD/back/index.json")" "$D_OCI"
(ROOT=$WORLD/root2 RUNROOT=$WORLD/run2
	http pull -q "$REGISTRY_HTTP/new/app@$D_OCI" >/dev/null && echo 1) >"$WORLD/again"
is "pulled back by digest" "$(cat "$WORLD/again")" 1

# --- what was made here ---
busybox_image localhost/made >"$WORLD/made.id"
http push --digestfile "$WORLD/made" localhost/made "$REGISTRY_HTTP/made" 2>/dev/null
is "without a tag it is latest" "$(look_http made:latest | jq -r .Digest)" "$(cat "$WORLD/made")"
check "its layer is compressed" grep -q 'tar+gzip' <<<"$(look --raw --tls-verify=false "docker://$REGISTRY_HTTP/made")"
said=$(http push --digestfile "$WORLD/made2" localhost/made "$REGISTRY_HTTP/made" 2>&1)
check "the next push need not compress it to find out" grep -q "skipped: already exists" <<<"$said"
check "and gives the same digest" cmp -s "$WORLD/made" "$WORLD/made2"
http pull -q "$REGISTRY_HTTP/made" >"$WORLD/id"
is "it comes back as the same image" "$(cat "$WORLD/id")" "$(cat "$WORLD/made.id")"

# --- forms ---
types() { look --raw --tls-verify=false "docker://$REGISTRY_HTTP/$1" | jq -r '.mediaType, .layers[].mediaType' | tr '\n' ' '; }
oci=application/vnd.oci.image dock=application/vnd.docker
http push -q --compression-format zstd "$TLS/app:1" "$REGISTRY_HTTP/f:zstd"
is "zstd by wish" "$(types f:zstd)" "$oci.manifest.v1+json $oci.layer.v1.tar+zstd $oci.layer.v1.tar+zstd "
http push -q --compression-format zstd --compression-level 15 localhost/made "$REGISTRY_HTTP/f:zstd15"
http push -q --compression-format zstd --compression-level 1 localhost/made "$REGISTRY_HTTP/f:zstd1"
size() { look --raw --tls-verify=false "docker://$REGISTRY_HTTP/$1" | jq '.layers[0].size'; }
check "a higher level is smaller" test "$(size f:zstd15)" -lt "$(size f:zstd1)"
http push -q --format v2s2 "$TLS/app:1" "$REGISTRY_HTTP/f:v2s2"
is "Docker's manifest by wish" "$(types f:v2s2)" \
	"$dock.distribution.manifest.v2+json $dock.image.rootfs.diff.tar.gzip $dock.image.rootfs.diff.tar.gzip "
in_store dock
http push -q --format oci "$TLS/dock:1" "$REGISTRY_HTTP/f:oci"
is "OCI's by wish" "$(types f:oci)" "$oci.manifest.v1+json $oci.layer.v1.tar+gzip $oci.layer.v1.tar+gzip "
in_store zapp
http push -q --compression-format gzip --force-compression=false "$TLS/zapp:1" "$REGISTRY_HTTP/f:keep"
is "without force other compressions stay" "$(look_http f:keep | jq -r .Digest)" "$D_ZST"
in_store app
refused "zstd in Docker's manifest" "cannot be written in the format v2s2" \
	http push -q --format v2s2 --compression-format zstd "$TLS/app:1" "$REGISTRY_HTTP/f:no"
refused "an unknown format" "supported formats" http push --format x "$TLS/app:1" "$REGISTRY_HTTP/f:no"
refused "schema 1" "v2s1" http push --format v2s1 "$TLS/app:1" "$REGISTRY_HTTP/f:no"
is "the config is the same in all of them" "$(for t in zstd v2s2 oci; do
	look --raw --tls-verify=false "docker://$REGISTRY_HTTP/f:$t" | jq -r .config.digest
done | sort -u | wc -l)" 1

# --- other transports ---
# What is made of a layer does not depend on the pieces in which it is read.
for as in gzip zstd zstd:chunked; do
	for i in 1 2 3 4 5 6; do
		pod push -q --compression-format $as localhost/made "oci:$WORLD/same.$i:x"
		jq -r '.manifests[0].digest' "$WORLD/same.$i/index.json"
		rm -r "$WORLD/same.$i"
	done | sort -u >"$WORLD/same"
	is "the same digest each time: $as" "$(wc -l <"$WORLD/same")" 1
done
for to in "dir:$WORLD/o.dir" "oci:$WORLD/o.oci:x" "oci-archive:$WORLD/o.tar:x"; do
	pod push -q "$TLS/app:1" "$to"
	is "to ${to%%:*}, digest kept" "$(look "$to" | jq -r .Digest)" "$D_OCI"
done
pod push -q "$TLS/app:1" "docker-archive:$WORLD/d.tar:example.com/x:1"
is "to docker-archive" "$(look --config "docker-archive:$WORLD/d.tar:example.com/x:1" | jq -c .rootfs.diff_ids)" \
	"$(look_tls app:1 >/dev/null; look --config --cert-dir "$REGISTRY_CERTS" --creds tester:secret "docker://$TLS/app:1" | jq -c .rootfs.diff_ids)"
refused "to docker-archive again" "doesn't support modifying existing images" pod push -q "$TLS/app:1" "docker-archive:$WORLD/d.tar"
pod push -q --compression-format zstd "$TLS/app:1" "oci:$WORLD/o.oci:y"
is "a layout keeps its other images" "$(jq '.manifests | length' "$WORLD/o.oci/index.json")" 2
check "and no leftovers" test -z "$(find "$WORLD/o.oci" -name '*incoming*' -o -name '*.new')"
mkdir "$WORLD/full" && touch "$WORLD/full/x"
refused "dir: does not write into a directory of something else" "is not empty" pod push -q "$TLS/app:1" "dir:$WORLD/full"

# --- the configuration goes while the layers do ---
mkdir "$WORLD/beside" && echo one >"$WORLD/beside/f"
tar -C "$WORLD/beside" -c f | pod import -q - localhost/beside >/dev/null
asked=$(POD_TRACE=1 http push localhost/beside "$REGISTRY_HTTP/beside:1" 2>&1 | sed -n 's/.*image>fetch #[0-9]* push_\([a-z]*\) .*/\1/p' | uniq | tr '\n' ' ')
is "the configuration is sent before the layers are through" "$(sed 's/check //g' <<<"$asked" | cut -d' ' -f1,2)" "data blob"
check "and the image is there" test "$(look_http beside:1 | jq -r '.Layers | length')" = 1
asked=$(POD_TRACE=1 http push localhost/beside "$REGISTRY_HTTP/beside:2" 2>&1 | sed -n 's/.*image>fetch #[0-9]* push_\([a-z]*\) .*/\1/p' | uniq | tr '\n' ' ')
is "without layers to send nothing is begun" "$asked" "check data manifest "
pod rmi -f localhost/beside >/dev/null

# --- what goes wrong ---
refused "an image that is not there" "no-such: image not known" http push no-such "$REGISTRY_HTTP/x"
refused "a wrong password" "unauthorized" pod push --cert-dir "$REGISTRY_CERTS" --creds tester:no "$TLS/app:1" "$TLS/x:1"
refused "an unknown CA" "certificate signed by unknown authority" pod push --creds tester:secret "$TLS/app:1" "$TLS/x:1"
refused "nobody listens" "connection refused" pod push "$TLS/app:1" localhost:1/x
refused "a wrong destination" "invalid reference format" http push "$TLS/app:1" "$REGISTRY_HTTP/UPPER"
blob=$(find "$ROOT/layers" -name 'blob.*' -size +20k | sed -n 1p)
printf 'x' | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
find "$ROOT/layers" -name places -delete # else it would only be mounted
refused "a blob that was damaged on disk is not sent" "digest mismatch" http push "$TLS/app:1" "$REGISTRY_HTTP/damaged:1"
check "nor a manifest that names it" test "$(curl -s -o /dev/null -w '%{http_code}' "http://$REGISTRY_HTTP/v2/damaged/manifests/1")" = 404
mkdir "$WORLD/changed" && echo one >"$WORLD/changed/f"
tar -C "$WORLD/changed" -c f | pod import -q - localhost/changed >/dev/null
layer=$(pod image inspect --format '{{index .RootFS.Layers 0}}' localhost/changed)
layer=$ROOT/layers/${layer#sha256:}
if [ -d "$layer/diff" ]; then echo two >"$layer/diff/f"; else sed -i s/one/two/ "$layer/tar"; fi
refused "a layer whose files were changed is not sent" "its DiffID is" http push localhost/changed "$REGISTRY_HTTP/changed:1"
refused "nor saved" "digest mismatch" pod save -q -o "$WORLD/changed.tar" localhost/changed
pod rmi -f localhost/changed >/dev/null

for n in dock zapp app; do in_store $n && pod image prune -af >/dev/null; done

# --- an ordinary user ---
if ordinary_user; then
	chmod -R a+rX "$REGISTRY_CERTS"
	up() { as_user "$BIN/pod" --root "/home/$world_user/r" --runroot "/tmp/$world_user.run" "$@" 2>"$WORLD/user.err"; }
	up pull -q "${access[@]}" "$TLS/dock:1" >/dev/null
	up push -q --tls-verify=false "$TLS/dock:1" "$REGISTRY_HTTP/user:1"
	is "an ordinary user: $(cat "$WORLD/user.err")" "$(look_http user:1 | jq -r .Digest)" "$D_DOCK"
	rm -rf "/tmp/$world_user.run"
else
	skip "an ordinary user" "it takes root to make one"
fi
finish
