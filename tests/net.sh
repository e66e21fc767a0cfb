# SPDX-License-Identifier: ISC
# Sourced after lib.sh by tests of networks: everything in a network namespace of their own.
# "net_world" starts the script again inside one, then makes a world whose networks are defined in $CONF.

net_world() {
	if [ "$(id -u)" != 0 ]; then
		skip "networks" "needs root"
		finish
	fi
	if [ -z "${NET_TEST_INSIDE:-}" ]; then
		NET_TEST_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"
	fi
	ip link set lo up
	world
	CONF=$WORLD/networks
	mkdir "$CONF"
}
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$CONF" "$@"; }
net() { pod network "$@"; }
get() { curl -s -m 15 "$@"; }
# fails TEXT STATUS PATTERN COMMAND...: the command ends with that status and says that
fails() {
	local text=$1 status=$2 pattern=$3 said
	shift 3
	said=$("$@" 2>&1 >/dev/null)
	set -- "$?"
	if [ "$1" = "$status" ] && grep -qE -- "$pattern" <<<"$said"; then
		ok "$text"
	else
		not_ok "$text (status $1, said '$said')"
	fi
}
# inside CONTAINER COMMAND...: a program of the host in the container's network namespace
inside() {
	local pid
	pid=$(pod inspect -f '{{.State.Pid}}' "$1")
	shift
	nsenter -n -t "$pid" "$@"
}
# httpd NAME OPTIONS...: a container that serves a page with its name
httpd() {
	local name=$1
	shift
	mkdir -p "$WORLD/www/$name"
	echo "page of $name" >"$WORLD/www/$name/index.html"
	pod run -d --name "$name" -v "$WORLD/www/$name:/page:ro" "$@" localhost/one:1 httpd -f -p 80 -h /page
}
link_gone() { ! ip link show "$1" >/dev/null 2>&1; }
