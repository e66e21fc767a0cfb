#!/bin/bash
# SPDX-License-Identifier: ISC
# Pre-exec hooks, in a mount namespace of this test where /etc/containers is its own.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" = 0 ] && [ -z "$PREEXEC_INSIDE" ]; then
	PREEXEC_INSIDE=1 exec unshare -m --propagation private bash "$0"
fi
[ "$(id -u)" = 0 ] || { skip "pre-exec hooks" "needs root"; finish; }
world
mkdir -p /etc/containers
mount -t tmpfs tmpfs /etc/containers || { skip "pre-exec hooks" "no mount"; finish; }
at_end() { umount /etc/containers; }
hooks=$WORLD/hooks
mkdir "$hooks"
printf '#!/bin/sh\necho "$@" >>%s/said\n' "$WORLD" >"$hooks/10-say"
printf '#!/bin/sh\nexit 42\n' >"$hooks/20-no"
printf '#!/bin/sh\necho later >>%s/said\n' "$WORLD" >"$hooks/30-later"
printf 'not a program' >"$hooks/00-text"
chmod 755 "$hooks/10-say" "$hooks/20-no" "$hooks/30-later"
export PODMAN_PREEXEC_HOOKS_DIR=$hooks
is "without the switch they are left alone" "$(pod ps -q; echo $?; ls "$WORLD/said" 2>/dev/null)" 0
touch /etc/containers/podman_preexec_hooks.txt
out=$(pod ps -a -q 2>&1)
is "a hook's exit status is the command's" "$?" 42
is "which does nothing" "$out" ""
is "the hook sees the words" "$(cat "$WORLD/said")" "--root $ROOT --runroot $RUNROOT ps -a -q"
rm "$hooks/20-no" "$WORLD/said"
is "when none objects the command runs" "$(pod ps -a --format '{{.Names}}'; echo $?)" 0
is "in order of their names" "$(tail -1 "$WORLD/said")" later
mkdir -p /etc/containers/pre-exec-hooks
printf '#!/bin/sh\nexit 7\n' >/etc/containers/pre-exec-hooks/a
chmod 755 /etc/containers/pre-exec-hooks/a
rm "$WORLD/said"
pod version >/dev/null
is "those of /etc come first" "$? $(ls "$WORLD/said" 2>/dev/null)" "7 "
printf '#!/nosuch\n' >/etc/containers/pre-exec-hooks/a
pod version >/dev/null 2>&1
is "one that cannot run forbids" "$?" 127
finish
