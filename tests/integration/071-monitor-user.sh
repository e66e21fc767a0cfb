#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-monitor as root of an ordinary user's namespace: everything that 070-monitor.sh checks.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
world
if ! ordinary_user; then
	skip "pod-monitor of an ordinary user" "only root can make a user"
	finish
fi
as_user unshare --user --map-root-user --map-auto --mount bash "$here/070-monitor.sh" >"$WORLD/out" 2>&1
st=$?
grep -E '^not ok' "$WORLD/out"
is "pod-monitor of an ordinary user: $(grep -c '^ok' "$WORLD/out") checks" "$st" 0
finish
