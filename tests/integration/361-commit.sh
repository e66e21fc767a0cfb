#!/bin/bash
# SPDX-License-Identifier: ISC
# commit, diff, export, mount, unmount, image mount, image diff, tree: what containers changed.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/parent >/dev/null
work() { # what both users do
	pod run --name c --network none -e Q=1 --expose 80 -v /vv localhost/parent \
		sh -c 'echo x >/new; rm /www/index.html; echo >>/etc/group; mkdir /dd; ln /new /new2; chown 5:6 /dd; rm -r /home; mkdir /home; touch /home/h; mkfifo /ff; ln -s new /sl' || not_ok "$1a container"
	is "$1diff" "$(pod diff c | tr '\n' ' ')" "A /dd C /etc/group A /ff C /home D /home/alice A /home/h A /new A /new2 A /sl A /vv C /www D /www/index.html "
	is "$1diff --format json" "$(pod diff --format json c | jq -c '.deleted')" '["/home/alice","/www/index.html"]'
	is "$1diff of two" "$(pod diff c parent | grep -c .)" "$(pod diff c | grep -c .)"
	is "$1container diff -l" "$(pod container diff -l | sed -n 1p)" "A /dd"
	id=$(pod commit -q c localhost/x 2>"$WORLD/err")
	is "$1commit -q prints the ID alone" "$(printf %s "$id" | tr -d 0-9a-f | wc -c) ${#id} $(wc -c <"$WORLD/err")" "0 64 0"
	is "$1the image has what the container had" \
		"$(pod run --rm --network none x sh -c 'cat /new2; stat -c %u:%g /dd; stat -c %h /new; ls -A /home /www; echo $Q; test -p /ff && readlink sl' | tr '\n' ' ')" "x 5:6 2 /home: h  /www: 1 new "
	is "$1what the engine mounts upon is not in it" "$(store export localhost/x | tar -t | grep -c -e etc/hosts -e resolv -e containerenv)" 0
	is "$1and a whiteout is" "$(store export localhost/x | tar -t | grep -c 'www/.wh.index.html')" 1
	is "$1the layer is exact: its digest is its DiffID" "sha256:$(store export localhost/x | sha256sum | cut -c1-64)" "$(pod inspect x | jq -r '.[0].RootFS.Layers[1]')"
	is "$1image diff" "$(pod image diff x | grep -c -e /new -e index)" 3
	pod commit -q -f docker -a me -m hello -c 'CMD ["a","b"]' -c 'ENV Z=1' -c 'LABEL k=v' --include-volumes --iidfile "$WORLD/iid" c localhost/y >"$WORLD/out"
	is "$1--iidfile" "$(cat "$WORLD/iid")" "$(cat "$WORLD/out")"
	is "$1the configuration is the container's, with the changes" "$(pod inspect y | jq -c '.[0]|[.Config.Cmd,.Config.Labels,.Config.Volumes,.Config.ExposedPorts,.Author,.ManifestType,(.Config.Env|contains(["Q=1","Z=1"]))]')" \
		'[["a","b"],{"k":"v"},{"/vv":{}},{"80/tcp":{}},"me","application/vnd.docker.distribution.manifest.v2+json",true]'
	pod commit -q -c 'LABEL RUN=podman run IMAGE "a b"' -c 'LABEL e=f "g h"="i j"' c localhost/lab >/dev/null
	is "$1a label of several words" "$(pod inspect lab | jq -c '.[0].Labels')" '{"RUN":"podman run IMAGE \"a b\"","e":"f","g h":"i j"}'
	pod commit -c 'LABEL some words' c 2>"$WORLD/err"; check "$1a label without a value" grep -q 'LABEL must be formatted key=value' "$WORLD/err"
	echo '{"User":"alice","Env":["ONLY=1"],"Labels":{"x":"y"}}' >"$WORLD/cfg"
	pod commit -q --config "$WORLD/cfg" c localhost/z >/dev/null
	is "$1--config" "$(pod inspect z | jq -c '.[0]|[.Config.User,.Config.Env,.Config.Labels]')" '["alice",["ONLY=1"],{"x":"y"}]'
	echo '{"Healthcheck":{"Test":["CMD","true"],"Interval":7000000000},"Shell":["/bin/ash","-c"]}' >"$WORLD/cfg"
	pod commit -q -f docker --config "$WORLD/cfg" c localhost/zh >/dev/null
	is "$1--config: health check and shell" "$(pod inspect zh | jq -c '.[0]|[.Healthcheck.Test,.Healthcheck.Interval,.Config.Shell]')" '[["CMD","true"],7000000000,["/bin/ash","-c"]]'
	echo '{"Healthcheck":{"Test":5}}' >"$WORLD/cfg"
	pod commit -q --config "$WORLD/cfg" c 2>"$WORLD/err"
	is "$1--config: one that is none" "$? $(grep -c 'Healthcheck: Test has the wrong type' "$WORLD/err")" "125 1"
	pod commit -q --squash c localhost/sq >/dev/null
	is "$1--squash: one layer with everything" "$(pod inspect sq | jq '.[0].RootFS.Layers|length') $(store export localhost/sq | tar -t | grep -c -e '^bin/busybox$' -e '^new$' -e index.html)" "1 2"
	is "$1--squash: a step that names the image below" "$(pod inspect sq | jq -c '[.[0].History[].comment]')" '["FROM localhost/parent:latest"]'
	pod commit -q -f docker --squash c localhost/sqd >/dev/null
	for i in y sqd; do
		pod save -q --format docker-dir -o "$WORLD/$i" $i 2>/dev/null
		jq -c --slurpfile c "$WORLD/$i/$(jq -r '.config.digest[7:]' "$WORLD/$i/manifest.json")" -n '$c[0]|[.container, .container_config == .config and (.config|length) > 3, .parent]' >"$WORLD/$i.from"
	done
	id=$(pod inspect -f '{{.Id}}' c)
	is "$1Docker's configuration tells of the container and the image below" "$(cat "$WORLD/y.from")" "[\"$id\",true,\"sha256:$(pod image inspect -f '{{.Id}}' parent)\"]"
	is "$1with --squash there is none below" "$(cat "$WORLD/sqd.from")" "[\"$id\",true,null]"
	is "$1history knows the parent" "$(pod history -q x | tail -1)" "$(pod inspect -f '{{.Id}}' parent | cut -c1-12)"
	is "$1export is the whole tree" "$(pod export c | tar -t | grep -c -e '^bin/busybox$' -e '^new2\?$' -e index.html)" 3
	is "$1export -o" "$(pod export -o "$WORLD/o.tar" c; tar -xOf "$WORLD/o.tar" new)" x
	is "$1import of an export" "$(pod export c | pod import -q - localhost/imp >/dev/null && pod run --rm --network none imp cat /new2)" x
	is "$1import of a directory" "$(pod import "$WORLD" 2>&1; pod import - <"$WORLD" 2>&1; echo $?)" "Error: error reading \"$WORLD\": read $WORLD: is a directory
Error: error reading \"-\": read -: is a directory
125"
	is "$1tree" "$(pod image tree x | grep -c -e 'Top Layer of: \[localhost/parent:latest\]' -e '└── .*localhost/x:latest')" 2
	is "$1tree --whatrequires" "$(pod image tree --whatrequires parent | sed -n '5,$p' | grep -c localhost)" 2
	pod commit -m x c 2>"$WORLD/err"; check "$1a message needs docker" grep -q "messages are only compatible with the docker image format" "$WORLD/err"
	pod commit -f foo c 2>"$WORLD/err"; check "$1an unknown format" grep -q 'unrecognized image format "foo"' "$WORLD/err"
	pod commit c 'BAD NAME' 2>"$WORLD/err"; check "$1a bad name" grep -q 'invalid reference format' "$WORLD/err"
	pod commit -c 'FOO x' c 2>"$WORLD/err"; check "$1a bad change" grep -q 'invalid instruction FOO' "$WORLD/err"
	is "$1a signal that is none" "$(pod commit -c STOPSIGNAL=never c 2>&1; pod import -q -c 'STOPSIGNAL 99' "$WORLD/o.tar" 2>&1; echo $?)" \
		'Error: invalid change "STOPSIGNAL never" - KILLSIGNAL must be given a valid signal: invalid signal: never
Error: invalid change "STOPSIGNAL 99" - KILLSIGNAL must be given a valid signal: valid signals are 1 through 64
125'
	pod commit nosuch 2>"$WORLD/err"; check "$1no such container" grep -q 'no such container' "$WORLD/err"
}
work ""
if [ "$(id -u)" = 0 ]; then
	at_end() { pod umount -a >/dev/null; pod image umount -a >/dev/null; }
	m=$(pod mount c)
	is "mount: the tree is there" "$(cat "$m/new")" x
	pod create --name c2 --network none localhost/parent true >/dev/null
	is "mount of several: their paths" "$(pod mount c c2)" "$m"$'\n'"$(pod mount c2)"
	is "mount --all: paths" "$(pod mount -a | sort)" "$(printf '%s\n' "$m" "$(pod mount c2)" | sort)"
	pod rm c2 >/dev/null
	is "mount lists it" "$(pod mount | tr -s ' ')" "$(pod inspect -f '{{.Id}}' c | cut -c1-12) $m"
	is "mount --format json" "$(pod mount --format json | jq -r '.[0].Names[0]')" c
	echo host >"$m/fromhost"
	is "a container that starts now stands on the same mount" "$(pod start -a c >/dev/null 2>&1; cat "$m/fromhost" "$m/new" | tr '\n' ' ')" "host x "
	is "unmount" "$(pod unmount c; pod mount)" c
	is "nothing stays mounted" "$(grep -c "$WORLD" /proc/mounts)" 0
	is "what was written through the mount stays" "$(pod export c | tar -xO fromhost)" host
	pod run -d --name r --network none localhost/parent sh -c 'echo live >/live; sleep 100' >/dev/null
	m=$(pod mount r)
	check "a running container's own mount" until_ok 20 grep -q live "$m/live"
	echo in >"$m/in"
	is "and it sees what is written there" "$(pod exec r cat /in)" in
	check "commit -p of a running container" pod commit -q -p r localhost/r
	is "which runs on" "$(pod inspect -f '{{.State.Status}}' r)" running
	pod rm -f -t 0 r >/dev/null
	is "what is removed while it is mounted goes from the host's mounts" "$(grep -c "$WORLD" /proc/mounts) $(ls -d "$m" 2>/dev/null)" "0 "
	pod create --name gone --network none localhost/parent true >/dev/null
	m=$(pod mount gone)
	is "also where only another mount namespace has it" "$(test -d "$m/bin" && unshare -m --propagation private sh -c 'umount "$1"; shift; "$@"' x "$m" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" rm gone; grep -c "$WORLD" /proc/mounts)" "gone
0"
	pod run --name um --network none --uidmap 0:100000:65536 localhost/parent sh -c 'touch /f; chown 7:8 /f'
	is "export of a container in a user namespace has its own ids" "$(pod export um | tar -tv --numeric-owner f | cut -d' ' -f2)" 7/8
	pod commit -q um localhost/um >/dev/null
	is "so does commit" "$(store export localhost/um | tar -tv --numeric-owner f | cut -d' ' -f2)" 7/8
	is "image mount" "$(cat "$(pod image mount x)/new")" x
	is "it is read-only" "$(touch "$(pod image mount x)/q" 2>&1 | grep -c 'Read-only')" 1
	is "image mount lists" "$(pod image mount | grep -c localhost/x)" 1
	is "image unmount" "$(pod image unmount x)" "$(pod inspect -f '{{.Id}}' x)"
	is "image mount of several, one unknown, mounts none" "$(pod image mount x nosuch 2>&1; echo $?; pod image mount)" "Error: nosuch: image not known
125"
	pod image mount x >/dev/null
	is "image unmount neither" "$(pod image unmount x nosuch 2>&1; echo $?; pod image mount | grep -c localhost/x)" "Error: nosuch: image not known
125
1"
	is "of several that are" "$(pod image mount x parent | grep -c "$WORLD") $(pod image unmount x parent | wc -l) $(pod image mount | wc -l)" "2 2 0"
	pod commit -q c localhost/taken >/dev/null
	pod image mount taken >/dev/null
	is "an image that is removed while it is mounted" "$(pod rmi taken >/dev/null 2>&1; echo $?; grep -c "$WORLD" /proc/mounts)" "0
0"
	pod image mount -a >/dev/null
	pod image unmount -a >/dev/null
	is "all of them" "$(grep -c "$WORLD" /proc/mounts)" 0
	dd if=/dev/zero bs=1M count=4 2>/dev/null >"$WORLD/fs/big"
	pod rm -f -a -t 0 >/dev/null
fi
declare -f work >"$WORLD/work.sh" && chmod a+r "$WORLD/work.sh"
user_part <<'EOF'
busybox_image localhost/parent >/dev/null
. "$LIB_DIR/work.sh"
work "user: "
pod mount c 2>"$WORLD/err"
check "user: mount wants unshare" grep -q '"pod mount" .* must execute `pod unshare` first' "$WORLD/err"
ln -s "$BIN/pod" "$WORLD/podman"
is "user: it names the word that was typed" "$("$WORLD/podman" --root "$ROOT" --runroot "$RUNROOT" mount c 2>&1 | grep -c '"podman mount" .* `podman unshare`')" 1
for unset in "env -u HOME" "env HOME="; do
	is "user: $unset: the home directory is known" "$($unset "$BIN/pod" info --format '{{.Store.GraphRoot}}')" "$HOME/.local/share/pod"
done
is "user: within it, it works" "$(pod unshare sh -c "cat \$('$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' mount c)/new; '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' umount c")" "x
c"
is "user: image mount too" "$(pod unshare sh -c "cat \$('$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' image mount x)/new; '$BIN/pod' --root '$ROOT' --runroot '$RUNROOT' image umount x >/dev/null")" x
is "user: removed while it is mounted" "$(pod unshare sh -c "p='$BIN/pod --root $ROOT --runroot $RUNROOT'; \$p create --name gone --network none localhost/parent true >/dev/null; \$p mount gone >/dev/null; grep -c '$ROOT/mounts' /proc/self/mounts; \$p rm gone; grep -c '$ROOT/mounts' /proc/self/mounts")" "1
gone
0"
pod run --name k --userns keep-id --network none localhost/parent sh -c 'touch /tmp/mine'
pod commit -q k localhost/k >/dev/null
is "user: owners are mapped back: the user's, by number" "$(store export localhost/k | tar -tv --numeric-owner tmp/mine | cut -d' ' -f2)" "$(id -u)/$(id -g)"
is "user: and in an export" "$(pod export k | tar -tv --numeric-owner tmp/mine bin/busybox | cut -d' ' -f2 | tr '\n' ' ')" "0/0 $(id -u)/$(id -g) "
# Kernels before 6.15 clone no mount that is attached nowhere: open_tree(2) of a descriptor fails.
cat >"$WORLD/old-kernel" <<'OLD'
import ctypes, os, struct, sys
code = b"".join(struct.pack("HBBI", *i) for i in ((0x20, 0, 0, 0), (0x15, 0, 3, 428), (0x20, 0, 0, 32), (0x45, 0, 1, 0x1000),
    (6, 0, 0, 0x50016), (6, 0, 0, 0x7fff0000)))
text = ctypes.create_string_buffer(code)
prog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 6, ctypes.addressof(text)))
if ctypes.CDLL(None, use_errno=True).prctl(22, 2, ctypes.c_void_p(ctypes.addressof(prog)), 0, 0):
    sys.exit("no filter: errno %d" % ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
OLD
is "user: old kernel: an export" "$(pod unshare python3 "$WORLD/old-kernel" "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" export k | tar -t bin/busybox)" bin/busybox
EOF
