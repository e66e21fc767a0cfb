#!/bin/bash
# SPDX-License-Identifier: ISC
# pasta ends with its namespace also when its starter is killed at the worst moment: when pasta has the namespace open,
# has not gone to the background, and does not watch yet for its end.
. "$(dirname "$0")/../lib.sh"
pasta=$(command -v pasta)
if [ "$(id -u)" != 0 ] || [ -z "$pasta" ] || ! command -v perl >/dev/null; then
	skip "a pasta whose starter was killed" "root starts it; pasta and perl are needed"
	finish
fi
[ -n "${PASTA_INSIDE:-}" ] || PASTA_INSIDE=1 exec unshare -m --propagation private bash "$0" "$@"
world
rootfs "$WORLD/fs"
# One that stops at that moment for good.  With the file "forks" there it leaves a child behind, as when it has just
# gone to the background; neither is in its starter's process group.
cp "$(readlink -f "$pasta")" "$WORLD/pasta.real"
cat >"$WORLD/pasta" <<EOF2
#!/usr/bin/perl
use POSIX;
exec("$WORLD/pasta.real", @ARGV) if "@ARGV" =~ /--help/;
open(NS, "<", \$ARGV[-1]) or exit(1);
fork() if -e "$WORLD/forks";
POSIX::setsid();
sleep(1000);
EOF2
chmod 755 "$WORLD/pasta" "$WORLD/pasta.real"
mount --bind "$WORLD/pasta" "$(readlink -f "$pasta")"
# Who the user will be is not known yet.
chmod 1777 "$WORLD"
{
	cat <<'EOF2'
tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import box >/dev/null
me=$(id -u)
held() { pgrep -u "$me" -f -- "--netns $RUNROOT/net/helpers/" | wc -l; }
holds() { [ "$(held)" = "$1" ]; }
# killed HELD NETWORK: pod run, killed with its whole group once that many hold the namespace
killed() {
	local job
	setsid "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" run -d --network "$2" box sleep 100 >/dev/null 2>&1 &
	job=$!
	check "$2: pasta has the namespace" until_ok 20 holds "$1"
	kill -KILL -- "-$job"
	wait "$job" 2>/dev/null
}
pod unshare true
killed 1 pasta
check "pasta: it ends with its starter" until_ok 20 holds 0
pod rm -f -a -t 0 >/dev/null
killed 1 podman
check "bridge: it ends with its starter" until_ok 20 holds 0
pod rm -f -a -t 0 >/dev/null
touch "$LIB_DIR/forks"
killed 2 pasta
check "one that is on its way to the background stays" until_ok 20 holds 1
is "its container can be removed" "$(pod rm -f -a -t 0 | wc -l)" 1
check "which ends it" until_ok 20 holds 0
# The keeper of the bridges goes when nobody has wanted it for a while.
until_is "nothing of it is left" "" ls -A "$RUNROOT/net/helpers"
EOF2
} | user_part
