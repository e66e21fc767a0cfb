#!/bin/bash
# SPDX-License-Identifier: ISC
# image scp: to another user of the machine and back, and through what ssh starts on another host.
. "$(dirname "$0")/../lib.sh"
world
id=$(busybox_image localhost/app:1)

# What ssh does here: it writes its words down, and runs the last one with a shell as sshd would, in another home.
cat >"$WORLD/ssh" <<'X'
#!/bin/sh
printf '%s\n' "$@" >"$FAR/words"
for line; do :; done
PATH=$FAR/bin:/usr/bin:/bin HOME=$FAR exec sh -c "$line"
X
chmod 755 "$WORLD/ssh"
far() { # NAME: what the other host's program is called
	export FAR=$WORLD/far
	mkdir -p "$FAR/bin" "$WORLD/path"
	rm -f "$FAR/bin/"*
	printf '#!/bin/sh\nexec "%s/pod" --root "%s/root" --runroot "%s/run" "$@"\n' "$BIN" "$FAR" "$FAR" >"$FAR/bin/$1"
	chmod 755 "$FAR/bin/$1"
	cp "$SSH" "$WORLD/path/ssh"
	PATH=$WORLD/path:$PATH
}
there() { "$BIN/pod" --root "$FAR/root" --runroot "$FAR/run" "$@"; }
run() { pod "$@"; }
hosts() {
	far pod
	is "to another host" "$(pod image scp localhost/app:1 me@far.example.com:2222:: 2>"$WORLD/err")" "Loaded image: localhost/app:1"
	is "it is there" "$(there images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}')" "sha256:$id localhost/app:1"
	is "ssh was told where" "$(head -n 6 "$FAR/words" | tr '\n' ' ')" "-p 2222 -l me -- far.example.com "
	there tag localhost/app:1 localhost/back:2
	far podman
	is "from a host that has podman, quietly" "$(pod image scp -q far::localhost/back:2 2>&1)" ""
	is "it is here" "$(pod image inspect -f '{{.Id}}' localhost/back:2)" "$id"
	is "in the other form" "$(pod image scp --format docker-archive far:22/run/user/1/x.sock::localhost/back:2 2>/dev/null)" "Loaded image: localhost/back:2"
	run_fails "an image that is not there" 125 "nosuch: image not known" image scp nosuch far::
	run_fails "nor on the other host" 125 "could not be saved" image scp far::localhost/nosuch
	run_fails "no rename" 125 "cannot specify an image rename" image scp localhost/app:1 far::other
	run_fails "no image" 125 "no source image" image scp far::
	run_fails "no destination" 125 "name another user" image scp localhost/app:1
	run_fails "a form that is none" 125 "format value must be one of" image scp --format tar localhost/app:1 far::
	rm -f "$FAR/words"
	run_fails "no options for ssh" 125 "invalid host" image scp localhost/app:1 -- '-oProxyCommand=x::'
	run_fails "nor for the other host's shell" 125 "invalid image" image scp 'far::a;reboot'
	run_fails "nor for its program" 125 "invalid image" image scp 'far::--output=x'
	run_fails "a user is a user" 125 "invalid user" image scp -- 'far::x' '-l@far::'
	check "none of it was started" test ! -e "$FAR/words"
}
SSH=$WORLD/ssh
(hosts; echo "$tap_n $tap_failed" >"$WORLD/count")
read -r tap_n tap_failed <"$WORLD/count"

# --- users of this machine ---
if [ "$(id -u)" = 0 ] && ordinary_user; then
	mkdir "$WORLD/suite" && cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/suite/"
	chmod -R a+rX "$WORLD/suite"
	suite() { "$WORLD/suite/bin/pod" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
	uid=$(id -u "$world_user")
	theirs() { runuser -l -s /bin/sh "$world_user" -c "$WORLD/suite/bin/pod $*"; }
	is "root to a user" "$(suite image scp root@localhost::localhost/app:1 "$world_user@localhost::" 2>"$WORLD/err")" "Loaded image: localhost/app:1"
	is "whose store has it" "$(theirs images --no-trunc --format "'{{.ID}} {{.Repository}}:{{.Tag}}'")" "sha256:$id localhost/app:1"
	check "and whose files it is" test -O / -a "$(stat -c %U "$(getent passwd "$world_user" | cut -d: -f6)/.local/share/pod")" = "$world_user"
	theirs tag localhost/app:1 localhost/mine:1
	is "a user to root" "$(suite image scp -q "$world_user@localhost::localhost/mine:1" && pod image inspect -f '{{.Id}}' localhost/mine:1)" "$id"
	suite image scp localhost/app:1 nosuchuser@localhost:: >/dev/null 2>"$WORLD/err"
	is "a user who is none" "$? $(grep -c nosuchuser "$WORLD/err")" "125 1"
	rm -rf --one-file-system "/tmp/pod-run-$uid"
	end_user
else
	skip "to another user" "root starts it"
fi

declare -f far there run hosts >"$WORLD/functions"
user_part <<E2
id=\$(tar -C "\$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/app:1)
SSH=\$LIB_DIR/ssh
$(cat "$WORLD/functions")
hosts
mkdir "\$WORLD/none"
said=\$(PATH=\$WORLD/none "\$BIN/pod" --root "\$ROOT" --runroot "\$RUNROOT" image scp localhost/app:1 root@localhost:: 2>&1)
is "without sudo" "\$? \$(grep -c 'starting sudo' <<<"\$said")" "125 1"
E2
