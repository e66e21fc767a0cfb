#!/bin/bash
# SPDX-License-Identifier: ISC
# Each role tries what it must not do.  "killed" is the system-call filter's answer, "refused" the kernel's.
. "$(dirname "$0")/../tap.sh"
# In a mount namespace of its own: a role that may mount after all would do so on the root of this machine.
if [ "$(id -u)" = 0 ] && [ -z "${ROLES_PRIVATE:-}" ]; then
	ROLES_PRIVATE=1 exec unshare -m --propagation private bash "$0" "$@"
fi

roles=${BUILD:-build}/tests/roles
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# try ROLE ACT: prints done, refused or killed
try() {
	local out st
	out=$("$roles" "$1" "$2" 4<"$dir" 2>"$dir.err")
	st=$?
	rm -f "$dir.err"
	case $st in
	0) echo "${out:-done}" ;; # exec succeeded and printed nothing
	159) echo killed ;;
	*) echo "status $st" ;;
	esac
}
must_fail() { # ROLE ACT...
	local role=$1 got
	shift
	for act; do
		got=$(try "$role" "$act" 2>/dev/null)
		case $got in
		killed | refused) ok "$role may not $act ($got)" ;;
		*) not_ok "$role may not $act (got: $got)" ;;
		esac
	done
}
must_work() { # ROLE ACT
	local got
	got=$(try "$1" "$2" 2>/dev/null)
	[ "$got" = done ] && ok "$1 may $2" || not_ok "$1 may $2 (got: $got)"
}

for r in inflate lookup stdio image archive unpack pack fetch dial dns; do
	must_work $r none
	must_work $r fcntl
	must_fail $r signal own limit
	must_fail $r open dotdot mount ptrace setuid userns kill exec tty
done
for r in inflate lookup stdio image archive fetch dial dns; do must_fail $r write mknod; done
for r in inflate lookup stdio image archive unpack pack; do must_fail $r connect; done
must_fail pack write
for r in seccomp copy names scope document logs remote erofs assemble recode daemon graph keys dhcp firewalld; do
	must_work $r none
	must_work $r fcntl
	must_fail $r signal own limit
	must_fail $r open dotdot write connect mount ptrace setuid userns kill exec tty mknod
done
must_work layout none
must_fail layout signal own limit open dotdot connect mount ptrace setuid userns kill exec tty mknod
# It starts gpg, so it may exec what it sees; but what it starts has no more than itself.
must_work verify none
must_work verify exec
must_work verify fcntl
must_fail verify signal own limit kill open dotdot write connect mount ptrace setuid userns tty mknod unshare nice fifo
must_work forward none
must_fail forward signal own limit open dotdot mount ptrace setuid userns kill exec tty mknod
if [ "$(id -u)" = 0 ]; then
	must_fail fuse connect ptrace setuid userns tty
	must_fail store connect ptrace userns tty
	must_fail net ptrace userns tty
	must_work store open
fi
must_work unpack write
finish
