#!/bin/bash
# SPDX-License-Identifier: ISC
# A full disk below the graph root or the run root, and one that cannot be written: one clear Error line, the state
# as it was, the store opens after, and the command works once there is room.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
[ "$(id -u)" = 0 ] || { skip "full disks" "needs root, to mount them"; finish; }
# What is mounted here nobody else sees.
[ -n "${ALONE:-}" ] || ALONE=1 exec unshare -m --propagation private bash "$0"
world
at_end() { pod rm -f -a -t 0 >/dev/null 2>&1; umount -l "$WORLD/reserved" "$WORLD/disk" "$WORLD/ro" "$WORLD/run" 2>/dev/null; }
mkdir "$WORLD/disk"
small_disk "$WORLD/disk" 24
ROOT=$WORLD/disk/root
fill() { # KIB: leaves so much free
	rm -f "$WORLD/disk/filler"
	head -c $((64 << 20)) /dev/zero >"$WORLD/disk/filler" 2>/dev/null
	[ "$1" = 0 ] || truncate -s -$(($1 << 10)) "$WORLD/disk/filler"
}
room() { rm -f "$WORLD/disk/filler"; }
img=localhost/base
busybox_image $img >/dev/null
# An image of 8 MB more, which cannot be made smaller, in each form
mkdir "$WORLD/big"
head -c 5000000 /dev/urandom >"$WORLD/big/blob"
tar -C "$WORLD/big" -cf "$WORLD/big.tar" blob
O=(--root "$WORLD/other" --runroot "$WORLD/other-run")
"$BIN/pod-store" "${O[@]}" import localhost/big <"$WORLD/big.tar" >/dev/null
for f in docker-archive oci-archive; do "$BIN/pod" "${O[@]}" save -q --format $f -o "$WORLD/$f" localhost/big; done
"$BIN/pod-image" "${O[@]}" copy -q containers-storage:localhost/big "oci:$WORLD/lay:latest" 2>/dev/null ||
	{ mkdir "$WORLD/lay" && tar -C "$WORLD/lay" -xf "$WORLD/oci-archive"; }
pod run -d --name up --network none $img sleep 1000 >/dev/null
pod create --name idle --network none $img true >/dev/null
pod run --name done --network none $img sh -c 'head -c 3000000 /bin/busybox >/a; cat /bin/busybox >/b' >/dev/null
state() {
	pod ps -aq --no-trunc | sort
	pod images -q --no-trunc | sort
	pod volume ls -q | sort
	find "$ROOT"/{rw,layers,volumes,containers} "$RUNROOT"/containers -mindepth 1 -maxdepth 1 2>/dev/null | sort
}
before=$(state)
# full KIB TEXT COMMAND...: with so much room left
full() {
	local kib=$1 text=$2 st now
	shift 2
	fill "$kib"
	timeout 60 "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null
	st=$?
	until_ok 20 nothing_in "$ROOT/tmp" "$ROOT/trash"
	now=$(state 2>"$WORLD/err2")
	if [ $st != 125 ] && [ $st != 1 ]; then
		not_ok "$text, $kib KiB left: status $st: $(head -n 3 "$WORLD/err" | tr '\n' ' ')"
	elif [ "$(grep -c '^Error:' "$WORLD/err")" != 1 ] || ! grep -qiE 'no space left|disk is full|database or disk is full' "$WORLD/err"; then
		not_ok "$text, $kib KiB left: one clear line, not: $(head -n 3 "$WORLD/err" | tr '\n' ' ')"
	elif [ -s "$WORLD/err2" ]; then
		not_ok "$text, $kib KiB left: the store does not open: $(head -n 1 "$WORLD/err2")"
	elif [ "$now" != "$before" ]; then
		not_ok "$text, $kib KiB left: $(diff <(echo "$before") <(echo "$now") | head -n 4 | tr '\n' ' ')"
	else
		ok "$text, $kib KiB left: $(cut -c1-110 "$WORLD/err" | head -n 1)"
	fi
	room
}
P=("$BIN/pod" --root "$ROOT" --runroot "$RUNROOT")
for kib in 0 64 3000; do
	full $kib "pull" "${P[@]}" pull -q "oci:$WORLD/lay"
	full $kib "load" "${P[@]}" load -q -i "$WORLD/docker-archive"
	full $kib "load of an oci-archive" "${P[@]}" load -q -i "$WORLD/oci-archive"
	full $kib "import" "${P[@]}" import -q "$WORLD/big.tar" localhost/new
	full $kib "cp" "${P[@]}" cp "$WORLD/big/blob" idle:/blob
	full $kib "cp to one that runs" "${P[@]}" cp "$WORLD/big/blob" up:/blob
	full $kib "commit" "${P[@]}" commit -q done localhost/new
done
head -c $((200 << 20)) /dev/zero | gzip >"$WORLD/bomb.gz"
full 3000 "load of a few bytes that stand for many" "${P[@]}" load -q -i "$WORLD/bomb.gz"
is "which never filled the disk" "$(grep -c 'the most there is room for' "$WORLD/err")" 1
full 0 "save to the same disk" "${P[@]}" save -q -o "$WORLD/disk/s.tar" $img
# Small things still find room in what the databases keep for it: they are done, or refused, but not by half.
wholly() { # TEXT COMMAND... ; then UNDO
	local text=$1 st
	shift
	fill 0
	timeout 60 "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null
	st=$?
	room
	if [ $st = 0 ] || [ "$(grep -c '^Error:' "$WORLD/err")" = 1 ]; then ok "$text, nothing left: status $st"; else not_ok "$text: $st: $(head -n 3 "$WORLD/err")"; fi
}
wholly "run" "${P[@]}" run --rm --network none $img true
wholly "create" "${P[@]}" create --name small --network none $img true
pod rm -i small >/dev/null
wholly "a volume" "${P[@]}" volume create v
pod volume rm -f v >/dev/null
is "and nothing stays of them" "$(state)" "$before"
fill 0
is "what runs is seen and runs on" "$(pod ps --format '{{.Names}}') $(pod exec up echo yes)" "up yes"
is "a container can be removed" "$(pod rm -f -t 0 up 2>&1)" up
is "and an image" "$(pod rm -f -a -t 0 >/dev/null; pod rmi -f $img >/dev/null && pod images -q | wc -l)" 0
room
busybox_image $img >/dev/null
is "with room again: pull" "$(pod pull -q "oci:$WORLD/lay" | wc -l)" 1
is "run" "$(pod run --rm --network none $img echo fine)" fine
is "and all is well" "$(pod system check; echo $?)" 0

# A log that grows without end takes every byte that others give back, whatever is refused meanwhile.
pod run -d --name up --network none $img sleep 1000 >/dev/null
pod run -d --name flood --network none $img yes >/dev/null
no_room() { [ "$(df --output=avail "$WORLD/disk" | tail -n 1)" -lt 64 ]; }
check "a container fills the disk" until_ok 60 no_room
for _ in $(seq 30); do
	"${P[@]}" run --rm --network none $img true 2>"$WORLD/err" || head -n 1 "$WORLD/err"
done >"$WORLD/said"
is "what is refused then says so" "$(grep -v -c -x "Error: recording the container: no space left on device" "$WORLD/said")" 0
# What the databases keep is written over and over, and its end is kept for removals whatever is asked meanwhile.
for _ in $(seq 60); do
	"${P[@]}" exec up true
done >"$WORLD/said" 2>&1
is "what runs goes on, however often" "$(sort -u "$WORLD/said")" ""
for i in $(seq 250); do
	"${P[@]}" create --network none $img true >/dev/null || break
done 2>"$WORLD/said"
is "containers are made until there is no room for them" "$(cat "$WORLD/said")" "Error: recording the container: no space left on device"
"${P[@]}" volume create v >/dev/null
for i in $(seq 100); do "${P[@]}" tag $img $(seq -f "n$i-%g" 40) || break; done 2>"$WORLD/said"
is "and names given" "$(cat "$WORLD/said")" "Error: the index of the store: no space left on device"
is "a volume can be removed" "$("${P[@]}" volume rm v 2>&1)" v
is "and a name" "$("${P[@]}" untag $img localhost/n1-1 2>&1)" ""
is "and a container" "$("${P[@]}" rm -f -t 0 up 2>&1)" up
is "and the one that fills the disk" "$(timeout 60 "${P[@]}" rm -f -t 0 flood 2>&1)" flood
is "and all is well again" "$("${P[@]}" rm -f -t 0 -a >/dev/null && pod system check; echo $?)" 0

# --- The run directory -------------------------------------------------------------------------------------------
pod rm -f -a -t 0 >/dev/null 2>&1
words() { # STATUS TEXT COMMAND...: one Error line
	local want=$1 text=$2 st
	shift 2
	timeout 30 "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null
	st=$?
	if [ $st = "$want" ] && [ "$(grep -c '^Error:' "$WORLD/err")" = 1 ]; then ok "$text: $(cut -c1-110 "$WORLD/err" | head -n 1)"; else
		not_ok "$text: $st: $(head -n 3 "$WORLD/err" | tr '\n' ' ')"
	fi
}
rm -rf "$RUNROOT" && mkdir "$RUNROOT" "$WORLD/ro"
mount -t tmpfs -o size=16k,mode=700 none "$RUNROOT"
head -c 100000 /dev/zero >"$RUNROOT/filler" 2>/dev/null
words 126 "a full run directory: run" "${P[@]}" run --rm --network none $img true
umount "$RUNROOT"
is "afterwards nothing of it is left" "$(pod ps -aq | wc -l) $(ls "$ROOT/rw" | wc -l)" "0 0"
mount -t tmpfs -o ro none "$WORLD/ro"
for c in "run --rm --network none $img true" "ps" "images" "pull -q oci:$WORLD/lay"; do
	words 125 "a read-only run directory: ${c%% *}" "$BIN/pod" --root "$ROOT" --runroot "$WORLD/ro/run" $c
done
mount -o remount,ro "$WORLD/disk"
for c in "run --rm --network none $img true" "pull -q oci:$WORLD/lay" "tag $img other" "rmi $img" "volume create v"; do
	words 125 "a read-only graph root: ${c%% *}" "${P[@]}" $c
done
mount -o remount,rw "$WORLD/disk"
is "and everything works after it" "$(pod run --rm --network none $img echo fine)" fine
# --- Room that is root's alone ------------------------------------------------------------------------------------
truncate -s 64M "$WORLD/reserved.disk" && mkfs.ext4 -q -m 30 "$WORLD/reserved.disk" && mkdir "$WORLD/reserved" &&
	mount -o loop "$WORLD/reserved.disk" "$WORLD/reserved" 2>/dev/null || { skip "room that is root's alone" "no file system can be mounted of a file"; finish; }
chmod 1777 "$WORLD/reserved"
user_part <<'END'
D=$LIB_DIR/reserved ROOT=$LIB_DIR/reserved/root
tar -C "$LIB_DIR/user-fs" -c . 2>/dev/null | store import localhost/base >/dev/null
pod run -d --name flood --network none localhost/base yes >/dev/null
no_room() { [ "$(df --output=avail "$D" | tail -n 1)" -lt 64 ]; }
check "user: a container fills what is not kept for root" until_ok 60 no_room
for _ in $(seq 30); do
	pod run --rm --network none localhost/base true 2>"$WORLD/err" || head -n 1 "$WORLD/err"
done >"$WORLD/said"
is "user: what is refused then says so" "$(grep -v -c '^Error: .*: no space left on device$' "$WORLD/said")" 0
is "user: and that container can be removed" "$(timeout 60 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" rm -f -t 0 flood 2>&1)" flood
END
