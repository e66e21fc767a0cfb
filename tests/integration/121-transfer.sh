#!/bin/bash
# SPDX-License-Identifier: ISC
# pull, login, logout, load, save, import: results on standard output, progress on standard error.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../registry.sh"
world

# --- archives and imports ---------------------------------------------------------------------------
rootfs "$WORLD/fs"
tar -C "$WORLD/fs" --owner=0 --group=0 -c . >"$WORLD/fs.tar"
out=$(pod import -m hello -c 'CMD ["/bin/sh","-c","echo hi $A"]' -c 'ENV A=b c' -c 'EXPOSE 80' \
	-c 'LABEL x=y "z=a b"' -c 'USER 1:2' -c 'WORKDIR /tmp' "$WORLD/fs.tar" one:1 2>"$WORLD/err")
id=${out#sha256:}
is "import prints the ID" "${#out}:${out%%:*}" 71:sha256
is "what --change says is in the configuration" "$(pod image inspect one:1 | jq -cS '.[0].Config')" \
	'{"Cmd":["/bin/sh","-c","echo hi $A"],"Env":["A=b c"],"ExposedPorts":{"80/tcp":{}},"Labels":{"x":"y","z":"a b"},"User":"1:2","WorkingDir":"/tmp"}'
is "and the message" "$(pod image inspect -f '{{.Comment}}' one:1)" hello
is "the ID is the digest of the configuration" "$(pod image inspect -f '{{.Id}}' one:1)" "$id"
is "an imported image runs" "$(pod run --rm --net none one:1)" "hi b c"
gzip -c "$WORLD/fs.tar" >"$WORLD/fs.tgz"
is "standard input, compressed, without a name" "$(pod import - <"$WORLD/fs.tgz" | cut -c1-7)" "sha256:"
is "shares the layer" "$(ls "$ROOT/layers" | wc -l)" 1
pod import -c 'FOO x' "$WORLD/fs.tar" >/dev/null 2>"$WORLD/err"
is "a change that is none" "$?" 125
check "is named" grep -q 'invalid instruction FOO' "$WORLD/err"
pod import "$WORLD/nosuch" >/dev/null 2>&1
is "a file that is not there" "$?" 125
pod import "$BIN/pod-run" >/dev/null 2>&1
is "a file that is no archive" "$?:$(pod images -q | wc -l)" 125:2

is "save to a file prints nothing on standard output" "$(pod save -o "$WORLD/a.tar" one:1 2>/dev/null)" ""
is "docker-archive is the default form" "$(tar -xOf "$WORLD/a.tar" manifest.json | jq -c '.[0].RepoTags')" \
	'["localhost/one:1"]'
pod save -q one:1 other:2 >"$WORLD/b.tar" 2>"$WORLD/err"
is "further words are tags" "$(tar -xOf "$WORLD/b.tar" manifest.json | jq -c '.[0].RepoTags')" \
	'["localhost/one:1","localhost/other:2"]'
is "--quiet is" "$(cat "$WORLD/err")" ""
busybox_image localhost/two:1 >/dev/null
pod save -q -m one:1 two:1 >"$WORLD/m.tar"
is "-m: several images" "$(tar -xOf "$WORLD/m.tar" manifest.json | jq -c '[.[].RepoTags[]]')" \
	'["localhost/one:1","localhost/two:1"]'
pod save -q --format oci-archive one:1 | tar -t >"$WORLD/list"
check "oci-archive" grep -q oci-layout "$WORLD/list"
pod save -q --format oci-dir -o "$WORLD/oci" one:1
check "oci-dir" test -f "$WORLD/oci/index.json"
pod save -q --format docker-dir -o "$WORLD/dir" one:1
check "docker-dir" test -f "$WORLD/dir/manifest.json"
pod save --format bad one:1 >/dev/null 2>"$WORLD/err"
check "another form" grep -q 'format value must be one of oci-dir oci-archive docker-dir docker-archive' "$WORLD/err"
pod save -o "$WORLD/no.tar" nosuch 2>"$WORLD/err"
is "an image that is not there" "$?:$(cat "$WORLD/err")" "125:Error: nosuch: image not known"
check "leaves no file" test ! -e "$WORLD/no.tar"
if command -v script >/dev/null; then
	script -qc "$BIN/pod --root $ROOT --runroot $RUNROOT save one:1" /dev/null </dev/null >"$WORLD/tty"
	check "not to a terminal" grep -q 'refusing to save to terminal' "$WORLD/tty"
else
	skip "not to a terminal" "no script(1)"
fi

pod rmi -af >/dev/null
is "load" "$(pod load -i "$WORLD/a.tar" 2>/dev/null)" "Loaded image: localhost/one:1"
is "the same image comes back" "$(pod images -q --no-trunc)" "sha256:$id"
is "load from standard input, two names" "$(pod load 2>/dev/null <"$WORLD/b.tar" | tr '\n' ' ')" \
	"Loaded image: localhost/one:1 Loaded image: localhost/other:2 "
is "load of a directory" "$(pod load -qi "$WORLD/oci")" "Loaded image: localhost/one:1"
is "load of an image without a name" "$(pod load -qi "$WORLD/dir")" "Loaded image: sha256:$id"
pod load -i "$WORLD/nosuch" >/dev/null 2>&1
is "load of what is not there" "$?" 125
pod load </dev/null >/dev/null 2>&1
is "load of nothing" "$?" 125
is "it runs as before" "$(pod run --rm --net none other:2)" "hi b c"
pod rmi -af >/dev/null

# --- a registry ---------------------------------------------------------------------------------------
if ! command -v docker-registry >/dev/null || ! command -v htpasswd >/dev/null; then
	skip "registry" "docker-registry or htpasswd is missing"
	finish
fi
registry_start alice secret
layout "$WORLD/l" 1 gzip
registry_push "$WORLD/l" 1 ns/img:1
registry_push "$WORLD/l" 1 ns/img:2
ref=$REGISTRY/ns/img
A="--authfile $WORLD/auth.json --cert-dir $REGISTRY_CERTS"

pod pull $A -q --retry 0 "$ref:1" >/dev/null 2>&1
is "without credentials nothing comes" "$?:$(pod images -q)" 125:
pod login $A -u alice -p wrong "$REGISTRY" >/dev/null 2>"$WORLD/err"
is "a wrong password" "$?" 125
is "its words" "$(cat "$WORLD/err")" "Error: logging into \"$REGISTRY\": invalid username/password"
check "is not kept" test ! -e "$WORLD/auth.json"
closed=127.0.0.1:$(free_port)
is "a registry that is not there is named once" \
	"$(echo secret | pod login -u alice --password-stdin "$closed" 2>&1 >/dev/null | grep -o "authenticating creds for \"$closed\"" | wc -l)" 1
is "login" "$(echo secret | pod login $A -u alice --password-stdin "$REGISTRY")" "Login Succeeded!"
is "the file is its owner's" "$(stat -c %a "$WORLD/auth.json")" 600
is "and holds them as others read them" "$(jq -r ".auths.\"$REGISTRY\".auth" "$WORLD/auth.json" | base64 -d)" alice:secret
is "--get-login" "$(pod login $A --get-login "$REGISTRY")" alice
is "existing credentials do" "$(pod login $A "$REGISTRY" </dev/null | tail -1)" \
	"Existing credentials are valid. Already logged in to $REGISTRY"
pod login $A --password-stdin "$REGISTRY" </dev/null >/dev/null 2>&1
is "--password-stdin needs --username" "$?" 125

out=$(pod pull $A "$ref:1" 2>"$WORLD/err")
is "pull prints the ID, and nothing else, on standard output" "$(pod images -q --no-trunc)" "sha256:$out"
is "progress goes to standard error" "$(head -2 "$WORLD/err" | tr '\n' ' ')" \
	"Trying to pull $ref:1... Getting image source signatures "
is "--quiet" "$(pod pull -q $A "$ref:1" 2>&1)" "$out"
is "--all-tags" "$(pod pull -q -a $A "$ref" | sort -u)" "$out"
is "brings all tags" "$(pod images --format '{{.Tag}}' | sort | tr '\n' ' ')" "1 2 "
is "--policy missing asks nobody" "$(pod pull -q --policy missing "$ref:2")" "$out"
is "--policy newer" "$(pod pull -q --policy newer $A "$ref:2")" "$out"
pod pull -q --policy never "$ref:3" >/dev/null 2>"$WORLD/err"
is "--policy never" "$?:$(cat "$WORLD/err")" "125:Error: $ref:3: image not known"
pod pull --policy bad "$ref:1" >/dev/null 2>"$WORLD/err"
is "another policy" "$?:$(cat "$WORLD/err")" '125:Error: unsupported pull policy "bad"'
pod pull -q $A "$ref:nosuch" >/dev/null 2>"$WORLD/err"
is "a tag that is not there" "$?" 125
check "is named" grep -q 'manifest unknown' "$WORLD/err"
pod pull --platform linux/amd64 --arch arm64 "$ref:1" >/dev/null 2>&1
is "--platform and --arch" "$?" 125
is "run pulls what is missing" \
	"$(pod rmi -af >/dev/null; pod run --rm --net none -q $A "$ref:1" cat /www/index.html 2>/dev/null)" "hello from pod"

is "logout" "$(pod logout --authfile "$WORLD/auth.json" "$REGISTRY")" "Removed login credentials for $REGISTRY"
pod logout --authfile "$WORLD/auth.json" "$REGISTRY" 2>"$WORLD/err"
is "once more" "$?:$(cat "$WORLD/err")" "125:Error: not logged into $REGISTRY"
pod login $A --get-login "$REGISTRY" 2>/dev/null
is "--get-login afterwards" "$?" 125
echo secret | pod login $A -u alice --password-stdin "$REGISTRY" >/dev/null
is "logout --all" "$(pod logout -a --authfile "$WORLD/auth.json")" "Removed login credentials for all registries"
finish
