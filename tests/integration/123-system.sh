#!/bin/bash
# SPDX-License-Identifier: ISC
# info, version, system df, system prune, unshare, completion.
. "$(dirname "$0")/../lib.sh"
world

version=$(pod version --format '{{.Client.Version}}')
is "version" "$(pod --version)" "pod version $version"
is "the server is the client" "$(pod version -f '{{.Server.Version}}')" "$version"
is "a bare field" "$(pod version -f '{{.Version}}')" "$version"
is "as JSON" "$(pod version -f json | jq -r .Client.Version)" "$version"
is "as text" "$(pod version | sed -n 's/^Version: *//p')" "$version"
pod version -f '{{.Nosuch}}' >/dev/null 2>&1
is "a field that is not there" "$?" 125

pod info >"$WORLD/info"
is "info's sections" "$(grep -E '^[a-z]+:' "$WORLD/info" | cut -d: -f1 | tr '\n' ' ')" \
	"host plugins registries store version "
is "YAML that others read gives what JSON gives" \
	"$(python3 -c 'import sys,yaml;d=yaml.safe_load(sys.stdin);print(d["store"]["graphRoot"],d["version"]["Version"],d["host"]["ociRuntime"]["name"])' <"$WORLD/info" 2>/dev/null || echo no yaml)" \
	"$(python3 -c 'import yaml' 2>/dev/null && pod info -f json | jq -r '"\(.store.graphRoot) \(.version.Version) \(.host.ociRuntime.name)"' || echo no yaml)"
is "the store's places" "$(pod info -f '{{.Store.GraphRoot}} {{.Store.RunRoot}}')" "$ROOT $RUNROOT"
is "host" "$(pod info -f '{{.Host.Hostname}} {{.Host.Kernel}} {{.Host.OS}}')" "$(uname -n) $(uname -r) linux"
is "security" "$(pod info -f '{{.Host.Security.Rootless}}')" "$([ "$(id -u)" = 0 ] && echo false || echo true)"
is "the runtime" "$(pod --runtime crun info -f '{{.Host.OCIRuntime.Name}}')" crun
is "keys of JSON" "$(pod info -f json | jq -c '[.host.cgroupManager,.host.networkBackend,.store.graphDriverName,(.host.memTotal>0)]')" \
	"[\"$(pod info -f '{{.Host.CgroupManager}}')\",\"netavark\",\"overlay\",true]"
is "system info is the same command" "$(pod system info -f '{{.Host.Arch}}')" "$(pod info -f '{{.Host.Arch}}')"

busybox_image localhost/one:1 >/dev/null
tar -C "$WORLD/fs" -c ./etc | pod import -q - localhost/two:1 >/dev/null
pod run --net none --name over -v vol:/data localhost/one:1 sh -c \
	'echo text >/data/f; dd if=/dev/zero of=/f bs=1000 count=50 2>/dev/null'
ctr=$(pod run -d --net none localhost/one:1 sleep 1000)
is "counts" "$(pod info -f '{{.Store.ContainerStore.Number}} {{.Store.ContainerStore.Running}} {{.Store.ImageStore.Number}}')" "2 1 2"
is "df" "$(pod system df --format '{{.Type}}:{{.Total}}:{{.Active}}' | tr '\n' ' ')" \
	"Images:2:1 Containers:2:1 Local Volumes:1:1 "
is "df's heading" "$(pod system df | sed -n 1p | tr -s ' ')" "TYPE TOTAL ACTIVE SIZE RECLAIMABLE"
is "bytes of ended containers can be had again" \
	"$(pod system df --format json | jq -c '.[1]|[.RawSize>=50000,.RawReclaimable>=50000]')" "[true,true]"
is "of unused images, too" "$(pod system df --format json | jq '.[0]|.RawReclaimable>0 and .RawReclaimable<.RawSize')" true
is "df -v" "$(pod system df -v | grep -c 'space usage:$')" 3
pod system df -v --format json >/dev/null 2>&1
is "df -v with a format" "$?" 125
pod manifest create localhost/list localhost/one:1 >/dev/null
pod tag localhost/one:1 localhost/other:1
is "df counts an image once for each name, and manifest lists" "$(pod system df --format '{{.Total}} {{.Active}}' | sed -n 1p)" "4 1"
is "a list costs what its document has" "$(pod system df -v | awk '$1 == "localhost/list" { print $2, $(NF-3) != "0B", $(NF-2), $NF }')" "latest 1 0B 0"
is "names share what they are names of" "$(pod system df -v | awk '$1 == "localhost/other" || $1 == "localhost/one" { print $3, $NF }' | uniq -c | awk '{ print $1, $3 }')" "2 2"
is "a container's whole command" "$(pod system df -v | grep -c ' sleep 1000 ')" 1
pod manifest rm localhost/list >/dev/null
pod untag localhost/one:1 localhost/other:1

pod system prune </dev/null >/dev/null 2>&1
is "prune asks, and fails without an answer" "$?" 125
pod untag localhost/two:1
pod system prune -f >"$WORLD/out"
is "prune" "$(grep -c '^Deleted' "$WORLD/out"):$(tail -1 "$WORLD/out" | cut -d: -f1)" "2:Total reclaimed space"
is "takes ended containers, leaves those that run" "$(pod ps -aq --no-trunc)" "$ctr"
is "takes images without a name, leaves volumes" "$(pod images -q | wc -l)$(pod volume ls -q)" "1vol"
pod rm -f -t 0 "$ctr" >/dev/null
is "--filter holds for volumes too" "$(pod system prune -f --volumes --filter until=1h; pod volume ls -q)" "Total reclaimed space: 0B
vol"
is "{{json .}} is what json is" "$(pod system df --format '{{json .}}')" "$(pod system df --format json)"
pod system prune -af --volumes >/dev/null
is "with --all and --volumes all goes" "$(pod images -q)$(pod volume ls -q)$(pod ps -aq)" ""
gone() { [ -z "$(ls "$ROOT/layers" "$ROOT/rw" | grep -v :)" ]; }
check "from the disk as well" until_ok 20 gone

busybox_image localhost/one:1 >/dev/null
pod volume create vol >/dev/null
complete() { "$BIN/pod" __completeNoDesc --root "$ROOT" --runroot "$RUNROOT" "$@" 2>/dev/null | grep -v '^:' | tr '\n' ' '; }
is "completion: images" "$(complete rmi localhost/)" "localhost/one:1 "
is "by their last part" "$(complete rmi on)" "one:1 "
is "completion: volumes" "$(complete volume rm '')" "vol "
is "completion: networks" "$(complete network inspect po)" "podman "
is "completion: commands" "$(complete image pr)" "prune "

if [ "$(id -u)" = 0 ]; then
	pod unshare true 2>"$WORLD/err"
	is "unshare is for ordinary users" "$?:$(cat "$WORLD/err")" "125:Error: please use unshare with rootless"
fi
if ordinary_user; then
	cp -a "$BUILD/bin" "$BUILD/libexec" "$BUILD/share" "$WORLD/"
	u() { as_user "$WORLD/bin/pod" --root "/home/$world_user/root" --runroot "/home/$world_user/run" "$@"; }
	is "unshare: root of a namespace" "$(u unshare id -u)" 0
	u unshare sh -c 'exit 7'
	is "the command's status" "$?" 7
	u unshare /nosuch 2>/dev/null
	is "a command that is not there" "$?" 127
	is "info of an ordinary user" "$(u info -f '{{.Host.Security.Rootless}}')" true
else
	skip "unshare" "no ordinary user can be made"
fi
finish
