#!/bin/bash
# SPDX-License-Identifier: ISC
# User namespaces of containers: maps and their flags, keep-id, nomap, auto, those of others; entries of passwd.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/userns
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
map() { run "$@" $image cat /proc/self/uid_map | xargs; }
gmap() { run "$@" $image cat /proc/self/gid_map | xargs; }

# --- Maps
is "--uidmap" "$(map --uidmap 0:100000:65536)" "0 100000 65536"
is "is used for groups too" "$(gmap --uidmap 0:100000:65536)" "0 100000 65536"
is "unless --gidmap says otherwise" "$(gmap --uidmap 0:100000:65536 --gidmap 0:200000:1000)" "0 200000 1000"
is "several ranges, in order, those that follow as one" \
	"$(map --uidmap 10:500010:5 --uidmap 0:500000:10 --uidmap 20:300000:5)" "0 500000 15 20 300000 5"
is "the flag u keeps a range from the groups" "$(gmap --uidmap 0:100000:1000 --uidmap u2000:300000:1)" "0 100000 1000"
is "the flag g" "$(map --gidmap 0:100000:1000 --gidmap g2000:300000:1)" "0 100000 1000"
is "+ takes what conflicts out" "$(map --uidmap 0:100000:1000 --uidmap +5:200000:1)" \
	"0 100000 5 5 200000 1 6 100006 994"
is "also outside" "$(map --uidmap 0:100000:11 --uidmap +100:100003:1)" "0 100000 3 4 100004 7 100 100003 1"
is "files of the image belong to its users" "$(run --uidmap 0:100000:65536 $image stat -c %u:%g /www/index.html)" 0:0
is "what is written comes out as theirs" \
	"$(run --uidmap 0:100000:65536 -v "$WORLD:/w" $image stat -c %u /w)" 65534
mkdir "$WORLD/open" && chmod 777 "$WORLD/open"
run --uidmap 0:100000:65536 -u 5 -v "$WORLD/open:/w" $image touch /w/f
is "with the number outside" "$(stat -c %u "$WORLD/open/f")" 100005
run --uidmap 0:100000:65536 -v "$WORLD/open:/w:U" -u 7:8 $image true
is "U knows the map" "$(stat -c %u:%g "$WORLD/open/f")" 100007:100008
run_fails "ranges that overlap" 125 "two ranges of the user map overlap" --uidmap 0:100000:10 --uidmap 5:200000:10 $image true
run_fails "a word that is no map" 125 "initializing ID mappings: UID setting is malformed" --uidmap 0 $image true
run_fails "a count of 0" 125 "malformed" --uidmap 0:0:0 $image true
run_fails "with --userns" 125 "mutually exclusive" --uidmap 0:1:1 --userns auto $image true
run_fails "no such name in /etc/subuid" 125 'no subuid ranges found for user "nosuchname" in /etc/subuid' --subuidname nosuchname $image true

# --- Modes
is "--userns=keep-id of root" "$(map --userns keep-id)" "0 0 4294967295"
is "its size" "$(map --userns keep-id:size=1000)" "0 0 1000"
run_fails "an option it has not" 125 'unknown option specified: "foo"' --userns keep-id:foo $image true
run_fails "nomap is for ordinary users" 125 "nomap is only supported in rootless mode" --userns nomap $image true
run_fails "a mode that is none" 125 "unrecognized namespace mode foo passed" --userns foo $image true
pod run -d --name other --network none --uidmap 0:100000:65536 $image sleep 100 >/dev/null
ns=$(readlink /proc/"$(pod inspect --format '{{.State.Pid}}' other)"/ns/user)
is "--userns=container:" "$(run --userns container:other $image readlink /proc/self/ns/user)" "$ns"
is "with its files" "$(run --userns container:other $image stat -c %u /www/index.html)" 0
is "--userns=ns:" "$(run --userns ns:/proc/"$(pod inspect --format '{{.State.Pid}}' other)"/ns/user $image \
	sh -c 'readlink /proc/self/ns/user; stat -c %u /www' | xargs)" "$ns 0"
pod rm -f -t 0 other >/dev/null
is "PODMAN_USERNS" "$(PODMAN_USERNS=keep-id:size=500 map)" "0 0 500"
is "stands behind --userns" "$(PODMAN_USERNS=keep-id:size=500 map --userns host)" "0 0 4294967295"

# --- auto, with a /etc of our own
# Over the directory: a mount on a file goes when somebody's useradd replaces that.
mkdir "$WORLD/etc" && cp /etc/subuid /etc/subgid "$WORLD/etc"
echo containers:1000000:10000 >>"$WORLD/etc/subuid"
echo containers:1000000:10000 >>"$WORLD/etc/subgid"
cat >"$WORLD/auto.sh" <<'END'
mount -t overlay -o "lowerdir=$WORLD/etc:/etc" none /etc || exit 1
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
m() { pod run --rm --network none "$@" localhost/userns cat /proc/self/uid_map | xargs; }
m --userns auto
pod create --name a1 --userns auto:size=2000 localhost/userns true >/dev/null
m --userns auto
pod create --name a2 --userns auto localhost/userns true >/dev/null
pod rm a1 >/dev/null
m --userns auto:size=2500
m --userns auto:size=1000,uidmapping=5:70000:1
m --userns auto -u 3000
pod run --rm --userns auto:size=20000 localhost/userns true 2>&1 | grep -o "not enough unused IDs"
END
export WORLD BIN ROOT RUNROOT
is "--userns=auto gives ids that nobody else has" "$(unshare -m bash "$WORLD/auto.sh" | tr '\n' ';')" \
	"0 1000000 1024;0 1002000 1024;0 1000000 2000 2000 1003024 500;0 1000000 5 5 70000 1 6 1000006 994;0 1000000 2000 2000 1003024 1002;not enough unused IDs;"
pod rm -fa >/dev/null

# --- Entries
is "an unknown user gets an entry" "$(run -u 1234 $image tail -1 /etc/passwd)" "1234:*:1234:0:container user:/:/bin/sh"
pod create --name odd $image true >/dev/null
pod commit -q --change 'WORKDIR /odd:0:0' odd localhost/odd >/dev/null
is "a working directory makes no fields of it" "$(run -u 1234 localhost/odd sh -c 'pwd; tail -1 /etc/passwd' | tr '\n' ' ')" \
	"/odd:0:0 1234:*:1234:0:container user:/:/bin/sh "
is "--passwd-entry" "$(run -u 1234 --passwd-entry 'me:*:$UID:$GID:I:/home:/bin/x' $image tail -1 /etc/passwd)" "me:*:1234:0:I:/home:/bin/x"
is "--group-entry" "$(run -u 1234:4321 --group-entry 'us:x:$GID:' $image tail -1 /etc/group)" "us:x:4321:"
is "--passwd=false" "$(run -u 1234 --passwd=false $image grep -c 1234 /etc/passwd)" 0
is "--hostuser" "$(run --hostuser nobody $image grep ^nobody: /etc/passwd | cut -d: -f1,3)" nobody:65534
run_fails "an account the host has not" 125 "unknown user nosuchuser" --hostuser nosuchuser $image true

# --- An ordinary user
if ordinary_user; then
	uid=$(id -u "$world_user")
	cp -r "$WORLD/fs" "$WORLD/ufs" && chmod -R a+rX "$WORLD/ufs"
	cat >"$WORLD/user.sh" <<'END'
cd; W=$(mktemp -d); P="$BIN/pod --root $W/root --runroot $W/run"
tar -C "$1/ufs" -c . 2>/dev/null | $P import - localhost/u >/dev/null 2>&1
r() { $P run --rm --network none "$@"; }
r --userns keep-id localhost/u id -u
r --userns keep-id localhost/u cat /proc/self/uid_map | awk '{print $1, $2}' | head -2 | xargs
r --userns keep-id:uid=200,gid=210 localhost/u sh -c 'id -u; id -g' | xargs
r --userns nomap localhost/u cat /proc/self/uid_map | xargs | cut -d' ' -f1-2
r --uidmap +1000:@$(id -u) localhost/u sh -c 'grep -c . /proc/self/uid_map; grep "^ *1000 " /proc/self/uid_map' | xargs
r --userns auto localhost/u cat /proc/self/uid_map | xargs
touch $W/mine; r --userns keep-id -v $W:/w localhost/u stat -c %u /w/mine
r --userns keep-id -v $W:/w:O localhost/u sh -c 'echo x >/w/new && ls /w/new'
$P unshare rm -rf $W
END
	mapfile -t got < <(as_user env BIN="$BIN" bash "$WORLD/user.sh" "$WORLD" 2>"$WORLD/err")
	is "user: keep-id runs as the caller" "${got[0]}" "$uid"
	is "user: the map of keep-id" "${got[1]}" "0 1 $uid 0"
	is "user: keep-id with other numbers" "${got[2]}" "200 210"
	is "user: nomap" "${got[3]}" "0 1"
	is "user: +1000:@UID fills the rest" "${got[4]}" "3 1000 0 1"
	is "user: auto" "${got[5]}" "0 1 1024"
	is "user: keep-id and a directory of one's own" "${got[6]}" "$uid"
	is "user: keep-id and an overlay" "${got[7]}" /w/new
	[ -s "$WORLD/err" ] && sed 's/^/# /' "$WORLD/err"
fi
finish
