#!/bin/bash
# SPDX-License-Identifier: ISC
# Values of containers.conf: what is none is refused before anything is made, what is unknown is told to who asks,
# and what is said counts.
. "$(dirname "$0")/../lib.sh"
if [ "${CONF_VALUES_NS:-}" != 1 ] && [ "$(id -u)" = 0 ]; then CONF_VALUES_NS=1 exec unshare -m bash "$0"; fi
world

# conf_checks: the same for root and for a user; $WORLD and pod are at hand
conf_checks() {
	image=localhost/values
	busybox_image $image >/dev/null || { not_ok "an image can be imported"; return; }
	conf() {
		printf '%b\n' "$1" >"$WORLD/c.conf"
		shift
		CONTAINERS_CONF_OVERRIDE=$WORLD/c.conf "$@"
	}
	run() { pod run --rm --network none "$@"; }
	# refused "TABLE.KEY=VALUE" WORDS: no container is made with it
	refused() {
		local table=${1%%.*} key=${1#*.} out
		out=$(conf "[$table]\n$key" pod create --network none $image true 2>&1 >/dev/null)
		is "refused: $1" "$? $(grep -cF -- "$2" <<<"$out") $(pod ps -aq | wc -l)" "125 1 0"
	}
	refused 'containers.cgroups="nonsense"' 'cgroups in table [containers] must be enabled, disabled, no-conmon or split, not "nonsense"'
	refused 'containers.cgroupns="nonsense"' 'must be private or host'
	refused 'containers.interface_name="x"' 'must be device, not "x"'
	refused 'containers.log_driver="nonsense"' 'log_driver in table [containers] must be k8s-file, json-file'
	refused 'containers.log_path="here"' 'log_path in table [containers] must be an absolute path'
	refused 'containers.log_size_max=100' 'must be negative or at least 8192, not 100'
	refused 'containers.oom_score_adj=1001' 'must be at most 1000, not 1001'
	refused 'containers.pids_limit=4194305' 'must be at most 4194304'
	refused 'containers.default_capabilities=["nonsense"]' 'default_capabilities: "CAP_NONSENSE": unknown capability'
	refused 'containers.devices=["/dev/nosuch"]' 'stat /dev/nosuch: no such file'
	refused 'containers.dns_servers=["nonsense"]' 'nonsense is not an ip address'
	refused 'containers.dns_servers=["none","192.0.2.1"]' 'none is not allowed to be specified with other DNS'
	refused 'containers.dns_searches=["-x"]' '-x is not a valid domain'
	refused 'containers.dns_options=["a b"]' 'invalid DNS option "a b"'
	refused 'containers.env=["=x"]' 'parsing fields in containers.conf: invalid environment variable: "=x"'
	refused 'containers.host_containers_internal_ip="nonsense"' 'must be an IP address or none'
	refused 'containers.seccomp_profile="/nosuch"' 'opening seccomp profile failed: open /nosuch: no such file'
	refused 'network.default_rootless_network_cmd="nonsense"' 'must be pasta or slirp4netns'
	refused 'network.default_subnet_pools="x"' 'must be an array of tables'
	refused 'network.dns_bind_port=65536' 'must be at most 65535'
	refused 'network.dns_bind_port=-1' 'must be at least 0, not -1'
	refused 'network.network_backend="nonsense"' 'unsupported network backend "nonsense"'
	refused 'network.network_config_dir="here"' 'must be an absolute path'
	refused 'engine.cgroup_manager="nonsense"' 'must be systemd or cgroupfs'
	refused 'engine.compression_format="nonsense"' 'must be gzip, zstd or zstd:chunked'
	refused 'engine.compression_level=64' 'must be at most 63'
	refused 'engine.detach_keys="nonsense"' 'invalid detach keys "nonsense"'
	refused 'engine.events_logger="nonsense"' 'must be journald, file or none'
	refused 'engine.events_logfile_path="here"' 'must be an absolute path'
	refused 'engine.events_logfile_max_size="big"' "events_logfile_max_size in table [engine]: invalid size: 'big'"
	refused 'engine.image_copy_tmp_dir="here"' 'must be an absolute path or storage'
	refused 'engine.image_volume_mode="nonsense"' 'must be anonymous, bind, tmpfs or ignore'
	refused 'engine.lock_type="nonsense"' 'must be shm or file'
	refused 'engine.retry=-1' 'must be at least 0, not -1'
	refused 'engine.stop_timeout=-1' 'stop_timeout in table [engine] must be at least 0'
	refused 'engine.stop_timeout=4294967296' 'must be at most 4294967295'
	refused 'engine.tmp_dir="here"' 'must be an absolute path'
	refused 'engine.runtimes="x"' 'runtimes in table [engine] must be a table'
	refused 'engine.runtimes={x="/bin/crun"}' 'x in table [engine.runtimes] must be an array of strings'
	refused 'engine.volume_plugins={x=1}' 'x in table [engine.volume_plugins] must be a string'
	refused 'engine.platform_to_oci_runtime=["x"]' 'must be a table'
	refused 'secrets.opts={path=1}' 'path in table [secrets.opts] must be a string'
	is "empty words are as if they were not there" "$(conf '[containers]\ncgroups=""\ncgroupns=""\nipcns=""\npidns=""\nutsns=""\nlog_driver=""\ninterface_name=""\n[network]\ndefault_network=""\nnetwork_backend=""\n[engine]\nevents_logger=""\nimage_volume_mode=""\ncgroup_manager=""\ncompression_format=""\npull_policy=""' run $image echo fine 2>&1)" fine
	is "unknown keys are no error" "$(conf '[containers]\nnosuchkey=1\n[nosuchtable]\nx=2' run $image echo fine 2>&1)" fine
	is "and are told at level debug" "$(conf '[containers]\nnosuchkey=1\n[nosuchtable]\nx=2' pod --log-level debug ps -q 2>&1 | grep -c 'Failed to decode the keys .*\(containers.nosuchkey\|nosuchtable.x\)')" 2
	is "what belongs to what is not built is told at level info" "$(conf '[engine]\ninfra_image="x"\nservice_timeout=3' pod --log-level info ps -q 2>&1 | grep -c '\(infra_image\|service_timeout\) has no effect here')" 2
	is "and nothing that names a service to go to is" "$(conf '[engine]\nactive_service="x"\nssh_config="/y"\n[engine.service_destinations.x]\nuri="unix:///x"' pod --log-level info ps -q 2>&1 | grep -o '[a-z_]* has no effect here')" "ssh_config has no effect here"
	is "a variable for the engine without a value is told" "$(conf '[engine]\nenv=["NONSENSE"]' pod ps -q 2>&1 | grep -c 'invalid environment variable for engine NONSENSE')" 1

	is "a value in the place of a table" "$(conf 'containers=5' pod ps -q 2>&1)" "Error: containers.conf: containers must be a table ($WORLD/c.conf)"
	is "an array of tables there" "$(conf '[[engine]]\nretry=1' pod ps -q 2>&1)" "Error: containers.conf: engine must be a table ($WORLD/c.conf)"
	is "{append=…} is true or false" "$(conf '[containers]\nenv=["A=b",{append=1}]' pod ps -q 2>&1)" "Error: containers.conf: env in table [containers] must be an array of strings ($WORLD/c.conf)"
	is "the file is named whose value it is" "$(printf '[containers]\ninit="yes"\n' >"$WORLD/m.conf"; conf '[containers]\nreadonly=true' pod --module "$WORLD/m.conf" ps -q 2>&1)" "Error: containers.conf: init in table [containers] must be true or false ($WORLD/m.conf)"
	is "a module without a name" "$(pod --module "" ps -q 2>&1)" 'Error: could not resolve module ""'
	mkdir -p "$WORLD/xdg/containers/containers.conf.d/dir.conf"
	printf '[containers]\numask="0071"\n' >"$WORLD/xdg/containers/containers.conf.d/a.conf"
	if [ "$(id -u)" != 0 ]; then
		is "a directory among the drop-ins is passed over" "$(XDG_CONFIG_HOME=$WORLD/xdg run $image sh -c umask 2>&1)" 0071
	fi

	# What is said counts.
	is "env: a name takes the caller's value" "$(FROMHOST=v conf '[containers]\nenv=["FROMHOST","NOTTHERE"]' run $image sh -c 'echo $FROMHOST ${NOTTHERE-unset}')" "v unset"
	is "env: a star takes all that begin so" "$(FROMHOST1=v FROMHOST2=w conf '[containers]\nenv=["FROMHOST*"]' run $image sh -c 'echo $FROMHOST1 $FROMHOST2')" "v w"
	is "dns_servers" "$(conf '[containers]\ndns_servers=["192.0.2.9"]' pod run --rm --network host $image grep -c 'nameserver 192.0.2.9' /etc/resolv.conf)" 1
	is "none of them: resolv.conf is not made" "$(conf '[containers]\ndns_servers=["none"]' pod run --rm --network host $image cat /etc/resolv.conf 2>/dev/null)" ""
	is "log_driver passthrough" "$(conf '[containers]\nlog_driver="passthrough"' pod run --name pt --network none $image echo hi; pod inspect --format '{{.HostConfig.LogConfig.Type}}' pt)" "hi
passthrough"
	pod rm pt >/dev/null
	is "netns none holds for --network default" "$(conf '[containers]\nnetns="none"' pod run --rm --network default $image ls /sys/class/net)" lo
	conf '[containers]\nnetns="host"' pod create --name np --network private $image true >/dev/null
	is "but private is private" "$(pod inspect --format '{{.HostConfig.NetworkMode}}' np | grep -cx host)" 0
	pod rm np >/dev/null
	mkdir -p "$WORLD/first" "$WORLD/second"
	printf '#!/bin/sh\necho first\n' >"$WORLD/first/catatonit"
	printf '#!/bin/sh\necho second\n' >"$WORLD/second/catatonit"
	chmod 755 "$WORLD"/*/catatonit
	is "helper_binaries_dir: the first that has it" "$(conf "[engine]\nhelper_binaries_dir=[\"$WORLD/first\",\"$WORLD/second\"]" run --init $image true 2>&1)" first
	mkdir -p "$WORLD/helpers"
	printf '#!/bin/sh\necho started >"%s/helped"\nexit 1\n' "$WORLD" >"$WORLD/helpers/slirp4netns"
	chmod 755 "$WORLD/helpers/slirp4netns"
	is "info names a helper there" "$(conf "[engine]\nhelper_binaries_dir=[\"$WORLD/helpers\"]" pod info --format '{{.Host.Slirp4NetNS.Executable}}')" "$WORLD/helpers/slirp4netns"
	if [ "$(id -u)" != 0 ]; then
		conf "[engine]\nhelper_binaries_dir=[\"$WORLD/helpers\"]" pod run --rm --network slirp4netns $image true >/dev/null 2>&1
		is "and it is started" "$(cat "$WORLD/helped")" started
	fi

	# Where what cannot be streamed is kept.
	pod save $image 2>/dev/null | gzip >"$WORLD/a.tar.gz"
	mkdir -p "$WORLD/copy"
	is "image_copy_tmp_dir that is not there" "$(conf "[engine]\nimage_copy_tmp_dir=\"$WORLD/nosuch\"" pod load -q -i "$WORLD/a.tar.gz" 2>&1)" "Error: making a temporary file in $WORLD/nosuch: no such file or directory"
	is "one that is" "$(conf "[engine]\nimage_copy_tmp_dir=\"$WORLD/copy\"" pod load -q -i "$WORLD/a.tar.gz" 2>&1)" "Loaded image: $image:latest"
	is "the caller's TMPDIR wins" "$(TMPDIR=$WORLD/other conf "[engine]\nimage_copy_tmp_dir=\"$WORLD/copy\"" pod load -q -i "$WORLD/a.tar.gz" 2>&1)" "Error: making a temporary file in $WORLD/other: no such file or directory"
	is "info tells which it is" "$(conf "[engine]\nimage_copy_tmp_dir=\"$WORLD/copy\"" pod info --format '{{.Store.ImageCopyTmpDir}}') $(conf '[engine]\nimage_copy_tmp_dir="storage"' pod info --format '{{.Store.ImageCopyTmpDir}}') $(pod info --format '{{.Store.ImageCopyTmpDir}}')" "$WORLD/copy $ROOT/tmp $ROOT/tmp"

	# A seccomp profile that was named holds for what is privileged too.
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' >"$WORLD/sc.json"
	denied() { "$@" mkdir /x 2>&1 | grep -c 'Operation not permitted'; }
	is "--privileged --security-opt seccomp=FILE" "$(denied run --privileged --security-opt seccomp="$WORLD/sc.json" $image)" 1
	is "the same by seccomp_profile" "$(conf "[containers]\nseccomp_profile=\"$WORLD/sc.json\"" denied run --privileged $image)" 1
	is "the host's own profile does not" "$(run --privileged $image grep Seccomp: /proc/self/status | cut -f2)" 0
	is "seccomp_profile gives way to an option" "$(conf '[containers]\nseccomp_profile="/nosuch"' run --security-opt seccomp=unconfined $image echo fine)" fine
	is "--security-opt seccomp= is the host's own" "$(run --security-opt seccomp= $image grep Seccomp: /proc/self/status | cut -f2)" 2
	is "Docker's colon" "$(run --security-opt seccomp:unconfined --security-opt label:disable $image grep Seccomp: /proc/self/status | cut -f2)" 0
	is "a directory is no profile" "$(pod create --network none --security-opt seccomp=/etc $image true 2>&1; pod ps -aq)" "Error: seccomp profile /etc: not a regular file"
	is "a word alone is no option" "$(run --security-opt seccomp $image true 2>&1)" 'Error: invalid --security-opt 1: "seccomp"'
	is "--pids-limit beyond the kernel's" "$(run --pids-limit 4194305 $image true 2>&1)" "Error: invalid value 4194305 for --pids-limit: must be at most 4194304"
}
conf_checks
{
	declare -f conf_checks
	echo conf_checks
} | user_part
