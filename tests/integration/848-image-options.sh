#!/bin/bash
# SPDX-License-Identifier: ISC
# Options of the commands of images, each with the difference that it makes: against a registry that wants a password and
# has a certificate of its own authority, and in the store.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry skopeo jq htpasswd openssl; do
	command -v $tool >/dev/null || {
		skip "options of images" "$tool is not installed"
		finish
	}
done
world

# with and without TEXT OPTIONS COMMAND...: it works, or does not, with these in the place of @@
try() {
	local opts=$2 w words=()
	shift 2
	for w; do
		# shellcheck disable=SC2206
		if [ "$w" = @@ ]; then words+=($opts); else words+=("$w"); fi
	done
	pod "${words[@]}" >"$WORLD/tried" 2>&1 </dev/null
}
with() { try "$@" && ok "$1" || not_ok "$1: $(tail -n 1 "$WORLD/tried")"; }
without() { try "$@" && not_ok "$1" || ok "$1"; }
each() { # TEXT COMMAND...
	local text=$1
	shift
	without "$text: not without the certificate" "--creds me:secret" "$@"
	without "$text: not without the password" "--cert-dir $CERTS" "$@"
	without "$text: not with another password" "--cert-dir $CERTS --creds me:wrong" "$@"
	with "$text: --cert-dir and --creds" "--cert-dir $CERTS --creds me:secret" "$@"
	with "$text: --tls-verify=false and --authfile" "--tls-verify=false --authfile $WORLD/auth.json" "$@"
}

check_options() {
	local u id d=$WORLD/d parent
	u=u$(id -u)
	mkdir -p "$d"
	export HOME=$WORLD/home
	mkdir -p "$HOME"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$R" "$(printf me:secret | base64)" >"$WORLD/auth.json"
	pod push -q localhost/img "dir:$d/plain" >/dev/null && pod push -q --compress localhost/img "dir:$d/packed" >/dev/null
	is "push --compress to a directory" "$(jq -r '.layers[0].mediaType' "$d/plain/manifest.json" "$d/packed/manifest.json" | sed 's/.*\(diff\|v1\)//' | tr '\n' ' ')" ".tar .tar+gzip "
	each push push -q @@ localhost/img "$R/$u/a:1"
	each pull pull -q @@ "$R/$u/a:1"
	each "search --list-tags" search @@ --list-tags "$R/$u/a"
	pod manifest create lst >/dev/null
	each "manifest add" manifest add @@ lst "docker://$R/$u/a:1"
	each "manifest push" manifest push -q @@ lst "docker://$R/$u/l:1"
	echo data >"$d/f"
	pod artifact add "$R/$u/art:1" "$d/f" >/dev/null
	each "artifact push" artifact push -q @@ "$R/$u/art:1"
	each "artifact pull" artifact pull -q @@ "$R/$u/art:1"
	without "manifest inspect: not without the password" "--tls-verify=false" manifest inspect @@ "docker://$R/$u/l:1"
	with "manifest inspect: --authfile" "--tls-verify=false --authfile $WORLD/auth.json" manifest inspect @@ "docker://$R/$u/l:1"
	without "login: not without the certificate" "" login @@ -u me -p secret --authfile "$d/l.json" "$R"
	with "login: --cert-dir" "--cert-dir $CERTS" login @@ -u me -p secret --authfile "$d/l.json" "$R"

	is "pull --os, --arch" "$(pod pull -q --tls-verify=false --authfile "$WORLD/auth.json" --os windows --arch amd64 "$R/multi:1" >/dev/null && pod image inspect -f '{{.Os}}/{{.Architecture}}' "$R/multi:1")" windows/amd64
	without "pull --variant that is not there" "--variant v9" pull -q --tls-verify=false --authfile "$WORLD/auth.json" --arch arm @@ "$R/multi:1"
	is "import --os" "$(pod import -q --os plan9 "$d/plain/$(jq -r '.layers[0].digest | split(":")[1]' "$d/plain/manifest.json")" localhost/os >/dev/null && pod image inspect -f '{{.Os}}' localhost/os)" plan9
	pod rmi localhost/os >/dev/null

	copy() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" copy -q --src-tls-verify=false --dest-tls-verify=false "$@" 2>&1; }
	is "copy --src-username, --src-password and --multi-arch" "$(for which in system all; do
		copy --src-username me --src-password secret --multi-arch $which "docker://$R/multi:1" "oci:$d/$which:x" || echo failed
		jq -r '.manifests[0].mediaType' "$d/$which/index.json"
	done | cut -d. -f4 | tr '\n' ' ')" "manifest index "
	is "copy --dest-username and --dest-password" "$(copy --dest-username me --dest-password wrong "oci:$d/all:x" "docker://$R/$u/named:1" >/dev/null; echo $?) $(copy --dest-username me --dest-password secret "oci:$d/system:x" "docker://$R/$u/named:1"; echo $?)" "125 0"
	for opts in "--src-username me|go together" "--dest-creds me:x --dest-username me --dest-password x|cannot specify --dest-creds" "--all --multi-arch all|--all and --multi-arch" "--multi-arch most|unknown multi-arch option" "--multi-arch index-only|index-only is not supported"; do
		# shellcheck disable=SC2086
		is "copy ${opts%|*} is an error" "$(copy ${opts%|*} "docker://$R/multi:1" "oci:$d/none:x" | grep -c -e "^Error: .*${opts#*|}"; ls -d "$d/none" 2>/dev/null)" 1
	done

	is "images --history adds a column" "$(pod images --history localhost/img | head -n 1 | awk '{ print $NF }')" HISTORY
	pod run --name c1 --net none localhost/img sh -c 'echo new >/etc/new; rm /etc/group' >/dev/null
	pod commit -q c1 localhost/child >/dev/null
	is "image diff --format json" "$(pod image diff --format json localhost/child | jq -c '[(.added | index("/etc/new") != null), (.deleted | index("/etc/group") != null)]')" "[true,true]"
	pod rm c1 >/dev/null
	# A parent without a name goes with its last child, unless that is asked not to be done.
	pod run --name c2 --net none localhost/child sh -c 'echo more >/etc/more' >/dev/null
	pod commit -q c2 localhost/grandchild >/dev/null && pod rm c2 >/dev/null
	parent=$(pod images -q --no-trunc localhost/child)
	pod untag localhost/child
	pod rmi --no-prune localhost/grandchild >/dev/null
	check "rmi --no-prune leaves a parent without a name" pod image exists "${parent#sha256:}"
	pod image prune -f --filter until=1h >/dev/null
	check "image prune --filter until leaves what is new" pod image exists "${parent#sha256:}"
	pod image prune -f --filter label=none=such >/dev/null
	check "image prune --filter label leaves what has none" pod image exists "${parent#sha256:}"
	pod image prune -f --filter 'label!=none' >/dev/null
	pod image exists "${parent#sha256:}" && not_ok "image prune --filter label!= takes it" || ok "image prune --filter label!= takes it"
	id=$(pod images -q --no-trunc localhost/img)
	is "history --human=false" "$(pod history --human=false --format '{{.Created}}' localhost/img | grep -cE '^20[0-9]{2}-[0-9-]+T')" 1
	is "history --no-trunc" "$(pod history --no-trunc -q localhost/img | head -n 1 | sed 's/^sha256://')" "${id#sha256:}"
	if [ "$(id -u)" = 0 ]; then
		pod image mount localhost/img >/dev/null && pod image mount localhost/img >/dev/null
		pod image unmount --force localhost/img >/dev/null
		is "image unmount --force takes all of them" "$(pod image mount | wc -l)" 0
	fi
}

registry_start me secret
R=$REGISTRY CERTS=$REGISTRY_CERTS
layout_index "$WORLD/idx" x
skopeo --insecure-policy copy -q --all --dest-cert-dir "$CERTS" --dest-creds me:secret "oci:$WORLD/idx:x" "docker://$R/multi:1" || not_ok "filling the registry"
busybox_image localhost/img >/dev/null
check_options
if command -v gpg >/dev/null; then
	export GNUPGHOME=$WORLD/gpg
	mkdir -m 700 "$GNUPGHOME" "$WORLD/sigs"
	gpg --batch -q --passphrase '' --quick-gen-key me@example.org ed25519 sign never 2>/dev/null
	without "image sign: not without the password" "--cert-dir $CERTS" image sign --sign-by me@example.org -d "$WORLD/sigs" @@ "docker://$R/multi:1"
	with "image sign: --cert-dir and --authfile" "--cert-dir $CERTS --authfile $WORLD/auth.json" image sign --sign-by me@example.org -d "$WORLD/sigs" @@ "docker://$R/multi:1"
	is "the index is signed" "$(find "$WORLD/sigs" -name 'signature-*' | wc -l)" 1
	with "image sign --all" "--cert-dir $CERTS --authfile $WORLD/auth.json" image sign --all --sign-by me@example.org -d "$WORLD/sigs" @@ "docker://$R/multi:1"
	is "and each image of it" "$(find "$WORLD/sigs" -name 'signature-*' | wc -l)" 5
	gpgconf --kill gpg-agent 2>/dev/null
else
	skip "image sign" "gpg is not installed"
fi
chmod -R a+rX "$CERTS"
{
	declare -f try with without each check_options
	printf 'R=%q CERTS=%q\n' "$R" "$CERTS"
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/img >/dev/null; check_options'
} | user_part
