#!/bin/bash
# SPDX-License-Identifier: ISC
# cp: between host and containers that run, ran, or never ran; volumes; streams; and a container that changes
# its files meanwhile.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/bb >/dev/null
H=$WORLD/h
mkdir -p "$H"/{src/sub,bind} && cd "$H" || exit 1
echo f1 >src/f1
echo f2 >src/sub/f2
ln -s f1 src/link
ln src/f1 src/hard
mkfifo src/fifo
echo single >single
chown 1234:1234 single
chmod 4640 single
touch -d '2001-02-03 04:05:06' single
setfattr -n user.note -v hi single 2>/dev/null
pod run -d --name live --network none -v vol:/vol -v "$H/bind:/bind" --tmpfs /tm localhost/bb sleep 1000 >/dev/null
pod create --name fresh --network none -v vol:/vol -v "$H/bind:/bind:ro" -u alice -w /home/alice localhost/bb sleep 1000 >/dev/null
pod run --name ended --network none -v vol:/vol localhost/bb true
inside() { pod exec live sh -c "$1" 2>&1; }
refuse() { local text=$1; shift; if "$@" >/dev/null 2>&1; then not_ok "$text"; else ok "$text"; fi; }
fails() { local want=$1; shift; local out; out=$(pod cp "$@" 2>&1 </dev/null) && out="status 0: $out"; is "cp $*" "$out" "$want"; }

# --- Rules
check "a file to a new name" pod cp single live:/tmp/a
is "mode, owner, time, content" "$(inside 'stat -c "%a %u:%g %Y" /tmp/a; cat /tmp/a')" "$(printf '4640 0:0 %s\nsingle' "$(stat -c %Y single)")"
check "owners are kept on demand" pod cp -a=false single live:/tmp/b
is "the owner" "$(inside 'stat -c %u:%g /tmp/b')" 1234:1234
check "into a directory" pod cp single live:/tmp/
is "the same name" "$(inside 'cat /tmp/single')" single
check "a tree to a new name" pod cp src live:/tmp/t1
is "what is in it" "$(inside 'cd /tmp/t1 && find . | sort | tr "\n" " "; readlink link; stat -c %h f1')" \
	"$(printf '. ./f1 ./fifo ./hard ./link ./sub ./sub/f2 f1\n2')"
check "a tree into a directory" pod cp src live:/tmp/t1
is "below its own name" "$(inside 'cat /tmp/t1/src/sub/f2')" f2
check "content of a tree" pod cp src/. live:/tmp/t2
check "content of a tree again" pod cp src/. live:/tmp/t2
is "not below its own name" "$(inside 'cat /tmp/t2/f1; ls -d /tmp/t2/src 2>/dev/null')" f1
check "a link stands for its target" pod cp live:/tmp/t1/link out-link
is "content of the target" "$(cat out-link; [ -h out-link ] && echo link)" f1
check "relative paths" pod cp single fresh:rel
is "one that is not there is named from the root" "$(pod cp ended:no/x x 2>&1)" 'Error: "/no/x" could not be found on container ended: no such file or directory'
check "to the working directory" pod cp fresh:/home/alice/rel out-rel
is "of the container's user" "$(pod cp fresh:/home/alice/rel - | tar -tv --numeric-owner | cut -c1-21)" "-rwSr----- 1000/1000 "
check "between containers" pod cp live:/tmp/t1 ended:/tmp/t1
is "they arrived" "$(pod cp ended:/tmp/t1/src/sub/f2 - | tar -xO)" f2
check "into itself ends" pod cp live:/tmp/. live:/tmp/self
check "within one that does not run" timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" cp ended:/tmp/t1 ended:/tmp/t3
is "it arrived" "$(pod cp ended:/tmp/t3/sub/f2 - | tar -xO)" f2
pod create --name left --network none -v voll:/srv/a localhost/bb true >/dev/null
pod create --name right --network none -v volr:/srv/b localhost/bb true >/dev/null
pod cp single left:/srv/a/one && pod cp single right:/srv/b/two
check "between two that do not run, with volumes" pod cp left:/srv right:/tmp/l
check "and the other way" pod cp right:/srv left:/tmp/r
is "what lies in the volumes came too" "$(pod cp right:/tmp/l/a/one - | tar -xO; pod cp left:/tmp/r/b/two - | tar -xO)" "$(echo single; echo single)"
for i in $(seq 15); do
	timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" cp left:/bin "right:/tmp/x$i" & there=$!
	timeout 30 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" cp right:/bin "left:/tmp/x$i" & back=$!
	wait $there && wait $back || break
done
is "two copies in opposite directions do not wait for each other" "$i" 15
pod rm left right >/dev/null
fails 'Error: "/tmp/no/" could not be found on container live: no such file or directory' single live:/tmp/no/
fails 'Error: "/tmp/no/x" could not be found on container live: no such file or directory' single live:/tmp/no/x
fails 'Error: "no" could not be found on the host: no such file or directory' no live:/tmp
fails 'Error: destination must be a directory when copying a directory' src live:/tmp/a
mkfifo pipe
fails 'Error: invalid destination: "pipe" must be a directory or a regular file' live:/tmp/a pipe
check "which stays as it is" test -p pipe
fails 'Error: "/no" could not be found on container fresh: no such file or directory' fresh:/no x
fails 'Error: container "none" does not exist' single none:/x
fails 'Error: name or ID cannot be empty' single double
fails 'Error: invalid arguments "single", "live:": you must specify paths' single live:
fails 'Error: source must be a (compressed) tar archive when copying from stdin' - live:/tmp
fails 'Error: destination must be a directory when copying from stdin' - live:/tmp/a
mkdir mix && echo x >mix/f1
pod cp mix live:/tmp/mix && inside 'rm /tmp/mix/f1; mkdir /tmp/mix/f1; echo y >/tmp/mix/f1/z' >/dev/null
refuse "a directory is not replaced" pod cp mix/. live:/tmp/mix
check "unless asked for" pod cp --overwrite mix/. live:/tmp/mix
is "now it is" "$(inside 'cat /tmp/mix/f1')" x

# --- Streams
is "a tar archive comes out" "$(pod cp live:/tmp/t2/. - | tar -t | sort | tr '\n' ' ')" "f1 fifo hard link sub sub/f2 "
is "below the name" "$(pod cp live:/tmp/t2 - | tar -t | sed -n 1p)" t2
for z in cat gzip zstd; do
	inside 'rm -rf /tmp/in; mkdir /tmp/in' >/dev/null
	tar -c src | $z >in.tar
	check "a tar archive goes in ($z)" pod cp - live:/tmp/in <in.tar
	is "and is unpacked" "$(inside 'cat /tmp/in/src/sub/f2; readlink /tmp/in/src/link')" "$(printf 'f2\nf1')"
done
refuse "half an archive" sh -c "tar -c src | head -c 700 | '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' cp - live:/tmp/in"
python3 - evil.tar <<'EOF2'
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w")
def add(name, type=tarfile.REGTYPE, link="", data=b"evil\n"):
    i = tarfile.TarInfo(name); i.type = type; i.linkname = link
    i.size = len(data) if type == tarfile.REGTYPE else 0
    t.addfile(i, io.BytesIO(data) if i.size else None)
add("../../../../esc1"); add("/esc2")
add("l", tarfile.SYMTYPE, "/"); add("l/esc3")
add("m", tarfile.SYMTYPE, "../../../../../../.."); add("m/esc4")
add("h", tarfile.LNKTYPE, "../../../../../../../etc/hostname")
t.close()
EOF2
inside 'mkdir /tmp/evil' >/dev/null
pod cp - live:/tmp/evil <evil.tar >/dev/null 2>&1
is "nothing lands outside the container" "$(ls -d /esc1 /esc2 /esc3 /esc4 /tmp/esc? 2>/dev/null)" ""
is "links lead below its root" "$(inside 'ls /esc3 /esc4')" "$(printf '/esc3\n/esc4')"

# --- Mounts
check "a volume of a container that runs" pod cp single live:/vol/x
check "is seen by one that never ran" pod cp fresh:/vol/x out-vol
is "with its content" "$(cat out-vol)" single
check "and by one that ended" pod cp ended:/vol/x out-vol2
check "into a volume of one that ended" pod cp single ended:/vol/y
is "the others see it" "$(inside 'cat /vol/y')" single
check "a bind" pod cp single live:/bind/z
is "is the host's" "$(cat bind/z)" single
check "of one that never ran" pod cp fresh:/bind/z out-bind
refuse "read-only stays read-only" pod cp single fresh:/bind/w
is "nothing was written" "$(ls bind)" z
check "a tmpfs of one that runs" pod cp single live:/tm/x
is "nothing stays mounted" "$(grep -c "$WORLD" /proc/self/mountinfo)" 0
pod create --name ro --read-only --network none -v vol:/vol localhost/bb true >/dev/null
fails 'Error: container rootfs is marked read-only' single ro:/x
check "a volume of a read-only container" pod cp single ro:/vol/ro
check "paused containers too" sh -c "'$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' pause live >/dev/null && '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' cp live:/tmp/a p1"
pod unpause live >/dev/null
pod start fresh >/dev/null
is "the container starts afterwards" "$?" 0
is "with what was copied" "$(pod exec fresh sh -c 'cat rel; ls /vol/ro')" "$(printf 'single\n/vol/ro')"

# --- Links of the container that lead to places of the host
mkdir "$WORLD/hostly"
echo host >"$WORLD/hostly/f"
for c in live ended; do
	[ $c = live ] && inside "ln -s $WORLD/hostly /hostly; ln -s $WORLD/hostly/f /hostfile" || ! ln -s "$WORLD/hostly" hostly || ! ln -s "$WORLD/hostly/f" hostfile || tar -c hostly hostfile | pod cp - $c:/ >/dev/null
	pod cp $c:/hostly/f leaked1 >/dev/null 2>&1
	pod cp $c:/hostfile leaked2 >/dev/null 2>&1
	pod cp $c:/hostly/. leaked3 >/dev/null 2>&1
	is "nothing of the host comes out of $c" "$(cat leaked* leaked3/f 2>/dev/null)" ""
	pod cp single $c:/hostly/new >/dev/null 2>&1
	pod cp single $c:/hostfile >/dev/null 2>&1
	pod cp src $c:/hostly >/dev/null 2>&1
	is "nor is anything put there" "$(ls "$WORLD/hostly"; cat "$WORLD/hostly/f")" "$(printf 'f\nhost')"
	rm -rf leaked*
done

# --- CVE-2018-15664: a directory and a link, a file and a link change places while we copy.  The container meets
# them at fifty places, so that each copy looks and opens a hundred times; with
# the worker's O_NOFOLLOW and its empty view taken away nearly each copy goes wrong, and without openat2's rule for the
# first path every other one.
mkdir -p "$WORLD/victim" "$WORLD/swap/d" in
echo secret | tee "$WORLD/victim/f" >"$WORLD/kept"
echo inside | tee "$WORLD/swap/d/f" >"$WORLD/swap/g"
ln -s "$WORLD/victim" "$WORLD/swap/l"
ln -s "$WORLD/victim/f" "$WORLD/swap/k"
places=()
for i in $(seq 50); do
	places+=(-v "$WORLD/swap:/r/m$i")
	mkdir -p "in/m$i/d" && echo new | tee "in/m$i/g" >"in/m$i/d/f"
done
pod run -d --name swap --network none "${places[@]}" localhost/bb sleep 1000 >/dev/null
"$BUILD/tests/exchange" "$WORLD/swap" d l &
remember_pid $! && swap=$!
"$BUILD/tests/exchange" "$WORLD/swap" g k &
remember_pid $! && swap2=$!
bad=0 copied=0
for i in 1 2 3 4; do
	rm -rf got got2 got3
	pod cp swap:/r/m1/d/f got >/dev/null 2>&1
	pod cp swap:/r/m1/d got2 >/dev/null 2>&1
	pod cp swap:/r got3 >/dev/null 2>&1
	pod cp swap:/r - 2>/dev/null | tar -xO >got4 2>/dev/null
	find got got2 got3 got4 -type f -exec grep -q secret {} \; -print 2>/dev/null | grep -q . && bad=$((bad + 1))
	find got3 -type f -exec grep -q inside {} \; -print 2>/dev/null | grep -q . && copied=$((copied + 1))
done
for i in 1 2 3; do
	pod cp in/. swap:/r >/dev/null 2>&1
	tar -C in -c . | pod cp - swap:/r >/dev/null 2>&1
	pod cp single swap:/r/m1/d/new >/dev/null 2>&1
	# What was overwritten is laid out anew.
	rm -rf "$WORLD/swap/l" && ln -sn "$WORLD/victim" "$WORLD/swap/l"
	ln -sfn "$WORLD/victim/f" "$WORLD/swap/k"
done
is "they change places all the time" "$(kill -0 $swap $swap2; echo $?)" 0
kill $swap $swap2
check "and are copied all the same ($copied of 4)" [ "$copied" -gt 0 ]
is "a link exchanged for a directory leads nowhere: out" "$bad" 0
is "a link exchanged for a directory leads nowhere: in" "$(ls "$WORLD/victim" | tr '\n' ' ')" "f "
is "nor for a file" "$(cat "$WORLD/victim/f")" secret
pod rm -f -t 0 swap >/dev/null

# --- Deep trees: as deep as a path can be, and deeper than descriptors reach
inside 'mkdir /deep && cd /deep && for i in $(seq 1800); do mkdir d && cd d; done'
is "a deep tree as a stream" "$(pod cp live:/deep - | tar -t | wc -l)" 1801
is "into a directory" "$(pod cp live:/deep deep 2>&1 | cut -c1-45)" 'Error: too many levels of directories: "deep/'
pod run -d --name well --network none localhost/bb sleep 1000 >/dev/null
pod exec well sh -c 'for t in /deep /more; do mkdir $t && cd $t && for i in $(seq 1500); do mkdir d && cd d; done; done
	cd /deep && for i in $(seq 1500); do cd d; done; mv /more .'
check "who makes a tree deeper than any path stops no ps -s" eval "pod ps -s >/dev/null"
check "and no system df" eval "pod system df >/dev/null"
check "and is removed" eval "pod rm -f -t 0 well >/dev/null"

# --- Nodes
check "devices are not made on the host" pod cp live:/dev out-dev
is "none" "$(find out-dev -type c -o -type b | wc -l)" 0
inside 'rm -r /deep'
check "the kernel's files count as empty" pod cp live:/ out-root
is "proc" "$(ls out-root/proc out-root/sys | grep -v :)" ""

# --- Speed: about that of cp(1)
head -c 300M /dev/zero | tr '\0' x >big
now() { date +%s%N; }
a=$(now); cp big big2; b=$(now); pod cp big live:/tmp/big; c=$(now); rm big2
pod cp live:/tmp/big big2; d=$(now)
is "300 MB arrive" "$(cmp big big2 && echo same)" same
echo "# cp $(((b - a) / 1000000)) ms, pod cp in $(((c - b) / 1000000)) ms, out $(((d - c) / 1000000)) ms"
at_end() { pod rm -f -t 0 -a >/dev/null 2>&1; }
finish
