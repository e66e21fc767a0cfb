#!/bin/bash
# SPDX-License-Identifier: ISC
# Maps without a root, idmap without maps, and the owner that U gives a mount.
. "$(dirname "$0")/../lib.sh"
if [ "${MAPS_WALK_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then MAPS_WALK_NS=1 exec unshare -m bash "$0"; fi
world

# map_checks: the same for root and for a user; $WORLD and pod are at hand
map_checks() {
	image=localhost/maps
	busybox_image $image >/dev/null || { not_ok "an image can be imported"; return; }
	run() { pod run --rm --network none "$@"; }
	refused() {
		local out
		# shellcheck disable=SC2086
		out=$(pod create --network none $1 $image true 2>&1 >/dev/null)
		is "refused: $1" "$? $(grep -cF -- "$2" <<<"$out") $(pod ps -aq | wc -l)" "125 1 0"
	}
	mkdir -p "$WORLD/dir"
	refused "--uidmap 10:100:5" 'the user namespace has no root: ID 0 is not mapped'
	refused "--uidmap 0:1:10 --gidmap 5:1:10" 'the user namespace has no root: ID 0 is not mapped'
	if [ "$(id -u)" != 0 ]; then
		refused "--uidmap 0:100000:1000" '100999 of the user map is not an ID that this user has'
		refused "--uidmap 0:1:10 --gidmap 0:1:70000" '70000 of the group map is not an ID that this user has'
		is "the last one can be used" "$(run --uidmap "0:1:$(($(awk '{n += $3} END {print n}' <(pod unshare cat /proc/self/uid_map)) - 1))" $image echo ran 2>&1)" ran
	fi
	[ "$(id -u)" != 0 ] || refused "-v $WORLD/dir:/v:idmap" '/v: the option idmap needs a user namespace'
	for bad in chown=maybe U=maybe ro=maybe rw=maybe readonly=2; do
		refused "--mount type=bind,src=$WORLD/dir,dst=/v,$bad" "strconv.ParseBool: parsing \"${bad#*=}\": invalid syntax"
	done
	is "U=false leaves the owner" "$(run --user 7:8 --mount "type=bind,src=$WORLD/dir,dst=/v,U=false" $image stat -c %u:%g /v)" 0:0
	is "U=true gives it" "$(run --user 7:8 --mount "type=bind,src=$WORLD/dir,dst=/v,U=true" $image stat -c %u:%g /v)" 7:8
	is "chown=0 leaves it" "$(mkdir "$WORLD/d2"; run --user 7:8 --mount "type=bind,src=$WORLD/d2,dst=/v,chown=0" $image stat -c %u:%g /v)" 0:0
	is "ro=F is writable" "$(run --mount "type=bind,src=$WORLD/d2,dst=/v,ro=F" $image sh -c 'touch /v/x && echo written')" written
	is "a tmpfs of the container's user" "$(run --user 7:8 --mount type=tmpfs,dst=/v,U $image stat -c %u:%g /v)" 7:8
	is "in a user namespace too" "$(run --user 7:8 --uidmap 0:1:100 --gidmap 0:1:100 --mount type=tmpfs,dst=/v,chown=true $image stat -c %u:%g /v)" 7:8
	is "not without" "$(run --user 7:8 --mount type=tmpfs,dst=/v,U=false $image stat -c %u:%g /v)" 0:0
	rm -rf "$WORLD/dir" 2>/dev/null || pod unshare rm -rf "$WORLD/dir"
}
map_checks
{
	declare -f map_checks
	echo map_checks
} | user_part
