#!/bin/bash
# SPDX-License-Identifier: ISC
# ps makes only the columns that a format names: each one alone is what it is in the whole row, sorted and filtered
# rows are those of the whole list, and what changes a container changes its row.
. "$(dirname "$0")/../lib.sh"
world
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$WORLD/networks" "$@"; }
img=localhost/columns
busybox_image $img >/dev/null || exit 1

pod create --name plain $img true >/dev/null
pod create --name full --label x=1 --label y=2 -p 127.0.0.1:8080:80 -p 9000-9002:9000-9002/udp --expose 99 --init \
	-v "$WORLD:/x" -v /anonymous --tmpfs /t --restart always $img sh -c 'echo a long line' >/dev/null
pod create --name other --rm --cidfile "$WORLD/cid" --entrypoint /bin/sleep $img 5 >/dev/null
pod run --name ended --network none $img sh -c 'exit 3'

keys="ID Id Image ImageID Command CreatedAt Created StartedAt ExitedAt State Ports Names Labels Mounts Networks Size Pid
	PID Pod PodName IsInfra AutoRemove Exited ExitCode Restarts ExposedPorts Namespaces Cgroup CGROUPNS IPC MNT NET PIDNS User USERNS UTS"
differ=
for key in $keys; do
	alone=$(pod ps -a --format "{{json .$key}}")
	whole=$(pod ps -a --format "{{json .}}" >/dev/null && pod ps -a --format "{{\$x := .}}{{json \$x.$key}}")
	[ -n "$alone" ] && [ "$alone" = "$whole" ] || differ="$differ $key"
done
is "each column alone is as in the whole row" "$differ" ""
is "ports, exposed ports among them" "$(pod ps -a --filter name=full --format '{{.Ports}}')" \
	"127.0.0.1:8080->80/tcp, 0.0.0.0:9000-9002->9000-9002/udp, 99/tcp"
is "the init process is part of the command" "$(pod ps -a --no-trunc --filter name=full --format '{{.Command}}')" \
	"/run/podman-init -- sh -c echo a long line"
is "mounts" "$(pod ps -a --filter name=full --format '{{join .Mounts ","}}' | tr , '\n' | sort | tr '\n' ' ')" "/anonymous /t /x "
is "they are a list" "$(pod ps -a --filter name=other --format '{{.Mounts}}') $(pod ps -a --filter name=full --format '{{len .Mounts}}')" "[] 3"
created=$(pod inspect --format '{{.Created}} {{.Created.Unix}}' full)
is "the time of creation is a time" "$(pod ps -a --filter name=full --format '{{.Created}} {{.Created.Unix}}')" "$created"
pod run -d --name alive --network none $img sleep 100 >/dev/null
number=$(readlink "/proc/$(pod inspect --format '{{.State.Pid}}' alive)/ns/ipc" | tr -dc 0-9)
is "namespaces are looked at with --ns only" "$(pod ps --format '{{.IPC}}/{{.Namespaces.IPC}}/{{json .Namespaces.User}}')" '//""'
is "and then by either name" "$(pod ps --ns --format '{{.IPC}} {{.Namespaces.IPC}} {{len .Cgroup}}')" "$number $number 10"
is "in JSON, as Podman spells them" "$(pod ps --ns --format json | jq -r '.[0].Namespaces | .Ipc, (keys | join(" "))' | tr '\n' ' ')" \
	"$number Cgroup Ipc Mnt Net Pidns User Uts "
is "their headings" "$(pod ps --ns --format 'table {{.Cgroup}} {{.User}}' | head -n 1 | tr -s ' ')" "CGROUPNS USERNS"
is "times in stats" "$(pod stats --no-stream --format '{{.Up}}|{{.AvgCPU}}|{{.PerCPU}}' alive | grep -cE '^[0-9.]+[mµ]?s\|[0-9.e-]+\|\[[0-9 ]*\]$')" 1
is "the time of a network" "$(pod network ls --format "{{.Created}}" | grep -cE "^[0-9-]{10} [0-9:.]{8,} [+-][0-9]{4} [A-Z]+$")" "$(pod network ls -q | wc -l)"
is "the server's version is the client's" "$(pod version --format '{{.Server}} {{.Client.Os}}') $(pod version --format '{{.Server.Os}}')" "<nil> linux linux"
pod rm -f -t 0 alive >/dev/null
is "a size is not asked for in vain" "$(pod ps -a --filter name=full --format '{{.Size}}{{.Names}}' 2>&1 | sed 's/^time=[^ ]* //')" \
	'level=error msg="Size format requires --size option"'$'\n'full
is "nor missed where nobody wants it" "$(pod ps -a --format '{{json .}}x{{.Names}}' 2>&1 >/dev/null; pod ps --filter name=nosuch --format '{{.Size}}' 2>&1; pod ps -as --format '{{.Size}}' 2>&1 >/dev/null)" ""
is "networks" "$(pod ps -a --sort names --format '{{.Networks}}' | tr '\n' ' ')" " podman podman podman "
is "order by command" "$(pod ps -a --sort command --format '{{.Names}}' | sed -n 1p)" other
is "filter by the first word, not the init process" "$(pod ps -aq --filter command=^sh | wc -l)" 2
is "filter by label and volume together" "$(pod ps -a --filter label=x=1 --filter volume=/x --format '{{.Names}}')" full
is "filter by ancestor" "$(pod ps -aq --filter ancestor=$img | wc -l)" 4
is "JSON has what it had" "$(pod ps -a --filter name=full --format json | jq -c '.[0] | [.Labels, .Ports[0].host_port, .Command[2], .Networks]')" \
	'[{"x":"1","y":"2"},8080,"sh",["podman"]]'
# Of an image with several names the one that it was asked for by, and the first where that was none.
pod tag $img localhost/alias:2
digest=$(pod image inspect --format '{{.Digest}}' $img)
for name in localhost/alias:2 alias:2 "localhost/alias@$digest" "localhost/alias:2@$digest" "$(pod images -q --no-trunc $img)"; do
	pod create --replace --name asked "$name" true >/dev/null
	pod ps -a --filter name=^asked$ --format '{{.Image}}'
	pod inspect --format '{{.ImageName}} {{.Config.Image}}' asked
done >"$WORLD/asked"
is "the image's name" "$(cat "$WORLD/asked")" "localhost/alias:2
localhost/alias:2 localhost/alias:2
localhost/alias:2
localhost/alias:2 localhost/alias:2
localhost/alias@$digest
localhost/alias@$digest localhost/alias@$digest
localhost/alias@$digest
localhost/alias@$digest localhost/alias@$digest
$img:latest
$img:latest $img:latest"
pod rm asked >/dev/null
pod rmi localhost/alias:2 >/dev/null
# In a template json has the whole object, as --format json, and not what columns make of it.
timeless() { jq -c 'del(.CreatedAt, .created, .Status)' | sort -u; }
for list in "ps -a" images "network ls" "volume ls" "history $img"; do
	is "$list: {{json .}} beside something else" "$(pod $list --format 'x{{json .}}' | sed 's/^x{/{/' | timeless)" \
		"$(pod $list --format json | jq -c '.[]' | timeless)"
done
is "{{json .}} in a range" "$(pod ps -a --format '{{range .}}{{json .}}{{end}}' | timeless)" \
	"$(pod ps -a --format json | jq -c '.[]' | timeless)"
is "an unknown field is an error" "$(pod ps -a --format '{{.Nope}}' 2>&1 | grep -c "can't evaluate field Nope")" 1
pod rename plain renamed
is "a new name" "$(pod ps -aq --filter name=^renamed$ | wc -l)" 1
pod network create columns --subnet 10.231.17.0/24 >/dev/null
pod network connect columns other
is "a network that was joined later" "$(pod ps -a --filter name=other --format '{{.Networks}}')" podman,columns
# An ended container whose record was not written is still found among many: its exit file says so.
for i in $(seq 6); do pod create --name "more$i" $img true >/dev/null; done
id=$(pod ps -aq --no-trunc --filter name=^more3$)
echo 7 >"$RUNROOT/exits/$id"
is "an exit file alone ends a container" "$(pod ps -a --filter name=^more3$ --format '{{.State}} {{.ExitCode}}' | cut -d' ' -f2)" 7

# What JSON has no kind for: maps that are nil are empty ones, times are times.
f() { pod inspect --format "$@"; }
is "a label of a container that has none" "$(f '{{.Config.Labels.nosuch}} {{.Config.Labels}} {{len .Config.Labels}}' more1)" "<no value> map[] 0"
is "the same in ps" "$(pod ps -a --filter name=^more1$ --format '{{.Labels.nosuch}} {{.Labels}}')" "<no value> map[]"
is "and of one that has some" "$(f '{{.Config.Labels.x}} {{.Config.Labels.nosuch}} {{.Config.Labels}}' full)" "1 <no value> map[x:1 y:2]"
is "null stays null in JSON" "$(f '{{json .Config.Labels}}' more1)" "$(pod inspect more1 | jq -c '.[0].Config.Labels')"
when=$(pod inspect more1 | jq -r '.[0].Created')
is "a time prints as Go's" "$(f '{{.Created}}' more1 | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+ [+-][0-9]{4} [A-Z]+$')" 1
is "it is the same instant" "$(f '{{.Created.UnixNano}} {{.Created.Unix}}' more1)" "$(date -d "$when" '+%s%N %s')"
is "in JSON it is as it was" "$(f '{{json .Created}}' more1)" "\"$when\""
is "a time that never was" "$(f '{{.State.StartedAt}}' more1)" "0001-01-01 00:00:00 +0000 UTC"
is "images' times" "$(f '{{.Created}}' "$img" | grep -cE '^[0-9-]{10} [0-9:.]{8,} [+-][0-9]{4} [A-Z]+$')" 1
printf x | pod secret create timed - >/dev/null
is "secrets' times" "$(pod secret inspect --format '{{.CreatedAt}}/{{.UpdatedAt.Unix}}' timed | grep -cE '^[0-9-]{10} [0-9:.]{8,} [+-][0-9]{4} [A-Z]+/[0-9]+$')" 1
is "no such method" "$(f '{{.Created.Nosuch}}' more1 2>&1 | grep -c "can't evaluate field Nosuch")" 1
# A field that a struct below the first does not have is an error, one that JSON leaves out is what it is in Go.
for field in .State.Nosuch .HostConfig.LogConfig.Nosuch .NetworkSettings.Nosuch .GraphDriver.Nosuch; do
	is "no $field" "$(f "{{$field}}" more1 2>&1 >/dev/null | grep -c "can't evaluate field Nosuch"):$(f "{{$field}}" more1 2>/dev/null)" 1:
done
is "of each mount" "$(f '{{range .Mounts}}{{.Nosuch}}{{end}}' full 2>&1 | grep -c "Nosuch in type define.InspectMount")" 1
is "of an image's configuration" "$(f '{{.Config.Nosuch}}' "$img" 2>&1 | grep -c "can't evaluate field Nosuch")" 1
is "what it does not hold" "$(f '{{.Config.Cmd}} {{.Config.Volumes}} <{{.Config.StopSignal}}>' "$img")" "[] map[] <>"
is "its history" "$(f '{{range .History}}{{.EmptyLayer}} {{.CreatedBy}}{{end}}' "$img" | grep -c '^false ')" 1
is "a network that is not joined, volumes" "$(f '{{.NetworkSettings.Networks.nosuch}} {{.Config.Volumes}} {{.SizeRw}}' ended)" "<no value> map[] <nil>"
is "of the host and of a secret" "$(pod info --format '{{.Host.Security.Nosuch}}' 2>&1 | grep -c Nosuch) $(pod secret inspect --format '{{.Spec.Nosuch}}' timed 2>&1 | grep -c Nosuch)" "1 1"
# A struct prints its values in the order of Go's fields, and not as a map; what is nil is empty, and times and durations are such.
zero='0001-01-01 00:00:00 +0000 UTC'
is "the state" "$(f '{{.State}}' more1)" "{$(f '{{.State.OciVersion}}' more1) created false false false false false 0 0 0  $zero $zero <nil> false  $zero $zero    false false}"
is "by print as well" "$(f '{{print .State "x"}}|{{printf "%s" .HostConfig.RestartPolicy}}' more1)" "$(f '{{.State}}' more1)x|{no 0}"
pod create --name struct --health-cmd true --health-interval 1m --ulimit nofile=7:8 --restart on-failure:3 --network podman -p 127.0.0.1:8088:80 -v /tmp:/t:ro $img true >/dev/null
is "a health check" "$(f '{{.Config.Healthcheck}} {{.Config.Healthcheck.Interval}}' struct)" "{[CMD-SHELL true] 0s 0s 1m0s 30s 3} 1m0s"
is "lists of structs" "$(f '{{index .HostConfig.Ulimits 0}} {{.Mounts}} {{(index .Mounts 0)}}' struct)" "{RLIMIT_NOFILE 7 8} [{bind  /tmp /t   [rbind] false rprivate }] {bind  /tmp /t   [rbind] false rprivate }"
is "maps of them" "$(f '{{.HostConfig.PortBindings}} {{range $k, $v := .HostConfig.PortBindings}}{{$v}}{{(index $v 0).HostIP}}{{end}}' struct)" "map[80/tcp:[{127.0.0.1 8088}]] [{127.0.0.1 8088}]127.0.0.1"
is "one in another" "$(f '{{.NetworkSettings}}' ended)" "{{   0 []   0 []  []}   false  0 map[]  map[]}"
is "and named" "$(f '{{with .NetworkSettings.InspectBasicNetworkConfig}}{{.}}{{.IPPrefixLen}}{{end}}' more1)" "{   0 []   0 []  []}0"
is "nothing where JSON has null" "$(f '{{.Config.Entrypoint}} {{.HostConfig.Links}} {{.HostConfig.CgroupConf}} {{.Config.OnBuild}} {{json .HostConfig.Links}}' more1)" "[] [] map[] <nil> null"
is "each value of it is printed" "$(f '{{.HostConfig.LogConfig}}' struct)" "{k8s-file map[] $(f '{{.HostConfig.LogConfig.Path}}' struct)  $(f '{{.HostConfig.LogConfig.Size}}' struct)}"
is "of an image" "$(f '{{.RootFS}} {{.Config}}' "$img")" "{layers $(f '{{.RootFS.Layers}}' "$img")} { map[] $(f '{{.Config.Env}}' "$img") [] [] map[]  map[]  false}"
is "of a secret, the host and a network" "$(pod secret inspect --format '{{.Spec.Driver.Name}} {{.Spec.Labels}}' timed) $(pod info --format '{{.Plugins.Volume}} {{.Host.IDMappings.UIDMap}}') $(pod network inspect --format '{{.Subnets}}' podman)" \
	"file map[] [local] [] [{10.88.0.0/16 10.88.0.1 <nil>}]"
pod rm struct >/dev/null
printf '[engine]\nevents_container_create_inspect_data = true\n' >"$WORLD/inspect.conf"
# What a row is made of can be named.
pod volume create --label a=b vol >/dev/null
id=$(pod ps -aq --no-trunc --filter name=more1)
is "of ps" "$(pod ps -a --filter name=more1 --format '{{.ListContainer.ID}} {{.ListContainer.Names}}')" "$id [more1]"
is "with headings" "$(pod ps -a --filter name=more1 --format 'table {{.Names}} {{.ListContainer.Image}} {{.Namespaces.MNT}}' | tr -s ' ')" "NAMES IMAGE MNT"$'\n'"more1 $img:latest "
is "of images" "$(pod images --format '{{.ImageSummary.Id}} {{.ImageSummary.Dangling}} {{.IsDangling}} {{.IsReadOnly}}')" "$(pod images -q --no-trunc | cut -d: -f2) false false false"
is "of volume ls" "$(pod volume ls --filter name=vol --format '{{.VolumeConfigResponse.InspectVolumeData.Name}} {{.InspectVolumeData.Labels}} {{.UID}}{{.StorageID}} {{.CreatedAt.Unix}}')" \
	"vol map[a:b] 0 $(pod volume inspect --format '{{.CreatedAt.Unix}}' vol)"
is "as a struct" "$(pod volume ls --filter name=vol --format '{{.InspectVolumeData}}')" "{vol local $ROOT/volumes/vol/_data $(pod volume inspect --format '{{.CreatedAt}}' vol) map[] map[a:b] local map[] 0 0 false 0 $(pod volume inspect --format '{{.NeedsCopyUp}} {{.NeedsChown}}' vol) 0  0}"
pod network create --subnet 10.231.78.128/25 --subnet fd00:0:0:5::/62 mask >/dev/null
is "a subnet's parts" "$(pod network inspect --format '{{range .Subnets}}{{.Subnet.IP}} {{.Subnet.Mask}} {{end}}' mask) $(pod network ls --filter name=mask --format '{{(index .Subnets 0).Subnet.IP}}') $(pod network inspect --format '{{range .Subnets}}{{.Subnet.Nosuch}}{{end}}' mask 2>&1 | grep -c "can't evaluate field Nosuch")" \
	"10.231.78.128 ffffff80 fd00:0:0:4:: fffffffffffffffc0000000000000000  10.231.78.128 1"
pod network rm mask >/dev/null
is "of network ls" "$(pod network ls --filter name=podman --format '{{.Network.Name}} {{len .Network.ID}}')" "podman 64"
is "of stats" "$(pod stats --no-stream --format '{{.ContainerStats.Name}}' more1)" more1
pod run -d --name net $img sleep 100 >/dev/null
is "of each interface" "$(pod stats --no-stream --format '{{range $n, $i := .Network}}{{$n}} {{eq $i.RxBytes $.NetInput}} {{$i.TxDropped}}{{end}} {{.Network}}' net | grep -cE '^eth0 true 0 map\[eth0:\{[0-9]+( [0-9]+){7}\}\]$')" 1
pod rm -f -t 0 net >/dev/null
is "exposed ports" "$(pod ps -a --filter name=full --format '{{.ExposedPorts}}') $(pod ps -a --filter name=^other$ --format '{{.ExposedPorts}}') $(pod ps -a --filter name=full --format json | jq -c '.[0].ExposedPorts')" 'map[99:[tcp]] map[] {"99":["tcp"]}'
is "what inspect shows of what was created" "$(CONTAINERS_CONF_OVERRIDE=$WORLD/inspect.conf pod create --name told $img true >/dev/null; pod events --stream=false --since 1h --filter event=create --filter container=told --format '{{.ContainerInspectData}}' | jq -r .Name; pod events --stream=false --since 1h --filter container=full --format '<{{.ContainerInspectData}}>')" $'told\n<>'
is "of history" "$(pod history --format '{{.ImageHistoryLayer.ID}}' $img)" "$(pod history --no-trunc --format '{{.ID}}' $img)"
is "of events" "$(pod events --stream=false --since 1h --filter event=create --filter volume=vol --format '{{.Details.Attributes}} {{.Time.Unix}}' | grep -cE '^map\[.*\] [0-9]{10}$')" 1
is "a named template" "$(f '{{define "n"}}<{{.}}>{{end}}{{template "n" .Name}}{{block "s" .State}}{{.Status}}{{end}}' more1)" "<more1>created"
is "split into characters" "$(f '{{join (split "aäb" "") "-"}}' more1)" a-ä-b

finish
