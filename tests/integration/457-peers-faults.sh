#!/bin/bash
# SPDX-License-Identifier: ISC
# Faults that the peers published: working directories, users, groups, capabilities, masks, first use of volumes.
# Seen to fail with the guard away: WORKDIR through links, the FIFO, nothing inheritable, the second sysctl, content
# copied again.  Descriptors, /proc and /sys as links, and masks are guarded by the runtime, which has no such switch.
. "$(dirname "$0")/../lib.sh"
world
rootfs "$WORLD/fs"
# image NAME ENTRIES: the usual root file system with changes made by the function "change"
image() { tar -C "$WORLD/fs" --owner=0 --group=0 -c . | store import "$1" >/dev/null; }
img=localhost/faults
image $img || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }

# --- Descriptors and working directories (CVE-2024-21626, CVE-2019-5736)
bad=0
for n in $(seq 0 20) 64; do
	run -w /proc/self/fd/$n $img true >/dev/null 2>&1 && bad=$((bad + 1))
	run -w /proc/1/fd/$n/.. $img true >/dev/null 2>&1 && bad=$((bad + 1))
done
is "no descriptor can be the working directory (CVE-2024-21626)" $bad 0
is "open in the container are the streams alone" "$(run $img sh -c 'ls /proc/1/fd; true' | xargs)" "0 1 2"
is "of an exec too" "$(pod run -d --name e --network none $img sleep 100 >/dev/null; pod exec e sh -c 'for f in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo $f; done' | xargs)" "0 1 2"
bad=0
for n in 3 5 7 8 9 10; do pod exec -w /proc/self/fd/$n e true >/dev/null 2>&1 && bad=$((bad + 1)); done
is "no descriptor as working directory of an exec" $bad 0
run $img /proc/self/exe --version >"$WORLD/out" 2>&1
is "the runtime cannot be run from inside (CVE-2019-5736)" "$(grep -ciE 'crun|runc' "$WORLD/out")" 0

# --- WORKDIR of an image through links (CVE-2026-55686)
ln -s / "$WORLD/fs/toroot"
ln -s ../../../../../../../.. "$WORLD/fs/updirs"
ln -s "$WORLD/outside" "$WORLD/fs/absolute"
for dir in /toroot/made-by-workdir /updirs/made-by-workdir /absolute/made-by-workdir /x/../../../../made-by-workdir; do
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . >"$WORLD/layer.tar"
	pod import --change "WORKDIR $dir" "$WORLD/layer.tar" localhost/workdir >/dev/null 2>&1
	run localhost/workdir pwd >/dev/null 2>&1
	run -u 1000 localhost/workdir pwd >/dev/null 2>&1
done
is "a WORKDIR through links makes nothing on the host" \
	"$(ls -d /made-by-workdir "$WORLD/outside" "$(dirname "$WORLD")/made-by-workdir" 2>/dev/null)" ""
is "nor gives anything away" "$(stat -c %u / "$WORLD")" "$(printf '0\n0')"

# --- passwd and group that are not files (CVE-2024-9676)
rm "$WORLD/fs/etc/passwd"
mkfifo "$WORLD/fs/etc/passwd"
image localhost/fifo
is "a FIFO for a passwd holds nobody up" "$(timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none -u 1000 localhost/fifo id -u)" 1000
rm "$WORLD/fs/etc/passwd"
ln -s /proc/self/fd/0 "$WORLD/fs/etc/passwd"
image localhost/link
timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none -u 5 localhost/link true >/dev/null 2>&1
[ $? = 124 ] && not_ok "nor does a link to a descriptor" || ok "nor does a link to a descriptor"
rm "$WORLD/fs/etc/passwd"
ln -s /etc/shadow "$WORLD/fs/etc/passwd"
image localhost/shadow
run_fails "a link is taken inside the image" 126 "unable to find user root" -u root localhost/shadow true
rm "$WORLD/fs/etc/passwd"
printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n' >"$WORLD/fs/etc/passwd"

# --- Groups and capabilities (CVE-2022-2989, CVE-2022-27649)
is "the caller's groups are not kept (CVE-2022-2989)" "$(setpriv --groups 4,6,77 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run --rm --network none -u 5:5 $img id -G)" 5
is "the image's are there (CVE-2018-15514)" "$(run -u alice $img id -G)" "1000 10"
is "and those of --group-add" "$(run -u alice --group-add 44 $img id -G)" "1000 10 44"
is "a user of its own group stays in it" "$(run -u 5:7 $img sh -c 'grep Groups: /proc/self/status' | xargs)" "Groups: 7"
for who in root alice; do
	is "nothing is inheritable: run as $who (CVE-2022-27649)" "$(run -u $who $img grep CapInh /proc/self/status | cut -f2)" 0000000000000000
	is "nothing is inheritable: exec as $who" "$(pod exec -u $who e grep CapInh /proc/self/status | cut -f2)" 0000000000000000
done
is "an exec of another user has no capability (CVE-2021-20188)" "$(pod exec -u alice e grep CapEff /proc/self/status | cut -f2)" 0000000000000000
pod rm -f -t 0 e >/dev/null

# --- /proc, /sys and masks (CVE-2019-19921, CVE-2023-28642, CVE-2025-31133)
for place in proc sys; do
	rm -rf "${WORLD:?}/fs/$place"
	ln -s /tmp "$WORLD/fs/$place"
	image localhost/link-$place
	run localhost/link-$place true >/dev/null 2>&1
	[ $? = 0 ] && not_ok "/$place as a link is refused" || ok "/$place as a link is refused"
	rm "$WORLD/fs/$place"
	mkdir "$WORLD/fs/$place"
done
is "masked files are masks" "$(run $img sh -c 'for f in kcore keys timer_list; do [ ! -e /proc/$f ] || [ -c /proc/$f ] || echo $f; done')" ""
is "masked directories are empty and read-only" "$(run $img sh -c 'ls -A /sys/firmware; touch /sys/firmware/x 2>/dev/null && echo written')" ""
run_fails "a sysctl brings no second one (CVE-2022-0811)" 125 "is not allowed" --sysctl "$(printf 'net.core.somaxconn=1\nkernel.core_pattern=x')" $img true

# --- First use of a volume (CVE-2020-1726)
run -v first:/www $img sh -c 'rm /www/index.html; touch /www/mine'
is "content is copied only once" "$(run -v first:/www $img ls /www)" mine
run -v first:/www $img rm /www/mine
is "also when it is empty again" "$(run -v first:/www $img ls /www)" ""
run -v second:/other $img touch /other/x
is "never into a volume that has some" "$(run -v second:/www $img ls /www)" x
mkdir "$WORLD/content"
echo given >"$WORLD/content/given"
tar -C "$WORLD/content" -cf "$WORLD/content.tar" given
pod volume create filled >/dev/null
pod volume import filled "$WORLD/content.tar"
is "nor at the first use of one that was filled before" "$(run -v filled:/www $img ls /www)" given
ln -s /etc "$WORLD/fs/linked"
image localhost/linked
run -v third:/linked localhost/linked true >/dev/null 2>&1
is "a link in the image does not lead out (CVE-2020-10696)" "$(ls -A "$ROOT/volumes/third/_data" 2>/dev/null | grep -cx shadow)" 0

# --- Targets of the engine's own mounts (CVE-2024-9341)
rm -f "$WORLD/fs/etc/hosts"
ln -s "$WORLD/outside-hosts" "$WORLD/fs/etc/hosts"
ln -s "$WORLD/outside-run" "$WORLD/fs/run"
image localhost/etc-links
run localhost/etc-links true >/dev/null 2>&1
is "links in the image lead none of our mounts out" "$(ls -d "$WORLD/outside-hosts" "$WORLD/outside-run" 2>/dev/null)" ""
mkdir "$WORLD/outside"
ln -s "$WORLD/outside" "$WORLD/fs/out"
mkdir "$WORLD/bound"
: >"$WORLD/kept"
image localhost/out-link
pod create --name still --network none -v "$WORLD/bound:/out/bound" -v "$WORLD/kept:/out/file" -v still:/out/volume localhost/out-link true >/dev/null
pod cp still:/www/index.html "$WORLD/copied" >/dev/null
is "nor do cp, export and commit of one that does not run, with its mounts" "$(pod export still 2>/dev/null | tar -t | grep -c index.html; pod commit -q still localhost/stilled >/dev/null; cat "$WORLD/copied"; ls -A "$WORLD/outside")" "1
hello from pod"
pod rm still >/dev/null
rm -rf "$WORLD/fs/etc"
ln -s "$WORLD/outside" "$WORLD/fs/etc"
image localhost/etc-link
run localhost/etc-link true >/dev/null 2>&1
is "nor is /etc/mtab made where a link for /etc leads" "$(ls -A "$WORLD/outside")" ""
rm "$WORLD/fs/etc" && mkdir "$WORLD/fs/etc"
echo "10.9.8.7 of-the-host" >"$WORLD/outside/hosts"
ln -s "$WORLD/outside/hosts" "$WORLD/fs/etc/hosts"
image localhost/hosts-link
is "nor are the names of the host's file an image's own" "$(pod create --network none --hosts-file image --name named localhost/hosts-link true >/dev/null; pod start named >/dev/null 2>&1; cat "$RUNROOT"/containers/*/hosts | grep -c of-the-host)" 0
pod rm -f -t 0 named >/dev/null
is "state directories are closed to others" "$(stat -c %a "$ROOT/volumes" "$ROOT/rw" "$RUNROOT/containers" | sort -u | grep -cE '[2367]$')" 0
is "the cgroup cannot be written to (CVE-2022-0492)" "$(run $img sh -c 'mkdir /sys/fs/cgroup/pids/x /sys/fs/cgroup/x 2>/dev/null && echo made')" ""
finish
