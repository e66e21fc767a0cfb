#!/bin/bash
# SPDX-License-Identifier: ISC
# The commands about images, volumes, networks, secrets, events and the system, option by option, filter by filter and
# field by field: what each prints or leaves behind.
. "$(dirname "$0")/../lib.sh"
world

# COMMAND@WHAT IT PRINTS, its white space as single blanks
rows() {
	cat <<'ROWS'
list --filter label=a@one
list --filter label=a=b --filter label=c@one
list --filter label!=a@<none> img two
list --filter dangling=true@<none>
list --filter dangling=false@img one two
list --filter reference=one@one
list --filter reference='localhost/t*'@two
list --filter reference!=localhost/one:1@<none> img two
list --filter before=localhost/one:1@img
list --filter since=localhost/one:1@<none> two
list --filter after=localhost/one:1@<none> two
list --filter until=1h@
list --filter id=$(pod image inspect --format '{{.Id}}' one:1)@one
list --filter digest=$(pod image inspect --format '{{.Digest}}' one:1)@one
list --filter containers=true@img
list --filter manifest=true@
list --filter readonly=true@
list@<none> img one two
pod images -q --no-trunc --filter reference=one | grep -cE '^sha256:[0-9a-f]{64}$'@1
pod images --noheading --format 'table {{.Tag}}' --filter reference=one@1
pod images --format 'table {{.Repository}}\t{{.Tag}}\t{{.Size}}' | head -n 1@REPOSITORY TAG SIZE
pod images --digests --filter reference=one | head -n 1@REPOSITORY TAG DIGEST IMAGE ID CREATED SIZE
pod images --sort tag --format '{{.Tag}}'@1 2 <none> latest
pod images --sort size --format '{{.Size}}' | wc -l@4
pod images --sort id -q | sort -c && echo sorted@sorted
pod images --sort created --format '{{.Repository}}' | tail -n 1@localhost/img
pod images --sort repository --format '{{.Repository}}' | sort -c && echo sorted@sorted
pod images one --format '{{.ID}} {{.Created}} {{.CreatedAt}}' | grep -cE '^[0-9a-f]{12} .*ago 20[0-9-]+ '@1
pod images one --format '{{.CreatedSince}} {{.CreatedTime}}' | grep -cE 'ago 20[0-9-]+ '@1
pod images one --format '{{.Digest}} {{.Containers}} {{.ReadOnly}} {{.Dangling}} {{.Names}} {{.Labels}}' | cut -d' ' -f2-@0 false false [localhost/one:1] map[a:b c:d who:me]
pod images one --format '{{json .Names}} {{len .Names}} {{.VirtualSize}} {{.SharedSize}} {{.ParentId}}' | cut -d' ' -f1,2@["localhost/one:1"] 1
pod images --format json one | jq -r '.[0] | (.Names | join(" ")), .Labels.a, (.Id | length)'@localhost/one:1 b 64
pod images nosuch --noheading@
pod image inspect --format '{{.RepoTags}} {{.Config.Labels.a}} {{.Os}} {{.Architecture}} {{.Author}} <{{.Comment}}>' one:1@[localhost/one:1] b linux ARCH me <said>
pod image inspect --format '{{.User}} {{.Config.Cmd}} {{index .Config.Env 0}} {{len .RootFS.Layers}} {{.Version}}' one:1@[echo x] PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin 2
pod image inspect --format '{{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{.Config.StopSignal}} {{json .Config.Volumes}} {{json .Config.Entrypoint}} {{json .Config.OnBuild}}' one:1@{"80/tcp":{}} /w SIGUSR1 {"/anon":{},"/v":{}} ["sh"] ["RUN x"]
pod create --name said --net none img true >/dev/null; pod commit -q -f docker -m 'some words' said said:1 >/dev/null 2>&1; pod commit -q -f docker said said:2 >/dev/null; for t in 1 2; do pod image inspect --format '<{{.Comment}}>' said:$t; done; pod rmi said:1 said:2 >/dev/null; pod rm said >/dev/null@<some words> <>
pod history --format '{{.ID}} {{.Comment}}' one:1 | sed -n 1p | cut -d' ' -f2-@FROM localhost/img:latest
pod history -q --no-trunc one:1 | sed -n 1p | grep -cE '^(sha256:)?[0-9a-f]{64}$'@1
pod history one:1 | head -n 1@ID CREATED CREATED BY SIZE COMMENT
pod history --format '{{.CreatedSince}}|{{.CreatedAt}}|{{.CreatedBy}}|{{.Tags}}' one:1 | sed -n 1p | tr '|' '\n' | wc -l@4
pod history --format json one:1 | jq '.[0] | has("id"), has("created"), has("CreatedBy"), has("size"), has("comment")'@true true true true true
pod image tree one:1 | sed -n 2,3p | sed 's/: .*//'@Tags Size
pod image tree --whatrequires img | grep -c one@1
pod image exists one:1; echo $?@0
pod image exists nosuch; echo $?@1
pod image diff one:1@A /added A /anon A /p
pod image diff --format json one:1 | jq -c .added@["/added","/anon","/p"]
pod image list -q --filter reference=one | wc -c@13
pod tag one:1 extra:1 && list --filter reference=extra && pod untag one:1 extra:1 && list --filter reference=extra@extra
pod image prune -f --filter label=none | wc -l@0
pod image prune -f | wc -l@1
pod image prune -af --filter until=1h | wc -l@0
pod image prune -a --filter label=a -f | wc -l; list@1 img two
pod rmi --no-prune -f two:2 | head -n 1@Untagged: localhost/two:2
pod rmi -i nosuch; echo $?@0
pod rmi -a 2>/dev/null; list@img
pod save -q -o "$WORLD/s.tar" --format oci-archive img && pod tag img again && pod rmi img >/dev/null; pod load -q -i "$WORLD/s.tar"@Loaded image: localhost/img:latest
pod import -q -c 'ENV I=1' -m words --os linux --arch arm64 --variant v8 "$WORLD/l.tar" imp:1 >/dev/null; pod image inspect --format '{{.Architecture}} {{index .Config.Env 0}} {{.Comment}}' imp:1@arm64 I=1 words
pod volume ls -q@anon lab opt plain
pod volume ls -q --filter name=^l@lab
pod volume ls -q --filter label=k@lab
pod volume ls -q --filter label=k=v --filter label=z@lab
pod volume ls -q --filter label!=k@anon opt plain
pod volume ls -q --filter dangling=false@anon plain
pod volume ls -q --filter dangling=true@lab opt
pod volume ls -q --filter driver=local --filter name=opt@opt
pod volume ls -q --filter scope=local --filter name=opt@opt
pod volume ls -q --filter opt=type@opt
pod volume ls -q --filter anonymous=true@anon
pod volume ls -q --filter until=1h@
pod volume ls --noheading --filter name=opt@local opt
pod volume ls --filter name=opt@DRIVER VOLUME NAME local opt
pod volume ls --filter name=lab --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}} {{.Mountpoint}} {{.Anonymous}}' | sed "s#$ROOT#ROOT#"@lab local local map[k:v z:] ROOT/volumes/lab/_data false
pod volume ls --filter name=opt --format 'table {{.Name}}\t{{.Options}}'@VOLUME NAME OPTIONS opt map[device:tmpfs o:size=1m type:tmpfs]
pod volume ls --format json --filter name=lab | jq -r '.[0] | .Name, .Labels.k, .Driver'@lab v local
pod volume inspect --format '{{.Name}} {{.Options.o}} {{.NeedsCopyUp}} {{.MountCount}} {{.UID}} {{.GID}}' opt@opt size=1m true 0 1 2
pod volume inspect --format 'table {{.Name}} {{.Driver}}' opt | tr ' ' .@opt.........local
pod volume inspect -a | jq length@4
pod volume inspect --format '{{.UID}} {{.GID}} {{.Anonymous}} {{.Status}} {{.Timeout}} <{{.StorageID}}>' lab@0 0 false map[] 0 <>
pod volume ls --filter name=lab --format '{{.UID}} {{.GID}} {{.Anonymous}} {{.Status}} {{.Timeout}} <{{.StorageID}}>'@0 0 false map[] 0 <>
pod inspect --type volume --format '{{.UID}} {{.Anonymous}} {{.NeedsCopyUp}}' lab@0 false true
pod volume inspect lab | jq -r '.[0] | keys | join(" ")'@CreatedAt Driver Labels MountCount Mountpoint Name NeedsChown NeedsCopyUp Options Scope
pod volume inspect --format '{{.Nosuch}}' lab 2>&1; echo $?@Error: template: inspect:1:2: executing "inspect" at <.Nosuch>: can't evaluate field Nosuch in type define.InspectVolumeData 125
pod volume ls -q --filter since=lab@opt
pod volume ls -q --filter after=plain --filter name=l@lab
pod volume ls -q --filter since=nosuch 2>&1; echo $?@Error: no such volume nosuch 125
pod volume ls -q --filter name=[ 2>&1; echo $?@Error: invalid regular expression "[" 125
pod volume exists la; echo $?@1
pod volume exists '' 2>&1; echo $?@Error: name or ID cannot be empty 125
pod volume rm -t 5 lab 2>&1; echo $?@Error: --force option must be specified to use the --time option 125
pod volume create -o o=uid=7,gid=8 owned >/dev/null; pod run --rm --net none -v owned:/v img stat -c %u:%g /v; pod volume rm own@7:8 owned
pod volume create -o uid=7 -o gid=8 -o nocopy owned >/dev/null; pod run --rm --net none -v owned:/v img stat -c %u:%g /v; pod volume rm own@7:8 owned
pod volume create '' | wc -c; pod volume rm $(pod volume ls -q --filter 'name=^[0-9a-f]{64}$' --filter dangling=true) | wc -c@65 65
pod volume create --ignore lab@lab
pod volume create lab 2>&1@Error: volume with name lab already exists: volume already exists
pod volume exists lab; echo $?; pod volume exists nosuch; echo $?@0 1
pod volume prune -f --all --filter label=k@lab
pod volume prune -f --dry-run --all 2>&1 | grep -c opt@1
pod volume prune -f --all@opt
pod volume rm plain 2>/dev/null; echo $?@2
pod volume rm -f -t 0 plain@plain
pod volume rm -f nosuch; echo $?@0
pod volume rm -a -f >/dev/null; pod volume ls -q@
pod network ls -q | sort@lan podman wan
pod network ls --filter name=an -q | sort@lan podman wan
pod network ls --filter driver=bridge --filter name=^lan -q@lan
pod network ls --filter label=n=1 -q@lan
pod network ls --filter label!=n -q | sort@podman wan
pod network ls --filter id=$(pod network inspect --format '{{.ID}}' lan) -q@lan
pod network ls --filter dangling=true -q | sort@lan wan
pod network ls --filter until=1h -q@
pod network ls --noheading --filter name=^lan --format '{{.Name}} {{.Driver}} {{.Labels}} {{.Internal}} {{.IPv6Enabled}} {{.DNSEnabled}}'@lan bridge n=1 true false false
pod network ls --no-trunc --filter name=^lan | tail -n 1 | grep -cE '^[0-9a-f]{64} '@1
pod network ls | head -n 1@NETWORK ID NAME DRIVER
pod network ls --format json | jq -r '.[] | select(.name == "lan") | .driver, .internal, .labels.n'@bridge true 1
pod network inspect --format '{{.Name}} {{.Driver}} {{.Internal}} {{(index .Subnets 0).Subnet}} {{.NetworkInterface}} {{.IPAMOptions}}' lan@lan bridge true 10.231.77.0/24 podtlan0 map[driver:host-local]
pod network inspect -f '{{range .Subnets}}{{.Gateway}} {{end}}{{.Options.mtu}}' wan@10.231.78.1 1400
pod network create --ignore lan@lan
pod network exists lan; echo $?; pod network exists nosuch; echo $?@0 1
pod network update --dns-add 192.0.2.9 wan; pod network inspect -f '{{.NetworkDNSServers}}' wan@[192.0.2.9]
pod network update --dns-drop 192.0.2.9 wan; pod network inspect -f '{{.NetworkDNSServers}}' wan@[]
pod network prune -f --filter label=n@lan
pod network prune -f --filter until=1h@
pod network rm -f wan nosuch; echo $?@wan 0
pod secret ls -q --filter name=^ja | wc -l@1
pod secret ls --noheading --filter name=jar --format '{{.Name}} {{.Driver}} {{.CreatedAt}}' | sed 's/ [0-9A].*//'@jar file
pod secret ls | head -n 1@ID NAME DRIVER CREATED UPDATED
pod secret ls --format json 2>/dev/null | jq -r '.[] | select(.Name == "jar") | .Driver, (.CreatedAt | test("ago$") and (test("year") | not))'@file true
pod secret inspect --format '{{.Spec.Name}} {{.Spec.Driver.Name}} {{.Spec.Labels}} {{.SecretData}}' jar@jar file map[s:t]
pod secret inspect --showsecret --format '{{.SecretData}}' jar@jam
pod secret inspect --pretty jar | sed -n 2p | tr -s ' '@Name: jar
pod secret inspect jar | jq -r '.[0] | .Spec.Labels.s, has("ID"), has("CreatedAt"), has("UpdatedAt")'@t true true true
printf new | pod secret create --replace --label u=w jar - | wc -c; pod secret inspect --showsecret --format '{{.SecretData}} {{.Spec.Labels}}' jar@26 new map[u:w]
printf x | pod secret create --ignore jar - | wc -c; pod secret inspect --showsecret --format '{{.SecretData}}' jar@26 new
S3CRET=from pod secret create --env envy S3CRET | wc -c; S3CRET=from pod secret inspect --showsecret -f '{{.SecretData}}' envy@26 from
pod secret exists jar; echo $?; pod secret exists nosuch; echo $?@0 1
pod secret rm --ignore nosuch; echo $?@0
pod secret rm -a | wc -l; pod secret ls -q@2
events --filter type=volume --filter event=create --format '{{.Name}} {{.Type}} {{.Status}}' | sed 's/^[0-9a-f]\{64\}/anon/' | sort -u@anon volume create lab volume create opt volume create owned volume create plain volume create
events --filter volume=lab --format '{{.Status}}'@create remove prune
events --filter container=user --filter event=create --format '{{.Name}} {{.Image}} {{.ID}}' | sed 's/[0-9a-f]\{64\}/ID/'@user localhost/img:latest ID
events --filter container=user --filter status=died --format '{{.ContainerExitCode}} {{.Attributes.who}}'@4 me
events --filter label=who=me --filter event=start --format json | jq -r '.Name, .Status, .Type, (.time // .Time | tostring | length > 5)'@user start container true
events --filter type=image --filter event=tag --format '{{.Name}}' | grep -c extra@1
events --filter image=localhost/extra:1 --filter event=untag --format '{{.Type}}'@image
events --filter secret=jar --format '{{.Status}}' | sort -u@create remove
events --filter type=network --filter event=create --format '{{.Name}}' | sort@lan wan
events --since 1h --until 1s --filter event=nosuch 2>&1 | head -n 1@Error: unknown event status "nosuch"
events --since 1h --filter event=create --filter container=user --no-trunc=false | awk '{ print length($7) }' | tail -n 1@12
pod events --stream=false --since 0s --until 0s@
pod --events-backend none events --stream=false 2>&1@Error: cannot read events with the "none" backend
pod system df --format '{{.Type}} {{.Total}} {{.Active}} {{.RawSize}} {{.Reclaimable}}' | cut -d' ' -f1 | xargs@Images Containers Local
pod system df | head -n 1@TYPE TOTAL ACTIVE SIZE RECLAIMABLE
pod system df -v | grep -c 'space usage:'@3
pod system df --format json | jq -r '.[].Type'@Images Containers Local Volumes
pod version --format '{{.Client.Version}}' | grep -cE '^[0-9]'@1
pod version -f '{{.Client.OsArch}} {{.Client.Os}} {{.Client.APIVersion}}' | grep -c '^linux/ARCH linux [0-9]'@1
pod version --format json | jq -r '.Client | has("Version"), has("GoVersion"), has("OsArch"), has("APIVersion")'@true true true true
pod info --format '{{.Host.Arch}} {{.Host.OS}} {{.Host.OCIRuntime.Name}} {{.Store.GraphDriverName}} {{.Store.ContainerStore.Number}} {{.Version.OsArch}}'@ARCH linux crun overlay 0 linux/ARCH
pod info -f '{{json .Host.Security.SECCOMPEnabled}} {{.Host.LogDriver}} {{.Host.EventLogger}} {{.Host.CPUs}} {{.Store.GraphRoot}}' | sed "s#$ROOT#ROOT#; s/ [0-9]* / N /"@true k8s-file file N ROOT
pod info --format json | jq -r 'has("host"), has("store"), has("registries"), has("plugins"), has("version")'@true true true true true
pod system info --debug | head -n 1@host:
pod --noout info@
pod --out "$WORLD/out" info -f '{{.Host.OS}}'; cat "$WORLD/out"@linux
pod --log-level debug info 2>&1 >/dev/null | grep -c 'level=debug' | sed 's/^[1-9].*/some/'@some
pod --log-level nosuch info 2>&1@Error: Log Level "nosuch" is not supported, choose from: trace, debug, info, warn, warning, error, fatal, panic
pod --log-level error images -q | wc -l@2
pod --runtime runc info -f '{{.Host.OCIRuntime.Name}}'@runc
pod --runtime /nosuch run --rm --net none img true 2>&1 | grep -c nosuch@1
pod --runtime-flag debug run --rm --net none img echo ran@ran
pod --cgroup-manager cgroupfs info -f '{{.Host.CgroupManager}}'@cgroupfs
pod --cgroup-manager nosuch run --rm img true 2>&1@Error: cgroup manager must be one of cgroupfs and systemd: invalid argument
pod --events-backend nosuch ps 2>&1@Error: "nosuch" is not a valid events backend: invalid argument
pod --conmon /nosuch --syslog run --rm --net none img echo ran@ran
pod --tmpdir "$WORLD/tmpdir" run --rm --net none img echo ran; ls -d "$WORLD/tmpdir" | wc -l@ran 1
pod --storage-driver nosuch images 2>&1 | grep -c nosuch@1
pod --storage-driver vfs --root "$WORLD/vfs" info -f '{{.Store.GraphDriverName}}'@vfs
pod --storage-opt nosuch.x=1 images 2>&1 | grep -c nosuch@1
pod --imagestore "$WORLD/is" info -f '{{.Store.GraphRoot}}' | sed "s#$ROOT#ROOT#"@ROOT
pod --volumepath "$WORLD/vp" volume create here && ls "$WORLD/vp"@here here
pod --transient-store info -f '{{.Store.TransientStore}}'@true
pod --module nosuch info 2>&1 | grep -c nosuch@1
pod --module "$WORLD/module.conf" run --rm --net none img sh -c 'echo $FROM_MODULE'@seen
pod --hooks-dir "$WORLD/hooks" run --rm --net none img true; cat "$WORLD/hooked"@hook
pod --network-config-dir "$WORLD/nets2" network ls -q@podman
pod --default-mounts-file "$WORLD/mounts" run --rm --net none img cat /m/f@mounted
pod --registries-conf "$WORLD/reg.conf" info -f '{{.Registries.search}}'@[reg.test]
pod --cdi-spec-dir "$WORLD/cdi" run --rm --net none --device v.test/c=d img sh -c 'echo $CDI'@given
pod --context default images -q | wc -l@2
pod --debug images -q 2>/dev/null | wc -l@2
pod --network-backend x --max-workers 3 --cpu-profile x --memory-profile x --trace --pull-option a=b images -q | wc -l@2
pod --version | sed 's/[0-9].*//'@pod version
pod -v | sed 's/[0-9].*//'@pod version
pod --url unix:///x ps 2>&1@Error: --root: a remote service has its own, which it cannot be told
pod --tls-details /nosuch ps 2>&1@Error: reading "/nosuch": open /nosuch: no such file or directory
pod --remote=false --url= --connection '' -H '' --identity '' --ssh= --tls-ca= --tls-cert= --tls-key= --tls-details= images -q | wc -l@2
pod --help | grep -cE -- '--(url|remote|connection|identity|ssh|tls-ca|tls-cert|tls-details|tls-key) '@9
pod --help | grep -cE -- '--(host|context)'@0
pod system prune -f --filter label=none --filter until=1h | tail -n 1@Total reclaimed space: 0B
pod system prune -af --volumes | grep -c '^Deleted'; list; pod volume ls -q@2
pod system check -q; echo $?@0
pod system check --max 1h --force --repair; echo $?@0
pod system locks 2>&1 | tail -n 1@No lock conflicts have been detected.
pod system renumber; echo $?@0
ROWS
}
list() { pod images --noheading --format '{{.Repository}}' "$@" | sed 's#^localhost/##' | sort; }
events() { pod events --stream=false "$@"; }

checks() {
	local what wanted got arch anon d=$WORLD/d
	case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; esac
	mkdir -p "$d" "$WORLD"/{nets,nets2,hooks,cdi,m}
	pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" "${world_opts[@]}" --network-config-dir "$WORLD/nets" "$@"; }
	echo data >"$d/l" && tar -C "$d" -cf "$WORLD/l.tar" .
	printf '[containers]\nenv=["FROM_MODULE=seen"]\n' >"$WORLD/module.conf"
	printf '{"version":"1.0.0","hook":{"path":"/bin/sh","args":["sh","-c","echo hook >%s/hooked"]},"when":{"always":true},"stages":["prestart"]}' "$WORLD" >"$WORLD/hooks/a.json"
	echo mounted >"$WORLD/m/f" && echo "$WORLD/m:/m" >"$WORLD/mounts"
	echo 'unqualified-search-registries=["reg.test"]' >"$WORLD/reg.conf"
	printf '{"cdiVersion":"0.5.0","kind":"v.test/c","devices":[{"name":"d","containerEdits":{"env":["CDI=given"]}}]}' >"$WORLD/cdi/v.json"
	pod run --name user --net none -l who=me -v plain:/p -v /anon img sh -c 'touch /added; exit 4'
	anon=$(pod inspect --format '{{range .Mounts}}{{if ne .Name "plain"}}{{.Name}}{{end}}{{end}}' user)
	pod commit -q -f docker -a me -m said -c 'LABEL a=b c=d' -c 'ENV X=1' -c 'CMD ["echo","x"]' -c 'EXPOSE 80' -c 'WORKDIR /w' -c 'STOPSIGNAL SIGUSR1' -c 'VOLUME /v' \
		-c 'ENTRYPOINT ["sh"]' -c 'ONBUILD RUN x' user one:1 >/dev/null
	pod commit -q -c 'ENV Y=1' user two:2 >/dev/null
	pod commit -q -c 'ENV Z=1' user >/dev/null
	pod volume create --label k=v --label z lab >/dev/null
	pod volume create -o type=tmpfs -o device=tmpfs -o o=size=1m --uid 1 --gid 2 opt >/dev/null
	pod network create --internal --disable-dns --label n=1 --subnet 10.231.77.0/24 --interface-name podtlan0 lan >/dev/null
	pod network create --subnet 10.231.78.0/24 -o mtu=1400 wan >/dev/null
	printf jam | pod secret create --label s=t jar - >/dev/null
	while IFS=@ read -r what wanted; do
		got=$(eval "${what//ARCH/$arch}" 2>"$WORLD/err" </dev/null | xargs -d '\n' | tr -s ' \t' ' ' | sed 's/^ //; s/ $//; s/'"$anon"'/anon/g')
		is "$what" "$got" "${wanted//ARCH/$arch}"
		[ "$got" = "${wanted//ARCH/$arch}" ] || sed 's/^/# /' "$WORLD/err"
	done < <(rows)
}
busybox_image img >/dev/null
checks
{
	declare -f rows list events checks
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; checks'
} | user_part
