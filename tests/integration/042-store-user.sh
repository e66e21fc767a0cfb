#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-store in the user namespace of an ordinary user, with subordinate IDs and with a single one.
. "$(dirname "$0")/../lib.sh"
world
if ! ordinary_user; then
	skip "an ordinary user's store" "needs root to make the user"
	finish
fi
rootfs "$WORLD/fs"
mkdir "$WORLD/stores"
chmod 777 "$WORLD/stores"
tar -C "$WORLD/fs" --owner=0 --group=0 -c . >"$WORLD/fs.tar"
cp -a "$WORLD/fs" "$WORLD/other"
# What a user's namespace or file system may refuse: nothing is damaged without it.
mknod "$WORLD/other/etc/null" c 1 3
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$WORLD/other/etc/passwd" 2>/dev/null
: >"$WORLD/other/etc/shared"
command -v setfacl >/dev/null && setfacl -m u:3000000:rw "$WORLD/other/etc/shared" 2>/dev/null
tar -C "$WORLD/other" --xattrs --xattrs-include='*' --owner=7 --group=8 -c etc >"$WORLD/other.tar"

# run SCRIPT: as root of the user's namespace, with a store of its own for each kind of map
run() {
	# shellcheck disable=SC2086
	as_user unshare -U $maps -m --propagation private bash -c "
		store() { $BIN/pod-store --root $WORLD/stores/$name \"\$@\"; }
		$1" 2>&1
}

for maps in "-r --map-auto" -r; do
	name=$(echo "$maps" | tr -dc a-z)
	id=$(run 'store import localhost/base:1 <'"$WORLD/fs.tar")
	is "$maps: import" "${#id}" 64
	is "$maps: the tree is there" "$(run 'store mount base:1 cat www/index.html')" "hello from pod"
	is "$maps: it can be written to" \
		"$(run 'store mount base:1 sh -c "rm www/index.html; echo new >www/index.html; cat www/index.html"')" new
	is "$maps: and is as before" "$(run 'store mount base:1 cat www/index.html')" "hello from pod"
	is "$maps: whole directories can go" "$(run 'store mount base:1 sh -c "rm -r etc; mkdir etc; ls -A etc | wc -l"')" 0
	is "$maps: export gives the stream" "$(run 'store export base:1 | sha256sum')" "$(sha256sum <"$WORLD/fs.tar")"
	id=$(run 'store import localhost/other:1 <'"$WORLD/other.tar")
	case $maps in
	*auto) want=7:8 ;;
	*) want=0:0 ;;
	esac
	is "$maps: owners" "$(run 'store mount other:1 stat -c %u:%g etc/passwd')" "$want"
	is "$maps: all is well" "$(run 'store check; echo $?')" 0
	is "$maps: a mode that changed is named" "$(run "chmod 0 $WORLD/stores/$name/layers/*/diff/etc/passwd; store check" | grep -c '/etc/passwd: its mode is 0000, not 0')" 2
	run 'store rm base:1 other:1' >/dev/null
	is "$maps: removal" "$(run 'store list -q')" ""
	run 'store sweep' >/dev/null
	is "$maps: nothing stays" "$(ls "$WORLD/stores/$name/layers" "$WORLD/stores/$name/trash" | grep -v :)" ""
done

# Run alone, without a namespace around them, the tools make the user's own one.
chmod 711 "$WORLD"
alone() { as_user env PATH="$BIN:$PATH" bash -c "$1" 2>&1; }
id=$(alone "pod-store import localhost/alone <'$WORLD/fs.tar'")
is "pod-store alone: import" "${#id}" 64
is "pod-store alone: export" "$(alone "pod-store export alone | sha256sum")" "$(sha256sum <"$WORLD/fs.tar")"
is "pod-store alone: in the same store as pod" "$(alone "pod images -q --no-trunc")" "sha256:$id"
is "pod-image alone: save" "$(alone "pod-image save -q -o ~/a.tar alone; tar -xOf ~/a.tar manifest.json | jq -r '.[0].RepoTags[0]'")" localhost/alone:latest
is "pod-image alone: load" "$(alone "pod-store rm alone >/dev/null; pod-image load -q -i ~/a.tar; pod images -q --no-trunc")" "Loaded image: localhost/alone:latest
sha256:$id"
is "pod-image alone: copy out of the user's store" "$(alone "pod-image copy -q containers-storage:alone oci:lay:x; pod-image inspect --config --raw oci:lay:x | sha256sum | cut -d' ' -f1")" "$id"
is "pod-image alone: copy into it" "$(alone "pod-store rm alone >/dev/null; pod-image copy -q oci:lay:x containers-storage:localhost/copied:1; pod images -q --no-trunc copied")" "sha256:$id"
is "pod-image alone: pull" "$(alone "pod-store rm copied:1 >/dev/null; pod-image pull -q oci:lay:x; pod images -q --no-trunc")" "$id
sha256:$id"
is "pod-net alone: list" "$(alone "pod-net list --format json" | jq -r '.[].name')" podman
finish
