#!/bin/bash
# SPDX-License-Identifier: ISC
# SELinux labels.  Skipped where it is off; what is refused is asked where the policy is enforced.
. "$(dirname "$0")/../lib.sh"
if [ ! -e /sys/fs/selinux/enforce ] || [ "$(id -u)" != 0 ]; then
	ok "SELinux labels # SKIP SELinux is off"
	finish
fi
world
image=localhost/selinux
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
type_of() { cut -d: -f3; }
level_of() { tr -d '\0' | cut -d: -f4-; }
label_of() { getfattr -h -n security.selinux --only-values "$1" 2>/dev/null | tr -d '\0' | cut -d: -f3-; }
label() { run "$@" $image cat /proc/self/attr/current | tr -d '\0'; }

policy=$(sed -n 's/^SELINUXTYPE=//p' /etc/selinux/config)
contexts=/etc/selinux/$policy/contexts/lxc_contexts
want=$(sed -n 's/^process *= *"\(.*\)"/\1/p' "$contexts" | cut -d: -f3)
file=$(sed -n 's/^file *= *"\(.*\)"/\1/p' "$contexts" | cut -d: -f3)
ro=$(sed -n 's/^ro_file *= *"\(.*\)"/\1/p' "$contexts" | cut -d: -f3)
for d in "$ROOT/layers" "$(find "$ROOT/layers" -name busybox -type f | head -n 1)"; do
	is "what lies below the overlays may be read by containers: ${d##*/}" "$(label_of "$d" | cut -d: -f1-2)" "$ro:s0"
done
is "a container has the policy's type" "$(label | type_of)" "$want"
check "and categories of its own" bash -c '[ "$1" != "$2" ]' - "$(label | level_of)" "$(label | level_of)"
is "label=disable" "$(label --security-opt label=disable | type_of)" "$(tr -d '\0' </proc/self/attr/current | cut -d: -f3)"
is "--privileged" "$(label --privileged | type_of)" "$(tr -d '\0' </proc/self/attr/current | cut -d: -f3)"
is "label=level:" "$(label --security-opt label=level:s0:c1,c2 | level_of)" s0:c1,c2
is "label=type:" "$(label --security-opt "label=type:$want" | type_of)" "$want"
pod run -d --name files --network none --security-opt label=level:s0:c1,c2 $image sleep 100 >/dev/null
root=/proc/$(pod inspect --format '{{.State.Pid}}' files)/root
for f in bin etc/hosts dev/shm; do
	is "its files have the label: /$f" "$(getfattr -h -n security.selinux --only-values "$root/$f" 2>/dev/null | tr -d '\0' | cut -d: -f3-)" "$file:s0:c1,c2"
done
mkdir "$WORLD/z" "$WORLD/Z"
touch "$WORLD/z/f" "$WORLD/Z/f"
run -v "$WORLD/z:/m:z" $image true
is ":z" "$(getfattr -n security.selinux --only-values "$WORLD/z/f" | tr -d '\0' | cut -d: -f3-)" "$file:s0"
run --security-opt label=level:s0:c3,c4 -v "$WORLD/Z:/m:Z" $image true
is ":Z" "$(getfattr -n security.selinux --only-values "$WORLD/Z/f" | tr -d '\0' | cut -d: -f3-)" "$file:s0:c3,c4"
is "inspect: ProcessLabel, MountLabel" "$(pod inspect --format '{{.ProcessLabel}} {{.MountLabel}}' files | xargs -n 1 | cut -d: -f3- | xargs)" \
	"$want:s0:c1,c2 $file:s0:c1,c2"
pod volume create data >/dev/null
run -v data:/data $image touch /data/f
data=$(pod volume inspect --format '{{.Mountpoint}}' data)
is "a volume is for all containers" "$(getfattr -n security.selinux --only-values "$data" 2>/dev/null | tr -d '\0' | cut -d: -f3-)" "$file:s0"
for i in 1 2 3 4 5 6; do pod create --name "n$i" --network none $image true >/dev/null; done
pod container clone --name n7 n1 >/dev/null
is "no two containers share a level, nor does a clone" \
	"$(pod inspect --format '{{.ProcessLabel}}' n1 n2 n3 n4 n5 n6 n7 | sort | uniq -d)" ""
run -v /usr:/m:z $image true >/dev/null 2>"$WORLD/err"
is "the host's own directories are not relabelled" "$(grep -c 'SELinux relabeling of /usr is not allowed' "$WORLD/err")" 1
pod create --security-opt label=foo $image true >/dev/null 2>"$WORLD/err"
is "a word that is none" "$?:$(grep -c 'invalid label option "foo"' "$WORLD/err")" 125:1
pod run -d --name e --network none $image sleep 100 >/dev/null
is "an exec has the container's label" "$(pod exec e cat /proc/self/attr/current | tr -d '\0')" "$(tr -d '\0' </proc/"$(pod inspect --format '{{.State.Pid}}' e)"/attr/current)"
pod rm -f -t 0 -a >/dev/null

# --- Files that come from outside have the label of those that are there.
echo copied >"$WORLD/f"
printf secret | pod secret create s - >/dev/null
mkdir "$WORLD/given"
touch "$WORLD/given/f"
echo "$WORLD/given:/given" >"$WORLD/mounts.conf"
pod --default-mounts-file "$WORLD/mounts.conf" create --name c --network none --security-opt label=level:s0:c5,c6 --secret s -v data:/data $image sleep 1000 >/dev/null
pod cp "$WORLD/f" c:/tmp/before
NOTIFY_SOCKET=$WORLD/none pod --default-mounts-file "$WORLD/mounts.conf" start c >/dev/null
pod cp "$WORLD/f" c:/tmp/after
pod cp "$WORLD/f" c:/data/g
pod cp "$WORLD/z" c:/tmp/
root=/proc/$(pod inspect --format '{{.State.Pid}}' c)/root
for f in tmp/before tmp/after tmp/z/f run/secrets/s etc/passwd run/.containerenv given/f; do
	is "copied in or made by pod: /$f" "$(label_of "$root/$f")" "$file:s0:c5,c6"
done
# The monitor makes it, in a directory with the label; whether the level is inherited too is the policy's.
is "the socket for READY=1" "$(label_of "$root/run/notify/notify.sock" | cut -d: -f1,2)" "$file:s0"
is "copied into a volume" "$(label_of "$root/data/g")" "$file:s0"
pod exec c cp /tmp/after /tmp/copy
is "pod mount shows the same" "$(label_of "$(pod mount c)/tmp/copy")" "$file:s0:c5,c6"
pod umount c >/dev/null
is "and what export writes has none" "$(pod export c | tar --xattrs --xattrs-include='*' -tvv | grep -c 'tmp/copy$\|security.selinux')" 1
pod commit -q c localhost/committed >/dev/null
is "nor an image made of it" "$(store export localhost/committed | tar --xattrs --xattrs-include='*' -tvv | grep -c 'tmp/copy$\|security.selinux')" 1
pod restart -t 0 c >/dev/null
is "a restarted one has its label again" "$(pod exec c cat /proc/self/attr/current | level_of)" s0:c5,c6
pod volume export data -o "$WORLD/data.tar"
pod volume create other >/dev/null
pod volume import other "$WORLD/data.tar"
run -v other:/data $image true
is "an imported volume" "$(label_of "$(pod volume inspect --format '{{.Mountpoint}}' other)/g")" "$file:s0"
run --security-opt label=level:s0:c7,c8 -v other:/data:Z $image true
is ":Z of a volume" "$(label_of "$(pod volume inspect --format '{{.Mountpoint}}' other)/g")" "$file:s0:c7,c8"

if [ "$(cat /sys/fs/selinux/enforce)" = 1 ]; then
	mkdir "$WORLD/apart"
	echo apart >"$WORLD/apart/f"
	pod run -d --name first --network none -v "$WORLD/apart:/m:Z" $image sleep 1000 >/dev/null
	pod run -d --name second --network none -v "$WORLD/apart:/m" $image sleep 1000 >/dev/null
	is "enforced: a private volume is its container's" "$(pod exec first cat /m/f)" apart
	is "not another's" "$(pod exec second cat /m/f 2>&1 | grep -c 'Permission denied')" 1
	is "who has no label reads it" "$(run --security-opt label=disable -v "$WORLD/apart:/m" $image cat /m/f)" apart
	mkdir "$WORLD/none"
	echo none >"$WORLD/none/f"
	is "what was not relabelled is closed" "$(run -v "$WORLD/none:/m" $image cat /m/f 2>&1 | grep -c 'Permission denied')" 1
	pod exec first sh -c 'cp /bin/busybox /tmp/true && /tmp/true' && ok "it runs what it wrote" || not_ok "it runs what it wrote"
	is "it writes into an image that it may write to" "$(run --mount "type=image,src=$image,dst=/i,rw=true" $image sh -c 'echo new >/i/www/new && cat /i/www/new')" new
	pod rm -f -t 0 first second >/dev/null
fi

# --- Who shares processes or memory shares the label.
for ns in pid ipc; do
	is "--$ns container:" "$(label --$ns container:c)" "$(pod inspect --format '{{.ProcessLabel}}' c)"
	is "--$ns host: none, whatever else is said" "$(label --$ns host --security-opt "label=type:$want" | type_of)" "$(type_of <"/proc/self/attr/current" | tr -d '\0')"
done
is "--privileged: none, whatever else is said" "$(label --privileged --security-opt "label=type:$want" | type_of)" "$(type_of <"/proc/self/attr/current" | tr -d '\0')"

# --- A container that may give labels itself
pod run -d --name n --network none --security-opt label=nested --security-opt label=level:s0:c5,c6 $image sleep 1000 >/dev/null
root=/proc/$(pod inspect --format '{{.State.Pid}}' n)/root
check "label=nested: it sees SELinux" test -e "$root/sys/fs/selinux/enforce"
is "others do not" "$(pod exec c ls /sys/fs/selinux)" ""
touch "$root/tmp/f"
pod exec c touch /tmp/f
is "its root has its label" "$(label_of "$root/.")" "$file:s0:c5,c6"
check "a file may be given another" setfattr -n security.selinux -v "system_u:object_r:$file:s0:c9" "$root/tmp/f"
is "which it has then" "$(label_of "$root/tmp/f")" "$file:s0:c9"
check "not one of the others" bash -c '! setfattr -n security.selinux -v "$1" "$2" 2>/dev/null' - \
	"system_u:object_r:$file:s0:c9" "/proc/$(pod inspect --format '{{.State.Pid}}' c)/root/tmp/f"
pod rm -f -t 0 -a >/dev/null

# --- Directories of the host under other names
ln -s /usr "$WORLD/usr"
for d in /usr/ "$WORLD/usr" /usr/../usr; do
	run -v "$d:/m:z" $image true >/dev/null 2>"$WORLD/err"
	is "not relabelled: ${d#"$WORLD"}" "$(grep -c 'SELinux relabeling of .* is not allowed' "$WORLD/err")" 1
done
mkdir "$WORLD/home"
HOME=$WORLD/home run -v "$WORLD/home:/m:z" $image true >/dev/null 2>"$WORLD/err"
is "nor one's own home" "$(grep -c 'SELinux relabeling of .* is not allowed' "$WORLD/err")" 1

# --- Checkpoints
runtime=$(for r in crun runc; do ! $r checkpoint --help >/dev/null 2>&1 || echo $r; done | head -n 1)
if [ -n "$runtime" ] && criu check >/dev/null 2>&1; then
	pod --runtime "$runtime" run -d --name k --network none --security-opt label=level:s0:c5,c6 $image sleep 1000 >/dev/null
	pod --runtime "$runtime" container checkpoint k >/dev/null
	if pod --runtime "$runtime" container restore k >/dev/null 2>"$WORLD/err"; then
		is "a restored one has its label" "$(level_of <"/proc/$(pod inspect --format '{{.State.Pid}}' k)/attr/current")" s0:c5,c6
	else
		is "one that would have no label is not restored" "$(pod inspect --format '{{.State.Status}}' k):$(grep -ci selinux "$WORLD/err")" exited:1
	fi
	pod rm -f -t 0 k >/dev/null
else
	skip "a restored one has its label" "no CRIU that works here, or no runtime that uses it"
fi
{
	declare -f run type_of level_of label_of label
	echo "image=$image want=$want file=$file"
	cat <<'END'
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import $image >/dev/null
is "user: a container has the policy's type" "$(label | type_of)" "$want"
is "user: label=disable" "$(label --security-opt label=disable | type_of)" "$(type_of </proc/self/attr/current | tr -d '\0')"
mkdir "$WORLD/z" "$WORLD/Z"
touch "$WORLD/z/f" "$WORLD/Z/f"
pod run -d --name c --network none --security-opt label=level:s0:c5,c6 -v "$WORLD/z:/z:z" -v "$WORLD/Z:/Z:Z" -v v:/v $image sleep 1000 >/dev/null
is "user: label=level:" "$(pod exec c cat /proc/self/attr/current | level_of)" s0:c5,c6
pod cp "$WORLD/z/f" c:/tmp/f
pod cp "$WORLD/z/f" c:/v/f
# Without an overlay the files have no label but their own.
own=s0:c5,c6
[ "$(pod info --format '{{.Store.GraphDriverName}}')" != vfs ] || own=s0
for f in bin tmp/f; do
	is "user: /$f" "$(label_of "/proc/$(pod inspect --format '{{.State.Pid}}' c)/root/$f")" "$file:$own"
done
for f in etc/hosts dev/shm Z/f; do
	is "user: /$f" "$(label_of "/proc/$(pod inspect --format '{{.State.Pid}}' c)/root/$f")" "$file:s0:c5,c6"
done
for f in z/f v v/f; do
	is "user: shared: /$f" "$(label_of "/proc/$(pod inspect --format '{{.State.Pid}}' c)/root/$f")" "$file:s0"
done
pod rm -f -t 0 -a >/dev/null
END
} | user_part
