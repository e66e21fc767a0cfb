#!/bin/bash
# SPDX-License-Identifier: ISC
# Hostile images from end to end: what the workers alone cannot show (050 and 032 have the rest).
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
# Crowds of files belong into memory, on a mount that nobody else sees.
if [ "$(id -u)" = 0 ] && [ -z "${IN_MEMORY:-}" ]; then
	exec unshare -m --propagation private bash -c 'mount -t tmpfs -o nr_inodes=0 none /mnt && IN_MEMORY=1 exec bash "$0"' "$0"
fi
world
lib=$BUILD/libexec/pod
layer=$BUILD/tests/hostile-layer
mem=$WORLD/mem
[ -z "${IN_MEMORY:-}" ] || mem=/mnt
busybox_image localhost/base >/dev/null

# --- Crowds: bounded time and memory -----------------------------------------------------------------------
crowd() { # CASE MEGABYTES COMMAND...: unpacked with so much memory at most, and then COMMAND is true there
	local name=$1 mb=$2 dir=$mem/$1 said
	shift 2
	mkdir -p "$dir/layer" "$mem/outside"
	said=$( (ulimit -v $((mb * 1024)); "$layer" "$name" "$mem/outside" | "$lib/pod-store-unpack" 4<"$dir/layer" 5>"$dir/index") 2>&1)
	if [[ $said != *end ]] || [[ $said == *error* ]]; then
		not_ok "$name: $said"
	else
		cd "$dir/layer" || exit 1
		check "$name: unpacked in $mb MB" "$@"
		cd / || exit 1
	fi
	rm -rf "$dir"
}
crowd big_dir 64 test -e many/0/199999
twins() { [ "$(cat README readme $'caf\xc3\xa9' $'cafe\xcc\x81')" = upperlowernfcnfd ] && [ -L dir ] && [ -f Dir/escaped ] && [ -z "$(ls "$mem/outside")" ]; }
crowd twins 64 twins
# ext4 refuses the 65001st name of a file, others do not.
mkdir "$WORLD/links"
said=$("$layer" many_links "$WORLD" | "$lib/pod-store-unpack" 4<"$WORLD/links" 2>&1 >"$WORLD/links.out")
if grep -q ^error "$WORLD/links.out"; then
	is "more than 65000 hard links: refused with one clear word" "$said" "Error: linking l/64999: too many links"
else
	is "more than 65000 hard links" "$(stat -c %h "$WORLD/links/first")" 70001
fi
rm -rf "$WORLD/links"
[ "$mem" = /mnt ] && crowd many_links 64 test l/0 -ef l/69999

# --- Layouts: the good one with one thing changed ------------------------------------------------------------
layout "$WORLD/lay" latest gzip
M=${LAYOUT_DIGEST#sha256:}
good=$(cat "$WORLD/lay/blobs/sha256/$M")
config=$(jq -r .config.digest <<<"$good")
config_text=$(cat "$WORLD/lay/blobs/sha256/${config#sha256:}")
# A layout in $WORLD/hl whose configuration went through jq's FILTER, all digests right
with_config() {
	local c d
	rm -rf "$WORLD/hl" && cp -a "$WORLD/lay" "$WORLD/hl"
	c=$(jq -c "$@" <<<"$config_text" | layout_blob "$WORLD/hl")
	d=$(jq -c --arg d "${c% *}" --argjson n "${c#* }" '.config.digest = $d | .config.size = $n' <<<"$good" | layout_blob "$WORLD/hl")
	jq -c --arg d "${d% *}" --argjson n "${d#* }" '.manifests[0].digest = $d | .manifests[0].size = $n' "$WORLD/lay/index.json" >"$WORLD/hl/index.json"
}
with_index() { rm -rf "$WORLD/hl" && cp -a "$WORLD/lay" "$WORLD/hl" && jq -c "$@" "$WORLD/lay/index.json" >"$WORLD/hl/index.json"; }
stored() { pod images -aq --no-trunc | sort; find "$ROOT/layers" "$ROOT/tmp" -mindepth 1 -maxdepth 1 | sort; }
refused() { # TEXT WORDS: the layout is refused with one line, soon, and nothing of it stays
	local before after said st start=$SECONDS
	before=$(stored)
	said=$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" pull -q "oci:$WORLD/hl" 2>&1 >/dev/null)
	st=$?
	until_ok 20 nothing_in "$ROOT/tmp"
	after=$(stored)
	if [ "$st" != 125 ] || [ "$(grep -c '^Error:' <<<"$said")" != 1 ] || [[ $said != *"$2"* ]]; then
		not_ok "$1: $st: $said"
	elif [ "$before" != "$after" ]; then
		not_ok "$1: something stayed"
	else
		ok "$1 (in $((SECONDS - start)) s): ${said:0:90}"
	fi
}
with_config '.' && check "the model is good" test -n "$(pod pull -q "oci:$WORLD/hl")"
pod rmi -a -f >/dev/null 2>&1
busybox_image localhost/base >/dev/null
with_config '.rootfs.diff_ids[0] |= "sha256:" + ("0" * 64)' && refused "another DiffID in the configuration (50)" "DiffID"
with_config '.rootfs.diff_ids |= reverse' && refused "DiffIDs in another order (50)" "DiffID"
with_config '.rootfs.diff_ids += [.rootfs.diff_ids[0]]' && refused "a DiffID without a layer (63)" "layers"
with_config '.rootfs.diff_ids[0] = "sha512:" + ("0" * 128)' && refused "a DiffID of another algorithm (62)" ""
with_config '.config.Labels.x = ("y" * 10000000)' && refused "labels of 10 MB (66)" "too large"
with_config '.config.Volumes = ([range(100000)] | map({key: "/v\(.)", value: {}}) | from_entries)' && refused "100000 volumes (66)" ""
with_index '.manifests = [range(20000) as $i | .manifests[0]]' && refused "an index of 20000 entries (67)" ""
with_index '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "../../../../etc/cron.d/x"' &&
	refused "a reference that is a path" ""
rm -rf "$WORLD/hl" && cp -a "$WORLD/lay" "$WORLD/hl"
sed 's/^{/{"schemaVersion":2,/' "$WORLD/lay/index.json" >"$WORLD/hl/index.json" && refused "a key twice (65)" ""

# --- Configurations that are hostile only once something runs (66) ----------------------------------------------
# harmless TEXT FILTER COMMAND...: pulled, and then the command says nothing of the host and changes nothing there
pulled() {
	with_config "$1" || return 1
	pod pull -q "oci:$WORLD/hl" 2>"$WORLD/err"
}
echo precious >"$WORLD/victim"
id=$(pulled '.config.User = "../../x"')
pod run --rm "$id" true >"$WORLD/out" 2>"$WORLD/err"
is "a user like ../../x is no path" "$? $(grep -c '^Error:.*x' "$WORLD/err")" "126 1"
id=$(pulled '.config.WorkingDir = "/../../../../../../'"${WORLD#/}"'"')
is "a working directory of the host is made below the container's root" "$(pod run --rm "$id" pwd 2>&1)" "$WORLD"
id=$(pulled '.config.Env = ["A=1\nB=2", "NOEQUALS", "C=\u001b[31m"]')
is "variables with line feeds and without =" "$(pod run --rm "$id" sh -c 'printf "%s|%s" "$A" "$C"' 2>&1 | od -An -c | tr -d ' \n')" '1\nB=2|033[31m'
is "and nothing of them reaches a terminal raw" "$(pod inspect "$id" | LC_ALL=C grep -c $'\x1b')" 0
id=$(pulled '.config.Labels = {"l\u001b[2J": "v\u0007"} | .config.Cmd = ["\u001b[2J"] | .author = "\u001b]0;x\u0007"')
for c in "inspect $id" "history --no-trunc $id" "images" "image tree $id"; do
	pod $c >"$WORLD/out" 2>&1
	is "pod ${c%% $id}: no escape sequence" "$(LC_ALL=C grep -c $'[\x1b\x07]' "$WORLD/out")" 0
done
id=$(pulled '.config.Volumes = {"/../../../../'"${WORLD#/}"'/vol": {}, "/../../../..": {}, "relative": {}}')
pod run --rm "$id" true >"$WORLD/out" 2>&1
is "volumes of the host's paths are below the container's root" "$(ls -d "$WORLD/vol" 2>/dev/null)$(cat "$WORLD/victim")" precious
pod rmi -a -f >/dev/null 2>&1
busybox_image localhost/base >/dev/null

# --- Layers that race for one link beside a container that changes the ground (53) ---------------------------------
mkdir "$WORLD/shared"
echo precious >"$WORLD/shared/victim"
pod run -d --name racer --network none -v "$WORLD/shared:/s" localhost/base \
	sh -c 'while :; do mkdir /s/d; touch /s/d/x; rm -r /s/d; ln -s /s /s/d; rm /s/d; done' >/dev/null
rm -rf "$WORLD/race" && mkdir -p "$WORLD/race"
for i in 1 2 3 4; do
	tar -C "$WORLD" -cf "$WORLD/race/$i.tar" --transform "s,^shared/victim,lnk/d/escaped$i," shared/victim
	(cd "$WORLD/race" && ln -sfn "$WORLD/shared" lnk && tar -cf l.tar lnk && tar -Af l.tar "$i.tar" && mv l.tar "$i.tar" && rm lnk)
done
race() { # ROUND: an image of four such layers, unpacked all at once
	local l="$WORLD/race/lay" i d list= ids=
	rm -rf "$l" && mkdir -p "$l/blobs/sha256" && echo '{"imageLayoutVersion":"1.0.0"}' >"$l/oci-layout"
	for i in 1 2 3 4; do
		printf '%s' "$1" >"$WORLD/race/round"
		tar -C "$WORLD/race" -rf "$WORLD/race/$i.tar" --transform "s,round,round$1," round
		d=$(layout_blob "$l" <"$WORLD/race/$i.tar")
		list="$list${list:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"${d% *}\",\"size\":${d#* }}"
		ids="$ids${ids:+,}\"${d% *}\""
	done
	d=$(jq -c ".rootfs.diff_ids = [$ids] | .history = []" <<<"$config_text" | layout_blob "$l")
	d=$(printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[%s]}' "${d% *}" "${d#* }" "$list" | layout_blob "$l")
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s}]}' "${d% *}" "${d#* }" >"$l/index.json"
	pod pull -q "oci:$l"
}
pulls=0
for round in 1 2 3 4 5; do id=$(race "$round" 2>"$WORLD/err") && [ -n "$id" ] && pulls=$((pulls + 1)); done
is "four layers race for one link, five times (53)" "$pulls" 5
is "and the shared volume is as it was" "$(cat "$WORLD/shared/victim") $(find "$WORLD/shared" -name 'escaped*' -o -name 'round*' 2>/dev/null | wc -l)" "precious 0"
pod run --rm --network none -v "$WORLD/shared:$WORLD/shared" "$id" true >/dev/null 2>&1
is "also when the image is mounted over it" "$(find "$WORLD/shared" -name 'escaped*' | wc -l)" 0
pod rm -f -t 0 racer >/dev/null
is "the next pull works" "$(with_config . && pod pull -q "oci:$WORLD/hl" | wc -l)" 1
finish
