#!/bin/bash
# SPDX-License-Identifier: ISC
# Published faults of the peers, the rest.  Where each of them is tested; the name in parentheses is what was taken
# away to see the test fail (nothing: the runtime's, or a matter of what is not built).
#
# symlinks exchanged in cp            2018-15664 2019-10152 2019-18466   400-cp, unit trees (O_NOFOLLOW of trees_open)
# libraries of the container loaded   2019-14271                         684 (none: nothing of ours enters a root)
# runtime or descriptors reachable    2019-5736 2016-9962 2024-21626     457 (none: the runtime's); 456 (--workdir)
# /proc, /sys as links of the image   2019-16884 2019-19921 2023-28642   457 (none: the runtime's)
# mount targets exchanged             2021-30465 2024-45310 2025-52881   684, 780 (init's look at the mounts)
# masks and consoles as links         2025-31133 2025-52565              457, 684 (none: the runtime's)
# WORKDIR through links               2026-55686                         457 (PATH_IN_ROOT)
# copy-up into a used volume          2020-1726                          457 (needs_copy_up)
# volume export through links         2023-0778                          684, unit trees (O_NOFOLLOW; VIEW_FD: 010)
# modes and owners of host places     2020-10696 2021-41089 2021-41091 2021-41103   here (cp of contents), 457 (0700), 050
# a layer that ends early             2021-20291                         here (stage_end; the ends of gzip and tar, each of which does), 050
# inheritable capabilities            2022-27649 2022-27651 2022-24769   457 (inheritable set), 020
# supplementary groups                2022-2989 2022-2990 2018-15514     457 (setgroups)
# exec's rights                       2021-20188                         457 (capabilities by user)
# top inside the user namespace       2022-1227                          410, here (PATH_IN_ROOT of its passwd)
# users in a FIFO, device or link     2024-9676                          here (path_open_regular), 457, 684
# our own mounts through links        2024-9341                          457 (PATH_IN_ROOT of open_target, of /etc and /etc/hosts), 450 (of detached_part), 684
# sysctls that bring others           2022-0811                          457 (the list of names)
# abstract sockets                    2020-15257                         684 (one more of the monitor's)
# shared IPC filled                   2024-3056                          here (--shm-size)
# cgroups written to                  2023-25809 2022-0492               here (the mount over the host's /sys), 457 (ro)
# state owned by mapped users         2021-21284                         684 (the owner of the bundle's directory)
# router advertisements               2020-10749 2020-13401              here (accept_ra)
# images, registries, archives: 030, 031, 032, 650, 767.  Networks: 504.
. "$(dirname "$0")/../lib.sh"
world
img=localhost/faults
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }

# faults_checks: the same for root and for an ordinary user
faults_checks() {
	img=localhost/faults
	quick() { timeout 20 "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
	pod run -d --name live --network none $img sleep 1000 >/dev/null
	until_ok 20 pod exec live true
	printf 'mole:x:4242:4242::/:/bin/sh\nmoleroot:x:0:0::/:/bin/sh\n' >"$WORLD/host-passwd"
	chmod 644 "$WORLD/host-passwd"

	# --- exec and cp look users up in files of the container, and in nothing else (CVE-2024-9676)
	is "exec knows the container's users" "$(pod exec -u alice live id -u)" 1000
	pod exec live sh -c 'mv /etc/passwd /etc/kept; mkfifo /etc/passwd'
	quick exec -u alice live true >/dev/null 2>&1
	is "a FIFO for a passwd holds no exec up" "$([ $? = 124 ] && echo hung)" ""
	is "a number needs none" "$(quick exec -u 7 live sed -n "s/^Uid:.//p" /proc/self/status | cut -f1)" 7
	pod exec live sh -c "rm /etc/passwd; ln -s $WORLD/host-passwd /etc/passwd"
	quick exec -u mole live true >/dev/null 2>"$WORLD/err"
	is "a link leads to no file of the host" "$? $(grep -c 'unable to find user mole' "$WORLD/err")" "125 1"
	is "nor does top" "$(quick top live user group pid | grep -c mole) $(quick top live pid | wc -l)" "0 2"
	pod exec live sh -c 'rm /etc/passwd; ln -s /dev/zero /etc/passwd'
	quick exec -u alice live true >/dev/null 2>&1
	is "a device holds none up" "$([ $? = 124 ] && echo hung)" ""
	pod exec live sh -c 'rm /etc/passwd; mv /etc/kept /etc/passwd; mv /etc/group /etc/kept; mkfifo /etc/group'
	quick exec -u alice:wheel live true >/dev/null 2>&1
	is "nor does a FIFO for a group" "$([ $? = 124 ] && echo hung)" ""
	quick top live user group args >/dev/null 2>&1
	is "nor for top" "$([ $? = 124 ] && echo hung)" ""
	quick cp live:/www "$WORLD/www" >/dev/null 2>&1
	is "nor for cp" "$([ $? = 124 ] && echo hung)" ""

	# --- cp leaves what is there as it is (CVE-2021-41089)
	mkdir -m 750 "$WORLD/kept-dir" && echo a >"$WORLD/f1"
	pod exec live sh -c 'mkdir -m 701 /tmp/d; chmod 1777 /tmp'
	pod cp "$WORLD/f1" live:/tmp/d >/dev/null && pod cp "$WORLD/f1" live:/tmp >/dev/null
	is "directories in the container keep their modes" "$(pod exec live stat -c %a /tmp /tmp/d | xargs)" "1777 701"
	pod cp live:/www/index.html "$WORLD/kept-dir" >/dev/null && pod cp live:/www/. "$WORLD/kept-dir" >/dev/null
	is "and those of the host" "$(stat -c '%a %U' "$WORLD/kept-dir")" "750 $(id -un)"

	# --- a layer that ends early leaves no lock behind (CVE-2021-20291)
	tar -C "$WORLD/$1" --owner=0 --group=0 -c . | gzip -1 >"$WORLD/layer.tgz"
	head -c 20000 "$WORLD/layer.tgz" >"$WORLD/short.tgz"
	quick import "$WORLD/short.tgz" localhost/early >/dev/null 2>&1
	is "a layer that ends early is refused" "$?" 125
	check "and nothing of it waits for the next one" until_ok 20 sh -c '[ -z "$(ls "$1")" ]' x "$ROOT/tmp"
	is "and the next one is not held up" "$(quick import -q "$WORLD/layer.tgz" localhost/whole >/dev/null; echo $?; quick run --rm --network none localhost/whole cat /www/index.html)" "0
hello from pod"

	# --- cgroups are read-only, also below the host's /sys (CVE-2023-25809)
	for net in none host; do
		is "cgroups are read-only with --network $net" "$(quick run --rm --network $net $img sh -c '
			d=/sys/fs/cgroup/pids; [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/x' 2>&1 | grep -c 'Read-only file system')" 1
	done

	# --- shared memory is bounded for all who share it, and goes with them (CVE-2024-3056)
	pod run -d --name shared --ipc shareable --shm-size 1m --network none $img sleep 1000 >/dev/null
	pod run --rm --ipc container:shared --network none $img dd if=/dev/zero of=/dev/shm/big bs=64k count=64 >/dev/null 2>&1
	is "a guest of an IPC name space fills no more than its owner may" "$?:$(pod exec shared stat -c %s /dev/shm/big)" 1:1048576
	pod rm -f -t 0 shared >/dev/null
	is "and nothing of it is left" "$(grep -c "$RUNROOT\|$ROOT" /proc/self/mountinfo)" 0
	pod rm -f -t 0 live >/dev/null
}

faults_checks fs
# --- router advertisements (CVE-2020-10749, CVE-2020-13401)
mkdir "$WORLD/nets"
net() { pod --network-config-dir "$WORLD/nets" "$@"; }
if net network create --ipv6 --subnet 10.86.78.0/24 --subnet fd86:78::/64 --interface-name "pf$$" ra >/dev/null 2>&1; then
	net run -d --name router --network ra $img sleep 1000 >/dev/null
	if [ -e "/proc/sys/net/ipv6/conf/pf$$/accept_ra" ]; then
		is "a bridge takes no router advertisement (CVE-2020-10749)" "$(cat "/proc/sys/net/ipv6/conf/pf$$/accept_ra")" 0
		is "nor does the interface of a container" "$(net exec router cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0
		net network create --subnet 10.86.79.0/24 --interface-name "pg$$" ra4 >/dev/null
		is "nor on a network without IPv6" "$(net run --rm --network ra4 $img cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0
		net network rm ra4 >/dev/null
	else
		skip "router advertisements" "the kernel has no IPv6"
	fi
	net rm -f -t 0 router >/dev/null
	net network rm ra >/dev/null
else
	skip "router advertisements" "no network can be made"
fi
{ declare -f faults_checks; echo 'busybox_image localhost/faults >/dev/null'; echo 'faults_checks fs'; } | user_part
