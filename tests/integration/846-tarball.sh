#!/bin/bash
# SPDX-License-Identifier: ISC
# The transport "tarball:": an image of tars of files, as other engines make it.
. "$(dirname "$0")/../lib.sh"
world
img() { "$BIN/pod-image" "$@"; }
run() { pod "$@"; }

use_them() {
	local d=$WORLD/use id f
	mkdir -p "$d/up/opt" "$d/big"
	[ -d "$WORLD/fs" ] || cp -r "$LIB_DIR/user-fs" "$WORLD/fs"
	echo upper >"$d/up/opt/up" && echo changed >"$d/up/www" && rm "$d/up/www" && mkdir "$d/up/www" && echo changed >"$d/up/www/index.html"
	tar -C "$WORLD/fs" --owner=0 --group=0 -cf "$d/base.tar" .
	tar -C "$d/up" --owner=0 --group=0 -czf "$d/up.tar.gz" .
	touch -d '2026-01-02T03:04:05.5Z' "$d/base.tar" "$d/up.tar.gz"
	id=$(pod pull -q "tarball:$d/base.tar:$d/up.tar.gz")
	is "two tarballs are two layers, the last on top" "$(pod run --rm --net none "$id" /bin/cat /opt/up /www/index.html)" "upper
changed"
	is "its configuration tells where they come from" "$(pod image inspect "$id" | jq -c '.[0] | [.Created, .Os, .Architecture, .Config.Cmd, [.History[].comment], (.RootFS.Layers | length)]')" \
		"[\"2026-01-02T03:04:05.5Z\",\"linux\",\"$(pod info -f '{{.Host.Arch}}')\",null,[\"imported from tarball\",\"imported from tarball\"],2]"
	is "each step names its layer" "$(pod image inspect "$id" | jq -c '.[0] as $i | [$i.History[].created_by] == [$i.RootFS.Layers[] | "/bin/sh -c #(nop) ADD file:" + split(":")[1] + " in /"]')" true
	is "the same files are the same image" "$(pod pull -q "tarball:$d/base.tar:$d/up.tar.gz")" "$id"
	if command -v skopeo >/dev/null; then
		TZ=UTC skopeo --insecure-policy copy -q "tarball:$d/base.tar:$d/up.tar.gz" "dir:$d/sk"
		img copy -q "tarball:$d/base.tar:$d/up.tar.gz" "dir:$d/our"
		is "and the one that skopeo makes" "sha256:$id $(jq -c '[.config.digest, .layers]' "$d/our/manifest.json")" \
			"$(jq -r .config.digest "$d/sk/manifest.json") $(jq -c '[.config.digest, .layers]' "$d/sk/manifest.json" | jq -c '[.[0], [.[1][] | {mediaType, size, digest}]]')"
	fi
	for f in oci:$d/o:x docker-archive:$d/d.tar oci-archive:$d/o.tar; do
		img copy -q "tarball:$d/base.tar:$d/up.tar.gz" "$f" || not_ok "copied to ${f%%:*}"
		is "copied to ${f%%:*} it is the same" "$(pod pull -q "$f")" "$id"
	done
	is "inspect" "$(img inspect "tarball:$d/base.tar" | jq -c '[.Os, (.Layers | length)]')" '["linux",1]'
	id=$(pod pull -q tarball:- <"$d/up.tar.gz")
	is "the standard input" "$(pod image inspect -f '{{len .RootFS.Layers}}' "$id")" 1
	is "and a file below it" "$(cat "$d/up.tar.gz" | pod pull -q "tarball:$d/base.tar:-" | xargs -I{} "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" run --rm --net none {} /bin/cat /opt/up)" upper
	zstd -q <"$d/base.tar" >"$d/base.tar.zst"
	is "compressed by zstd" "$(pod run --rm --net none "$(pod pull -q "tarball:$d/base.tar.zst")" /bin/cat /www/index.html)" "hello from pod"
	run_fails "a file that is missing" 125 "no such file or directory" pull -q "tarball:$d/none.tar"
	run_fails "a directory" 125 "is no regular file" pull -q "tarball:$d/up"
	echo nothing >"$d/text"
	run_fails "what is no tar is named" 125 "copying blob $d/text" pull -q "tarball:$d/base.tar:$d/text"
	head -c 1000 "$d/up.tar.gz" | head -c -20 >"$d/cut.tar.gz"
	run_fails "so is a file that ends too early" 125 "copying blob $d/cut.tar.gz" pull -q "tarball:$d/base.tar:$d/cut.tar.gz"
	img copy -q "tarball:$d/base.tar:$d/cut.tar.gz" "dir:$d/cut" 2>"$d/err"
	check "and in a copy" grep -q "copying blob $d/cut.tar.gz" "$d/err"
	run_fails "the standard input twice" 125 "only one of the tarballs" pull -q tarball:-:-
	run_fails "more than there may be" 125 "more than 32 tarballs" pull -q "tarball:$(printf "$d/base.tar:%.0s" $(seq 33))x"
	printf '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"tarball":{"":[{"type":"reject"}]}}}' >"$d/pol"
	run_fails "the policy is asked" 125 "rejected by policy" pull -q --signature-policy "$d/pol" "tarball:$d/base.tar"
	img copy -q "tarball:$d/base.tar" "tarball:$d/new.tar" 2>"$d/err" && not_ok "it cannot be written to" ||
		check "it cannot be written to" grep -q 'the transport tarball: cannot be written to' "$d/err"
}
rootfs "$WORLD/fs"
use_them
{
	declare -f use_them img run
	echo use_them
} | user_part
