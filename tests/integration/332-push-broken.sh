#!/bin/bash
# SPDX-License-Identifier: ISC
# Pushing to a registry that breaks off, is busy, points elsewhere or says nonsense: bounded, one clear error.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME"
layout "$WORLD/lay" latest gzip
M=$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}
# One layer is enough: the first, the larger one.
LAYER=$(jq -r '.layers[0].digest' "$M") SIZE=$(jq -r '.layers[0].size' "$M")
cfg=$(jq -r .config.digest "$M")
jq -c '.rootfs.diff_ids |= .[:1] | .history |= .[:1]' "$WORLD/lay/blobs/sha256/${cfg#sha256:}" >"$WORLD/config"
read -r CONFIG csize < <(layout_blob "$WORLD/lay" <"$WORLD/config")
read -r D dsize < <(jq -c --arg c "$CONFIG" --argjson s "$csize" '.layers |= .[:1] | .config.digest = $c | .config.size = $s' "$M" | layout_blob "$WORLD/lay")
layout_top "$WORLD/lay" latest application/vnd.oci.image.manifest.v1+json "$D" "$dsize"
pod pull -q "oci:$WORLD/lay" >/dev/null || not_ok "making the image"

n=0
# server: a registry of its own for each case; sets PORT and DIR
server() {
	n=$((n + 1)) DIR=$WORLD/s$n
	mkdir "$DIR"
	"$BUILD/tests/canned-http" "$DIR" &
	remember_pid $!
	until_ok 20 test -s "$DIR/port"
	PORT=$(cat "$DIR/port")
	# What goes well unless the case says otherwise.
	say "@v2@r@blobs@$LAYER" 404
	# It goes while the layer does: here what comes after what is to be seen of the layer.
	say "@v2@r@blobs@$CONFIG" 200
	say "@v2@r@blobs@uploads@" 202 "Location: /up/1"
	say "@up@1" 202 "Location: /up/1"
	say "@v2@r@manifests@1" 201
}
# say PATH STATUS [HEADER...]
say() {
	local path=$1 status=$2 h
	shift 2
	{
		printf 'HTTP/1.1 %s x\r\nContent-Length: 0\r\nConnection: close\r\n' "$status"
		for h in "$@"; do printf '%s\r\n' "$h"; done
		printf '\r\n'
	} >"$DIR/$path"
}
push() { timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" push -q --tls-verify=false --retry-delay 50ms "$@" localhost/latest "127.0.0.1:$PORT/r:1" 2>&1; }
requests() { grep -aoE '^(HEAD|GET|POST|PATCH|PUT|DELETE) [^ ]*' "$DIR/log" | tr '\n' ';'; }
fails() { # TEXT WORDS [OPTION...]
	local text=$1 words=$2 said st
	shift 2
	said=$(push "$@")
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}

server
say "@v2@r@blobs@$CONFIG" 404
is "the model is good" "$(push)" ""
steps=$(requests | sed "s/$LAYER/L/g; s/$CONFIG/C/g")
is "each step once" "$(tr ';' '\n' <<<"$steps" | sort | tr '\n' ';')" \
	";HEAD /v2/r/blobs/C;HEAD /v2/r/blobs/L;PATCH /up/1;POST /v2/r/blobs/uploads/;POST /v2/r/blobs/uploads/;PUT /up/1?digest=C;PUT /up/1?digest=L;PUT /v2/r/manifests/1;"
check "the manifest when all is there" test "${steps##*;PUT}" = " /v2/r/manifests/1;"
is "a layer whose size is known is announced" "$(grep -ac "Content-Length: $SIZE" "$DIR/log")" 1

server
: >"$DIR/@up@1.1" # breaks off without an answer
say @up@1.2 204 "Range: 0-999" "Location: /up/1"
is "an upload that broke off" "$(push | grep -v again:)" ""
check "is asked how far it came" grep -aq '^GET /up/1' "$DIR/log"
is "and goes on there" "$(grep -ac "Content-Length: $((SIZE - 1000))" "$DIR/log")" 1

server
: >"$DIR/@up@1.1"
say @up@1.2 404
is "a session that is gone: from the beginning" "$(push | grep -v again:)" ""
is "with the whole layer" "$(grep -ac "Content-Length: $SIZE" "$DIR/log")" 2

server
: >"$DIR/@up@1"
fails "one that always breaks off" "copying blob $LAYER" --retry 2
is "has been tried as often as was said" "$(grep -ac '^PATCH' "$DIR/log")" 3

server
say "@v2@r@blobs@uploads@.1" 429 "Retry-After: 1"
say "@v2@r@blobs@uploads@.2" 503
t0=$(date +%s%N)
is "429 and 503 pass" "$(push | grep -v retrying)" ""
check "after the time that was asked for" test $((($(date +%s%N) - t0) / 1000000)) -ge 1000

server
say "@v2@r@blobs@uploads@" 500
fails "500 for ever does not" "StatusCode: 500" --retry 1
server
say "@v2@r@blobs@uploads@" 202
fails "no place for the upload" "names no place for the upload"
for to in file:///etc/passwd "http://u:p@127.0.0.1/x" ftp://127.0.0.1/x; do
	server
	say "@v2@r@blobs@uploads@" 202 "Location: $to"
	fails "an upload to $to" "names no place for the upload"
done
server
say "@v2@r@blobs@uploads@" 307 "Location: /v2/r/blobs/uploads/"
fails "a redirect to itself" "stopped after 10 redirects"
server
say "@up@1" 202 "Location: /up/1"
say "@up@1.2" 400
fails "a digest that the registry refuses" "StatusCode: 400"
server
say "@v2@r@manifests@1" 400
fails "a manifest that it refuses" "uploading manifest 1 to 127.0.0.1:$PORT/r"
server
say "@v2@r@blobs@$LAYER" 401 'WWW-Authenticate: Basic realm="x"'
fails "a password that nobody has" "authentication required"

# --- To directories: what was made is removed, so that the next copy can be made ---
layout "$WORLD/half" latest gzip
last=$(jq -r '.layers[1].digest' "$WORLD/half/blobs/sha256/${LAYOUT_DIGEST#sha256:}")
last=$WORLD/half/blobs/sha256/${last#sha256:}
printf wrong | dd of="$last" bs=1 seek=$(($(stat -c %s "$last") - 8)) conv=notrunc status=none
copy() { timeout 60 "$BIN/pod-image" copy -q --all "$@" 2>&1; }
for to in "dir:$WORLD/new" "oci:$WORLD/new"; do
	said=$(copy "oci:$WORLD/half:latest" "$to")
	is "${to%%:*}: a copy that fails" "$? $(grep -c ^Error: <<<"$said")" "125 1"
	is "leaves nothing there" "$(find "$WORLD/new" -mindepth 1)" ""
	is "and can be made again" "$(copy "oci:$WORLD/lay:latest" "$to")" ""
	if [ "${to%%:*}" = oci ]; then
		(cd "$WORLD/new" && find . -type f -exec sha256sum {} +) | sort >"$WORLD/was"
		copy "oci:$WORLD/half:latest" "$to:other" >/dev/null
		is "what was there before stays" "$(cd "$WORLD/new" && find . -type f -exec sha256sum {} + | sort)" "$(cat "$WORLD/was")"
	fi
	rm -r "$WORLD/new"
done
finish
