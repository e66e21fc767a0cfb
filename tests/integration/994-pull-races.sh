#!/bin/bash
# SPDX-License-Identifier: ISC
# Pulls of one image at once, and while its name goes here or in the registry; limits of what a container writes where
# the file system has project quotas (ONLY_QUOTAS=1: no more than those).
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "pulls at once" "docker-registry or skopeo is not installed"
	finish
}
world
registry_http_start
R=$REGISTRY_HTTP
layout "$WORLD/img" latest gzip
put() { skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$WORLD/img:latest" "docker://$R/$1"; }
put app:1
ID=$(jq -r .config.digest "$WORLD/img/blobs/sha256/${LAYOUT_DIGEST#sha256:}" | cut -d: -f2)

races() {
	local i p=() said
	clean() { # nothing half-made stays
		is "$1" "$(pod system check --max 0s 2>&1; echo $?) $(ls "$ROOT/tmp" | wc -l)" "0 0"
	}
	get() { pod pull -q --tls-verify=false "$@"; }
	for i in 1 2 3 4; do
		(get "$R/app:1" >"$WORLD/at.$i" 2>&1; echo $? >>"$WORLD/at.$i") &
		p+=($!)
	done
	wait "${p[@]}"
	is "four pulls at once all have it" "$(sort "$WORLD"/at.? | uniq -c | tr -s ' \n' ' ')" " 4 0 4 $ID "
	clean "and left nothing else"
	# Removed under its name and by its ID, as fast as it comes.
	: >"$WORLD/go"
	(while [ -e "$WORLD/go" ]; do pod rmi -f "$ID"; done >"$WORLD/gone" 2>&1) &
	p=($!)
	(while [ -e "$WORLD/go" ]; do pod images -q --no-trunc; done >"$WORLD/seen" 2>&1) &
	p+=($!)
	for i in 1 2 3 4 5 6; do get "$R/app:1"; done >"$WORLD/at" 2>&1
	rm "$WORLD/go"
	wait "${p[@]}"
	is "pulls while rmi runs" "$(sort -u "$WORLD/at")" "$ID"
	is "the image was there or not" "$(sort -u "$WORLD/seen" | grep -v "^sha256:$ID$")" ""
	is "and was removed or not there" "$(grep -v -e '^Untagged: ' -e '^Deleted: ' -e 'image not known$' "$WORLD/gone")" ""
	get "$R/app:1" >/dev/null
	clean "afterwards all is well"
	is "and it runs" "$(pod run --rm --net none "$R/app:1" cat /opt/second)" "second layer $(layout_machine)"
	# Its tag goes in the registry: each pull has the whole image or says that there is none.
	: >"$WORLD/go"
	(while [ -e "$WORLD/go" ]; do
		skopeo delete --tls-verify=false "docker://$R/tag$U:1" >/dev/null 2>&1
		skopeo --insecure-policy copy -q --dest-tls-verify=false "docker://$R/app:1" --src-tls-verify=false "docker://$R/tag$U:1" 2>/dev/null
	done) &
	p=($!)
	for i in 1 2 3 4 5 6 7 8; do
		pod rmi -a -f >/dev/null 2>&1
		said=$(get "$R/tag$U:1" 2>&1)
		case $said in
		"$ID" | Error:*"manifest unknown"* | Error:*"name unknown"*) ;;
		*) not_ok "a tag that goes: $said" ;;
		esac
	done
	rm "$WORLD/go"
	wait "${p[@]}"
	clean "a tag that goes while it is pulled leaves nothing"
}
U=u0
[ -n "${ONLY_QUOTAS:-}" ] || races
if [ "$(id -u)" = 0 ]; then
	mkdir "$WORLD/q" && truncate -s 200M "$WORLD/q.disk"
	if mkfs.ext4 -q -O quota,project -E quotatype=prjquota "$WORLD/q.disk" && mount -o loop,prjquota "$WORLD/q.disk" "$WORLD/q" 2>/dev/null; then
		at_end() { umount -l "$WORLD/q"; }
		ROOT=$WORLD/q/root RUNROOT=$WORLD/q/run
		pod pull -q --tls-verify=false "$R/app:1" >/dev/null
		fill() { # MEGABYTES WORDS...
			local n=$1
			shift
			pod "$@" "$R/app:1" /bin/busybox dd if=/dev/zero of=/full bs=1M count="$n" 2>&1 | grep -c 'quota exceeded'
		}
		is "a size limits what a container writes" "$(fill 20 run --rm --net none --storage-opt size=10m) $(fill 6 run --rm --net none --storage-opt size=10m)" "1 0"
		is "so does the one of the configuration" "$(fill 20 --storage-opt overlay.size=10m run --rm --net none)" 1
		is "and none does not" "$(fill 20 run --rm --net none)" 0
		is "a number of files" "$(pod --storage-opt overlay.inodes=60 run --rm --net none "$R/app:1" /bin/busybox sh -c 'for i in $(/bin/busybox seq 200); do : >/f$i || exit 3; done' 2>&1 | grep -m 1 -c 'quota exceeded')" 1
		pod rm -f -a >/dev/null 2>&1
		ROOT=$WORLD/root RUNROOT=$WORLD/run
	else
		skip "limits by project quotas" "this kernel or its ext4 has none"
		pod pull -q --tls-verify=false "$R/app:1" >/dev/null
		said=$(pod run --rm --net none --storage-opt size=10m "$R/app:1" true 2>&1)
		is "without quotas a size is an error that says what it takes" "$? $(grep -c -e 'has no project quotas' -e 'with the feature project' <<<"$said")" "125 2"
	fi
fi
[ -z "${ONLY_QUOTAS:-}" ] || finish
{
	declare -f races layout_machine
	echo "R=$R ID=$ID U=u1; races"
} | user_part
