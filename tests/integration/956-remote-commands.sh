#!/bin/bash
# SPDX-License-Identifier: ISC
# What a service of Podman's is asked to do, and how it is shown: as what happens here.
. "$(dirname "$0")/../lib.sh"

. "$LIB_DIR/remote-service.sh"

service
fails() { # TEXT STATUS MESSAGE WORDS...
	local text=$1 want=$2 message=$3 said st
	shift 3
	said=$(podr "$@" 2>&1 >/dev/null)
	st=$?
	is "$text" "$st $said" "$want Error: $message"
}
make() { # NAME WORDS-AS-JSON MORE
	api -X POST -H 'Content-Type: application/json' -d "{\"name\":\"$1\",\"image\":\"localhost/img:1\",\"command\":$2,\"netns\":{\"nsmode\":\"none\"}$3}" "$L/containers/create" | jq -r .Id
}
ID=$(make one '["sh","-c","echo out; echo err >&2; trap \"exit 3\" TERM; while :; do sleep 0.1; done"]' ',"labels":{"a":"b"}')
make two '["true"]' >/dev/null

# --- Lists ---
is "ps -a" "$(podr ps -a --sort names --format '{{.Names}} {{.Image}} {{.Status}} {{.Labels}}')" "one localhost/img:1 Created map[a:b]
two localhost/img:1 Created map[]"
is "its table" "$(podr ps -a --filter name=two --noheading | awk '{ print $2, $3, $NF }')" "localhost/img:1 true two"
is "ps shows what runs" "$(podr ps -q)" ""
is "ps -q --no-trunc, newest" "$(podr ps -lq --no-trunc)" "$(podr inspect two -f '{{.Id}}')"
is "as JSON" "$(podr ps -a --filter label=a --format json | jq -r '.[] | .Id + " " + .State + " " + .Status')" "$ID created Created"
fails "a filter that it does not know" 125 "bogus is an invalid filter" ps --filter bogus=1
fails "an option that it is not told" 125 "ps --namespace: not built for a remote service yet" ps --namespace
is "images" "$(podr images --format '{{.Repository}} {{.Tag}}')" "localhost/img 1"
is "their JSON" "$(podr images --format json | jq -r '.[].Names[0]')" "localhost/img:1"
is "images of a name" "$(podr images -n img | wc -l) $(podr images -n other | wc -l)" "1 0"
is "history" "$(podr history --format '{{.Comment}}' img:1)" "imported from tarball"
is "port of one that publishes nothing" "$(podr port one; podr port -a)" ""

# --- One object ---
is "inspect" "$(podr inspect one -f '{{.Name}} {{.Config.Labels.a}}')" "one b"
is "of an image" "$(podr image inspect localhost/img:1 -f '{{index .RepoTags 0}}')" localhost/img:1
is "of a network" "$(podr network inspect podman -f '{{.Name}} {{.Driver}}')" "podman bridge"
is "any object" "$(podr inspect one img:1 2>&1 | jq -r '.[] | .Id' | wc -l)" 2
fails "one that is not there" 125 'inspecting object: no such object: "none"' inspect none
is "exists" "$(for w in 'container exists one' 'container exists none' 'image exists img:1' 'image exists none' 'network exists podman' 'volume exists none'; do podr $w; echo $?; done | tr '\n' ' ')" "0 1 0 1 0 1 "

# --- What a shell offers ---
offered() { podr __completeNoDesc "$@" | grep -v '^:' | sort | tr '\n' ' '; }
is "containers of the service" "$(offered start '')" "one two "
is "by an ID" "$(offered inspect "${ID:0:6}")" "${ID:0:12} "
is "those that run" "$(offered stop '')" ""
is "its images" "$(offered rmi '')" "localhost/img:1 "
is "its networks" "$(offered network inspect po)" "podman "
is "its volumes" "$(podr volume create offered >/dev/null; offered volume inspect ''; podr volume rm offered >/dev/null)" "offered "
is "its secrets" "$(echo x | podr secret create hidden - >/dev/null; offered secret inspect ''; podr secret rm hidden >/dev/null)" "hidden "
is "asked for by an option" "$(CONTAINER_HOST='' offered --url "$CONTAINER_HOST" start o)" "one "
is "of the words before" "$(CONTAINER_HOST='' offered --url="$CONTAINER_HOST" start t)" "two "
is "by the default connection" "$(printf '{"Connection":{"Default":"d","Connections":{"d":{"URI":"%s"}}}}' "$CONTAINER_HOST" >"$WORLD/c.json"; CONTAINER_HOST='' PODMAN_CONNECTIONS_CONF=$WORLD/c.json offered --remote start o)" "one "
is "and none of one that is not there" "$(offered --url unix:///none start '')" ""

# --- What takes space ---
is "system df" "$(podr system df --format '{{.Type}} {{.Total}} {{.Active}}' | tr '\n' ',')" "Images 1 1,Containers 2 0,Local Volumes 0 0,"
podr tag img:1 twice:1
is "an image of two names takes its space once" "$(podr system df --format json | jq -r '.[0] | [.TotalCount, .Active, .RawSize] | join(" ")')" "2 1 $(podr inspect img:1 -f '{{.Size}}')"
podr rmi twice:1 >/dev/null
is "in detail" "$(podr system df -v | awk 'NF && !/usage/ { print $1 }' | tr '\n' ' ')" "REPOSITORY localhost/img CONTAINER $(podr ps -aq --sort names | sort | tr '\n' ' ')VOLUME "
is "of each" "$(podr system df -v | awk '$1 == "localhost/img" { print $2, $NF } $NF == "two" { print $2, $3 }')" "1 2
$(podr inspect img:1 -f '{{.Id}}' | cut -c 1-12) true"

# --- Volumes that nobody uses; networks of one that runs ---
podr volume create named >/dev/null
podr run --name holds --network none -v /anonymous -v used:/u img:1 true
is "volume prune takes the anonymous ones that nobody uses" "$(podr volume prune -f; podr volume ls -q | grep -cv '^\(named\|used\)$')" 1
podr rm holds >/dev/null
ANON=$(podr volume ls -q | grep -v '^\(named\|used\)$')
is "it says which" "$(podr volume prune --dry-run; podr volume ls -q | wc -l)" "$ANON
3"
is "it asks" "$(echo n | podr volume prune | tail -n 2)" "$ANON
Are you sure you want to continue? [y/N] "
is "it takes them" "$(podr volume prune -f; podr volume ls -q)" "$ANON
named
used"
fails "a filter of volumes that there is not" 125 "$(podr volume prune -f --filter bogus=1 2>&1 | sed 's/^Error: //')" volume prune -f --filter bogus=1
is "or all" "$(podr volume prune -fa; podr volume ls -q)" "named
used"
podr network create --subnet 10.76.5.0/24 second >/dev/null
podr run -d --name joins --network podman img:1 sleep 1000 >/dev/null
is "network connect" "$(podr network connect --ip 10.76.5.9 --alias db second joins; podr inspect joins | jq -c '.[0].NetworkSettings.Networks | [keys[]], .second.IPAddress')" '["podman","second"]
"10.76.5.9"'
is "network disconnect" "$(podr network disconnect second joins; podr inspect joins | jq -c '.[0].NetworkSettings.Networks | [keys[]]')" '["podman"]'
check "to one that is not there" eval 'podr network connect second none 2>&1 | grep -q "^Error: .*none"'
podr rm -f -t 0 joins >/dev/null
podr network rm second >/dev/null

# --- What is done with containers ---
is "start" "$(podr start one)" one
until_is "it runs" out podr logs one
is "logs: both streams apart" "$(podr logs one 2>&1 >/dev/null)" err
is "logs --tail" "$(podr logs --tail 1 one 2>&1)" err
is "logs -t" "$(podr logs -t one 2>/dev/null | grep -c '^20..-.*T.* out$')" 1
fails "logs of none" 125 'no container with name or ID "none" found: no such container' logs none
fails "logs of two" 125 "logs does not support multiple containers when run remotely" logs one two
is "ps by its state" "$(podr ps --format '{{.Names}} {{.State}}')" "one running"
is "top" "$(podr top one pid args | awk 'NR == 1 || $1 == 1 { print $1, $2 }')" "PID COMMAND
1 sh"
fails "of one that does not run" 125 "top can only be used on running containers" top two
make tick '["sh","-c","while :; do echo x; sleep 0.1; done"]' >/dev/null
podr start tick >/dev/null
is "a reader that has heard enough ends logs, in silence" "$(podr logs -f tick 2>"$WORLD/err" | head -n 1; echo "${PIPESTATUS[0]} $(cat "$WORLD/err")")" "x
141 "
podr rm -f -t 0 tick >/dev/null
is "stats" "$(podr stats --no-stream --format '{{.Name}} {{.PIDS}}')" "one 2"
check "of one, as JSON" eval 'podr stats --no-stream --format json one | jq -e ".[0] | .name == \"one\" and (.mem_usage | test(\" / \"))" >/dev/null'
fails "stats of none" 125 'no container with name or ID "none" found: no such container' stats --no-stream none
is "pause" "$(podr pause one) $(podr inspect one -f '{{.State.Status}}')" "one paused"
is "unpause --all" "$(podr unpause --all)" "$ID"
fails "rm of one that runs" 2 "cannot remove container $ID as it is running - running or paused containers cannot be removed without force: container state improper" rm one
is "rename" "$(podr rename one uno; podr ps --format '{{.Names}}')" uno
is "kill" "$(podr kill -s TERM uno; podr wait uno)" "uno
3"
fails "kill of one that does not run" 125 "can only kill running containers. $ID is in state exited: container state improper" kill uno
fails "a signal that there is not" 125 "invalid signal: NONE" kill -s NONE uno
is "restart" "$(podr restart -t 0 uno) $(podr inspect uno -f '{{.State.Running}}')" "uno true"
is "stop" "$(podr stop uno) $(podr inspect uno -f '{{.State.ExitCode}}')" "uno 3"
fails "start of none" 125 'no container with name or ID "none" found: no such container' start none
fails "of several, nothing is done if one is missing" 125 'no container with name or ID "none" found: no such container' start uno none
is "it does not run" "$(podr ps -q)" ""
fails "a name with a slash" 125 'no container with name or ID "../images" found: no such container' start ../images
is "start -a" "$(timeout 60 "$BIN/pod" start -a two; echo $?)" 0
is "rm" "$(podr rm two)" two
fails "rm of none" 1 'no container with name or ID "none" found: no such container' rm none
is "rm -i of none" "$(podr rm -i none; echo $?)" 0
is "rm -fa" "$(podr rm -f -a -t 0) $(podr ps -aq)" "$ID "

# --- What nothing needs ---
make three '["true"]' >/dev/null
is "init" "$(podr init three; podr ps -a --format '{{.State}}' --filter name=three)" "three
initialized"
THREE=$(podr inspect three -f '{{.Id}}')
podr start -a three
is "container prune" "$(podr container prune -f)" "$THREE"
is "asks first" "$(podr container prune </dev/null 2>/dev/null)" "WARNING! This will remove all non running containers.
Are you sure you want to continue? [y/N] "
is "image prune" "$(podr image prune -f; podr images -q | wc -l)" 1
fails "a filter that it does not know" 125 "$(podr image prune -f --filter bogus=1 2>&1 | sed 's/^Error: //')" image prune -f --filter bogus=1
podr volume create idle >/dev/null
make four '["true"]' >/dev/null
is "system prune" "$(podr system prune -f --volumes | sed 's/^[0-9a-f]\{64\}$/ID/; s/space: .*/space/' | tr '\n' ' ')" "Deleted Containers ID Deleted Volumes idle Total reclaimed space "

# --- Images ---
is "tag" "$(podr tag img:1 other:2; podr images -n --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" "localhost/img:1 localhost/other:2 "
is "untag" "$(podr untag img:1 other:2; podr images -n --format '{{.Repository}}:{{.Tag}}')" localhost/img:1
check "pull that fails is told of" eval 'podr pull -q 127.0.0.1:1/x 2>&1 | grep -q "^Error: .*127.0.0.1:1"'
fails "rmi of none" 1 "none: image not known" rmi none
is "rmi" "$(podr rmi img:1 | sed 's/:.*//' | tr '\n' ' ')$(podr images -q)" "Untagged Deleted "

# --- Volumes and networks ---
is "volume create" "$(podr volume create -l a=b -o type=tmpfs -o device=tmpfs v)" v
is "volume ls" "$(podr volume ls --format '{{.Name}} {{.Driver}}')" "v local"
is "by a filter" "$(podr volume ls -q --filter label=a) $(podr volume ls -q --filter label=c)" "v "
is "volume inspect" "$(podr volume inspect v -f '{{.Labels.a}} {{.Options.type}}')" "b tmpfs"
fails "a volume that is there" 125 "volume with name v already exists: volume already exists" volume create v
is "volume rm" "$(podr volume rm v; podr volume rm v 2>&1; echo $?)" 'v
Error: no volume with name "v" found: no such volume
1'
is "network create" "$(podr network create --subnet 10.99.0.0/24 --label a=b n)" n
is "network ls" "$(podr network ls --filter name=^n\$ --format '{{.Name}} {{.Driver}} {{.Labels}}')" "n bridge a=b"
is "its subnet" "$(podr network inspect n | jq -r '.[0].subnets[0].subnet')" 10.99.0.0/24
check "a subnet that is none" eval 'podr network create --subnet 10.99.0.0/99 x 2>&1 | grep -q "^Error: .*10.99.0.0/99"'
is "network rm" "$(podr network rm n; podr network rm n 2>/dev/null; echo $?)" "n
1"
is "network prune" "$(podr network create m >/dev/null; podr network prune -f)" m
check "nothing was made here" nothing_in "$HOME"
finish
