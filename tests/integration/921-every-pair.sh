#!/bin/bash
# SPDX-License-Identifier: ISC
# An image from every transport to every other one, with OCI's and with Docker's manifest, copied and pulled, pushed,
# saved and loaded: its digests stay what they were, as root and as an ordinary user.
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
skopeo --insecure-policy copy -q --format v2s2 "oci:$WORLD/lay:latest" "dir:$WORLD/v2s2"
WANT2=sha256:$(sha256sum <"$WORLD/v2s2/manifest.json" | cut -d' ' -f1)
cp "$LIB_DIR/docker-daemon.py" "$WORLD/"
chmod -R a+rX "$WORLD"
{
	echo "R=$REGISTRY_HTTP WANT=$WANT WANT2=$WANT2 TARS=$LAYOUT_DIGEST CONFIG=$CONFIG S=$WORLD"
	cat <<'FACTS'
TO="docker oci oci-archive dir containers-storage docker-archive docker-daemon"
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
# The manifest is made anew by what keeps none or has only tars, and changes where plain tars are compressed; a layout
# holds none of Docker's.
keeps() { # FROM TO KIND
	case $1,$2 in
	*docker-archive* | *docker-daemon* | foreign,docker | foreign,oci*) return 1 ;;
	oci* | foreign,* | tarball,*) return 0 ;;
	*,oci*) [ "$3" = oci ] ;;
	esac
}
fresh() {
	n=$((n + 1))
	ROOT=$WORLD/root.$n RUNROOT=$WORLD/run.$n
}
every_pair() { # KIND SOURCE MANIFEST: an image from there to everywhere, and on
	local kind=$1 source=$2 a b manifest config from said held places=$TO
	for a in $TO; do
		copy "$source" "$(place "$a" "$kind-$a")" && arrived "$a" "$kind-$a" || not_ok "filling $a"
		! keeps dir "$a" "$kind" || is "$kind: $a has the manifest" "$(manifest_of "$(place "$a" "$kind-$a")")" "$3"
	done
	[ "$kind" = v2s2 ] || places="$TO foreign tarball"
	for a in $places; do
		config=$CONFIG
		if [ "$a" = tarball ]; then
			copy "$(place $a)" "oci:$WORLD/ball:x"
			manifest=$(manifest_of "oci:$WORLD/ball:x") config=$(config_of "oci:$WORLD/ball:x")
		elif [ "$a" = foreign ]; then
			manifest=$TARS
		else
			manifest=$(manifest_of "$(place "$a" "$kind-$a")")
		fi
		held=$ROOT
		for b in $TO; do
			from=$(place "$a" "$kind-$a")
			n=$((n + 1))
			# One store cannot be at both ends.
			if [ "$b" = containers-storage ]; then
				[ "$a" != "$b" ] || continue
				fresh
			fi
			said=$(copy "$from" "$(place "$b" n$n)" 2>&1) && arrived "$b" n$n
			is "$kind: $a to $b: the configuration$said" "$(config_of "$(place "$b" n$n)")" "$config"
			! keeps "$a" "$b" "$kind" || is "$kind: $a to $b: the manifest" "$(manifest_of "$(place "$b" n$n)")" "$manifest"
			ROOT=$held RUNROOT=$WORLD/run
		done
	done
	for a in $TO; do
		through_pod "$kind" "$a"
	done
	ROOT=$WORLD/root RUNROOT=$WORLD/run
}
# pulled from A, pushed to every place, saved in every form and loaded
through_pod() { # KIND A
	local kind=$1 a=$2 b f id=${CONFIG#sha256:} manifest said
	# What this store has is there without a pull.
	if [ "$a" != containers-storage ]; then
		manifest=$(manifest_of "$(place "$a" "$kind-$a")")
		fresh
		is "$kind: pull from $a: the ID" "$(pod pull -q --tls-verify=false "$(place "$a" "$kind-$a")" 2>&1)" "$id"
	else
		ROOT=$WORLD/root RUNROOT=$WORLD/run
		manifest=$(manifest_of "$(place "$a" "$kind-$a")")
	fi
	for b in $TO; do
		[ "$b" != containers-storage ] || continue
		n=$((n + 1))
		said=$(pod push -q --tls-verify=false "$id" "$(place "$b" n$n)" 2>&1) && arrived "$b" n$n
		is "$kind: $a, pushed to $b: the configuration$said" "$(config_of "$(place "$b" n$n)")" "$CONFIG"
		! keeps "$a" "$b" "$kind" || is "$kind: $a, pushed to $b: the manifest" "$(manifest_of "$(place "$b" n$n)")" "$manifest"
	done
	for f in docker-archive oci-archive docker-dir oci-dir; do
		said=$(pod save -q --format $f -o "$WORLD/p/$f.$n" "$id" 2>&1)
		is "$kind: $a, saved as $f and loaded$said" "$(fresh; pod load -q -i "$WORLD/p/$f.$((n - 1))" >/dev/null 2>&1; pod images -aq --no-trunc)" "$CONFIG"
		n=$((n + 1))
	done
}
pairs() {
	n=0
	mkdir -p "$WORLD/p" "$WORLD/d"
	export HOME=$WORLD DOCKER_HOST=unix://$WORLD/d.sock
	python3 "$S/docker-daemon.py" "$WORLD/d.sock" "$WORLD/d" &
	remember_pid $!
	until_ok 20 test -S "$WORLD/d.sock"
	skopeo --insecure-policy copy -q "oci:$S/tars:latest" "$(place foreign)" || not_ok "another engine's store"
	every_pair oci "oci:$S/lay:latest" "$WANT"
	pod rmi -f -a >/dev/null 2>&1
	every_pair v2s2 "dir:$S/v2s2" "$WANT2"
	is "the layers of an archive are those of the image" "$(tar -xOf "$WORLD/p/oci-docker-archive.docker.tar" manifest.json | jq -r '.[0].Layers[]' | while read -r l; do tar -xOf "$WORLD/p/oci-docker-archive.docker.tar" "$l" | sha256sum; done)" "$(sha256sum <"$S/fs.tar"; sha256sum <"$S/fs2.tar")"
	is "it runs, after the longest way" "$(copy "$(place docker-archive oci-docker-archive)" "oci:$WORLD/p/way:x" && copy "oci:$WORLD/p/way:x" docker-daemon:localhost/way:1 && arrived docker-daemon way &&
		copy docker-daemon:localhost/way:1 "oci-archive:$WORLD/p/way.tar:x" && pod run --rm --network none "oci-archive:$WORLD/p/way.tar:x" cat /opt/second 2>/dev/null)" "second layer $(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"
}
FACTS
} >"$WORLD/facts"
. "$WORLD/facts"
pairs
chmod 644 "$WORLD"/*.tar "$WORLD/facts"
user_part <<'E2'
. "$LIB_DIR/facts"
pairs
pod rm -f -a >/dev/null 2>&1
kill "${world_pids[@]}"
E2
