#!/bin/bash
# SPDX-License-Identifier: ISC
# Two ordinary users, each with bridge networks: the containers of one reach nothing of the other's, nor the host's
# loopback, whatever address they ask.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" != 0 ] || ! command -v pasta >/dev/null; then
	skip "networks of two ordinary users" "needs root, to make them, and pasta"
	finish
fi
world
rootfs "$WORLD/fs"
cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/"
cp "$LIB_DIR"/{tap.sh,as-user} "$WORLD/"
chmod -R a+rX "$WORLD"
second=podu$$
at_end() {
	touch "$WORLD/done"
	[ -z "${other:-}" ] || wait "$other" 2>/dev/null
	pkill -KILL -u "$second"
	until_ok 10 sh -c '! pgrep -u "$1" >/dev/null' x "$second"
	userdel -r "$second" 2>/dev/null
}
if ! ordinary_user || ! useradd -m "$second"; then
	skip "networks of two ordinary users" "no user can be made"
	finish
fi
install -d -m 1777 "$WORLD/said"
cat >"$WORLD/both.sh" <<'EOF2'
. "$W/tap.sh"
R=$HOME/w
mkdir -p "$R"
pod() { "$W/bin/pod" --root "$R/root" --runroot "$R/run" "$@"; }
trap 'pod rm -f -a -t 0 >/dev/null 2>&1; pod unshare sh -c "umount \"\$1/run/net/rootless.ns\" \"\$1/run2/net/rootless.ns\"; rm -rf \"\$1\"" x "$R" >/dev/null 2>&1' EXIT
tar -C "$W/fs" --owner=0 --group=0 -c . | pod unshare "$W/bin/pod-store" --root "$R/root" --runroot "$R/run" import box >/dev/null
box=localhost/box
# serve NAME NETWORK-OPTIONS PAGE...: a container with that page
serve() {
	local name=$1 network=$2 page=$3
	shift 3
	pod run -d --name "$name" --network "$network" "$@" $box sh -c "echo $page >/www/index.html; exec httpd -f -p 80 -h /www" >/dev/null
}
EOF2
cat >"$WORLD/second.sh" <<'EOF2'
. "$W/both.sh"
pod network create --subnet 10.86.1.0/24 mine >/dev/null
pod network create --subnet 10.86.3.0/24 same >/dev/null
serve theirs mine:ip=10.86.1.5 second -p "127.0.0.1:$PORT:80"
serve twin same:ip=10.86.3.5 second
until_ok 20 pod exec theirs wget -qO- http://10.86.1.5/ >/dev/null
echo "$R/run" >"$W/said/ready"
until_ok 120 test -e "$W/done"
EOF2
cat >"$WORLD/first.sh" <<'EOF2'
. "$W/both.sh"
until_ok 60 test -e "$W/said/ready" || { not_ok "the other user has containers"; exit; }
theirs=$(cat "$W/said/ready")
# In another root somebody is long over it, and who comes next has to wait.
later() { "$W/bin/pod" --root "$R/root2" --runroot "$R/run2" "$@"; }
tar -C "$W/fs" --owner=0 --group=0 -c . | later unshare "$W/bin/pod-store" --root "$R/root2" --runroot "$R/run2" import box >/dev/null
later run --rm --network podman $box true
exec 9>>"$R/run2/net/rootless.lock"
flock 9
{ sleep 32; echo over >"$R/over"; } &
exec 9>&-
{ later run --rm --network podman $box echo turn; cat "$R/over"; } >"$R/turn" 2>&1 &
turn=$!
is "the other user's container is served on the host" "$(curl -s -m 15 "http://127.0.0.1:$PORT/")" second
pod network create --subnet 10.86.2.0/24 own >/dev/null
pod network create --subnet 10.86.3.0/24 same >/dev/null
serve web own:ip=10.86.2.5 first
serve twin same:ip=10.86.3.5 first
is "a user's own containers are reached" "$(until_ok 20 pod exec twin timeout 3 wget -qO- http://10.86.3.5/)" first
closed() { # TEXT COMMAND...: prints nothing in the user's container
	local text=$1
	shift
	is "$text" "$(pod exec web timeout 3 "$@" 2>/dev/null)" ""
}
closed "the other's are not, by address" wget -qO- http://10.86.1.5/
is "of two with one address, only the own one is seen" "$(pod run --rm --network same $box timeout 3 wget -qO- http://10.86.3.5/)" first
names() { pod exec web timeout 3 nslookup "$@" 2>/dev/null | sed -n 's/^Address: //p' | grep '^10\.86\.1\.'; }
is "nor by name" "$(names theirs.dns.podman)" ""
is "nor does the other's name server answer" "$(names theirs.dns.podman 10.86.1.1)" ""
is "that of another network of one's own knows only its own" "$(pod exec web timeout 3 nslookup twin.dns.podman 2>/dev/null | grep -c '10\.86\.3\.')" 0
# What listens on the host's loopback, through every address that leads to the host.
for to in 10.86.2.1 169.254.2.1 169.254.2.2 169.254.1.1 169.254.1.2 10.86.1.1; do
	closed "the host's loopback is closed by $to" wget -qO- "http://$to:$PORT/"
done
closed "and by the name of the host" wget -qO- "http://host.containers.internal:$PORT/"
is "also with the default network" "$(pod run --rm $box sh -c "
	for to in host.containers.internal 169.254.1.1 \$(ip route | sed -n 's/^default via \([^ ]*\).*/\1/p'); do timeout 2 wget -qO- http://\$to:$PORT/ 2>/dev/null; done")" ""
check "the other's directories are closed" sh -c '! ls "$1/net" >/dev/null 2>&1' x "$theirs"
check "and the socket of its worker" sh -c '! perl -MIO::Socket::UNIX -e '\''exit !IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $ARGV[0])'\'' "$1/net/rootless.sock"' x "$theirs"
# Fifty at once on one network.
starts=()
for i in $(seq 50); do
	pod run -d --network own $box sleep 100 >/dev/null &
	starts+=($!)
done
wait "${starts[@]}"
is "50 parallel starts get 50 addresses" "$(pod ps -q --filter network=own | xargs "$W/bin/pod" --root "$R/root" --runroot "$R/run" inspect --format '{{.NetworkSettings.Networks.own.IPAddress}}' | sort -u | grep -c '^10\.86\.2\.')" 51
wait "$turn"
is "a start waits for its turn" "$(cat "$R/turn")" "turn
over"
finish
EOF2
port=$(free_port)
"$WORLD/as-user" "$second" env W="$WORLD" PORT="$port" bash "$WORLD/second.sh" >"$WORLD/second.log" 2>&1 &
other=$!
"$WORLD/as-user" "$world_user" env W="$WORLD" PORT="$port" bash "$WORLD/first.sh"
status=$?
[ "$status" = 0 ] || cat "$WORLD/second.log"
exit "$status"
