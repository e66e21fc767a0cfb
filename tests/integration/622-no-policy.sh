#!/bin/bash
# SPDX-License-Identifier: ISC
# Without any policy.json no image may be used; the one that comes with the programs accepts every image.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME"
if [ "$(id -u)" != 0 ]; then
	skip "no policy.json at all" "root hides that of the machine"
	finish
fi
layout "$WORLD/lay" x gzip
mkdir "$WORLD/inst"
cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/inst/"
# bare COMMAND...: on a machine whose /etc and /usr/share hold no policy
bare() {
	unshare -m sh -c 'mount -t tmpfs none /etc/containers && mount -t tmpfs none /usr/share/containers && exec "$@"' sh "$@"
}
[ -d /etc/containers ] && [ -d /usr/share/containers ] || {
	mkdir "$WORLD/nothing"
	bare() { "$@"; }
}
P="$WORLD/inst/bin/pod --root $ROOT --runroot $RUNROOT"
bare $P pull -q "oci:$WORLD/lay:x" >/dev/null
is "the policy that comes along serves" $? 0
is "image trust show reads it" "$(bare $P image trust show --raw | jq -r '.default[0].type')" insecureAcceptAnything
rm "$WORLD/inst/share/containers/policy.json"
no() { # TEXT COMMAND...
	local text=$1 said
	shift
	said=$(bare "$@" 2>&1 >/dev/null)
	is "$text: status 125" "$?" 125
	case $said in
	*'no policy.json file found at any of the following: '*'"/etc/containers/policy.json"'*) ok "$text: refused" ;;
	*) not_ok "$text: $said" ;;
	esac
}
no "pull" $P pull -q "oci:$WORLD/lay:x"
no "load" $P load -q -i "$WORLD/lay"
no "image trust show" $P image trust show
no "pod-image copy" "$WORLD/inst/bin/pod-image" copy -q "oci:$WORLD/lay:x" "dir:$WORLD/out"
check "nothing was written" test ! -e "$WORLD/out/manifest.json"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$WORLD/policy.json"
bare $P pull -q --signature-policy "$WORLD/policy.json" "oci:$WORLD/lay:x" >/dev/null
is "one that is named will do" $? 0
mkdir -p "$HOME/.config/containers"
cp "$WORLD/policy.json" "$HOME/.config/containers/"
bare $P pull -q "oci:$WORLD/lay:x" >/dev/null
is "or the user's own" $? 0
make -s -C "$LIB_DIR/.." -n install PREFIX=/p DESTDIR=/d BUILD="$BUILD" >"$WORLD/make"
check "make install puts it beside the programs" grep -q 'common/conf/policy.json /d/p/share/containers' "$WORLD/make"
finish
