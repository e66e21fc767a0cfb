#!/bin/bash
# SPDX-License-Identifier: ISC
# Volumes kept outside the graph root: --volumepath, and volume_path of containers.conf.
. "$(dirname "$0")/../lib.sh"
if [ "${VOLUME_PATH_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then VOLUME_PATH_NS=1 exec unshare -m bash "$0"; fi
world

# volume_path_checks: the same for root and for a user; $WORLD and pod are at hand
volume_path_checks() {
	img=localhost/vp place=$WORLD/elsewhere/volumes
	busybox_image $img >/dev/null || { not_ok "an image can be imported"; return; }
	run() { pod run --rm --network none "$@"; }
	inside() { if [ "$(id -u)" = 0 ]; then "$@"; else pod unshare "$@"; fi; }
	pod volume create early >/dev/null
	fails() {
		local text=$1 status=$2 words=$3 out
		shift 3
		out=$("$@" 2>&1 >/dev/null)
		is "$text" "$? $(grep -c -- "$words" <<<"$out")" "$status 1"
	}
	fails "--volumepath is refused while there are volumes" 125 'does not match our volume path.*database configuration mismatch' \
		pod --volumepath "$place" volume ls
	is "which stay where they are" "$(pod --volumepath "$ROOT/volumes" volume ls -q)" early
	pod volume rm early >/dev/null
	is "without volumes they come to lie elsewhere" "$(pod --volumepath "$place" volume create one; pod volume inspect --format '{{.Mountpoint}}' one)" "one
$place/one/_data"
	fails "a third place is refused as well" 125 'does not match our volume path' pod --volumepath "$WORLD/third" volume create two
	is "the path may be relative" "$(cd "$WORLD" && pod --volumepath elsewhere/volumes volume ls -q)" one
	is "a container writes there" "$(run -v one:/v $img sh -c 'echo data >/v/f'; inside cat "$place/one/_data/f")" data
	is "volumes made by containers lie there" "$(run -v made:/www $img true; inside cat "$place/made/_data/index.html")" "hello from pod"
	is "inspect and info name the place" "$(pod create --name c1 -v one:/v $img true >/dev/null; pod inspect --format '{{(index .Mounts 0).Source}}' c1) $(pod info --format '{{.Store.VolumePath}}')" "$place/one/_data $place"
	pod rm c1 >/dev/null
	is "export and import go there" "$(pod volume export one | tar -xO ./f 2>/dev/null || pod volume export one | tar -xO f)" data
	pod volume export one -o "$WORLD/one.tar" && pod volume create two >/dev/null && pod volume import two "$WORLD/one.tar"
	is "import too" "$(inside cat "$place/two/_data/f")" data
	inside mkdir "$place/stranger"
	is "check finds nothing wrong" "$(pod system check 2>&1)" ""
	inside rm -r "$place/two"
	fails "nor fails to find what is missing" 125 'damage detected\|directory is missing' pod system check
	pod system check --repair >/dev/null 2>&1
	is "repair makes the volume again there" "$(inside ls -d "$place/two/_data")" "$place/two/_data"
	is "df counts them" "$(pod system df --format '{{.Type}} {{.Total}}' | tail -1) $(pod system df -v | grep -c '^\(made\|one\|two\) ')" "Local Volumes 3 3"
	is "volumes go" "$(pod volume rm one; inside ls "$place")" "one
made
stranger
two"
	is "anonymous ones too" "$(run -v /anon $img true; inside ls "$place" | wc -l)" 3
	pod system reset -f >/dev/null 2>&1
	is "reset takes the volumes along, and nothing else of the place" "$(ls -A "$place")" stranger
	rmdir "$place/stranger"

	printf '[engine]\nvolume_path="%s"\n' "$WORLD/conf" >"$WORLD/c.conf"
	printf '[storage]\ndriver=""\ngraphroot="%s"\nrunroot="%s"\nrootless_storage_path="%s"\n' "$WORLD/r2" "$WORLD/rr2" "$WORLD/r2" >"$WORLD/s.conf"
	bare() { CONTAINERS_STORAGE_CONF=$WORLD/s.conf CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf "$BIN/pod" "$@"; }
	is "volume_path of containers.conf" "$(bare volume create cv; bare volume inspect --format '{{.Mountpoint}}' cv)" "cv
$WORLD/conf/cv/_data"
	is "--root takes it along" "$(CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf pod volume create own >/dev/null; pod volume inspect --format '{{.Mountpoint}}' own)" "$ROOT/volumes/own/_data"
	printf '[engine]\nvolume_path="%s"\n' "$WORLD/later" >"$WORLD/c.conf"
	is "volumes that are there stay there" "$(bare volume inspect --format '{{.Mountpoint}}' cv)" "$WORLD/conf/cv/_data"
	is "the option wins over the file" "$(bare volume rm cv >/dev/null; bare --volumepath "$WORLD/said" volume create cv >/dev/null; bare volume inspect --format '{{.Mountpoint}}' cv)" "$WORLD/said/cv/_data"
	printf '[engine]\nvolume_path="relative"\n' >"$WORLD/c.conf"
	fails "one that is no path is told" 125 'volume_path in table \[engine\] must be an absolute path' bare volume ls
	rm "$WORLD/c.conf"
	: >"$WORLD/c.conf"
	bare system reset -f >/dev/null 2>&1
	pod volume rm own >/dev/null
	small_disk_checks
}

# Another file system than the store's: nothing is renamed across.
small_disk_checks() {
	[ "$(id -u)" = 0 ] || return 0
	mkdir -p "$WORLD/disk" && mount -t tmpfs -o size=4m none "$WORLD/disk" || { skip "volumes on another file system" "no tmpfs can be mounted"; return; }
	busybox_image $img >/dev/null
	is "volumes on another file system" "$(pod --volumepath "$WORLD/disk/v" volume create far; pod run --rm --network none -v far:/www $img cat /www/index.html; pod volume rm far; ls "$WORLD/disk/v")" "far
hello from pod
far"
	until_is "leave nothing there" "0" sh -c "ls -A '$WORLD/disk/v/.trash' | wc -l"
	umount "$WORLD/disk"
	pod create --name busy -v /anon $img true >/dev/null
	anon=$(pod inspect --format '{{(index .Mounts 0).Name}}' busy)
	mount -t tmpfs none "$ROOT/volumes/$anon"
	is "an anonymous volume that cannot go is told of" "$(pod rm -v busy 2>&1 | sed "s/^time=[^ ]* //"; echo "${PIPESTATUS[0]}")" \
		"level=warning msg=\"moving $anon to the trash: device or resource busy\"
busy
0"
	umount "$ROOT/volumes/$anon"
	is "and is there to be removed" "$(pod volume rm "$anon"; pod volume ls -q)" "$anon"
	mkdir -p "$WORLD/mounted/volumes" && mount -t tmpfs -o size=4m none "$WORLD/mounted/volumes"
	mounted() { "$BIN/pod" --root "$WORLD/mounted" --runroot "$WORLD/mounted-run" "${world_opts[@]}" "$@"; }
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . | mounted import - $img >/dev/null 2>&1
	mkdir "$WORLD/mounted/volumes/lost+found"
	is "nor is it in a disk that is mounted in their place" "$(mounted volume create near; mounted run --rm --network none -v near:/www -v /anon $img cat /www/index.html; mounted volume rm near; ls "$WORLD/mounted/volumes")" "near
hello from pod
near
lost+found"
	until_is "which holds nothing of them then" "0" sh -c "ls -A '$WORLD/mounted/volumes/.trash' | wc -l"
	is "and keeps what is its own" "$(mounted system prune -f >/dev/null 2>&1; mounted system check --repair >/dev/null 2>&1; ls "$WORLD/mounted/volumes")" "lost+found"
	umount "$WORLD/mounted/volumes"
	is "and are missed, not made up, when the disk is gone" "$(pod volume ls -q; echo $?)" 0
}
at_end() {
	local d
	for d in disk mounted/volumes; do mountpoint -q "$WORLD/$d" 2>/dev/null && umount -l "$WORLD/$d"; done
}

volume_path_checks
{ declare -f volume_path_checks small_disk_checks; echo volume_path_checks; } | user_part
