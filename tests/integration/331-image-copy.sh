#!/bin/bash
# SPDX-License-Identifier: ISC
# pod-image alone: copies, inspect, list-tags, delete, sync.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"

command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "copies between transports" "docker-registry or skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
registry_http_start
R=$REGISTRY_HTTP
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
copy() { image copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
look() { image inspect --tls-verify=false "$@"; }
refused() {
	local text=$1 words=$2 said st
	shift 2
	said=$("$@" 2>&1 >/dev/null)
	st=$?
	if [ "$st" = 125 ] && [[ $said == *"$words"* ]]; then ok "$text"; else not_ok "$text: $st: $said"; fi
}

layout "$WORLD/lay" latest gzip
WANT=$LAYOUT_DIGEST
CONFIG=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${WANT#sha256:}")
layout_index "$WORLD/idx" latest

# --- a place of each kind; for all pairs see 921 ---
place() { # TRANSPORT NUMBER
	case $1 in
	docker) echo "docker://$R/pair/$2:1" ;;
	oci) echo "oci:$WORLD/p$2:name" ;;
	oci-archive) echo "oci-archive:$WORLD/p$2.oci.tar:name" ;;
	docker-archive) echo "docker-archive:$WORLD/p$2.docker.tar:example.com/name:1" ;;
	dir) echo "dir:$WORLD/p$2.dir" ;;
	containers-storage) echo "containers-storage:localhost/pair$2:1" ;;
	esac
}
config_of() {
	look --config --raw "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}
all="docker oci oci-archive dir containers-storage docker-archive"
for a in $all; do
	copy "oci:$WORLD/lay:latest" "$(place "$a" "$a")" || not_ok "filling $a"
done
for b in docker oci oci-archive dir docker-archive; do
	check "skopeo reads what came from the store: $b" \
		sh -c 'skopeo --insecure-policy inspect --tls-verify=false "$1" >/dev/null' x "$(place $b $b)"
done

# --- indexes ---
copy -a "oci:$WORLD/idx:latest" "docker://$R/multi:1"
is "an index whole: to a registry" "$(skopeo --insecure-policy inspect --raw --tls-verify=false "docker://$R/multi:1" | sha256sum | cut -d' ' -f1)" "${LAYOUT_INDEX#sha256:}"
copy -a "docker://$R/multi:1" "dir:$WORLD/multi.dir"
copy -a "dir:$WORLD/multi.dir" "oci:$WORLD/multi.oci:x"
is "and through dir: and back to a layout" "$(jq -r '.manifests[0].digest' "$WORLD/multi.oci/index.json")" "$LAYOUT_INDEX"
copy "docker://$R/multi:1" "oci:$WORLD/one:x"
is "without --all, this machine's image" "$(look "oci:$WORLD/one:x" | jq -r .Architecture)" "$(layout_machine)"
copy --override-arch s390x "docker://$R/multi:1" "oci:$WORLD/one:y"
is "or another one" "$(look "oci:$WORLD/one:y" | jq -r .Architecture)" s390x
is "an index's own digest" "$(look "docker://$R/multi:1" | jq -r .Digest)" "$LAYOUT_INDEX"

# --- what changes, and what must not ---
copy --format v2s2 "oci:$WORLD/lay:latest" "docker://$R/v2:1"
is "Docker's manifest by wish" "$(look --raw "docker://$R/v2:1" | jq -r .mediaType)" application/vnd.docker.distribution.manifest.v2+json
refused "a change that was forbidden" "asked not to be done" copy --preserve-digests --format v2s2 "oci:$WORLD/lay:latest" "docker://$R/v2:2"
copy --dest-compress-format zstd --dest-force-compress-format "docker://$R/pair/docker:1" "oci:$WORLD/z:x"
check "gzip to zstd on the way" grep -q 'tar+zstd' <<<"$(look --raw "oci:$WORLD/z:x")"
is "with the same contents" "$(config_of "oci:$WORLD/z:x")" "$CONFIG"
copy --digestfile "$WORLD/digest" "docker://$R/pair/docker:1" "dir:$WORLD/df"
is "--digestfile" "$(cat "$WORLD/digest")" "$WANT"
is "manifest-digest" "$(image manifest-digest "$WORLD/df/manifest.json")" "$WANT"
is "manifest-digest of a pipe" "$(look --raw "docker://$R/pair/docker:1" | image manifest-digest -)" "$WANT"

# --- what is damaged is not passed on ---
cp -r "$WORLD/lay" "$WORLD/bad"
big=$(find "$WORLD/bad/blobs" -type f -size +100k | sed -n 1p)
printf x | dd of="$big" bs=1 seek=5000 conv=notrunc status=none
for b in docker oci oci-archive docker-archive dir; do
	refused "a damaged layer is not copied to $b" "copying blob" copy "oci:$WORLD/bad:latest" "$(place $b bad)"
done
is "an archive that was begun is emptied" "$(stat -c %s "$WORLD/pbad.docker.tar")" 0
check "no blob of it lies in the layout" test ! -e "$WORLD/pbad/blobs/sha256/${big##*/}"
refused "one that others have, with what could be a tag" 'Invalid destination name sif:x: unknown transport "sif"' copy "dir:$WORLD/x" sif:x
refused "no transport" "it has no transport" copy "docker://$R/v2:1" "$WORLD/x"
refused "a transport that others have" "the transport sif: is not supported" copy "sif:/tmp/x" "dir:$WORLD/x"
refused "and what can be no tag" "the transport atomic: is not supported" copy "atomic:host/space/name:tag" "dir:$WORLD/x"
refused "an unknown transport" 'Invalid source name xyz:/tmp/x: unknown transport "xyz"' copy "xyz:/tmp/x" "dir:$WORLD/x"

# --- inspect, list-tags, delete ---
is "inspect: the fields of skopeo" "$(look "docker://$R/v2:1" | jq -r 'del(.LayersData) | keys_unsorted | join(" ")')" \
	"$(skopeo --insecure-policy inspect --tls-verify=false "docker://$R/v2:1" | jq -r 'del(.LayersData) | keys_unsorted | join(" ")')"
is "inspect: their values" "$(look "docker://$R/v2:1" | jq -S 'del(.LayersData)')" \
	"$(skopeo --insecure-policy inspect --tls-verify=false "docker://$R/v2:1" | jq -S 'del(.LayersData)')"
is "inspect --config --raw" "$(look --config --raw "docker://$R/v2:1" | sha256sum | cut -d' ' -f1)" "${CONFIG#sha256:}"
is "inspect --format" "$(look --format '{{.Name}} {{.Digest}} {{index .Labels "test"}} {{.Os}}' "docker://$R/v2:1")" \
	"$(skopeo --insecure-policy inspect --tls-verify=false --format '{{.Name}} {{.Digest}} {{index .Labels "test"}} {{.Os}}' "docker://$R/v2:1")"
refused "inspect --format: a field that is none" "field Nope" look --format '{{.Nope}}' "docker://$R/v2:1"
sko_config() { skopeo --insecure-policy inspect --tls-verify=false --config "$@" "docker://$R/v2:1" 2>&1; }
is "inspect --config" "$(look --config "docker://$R/v2:1")" "$(sko_config)"
for f in '{{.OS}} {{.Architecture}} {{.Created}}' '{{.Config.Cmd}} {{.Config.Env}} {{.Config.Labels}} {{.Config.WorkingDir}}' \
	'{{.RootFS.Type}} {{.RootFS.DiffIDs}}' '{{range .History}}{{.CreatedBy}} {{.EmptyLayer}};{{end}}' \
	'{{.Author}}|{{.Variant}}|{{.OSVersion}}|{{.Config.User}}|{{.Config.ExposedPorts}}|{{.Config.Entrypoint}}' json '{{json .}}' 'table {{.OS}}'; do
	is "inspect --config --format $f" "$(look --config --format "$f" "docker://$R/v2:1" 2>&1)" "$(sko_config --format "$f")"
done
refused "inspect --config --format: a field that is none" "can't evaluate field Nope" look --config --format '{{.Nope}}' "docker://$R/v2:1"
refused "inspect --format is not of bytes" "--format cannot be used with --raw" look --config --raw --format '{{.OS}}' "docker://$R/v2:1"
is "inspect --format: a name where there is none" "$(look --format '{{.Name}}|{{.Os}}' "oci:$WORLD/lay:latest" 2>&1)" "|linux"
copy --additional-tag example.com/x:1 "oci:$WORLD/lay:latest" "docker-archive:$WORLD/names.tar:app:2"
is "list-tags of an archive, as skopeo's" "$(image list-tags "docker-archive:$WORLD/names.tar" | jq -cS .)" "$(skopeo list-tags "docker-archive:$WORLD/names.tar" | jq -cS .)"
is "list-tags of an archive, a line each" "$(image list-tags --format plain "docker-archive:$WORLD/names.tar" | sort | tr '\n' ' ')" "docker.io/library/app:2 example.com/x:1 "
refused "list-tags of a tag" "no tag or digest is allowed here" image list-tags --tls-verify=false "docker://$R/v2:1"
refused "list-tags of a repository that is not there" "getting repository tags of $R/nosuch: " image list-tags --tls-verify=false "docker://$R/nosuch"
refused "list-tags of no archive" "no such file" image list-tags "docker-archive:$WORLD/nosuch.tar"
refused "list-tags of another transport" "only docker:// and docker-archive: are meant here" image list-tags "dir:$WORLD/df"
for i in $(seq 12); do copy "dir:$WORLD/df" "docker://$R/tags:v$i"; done
is "list-tags" "$(image list-tags --tls-verify=false "docker://$R/tags" | jq -c '[.Repository, (.Tags | length)]')" "[\"$R/tags\",12]"
image delete --tls-verify=false "docker://$R/tags:v1"
refused "deleted, under all its tags" "manifest unknown" look "docker://$R/tags:v2"
refused "what is not there cannot be deleted" "manifest unknown" image delete --tls-verify=false "docker://$R/tags:v1"
is "delete: in the store" "$(copy "dir:$WORLD/df" containers-storage:localhost/gone:1; pod tag localhost/gone:1 localhost/gone:2; image delete containers-storage:localhost/gone:2 2>&1; pod images -aq localhost/gone)" ""
refused "one that is not there" "image not known" image delete containers-storage:localhost/gone:1
copy "dir:$WORLD/df" containers-storage:localhost/used:1
pod create --name user --net none localhost/used:1 >/dev/null
said=$(image delete containers-storage:localhost/used:1 2>&1)
is "one that a container uses" "$? $(grep -c 'image is in use by a container' <<<"$said")" "2 1"
is "and it stays, with its name" "$(pod rm user >/dev/null; pod images --format '{{.Repository}}' localhost/used)" localhost/used
refused "nothing of another engine's store" "is only read" image delete "containers-storage:[vfs@$WORLD/foreign+$WORLD/foreign.run]localhost/x"
refused "delete: by another transport" "only docker:// and containers-storage: are meant here" image delete "dir:$WORLD/df"

# --- sync ---
copy "dir:$WORLD/df" "docker://$R/sync/a:1"
copy "dir:$WORLD/df" "docker://$R/sync/a:2"
sync() { image sync -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
sync --src docker --dest dir "$R/sync/a" "$WORLD/sync"
is "sync: a repository to directories" "$(cd "$WORLD/sync" && echo *)" "a:1 a:2"
sync --scoped --src dir --dest docker "$WORLD/sync" "$R/mirror"
is "sync: and on to another place" "$(image list-tags --tls-verify=false --format plain "docker://$R/mirror/a" | sort | tr '\n' ' ')" "1 2 "
is "sync: digests kept" "$(look "docker://$R/mirror/a:2" | jq -r .Digest)" "$WANT"
sync --scoped --src docker --dest dir "$R/sync/a:1" "$WORLD/sync2"
check "sync --scoped" test -f "$WORLD/sync2/$R/sync/a:1/manifest.json"
refused "sync: a directory that is not there" "no such file" sync --src dir --dest docker "$WORLD/nosuch" "$R/mirror"

# --- one of several, by its number ---
two=$WORLD/two.tar
pod rmi -a -f >/dev/null 2>&1
ID=$(pod pull -q "oci:$WORLD/lay:latest")
tar -C "$WORLD/fs" -c www | pod import -q - localhost/second:1 >/dev/null
pod tag "$ID" localhost/first:1
pod save -q -m -o "$two" localhost/first:1 localhost/second:1
for i in 0 1; do
	is "image $i of a docker-archive" "$(config_of "docker-archive:$two:@$i")" "sha256:$(tar -xOf "$two" manifest.json | jq -r ".[$i].Config" | sed 's/.json$//; s,.*/,,')"
	copy "docker-archive:$two:@$i" "oci:$WORLD/two.oci:n$i"
	is "and of a layout" "$(config_of "oci:$WORLD/two.oci:@$i")" "$(config_of "docker-archive:$two:@$i")"
	pod rmi -a -f >/dev/null 2>&1
	is "pulled from the archive" "sha256:$(pod pull -q "docker-archive:$two:@$i")" "$(config_of "docker-archive:$two:@$i")"
	is "and nothing else" "$(pod images -aq | wc -l)" 1
	is "pulled from the layout" "sha256:$(pod pull -q "oci:$WORLD/two.oci:@$i")" "$(config_of "docker-archive:$two:@$i")"
done
is "as skopeo counts them" "$(config_of "docker-archive:$two:@1")" "sha256:$(skopeo inspect --config --raw "docker-archive:$two:@1" | sha256sum | cut -d' ' -f1)"
for p in "docker-archive:$two" "oci:$WORLD/two.oci"; do
	refused "there is no third" "Invalid source index @2, only 2 manifest items available" look "$p:@2"
	refused "nor for pull" "Invalid source index @2, only 2 manifest items available" pod pull -q "$p:@2"
	refused "a number that is none" "Invalid source index @-1" look "$p:@-1"
	refused "none to write" "must not contain a manifest index @0" copy "oci:$WORLD/lay:latest" "$p:@0"
done

# --- what meets foreign bytes cannot order the store about ---
mkfifo "$WORLD/held"
"$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" load -q <"$WORLD/held" >/dev/null 2>&1 &
loader=$!
exec 9>"$WORLD/held"
reader() { pgrep -P "$loader" -x pod-image-archi >/dev/null; }
until_ok 10 reader
keeper() { pgrep -P "$loader" -x pod-store; }
one_socket() { [ "$(find "/proc/$(keeper)/fd" -lname 'socket:*' | wc -l)" = 1 ]; }
check "the store is left with the connection of an image's reader" until_ok 10 one_socket
exec 9>&-
wait "$loader"

# --- an ordinary user, without any store ---
if ordinary_user; then
	as_user "$BIN/pod-image" copy -q --src-tls-verify=false "docker://$R/pair/docker:1" "oci:/home/$world_user/o:x" 2>"$WORLD/user.err"
	is "an ordinary user: $(cat "$WORLD/user.err")" "$(jq -r '.manifests[0].digest' "/home/$world_user/o/index.json")" "$WANT"
	as_user "$BIN/pod-image" copy -q "oci:/home/$world_user/o:x" "docker-archive:/home/$world_user/d.tar:a:1" 2>"$WORLD/user.err"
	is "an archive of an ordinary user: $(cat "$WORLD/user.err")" "$(config_of "docker-archive:/home/$world_user/d.tar")" "$CONFIG"
else
	skip "an ordinary user" "it takes root to make one"
fi
finish
