#!/bin/bash
# SPDX-License-Identifier: ISC
# Published faults of the peers that need a race or a trap: what is exported, imported, committed and copied up while
# names change places, what the engine's own mounts meet, what it loads and listens on.  The others stand in
# places that the table in 866-faults-more names.
. "$(dirname "$0")/../lib.sh"
if [ "${FAULTS_NS:-}" != 1 ]; then FAULTS_NS=1 exec unshare -m bash "$0"; fi
world
img=localhost/faults
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
quick() { timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
mkdir "$WORLD/victim"
echo victims-own | tee "$WORLD/victim/f" >"$WORLD/kept"
swaps=()
swap() {
	"$BUILD/tests/exchange" "$@" 2>/dev/null &
	remember_pid $! && swaps+=($!)
}
# They have ended before anything is laid out anew: by their last turn a name of this script would be a link.
swaps_end() {
	kill "${swaps[@]}" 2>/dev/null
	wait "${swaps[@]}" 2>/dev/null
	swaps=()
}
# lay_out DIR: a directory and a link, a file and a link
lay_out() {
	mkdir -p "$1/d"
	echo inside | tee "$1/d/f" >"$1/g"
	ln -s "$WORLD/victim" "$1/l"
	ln -s "$WORLD/victim/f" "$1/k"
}

# --- The graph root may be open to all: a file system of its own, made by the administrator.
mkdir -m 755 "$WORLD/open"
(umask 0; "$BIN/pod" --root "$WORLD/open" --runroot "$WORLD/openrun" ps >/dev/null)
is "nobody else reads the environment of containers" "$(stat -c %a "$WORLD/open"/pod.db* | sort -u)" 600
chmod 644 "$WORLD/open"/pod.db*
"$BIN/pod" --root "$WORLD/open" --runroot "$WORLD/openrun" ps >/dev/null
is "nor that of an older database" "$(stat -c %a "$WORLD/open"/pod.db* | sort -u)" 600

# --- volume export while a file and a link change places (CVE-2023-0778).  Two guards, each of which does, so that one
# taken away is not seen here but in a test of its own: links are not followed (unit test trees), and the worker sees
# nothing but the volume (010-roles)
pod volume create v >/dev/null
data=$ROOT/volumes/v/_data
# Each export looks and opens two hundred times: the same directory hangs in many places.
lay_out "$WORLD/swap"
for i in $(seq 100); do
	mkdir "$data/m$i" && mount --bind "$WORLD/swap" "$data/m$i"
done
swap "$WORLD/swap" d l
swap "$WORLD/swap" g k
bad=0
for i in 1 2 3 4; do
	quick volume export v 2>/dev/null | tar -xO 2>/dev/null | grep -q victims-own && bad=$((bad + 1))
done
is "volume export follows no link put in a file's place (CVE-2023-0778)" $bad 0
for i in $(seq 100); do umount "$data/m$i"; done
# --- the same of a container's files, by export and by commit
pod run -d --name live --network none $img sh -c 'mkdir -p /r/d; echo inside >/r/d/f; echo inside >/r/g; sleep 1000' >/dev/null
until_ok 20 pod exec live test -e /r/g
pod exec live sh -c "cd /r; ln -s $WORLD/victim l; ln -s $WORLD/victim/f k"
swaps_end
inner=/proc/$(pod inspect --format '{{.State.Pid}}' live)/root/r
swap "$inner" d l
swap "$inner" g k
bad=0
for i in 1 2 3; do
	quick export live 2>/dev/null | tar -xO 2>/dev/null | grep -q victims-own && bad=$((bad + 1))
	quick commit -q live raced >/dev/null 2>&1 && store export raced 2>/dev/null | tar -xO 2>/dev/null | grep -q victims-own && bad=$((bad + 1))
	quick diff live >/dev/null 2>&1
done
is "nor do export and commit" $bad 0
swaps_end

# --- volume import below a link and while it comes and goes
mkdir -p "$WORLD/in/d" && echo new | tee "$WORLD/in/d/f" >"$WORLD/in/g"
tar -C "$WORLD/in" -cf "$WORLD/in.tar" .
for i in 1 2 3 4; do
	rm -rf "${data:?}"/*
	lay_out "$data"
	swap "$data" d l
	swap "$data" g k
	quick volume import v "$WORLD/in.tar" >/dev/null 2>&1
	swaps_end
done
is "volume import writes through none" "$(cat "$WORLD/victim/f"; ls "$WORLD/victim")" "victims-own
f"

# --- first use of a volume that somebody fills with links meanwhile (CVE-2020-10696)
bad=0
for i in 1 2 3; do
	pod volume create "up$i" >/dev/null
	pod run -d --name "a$i" --network none -v "up$i:/v:nocopy" $img sh -c "while :; do ln -s $WORLD/victim/f /v/index.html; ln -s $WORLD/victim /v/x; rm /v/*; done" >/dev/null
	run -v "up$i:/www" $img true >/dev/null 2>&1
	pod rm -f -t 0 "a$i" >/dev/null
	[ "$(cat "$WORLD/victim/f")" = victims-own ] || bad=$((bad + 1))
done
is "copy-up writes through no link (CVE-2020-10696)" "$bad $(ls "$WORLD/victim")" "0 f"

# --- targets of mounts exchanged by another container (CVE-2021-30465, CVE-2025-52881); where a mount lands inside
# the container is looked at in 780-init
pod volume create shared >/dev/null
data=$ROOT/volumes/shared/_data
mkdir "$data/d" && ln -s "$WORLD/victim" "$data/l"
swap "$data" d l
bad=0
for i in 1 2 3 4 5; do
	run -v shared:/v -v "$WORLD/in:/v/d/new" $img true >/dev/null 2>&1
	run -v shared:/v --tmpfs /v/d/new $img touch /v/d/new/made >/dev/null 2>&1
	awk '{ print $5 }' /proc/self/mountinfo | grep -q "$data\|$WORLD/victim" && bad=$((bad + 1))
done
swaps_end
is "a mount lands in no place of the host (CVE-2021-30465)" "$bad $(ls "$WORLD/victim")" "0 f"

# --- /dev/null and the console as links (CVE-2025-31133, CVE-2025-52565)
pod volume create dev >/dev/null
data=$ROOT/volumes/dev/_data
for n in null console ptmx pts/0 tty full zero; do mkdir -p "$data/pts" && ln -s /proc/sys/kernel/core_pattern "$data/$n"; done
was=$(cat /proc/sys/kernel/core_pattern)
run -v dev:/dev:nocopy $img sh -c 'cat /proc/keys /proc/timer_list; echo "|stolen" >/proc/kcore' >"$WORLD/out" 2>&1
grep -qF "$was" "$WORLD/out"
is "masks are not what /dev/null is a link to (CVE-2025-31133)" "$?" 1
quick run --rm -t --network none -v dev:/dev:nocopy $img sh -c 'echo "|stolen" >/dev/console' </dev/null >/dev/null 2>&1
is "nor is the console (CVE-2025-52565)" "$(cat /proc/sys/kernel/core_pattern)" "$was"

# --- secrets and files of /etc through links of the image (CVE-2024-9341)
ln -s "$WORLD/outside" "$WORLD/fs/run"
tar -C "$WORLD/fs" --owner=0 --group=0 -c . | store import localhost/runlink >/dev/null
rm "$WORLD/fs/run"
echo hidden | pod secret create s - >/dev/null
run --secret s localhost/runlink true >/dev/null 2>&1
run --init localhost/runlink true >/dev/null 2>&1
is "secrets are written to no place of the host (CVE-2024-9341)" "$(ls -d "$WORLD/outside" 2>/dev/null)" ""

# --- users looked up while the passwd changes places with a FIFO (CVE-2024-9676); one that stays is in 866.  Each guard
# alone is seen in the unit test path
pod exec live sh -c 'cd /etc; mkfifo pipe; ln -s /proc/1/fd/0 lnk'
swap "/proc/$(pod inspect --format '{{.State.Pid}}' live)/root/etc" passwd pipe
bad=0
for i in $(seq 8); do
	quick exec -u alice live true >/dev/null 2>&1
	[ $? != 124 ] || bad=$((bad + 1))
done
swaps_end
is "a user is looked up in no FIFO (CVE-2024-9676)" $bad 0

# --- nothing of a container is loaded into a program of ours (CVE-2019-14271)
cat >"$WORLD/trap.c" <<C
#include <stdio.h>
__attribute__((constructor)) static void taken(void) { FILE *f = fopen("$WORLD/taken", "a"); if (f) fclose(f); }
C
if cc -shared -fPIC -o "$WORLD/trap.so" "$WORLD/trap.c" 2>/dev/null; then
	LD_PRELOAD=$WORLD/trap.so /bin/true
	is "the trap works" "$(test -e "$WORLD/taken"; echo $?)" 0
	rm -f "$WORLD/taken"
	lib=$WORLD/fs/lib/x86_64-linux-gnu
	mkdir -p "$lib" "$WORLD/fs/usr/lib" "$WORLD/fs/lib64" "$WORLD/fs/etc"
	for n in libnss_files.so.2 libnss_compat.so.2 libnss_dns.so.2 libc.so.6 libgcc_s.so.1; do
		cp "$WORLD/trap.so" "$lib/$n" && cp "$WORLD/trap.so" "$WORLD/fs/lib64/$n" && cp "$WORLD/trap.so" "$WORLD/fs/usr/lib/$n"
	done
	cp "$WORLD/trap.so" "$WORLD/fs/trap.so"
	echo /trap.so >"$WORLD/fs/etc/ld.so.preload"
	printf 'passwd: compat files\ngroup: compat files\nhosts: dns\n' >"$WORLD/fs/etc/nsswitch.conf"
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . | store import localhost/trap >/dev/null
	pod run -d --name trap --network none -u alice localhost/trap sleep 1000 >/dev/null
	pod exec -u alice trap true
	pod cp trap:/etc "$WORLD/etc-out" >/dev/null
	pod cp "$WORLD/in" trap:/tmp
	pod top trap user group args >/dev/null
	pod export trap 2>/dev/null | tar -t >/dev/null
	pod commit -q trap trapped >/dev/null
	is "nor is anything loaded from a container (CVE-2019-14271)" "$(ls "$WORLD/taken" 2>/dev/null)" ""
	mounts=/proc/$(pod inspect --format '{{.State.ConmonPid}}' trap)/maps
	is "nor by the monitor" "$(grep -c trap.so "$mounts")" 0
fi

# --- no socket that has no place in the file system (CVE-2020-15257)
bad=0
for pid in $(pgrep -f -- "$RUNROOT" | grep -v $$) $(pod inspect --format '{{.State.ConmonPid}}' live); do
	for inode in $(ls -l "/proc/$pid/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\]/\1/p'); do
		awk -v i="$inode" '$7 == i && $8 ~ /^@/ { found = 1 } END { exit !found }' /proc/net/unix && bad=$((bad + 1))
	done
done
is "no abstract socket (CVE-2020-15257)" $bad 0

# --- state directories belong to no mapped user (CVE-2021-21284)
pod run -d --name mapped --network none --uidmap 0:200000:65536 --gidmap 0:200000:65536 $img sleep 1000 >/dev/null
is "what is mapped owns only its own layer (CVE-2021-21284)" \
	"$(find "$ROOT" "$RUNROOT" \( -uid +199999 -o -gid +199999 -perm /020 \) -not -path '*/rw/*/upper*' \
		-not \( -type f -path "$RUNROOT/containers/*" \) 2>/dev/null | head -n 3)" ""
is "the victim is as it was" "$(cat "$WORLD/victim/f") $(ls "$WORLD/victim" | wc -l)" "victims-own 1"
finish
