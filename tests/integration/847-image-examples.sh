#!/bin/bash
# SPDX-License-Identifier: ISC
# The examples of the manuals of images, run as they stand there, against a registry of the test's own.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
for tool in docker-registry skopeo jq; do
	command -v $tool >/dev/null || {
		skip "examples of manuals" "$tool is not installed"
		finish
	}
done
world
PAGES="pull push images image-tree tag save load import export history search login logout image-exists image-inspect image-diff
manifest-create manifest-exists manifest-add manifest-annotate manifest-inspect manifest-push manifest-remove manifest-rm
artifact-add artifact-extract artifact-inspect artifact-push artifact-rm artifact-pull artifact-ls image-sign image-trust
commit diff untag rmi image-prune"

# The examples of a page, one in a paragraph: each line that is set apart, or a block of them.
examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" | sed 's/\\(aq/'"'"'/g; s/\\e/\\/g; s/\\&//g' | awk '
		/^\.Dl / { sub(/^\.Dl /, ""); print; print "" }
		/^\.Bd/ { block = 1; next }
		/^\.Ed/ { block = 0; print ""; next }
		block { sub(/^[$>] /, ""); print }'
}

# Hosts, directories and people of the manuals as they are here.
here() { sed -E "s,[a-z]+\.example\.org(:5000)?,$R,g; s,/tmp/,$D/,g; s,/srv/,$D/,g; s,/dev/shm/,$D/,g; s,/etc/pki/,$D/,g; s,--sign-by me$,--sign-by me@example.org,; s,linux/arm64,linux/s390x,"; }

# What must be there for a page's examples.
prepare() {
	case $1 in
	pod-login | pod-logout) echo secret >token && echo secret | pod login -u me --password-stdin $R && cp "$REGISTRY_AUTH_FILE" auth.json ;;
	# The list is called as the image was.
	pod-manifest-create) pod tag localhost/app localhost/keep && pod untag localhost/app:latest localhost/app:latest ;;
	pod-manifest-annotate | pod-manifest-inspect | pod-manifest-push | pod-manifest-remove | pod-manifest-rm)
		pod manifest rm app; pod manifest create app localhost/app:arm64 && pod manifest push --all app docker://$R/app:latest ;;
	pod-artifact-add) pod tag localhost/keep localhost/app; echo model >model.bin; echo text >README; echo a: 1 >config.yaml ;;
	pod-artifact-rm) pod artifact ls -q ;;
	pod-artifact-push) pod artifact add $R/team/model:1 README ;;
	pod-artifact-ls) pod artifact add model README ;;
	pod-untag) pod tag busybox $R/team/busybox:1 $R/team/more:1 ;;
	pod-rmi) pod tag localhost/app localhost/app:old; pod rm -fa -t 0; pod tag busybox localhost/i:1; pod import -q layer.tar localhost/i:1 ;;
	pod-image) pod rmi -f $R/app:1; pod push busybox $R/app:1 ;;&
	pod-image-trust | pod-image) printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$POLICY" ;;
	pod-commit | pod-export) pod rm -f web; pod run --name web --net none localhost/app sh -c 'mkdir -p /etc/nginx; echo x >/etc/nginx/conf' ;;
	esac >/dev/null 2>&1
}

run_page() {
	local page=$1 n=0 said st
	prepare "$page"
	while IFS= read -r -d '' text; do
		n=$((n + 1))
		(
			set -o pipefail
			eval "$text"
		) >"$WORLD/out" 2>"$WORLD/err" <<<secret
		st=$?
		# "grep" of a list that may be empty, and the like, are no failures of what is shown.
		[ $st != 1 ] || case $text in *grep* | *"image exists"*) st=0 ;; esac
		! grep -q '^Error' "$WORLD/err" || st=error
		said=$(tail -n 1 "$WORLD/err" | cut -c1-200)
		is "$page, example $n" "$st$([ $st = 0 ] || echo ": $said: $text")" 0
	done < <(examples "$MAN/$page.1" | here | awk 'BEGIN { RS = ""; ORS = "\0" } { print }')
}

run_pages() {
	local page saved
	D=$WORLD/d HOME=$WORLD/home POLICY=$WORLD/home/.config/containers/policy.json
	export HOME
	mkdir -p "${POLICY%/*}"
	own_lookaside
	mkdir -p "$D/bin" "$D/rootfs" "$D/files" && cd "$D" || exit 1
	for page in pod pod-store pod-image; do
		printf '#!/bin/sh\nexec %s/%s --root %s --runroot %s "$@"\n' "$BIN" $page "$ROOT" "$RUNROOT" >bin/$page
	done
	# The other host has a store of its own.
	printf '#!/bin/sh\nshift\ntool=$1\nshift\n[ "$tool $1" != "pod save" ] || exec %s/pod "$@"\nexec %s/$tool --root %s.host --runroot %s.host "$@"\n' "$D/bin" "$BIN" "$ROOT" "$RUNROOT" >bin/ssh
	chmod 755 bin/*
	PATH=$D/bin:$PATH
	saved=$(declare -f pod)
	unset -f pod
	if command -v gpg >/dev/null; then
		export GNUPGHOME=$WORLD/gpg
		mkdir -m 700 "$GNUPGHOME"
		gpg --batch -q --passphrase '' --quick-gen-key me@example.org ed25519 sign never 2>/dev/null && gpg --export >release.gpg
	else
		PAGES=$(echo "$PAGES" | sed 's/image-sign image-trust//')
	fi
	printf 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n[[registry]]\nlocation = "%s"\ninsecure = true\n[[registry]]\nprefix = "docker.io"\nlocation = "%s"\ninsecure = true\n' $R $R >registries.conf
	export CONTAINERS_REGISTRIES_CONF=$D/registries.conf REGISTRY_AUTH_FILE=$D/auth.d/auth.json
	mkdir -p auth.d && echo "{}" >auth.d/auth.json
	tar -C "$FS" --owner=0 --group=0 -cf layer.tar . && tar -xf layer.tar -C rootfs && echo file >files/f
	pod import -q -c 'CMD ["sh"]' layer.tar localhost/app >/dev/null
	pod import -q --arch arm64 layer.tar localhost/app:arm64 >/dev/null
	pod tag localhost/app docker.io/library/busybox docker.io/library/alpine localhost/web
	pod create --name c0 --net none localhost/app true >/dev/null
	pod save -q -o app.tar localhost/app
	for page in $PAGES; do run_page pod-$page; done
	if [ "$(id -u)" = 0 ]; then # others use these inside "pod unshare"
		pod run --net none localhost/app true
		run_page pod-image
		run_page pod-store
	fi
	[ ! -d "${GNUPGHOME:-/none}" ] || gpgconf --kill gpg-agent 2>/dev/null
	rm -rf "$ROOT.host" "$RUNROOT.host" 2>/dev/null || command "$BIN/pod" unshare rm -rf "$ROOT.host" "$RUNROOT.host"
	cd / || exit 1
	eval "$saved"
}

rootfs "$WORLD/fs"
echo ID=test >"$WORLD/fs/etc/os-release"
registry_http_start
R=$REGISTRY_HTTP
layout_index "$WORLD/idx" x
fill() {
	local name
	for name in app:latest app:1 app:arm64 team/app:1.2 team/app:latest library/alpine:latest library/busybox:latest; do
		skopeo --insecure-policy copy -q --all --dest-tls-verify=false "oci:$WORLD/idx:x" "docker://$R/$name" || not_ok "filling the registry: $name"
	done
}
fill
MAN=$WORLD/man FS=$WORLD/fs
cp -r "$LIB_DIR/../man" "$MAN"
[ "$(id -u)" != 0 ] || PAGES="$PAGES image-mount image-unmount"
run_pages
fill
{
	declare -f examples here prepare run_page run_pages own_lookaside
	printf 'R=%q MAN=%q FS=%q PAGES=%q\n' "$R" "$MAN" "$WORLD/user-fs" "pull push save load import manifest-create manifest-push artifact-add artifact-push image-sign commit untag rmi"
	echo run_pages
} | user_part
