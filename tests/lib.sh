# SPDX-License-Identifier: ISC
# Sourced by integration tests: a world of their own, and counting (tap.sh).
# After "world": $WORLD is a fresh directory, pod() works on a private store below it, and everything is taken away
# at the end of the script.  The test's own clean-up goes into a function "at_end".

LIB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$LIB_DIR/tap.sh"
BUILD=${BUILD:-$LIB_DIR/../build}
BIN=$BUILD/bin
export LC_ALL=C.UTF-8
world_pids=() world_user=

world() {
	WORLD=$(mktemp -d /tmp/podtest.XXXXXX) || exit 1
	chmod 755 "$WORLD"
	ROOT=$WORLD/root RUNROOT=$WORLD/run
	# Where systemd keeps a journal that would be the default; here what containers wrote is looked for in files.
	if [ -d /run/systemd/system ] && [ -z "${CONTAINERS_CONF_OVERRIDE:-}" ]; then
		printf '[containers]\nlog_driver = "k8s-file"\n' >"$WORLD/logs.conf"
		export CONTAINERS_CONF_OVERRIDE=$WORLD/logs.conf
	fi
	trap world_end EXIT
	trap 'exit 1' INT TERM
	own_skopeo
}

# As root skopeo keeps what it learns of blobs for the whole host, and takes a registry for another one that had its port.
own_skopeo() {
	local skopeo cache=/var/lib/containers/cache
	skopeo=$(command -v skopeo) && [ "$(id -u)" = 0 ] || return 0
	mkdir "$WORLD/peers"
	cat >"$WORLD/peers/skopeo" <<-END
		#!/bin/sh
		[ "\$(id -u)" = 0 ] && mkdir -p $cache 2>/dev/null || exec $skopeo "\$@"
		exec unshare -m --propagation private sh -c 'mount -t tmpfs none $cache && exec "\$0" "\$@"' $skopeo "\$@"
	END
	chmod 755 "$WORLD/peers" "$WORLD/peers/skopeo"
	PATH=$WORLD/peers:$PATH
}

world_end() {
	local pid
	if declare -F at_end >/dev/null; then at_end; fi
	[ -d "$RUNROOT" ] && pod rm -f -a -t 0 >/dev/null 2>&1
	for pid in "${world_pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
	end_user
	# A read-write layer in use by a process that is just ending goes a moment later.
	rm -rf --one-file-system "$WORLD" 2>/dev/null || { sleep 1; rm -rf --one-file-system "$WORLD"; }
}

# The test's own user goes, with what still runs as that user.
end_user() {
	[ -n "$world_user" ] || return 0
	pkill -KILL -u "$world_user"
	until_ok 5 sh -c '! pgrep -u "$1" >/dev/null' x "$world_user"
	userdel -r "$world_user" 2>/dev/null
	world_user=
}

# POD_TEST_LAYOUT=dir or erofs: how layers are kept (overlay.layout).
world_opts=(${POD_TEST_LAYOUT:+--storage-opt "overlay.layout=$POD_TEST_LAYOUT"})
# small_disk DIR MEGABYTES: a file system of that size on DIR (root only); in memory, unless the layout cannot lie there
small_disk() {
	if [ "${POD_TEST_LAYOUT:-}" != erofs ]; then
		mount -t tmpfs -o "size=$2m,mode=700" none "$1"
	else
		truncate -s "$2M" "$1.disk" && mkfs.ext4 -q -O ^has_journal -m 0 "$1.disk" && mount -o loop "$1.disk" "$1"
	fi
}
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" "$@"; }
store() { "$BIN/pod-store" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" "$@"; }

# probe ROUND TEXT COMMAND...: one that fails in a round of kills is told, and counted in broken
broken=0
probe() {
	local round=$1 text=$2
	shift 2
	timeout 60 "$@" >"$WORLD/out" 2>&1 && return
	broken=$((broken + 1))
	echo "# round $round: $text: $(tr '\n' '|' <"$WORLD/out" | head -c 600)"
}

# A process started in the background by this test, ended with it.
remember_pid() { world_pids+=("$1"); }

# rootfs DIR: a small root file system out of busybox
rootfs() {
	mkdir -p "$1"/{bin,etc,tmp,www,proc,sys,dev,root,var/tmp,home/alice}
	cp /bin/busybox "$1/bin/"
	# In one process: there are some 270 names.
	busybox --list | (cd "$1/bin" && perl -lne 'symlink "busybox", $_')
	printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nalice:x:1000:\nwheel:x:10:root,alice\n' >"$1/etc/group"
	echo "hello from pod" >"$1/www/index.html"
	chmod 1777 "$1/tmp" "$1/var/tmp"
}

# busybox_image NAME: the same as an image of one layer in the test's store; prints its ID
busybox_image() {
	[ -d "$WORLD/fs" ] || rootfs "$WORLD/fs"
	tar -C "$WORLD/fs" --owner=0 --group=0 -c . | store import "$1"
}

# run_fails TEXT STATUS MESSAGE WORDS...: the test's own "run WORDS" ends with that status and says that
run_fails() {
	local text=$1 want=$2 message=$3 got
	shift 3
	run "$@" >"$WORLD/out" 2>"$WORLD/err"
	got=$?
	if [ "$got" = "$want" ] && grep -qF -- "$message" "$WORLD/err"; then
		ok "$text"
	else
		not_ok "$text (status $got: $(cat "$WORLD/err"))"
	fi
}

# A TCP port of 127.0.0.1 that nobody listens on now, and that was not given out before: below those that the kernel
# chooses for connections.
free_port() {
	local p
	for _ in $(seq 50); do
		p=$((20000 + RANDOM % 12000))
		[ ! -e "${WORLD:-}/.port-$p" ] || continue
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue
		[ -z "${WORLD:-}" ] || : >"$WORLD/.port-$p"
		echo "$p"
		return
	done
}

# CRIU works here; where SELinux is on it must be one that was built with it.
criu_works() {
	criu check >/dev/null 2>&1 || return 1
	[ ! -e /sys/fs/selinux/enforce ] || ldd "$(command -v criu)" | grep -q selinux
}

# An ordinary user of this test with subordinate IDs (root only); as_user runs a command as that user.
ordinary_user() {
	[ "$(id -u)" = 0 ] || return 1
	world_user=podt$$
	# One of a test that was killed may be left.
	getent passwd "$world_user" >/dev/null && world_user=podt$$r$RANDOM
	useradd -m "$world_user" || { world_user=; return 1; }
}
as_user() { "$LIB_DIR/as-user" "$world_user" "$@"; }

# user_part <SCRIPT: the rest of the test as a fresh ordinary user, in one private mount namespace.  The script finds
# $WORLD (its own), pod, store and the functions here; its checks are counted after ours, and then the test ends.
user_part() {
	local shared=$WORLD status
	[ "$(id -u)" = 0 ] || { skip "the same as an ordinary user" "root starts it, to make the user"; finish; }
	ordinary_user || { skip "the same as an ordinary user" "no user can be made"; finish; }
	# The user may not be able to look into the build directory.
	cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$shared/"
	cp "$LIB_DIR"/{lib.sh,tap.sh,as-user} "$shared/"
	[ ! -d "$shared/fs" ] || cp -a "$shared/fs" "$shared/user-fs"
	chmod -R a+rX "$shared/bin" "$shared/libexec" "$shared/share" "$shared/lib.sh" "$shared/tap.sh" "$shared/as-user"
	{
		echo '. "$LIB_DIR/lib.sh"; BIN=$LIB_DIR/bin; cd; WORLD=$HOME/w ROOT=$HOME/w/root RUNROOT=$HOME/w/run; mkdir -p "$WORLD"'
		# The namespace of the user's bridges stays for a second, mounted where rm would remove it.
		echo 'trap '\''pod rm -f -a -t 0 >/dev/null 2>&1; pod unshare sh -c "umount \"\$1/net/rootless.ns\" 2>/dev/null; rm -rf \"\$2\"" x "$RUNROOT" "$WORLD"'\'' EXIT'
		echo 'store() { pod unshare "$BIN/pod-store" --root "$ROOT" --runroot "$RUNROOT" "$@"; }'
		echo "tap_n=$tap_n tap_failed=$tap_failed"
		cat
		echo finish
	} >"$shared/user-part.sh"
	chmod 644 "$shared/user-part.sh"
	"$shared/as-user" "$world_user" env LIB_DIR="$shared" CONTAINERS_CONF_OVERRIDE="$(ls "$shared/logs.conf" 2>/dev/null)" bash "$shared/user-part.sh"
	status=$?
	# Behind a pipe this is a process of its own, whose user nobody else knows.
	end_user
	exit "$status"
}
