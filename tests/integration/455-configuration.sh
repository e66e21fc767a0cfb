#!/bin/bash
# SPDX-License-Identifier: ISC
# containers.conf, mounts.conf, modules, and the global options.
. "$(dirname "$0")/../lib.sh"
world
image=localhost/conf
busybox_image $image >/dev/null || { not_ok "an image can be imported"; finish; }
run() { pod run --rm --network none "$@"; }
# conf TEXT COMMAND...: with this containers.conf over the host's
conf() {
	printf '%b\n' "$1" >"$WORLD/c.conf"
	shift
	CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf "$@"
}
limit() { echo "if [ -e /sys/fs/cgroup/$2 ]; then cat /sys/fs/cgroup/$2; else cat /sys/fs/cgroup/$1; fi"; }

# --- [containers]
is "annotations" "$(conf '[containers]\nannotations=["a=b"]' pod create --name an $image true >/dev/null; pod inspect --format '{{index .Config.Annotations "a"}}' an)" b
pod rm an >/dev/null
is "default_capabilities" "$(conf '[containers]\ndefault_capabilities=["CHOWN"]' run $image grep CapBnd /proc/self/status | cut -f2)" 0000000000000001
is "append to an array" "$(conf '[containers]\ndefault_capabilities=["NET_RAW",{append=true}]' run $image grep CapBnd /proc/self/status | cut -f2)" 00000000800425fb
is "default_sysctls" "$(conf '[containers]\ndefault_sysctls=["net.ipv4.ip_forward=1"]' run $image cat /proc/sys/net/ipv4/ip_forward)" 1
is "default_ulimits" "$(conf '[containers]\ndefault_ulimits=["nofile=123:456"]' run $image sh -c 'ulimit -n')" 123
is "devices" "$(conf '[containers]\ndevices=["/dev/null:/dev/fromconf:rw"]' run $image sh -c 'test -c /dev/fromconf && echo there')" there
is "env" "$(conf '[containers]\nenv=["FOO=conf"]' run $image sh -c 'echo $FOO')" conf
is "env_host" "$(HOSTVAR=1 conf '[containers]\nenv_host=true' run $image sh -c 'echo $HOSTVAR')" 1
is "http_proxy=false" "$(http_proxy=http://p conf '[containers]\nhttp_proxy=false' run $image sh -c 'echo $http_proxy')" ""
is "init" "$(conf '[containers]\ninit=true' run $image sh -c 'tr "\\0" "\\n" </proc/1/cmdline | head -1')" /run/podman-init
is "ipcns" "$(conf '[containers]\nipcns="host"' run $image readlink /proc/self/ns/ipc)" "$(readlink /proc/self/ns/ipc)"
is "utsns" "$(conf '[containers]\nutsns="host"' run $image hostname)" "$(hostname)"
is "userns" "$(conf '[containers]\nuserns="keep-id:size=700"' run $image cat /proc/self/uid_map | xargs)" "0 0 700"
is "no_hosts" "$(conf '[containers]\nno_hosts=true' run $image sh -c 'test -e /etc/hosts; echo $?')" 1
is "oom_score_adj" "$(conf '[containers]\noom_score_adj=77' run $image cat /proc/self/oom_score_adj)" 77
is "pids_limit" "$(conf '[containers]\npids_limit=55' run $image sh -c "$(limit pids/pids.max pids.max)")" 55
is "privileged" "$(conf '[containers]\nprivileged=true' run $image grep Seccomp: /proc/self/status | cut -f2)" 0
is "read_only" "$(conf '[containers]\nread_only=true' run $image sh -c 'touch /x 2>/dev/null; echo $?')" 1
is "shm_size" "$(conf '[containers]\nshm_size="2m"' run $image sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}')" 2048
is "tz" "$(conf '[containers]\ntz="Asia/Tokyo"' run $image date +%Z)" JST
is "umask" "$(conf '[containers]\numask="0077"' run $image sh -c umask)" 0077
echo data >"$WORLD/file"
is "volumes" "$(conf "[containers]\nvolumes=[\"$WORLD:/fromconf:ro\"]" run $image cat /fromconf/file)" data
is "mounts" "$(conf "[containers]\nmounts=[\"type=bind,src=$WORLD,dst=/fromconf\"]" run $image cat /fromconf/file)" data
is "container_name_as_hostname" "$(conf '[containers]\ncontainer_name_as_hostname=true' run --name my_box $image hostname)" mybox
is "base_hosts_file" "$(conf '[containers]\nbase_hosts_file="none"' run $image sh -c 'grep -c . /etc/hosts')" 3
is "host_containers_internal_ip" "$(conf '[containers]\nhost_containers_internal_ip="192.0.2.9"' pod run --rm --network host $image sh -c 'grep -c "^192.0.2.9.host.containers.internal" /etc/hosts')" 1
is "none of it" "$(conf '[containers]\nhost_containers_internal_ip="none"' pod run --rm --network host $image sh -c 'grep -c host.containers.internal /etc/hosts')" 0
is "log_path" "$(conf "[containers]\nlog_driver=\"k8s-file\"\nlog_path=\"$WORLD/logs\"" pod run --name lp --network none $image echo kept; pod logs lp; grep -c 'stdout F kept' "$WORLD/logs/$(pod inspect --format '{{.Id}}' lp)/ctr.log")" "kept
kept
1"
is "logs there outlive the container" "$(pod rm lp >/dev/null; cat "$WORLD"/logs/*/ctr.log | grep -c kept)" 1
is "but --log-opt path is the container's" "$(conf "[containers]\nlog_driver=\"k8s-file\"\nlog_path=\"$WORLD/logs\"" pod run --rm --network none --log-opt path="$WORLD/own.log" $image echo own; grep -c own "$WORLD/own.log"; ls "$WORLD/logs" | wc -l)" "own
1
1"

# --- [engine]
is "image_volume_mode and pull_policy are read" "$(conf '[engine]\npull_policy="never"' run nosuch/image true 2>&1 | grep -c 'nosuch/image: image not known')" 1
is "stop_timeout" "$(conf '[engine]\nstop_timeout=3' pod create --name st $image true >/dev/null; pod inspect --format '{{.Config.StopTimeout}}' st)" 3
pod rm st >/dev/null
is "runtime" "$(conf '[engine]\nruntime="runc"' pod create --name rt $image true >/dev/null; pod inspect --format '{{.OCIRuntime}}' rt)" runc
pod rm rt >/dev/null
printf '#!/bin/sh\necho "$@" >>%s/wrapped\nexec /usr/bin/crun "$@"\n' "$WORLD" >"$WORLD/crun-wrap"
chmod 755 "$WORLD/crun-wrap"
is "runtimes" "$(conf "[engine]\nruntime=\"mine\"\n[engine.runtimes]\nmine=[\"/nosuch\",\"$WORLD/crun-wrap\"]\n[engine.runtimes_flags]\ncrun-wrap=[\"debug\"]" run $image echo hi 2>/dev/null)" hi
is "runtimes_flags" "$(grep -c -- '--debug' "$WORLD/wrapped" | sed 's/[1-9][0-9]*/some/')" some
is "a runtime that needs cgroups" "$(conf '[engine]\nruntime_supports_nocgroups=[]' run --cgroups disabled $image true 2>&1 | grep -c 'is not compatible with NoCgroups')" 1
is "keyring=false" "$(conf "[containers]\nkeyring=false\n[engine]\nruntime=\"mine\"\n[engine.runtimes]\nmine=[\"$WORLD/crun-wrap\"]" run $image true 2>/dev/null; grep -c -- '--no-new-keyring' "$WORLD/wrapped")" 1
is "cdi_spec_dirs" "$(mkdir -p "$WORLD/cdi"; echo '{"cdiVersion":"0.6.0","kind":"a.com/b","devices":[{"name":"c","containerEdits":{"env":["D=e"]}}]}' >"$WORLD/cdi/x.json"
	conf "[engine]\ncdi_spec_dirs=[\"$WORLD/cdi\"]" run --device a.com/b=c $image sh -c 'echo $D')" e
is "env of the engine" "$(conf '[engine]\nenv=["TMPDIR=/nosuch-tmp"]' pod info --format '{{.Store.GraphRoot}}')" "$ROOT"
# Both ends of a connection trace what goes over it, if both have the variable; these helpers come up before it is read.
is "which is the store's too" "$(conf '[engine]\nenv=["POD_TRACE=1"]' pod images 2>&1 | grep -c ' store>run #1 ')" 2
is "and that of who asks registries" "$(conf '[engine]\nenv=["POD_TRACE=1"]' pod pull -q --tls-verify=false --retry 0 127.0.0.1:1/x 2>&1 | grep -c ' image>fetch #1 ')" 2
pod create --name mi $image true >/dev/null && pod commit -q mi localhost/other >/dev/null && pod rm mi >/dev/null
is "multi_image_archive" "$(conf '[engine]\nmulti_image_archive=true' pod save -q -o "$WORLD/multi.tar" $image localhost/other; tar -xOf "$WORLD/multi.tar" manifest.json | jq length)" 2
pod rmi localhost/other >/dev/null
is "which other forms pay no heed to" "$(conf '[engine]\nmulti_image_archive=true' pod save -q --format oci-archive -o "$WORLD/one.tar" $image; echo $?)" 0
is "a wrong type is told" "$(conf '[containers]\npids_limit="x"' run $image true 2>&1 | grep -c 'pids_limit in table \[containers\] must be an integer')" 1
is "a file that is none too" "$(conf '[containers' run $image true 2>&1 | grep -c 'containers.conf')" 1

# --- What is kept where, and when it is made
is "a volume is there once its container is made" "$(pod create --name vc -v fresh:/www $image true >/dev/null; pod volume ls -q)" fresh
is "with no content yet" "$(ls "$ROOT/volumes/fresh/_data" | wc -l)" 0
pod rm vc >/dev/null && pod volume rm fresh >/dev/null
is "prepare_volume_on_create" "$(conf '[containers]\nprepare_volume_on_create=true' pod create --name vc -v fresh:/www $image true >/dev/null; cat "$ROOT/volumes/fresh/_data/index.html")" "hello from pod"
is "which is not done twice" "$(rm "$ROOT/volumes/fresh/_data/index.html"; pod start -a vc; ls "$ROOT/volumes/fresh/_data" | wc -l)" 0
pod rm vc >/dev/null && pod volume rm fresh >/dev/null
is "nocreate fails when the container is made" "$(pod create --name vc -v absent:/v:nocreate $image true 2>&1 | grep -c 'its creation was disabled'; pod ps -a --filter name=vc -q)" 1
conf '[engine]\nevents_logger="file"\nevents_container_create_inspect_data=true' pod create --name told $image true >/dev/null
is "events_container_create_inspect_data" "$(pod --events-backend file events --stream=false --filter event=create --filter container=told --format json | jq -r '.ContainerInspectData | fromjson | .Name')" told
pod rm told >/dev/null
pod --events-backend file create --name told $image true >/dev/null
is "not without it" "$(pod --events-backend file events --stream=false --filter event=create --filter container=told --format json | tail -1 | jq -r '.ContainerInspectData')" null
is "image_default_format" "$(conf '[engine]\nimage_default_format="v2s2"' pod commit -q told localhost/fmt >/dev/null; pod inspect --format '{{.ManifestType}}' localhost/fmt)" application/vnd.docker.distribution.manifest.v2+json
is "commit --format wins" "$(conf '[engine]\nimage_default_format="v2s2"' pod commit -q -f oci told localhost/fmt2 >/dev/null; pod inspect --format '{{.ManifestType}}' localhost/fmt2)" application/vnd.oci.image.manifest.v1+json
is "one that is none" "$(conf '[engine]\nimage_default_format="v2s1"' pod commit -q told localhost/fmt3 2>&1 >/dev/null | grep -c 'image_default_format v2s1 cannot be written')" 1
pod rm told >/dev/null && pod rmi localhost/fmt localhost/fmt2 >/dev/null
printf '[storage]\ndriver=""\ngraphroot="%s"\nrunroot="%s"\n' "$WORLD/r3" "$WORLD/rr3" >"$WORLD/s.conf"
bare() { CONTAINERS_STORAGE_CONF=$WORLD/s.conf "$BIN/pod" "$@"; }
is "tmp_dir" "$(conf "[engine]\ntmp_dir=\"$WORLD/tmp3\"" bare ps -q; ls -d "$WORLD/tmp3/pod/locks" "$WORLD/rr3/locks" 2>/dev/null)" "$WORLD/tmp3/pod/locks"
is "--runroot takes it along" "$(conf "[engine]\ntmp_dir=\"$WORLD/tmp4\"" pod ps -q; ls -d "$WORLD/tmp4" 2>/dev/null)" ""
is "--tmpdir wins" "$(conf "[engine]\ntmp_dir=\"$WORLD/tmp4\"" bare --tmpdir "$WORLD/tmp5" ps -q; ls -d "$WORLD"/tmp[45]/locks 2>/dev/null)" "$WORLD/tmp5/locks"
is "a key that means nothing here is told at level info" "$(conf '[engine]\nnum_locks=5\nlock_type="file"' pod --log-level info ps -q 2>&1 | grep -c 'num_locks has no effect here\|lock_type has no effect here')" 2
is "and not else" "$(conf '[engine]\nnum_locks=5' pod ps -q 2>&1)" ""

# --- Networks of its own, for names and ports
mkdir "$WORLD/nets"
net() { pod --network-config-dir "$WORLD/nets" "$@"; }
if net network create --subnet 10.86.77.0/24 --interface-name "pc$$" conf1 >/dev/null 2>&1; then
	port=$(free_port)
	is "interface_name=device" "$(conf '[containers]\ninterface_name="device"' net run --rm --network conf1 $image ls /sys/class/net | tr '\n' ' ')" "lo pc$$ "
	is "else eth0" "$(net run --rm --network conf1 $image ls /sys/class/net | tr '\n' ' ')" "eth0 lo "
	held() { ss -Hltn "sport = :$port" | grep -c .; }
	net run -d --name held -p "127.0.0.1:$port:80" --network conf1 $image sleep 100 >/dev/null
	is "a published port is held" "$(held)" 1
	net rm -f -t 0 held >/dev/null
	until_is "until its container has gone" 0 held
	conf '[engine]\nenable_port_reservation=false' net run -d --name free -p "127.0.0.1:$port:80" --network conf1 $image sleep 100 >/dev/null
	is "enable_port_reservation=false: it is not" "$(held) $(net port free)" "0 80/tcp -> 127.0.0.1:$port"
	net rm -f -t 0 free >/dev/null
	net network rm conf1 >/dev/null
else
	skip "names of interfaces and held ports" "no network can be made"
fi

# --- Places
printf '[containers]\numask="0011"\n' >"$WORLD/whole.conf"
is "CONTAINERS_CONF replaces all" "$(CONTAINERS_CONF=$WORLD/whole.conf run $image sh -c umask)" 0011
is "CONTAINERS_CONF_OVERRIDE comes last" "$(export CONTAINERS_CONF=$WORLD/whole.conf; conf '[containers]\numask="0022"' run $image sh -c umask)" 0022
is "--module" "$(pod --module "$WORLD/whole.conf" run --rm --network none $image sh -c umask)" 0011
is "a module that is missing" "$(pod --module nosuch ps 2>&1 | grep -c 'could not resolve module "nosuch"')" 1

# --- mounts.conf
mkdir "$WORLD/given"
echo secret >"$WORLD/given/f"
printf '# given to all\n%s:/run/given\n%s\n/nosuch:/run/none\n' "$WORLD/given" "$WORLD/file" >"$WORLD/mounts.conf"
m() { pod --default-mounts-file "$WORLD/mounts.conf" run --rm --network none "$@"; }
is "mounts.conf: a directory" "$(m $image cat /run/given/f 2>/dev/null)" secret
is "mounts.conf: a file, where it is" "$(m $image cat "$WORLD/file" 2>/dev/null)" data
m $image sh -c 'echo changed >/run/given/f' 2>/dev/null
is "it is a copy" "$(cat "$WORLD/given/f")" secret
is "what is missing is told and passed over" "$(m $image true 2>&1 | grep -c 'mounts.conf: /nosuch is passed over')" 1

# --- Global options
pod --out "$WORLD/out" ps -aq --noheading
is "--out" "$(pod --out "$WORLD/out" version --format '{{.Client.Version}}'; grep -c . "$WORLD/out")" 1
is "--log-level=debug" "$(pod --log-level debug ps 2>&1 >/dev/null | grep -c level=debug | sed 's/[1-9][0-9]*/some/')" some
check "--syslog" pod --syslog ps -q
is "a level that is none" "$(pod --log-level nosuch ps 2>&1 | grep -ci 'nosuch')" 1
check "--context default" pod --context default ps -q
is "another one" "$(pod --context other ps 2>&1 | grep -c 'other')" 1
is "no number of workers" "$(for bad in x 0 -1; do pod --max-workers $bad ps -q 2>&1 | grep -v ^See; echo "${PIPESTATUS[0]}"; done)" \
	"$(printf 'Error: %s\n125\n' 'invalid argument "x" for "--max-workers" flag: strconv.ParseInt: parsing "x": invalid syntax' \
		'maximum workers must be set to a positive number (got 0)' 'maximum workers must be set to a positive number (got -1)')"
check "options of Docker and older Podmans" pod --max-workers 3 --namespace x --network-backend netavark --conmon /usr/bin/conmon ps -q
is "--registries-conf" "$(echo 'unqualified-search-registries = [' >"$WORLD/r.conf"; pod --registries-conf "$WORLD/r.conf" pull nosuch 2>&1 | grep -c "$WORLD/r.conf")" 1
pod --transient-store create --name brief $image true >/dev/null
is "--transient-store keeps containers in the run root" "$(pod --transient-store ps -a --format '{{.Names}}'):$(pod ps -a --format '{{.Names}}')" brief:
pod --transient-store rm brief >/dev/null
is "help" "$(pod help run | grep -c "^Usage:")" 1
is "help of something that is none" "$(pod help nosuch thing 2>&1 >/dev/null | grep -e nosuch -e '^  pod'; echo "${PIPESTATUS[0]}")" "Unknown help topic [\`nosuch\` \`thing\`]
  pod [options] [command]
0"
is "nor below a command" "$(pod help container nosuch | grep -A 1 '^Usage:' | tail -n 1)" "  pod container [command]"
finish
