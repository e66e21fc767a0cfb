#!/bin/bash
# SPDX-License-Identifier: ISC
# A bad input gets one clear "Error:" line, Podman's exit status, and leaves the state as it was.
. "$(dirname "$0")/../lib.sh"
world
img=localhost/bad
busybox_image $img >/dev/null || { not_ok "an image can be imported"; finish; }

# snapshot: everything a failed command could leave behind
snapshot() {
	pod ps -aq --no-trunc
	pod images -q --no-trunc
	find "$ROOT"/tmp "$ROOT"/rw "$ROOT"/layers "$ROOT"/containers "$RUNROOT"/containers \
		-mindepth 1 -maxdepth 1 2>/dev/null | sort
	find "$RUNROOT"/net -path '*lease*' -name '[0-9]*.*' 2>/dev/null | sort
}
# bad STATUS PATTERN COMMAND...: exactly one Error: line that matches, the status, nothing changed
bad() {
	local want=$1 pattern=$2 before after st n
	shift 2
	before=$(snapshot)
	pod "$@" >"$WORLD/out" 2>"$WORLD/err" </dev/null
	st=$?
	after=$(snapshot)
	n=$(grep -c '^Error:' "$WORLD/err")
	if [ "$st" != "$want" ]; then
		not_ok "pod $*: exit status $st, wanted $want: $(head -n 2 "$WORLD/err" | tr '\n' ' ')"
	elif [ "$n" != 1 ] || ! grep -qiE "^Error:.*$pattern" "$WORLD/err"; then
		not_ok "pod $*: one Error line with '$pattern', got: $(head -n 3 "$WORLD/err" | tr '\n' ' ')"
	elif [ "$before" != "$after" ]; then
		not_ok "pod $*: something stayed: $(diff <(echo "$before") <(echo "$after") | head -n 5 | tr '\n' ' ')"
	else
		ok "pod $*: $(grep -m1 '^Error:' "$WORLD/err" | cut -c1-100)"
	fi
}

# What is no UTF-8 is the user's mistake, not a breach of the protocol between the programs.
bytes=$(printf 'a\377')
for words in "volume inspect" "network create" "rmi" "run --rm $img echo" "inspect"; do
	pod $words "$bytes" >/dev/null 2>"$WORLD/err" </dev/null
	is "pod $words a\\xff: its status and its text" "$? $(grep -c 'a\\xff.* is not UTF-8' "$WORLD/err") $(grep -c protocol "$WORLD/err")" "125 1 0"
done
bad 125 'nosuch.*image not known|nosuch' run --pull never --rm nosuch true
bad 125 nosuch create --pull never nosuch
bad 125 'unknown flag: --nosuch' run --nosuch $img true
bad 125 'invalid.*name|name' run --name 'a b' $img true
bad 125 '' run --name -x $img true
bad 127 'nosuchcommand' run --rm $img nosuchcommand
bad 126 'ermission denied' run --rm $img /etc/passwd
bad 125 'memory' run --rm -m lots $img true
bad 125 'cap|NOSUCH' run --rm --cap-add NOSUCH $img true
bad 125 '/nosuch/dir' run --rm -v /nosuch/dir:/x $img true
bad 125 'port|99999' run --rm -p 99999:80 $img true
bad 126 'user|nobodyknows' run --rm -u nobodyknows $img true
bad 125 'network|nosuchnet' run --rm --network nosuchnet $img true
bad 126 'workdir|/nosuch' run --rm -w /nosuch/dir $img true
bad 125 'entrypoint|requires at least|arg' run
bad 125 'unrecognized command|unknown' nosuchcommand
bad 1 'nosuch' rm nosuch
bad 125 'nosuch' inspect nosuch
bad 125 'nosuch' start nosuch
bad 125 'nosuch' exec nosuch true
bad 125 'nosuch' logs nosuch
bad 125 'nosuch' stop nosuch
bad 125 'nosuch' kill nosuch
bad 1 'nosuch' rmi nosuch
bad 125 'nosuch' tag nosuch x
bad 125 'template|parse|field|NoSuch' ps --format '{{.NoSuchField'

# a container that exists keeps its name
pod create --name taken $img true >/dev/null
bad 125 'taken.*in use|already in use' create --name taken $img true
pod rm taken >/dev/null

# a port in use
port=$(free_port)
busybox httpd -f -p "127.0.0.1:$port" -h "$WORLD/fs/www" &
remember_pid $!
until_ok 20 sh -c "ss -ltn | grep -q 127.0.0.1:$port"
bad 126 'address already in use' run -d -p "127.0.0.1:$port:80" $img true
kill "$!" 2>/dev/null

# a registry that is down
port=$(free_port)
bad 125 'connection refused|connect' pull "127.0.0.1:$port/x:latest"
bad 125 'reference|invalid' pull 'Bad Name'

# a full disk
if [ "$(id -u)" = 0 ]; then
	small=$WORLD/small
	mkdir "$small"
	if unshare -m sh -c "mount -t tmpfs -o size=3m none $small" 2>/dev/null; then
		unshare -m bash -c '
			mount -t tmpfs -o size=3m none "$1"
			head -c 8000000 /dev/urandom >"$2/fs/blob"
			tar -C "$2/fs" -c . | "$3/pod-store" --root "$1/root" --runroot "$2/run2" import localhost/big >/dev/null 2>"$2/err"
			st=$?
			rm -f "$2/fs/blob"
			[ "$st" = 125 ] || { echo "status $st"; exit 1; }
			[ "$(grep -c ^Error: "$2/err")" = 1 ] || exit 2
			[ -z "$("$3/pod" --root "$1/root" --runroot "$2/run2" images -q)" ] || exit 3
			[ "$(find "$1/root/tmp" "$1/root/layers" -mindepth 1 2>/dev/null | wc -l)" = 0 ] || exit 4
		' - "$small" "$WORLD" "$BIN"
		is "a full disk: one error, nothing stored ($(head -n1 "$WORLD/err" | cut -c1-80))" $? 0
	fi
	# a run directory that cannot be written
	unshare -m bash -c '
		mkdir -p "$2/ro"; mount -t tmpfs -o ro none "$2/ro"
		"$3/pod" --root "$2/root" --runroot "$2/ro/run" run --rm localhost/bad true >/dev/null 2>"$2/err"
		[ $? = 125 ] && [ "$(grep -c ^Error: "$2/err")" = 1 ]' - "" "$WORLD" "$BIN"
	is "a read-only run directory ($(head -n1 "$WORLD/err" | cut -c1-80))" $? 0
fi
is "the image still runs" "$(pod run --rm $img echo fine)" fine
finish
