#!/bin/bash
# SPDX-License-Identifier: ISC
# docker-daemon:NAME:TAG, both ways: Podman's own service, and a small server that answers rightly and wrongly.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

world
export HOME=$WORLD/home
mkdir -p "$HOME" "$WORLD/d"
at_end() { umount "$WORLD/p/overlay" 2>/dev/null; }
image() { timeout 30 "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
refused() { # TEXT WORDS COMMAND...
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}
layout "$WORLD/lay" x gzip
CONFIG=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${LAYOUT_DIGEST#sha256:}")
config_of() { image inspect --config --raw "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }

# --- podman's service ---
if [ "$(id -u)" = 0 ] && command -v podman >/dev/null; then
	unshare -m bash -c "umount /sys/fs/cgroup/unified 2>/dev/null
		exec podman --root $WORLD/p --runroot $WORLD/pr --cgroup-manager cgroupfs --storage-driver vfs \
			system service -t 0 unix://$WORLD/p.sock" >"$WORLD/p.log" 2>&1 &
	remember_pid $!
	until_ok 20 test -S "$WORLD/p.sock"
	export DOCKER_HOST=unix://$WORLD/p.sock
	check "podman's service takes an image" image copy -q "oci:$WORLD/lay:x" docker-daemon:example.com/sent:1
	is "as what it was" "$(curl -m 10 -s --unix-socket "$WORLD/p.sock" http://d/images/json | jq -r '.[] | .Id + " " + .RepoTags[0]')" "$CONFIG example.com/sent:1"
	image copy -q docker-daemon:example.com/sent:1 "dir:$WORLD/back"
	is "and gives it back" "$(config_of "dir:$WORLD/back")" "$CONFIG"
	is "also by its ID" "$(config_of "docker-daemon:$CONFIG")" "$CONFIG"
	is "pod pull" "sha256:$(pod pull -q docker-daemon:example.com/sent:1)" "$CONFIG"
	is "under its name" "$(pod images --format '{{.Repository}}:{{.Tag}}')" example.com/sent:1
	is "it runs" "$(pod run --rm --net=none example.com/sent:1 cat /opt/second)" "second layer $(layout_machine)"
	check "pod push" pod push -q example.com/sent:1 docker-daemon:example.com/pushed:2
	is "to it" "$(curl -m 10 -s --unix-socket "$WORLD/p.sock" http://d/images/json | jq -c '.[].RepoTags | sort')" '["example.com/pushed:2","example.com/sent:1"]'
	skopeo --insecure-policy copy -q --src-daemon-host "$DOCKER_HOST" docker-daemon:example.com/pushed:2 "dir:$WORLD/theirs" 2>/dev/null
	is "skopeo reads the same out of it" "$(config_of "dir:$WORLD/theirs")" "$CONFIG"
	refused "an image that it does not have" "image not known" image copy -q docker-daemon:example.com/nosuch:1 "dir:$WORLD/x"
	pod rmi -a -f >/dev/null 2>&1
else
	skip "podman's service" "podman is not installed, or not root"
fi

# --- the server of this test ---
python3 "$LIB_DIR/docker-daemon.py" "$WORLD/d.sock" "$WORLD/d" &
remember_pid $!
until_ok 20 test -S "$WORLD/d.sock"
export DOCKER_HOST=unix://$WORLD/d.sock
check "sent to a server" image copy -q "oci:$WORLD/lay:x" docker-daemon:localhost/a:1
is "it is an archive with that name" "$(tar -xOf "$WORLD/d/loaded" manifest.json | jq -r '.[0].RepoTags[0]')" localhost/a:1
cp "$WORLD/d/loaded" "$WORLD/d/localhost_a:1"
is "and read from it" "$(config_of docker-daemon:localhost/a:1)" "$CONFIG"
gzip -c "$WORLD/d/loaded" >"$WORLD/d/localhost_z:1"
is "a compressed archive" "$(config_of docker-daemon:localhost/z:1)" "$CONFIG"
is "--src-daemon-host goes before DOCKER_HOST" "$(DOCKER_HOST=unix:///nosuch image copy -q --src-daemon-host "unix://$WORLD/d.sock" docker-daemon:localhost/a:1 "dir:$WORLD/h" && config_of "dir:$WORLD/h")" "$CONFIG"
check "--dest-daemon-host" env DOCKER_HOST=unix:///nosuch timeout 30 "$BIN/pod-image" copy -q --dest-daemon-host "unix://$WORLD/d.sock" "oci:$WORLD/lay:x" docker-daemon:localhost/b:1
tcp() {
	local port
	port=$(free_port)
	python3 - "$port" "$WORLD/d.sock" <<-'P' &
		import socket, sys, threading
		l = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		def pump(a, b):
		    while d := a.recv(65536):
		        b.sendall(d)
		    b.shutdown(socket.SHUT_WR)
		while True:
		    c, _ = l.accept()
		    u = socket.socket(socket.AF_UNIX)
		    u.connect(sys.argv[2])
		    for x in (c, u), (u, c):
		        threading.Thread(target=pump, args=x, daemon=True).start()
	P
	remember_pid $!
	until_ok 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null
	TCP=tcp://127.0.0.1:$port
}
tcp
is "over TCP" "$(DOCKER_HOST=$TCP config_of docker-daemon:localhost/a:1)" "$CONFIG"

is "save into a pipe that nobody reads ends" "$(timeout 20 "$BIN/pod-image" copy -q "oci:$WORLD/lay:x" docker-archive:/dev/stdout 2>"$WORLD/err" | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}")" 125

# --- what is wrong is said, and nothing stays ---
refused "a name without a tag" "neither a tag nor a digest" image copy -q docker-daemon:localhost/a "dir:$WORLD/x"
refused "a digest to write to" "by its manifest" image copy -q "oci:$WORLD/lay:x" "docker-daemon:localhost/a@$CONFIG"
refused "no daemon" "Cannot connect to the Docker daemon at unix:///nosuch" env DOCKER_HOST=unix:///nosuch "$BIN/pod-image" copy docker-daemon:a:1 "dir:$WORLD/x"
refused "a host that is none" "unable to parse docker host" env DOCKER_HOST=gopher:x "$BIN/pod-image" copy docker-daemon:a:1 "dir:$WORLD/x"
refused "TLS" "TLS is not supported" env DOCKER_HOST=tcp://127.0.0.1:1 DOCKER_TLS_VERIFY=1 "$BIN/pod-image" copy docker-daemon:a:1 "dir:$WORLD/x"
refused "not there: its own words" "reference does not exist" pod pull -q docker-daemon:localhost/none:1
bad() { refused "$1: $2" "$2" pod pull -q "docker-daemon:$1:1"; }
bad bad-length "too early"
bad bad-chunk "malformed chunk"
bad bad-chunks "too early"
bad bad-head "too long"
bad bad-line "too long"
bad bad-protocol "no HTTP"
bad bad-interim "never comes"
bad bad-tar ""
bad bad-nothing ""
bad bad-error "it is on fire"
is "nothing was stored" "$(pod images -q)" ""
is "no staging is left" "$(find "$ROOT/tmp" -mindepth 1 ! -name '*.lock' 2>/dev/null | head -3)" ""
touch "$WORLD/d/refuse"
rm -f "$WORLD/d/loaded"
refused "it refuses at once" "the disk is full" image copy -q "oci:$WORLD/lay:x" docker-daemon:localhost/c:1
rm "$WORLD/d/refuse"
touch "$WORLD/d/late"
refused "it fails late, with status 200" "out of inodes" image copy -q "oci:$WORLD/lay:x" docker-daemon:localhost/c:1
rm -f "$WORLD/d/late" "$WORLD/d/loaded"
cp -r "$WORLD/lay" "$WORLD/hurt"
big=$(find "$WORLD/hurt/blobs" -type f -size +100k | sed -n 1p)
printf x | dd of="$big" bs=1 seek=5000 conv=notrunc status=none
refused "a damaged layer" "copying blob" image copy -q "oci:$WORLD/hurt:x" docker-daemon:localhost/c:1
check "is not taken for a whole image" test ! -e "$WORLD/d/loaded"
echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker-daemon":{"localhost/a":[{"type":"reject"}]}}}' >"$WORLD/policy.json"
refused "a policy for it" "rejected by policy" image copy -q --signature-policy "$WORLD/policy.json" docker-daemon:localhost/a:1 "dir:$WORLD/x"

# --- an ordinary user ---
chmod 755 "$WORLD/d" && chmod 777 "$WORLD/d.sock" && chmod -R a+rX "$WORLD/lay"
echo "CONFIG=$CONFIG" >"$WORLD/facts"
user_part <<'U'
shared=$LIB_DIR
. "$shared/facts"
export DOCKER_HOST=unix://$shared/d.sock
is "a user pulls" "sha256:$(pod pull -q docker-daemon:localhost/a:1 2>&1)" "$CONFIG"
check "a user pushes" pod push -q localhost/a:1 docker-daemon:localhost/user:1
is "what arrived" "$(tar -xOf "$shared/d/loaded" manifest.json | jq -r '.[0].RepoTags[0]')" localhost/user:1
U
