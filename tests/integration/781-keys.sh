#!/bin/bash
# SPDX-License-Identifier: ISC
# The keys of what is printed as JSON: scripts rely on each of Podman's, with its type.  And the names that
# templates of inspect may use besides.  As root and as an ordinary user.
. "$(dirname "$0")/../lib.sh"

# "= COMMAND" and the keys of what it prints: first elements of lists, no keys that are data.
rows() {
	cat <<'ROWS'
= inspect c1
[] object
[].Id string
[].Created string
[].Path string
[].Args array
[].Args[] string
[].State object
[].State.OciVersion string
[].State.Status string
[].State.Running boolean
[].State.Paused boolean
[].State.Restarting boolean
[].State.OOMKilled boolean
[].State.Dead boolean
[].State.Pid number
[].State.ConmonPid number
[].State.ExitCode number
[].State.Error string
[].State.StartedAt string
[].State.FinishedAt string
[].State.Health object
[].State.Health.Status string
[].State.Health.FailingStreak number
[].State.Health.Log array
[].State.CgroupPath string
[].State.CheckpointedAt string
[].State.RestoredAt string
[].Image string
[].ImageDigest string
[].ImageName string
[].Rootfs string
[].Pod string
[].ResolvConfPath string
[].HostnamePath string
[].HostsPath string
[].StaticDir string
[].OCIConfigPath string
[].OCIRuntime string
[].ConmonPidFile string
[].PidFile string
[].Name string
[].RestartCount number
[].Driver string
[].MountLabel string
[].ProcessLabel string
[].AppArmorProfile string
[].EffectiveCaps array
[].EffectiveCaps[] string
[].BoundingCaps array
[].ExecIDs array
[].ExecIDs[] string
[].GraphDriver object
[].GraphDriver.Name string
[].GraphDriver.Data object
[].Mounts array
[].Mounts[] object
[].Mounts[].Type string
[].Mounts[].Name string
[].Mounts[].Source string
[].Mounts[].Destination string
[].Mounts[].Driver string
[].Mounts[].Mode string
[].Mounts[].Options array
[].Mounts[].Options[] string
[].Mounts[].RW boolean
[].Mounts[].Propagation string
[].Dependencies array
[].NetworkSettings object
[].NetworkSettings.EndpointID string
[].NetworkSettings.Gateway string
[].NetworkSettings.IPAddress string
[].NetworkSettings.IPPrefixLen number
[].NetworkSettings.IPv6Gateway string
[].NetworkSettings.GlobalIPv6Address string
[].NetworkSettings.GlobalIPv6PrefixLen number
[].NetworkSettings.MacAddress string
[].NetworkSettings.Bridge string
[].NetworkSettings.SandboxID string
[].NetworkSettings.HairpinMode boolean
[].NetworkSettings.LinkLocalIPv6Address string
[].NetworkSettings.LinkLocalIPv6PrefixLen number
[].NetworkSettings.Ports object
[].NetworkSettings.SandboxKey string
[].NetworkSettings.Networks object
[].Namespace string
[].IsInfra boolean
[].IsService boolean
[].Config object
[].Config.Hostname string
[].Config.Domainname string
[].Config.User string
[].Config.AttachStdin boolean
[].Config.AttachStdout boolean
[].Config.AttachStderr boolean
[].Config.Tty boolean
[].Config.OpenStdin boolean
[].Config.StdinOnce boolean
[].Config.Env array
[].Config.Cmd array
[].Config.Cmd[] string
[].Config.Image string
[].Config.WorkingDir string
[].Config.Entrypoint null
[].Config.OnBuild null
[].Config.Labels null
[].Config.Annotations null
[].Config.StopSignal string
[].Config.Healthcheck object
[].Config.Healthcheck.Test array
[].Config.Healthcheck.Test[] string
[].Config.Healthcheck.Timeout number
[].Config.Healthcheck.Retries number
[].Config.HealthcheckOnFailureAction string
[].Config.CreateCommand array
[].Config.CreateCommand[] string
[].Config.Umask string
[].Config.Timeout number
[].Config.StopTimeout number
[].Config.Passwd boolean
[].Config.sdNotifyMode string
[].HostConfig object
[].HostConfig.Binds array
[].HostConfig.Binds[] string
[].HostConfig.CgroupManager string
[].HostConfig.CgroupMode string
[].HostConfig.ContainerIDFile string
[].HostConfig.LogConfig object
[].HostConfig.LogConfig.Type string
[].HostConfig.LogConfig.Config null
[].HostConfig.LogConfig.Path string
[].HostConfig.LogConfig.Tag string
[].HostConfig.LogConfig.Size string
[].HostConfig.NetworkMode string
[].HostConfig.PortBindings object
[].HostConfig.RestartPolicy object
[].HostConfig.RestartPolicy.Name string
[].HostConfig.RestartPolicy.MaximumRetryCount number
[].HostConfig.AutoRemove boolean
[].HostConfig.VolumeDriver string
[].HostConfig.VolumesFrom array
[].HostConfig.CapAdd array
[].HostConfig.CapDrop array
[].HostConfig.Dns array
[].HostConfig.DnsOptions array
[].HostConfig.DnsSearch array
[].HostConfig.ExtraHosts array
[].HostConfig.GroupAdd array
[].HostConfig.IpcMode string
[].HostConfig.Cgroup string
[].HostConfig.Cgroups string
[].HostConfig.Links null
[].HostConfig.OomScoreAdj number
[].HostConfig.PidMode string
[].HostConfig.Privileged boolean
[].HostConfig.PublishAllPorts boolean
[].HostConfig.ReadonlyRootfs boolean
[].HostConfig.SecurityOpt array
[].HostConfig.Tmpfs object
[].HostConfig.UTSMode string
[].HostConfig.UsernsMode string
[].HostConfig.ShmSize number
[].HostConfig.Runtime string
[].HostConfig.ConsoleSize array
[].HostConfig.ConsoleSize[] number
[].HostConfig.Isolation string
[].HostConfig.CpuShares number
[].HostConfig.Memory number
[].HostConfig.NanoCpus number
[].HostConfig.CgroupParent string
[].HostConfig.BlkioWeight number
[].HostConfig.BlkioWeightDevice null
[].HostConfig.BlkioDeviceReadBps null
[].HostConfig.BlkioDeviceWriteBps null
[].HostConfig.BlkioDeviceReadIOps null
[].HostConfig.BlkioDeviceWriteIOps null
[].HostConfig.CpuPeriod number
[].HostConfig.CpuQuota number
[].HostConfig.CpuRealtimePeriod number
[].HostConfig.CpuRealtimeRuntime number
[].HostConfig.CpusetCpus string
[].HostConfig.CpusetMems string
[].HostConfig.Devices array
[].HostConfig.DiskQuota number
[].HostConfig.KernelMemory number
[].HostConfig.MemoryReservation number
[].HostConfig.MemorySwap number
[].HostConfig.MemorySwappiness number
[].HostConfig.OomKillDisable boolean
[].HostConfig.PidsLimit number
[].HostConfig.Ulimits array
[].HostConfig.CpuCount number
[].HostConfig.CpuPercent number
[].HostConfig.IOMaximumIOps number
[].HostConfig.IOMaximumBandwidth number
[].HostConfig.CgroupConf null
[].Config.Volumes null
[].Config.Healthcheck.Interval number
[].Config.HealthLogDestination string
[].Config.HealthcheckMaxLogCount number
[].Config.HealthcheckMaxLogSize number
[].HostConfig.Init boolean
[].KubeExitCodePropagation string
[].lockNumber number
[].HostConfig.AutoRemoveImage boolean
= image inspect img
[] object
[].Id string
[].Digest string
[].RepoTags array
[].RepoTags[] string
[].RepoDigests array
[].RepoDigests[] string
[].Parent string
[].Comment string
[].Created string
[].Config object
[].Version string
[].Author string
[].Architecture string
[].Os string
[].Size number
[].VirtualSize number
[].GraphDriver object
[].GraphDriver.Name string
[].GraphDriver.Data object
[].RootFS object
[].RootFS.Type string
[].RootFS.Layers array
[].RootFS.Layers[] string
[].Labels null
[].Annotations object
[].ManifestType string
[].User string
[].History array
[].History[] object
[].History[].created string
[].History[].created_by string
[].NamesHistory array
[].NamesHistory[] string
= network inspect n1
[] object
[].name string
[].id string
[].driver string
[].network_interface string
[].created string
[].subnets array
[].subnets[] object
[].subnets[].subnet string
[].subnets[].gateway string
[].ipv6_enabled boolean
[].internal boolean
[].dns_enabled boolean
[].ipam_options object
[].ipam_options.driver string
= volume inspect v1
[] object
[].Name string
[].Driver string
[].Mountpoint string
[].CreatedAt string
[].Labels object
[].Scope string
[].Options object
[].MountCount number
= info --format json
.host object
.host.arch string
.host.cgroupManager string
.host.cgroupVersion string
.host.cgroupControllers array
.host.conmon object
.host.conmon.package string
.host.conmon.path string
.host.conmon.version string
.host.cpus number
.host.cpuUtilization object
.host.cpuUtilization.userPercent number
.host.cpuUtilization.systemPercent number
.host.cpuUtilization.idlePercent number
.host.distribution object
.host.distribution.distribution string
.host.distribution.version string
.host.distribution.codename string
.host.eventLogger string
.host.hostname string
.host.idMappings object
.host.kernel string
.host.logDriver string
.host.memFree number
.host.memTotal number
.host.networkBackend string
.host.ociRuntime object
.host.ociRuntime.name string
.host.ociRuntime.package string
.host.ociRuntime.path string
.host.ociRuntime.version string
.host.os string
.host.serviceIsRemote boolean
.host.security object
.host.security.apparmorEnabled boolean
.host.security.capabilities string
.host.security.rootless boolean
.host.security.seccompEnabled boolean
.host.security.seccompProfilePath string
.host.security.selinuxEnabled boolean
.host.slirp4netns object
.host.slirp4netns.executable string
.host.slirp4netns.package string
.host.slirp4netns.version string
.host.swapFree number
.host.swapTotal number
.host.uptime string
.host.linkmode string
.store object
.store.configFile string
.store.containerStore object
.store.containerStore.number number
.store.containerStore.paused number
.store.containerStore.running number
.store.containerStore.stopped number
.store.graphDriverName string
.store.graphRoot string
.store.graphRootAllocated number
.store.graphRootUsed number
.store.graphStatus object
.store.imageCopyTmpDir string
.store.imageStore object
.store.imageStore.number number
.store.runRoot string
.store.volumePath string
.registries object
.plugins object
.plugins.volume array
.plugins.volume[] string
.plugins.network array
.plugins.network[] string
.plugins.log array
.plugins.log[] string
.plugins.authorization null
.version object
.version.APIVersion string
.version.Version string
.version.GoVersion string
.version.GitCommit string
.version.BuiltTime string
.version.Built number
.version.OsArch string
.version.Os string
.host.buildahVersion string
.host.remoteSocket.path string
.host.remoteSocket.exists boolean
.host.databaseBackend string
.host.rootlessNetworkCmd string
.host.pasta.executable string
.host.networkBackendInfo.backend string
.store.transientStore boolean
= version --format json
.Client object
.Client.APIVersion string
.Client.Version string
.Client.GoVersion string
.Client.GitCommit string
.Client.BuiltTime string
.Client.Built number
.Client.OsArch string
.Client.Os string
= ps --format json
[] object
[].AutoRemove boolean
[].Command array
[].Command[] string
[].CreatedAt string
[].Exited boolean
[].ExitedAt number
[].ExitCode number
[].Id string
[].Image string
[].ImageID string
[].IsInfra boolean
[].Labels null
[].Mounts array
[].Mounts[] string
[].Names array
[].Names[] string
[].Namespaces object
[].Networks array
[].Networks[] string
[].Pid number
[].Pod string
[].PodName string
[].Ports array
[].Ports[] object
[].Ports[].host_ip string
[].Ports[].container_port number
[].Ports[].host_port number
[].Ports[].range number
[].Ports[].protocol string
[].Size null
[].StartedAt number
[].State string
[].Status string
[].Created number
= images --format json
[] object
[].Id string
[].ParentId string
[].RepoTags array
[].RepoDigests array
[].RepoDigests[] string
[].Size number
[].SharedSize number
[].VirtualSize number
[].Labels null
[].Containers number
[].Names array
[].Names[] string
[].Digest string
[].History array
[].History[] string
[].Created number
[].CreatedAt string
= stats --no-stream --format json
[] object
[].id string
[].name string
[].cpu_time string
[].cpu_percent string
[].avg_cpu string
[].mem_usage string
[].mem_percent string
[].net_io string
[].block_io string
[].pids string
= system df --format json
[] object
[].Type string
[].Total number
[].Active number
[].RawSize number
[].RawReclaimable number
[].TotalCount number
[].Size string
[].Reclaimable string
= events --stream=false --filter container=c1 --format json
.Status string
.Time string
.Type string
.Name string
= history --format json img
[] object
[].id string
[].created string
[].CreatedBy string
[].size number
[].comment string
[].Created string
= diff c1 --format json
.added array
.added[] string
= volume ls --format json
[] object
[].Name string
[].Driver string
[].Mountpoint string
[].CreatedAt string
[].Labels object
[].Scope string
[].Options object
[].MountCount number
= network ls --format json
[] object
[].name string
[].id string
[].driver string
[].network_interface string
[].created string
[].subnets array
[].subnets[] object
[].subnets[].subnet string
[].subnets[].gateway string
[].ipv6_enabled boolean
[].internal boolean
[].dns_enabled boolean
[].ipam_options object
[].ipam_options.driver string
= secret inspect s1
[] object
[].ID string
[].CreatedAt string
[].UpdatedAt string
[].Spec object
[].Spec.Name string
[].Spec.Driver object
[].Spec.Driver.Name string
[].Spec.Driver.Options object
[].Spec.Labels object
= secret ls --format json
[] object
[].ID string
[].Name string
[].Driver string
[].CreatedAt string
[].UpdatedAt string
ROWS
}

# Each key of a document and its type, one in a line.
flat() {
	jq -rs 'def f(p): (p + " " + type), (if type == "object" then to_entries[] | .key as $k | .value | f(p + "." + $k)
		elif type == "array" and length > 0 then .[0] | f(p + "[]") else empty end); .[0] | f("")' 2>&1
}

# check_document COMMAND WANTED
check_document() {
	local missing
	# shellcheck disable=SC2086
	pod $1 2>&1 | flat >"$WORLD/have"
	missing=$(grep -vxFf "$WORLD/have" <<<"$2" | head -n 5 | tr '\n' ';')
	is "$who: $1 has all $(wc -l <<<"$2") keys" "$missing" ""
}

keys() {
	local who=$1 line command='' wanted=''
	while read -r line; do
		case $line in
		"= "* | "=")
			[ -z "$command" ] || check_document "$command" "${wanted%$'\n'}"
			command=${line#= } wanted= ;;
		*) wanted+=$line$'\n' ;;
		esac
	done < <(rows; echo "=")
}

names() {
	local who=$1 id image
	id=$(pod inspect c1 | jq -r '.[0].Id') image=$(pod image inspect img | jq -r '.[0].Id')
	is "$who: .ID and .Id of a container" "$(pod inspect --format '{{.ID}} {{.Id}}' c1)" "$id $id"
	is "$who: of an image" "$(pod inspect --format '{{.ID}} {{.Id}}' img)" "$image $image"
	is "$who: of a network" "$(pod network inspect --format '{{if eq .ID .Id}}same{{end}}' n1)" same
	is "$who: .ImageID is .Image" "$(pod inspect --format '{{.ImageID}}' c1)" "$image"
	is "$who: .Src and .Dst of a mount" "$(pod inspect --format '{{range .Mounts}}{{.Dst}} {{if eq .Src .Source}}same{{end}}{{end}}' c1)" "/v same"
	is "$who: .State.Healthcheck is .State.Health" "$(pod inspect --format '{{.State.Healthcheck.Status}}' c1)" starting
	pod inspect --format '{{.id}}' c1 2>"$WORLD/err"
	is "$who: no others" "$?:$(grep -c "can't evaluate field id" "$WORLD/err")" 125:1
}

# Networks are this test's own, whatever else is done on the machine.
pod() { "$BIN/pod" --root "$ROOT" --runroot "$RUNROOT" --network-config-dir "$WORLD/networks" "$@"; }

fill() {
	pod volume create v1 >/dev/null
	pod network create n1 >/dev/null
	echo s | pod secret create s1 - >/dev/null
	pod run -d --name c1 --health-cmd false --health-start-period 1h --health-interval 1h -v v1:/v --network n1 -p "127.0.0.1:$(free_port):80" img sleep 1000 >/dev/null
	pod exec -d c1 sleep 1000 >/dev/null
	pod exec c1 touch /new
}

world
busybox_image img >/dev/null || { not_ok "an image can be imported"; finish; }
fill
keys root
names root
pod rm -f -t 0 c1 >/dev/null
{
	declare -f rows flat check_document keys names pod fill
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import img >/dev/null; fill; keys user; names user; pod rm -f -t 0 c1 >/dev/null; until_ok 20 test ! -e "$RUNROOT/net/rootless.ns"'
} | user_part
