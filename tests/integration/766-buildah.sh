#!/bin/bash
# SPDX-License-Identifier: ISC
# Images go both ways between these programs, buildah and podman, in each form that they share, with their IDs.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry buildah; do
	command -v $tool >/dev/null || { skip "images for and from buildah" "$tool is not installed"; finish; }
done
world
export HOME=$WORLD/home
mkdir -p "$HOME" "$WORLD/d"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$WORLD/policy.json"
registry_http_start
R=$REGISTRY_HTTP

FORMS="oci oci-archive docker-archive dir docker"
# In the working directory: buildah makes a name of a layout's path, and that has no capital letters.
place() { # FORM NAME
	case $1 in
	oci) echo "oci:$2.oci:$2" ;;
	docker-archive) echo "docker-archive:$2.docker.tar:localhost/$2:1" ;;
	docker) echo "docker://$R/$U/$2:1" ;;
	*) echo "$1:$2.$1" ;;
	esac
}
interop() {
	local f said id B=$WORLD/b
	D=$WORLD/d U=u$(id -u)
	mkdir -p "$D" && cd "$D" || return
	bah() { buildah --root "$B" --runroot "$B.run" --storage-driver vfs "$@"; }
	# What somebody else's tool cannot do here is not ours to prove.
	if ! said=$(bah from --name ctr scratch 2>&1) || ! said=$(bah add -q ctr "$FS" / 2>&1); then
		skip "images for and from buildah" "buildah does not work here: ${said:0:100}"
		return
	fi
	bah config --cmd '["/bin/cat","/www/index.html"]' --label made=buildah --env A=b ctr
	for f in oci docker; do
		bah commit -q --format $f --signature-policy "$WORLD/policy.json" ctr "localhost/by-$f:1" >/dev/null 2>"$WORLD/err" || not_ok "buildah commits: $(cat "$WORLD/err")"
	done
	for f in $FORMS; do
		case $f in docker-archive) from=by-docker ;; *) from=by-oci ;; esac
		id=$(bah images -q --no-trunc "localhost/$from:1" | cut -d: -f2)
		bah push -q --tls-verify=false --signature-policy "$WORLD/policy.json" "localhost/$from:1" "$(place $f $from)" >/dev/null 2>"$WORLD/err" || not_ok "buildah writes $f: $(cat "$WORLD/err")"
		said=$(pod pull -q --tls-verify=false "$(place $f $from)" 2>&1)
		if [ $f = docker-archive ]; then # its layers are written anew, and so is what names them
			is "buildah writes $f, read here" "$(pod run --rm --net none "${said##*$'\n'}" 2>&1)" "hello from pod"
		else
			is "buildah writes $f, read here: its ID" "$said" "$id"
		fi
	done
	is "with what it says" "$(pod image inspect -f '{{.Labels.made}} {{.Config.Env}}' "$id")" "buildah [A=b]"
	is "and it runs" "$(pod run --rm --net none "$id" 2>&1)" "hello from pod"
	is "out of its own store too" "$("$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" copy -q "containers-storage:[vfs@$B+$B.run]localhost/by-oci:1" "oci:$D/store:x" 2>&1; jq -r .config.digest "$D/store/blobs/sha256/$(jq -r '.manifests[0].digest' "$D/store/index.json" | cut -d: -f2)" | cut -d: -f2)" "$id"

	pod run --name c --net none "$id" /bin/sh -c 'echo from pod >/made; rm /bin/vi' >/dev/null
	pod commit -q c localhost/ours >/dev/null
	pod rm c >/dev/null
	for f in $FORMS; do
		pod push -q --tls-verify=false localhost/ours "$(place $f ours)" 2>"$WORLD/err" || not_ok "we write $f: $(cat "$WORLD/err")"
		said=$(bah pull -q --tls-verify=false --signature-policy "$WORLD/policy.json" "$(place $f ours)" 2>&1)
		id=${said##*$'\n'}
		case $f in
		docker-archive) is "we write $f, read by buildah" "$(bah inspect --type image "$id" | jq -r '.OCIv1.config.Labels.made')" buildah ;;
		docker) is "we write $f, read by buildah: the configuration" "$id" "$("$BIN/pod-image" inspect --raw --tls-verify=false "$(place $f ours)" | jq -r .config.digest | cut -d: -f2)" ;;
		*) is "we write $f, read by buildah: the ID" "$id" "$(pod images -q --no-trunc localhost/ours | cut -d: -f2)" ;;
		esac
	done
	bah from -q --name two --pull=never --signature-policy "$WORLD/policy.json" "$id" >/dev/null 2>&1
	said=$(bah unshare true 2>&1; m=$(bah mount two 2>/dev/null) && cat "$m/made" && ls "$m/bin/vi" 2>&1)
	[ "$(id -u)" != 0 ] || is "with its changes" "$(grep -c 'from pod' <<<"$said") $(grep -c 'No such file' <<<"$said")" "1 1"
	if command -v podman >/dev/null; then
		pm() { podman --root "$WORLD/p" --runroot "$WORLD/p.run" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
		if pm info >/dev/null 2>&1; then
			for f in oci oci-archive docker-archive dir; do
				said=$(pm pull -q --signature-policy "$WORLD/policy.json" "$(place $f ours)" 2>&1)
				is "podman reads our $f" "$(pm image inspect -f '{{.Config.Labels.made}}' "${said##*$'\n'}" 2>&1)" buildah
			done
			pm save -q -o "$D/p.tar" "${said##*$'\n'}" 2>/dev/null
			is "and we read what it saves" "$(pod load -q -i "$D/p.tar" | grep -c Loaded)" 1
		else
			skip "podman reads what we write" "podman does not work here"
		fi
	fi
	bah rm -a >/dev/null 2>&1
	bah rmi -a -f >/dev/null 2>&1
	cd /
}

rootfs "$WORLD/fs"
FS=$WORLD/fs
interop
{
	declare -f interop place
	printf 'R=%q FORMS=%q\n' "$R" "$FORMS"
	echo 'cp "$LIB_DIR/policy.json" "$WORLD/"; FS=$WORLD/fs; cp -a "$LIB_DIR/user-fs" "$FS"; interop'
	echo 'buildah unshare rm -rf "$WORLD/b" "$WORLD/p" 2>/dev/null'
} | user_part
