#!/bin/bash
# SPDX-License-Identifier: ISC
# Layers as other tools write them: unpacked like GNU tar does, packed again byte for byte, and packed afresh so that
# GNU tar reads the same.
. "$(dirname "$0")/../tap.sh"

lib=${BUILD:-build}/libexec/pod
world=$(mktemp -d /tmp/podtest.XXXXXX) || exit 1
trap 'chmod -R u+rwX "$world"; rm -rf "$world"' EXIT
cd "$world" || exit 1
case $lib in /*) ;; *) lib=$OLDPWD/$lib ;; esac

# All that a layer keeps of a tree; times of directories included, of the root not
describe() {
	(cd "$1" && find . -mindepth 1 -printf '%p %y %m %U:%G %s %Ts %l %n\n' | sed -E 's/^(\S+ d .* )[0-9]+ ([0-9]+)  [0-9]+$/\1\2/' | sort
		find . -type f -exec sha256sum {} + | sort -k2
		find . -print0 | sort -z | xargs -0 getfattr -h -d -m '^(user|security)' 2>/dev/null)
}

mkdir -p src/deep/{a,b/c} "src/$(printf 'long%.0s' {1..40})/$(printf 'name%.0s' {1..30})"
echo one >src/deep/a/one
ln src/deep/a/one src/deep/b/hard
ln -s ../a/one src/deep/b/soft
ln -s "/$(printf 'target%.0s' {1..30})" src/deep/b/far
mkfifo src/deep/fifo
head -c 100000 /dev/urandom >src/deep/b/c/random
: >src/deep/empty
printf 'not utf-8' >"$(printf 'src/deep/\377\376')"
truncate -s 3M src/holes
for at in 0 70000 1500000 2999999; do printf x | dd of=src/holes conv=notrunc bs=1 seek=$at status=none; done
# More than the four pieces that the old header holds, and more than 21 after it
truncate -s 8M src/lace
for i in $(seq 60); do printf 'piece%d' "$i" | dd of=src/lace conv=notrunc bs=1 seek=$((i * 131072)) status=none; done
echo x >"src/$(printf 'long%.0s' {1..40})/$(printf 'name%.0s' {1..30})/file"
chmod 4755 src/deep/a/one
chmod 1777 src/deep/a
chmod 2750 src/deep/b
if [ "$(id -u)" = 0 ]; then
	chown 1000:1001 src/deep/b/c/random
	chown -h 3000000:3000001 src/deep/b/soft
	chown 70000:70001 src/deep/b
	chmod 2750 src/deep/b
	mknod src/deep/null c 1 3
	setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 src/deep/b/c/random
fi
setfattr -n user.note -v "a value" src/deep/empty 2>/dev/null
touch -h -d '2001-02-03 04:05:06' src/deep/b/soft src/deep/empty
find src -type d -exec touch -d '2011-12-13 14:15:16' {} +

# try TEXT TAR-FILE: unpacked as GNU tar unpacks it, and packed again
try() {
	rm -rf ours theirs fresh
	mkdir ours theirs fresh
	tar --xattrs --xattrs-include='user.*' --xattrs-include=security.capability --same-owner -xpf "$2" -C theirs 2>/dev/null
	"$lib/pod-store-unpack" 4<ours 5>index <"$2" >result 2>words || cat words
	if [ "$(describe ours)" = "$(describe theirs)" ]; then ok "$1: the same tree as GNU tar's"; else
		not_ok "$1: another tree than GNU tar's"
		diff <(describe ours) <(describe theirs) | head -n 10 >&2
	fi
	"$lib/pod-store-pack" 4<ours 5<index 2>/dev/null >again
	check "$1: packed again byte for byte" cmp -s again "$2"
	if [ "$(id -u)" = 0 ]; then
		chown 0:0 ours
		chmod 755 ours
		grep ^opaque result >facts
		"$lib/pod-store-pack" check 4<ours 5<index 6<facts 7>checked >again || echo failed >>checked
		check "$1: checked: byte for byte, and the files are what the stream says" [ "$(cmp again "$2" 2>&1; grep -E '^(fault|error|failed)' checked)" = "" ]
	fi
	"$lib/pod-store-pack" 4<ours 2>/dev/null >afresh
	tar --xattrs --xattrs-include='user.*' --xattrs-include=security.capability --same-owner -xpf afresh -C fresh 2>/dev/null
	if [ "$(describe fresh)" = "$(describe ours)" ]; then ok "$1: packed afresh, the same tree"; else
		not_ok "$1: packed afresh, another tree"
		diff <(describe fresh) <(describe ours) | head -n 10 >&2
	fi
}
owner=--numeric-owner
[ "$(id -u)" = 0 ] || owner='--owner=0 --group=0'
tar --format=gnu $owner -C src -cf t.tar . && try "gnu" t.tar
tar --format=gnu -S $owner -C src -cf t.tar . && try "gnu, sparse" t.tar
for v in 0.0 0.1 1.0; do
	tar --format=pax --xattrs --xattrs-include='*' -S --sparse-version=$v $owner -C src -cf t.tar . && try "pax, sparse $v" t.tar
done
tar --format=pax --pax-option=delete=atime,delete=ctime $owner -C src -cf t.tar . && try "pax" t.tar
mkdir small
cp -a src/deep small/
[ "$(id -u)" != 0 ] || chown -Rh 1:2 small/deep
rm -f small/deep/b/far
tar --format=ustar $owner -C small -cf t.tar . && try "ustar" t.tar
tar --format=v7 $owner -C small --exclude=null --exclude=fifo -cf t.tar . && try "v7" t.tar
tar --format=gnu $owner -C small -b 1 -cf t.tar . && head -c -1024 t.tar >u.tar && try "without end-of-archive blocks" u.tar
if command -v bsdtar >/dev/null; then
	bsdtar --format=pax -C src -cf t.tar . && try "libarchive's pax" t.tar
fi
# Twice the same is the same: what the suite writes does not depend on chance.
"$lib/pod-store-pack" 4<src 2>/dev/null | sha256sum >one
"$lib/pod-store-pack" 4<src 2>/dev/null | sha256sum >two
check "a fresh stream is always the same" cmp -s one two
# A stream that fills the buffer it is decompressed into to the last byte, in one frame or member and in two
head -c 524288 /dev/zero >even
for tool in gzip zstd; do
	$tool -c <even >even.$tool
	cat even.$tool even.$tool >twice.$tool
	is "$tool, an even size" "$("$lib/pod-store-inflate" <even.$tool 2>words | wc -c; grep ^Error words)" 524288
	is "$tool, twice" "$("$lib/pod-store-inflate" <twice.$tool 2>words | wc -c; grep ^Error words)" 1048576
done
# Pieces are digested and kept behind the stream: none may change before that, and the copy may be slow.
{ head -c 5000000 /dev/urandom && head -c 5000000 /dev/zero; } >pieces
sum() { sha256sum "$1" | cut -d' ' -f1; }
of() { grep -aoE "$1[^a-z]+sha256:[0-9a-f]{64}" result | grep -oE '[0-9a-f]{64}$'; }
for tool in gzip zstd cat; do
	$tool <pieces >packed
	{ sleep 0.3 && cat >kept; } < <("$lib/pod-store-inflate" keep <packed 4>result 5>&1 >plain)
	check "$tool: a slow copy is whole" cmp -s kept packed
	check "$tool: what passes on too" cmp -s plain pieces
	is "$tool: the digests" "$(of packed_digest) $(of plain_digest)" "$(sum packed) $(sum pieces)"
done
for mode in compress-gzip compress-zstd digest; do
	"$lib/pod-store-inflate" $mode <pieces 4>result >packed
	is "$mode: the digests" "$(of packed_digest) $(of plain_digest)" "$(sum packed) $(sum pieces)"
done
"$lib/pod-store-inflate" keep <packed 4>result 5>/dev/full >/dev/null 2>words
is "a copy that has no room" "$? $(grep -o 'keeping the .*' words result | cut -d: -f2- | head -n 1)" "125 keeping the layer's blob: no space left on device"
check "the comparison sees something" [ "$(describe src | wc -l)" -gt 20 ]
finish
