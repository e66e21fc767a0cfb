#!/bin/bash
# SPDX-License-Identifier: ISC
# volume, network, port: what scripts read of them.
. "$(dirname "$0")/../lib.sh"
world
busybox_image localhost/one:1 >/dev/null
run() { pod run --net none "$@"; }

# --- volumes ------------------------------------------------------------------------------------------
is "an empty list" "$(pod volume ls --format json | tr -d ' \n')" "[]"
is "create prints the name" "$(pod volume create -l a=b -l c v1)" v1
is "the table" "$(pod volume ls | tr -s ' ' | tr '\n' '|')" "DRIVER VOLUME NAME|local v1|"
is "inspect" "$(pod volume inspect v1 | jq -c '.[0]|[.Name,.Driver,.Mountpoint,.Labels,.Scope,.Options]')" \
	"[\"v1\",\"local\",\"$ROOT/volumes/v1/_data\",{\"a\":\"b\",\"c\":\"\"},\"local\",{}]"
is "a template" "$(pod volume ls --format '{{.Name}} {{.Labels.a}}')" "v1 b"
pod volume create v1 >/dev/null 2>"$WORLD/err"
is "a name that is taken" "$?:$(cat "$WORLD/err")" \
	"125:Error: volume with name v1 already exists: volume already exists"
is "--ignore" "$(pod volume create --ignore v1)" v1
random=$(pod volume create)
is "without a name" "${#random}" 64
is "--quiet" "$(pod volume ls -q | sort | tr '\n' ' ')" "$(printf '%s\n' v1 "$random" | sort | tr '\n' ' ')"
is "filter name" "$(pod volume ls -q -f name=^v)" v1
is "filter label" "$(pod volume ls -q -f label=a=b)" v1
is "two filters" "$(pod volume ls -q -f label=a=b -f name=x)" ""
pod volume ls -f foo=bar >/dev/null 2>&1
is "an unknown filter" "$?" 125
pod volume exists v1
is "exists: yes" "$?" 0
pod volume exists nosuch
is "exists: no" "$?" 1
pod volume create '../x' >/dev/null 2>&1
is "a name that leads elsewhere" "$?" 125
pod volume create -d nosuch x >/dev/null 2>&1
is "an unknown driver" "$?" 125

run --name c1 -v v1:/data -v /anonymous localhost/one:1 sh -c 'echo text >/data/f'
is "what a container writes is there" "$(cat "$(pod volume inspect -f '{{.Mountpoint}}' v1)/f")" text
ctr=$(pod ps -aq --no-trunc)
is "filter dangling" "$(pod volume ls -q -f dangling=true)" "$random"
pod volume rm v1 >/dev/null 2>"$WORLD/err"
is "rm: in use is 2" "$?" 2
is "rm: by whom" "$(cat "$WORLD/err")" \
	"Error: volume v1 is being used by the following container(s): $ctr: volume is being used"
pod volume rm nosuch >/dev/null 2>"$WORLD/err"
is "rm: missing is 1" "$?:$(cat "$WORLD/err")" '1:Error: no volume with name "nosuch" found: no such volume'
pod volume rm nosuch v1 >/dev/null 2>&1
is "rm: the worse counts" "$?" 2
pod volume rm -f nosuch
is "rm --force of nothing" "$?" 0
pod volume rm >/dev/null 2>&1
is "rm without a name" "$?" 125
is "prune leaves what is used, and what was named" "$(pod volume prune -f)" ""
pod rm c1 >/dev/null
is "prune takes anonymous ones" "$(pod volume prune -f | wc -l)" 1
is "prune --all with a filter" "$(pod volume prune -af --filter label=a)" v1
warning='WARNING! This will remove all anonymous volumes not used by at least one container. The following volumes will be removed:'
is "prune has nothing to ask" "$(pod volume prune </dev/null 2>&1)" "$warning
No dangling volumes found"
run --rm --name c0 -v /anonymous localhost/one:1 true
pod create --name c0 -v /anonymous localhost/one:1 true >/dev/null
left=$(pod volume ls -q | grep -vx "$random")
is "one in use is not shown" "$(pod volume prune </dev/null 2>&1 | tail -n 1)" "No dangling volumes found"
pod rm c0 >/dev/null
pod volume prune </dev/null >"$WORLD/out" 2>/dev/null
is "prune asks" "$?" 125
is "and shows first what would go" "$(head -n 2 "$WORLD/out")" "$warning
$left"
is "no is no" "$(echo n | pod volume prune >/dev/null; pod volume ls -q | grep -cx "$left")" 1
is "yes is yes" "$(echo y | pod volume prune | tail -n 1)" "Are you sure you want to continue? [y/N] $left"
run -d --name c2 -v v2:/data localhost/one:1 sleep 1000 >/dev/null
is "rm --force takes the container along" "$(pod volume rm -f -t 0 v2)$(pod ps -aq)" v2
is "rm --all" "$(pod volume rm -a)$(pod volume ls -q)" "$random"

# --- networks -----------------------------------------------------------------------------------------
nets=$WORLD/networks
mkdir "$nets"
n=$((RANDOM % 200 + 20))
mine=$(printf '%064x' "$n")
cat >"$nets/mine.json" <<JSON
{"name":"mine","id":"$mine","driver":"bridge",
"network_interface":"podt$$","created":"2026-01-02T03:04:05.5Z",
"subnets":[{"subnet":"10.251.$n.0/24","gateway":"10.251.$n.1"}],"ipv6_enabled":false,"internal":false,
"dns_enabled":false,"labels":{"k":"v"},"ipam_options":{"driver":"host-local"}}
JSON
net() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$nets" "$@"; }
is "the default network is always there" "$(pod network ls -q)" podman
is "its table" "$(pod network ls | tr -s ' ' | tr '\n' '|')" "NETWORK ID NAME DRIVER|2f259bab93aa podman bridge|"
is "inspect's keys" "$(pod network inspect podman | jq -c '.[0]|del(.created,.containers)')" \
	'{"name":"podman","id":"2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9","driver":"bridge","network_interface":"podman0","subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.1"}],"ipv6_enabled":false,"internal":false,"dns_enabled":false,"ipam_options":{"driver":"host-local"}}'
is "--network-config-dir" "$(net network ls -q | sort | tr '\n' ' ')" "mine podman "
is "--format json" "$(net network ls -f name=mine --format json | jq -c '.[0]|[.name,.labels,.created]')" \
	'["mine",{"k":"v"},"2026-01-02T03:04:05.5Z"]'
is "filter label" "$(net network ls -q -f label=k=v)" mine
is "--no-trunc" "$(net network ls --no-trunc --noheading -f driver=bridge -f name=mine | cut -d' ' -f1)" \
	"$mine"
is "inspect by ID" "$(net network inspect "$mine" | jq -r '.[0].name')" mine
is "templates know the names of fields" \
	"$(net inspect -f '{{.Name}} {{.NetworkInterface}} {{range .Subnets}}{{.Subnet}}{{end}} {{.DNSEnabled}} {{.Labels.k}}' mine)" \
	"mine podt$$ 10.251.$n.0/24 false v"
is "in the list too" "$(net network ls -f name=mine --format '{{.Name}}|{{.NetworkInterface}}|{{.Labels}}')" "mine|podt$$|k=v"
pod network exists podman
is "exists: yes" "$?" 0
pod network exists mine
is "exists: no" "$?" 1
pod network inspect mine >/dev/null 2>"$WORLD/err"
is "inspect of what is not there" "$?:$(cat "$WORLD/err")" \
	"125:Error: inspecting object: network mine: unable to find network with name or ID mine: network not found"
is "inspect finds any kind" "$(net inspect one:1 mine | jq -r '.[]|(.Id // .name)' | wc -l)" 2

# --- ports --------------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
	skip "port" "needs root"
	finish
fi
p=$(free_port) q=$(free_port)
if ! net run -d --name web --network mine -p "127.0.0.1:$p:80" -p "$q:53/udp" localhost/one:1 sleep 1000 \
	>/dev/null 2>"$WORLD/err"; then
	skip "port" "no bridge network here: $(cat "$WORLD/err")"
	finish
fi
is "port" "$(net port web | sort | tr '\n' '|')" "53/udp -> 0.0.0.0:$q|80/tcp -> 127.0.0.1:$p|"
is "one port" "$(net port web 80)" "127.0.0.1:$p"
is "with its protocol" "$(net port web 53/udp)" "0.0.0.0:$q"
net port web 81 >/dev/null 2>"$WORLD/err"
is "a port that is not published" "$?:$(cat "$WORLD/err")" '125:Error: failed to find published port "81"'
is "--all" "$(net port -a | cut -f2 | sort | sed -n 1p)" "53/udp -> 0.0.0.0:$q"
is "--latest" "$(net port -l 80/tcp)" "127.0.0.1:$p"
is "network inspect names the container" \
	"$(net network inspect mine | jq -r '.[0].containers[].name')" web
is "and its address" "$(net network inspect -f '{{range .Containers}}{{range .Interfaces}}{{range .Subnets}}{{.IPNet}}{{end}}{{end}}{{end}}' mine)" \
	"$(net inspect -f '{{.NetworkSettings.Networks.mine.IPAddress}}' web)/24"
net rm -f -t 0 web >/dev/null
pod port nosuch >/dev/null 2>&1
is "a container that is not there" "$?" 125
finish
