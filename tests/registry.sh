# SPDX-License-Identifier: ISC
# Sourced after lib.sh by tests that need images and a registry: a docker-registry of their own on a free port of
# localhost, with TLS by a fresh CA, and images made from busybox.  After "world":
#
#	registry_start [USER PASSWORD]	sets REGISTRY (localhost:PORT), REGISTRY_CERTS (holds ca.crt), REGISTRY_PID
#	registry_http_start		the same without TLS: REGISTRY_HTTP
#	layout DIR TAG FORM		an image of two layers as OCI layout; FORM is tar, gzip or zstd
#	layout_index DIR TAG		one for several platforms: this machine's, linux/s390x and windows/amd64
#	registry_push DIR TAG NAME	pushes a layout to $REGISTRY/NAME; more words go to skopeo copy
#	own_lookaside			signatures without another place lie in $WORLD too, if $HOME does
# Everything lies below $WORLD and ends with it.

# The fresh CA and a certificate for localhost signed by it.
registry_certs() {
	local d=$WORLD/tls
	[ -f "$d/server.crt" ] && return
	mkdir -p "$d" "$WORLD/certs.d"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test CA" \
		-keyout "$d/ca.key" -out "$WORLD/certs.d/ca.crt" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" \
		-keyout "$d/server.key" -out "$d/server.csr" 2>/dev/null
	printf 'subjectAltName=DNS:localhost\n' >"$d/ext"
	openssl x509 -req -in "$d/server.csr" -CA "$WORLD/certs.d/ca.crt" -CAkey "$d/ca.key" -CAcreateserial \
		-days 2 -extfile "$d/ext" -out "$d/server.crt" 2>/dev/null
	REGISTRY_CERTS=$WORLD/certs.d
}

# registry_run DIR PORT YAML...: one docker-registry
registry_run() {
	local dir=$1 port=$2
	shift 2
	mkdir -p "$dir"
	{
		printf 'version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\n'
		printf 'storage:\n  filesystem:\n    rootdirectory: %s/data\n  delete:\n    enabled: true\n' "$dir"
		printf 'http:\n  addr: 127.0.0.1:%s\n' "$port"
		printf '%b' "$*"
	} >"$dir/config.yml"
	OTEL_TRACES_EXPORTER=none docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 &
	REGISTRY_PID=$!
	remember_pid "$REGISTRY_PID"
}

registry_start() {
	local port auth=
	registry_certs
	port=$(free_port)
	if [ $# -ge 2 ]; then
		htpasswd -Bbn -C 4 "$1" "$2" >"$WORLD/htpasswd" 2>/dev/null
		auth="auth:\n  htpasswd:\n    realm: test\n    path: $WORLD/htpasswd\n"
		REGISTRY_CREDS=$1:$2
	fi
	registry_run "$WORLD/registry" "$port" \
		"  tls:\n    certificate: $WORLD/tls/server.crt\n    key: $WORLD/tls/server.key\n$auth"
	REGISTRY=localhost:$port
	until_ok 10 curl -s -o /dev/null --cacert "$REGISTRY_CERTS/ca.crt" "https://$REGISTRY/v2/"
}

registry_http_start() {
	local port
	port=$(free_port)
	registry_run "$WORLD/registry-http" "$port" ""
	REGISTRY_HTTP=localhost:$port
	until_ok 10 curl -s -o /dev/null "http://$REGISTRY_HTTP/v2/"
}

# blob LAYOUT < DATA: stores a blob; prints its digest and size
layout_blob() {
	local f=$1/blobs/sha256/new.$$ hex
	mkdir -p "$1/blobs/sha256"
	cat >"$f"
	hex=$(sha256sum "$f")
	hex=${hex%% *}
	mv "$f" "$1/blobs/sha256/$hex"
	echo "sha256:$hex $(stat -c %s "$1/blobs/sha256/$hex")"
}

layout_machine() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# layout_manifest DIR FORM OS ARCH: puts config, layers and manifest into DIR; prints digest and size of the manifest
layout_manifest() {
	local dir=$1 form=$2 os=$3 arch=$4 type=application/vnd.oci.image.layer.v1.tar layers= diffs= i d cat=cat
	[ -d "$WORLD/fs" ] || rootfs "$WORLD/fs"
	mkdir -p "$WORLD/fs2/opt"
	echo "second layer $arch" >"$WORLD/fs2/opt/second"
	case $form in
	gzip) cat='gzip -n' type=$type+gzip ;;
	zstd) cat='zstd -q' type=$type+zstd ;;
	esac
	for i in fs fs2; do
		tar -C "$WORLD/$i" --sort=name --mtime=@0 --owner=0 --group=0 -cf "$WORLD/$i.tar" .
		diffs="$diffs${diffs:+,}\"sha256:$(sha256sum "$WORLD/$i.tar" | cut -d' ' -f1)\""
		read -r d size < <($cat <"$WORLD/$i.tar" | layout_blob "$dir")
		layers="$layers${layers:+,}{\"mediaType\":\"$type\",\"digest\":\"$d\",\"size\":$size}"
	done
	read -r d size < <(printf '%s' "{\"created\":\"2026-01-02T03:04:05Z\",\"architecture\":\"$arch\",\"os\":\"$os\",\
\"config\":{\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\"],\"WorkingDir\":\"/www\",\"Labels\":{\"test\":\"yes\"}},\
\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diffs]},\
\"history\":[{\"created_by\":\"base\"},{\"created_by\":\"second\"}]}" | layout_blob "$dir")
	printf '%s' "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"$d\",\"size\":$size},\
\"layers\":[$layers]}" | layout_blob "$dir"
}

# layout_top DIR TAG TYPE DIGEST SIZE: index.json
layout_top() {
	printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
	printf '%s' "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$3\",\"digest\":\"$4\",\"size\":$5,\
\"annotations\":{\"org.opencontainers.image.ref.name\":\"$2\"}}]}" >"$1/index.json"
}

layout() {
	local d size
	mkdir -p "$1"
	read -r d size < <(layout_manifest "$1" "$3" linux "$(layout_machine)")
	layout_top "$1" "$2" application/vnd.oci.image.manifest.v1+json "$d" "$size"
	LAYOUT_DIGEST=$d
}

layout_index() {
	local d size p list= os arch
	mkdir -p "$1"
	for p in windows/amd64 linux/s390x "linux/$(layout_machine)"; do
		os=${p%/*} arch=${p#*/}
		read -r d size < <(layout_manifest "$1" gzip "$os" "$arch")
		list="$list${list:+,}{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$d\",\
\"size\":$size,\"platform\":{\"os\":\"$os\",\"architecture\":\"$arch\"}}"
		LAYOUT_DIGEST=$d
	done
	read -r d size < <(printf '%s' "{\"schemaVersion\":2,\
\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[$list]}" | layout_blob "$1")
	layout_top "$1" "$2" application/vnd.oci.image.index.v1+json "$d" "$size"
	LAYOUT_INDEX=$d
}

registry_push() {
	local dir=$1 tag=$2 name=$3
	shift 3
	skopeo --insecure-policy copy -q --dest-cert-dir "$REGISTRY_CERTS" \
		${REGISTRY_CREDS:+--dest-creds "$REGISTRY_CREDS"} "$@" "oci:$dir:$tag" "docker://$REGISTRY/$name"
}

own_lookaside() {
	mkdir -p "$HOME/.config/containers/registries.d"
	printf 'default-docker:\n  lookaside: file://%s/lookaside\n' "$WORLD" >"$HOME/.config/containers/registries.d/default.yaml"
}
