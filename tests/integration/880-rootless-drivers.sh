#!/bin/bash
# SPDX-License-Identifier: ISC
# The drivers beside bridge for an ordinary user, all inside the user's own network namespace: macvlan, ipvlan, DHCP,
# programs of others, and the CNI backend.
. "$(dirname "$0")/../lib.sh"
if ! command -v pasta >/dev/null; then
	skip "drivers of an ordinary user" "pasta is not installed"
	finish
fi
world
rootfs "$WORLD/fs"
user_part <<'EOF2'
cp -a "$LIB_DIR/user-fs" "$WORLD/fs"
busybox_image box >/dev/null
box=localhost/box
worker() { pgrep -u "$(id -u)" -x pod-net-forward; }
gone() { [ -z "$(worker)" ] && [ ! -e "$RUNROOT/net/rootless.sock" ]; }
inside() { pod unshare --rootless-netns "$@"; }

# --- a network of the user's own, with a DHCP server ---------------------------------------------------------------
mkdir "$WORLD/www" && echo "from the server" >"$WORLD/www/index.html"
cat >"$WORLD/server.sh" <<END
ip link add dbr type bridge && ip link set dbr up && ip addr add 10.81.6.1/24 dev dbr
ip link add lower type veth peer name upper && ip link set upper master dbr up && ip link set lower up
printf 'start 10.81.6.100\nend 10.81.6.110\ninterface dbr\nlease_file %s\npidfile %s\nopt subnet 255.255.255.0\nopt router 10.81.6.1\nopt dns 10.81.6.53\nopt lease 60\n' \
	"$WORLD/leases" "$WORLD/pid" >"$WORLD/udhcpd.conf"
: >"$WORLD/leases"
busybox httpd -p 80 -h "$WORLD/www"
touch "$WORLD/ready"
exec busybox udhcpd -f "$WORLD/udhcpd.conf"
END
pod unshare --rootless-netns sh "$WORLD/server.sh" >"$WORLD/log" 2>&1 &
server=$!
until_ok 20 test -e "$WORLD/ready" || cat "$WORLD/log"
no_server() {
	kill "$server" $(pgrep -u "$(id -u)" -x busybox) 2>/dev/null
	wait "$server" 2>/dev/null
}
served() { busybox --list | grep -qx udhcpd; }

if served; then
	pod network create -o mode=unmanaged --interface-name dbr --ipam-driver dhcp others >/dev/null
	is "DHCP on a bridge: a container starts" "$(pod run -d --name one --network others $box sleep 1000 2>&1 | grep -cE '^[0-9a-f]{64}$')" 1
	got=$(pod inspect one --format '{{.NetworkSettings.Networks.others.IPAddress}}')
	check "with an address of the server" grep -qE '^10\.81\.6\.1(0[0-9]|10)$' <<<"$got"
	is "which is the interface's" "$(pod exec one ip -4 -o addr show eth0 | awk '{print $4}')" "$got/24"
	is "the resolver is the server's" "$(pod exec one grep nameserver /etc/resolv.conf)" "nameserver 10.81.6.53"
	is "traffic" "$(pod exec one timeout 20 wget -qO- http://10.81.6.1/)" "from the server"
	is "a published port leads there" "$(p=$(free_port); pod run -d --name pub --network others -p "127.0.0.1:$p:80" $box httpd -f -p 80 -h /www >/dev/null; until_ok 20 curl -s -m 5 "http://127.0.0.1:$p/")" "hello from pod"
	pod rm -f -t 0 one pub >/dev/null
	until_ok 20 sh -c "[ -z \"\$(ls '$RUNROOT/net/helpers' | grep -v rootless)\" ]" && ok "its workers end with the containers" || not_ok "its workers end with the containers"
else
	skip "DHCP" "busybox has no server"
fi

# --- macvlan and ipvlan --------------------------------------------------------------------------------------------
children() { # KIND
	pod network create -d "$1" -o parent=lower --subnet 10.81.6.0/24 --gateway 10.81.6.1 --ip-range 10.81.6.64/28 "$1" >/dev/null
	pod run -d --name child --network "$1" $box sleep 1000 >/dev/null 2>"$WORLD/err" || cat "$WORLD/err"
	check "$1: an address of the range" grep -qE '^10\.81\.6\.(6[4-9]|7[0-9])$' <<<"$(pod inspect child --format "{{.NetworkSettings.Networks.$1.IPAddress}}")"
	is "$1: traffic" "$(pod exec child timeout 20 wget -qO- http://10.81.6.1/)" "from the server"
}
if inside ip link add probe link lower type ipvlan 2>/dev/null; then
	inside ip link del probe
	children ipvlan
	pod rm -f -t 0 child >/dev/null
else
	skip "ipvlan" "this kernel has none"
fi
if inside ip link add probe link lower type macvlan 2>/dev/null; then
	inside ip link del probe
	children macvlan
	pod rm -f -t 0 child >/dev/null
	# Nothing of this container is to be seen in the namespace that it lives by.
	pod network create -d macvlan -o parent=dbr --subnet 10.81.7.0/24 alone >/dev/null
	pod run -d --name alone --network alone $box sleep 1000 >/dev/null
	inside ip link del lower && no_server
	kept() { for _ in $(seq 16); do [ -n "$(worker)" ] || return 1; sleep 0.1; done; }
	check "the namespace stays for it" kept
	is "and its interface" "$(pod exec alone ip -4 -o addr show eth0 | grep -c 10.81.7)" 1
	pod rm -f -t 0 alone >/dev/null
else
	skip "macvlan" "this kernel has none"
fi
no_server
check "the namespace goes with its last container" until_ok 20 gone

# --- drivers that are programs of others ---------------------------------------------------------------------------
D=$WORLD/drivers
mkdir "$D"
cat >"$D/wire" <<END
#!/bin/bash
input=\$(cat)
echo "\$1 \$(readlink /proc/self/ns/net)" >>"$WORLD/asked"
name=\$(jq -r .network_options.interface_name <<<"\$input" 2>/dev/null)
case \$1 in
info) echo '{"version": "0.1", "api_version": "1.0.0"}' ;;
create) echo "\$input" ;;
setup)
	ip link add wireh type veth peer name wirec && ip link set wireh up && ip addr add 10.85.7.1/24 dev wireh &&
		ip link set wirec netns "\$2"
	nsenter --net="\$2" sh -c "ip link set wirec name \$name; ip addr add 10.85.7.9/24 dev \$name; ip link set \$name up"
	echo '{"interfaces": {"'"\$name"'": {"mac_address": "02:00:00:00:00:07", "subnets": [{"ipnet": "10.85.7.9/24", "gateway": "10.85.7.1"}]}}}'
	;;
teardown) ip link del wireh 2>/dev/null; echo gone >"$WORLD/torn" ;;
esac
END
driver() { # NAME SETUP-LINES
	printf '#!/bin/bash\ncase $1 in\ncreate) cat ;;\nsetup) %s ;;\nteardown) cat >/dev/null ;;\nesac\n' "$2" >"$D/$1"
	chmod +x "$D/$1"
}
chmod +x "$D/wire"
printf '[network]\nnetavark_plugin_dirs = ["%s"]\n' "$D" >"$WORLD/containers.conf"
export CONTAINERS_CONF=$WORLD/containers.conf
is "a driver of others: create" "$(pod network create -d wire w1)" w1
port=$(free_port)
pod run -d --name web --network w1 -p "127.0.0.1:$port:80" $box httpd -f -p 80 -h /www >/dev/null 2>"$WORLD/err" || cat "$WORLD/err"
is "it gives the address" "$(pod inspect web --format '{{.NetworkSettings.Networks.w1.IPAddress}}')" 10.85.7.9
is "its interface is there" "$(pod exec web ip -4 -o addr show eth0 | awk '{print $4}')" 10.85.7.9/24
is "the port is published" "$(until_ok 20 curl -s -m 5 "http://127.0.0.1:$port/")" "hello from pod"
is "it ran in the user's own namespace" "$(sed -n 's/^setup //p' "$WORLD/asked")" "$(inside readlink /proc/self/ns/net)"
pod rm -f -t 0 web >/dev/null
check "it is told of the end" until_ok 20 test -e "$WORLD/torn"
check "nothing keeps the namespace" until_ok 20 gone
wrong() { # TEXT PATTERN SETUP-LINES
	local said
	driver bad "$3"
	said=$(pod run --rm --network w3 $box true 2>&1)
	if [ $? = 126 ] && grep -qE "$2" <<<"$said"; then ok "$1"; else not_ok "$1 ($said)"; fi
}
driver bad cat
pod network create -d bad w3 >/dev/null
wrong "one that fails and says why" 'plugin "bad" failed: exit code 3, message: no luck' 'echo "{\"error\": \"no luck\"}"; exit 3'
wrong "one that prints garbage" 'plugin "bad" failed: its answer to setup' 'echo "]]]"'
wrong "one that says too much" 'said more than' 'head -c 3000000 /dev/zero'
wrong "one that kills itself" 'plugin "bad" failed: exit code 137' 'kill -9 $$'
check "and nothing stays" until_ok 20 sh -c "[ -z \"\$(ls '$RUNROOT/net/containers')\" ]"
check "not even the namespace" until_ok 20 gone
EOF2
