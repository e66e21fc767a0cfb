#!/bin/bash
# SPDX-License-Identifier: ISC
# An image from every transport to every other one: its digests stay what they were, as root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "copies between transports" "docker-registry or skopeo is not installed"
	finish
}
world
registry_http_start
layout "$WORLD/lay" latest gzip
WANT=$LAYOUT_DIGEST
layout "$WORLD/tars" latest tar
CONFIG=$(jq -r .config.digest "$WORLD/lay/blobs/sha256/${WANT#sha256:}")
cp "$LIB_DIR/docker-daemon.py" "$WORLD/"
chmod -R a+rX "$WORLD"
{
	echo "R=$REGISTRY_HTTP WANT=$WANT TARS=$LAYOUT_DIGEST CONFIG=$CONFIG S=$WORLD"
	cat <<'FACTS'
image() { "$BIN/pod-image" --root "$ROOT" --runroot "$RUNROOT" "$@"; }
copy() { image copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
# config_of PLACE, manifest_of PLACE: their digests
config_of() { image inspect --config --raw --tls-verify=false "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }
manifest_of() { image inspect --raw --tls-verify=false "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }
place() { # TRANSPORT NAME
	case $1 in
	docker) echo "docker://$R/$2:$(id -u)" ;;
	oci) echo "oci:$WORLD/p/$2:name" ;;
	oci-archive) echo "oci-archive:$WORLD/p/$2.oci.tar:name" ;;
	docker-archive) echo "docker-archive:$WORLD/p/$2.docker.tar:example.com/name:1" ;;
	docker-daemon) echo "docker-daemon:localhost/$2:1" ;;
	dir) echo "dir:$WORLD/p/$2.dir" ;;
	containers-storage) echo "containers-storage:localhost/$2:1" ;;
	foreign) echo "containers-storage:[vfs@$WORLD/foreign+$WORLD/foreign.run]localhost/tars:1" ;;
	tarball) echo "tarball:$S/fs.tar:$S/fs2.tar" ;;
	esac
}
# What the daemon of this test got is what it has.
arrived() { [ "$1" != docker-daemon ] || mv "$WORLD/d/loaded" "$WORLD/d/localhost_$2:1"; }
every_pair() {
	local a b n=0 manifest config from said to="docker oci oci-archive dir containers-storage docker-archive docker-daemon"
	mkdir -p "$WORLD/p" "$WORLD/d"
	export HOME=$WORLD DOCKER_HOST=unix://$WORLD/d.sock
	python3 "$S/docker-daemon.py" "$WORLD/d.sock" "$WORLD/d" &
	remember_pid $!
	until_ok 20 test -S "$WORLD/d.sock"
	skopeo --insecure-policy copy -q "oci:$S/tars:latest" "$(place foreign)" || not_ok "another engine's store"
	for a in $to; do
		copy "oci:$S/lay:latest" "$(place "$a" "$a")" && arrived "$a" "$a" || not_ok "filling $a"
	done
	for a in $to foreign tarball; do
		manifest=$WANT config=$CONFIG
		[ $a != foreign ] || manifest=$TARS
		if [ $a = tarball ]; then
			copy "$(place $a)" "oci:$WORLD/ball:x"
			manifest=$(manifest_of "oci:$WORLD/ball:x") config=$(config_of "oci:$WORLD/ball:x")
		fi
		for b in $to; do
			n=$((n + 1))
			from=$(place $a $a)
			# One store cannot be at both ends.
			if [ $b = containers-storage ]; then
				[ $a != $b ] || continue
				ROOT=$WORLD/root.$n RUNROOT=$WORLD/run.$n
			fi
			said=$(copy "$from" "$(place $b n$n)" 2>&1) && arrived $b n$n
			is "$a to $b: the configuration$said" "$(config_of "$(place $b n$n)")" "$config"
			# The manifest is made anew by what keeps none or has only tars, and changes where plain tars are compressed.
			case $a,$b in
			*docker-archive* | *docker-daemon* | foreign,docker | foreign,oci*) ;;
			*) is "$a to $b: the manifest" "$(manifest_of "$(place $b n$n)")" "$manifest" ;;
			esac
			ROOT=$WORLD/root RUNROOT=$WORLD/run
		done
	done
	is "the layers of an archive are those of the image" "$(tar -xOf "$WORLD/p/docker-archive.docker.tar" manifest.json | jq -r '.[0].Layers[]' | while read -r l; do tar -xOf "$WORLD/p/docker-archive.docker.tar" "$l" | sha256sum; done)" "$(sha256sum <"$S/fs.tar"; sha256sum <"$S/fs2.tar")"
	is "it runs, after the longest way" "$(copy "$(place docker-archive docker-archive)" "oci:$WORLD/p/way:x" && copy "oci:$WORLD/p/way:x" docker-daemon:localhost/way:1 && arrived docker-daemon way &&
		copy docker-daemon:localhost/way:1 "oci-archive:$WORLD/p/way.tar:x" && pod run --rm --network none "oci-archive:$WORLD/p/way.tar:x" cat /opt/second 2>/dev/null)" "second layer $(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"
}
FACTS
} >"$WORLD/facts"
. "$WORLD/facts"
every_pair
chmod 644 "$WORLD"/*.tar "$WORLD/facts"
user_part <<'E2'
. "$LIB_DIR/facts"
every_pair
pod rm -f -a >/dev/null 2>&1
kill "${world_pids[@]}"
E2
