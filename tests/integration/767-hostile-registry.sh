#!/bin/bash
# SPDX-License-Identifier: ISC
# Registries that stall, never end, go in circles or lie about lengths: one clear error in bounded time and memory, and
# nothing stored (032 has the lies about contents).
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME" "$WORLD/s"
layout "$WORLD/lay" latest gzip
M=${LAYOUT_DIGEST#sha256:} B=$WORLD/lay/blobs/sha256
C=$(jq -r .config.digest "$B/$M") L1=$(jq -r '.layers[0].digest' "$B/$M") L2=$(jq -r '.layers[1].digest' "$B/$M")
DIR=$WORLD/s
"$BUILD/tests/canned-http" "$DIR" &
remember_pid $!
until_ok 20 test -s "$DIR/port"
H=127.0.0.1:$(cat "$DIR/port")
# A transfer that does not move is given up after a second, a document after five.
export POD_REGISTRY_TIMEOUT=1

# say PATH STATUS FILE [HEADER...]: the whole answer; LENGTH= leaves Content-Length out, LENGTH=n lies
say() {
	local to=$DIR/${1//\//@} status=$2 file=$3 h
	local length=${LENGTH-$(stat -c %s "$3")}
	shift 3
	{
		printf 'HTTP/1.1 %s\r\nConnection: close\r\n' "$status"
		[ -z "$length" ] || printf 'Content-Length: %s\r\n' "$length"
		for h; do printf '%s\r\n' "$h"; done
		printf '\r\n'
		cat "$file"
	} >"$to"
}
# slowly PATH BYTES MILLISECONDS: its answer goes out in such pieces
slowly() { echo "$2 $3" >"$DIR/${1//\//@}.slow"; }
good() { # REPOSITORY: everything that is needed to pull it
	local d
	say "/v2/$1/manifests/latest" "200 OK" "$B/$M"
	for d in "$C" "$L1" "$L2"; do say "/v2/$1/blobs/$d" "200 OK" "$B/${d#sha256:}"; done
}
# image REPOSITORY FILTER: the good manifest changed by jq, and its blobs
image() {
	good "$1"
	jq -c "$2" "$B/$M" >"$WORLD/m" && say "/v2/$1/manifests/latest" "200 OK" "$WORLD/m"
}
# Heaps of more than 128 MB and runs of more than 40 s are not bounded.
pull() { (ulimit -d 131072 && timeout 40 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pull -q --tls-verify=false --retry 0 "$H/$1"); }
stored() { ls "$ROOT/layers" "$ROOT/tmp" 2>/dev/null | grep -v :; pod images -aq; }
refused() { # TEXT WORDS REPOSITORY
	local said st start=$SECONDS
	said=$(pull "$3" 2>&1 >/dev/null)
	st=$?
	until_ok 20 nothing_in "$ROOT/tmp"
	if [ "$st" != 125 ] || [ "$(grep -c '^Error:' <<<"$said")" != 1 ] || [[ $said != *"$2"* ]]; then
		not_ok "$1: $st: $said"
	elif [ -n "$(stored)" ]; then
		not_ok "$1: something stayed: $(stored)"
	else
		ok "$1 ($((SECONDS - start)) s)"
	fi
}
: >"$WORLD/none"

good fine
is "the model is good" "$(pull fine)" "${C#sha256:}"
pod rmi -a -f >/dev/null

# --- What stalls, all at once: each costs seconds of waiting ---------------------------------------------------
stall() { # REPOSITORY PATH BYTES MS: good but for that
	good "$1"
	slowly "/v2/$1/$2" "$3" "$4"
}
stall silent manifests/latest 1 60000
stall head manifests/latest 1 100
stall body manifests/latest 400 60000
head -c 60000 /dev/zero | tr '\0' ' ' | cat "$B/$M" - >"$WORLD/wide"
good trickle && say /v2/trickle/manifests/latest "200 OK" "$WORLD/wide" && slowly /v2/trickle/manifests/latest 100 100
stall blob "blobs/$L1" 30000 60000
stall drops "blobs/$L1" 1 50
stall config "blobs/$C" 1 50
say /v2/token/manifests/latest "401 Unauthorized" "$WORLD/none" "WWW-Authenticate: Bearer realm=\"http://$H/token\""
printf '{"token":"x"}' >"$WORLD/token" && say /token "200 OK" "$WORLD/token" && slowly /token 1 100
root=$ROOT
for r in silent head body trickle blob drops config token; do
	(ROOT=$WORLD/root.$r RUNROOT=$WORLD/run.$r; start=$SECONDS; pull $r >/dev/null 2>"$WORLD/$r.err"; echo $? >"$WORLD/$r.st"; echo $((SECONDS - start)) >"$WORLD/$r.s") &
	stalled+=($!)
done
wait "${stalled[@]}"
gave_up() { # TEXT WORDS REPOSITORY
	ROOT=$WORLD/root.$3 RUNROOT=$WORLD/run.$3
	until_ok 20 nothing_in "$ROOT/tmp"
	if [ "$(cat "$WORLD/$3.st")" = 125 ] && [ "$(grep -c '^Error:' "$WORLD/$3.err")" = 1 ] && grep -qF "$2" "$WORLD/$3.err" && [ -z "$(stored)" ]; then
		ok "$1 ($(cat "$WORLD/$3.s") s)"
	else
		not_ok "$1: $(cat "$WORLD/$3.st"): $(cat "$WORLD/$3.err") $(stored)"
	fi
}
gave_up "a registry that says nothing" "i/o timeout" silent
gave_up "headers of ten bytes a second" "i/o timeout" head
gave_up "a manifest that stops in the middle" "i/o timeout" body
gave_up "a manifest that trickles for ever" "i/o timeout" trickle
gave_up "a layer that stops in the middle" "copying blob $L1" blob
gave_up "a layer of twenty bytes a second" "i/o timeout" drops
gave_up "a configuration of twenty bytes a second" "i/o timeout" config
gave_up "a token service that stalls" "unable to retrieve auth token" token
ROOT=$root RUNROOT=$WORLD/run

# --- What never ends ------------------------------------------------------------------------------------------
{ printf 'HTTP/1.1 200 OK\r\n' && for i in $(seq 5000); do printf 'X-Header-%d: %0200d\r\n' "$i" 0; done; } >"$DIR/@v2@headers@manifests@latest"
refused "headers without end" "" headers
{ for i in $(seq 20000); do printf 'HTTP/1.1 100 Continue\r\n\r\n'; done; } >"$DIR/@v2@continue@manifests@latest"
refused "answers that are none without end" "" continue
LENGTH= say /v2/missing/manifests/latest "404 Not Found" "$WORLD/none" && truncate -s 3G "$DIR/@v2@missing@manifests@latest"
refused "a refusal of 3 GB" "StatusCode: 404" missing
LENGTH= say /v2/endless/manifests/latest "200 OK" "$WORLD/none" && truncate -s 3G "$DIR/@v2@endless@manifests@latest"
refused "a manifest of 3 GB" "larger than allowed" endless
good bigconfig && LENGTH= say "/v2/bigconfig/blobs/$C" "200 OK" "$WORLD/none" && truncate -s 3G "$DIR/@v2@bigconfig@blobs@$C"
refused "a configuration of 3 GB" "" bigconfig
good bigblob && LENGTH= say "/v2/bigblob/blobs/$L1" "200 OK" "$B/${L1#sha256:}" && truncate -s 3G "$DIR/@v2@bigblob@blobs@$L1"
refused "a layer of 3 GB that should have less" "larger than the" bigblob
say /v2/bigtoken/manifests/latest "401 Unauthorized" "$WORLD/none" "WWW-Authenticate: Bearer realm=\"http://$H/bigtoken\""
LENGTH= say /bigtoken "200 OK" "$WORLD/none" && truncate -s 3G "$DIR/@bigtoken"
refused "a token of 3 GB" "unable to retrieve auth token" bigtoken
printf '{"tags":["latest"]}' >"$WORLD/tags" && good circle && say /v2/circle/tags/list "200 OK" "$WORLD/tags" 'Link: </v2/circle/tags/list?last=latest>; rel="next"'
said=$(timeout 40 "$BIN/pod-image" list-tags --tls-verify=false --retry 0 "docker://$H/circle" 2>&1)
is "tags whose next page is the same one are told once" "$? $(jq -c .Tags <<<"$said")" '0 ["latest"]'

# --- Circles ---------------------------------------------------------------------------------------------------
say /v2/round/manifests/latest "302 Found" "$WORLD/none" "Location: /v2/round/manifests/other"
say /v2/round/manifests/other "307 Temporary Redirect" "$WORLD/none" "Location: http://$H/v2/round/manifests/latest"
refused "redirects in a circle" "stopped after 10 redirects" round
say /v2/turns/manifests/latest "401 Unauthorized" "$WORLD/none" "WWW-Authenticate: Bearer realm=\"http://$H/turns\""
say /turns "302 Found" "$WORLD/none" "Location: /turns"
refused "a token service that redirects to itself" "unable to retrieve auth token" turns
say /v2/never/manifests/latest "401 Unauthorized" "$WORLD/none" "WWW-Authenticate: Bearer realm=\"http://$H/gives\""
printf '{"token":"good"}' >"$WORLD/token" && say /gives "200 OK" "$WORLD/token"
: >"$DIR/log"
refused "a token that is never accepted" "unauthorized" never
check "is not asked for many times" [ "$(grep -c '^GET /gives' "$DIR/log")" -le 3 ]
for x in -5 99999999999999999999 '"soon"'; do
	printf '{"token":"good","expires_in":%s}' "$x" >"$WORLD/token" && say /gives "200 OK" "$WORLD/token"
	refused "a token for $x seconds" "" never
done

# --- Lengths ---------------------------------------------------------------------------------------------------
good nolength && LENGTH= say /v2/nolength/manifests/latest "200 OK" "$B/$M" && LENGTH= say "/v2/nolength/blobs/$L1" "200 OK" "$B/${L1#sha256:}"
# Refused, or taken as the very image that it is.
harmless() { # TEXT REPOSITORY
	local said st
	said=$(pull "$2" 2>&1)
	st=$?
	if [ "$st" = 0 ]; then
		is "$1 (taken)" "$said" "${C#sha256:}"
		pod rmi -a -f >/dev/null
	else
		is "$1 (refused)" "$st $(grep -c '^Error:' <<<"$said")$(stored)" "125 1"
	fi
}
harmless "without Content-Length" nolength
for l in -1 99999999999999999999 12abc; do
	good length && LENGTH=$l say /v2/length/manifests/latest "200 OK" "$B/$M"
	harmless "a manifest of $l bytes" length
	good length && LENGTH=$l say "/v2/length/blobs/$L1" "200 OK" "$B/${L1#sha256:}"
	harmless "a layer of $l bytes" length
done
good two && LENGTH= say /v2/two/manifests/latest "200 OK" "$B/$M" "Content-Length: 5" "Content-Length: 900"
harmless "two lengths" two
good chunk && { printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n'; cat "$B/$M"; } >"$DIR/@v2@chunk@manifests@latest"
refused "a chunk of more bytes than there are numbers" "" chunk
good cut && LENGTH=$(($(stat -c %s "$B/$M") + 1)) say /v2/cut/manifests/latest "200 OK" "$B/$M"
harmless "a manifest that is shorter than said" cut
good cutconfig && head -c 100 "$B/${C#sha256:}" >"$WORLD/c" && say "/v2/cutconfig/blobs/$C" "200 OK" "$WORLD/c"
refused "a configuration that is shorter than described" "" cutconfig
image size '.layers[0].size = 9223372036854775807'
refused "a layer described with 2^63-1 bytes" "" size
image negative '.layers[0].size = -1'
refused "and with fewer than none" "" negative

# --- Documents -------------------------------------------------------------------------------------------------
{ head -c 1000000 /dev/zero | tr '\0' '['; } >"$WORLD/m" && say /v2/depth/manifests/latest "200 OK" "$WORLD/m"
refused "a million brackets" "" depth
image depth ".annotations = {\"a\": $(printf '[%.0s' $(seq 200))$(printf ']%.0s' $(seq 200))}"
refused "depth where nobody looks" "" depth
image width '.annotations = ([range(60000)] | map({key: "k\(.)", value: "v"}) | from_entries)'
harmless "60000 annotations" width
image layers '.layers = [range(30000) as $i | {mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: ("sha256:" + "0" * 64), size: 1}]'
refused "30000 layers" "" layers
printf '<html><body>Sign in</body></html>' >"$WORLD/m" && say /v2/html/manifests/latest "200 OK" "$WORLD/m" "Content-Type: text/html"
refused "a portal's page" "" html
image media '.mediaType = "application/vnd.example.thing+json"'
refused "a manifest of a foreign media type" "application/vnd.example.thing+json" media
image layertype '.layers[0].mediaType = "application/vnd.example.layer"'
refused "a layer of a foreign media type" "application/vnd.example.layer" layertype
image configtype '.config.mediaType = "application/vnd.example.config+json"'
refused "a configuration of a foreign media type" "application/vnd.example.config+json" configtype

# --- Bombs -----------------------------------------------------------------------------------------------------
# bomb REPOSITORY TYPE <LAYER: the good image with another first layer
bomb() {
	local d size
	read -r d size < <(layout_blob "$WORLD/lay")
	image "$1" ".layers[0] |= (.digest = \"$d\" | .size = $size | .mediaType |= sub(\"gzip\"; \"$2\"))"
	say "/v2/$1/blobs/$d" "200 OK" "$B/${d#sha256:}"
}
printf '\050\265\057\375\000\250\001\000\000' | bomb window zstd
refused "zstd with a window of 2 GiB" "" window
head -c 64M /dev/zero | gzip -n >"$WORLD/zeros"
for i in $(seq 64); do cat "$WORLD/zeros"; done | bomb zeros gzip
refused "4 GiB of zeros in 4 MB" "" zeros

user_part <<END
export POD_REGISTRY_TIMEOUT=1
declare -A words=([silent]="i/o timeout" [drops]="i/o timeout" [round]="stopped after 10 redirects" [endless]="larger than allowed" [zeros]="")
for r in "\${!words[@]}"; do
	said=\$(timeout 40 "\$BIN/pod" --root "\$ROOT" --runroot "\$RUNROOT" pull -q --tls-verify=false --retry 0 "$H/\$r" 2>&1 >/dev/null)
	is "user: \$r" "\$? \$(grep -c "^Error:.*\${words[\$r]}" <<<"\$said") \$(pod images -aq | wc -l)" "125 1 0"
done
END
