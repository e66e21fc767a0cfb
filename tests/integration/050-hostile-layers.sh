#!/bin/bash
# SPDX-License-Identifier: ISC
# Hostile layers through the workers that read them.  R: refused with one clear error.  K: unpacked.  Whatever the
# case, nothing outside the layer's directory is read, written, linked or changed, in bounded memory.
. "$(dirname "$0")/../tap.sh"

B=${BUILD:-build}
layer=$B/tests/hostile-layer
lib=$B/libexec/pod
world=$(mktemp -d /tmp/podtest.XXXXXX) || exit 1
trap 'umount "$world/layer" 2>/dev/null; chmod -R u+rwX "$world"; rm -rf "$world"' EXIT
mkdir "$world/outside"
root=0
[ "$(id -u)" = 0 ] && root=1

# What must not change: names, types, modes, owners, links, sizes of all but the layer itself
# The size of a directory is what a file system makes of it.
outside_now() { (cd "$world" && find . -path ./layer -prune -o -path ./out -prune -o -path "./out.*" -prune -o -type d -printf '%p %y %m %U\n' -o -printf '%p %y %m %U %n %s\n' | sort); }

fresh() {
	[ $root = 1 ] || chmod -R u+rwX "$world/layer" 2>/dev/null
	rm -rf --one-file-system "$world/layer"
	mkdir -m 700 "$world/layer"
	echo secret >"$world/outside/victim"
}
# unpack: a layer from standard input; leaves the status in $st, words in $said
unpack() {
	fresh
	before=$(outside_now)
	said=$( (ulimit -v 262144; "$lib/pod-store-inflate" 2>/dev/null | "$lib/pod-store-unpack" 4<"$world/layer" 5>"$world/out.index") \
		2>&1 >"$world/out")
	st=${PIPESTATUS[0]}
	if ! tail -n 1 "$world/out" | grep -qx end; then st=crash; elif grep -q ^error "$world/out"; then st=R; else st=K; fi
	after=$(outside_now)
}
# The same with the worker that describes a layer in an image (635 calls us so, in a mount namespace of its own).
if [ "${POD_TEST_LAYOUT:-}" = erofs ]; then
	fresh() {
		umount "$world/layer" 2>/dev/null
		mkdir -p -m 700 "$world/layer"
		rm -f "$world/out.index" "$world/out.kept"
		echo secret >"$world/outside/victim"
	}
	unpack() {
		fresh
		before=$(outside_now)
		said=$( (ulimit -v 262144; "$lib/pod-store-inflate" 2>/dev/null | "$lib/pod-store-erofs" 4<>"$world/out.kept" 5<>"$world/out.index") \
			2>&1 >"$world/out")
		if ! tail -n 1 "$world/out" | grep -qx end; then st=crash; elif grep -q ^error "$world/out"; then st=R; else st=K; fi
		if [ "$st" = K ] && ! "$B/tests/erofs-mount" "$world/out.index" "$world/out.kept" "$world/layer"; then st=unmountable; fi
		after=$(outside_now)
	}
fi
pack() {
	if [ "${POD_TEST_LAYOUT:-}" = erofs ]; then cat "$world/out.kept"
	else "$lib/pod-store-pack" 4<"$world/layer" 5<"$world/out.index" 2>/dev/null; fi
}
# What the check of a store would say of the files, which has marked the opaque directories.
faults() {
	chmod 755 "$world/layer"
	grep ^opaque "$world/out" >"$world/out.facts"
	"$lib/pod-store-pack" check 4<"$world/layer" 5<"$world/out.index" 6<"$world/out.facts" 7>"$world/out.check" >"$world/out.again" || echo failed
	cmp -s "$world/out.again" "$world/out.tar" || echo "another stream"
	grep ^fault "$world/out.check"
}
# want CASE R|K [TEXT COMMAND...]: the outcome, nothing outside, and one more fact
want() {
	local name=$1 wanted=$2 fact=${3:-}
	unpack < <("$layer" "$name" "$world/outside")
	if [ "$st" != "$wanted" ]; then
		not_ok "$name: got $st, wanted $wanted: $said"
	elif [ "$before" != "$after" ] || [ "$(cat "$world/outside/victim")" != secret ]; then
		not_ok "$name: something outside the layer changed"
	elif printf %s "$said" | LC_ALL=C grep -q '[[:cntrl:]]'; then
		not_ok "$name: the message holds control characters"
	elif [ "$wanted" = R ] && [ -z "$said" ]; then
		not_ok "$name: refused without a word"
	elif [ -n "$fact" ] && ! (cd "$world/layer" && eval "$fact"); then
		not_ok "$name: not true: $fact"
	else
		ok "$name: $([ "$wanted" = R ] && echo "refused: $said" || echo "unpacked${fact:+; $fact}")"
	fi
	# Kept layers can be put together again exactly, unless something in them was replaced.
	if [ "$st" = K ] && grep -qx 'exact 1' "$world/out"; then
		"$layer" "$name" "$world/outside" >"$world/out.tar"
		if pack | cmp -s - "$world/out.tar"; then
			ok "$name: the exact stream comes back"
		else
			not_ok "$name: the stream that comes back differs"
		fi
		[ $root = 0 ] || [ "${POD_TEST_LAYOUT:-}" = erofs ] || is "$name: the files are what the stream says" "$(faults)" ""
		rm -f "$world/out.tar"
	elif [ "$st" = K ]; then
		"$lib/pod-store-pack" 4<"$world/layer" 5<"$world/out.index" 2>&1 >"$world/out.tar" | grep -q "cannot be made again"
		check "$name: the exact stream is refused, not wrong" [ $? = 0 ]
	fi
}
mode() { stat -c %a:%u "$1"; }
attrs() { getfattr -h -d -m - "$1" 2>/dev/null | grep = | cut -d= -f1 | sort | tr '\n' ' '; }

# 1-9: ways out
want dotdot K '[ -f outside/escaped ]'
want absolute K
want link_absolute K '[ -L lnk ]'
want link_relative K '[ -L lnk ] && [ -f outside/escaped ]'
want hard_absolute R
want hard_dotdot R
want hard_through_link R
want file_over_link K '[ ! -L lnk ] && [ "$(cat lnk)" = mine ]'
want dir_over_link K '[ ! -L lnk ] && [ -f lnk/escaped ]'
want tower K '[ -L a ] && [ -f outside/b ]'
# 10-17: nodes, attributes, modes
if [ $root = 1 ]; then want devices K '[ -c null ] && [ -b disk ]'; else want devices K '[ ! -e null ]'; fi
want forged_whiteout R
want overlay_xattrs K '[ -z "$(attrs dir)" ]'
if [ $root = 1 ]; then want capability K '[ "$(attrs ping)" = "security.capability " ]'; fi
want label_xattrs K '[ "$(attrs labelled)" = "user.fine " ]'
want setuid_root K '[ "$(mode su)" = "4755:$(id -u)" ]'
want default_acl K '[ "$(stat -c %a acl/child)" = 640 ] && [ -z "$(attrs acl/child)$(attrs acl/sub)" ]'
# 18-21: sizes
want size_huge R
want size_negative R
want sparse_tebibyte K '[ $(stat -c %s sparse) = 1099511627776 ] && [ $(du -skx .. | cut -f1) -lt 8192 ]'
want sparse_lies R
# 22-27: names that collide, whiteouts
want file_then_dir K '[ -f same/child ]'
want dir_then_file K '[ -f same ]'
want file_as_parent R
want whiteouts K '[ "$(ls -A . etc | tr "\n" " ")" = ".: etc  etc: gone ok " ] && [ -c etc/gone ]'
want whiteout_dotdot K '[ -c outside ] || [ -c outside/victim ]'
want whiteout_then_name K '[ -d both ] && [ -f implied/child ] && [ -c lower ]'
if [ $root = 1 ] && [ "${POD_TEST_LAYOUT:-}" = erofs ]; then
	unpack < <("$layer" whiteout_then_name "$world/outside")
	is "a directory that replaces its whiteout is opaque" \
		"$(getfattr -R -m trusted.overlay.opaque "$world/layer" 2>/dev/null | grep -c '^trusted')" 2
elif [ $root = 1 ]; then
	unpack < <("$layer" whiteout_then_name "$world/outside")
	is "a directory that replaces its whiteout is opaque" "$(grep -c '^opaque ' "$world/out")" 2
fi
want name_then_whiteout K '[ -f both/child ] && [ -f file ]'
want closed_dir K
# 28-33: lengths, extended headers
want long_component R
want long_link_300 R
want long_link_1000 R
want long_path R
want nested K
want pax_nul R
want pax_global_path R
want pax_global_comment K '[ -f short ]'
want pax_size_lies R
want pax_4g R
want pax_malformed R
# 34-40: ids, times, the root, the end, hard links
want uid_huge R
want gid_negative R
want time_far K
own=$([ "${POD_TEST_LAYOUT:-}" = erofs ] && echo 755 || echo 700)
want root_entry K '[ "$(mode .)" = "$own:$(id -u)" ]'
want after_end K '[ -f before ] && [ ! -e after ]'
want lone_zero_block R
want hard_to_link K '[ -L hard ]'
want hard_to_dir R
want hard_to_nothing R
want hard_to_itself R
# 41-45
want fifo K '[ -p fifo ]'
want strange_names K '[ $(ls -A | wc -c) -gt 0 ]'
want strange_error R
want bad_checksum R
want xattr_70k R
want truncated R
want unknown_type R
want many_files K '[ $(ls many | wc -l) = 30000 ]'

# 46-49 and 21: compressed streams.  refused TEXT: of standard input, by the worker that inflates
inflate() { (ulimit -v 524288; "$lib/pod-store-inflate" inflate 4>"$world/out" 2>"$world/out.words"); }
refused() {
	inflate >/dev/null
	if grep -q ^error "$world/out"; then ok "$1: $(cat "$world/out.words")"; else not_ok "$1: not refused"; fi
}
"$layer" fifo "$world/outside" >"$world/out.tar"
gzip -k "$world/out.tar"
size=$(stat -c %s "$world/out.tar.gz")
refused "gzip with garbage after it" < <(cat "$world/out.tar.gz" <(echo garbage))
refused "gzip with a wrong check sum" < <({ head -c $((size - 8)) "$world/out.tar.gz"; printf '\0\0\0\0'; tail -c 4 "$world/out.tar.gz"; })
refused "gzip with a wrong length" < <({ head -c $((size - 4)) "$world/out.tar.gz"; printf '\0\0\0\1'; })
refused "gzip cut short" < <(head -c $((size - 5)) "$world/out.tar.gz")
cat "$world/out.tar.gz" "$world/out.tar.gz" | inflate | cmp -s - <(cat "$world/out.tar" "$world/out.tar")
check "gzip of two members" [ $? = 0 ]
digest=$(sha256sum <"$world/out.tar" | cut -d' ' -f1)
inflate <"$world/out.tar.gz" >/dev/null
check "the digest of the plain stream" grep -qx "plain_digest sha256:$digest" "$world/out"
check "the digest of the compressed stream" grep -qx "packed_digest sha256:$(sha256sum <"$world/out.tar.gz" | cut -d' ' -f1)" "$world/out"
"$lib/pod-store-inflate" compress-zstd <"$world/out.tar" >"$world/out.zst" 2>/dev/null
refused "zstd cut short" < <(head -c $(($(stat -c %s "$world/out.zst") - 3)) "$world/out.zst")
refused "zstd with garbage after it" < <(cat "$world/out.zst" <(echo garbage))
cat "$world/out.zst" "$world/out.zst" | inflate | cmp -s - <(cat "$world/out.tar" "$world/out.tar")
check "zstd of two frames" [ $? = 0 ]
refused "xz" < <(printf '\375\067zXZ\0\0\004')
refused "bzip2" < <(printf 'BZh91AY&SY')
unpack < <(gzip -c "$world/out.tar.gz")
is "nested compression" "$st" R
# A window of 2 GiB in the frame header (RFC 8878, 3.1.1.1.2).
refused "zstd with a window of 2 GiB" < <(printf '\050\265\057\375\000\250\001\000\000')
refused "2 GiB of zeros in gzip" < <("$layer" zeros_2g "$world/outside" | "$lib/pod-store-inflate" compress-gzip 2>/dev/null)
refused "2 GiB of zeros in zstd" < <("$layer" zeros_2g "$world/outside" | "$lib/pod-store-inflate" compress-zstd 2>/dev/null)
finish
