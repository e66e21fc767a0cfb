#!/bin/bash
# SPDX-License-Identifier: ISC
# SELinux labels.  Skipped where it is off.  Run it in permissive mode: few policies let containers run this busybox.
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
label() { run "$@" $image cat /proc/self/attr/current | tr -d '\0'; }

policy=$(sed -n 's/^SELINUXTYPE=//p' /etc/selinux/config)
contexts=/etc/selinux/$policy/contexts/lxc_contexts
want=$(sed -n 's/^process *= *"\(.*\)"/\1/p' "$contexts" | cut -d: -f3)
file=$(sed -n 's/^file *= *"\(.*\)"/\1/p' "$contexts" | cut -d: -f3)
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
is "no two containers share a level" "$(pod inspect --format '{{.ProcessLabel}}' n1 n2 n3 n4 n5 n6 | sort | uniq -d)" ""
run -v /usr:/m:z $image true >/dev/null 2>"$WORLD/err"
is "the host's own directories are not relabelled" "$(grep -c 'SELinux relabeling of /usr is not allowed' "$WORLD/err")" 1
pod create --security-opt label=foo $image true >/dev/null 2>"$WORLD/err"
is "a word that is none" "$?:$(grep -c 'invalid label option "foo"' "$WORLD/err")" 125:1
pod run -d --name e --network none $image sleep 100 >/dev/null
is "an exec has the container's label" "$(pod exec e cat /proc/self/attr/current | tr -d '\0')" "$(tr -d '\0' </proc/"$(pod inspect --format '{{.State.Pid}}' e)"/attr/current)"
finish
