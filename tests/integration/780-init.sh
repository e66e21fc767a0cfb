#!/bin/bash
# SPDX-License-Identifier: ISC
# init: the runtime has made the container, which waits to be started; and mounts below volumes that somebody changes
# meanwhile.  As root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"

show() { pod inspect --format "{{.$2}}" "$1"; }
# The name of the program that a process runs; of one of another user as well.
name_of() { cat "/proc/$1/comm" 2>/dev/null || echo none; }

inits() {
	local who=$1 pid code
	pod create --name it --net none img sh -c 'echo began; exit 5' >/dev/null
	is "$who: init names the container" "$(pod init it)" it
	pid=$(show it State.Pid)
	is "$who: it is initialized and has a process" "$(show it State.Status):$([ "$pid" -gt 1 ] && echo yes)" initialized:yes
	is "$who: in which its program does not run yet" "$(name_of "$pid" | grep -c '^sh$')" 0
	is "$who: ps shows it among all" "$(pod ps --format '{{.Names}}'):$(pod ps -a --format '{{.Names}} {{.State}}')" ":it initialized"
	pod init it 2>"$WORLD/err"
	is "$who: once" "$?:$(grep -c 'already been created in runtime' "$WORLD/err")" 125:1
	pod exec it true 2>"$WORLD/err"
	is "$who: nothing is executed in it" "$?:$(grep -c 'container state improper' "$WORLD/err")" 125:1
	pod start -a it >"$WORLD/out"
	code=$?
	is "$who: start -a shows all of its output and its status" "$(cat "$WORLD/out"):$code" began:5
	is "$who: which it keeps" "$(show it State.Status):$(show it State.ExitCode):$(show it State.Pid)" exited:5:0
	pod init it >/dev/null
	is "$who: one that ended is initialized again" "$(show it State.Status)" initialized
	is "$who: rm takes it away, without force" "$(pod rm it):$(pod ps -aq)" it:
	check "$who: with its process" until_ok 20 sh -c '! [ -d "/proc/$1" ] || grep -q "^State:.[ZX]" "/proc/$1/status"' x "$pid"

	pod create --name it --net none --health-cmd true --health-interval 1s img sleep 1000 >/dev/null
	pod init it >/dev/null
	pod start it >/dev/null
	is "$who: start starts it" "$(show it State.Status):$(name_of "$(show it State.Pid)")" running:sleep
	check "$who: its health is looked after" until_ok 20 sh -c '[ "$("$@")" = healthy ]' x \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" inspect --format '{{.State.Health.Status}}' it
	pod rm -f -t 0 it >/dev/null

	pod create --name it --net none img sleep 1000 >/dev/null
	pod init it >/dev/null
	pod cp it:/www/index.html "$WORLD/copied"
	is "$who: files are copied out of one" "$(cat "$WORLD/copied")" "hello from pod"
	is "$who: stop ends it" "$(pod stop -t 100 it):$(show it State.Status):$(show it State.Pid)" it:exited:0
	pod init it >/dev/null
	is "$who: restart runs it" "$(pod restart -t 0 it):$(show it State.Status)" it:running
	pod stop -t 0 it >/dev/null
	pod init it >/dev/null
	kill_pid "$(show it State.Pid)"
	is "$who: one that was killed has ended" "$(pod wait it)" 137
	check "$who: and is cleaned up" until_ok 20 sh -c '[ "$("$@")" = exited ]' x \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" inspect --format '{{.State.Status}}' it
	pod init it >/dev/null
	is "$who: rm -f" "$(pod rm -f it):$(pod ps -aq)" it:
	pod create --rm --name it --net none img true >/dev/null
	pod init it >/dev/null
	kill_pid "$(show it State.Pid)"
	check "$who: with --rm it goes when it is killed" until_ok 20 sh -c '! "$@" 2>/dev/null' x \
		"$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" container exists it
}

# The parts of a user's world are seen from inside.
kill_pid() { if [ "$(id -u)" = 0 ]; then kill -KILL "$1"; else pod unshare kill -KILL "$1"; fi; }

# A mount of ours lies in a volume in which the names of a directory and a link change places.
landings() {
	local who=$1 data i bad=0 refused=0 landed=0
	pod volume create shared >/dev/null
	data=$ROOT/volumes/shared/_data
	inside mkdir -p "$data/d/in" "$data/real"
	inside ln -s real "$data/link"
	is "$who: a mount in a volume" "$(pod run --rm --net none -v shared:/v --tmpfs /v/d/in img sh -c 'grep -c " /v/d/in " /proc/self/mountinfo')" 1
	is "$who: by a link that stays in it" "$(pod run --rm --net none -v shared:/v --tmpfs /v/link/x img sh -c 'grep -c " /v/real/x " /proc/self/mountinfo')" 1
	is "$who: in a volume that lies at a link of the image" "$(pod run --rm --net none -v shared:/leads --tmpfs /leads/d/in img sh -c 'grep -c " /of-the-image/d/in " /proc/self/mountinfo')" 1
	is "$who: the streams of such a container" "$(echo through | pod run -i --rm --net none -v shared:/v --tmpfs /v/d/in img cat)" through
	is "$who: its exit status" "$(pod run --rm --net none -v shared:/v --tmpfs /v/d/in img sh -c 'exit 9'; echo $?)" 9
	inside ln -s /www "$data/l"
	"$EXCHANGE" "$data" d l 2>/dev/null &
	i=$!
	remember_pid $i
	for _ in $(seq "${LANDINGS:-12}"); do
		pod run --rm --net none -v shared:/v --tmpfs /v/d img sh -c 'cat /proc/self/mountinfo' >"$WORLD/mounts" 2>"$WORLD/err"
		case $? in
		0)
			if grep -qE ' /(v/d|v/l) ' "$WORLD/mounts"; then landed=$((landed + 1)); else bad=$((bad + 1)); fi ;;
		*) refused=$((refused + 1)) ;;
		esac
	done
	kill $i
	wait $i 2>/dev/null
	echo "# landed $landed, refused $refused"
	is "$who: no container runs whose mount went astray" $bad 0
	is "$who: and nothing stays of those that were refused" "$(pod ps -aq)" ""
	pod volume rm shared >/dev/null
}
inside() { if [ "$(id -u)" = 0 ]; then "$@"; else pod unshare "$@"; fi; }

world
rootfs "$WORLD/fs"
mkdir "$WORLD/fs/of-the-image"
ln -s /of-the-image "$WORLD/fs/leads"
busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
pod create --name asked --net none img true >/dev/null
pod init asked >/dev/null
is "crun knows it" "$(crun --root "$RUNROOT/oci-crun" list 2>/dev/null | awk '/^[0-9a-f]/ { print $3 }')" created
pod rm asked >/dev/null
inits root
EXCHANGE=$BUILD/tests/exchange landings root
cp "$BUILD/tests/exchange" "$WORLD/exchange"
{
	declare -f show name_of inits kill_pid landings inside
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; inits user; EXCHANGE=$LIB_DIR/exchange landings user'
} | user_part
