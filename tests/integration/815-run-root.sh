#!/bin/bash
# SPDX-License-Identifier: ISC
# A user without a directory of the system for volatile state: the one in /tmp, which anybody may take first.
. "$(dirname "$0")/../lib.sh"
world
ordinary_user || { skip "the run root in /tmp" "not root"; finish; }
uid=$(id -u "$world_user")
taken=/tmp/pod-run-$uid
at_end() { rm -rf "$taken"; }
[ ! -e "$taken" ] || { skip "the run root in /tmp" "there is one of a user that had this number"; at_end() { :; }; finish; }
cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/"
home=$(getent passwd "$world_user" | cut -d: -f6)
u() {
	(cd "$home" && setpriv --reuid "$uid" --regid "$(id -g "$world_user")" --init-groups env -i HOME="$home" PATH="$PATH" \
		"$WORLD/bin/pod" --root "$home/root" "$@")
}
# refused TEXT: it is not used, and nothing is put there
refused() {
	local out
	out=$(u ps 2>&1)
	is "$1 is refused" "$? $(grep -c "^Error: the run root $taken is not a directory of ours" <<<"$out")" "125 1"
	check "nothing is put there" nothing_in "$taken/"
	rm -rf "$taken"
}
mkdir "$taken" && chown 65534 "$taken"
refused "another user's directory"
mkdir -m 777 "$taken" && chmod 777 "$taken" && chown "$uid" "$taken"
refused "one that is open to others"
mkdir "$WORLD/elsewhere" && chown "$uid" "$WORLD/elsewhere" && ln -s "$WORLD/elsewhere" "$taken"
refused "a link"
is "one of his own is made" "$(u info --format '{{.Store.RunRoot}}') $(stat -c '%a %u' "$taken")" "$taken 700 $uid"
is "and found again" "$(u info --format '{{.Store.RunRoot}}') $(u unshare "$WORLD/bin/pod" --root "$home/root" info --format '{{.Store.RunRoot}}')" "$taken $taken"
finish
