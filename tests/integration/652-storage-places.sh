#!/bin/bash
# SPDX-License-Identifier: ISC
# --imagestore and additional stores: images in other places than the containers, and those that are only read.
. "$(dirname "$0")/../lib.sh"
world
# everything SCRIPT-PART: the same checks as root and as an ordinary user; $X names the other directories
everything() {
	busybox_image localhost/base >/dev/null
	base=$(pod inspect -f '{{.Id}}' localhost/base)
	X=$WORLD/x
	mkdir -p "$X"

	# --- A separate image store ----------------------------------------------------------------------------
	I=(--imagestore "$X/images")
	"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${I[@]}" save -q -o "$WORLD/base.tar" localhost/base
	pi() { pod "${I[@]}" "$@"; }
	is "--imagestore: the graph root's images are there to be read" "$(pi images --format '{{.Repository}} {{.ReadOnly}}')" "localhost/base true"
	tar -C "$WORLD/fs" -c www | pi import -q - localhost/inside >/dev/null 2>&1
	inside=$(pi inspect -f '{{.Id}}' localhost/inside)
	is "--imagestore: new ones are made there" "$(pi images -q --filter readonly=false --no-trunc)" "sha256:$inside"
	is "--imagestore: and not in the graph root" "$(pod images --format '{{.Repository}}')" localhost/base
	pi commit -q "$(pi create --network none localhost/base true)" localhost/upon >/dev/null
	is "--imagestore: an image may stand on the graph root's layers" "$(pi run --rm --network none localhost/upon echo yes)" yes
	is "--imagestore: of which it has copies" "$(ls "$X/images/layers" | wc -l)" "$(pi inspect localhost/upon localhost/inside | jq '[.[].RootFS.Layers[]] | unique | length')"
	is "--imagestore: exact ones" "$(pi save -q localhost/upon | tar -xO manifest.json | jq '.[0].Layers | length')" 2
	is "--imagestore: so that its images need nothing else" "$("$BIN/pod" --root "$X/images" --runroot "$X/run" run --rm --network none localhost/upon echo yes)" yes
	is "--imagestore: containers lie in the graph root" "$(pi run -d --network none --name c localhost/upon sleep 1000 >/dev/null; ls "$ROOT/rw" | wc -l) $(ls "$X/images/rw" | wc -l)" "2 0"
	is "--imagestore: exec" "$(pi exec c cat /www/index.html)" "hello from pod"
	is "--imagestore: an image in use stays" "$(pi rmi localhost/upon 2>&1 | grep -c 'in use')" 1
	is "--imagestore: the graph root's cannot be removed" "$(pi rmi localhost/base 2>&1 | sed -n 1p; pod images -q | wc -l)" "Error: cannot remove read-only image \"$base\"
1"
	pi rm -f -t 0 -a >/dev/null
	is "--imagestore: tag makes it one's own" "$(pi tag localhost/base localhost/own && pi images --format '{{.ReadOnly}}' localhost/own)" false
	pi rmi localhost/own >/dev/null
	is "--imagestore: removed again" "$(pi rmi localhost/upon localhost/inside 2>&1 | grep -c Deleted) $(pi images -q | wc -l)" "2 1"
	check "--imagestore: and their layers too" until_ok 20 nothing_in "$X/images/layers"
	is "--imagestore: by storage.conf" "$(printf '[storage]\ndriver=""\nimagestore="%s"\n' "$X/images" >"$X/conf"; CONTAINERS_STORAGE_CONF=$X/conf pod load -q -i "$WORLD/base.tar"; ls "$X/images/layers" | wc -l)" "Loaded image: localhost/base:latest
1"
	is "--imagestore: check" "$(pi system check; echo $?)" 0

	# --- Additional stores -----------------------------------------------------------------------------------
	A=(--storage-opt "additionalimagestore=$X/images")
	ROOT2=$ROOT ROOT=$WORLD/second RUNROOT2=$RUNROOT RUNROOT=$WORLD/second-run
	pa() { pod "${A[@]}" "$@"; }
	seen() { (cd "$X/images" && find . -printf '%p %y %m %U %s %T@ %C@\n' | sort | sha256sum); }
	# Who loaded into it writes it back after the answer.
	written() { ! pgrep -x pod-store | sed 's,.*,/proc/&/fd,' | xargs -r ls -l 2>/dev/null | grep -q " $X/images"; }
	until_ok 20 written
	before=$(seen)
	is "additional store: listed with R/O true" "$(pa images | awk 'NR == 1 { print $NF } NR == 2 { print $1, $NF }' | tr '\n' ' ')" "R/O localhost/base true "
	is "additional store: in JSON" "$(pa images --format json | jq '.[0].ReadOnly')" true
	is "additional store: run" "$(pa run --rm --network none localhost/base echo yes)" yes
	is "additional store: run as another user" "$(pa run --rm --network none -u alice localhost/base id -un)" alice
	is "additional store: inspect, history, tree" "$(pa inspect -f '{{.Id}}' base) $(pa history -q base | wc -l) $(pa image tree base | grep -c 'Top Layer')" "$base 1 1"
	is "additional store: save" "$(pa save -q base | tar -xO manifest.json | jq -r '.[0].RepoTags[0]')" localhost/base:latest
	is "additional store: mount as an image" "$(pa run --rm --network none --mount type=image,src=base,dst=/i base cat /i/www/index.html)" "hello from pod"
	is "additional store: rmi is refused" "$(pa rmi base 2>&1 | sed -n 1p)" "Error: cannot remove read-only image \"$base\""
	is "additional store: also with force" "$(pa rmi -f base >/dev/null 2>&1; echo $?)" 125
	is "additional store: untag is refused" "$(pa untag base 2>&1 | sed -n 1p)" "Error: cannot untag read-only image \"$base\""
	is "additional store: prune passes it over" "$(pa image prune -a -f; pa images -q | wc -l)" 1
	is "additional store: tag gives it a record of our own" "$(pa tag base localhost/mine && pa images --format '{{.Repository}} {{.ReadOnly}}')" "localhost/mine false"
	is "additional store: without a layer of our own" "$(ls "$ROOT/layers" | wc -l)" 0
	is "additional store: it runs" "$(pa run --rm --network none localhost/mine echo yes)" yes
	is "additional store: and goes" "$(pa rmi localhost/mine | grep -c Untagged; pa images --format '{{.Repository}} {{.ReadOnly}}')" "1
localhost/base true"
	pa run --name d --network none base sh -c 'echo new >/new; rm /www/index.html' >/dev/null
	is "additional store: diff" "$(pa diff d | grep -v /etc | sort | tr '\n' ' ')" "A /new C /www D /www/index.html "
	pa commit -q d localhost/two >/dev/null
	is "additional store: commit" "$(pa run --rm --network none localhost/two sh -c 'cat /new; ls /www')" new
	is "additional store: only the new layer is ours" "$(ls "$ROOT/layers" | wc -l)" 1
	is "additional store: check" "$(pa system check; echo $?)" 0
	pa load -q -i "$WORLD/base.tar" >/dev/null
	is "additional store: a layer that is there is not unpacked again" "$(ls "$ROOT/layers" | wc -l)" 1
	is "additional store: nothing was written to it" "$(seen)" "$before"
	is "additional store: without it the image is damaged" "$(pod run --rm --network none localhost/two true 2>&1 | grep -c '^Error:')" 1
	is "additional store: and check says so" "$(pod system check 2>&1 | grep -c 'its directory is missing')" 1
	is "additional store: loading brings the layer" "$(pod load -q -i "$WORLD/base.tar" >/dev/null; pod run --rm --network none localhost/two cat /new)" new
	printf '[storage]\ndriver="overlay"\n[storage.options]\nadditionalimagestores=["%s", "/nonexistent"]\n' "$X/images" >"$X/conf"
	is "additional store: by storage.conf, one that is missing is passed over" \
		"$(world_opts=(); CONTAINERS_STORAGE_CONF=$X/conf pod images -q --filter readonly=true 2>"$WORLD/err" | wc -l) $(grep -c 'nonexistent.*passed over' "$WORLD/err")" "0 1"
	if [ "$(id -u)" = 0 ]; then
		told() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --storage-opt "additionalimagestore=$X/images" images -q 2>&1 >/dev/null | grep -c "images is passed over: $1"; }
		[ -e "$X/images/store.db-wal" ] || : >"$X/images/store.db-wal"
		is "additional store: root's own is used" "$(told)" 0
		for at in images images/store.db images/store.db-wal; do
			mode=$(stat -c %a "$X/$at")
			chown 4242 "$X/$at"
			is "additional store: root's is not another user's ($at)" "$(told "it is another user's")" 1
			chown 0 "$X/$at"
			chmod o+w "$X/$at"
			is "additional store: root's is one that only root may write to ($at)" "$(told "others than root may write to it")" 1
			chmod "$mode" "$X/$at"
		done
	fi
	mkdir "$X/trap" && mkfifo "$X/trap/store.db"
	mkdir "$X/hollow" && : >"$X/hollow/store.db"
	is "additional store: one whose index is empty is passed over" "$("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --storage-opt "additionalimagestore=$X/hollow" images -q 2>&1 | grep -c 'hollow is passed over: its index is empty')" 1
	mkdir -p "$X/theirs/vfs-images"
	is "additional store: one of containers/storage is told apart" "$("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --storage-opt "additionalimagestore=$X/theirs" images -q 2>&1 >/dev/null | grep -c 'theirs is passed over: it is one of containers/storage and of another driver than overlay, from which pod pull containers-storage: copies')" 1
	is "additional store: one whose index is a pipe is passed over" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --storage-opt "additionalimagestore=$X/trap" images -q 2>&1 >/dev/null | grep -c 'trap is passed over.*not a regular file')" 1
	printf '[storage]\ndriver="overlay"\ngraphroot="%s"\nrunroot="%s"\n' "$X/images" "$X/run" >"$X/roots"
	is "graphroot of storage.conf: pod's, pod-store's and pod-image's" \
		"$(export CONTAINERS_STORAGE_CONF=$X/roots; echo $("$BIN/pod" images -q --no-trunc) $("$BIN/pod-store" list -q) $("$BIN/pod-store" mount base cat www/index.html) $("$BIN/pod-image" save -q base | tar -xO manifest.json | jq -r '.[0].RepoTags[0]'))" \
		"sha256:$base $base hello from pod localhost/base:latest"
	pod rm -f -a >/dev/null; pod rmi -f -a >/dev/null
	is "additional store: by storage.conf" "$(world_opts=(); CONTAINERS_STORAGE_CONF=$X/conf pod images -q --filter readonly=true 2>/dev/null | wc -l)" 1
	is "additional store: its own tool" "$("$BIN/pod-image" --help | grep -c storage-opt)" 1
	# Somebody writes to it meanwhile.
	(for i in 1 2 3 4 5; do tar -C "$WORLD/fs" -c etc | "$BIN/pod" --root "$X/images" --runroot "$X/run" import -q - "localhost/new$i" >/dev/null 2>&1; done) &
	bad=0
	while kill -0 $! 2>/dev/null; do pa run --rm --network none base true 2>>"$WORLD/err3" || bad=$((bad + 1)); done
	wait
	is "additional store: while somebody else writes to it" "$bad $(pa images -q | wc -l)" "0 6"
	pod rm -f -a -t 0 >/dev/null 2>&1
	ROOT=$ROOT2 RUNROOT=$RUNROOT2
}
everything
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	# On a file system that cannot be written, whatever we may.
	is "additional store: on a read-only file system" "$(unshare -m --propagation private bash -c '
		mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && "$2" --root "$3/third" --runroot "$3/third-run" \
			--storage-opt additionalimagestore="$1" run --rm --network none localhost/base echo yes' - "$WORLD/x/images" "$BIN/pod" "$WORLD")" yes
fi
is "an unknown storage option" "$(pod --storage-opt nosuch=1 images 2>&1)" "Error: unknown storage option nosuch"
is "an unknown driver" "$(pod --storage-driver zfs images 2>&1 | sed -n 1p)" 'Error: storage driver "zfs" is not available'
is "force_mask" "$(pod --storage-opt overlay.force_mask=700 images 2>&1)" 'Error: storage option overlay.force_mask: force_mask "700": files are only kept with their own permissions here'
is "--storage-opt mountopt" "$(pod --storage-opt overlay.mountopt=nodev,metacopy=on run --rm --network none localhost/base grep ' / ' /proc/mounts | grep -c 'metacopy=on')" 1
is "options of the mount itself" "$(store --storage-opt mountopt=nodev,nosuid mount localhost/base grep "$ROOT/empty " /proc/self/mounts | grep -c 'nosuid,nodev')" 1
is "one that no overlay has" "$(pod --storage-opt overlay.mountopt=nosuch images 2>&1 | sed -n 1p)" 'Error: storage option overlay.mountopt: mountopt: overlay mounts cannot have the option "nosuch"'
{ declare -f everything; echo everything; } | user_part
