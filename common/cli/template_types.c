/* SPDX-License-Identifier: ISC */
/*
 * What a template must know of the Go structs whose values stand here as JSON: which fields hold other structs, which
 * are left out of JSON or null when they hold nothing, and the order of all of them, where JSON has another.
 */
#include <string.h>

#include "common/base/own.h"
#include "common/cli/template_int.h"

#define CTR "define.InspectContainerData"
#define STATE "*define.InspectContainerState"
#define CONFIG "*define.InspectContainerConfig"
#define HOST "*define.InspectContainerHostConfig"
#define NET "*define.InspectNetworkSettings"
#define BASIC "define.InspectBasicNetworkConfig"
#define ENDPOINT "*define.InspectAdditionalNetwork"
#define HEALTH "*define.HealthCheckResults"
#define CHECK "*manifest.Schema2HealthConfig"
#define MOUNT "define.InspectMount"
#define IMAGE "inspect.ImageData"
#define IMAGE_CONFIG "*v1.ImageConfig"
#define IMAGE_HISTORY "v1.History"
#define OCI_IMAGE "v1.Image"
#define DRIVER "*define.DriverData"
#define INFO "*define.HostInfo"
#define STORE "*define.StoreInfo"
#define VOLUME "define.InspectVolumeData"
#define VOLUME_CONFIG "entities.VolumeConfigResponse"
#define VOLUME_ROW "entities.VolumeListReport"
#define CTR_ROW "containers.psReporter"
#define CTR_LIST "entities.ListContainer"
#define STEP_ROW "images.historyReporter"
#define STEP "entities.ImageHistoryLayer"
#define STATS_ROW "containers.containerStats"
#define STATS "*define.ContainerStats"

static const struct {
	const char *type, *field, *of;
	int levels; /* of lists and maps around it; TEMPLATE_EMBEDDED: its fields are those of the holder */
} holders[] = {
    {CTR, "State", STATE, 0},
    {CTR, "Config", CONFIG, 0},
    {CTR, "HostConfig", HOST, 0},
    {CTR, "NetworkSettings", NET, 0},
    {CTR, "GraphDriver", DRIVER, 0},
    {CTR, "Mounts", MOUNT, 1},
    {STATE, "Health", HEALTH, 0},
    {STATE, "Healthcheck", HEALTH, 0},
    {HEALTH, "Log", "define.HealthCheckLog", 1},
    {CONFIG, "Healthcheck", CHECK, 0},
    {HOST, "LogConfig", "*define.InspectLogConfig", 0},
    {HOST, "RestartPolicy", "*define.InspectRestartPolicy", 0},
    {HOST, "Ulimits", "define.InspectUlimit", 1},
    {HOST, "Devices", "define.InspectDevice", 1},
    {HOST, "IDMappings", "*define.InspectIDMappings", 0},
    {HOST, "PortBindings", "define.InspectHostPort", 2},
    {HOST, "BlkioWeightDevice", "define.InspectBlkioWeightDevice", 1},
    {HOST, "BlkioDeviceReadBps", "define.InspectBlkioThrottleDevice", 1},
    {HOST, "BlkioDeviceWriteBps", "define.InspectBlkioThrottleDevice", 1},
    {HOST, "BlkioDeviceReadIOps", "define.InspectBlkioThrottleDevice", 1},
    {HOST, "BlkioDeviceWriteIOps", "define.InspectBlkioThrottleDevice", 1},
    {CONFIG, "Secrets", "*define.InspectSecret", 1},
    {CONFIG, "ExposedPorts", "struct {}", 1},
    {CONFIG, "Volumes", "struct {}", 1},
    {NET, "InspectBasicNetworkConfig", BASIC, TEMPLATE_EMBEDDED},
    {NET, "Ports", "define.InspectHostPort", 2},
    {NET, "Networks", ENDPOINT, 1},
    {ENDPOINT, "InspectBasicNetworkConfig", BASIC, TEMPLATE_EMBEDDED},
    {BASIC, "SecondaryIPAddresses", "define.Address", 1},
    {BASIC, "SecondaryIPv6Addresses", "define.Address", 1},
    {IMAGE_CONFIG, "ExposedPorts", "struct {}", 1},
    {IMAGE_CONFIG, "Volumes", "struct {}", 1},
    {IMAGE, "Config", IMAGE_CONFIG, 0},
    {IMAGE, "GraphDriver", DRIVER, 0},
    {IMAGE, "RootFS", "*define.RootFS", 0},
    {IMAGE, "History", IMAGE_HISTORY, 1},
    {IMAGE, "HealthCheck", CHECK, 0},
    {OCI_IMAGE, "Config", IMAGE_CONFIG, 0},
    {OCI_IMAGE, "RootFS", "v1.RootFS", 0},
    {OCI_IMAGE, "History", IMAGE_HISTORY, 1},
    {"define.Info", "Host", INFO, 0},
    {INFO, "NetworkBackendInfo", "types.NetworkInfo", 0},
    {INFO, "Pasta", "define.PastaInfo", 0},
    {INFO, "Slirp4NetNS", "define.SlirpInfo", 0},
    {INFO, "Conmon", "*define.ConmonInfo", 0},
    {INFO, "CPUUtilization", "*define.CPUUsage", 0},
    {INFO, "Distribution", "define.DistributionInfo", 0},
    {INFO, "IDMappings", "define.IDMappings", 0},
    {INFO, "OCIRuntime", "*define.OCIRuntimeInfo", 0},
    {INFO, "RemoteSocket", "*define.RemoteSocket", 0},
    {INFO, "Security", "define.SecurityInfo", 0},
    {"define.Info", "Store", STORE, 0},
    {STORE, "ContainerStore", "define.ContainerStore", 0},
    {STORE, "ImageStore", "define.ImageStore", 0},
    {"define.Info", "Version", "define.Version", 0},
    {"define.Info", "Plugins", "define.Plugins", 0},
    {"entities.SystemVersionReport", "Client", "*define.Version", 0},
    {"entities.SecretInfoReport", "Spec", "entities.SecretSpec", 0},
    {"entities.SecretSpec", "Driver", "entities.SecretDriverSpec", 0},
    {CTR_ROW, "ListContainer", CTR_LIST, TEMPLATE_EMBEDDED},
    {CTR_ROW, "Namespaces", "entities.ListContainerNamespaces", 0},
    {CTR_LIST, "Namespaces", "entities.ListContainerNamespaces", 0},
    {CTR_LIST, "Ports", "types.PortMapping", 1},
    {CTR_LIST, "Size", "*define.ContainerSize", 0},
    {"images.imageReporter", "ImageSummary", "entities.ImageSummary", TEMPLATE_EMBEDDED},
    {STEP_ROW, "ImageHistoryLayer", STEP, TEMPLATE_EMBEDDED},
    {STATS_ROW, "ContainerStats", STATS, TEMPLATE_EMBEDDED},
    {STATS_ROW, "Network", "define.ContainerNetworkStats", 1},
    {STATS, "Network", "define.ContainerNetworkStats", 1},
    {"events.Event", "Details", "events.Details", TEMPLATE_EMBEDDED},
    {VOLUME_ROW, "VolumeConfigResponse", VOLUME_CONFIG, TEMPLATE_EMBEDDED},
    {VOLUME_ROW, "InspectVolumeData", VOLUME, TEMPLATE_EMBEDDED},
    {VOLUME_CONFIG, "InspectVolumeData", VOLUME, TEMPLATE_EMBEDDED},
    {"types.Network", "Subnets", "types.Subnet", 1},
    {"types.Network", "Containers", "types.NetworkContainerInfo", 1},
    {"types.NetworkContainerInfo", "Interfaces", "types.NetInterface", 1},
    {"types.NetInterface", "Subnets", "types.NetAddress", 1},
    {"types.Subnet", "LeaseRange", "*types.LeaseRange", 0},
    {"networks.ListPrintReports", "Network", "types.Network", 0},
    {"networks.ListPrintReports", "Subnets", "types.Subnet", 1},
};

#define NO_TIME "\"0001-01-01T00:00:00Z\""

static const struct {
	const char *type, *field, *zero;
} optional[] = {
    {CTR, "SizeRw", "null"},
    {CTR, "SizeRootFs", "0"},
    {CTR, "OCIConfigPath", "\"\""},
    {STATE, "Health", "null"},
    {STATE, "ConmonPid", "0"},
    {STATE, "PidFile", "\"\""},
    {STATE, "CgroupPath", "\"\""},
    {STATE, "CheckpointedAt", NO_TIME},
    {STATE, "RestoredAt", NO_TIME},
    {STATE, "CheckpointLog", "\"\""},
    {STATE, "CheckpointPath", "\"\""},
    {STATE, "RestoreLog", "\"\""},
    {STATE, "Checkpointed", "false"},
    {STATE, "Restored", "false"},
    {STATE, "StoppedByUser", "false"},
    {CONFIG, "Healthcheck", "null"},
    {CONFIG, "HealthcheckOnFailureAction", "\"\""},
    {CONFIG, "HealthLogDestination", "\"\""},
    {CONFIG, "HealthcheckMaxLogCount", "0"},
    {CONFIG, "HealthcheckMaxLogSize", "0"},
    {CONFIG, "StartupHealthCheck", "null"},
    {CONFIG, "CreateCommand", "[]"},
    {CONFIG, "Timezone", "\"\""},
    {CONFIG, "SystemdMode", "false"},
    {CONFIG, "Umask", "\"\""},
    {CONFIG, "Secrets", "[]"},
    {CONFIG, "Passwd", "null"},
    {CONFIG, "ChrootDirs", "[]"},
    {CONFIG, "SdNotifySocket", "\"\""},
    {CONFIG, "ExposedPorts", "{}"},
    {CONFIG, "Annotations", "{}"},
    {CONFIG, "Entrypoint", "[]"},
    {CONFIG, "Volumes", "{}"},
    {HOST, "CgroupManager", "\"\""},
    {HOST, "Links", "[]"},
    {HOST, "BlkioWeightDevice", "[]"},
    {HOST, "BlkioDeviceReadBps", "[]"},
    {HOST, "BlkioDeviceWriteBps", "[]"},
    {HOST, "BlkioDeviceReadIOps", "[]"},
    {HOST, "BlkioDeviceWriteIOps", "[]"},
    {HOST, "CgroupConf", "{}"},
    {HOST, "IDMappings", "null"},
    {HOST, "IntelRdtClosID", "\"\""},
    {HOST, "Init", "false"},
    {CHECK, "Test", "[]"},
    {CHECK, "StartPeriod", "0"},
    {CHECK, "StartInterval", "0"},
    {CHECK, "Interval", "0"},
    {CHECK, "Timeout", "0"},
    {CHECK, "Retries", "0"},
    {NET, "Networks", "{}"},
    {BASIC, "SecondaryIPAddresses", "[]"},
    {BASIC, "SecondaryIPv6Addresses", "[]"},
    {BASIC, "AdditionalMacAddresses", "[]"},
    {ENDPOINT, "NetworkID", "\"\""},
    {ENDPOINT, "DriverOpts", "{}"},
    {ENDPOINT, "IPAMConfig", "{}"},
    {ENDPOINT, "Links", "[]"},
    {ENDPOINT, "Aliases", "[]"},
    {MOUNT, "Name", "\"\""},
    {MOUNT, "SubPath", "\"\""},
    {"*define.InspectLogConfig", "Config", "{}"},
    {"*define.InspectLogConfig", "Path", "\"\""},
    {"*define.InspectLogConfig", "Tag", "\"\""},
    {"*define.InspectLogConfig", "Size", "\"\""},
    {DRIVER, "Data", "{}"},
    {IMAGE, "HealthCheck", "null"},
    {IMAGE, "Labels", "{}"},
    {IMAGE, "Annotations", "{}"},
    {IMAGE_CONFIG, "User", "\"\""},
    {IMAGE_CONFIG, "ExposedPorts", "{}"},
    {IMAGE_CONFIG, "Env", "[]"},
    {IMAGE_CONFIG, "Entrypoint", "[]"},
    {IMAGE_CONFIG, "Cmd", "[]"},
    {IMAGE_CONFIG, "Volumes", "{}"},
    {IMAGE_CONFIG, "WorkingDir", "\"\""},
    {IMAGE_CONFIG, "Labels", "{}"},
    {IMAGE_CONFIG, "StopSignal", "\"\""},
    {IMAGE_CONFIG, "ArgsEscaped", "false"},
    {IMAGE_HISTORY, "Created", "null"},
    {IMAGE_HISTORY, "CreatedBy", "\"\""},
    {IMAGE_HISTORY, "Author", "\"\""},
    {IMAGE_HISTORY, "Comment", "\"\""},
    {IMAGE_HISTORY, "EmptyLayer", "false"},
    {OCI_IMAGE, "Created", "null"},
    {OCI_IMAGE, "Author", "\"\""},
    {OCI_IMAGE, "Variant", "\"\""},
    {OCI_IMAGE, "OSVersion", "\"\""},
    {OCI_IMAGE, "OSFeatures", "[]"},
    {OCI_IMAGE, "History", "[]"},
    {"Output", "Name", "\"\""},
    {"*define.RootFS", "Layers", "[]"},
    {INFO, "RuntimeInfo", "{}"},
    {INFO, "EmulatedArchitectures", "[]"},
    {INFO, "FreeLocks", "null"},
    {INFO, "Variant", "\"\""},
    {"define.IDMappings", "GIDMap", "[]"},
    {"define.IDMappings", "UIDMap", "[]"},
    {"define.Plugins", "Authorization", "[]"},
    {"define.DistributionInfo", "Variant", "\"\""},
    {CTR_ROW, "ExposedPorts", "{}"},
    {CTR_LIST, "ExposedPorts", "{}"},
    {VOLUME, "Status", "{}"},
    {VOLUME, "UID", "0"},
    {VOLUME, "GID", "0"},
    {VOLUME, "Anonymous", "false"},
    {VOLUME, "NeedsCopyUp", "false"},
    {VOLUME, "NeedsChown", "false"},
    {VOLUME, "Timeout", "0"},
    {VOLUME, "StorageID", "\"\""},
    {VOLUME, "LockNumber", "0"},
    {"entities.ImageSummary", "ReadOnly", "false"},
    {"entities.ImageSummary", "Dangling", "false"},
    {"events.Details", "PodID", "\"\""},
    {"events.Details", "Attributes", "{}"},
    {"types.NetInterface", "Subnets", "[]"},
    {"types.NetInterface", "MacAddress", "\"\""},
    {"types.NetAddress", "Gateway", "\"\""},
    {"types.Subnet", "Gateway", "\"\""},
    {"types.Subnet", "LeaseRange", "null"},
};

/* As far as JSON's is another: a struct embedded in one or a field left out would be missed, else. */
static const struct {
	const char *type, *fields;
} orders[] = {
    {CTR, "ID Created Path Args State Image ImageDigest ImageName Rootfs Pod ResolvConfPath "
	  "HostnamePath HostsPath "
	  "StaticDir OCIConfigPath OCIRuntime ConmonPidFile PidFile Name RestartCount Driver "
	  "MountLabel "
	  "ProcessLabel AppArmorProfile EffectiveCaps BoundingCaps ExecIDs GraphDriver SizeRw "
	  "SizeRootFs Mounts "
	  "Dependencies NetworkSettings Namespace IsInfra IsService KubeExitCodePropagation "
	  "LockNumber Config "
	  "HostConfig"},
    {STATE, "OciVersion Status Running Paused Restarting OOMKilled Dead Pid ConmonPid ExitCode "
	    "Error StartedAt "
	    "FinishedAt Health Checkpointed CgroupPath CheckpointedAt RestoredAt CheckpointLog "
	    "CheckpointPath "
	    "RestoreLog Restored StoppedByUser"},
    {CONFIG, "Hostname DomainName User AttachStdin AttachStdout AttachStderr Tty OpenStdin "
	     "StdinOnce Env Cmd Image "
	     "Volumes WorkingDir Entrypoint OnBuild Labels Annotations StopSignal "
	     "StartupHealthCheck Healthcheck "
	     "HealthcheckOnFailureAction HealthLogDestination HealthcheckMaxLogCount "
	     "HealthcheckMaxLogSize "
	     "CreateCommand Timezone SystemdMode Umask Secrets Timeout StopTimeout Passwd "
	     "ChrootDirs SdNotifyMode "
	     "SdNotifySocket ExposedPorts"},
    {HOST,
	"Binds CgroupManager CgroupMode ContainerIDFile LogConfig NetworkMode PortBindings "
	"RestartPolicy "
	"AutoRemove AutoRemoveImage Annotations VolumeDriver VolumesFrom CapAdd CapDrop Dns "
	"DnsOptions DnsSearch "
	"ExtraHosts HostsFile GroupAdd IpcMode Cgroup Cgroups Links OomScoreAdj PidMode Privileged "
	"PublishAllPorts ReadonlyRootfs SecurityOpt Tmpfs UTSMode UsernsMode IDMappings ShmSize "
	"Runtime "
	"ConsoleSize Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight "
	"BlkioWeightDevice "
	"BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod "
	"CpuQuota "
	"CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DiskQuota KernelMemory "
	"MemoryReservation MemorySwap MemorySwappiness OomKillDisable Init PidsLimit Ulimits "
	"CpuCount CpuPercent "
	"IOMaximumIOps IOMaximumBandwidth CgroupConf IntelRdtClosID"},
    {NET, "InspectBasicNetworkConfig Bridge SandboxID HairpinMode LinkLocalIPv6Address "
	  "LinkLocalIPv6PrefixLen Ports "
	  "SandboxKey Networks"},
    {BASIC, "EndpointID Gateway IPAddress IPPrefixLen SecondaryIPAddresses IPv6Gateway "
	    "GlobalIPv6Address "
	    "GlobalIPv6PrefixLen SecondaryIPv6Addresses MacAddress AdditionalMacAddresses"},
    {ENDPOINT, "InspectBasicNetworkConfig NetworkID DriverOpts IPAMConfig Links Aliases"},
    {CHECK, "Test StartPeriod StartInterval Interval Timeout Retries"},
    {MOUNT, "Type Name Source Destination Driver Mode Options RW Propagation SubPath"},
    {IMAGE, "ID Digest RepoTags RepoDigests Parent Comment Created Config Version Author "
	    "Architecture Os Size "
	    "VirtualSize GraphDriver RootFS Labels Annotations ManifestType User History "
	    "NamesHistory HealthCheck"},
    {IMAGE_CONFIG,
	"User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal ArgsEscaped"},
    {IMAGE_HISTORY, "Created CreatedBy Author Comment EmptyLayer"},
    {OCI_IMAGE,
	"Created Author Architecture OS OSVersion OSFeatures Variant Config RootFS History"},
    {"define.Info", "Host Store Registries Plugins Version"},
    {INFO, "Arch BuildahVersion CgroupManager CgroupsVersion CgroupControllers Conmon CPUs "
	   "CPUUtilization "
	   "DatabaseBackend Distribution EventLogger FreeLocks Hostname IDMappings Kernel "
	   "LogDriver MemFree MemTotal "
	   "NetworkBackend NetworkBackendInfo OCIRuntime OS RemoteSocket RootlessNetworkCmd "
	   "RuntimeInfo "
	   "ServiceIsRemote Security Slirp4NetNS Pasta SwapFree SwapTotal Uptime Variant Linkmode "
	   "EmulatedArchitectures"},
    {STORE, "ConfigFile ContainerStore GraphDriverName GraphOptions GraphRoot GraphRootAllocated "
	    "GraphRootUsed "
	    "GraphStatus ImageCopyTmpDir ImageStore RunRoot VolumePath TransientStore"},
    {"*define.OCIRuntimeInfo", "Name Package Path Version"},
    {"define.PastaInfo", "Executable Package Version"},
    {"define.SlirpInfo", "Executable Package Version"},
    {"types.NetworkInfo", "Backend Version Package Path"},
    {"define.DistributionInfo", "Distribution Variant Version Codename"},
    {VOLUME_ROW, "VolumeConfigResponse"},
    {VOLUME_CONFIG, "InspectVolumeData"},
    {VOLUME, "Name Driver Mountpoint CreatedAt Status Labels Scope Options UID GID Anonymous "
	     "MountCount NeedsCopyUp "
	     "NeedsChown Timeout StorageID LockNumber"},
    {"types.Network",
	"Name ID Driver NetworkInterface Created Subnets Routes IPv6Enabled Internal DNSEnabled "
	"NetworkDNSServers Labels Options IPAMOptions Containers"},
    {"networks.ListPrintReports", "Network"},
    {"types.Subnet", "Subnet Gateway LeaseRange"},
    {CTR_ROW, "ListContainer"},
    {CTR_LIST, "AutoRemove Command Created CreatedAt CIDFile Exited ExitedAt ExitCode ExposedPorts "
	       "ID Image ImageID "
	       "IsInfra Labels Mounts Names Namespaces Networks Pid Pod PodName Ports Restarts "
	       "Size StartedAt State "
	       "Status"},
    {"images.imageReporter", "Repository Tag ImageSummary"},
    {"entities.ImageSummary",
	"ID ParentId RepoTags RepoDigests Created Size SharedSize VirtualSize Labels "
	"Containers ReadOnly Dangling Names Digest History"},
    {STEP_ROW, "ImageHistoryLayer"},
    {STEP, "ID Created CreatedBy Tags Size Comment"},
    {STATS_ROW, "ContainerStats"},
    {STATS, "AvgCPU ContainerID Name PerCPU CPU CPUNano CPUSystemNano SystemNano MemUsage MemLimit "
	    "MemPerc Network BlockInput BlockOutput PIDs UpTime Duration"},
    {"events.Event",
	"ContainerExitCode ID Image Name Network Status Time Type HealthStatus Error Details"},
    {"events.Details", "PodID Attributes"},
};

/* Names that a field once had, which Podman still takes in templates, or that JSON spells otherwise. */
static const struct {
	const char *type, *field, *key; /* type NULL: of any object */
} spellings[] = {
    {IMAGE_HISTORY, "Created", "created"},
    {IMAGE_HISTORY, "CreatedBy", "created_by"},
    {IMAGE_HISTORY, "Author", "author"},
    {IMAGE_HISTORY, "Comment", "comment"},
    {IMAGE_HISTORY, "EmptyLayer", "empty_layer"},
    {CONFIG, "DomainName", "Domainname"},
    {CONFIG, "SdNotifyMode", "sdNotifyMode"},
    {CONFIG, "SdNotifySocket", "sdNotifySocket"},
    {CTR, "LockNumber", "lockNumber"},
    {CTR, "ID", "Id"},
    {CTR, "ImageID", "Image"},
    {IMAGE, "ID", "Id"},
    {CTR_LIST, "ID", "Id"},
    {"entities.ImageSummary", "ID", "Id"},
    {STEP, "ID", "id"},
    {STEP, "Tags", "tags"},
    {STEP, "Size", "size"},
    {STEP, "Comment", "comment"},
    {"define.InspectHostPort", "HostIP", "HostIp"},
    {"*define.ContainerSize", "RootFsSize", "rootFsSize"},
    {"*define.ContainerSize", "RwSize", "rwSize"},
    {"types.Network", "Id", "ID"},
    {OCI_IMAGE, "Created", "created"},
    {OCI_IMAGE, "Author", "author"},
    {OCI_IMAGE, "Architecture", "architecture"},
    {OCI_IMAGE, "Variant", "variant"},
    {OCI_IMAGE, "OS", "os"},
    {OCI_IMAGE, "OSVersion", "os.version"},
    {OCI_IMAGE, "OSFeatures", "os.features"},
    {OCI_IMAGE, "Config", "config"},
    {OCI_IMAGE, "RootFS", "rootfs"},
    {OCI_IMAGE, "History", "history"},
    {"v1.RootFS", "Type", "type"},
    {"v1.RootFS", "DiffIDs", "diff_ids"},
    {NULL, "Src", "Source"},
    {NULL, "Dst", "Destination"},
    {NULL, "Healthcheck", "Health"},
};

json_t *
template_field(const json_t *v, const char *type, const char *name)
{
	json_t *found = json_object_get(v, name);

	for (size_t i = 0; i < COUNTOF(spellings) && found == NULL; i++)
		if (strcmp(spellings[i].field, name) == 0 &&
		    (spellings[i].type == NULL ||
			(type != NULL && strcmp(spellings[i].type, type) == 0)))
			found = json_object_get(v, spellings[i].key);
	return found;
}

const char *
template_type_order(const char *type)
{
	for (size_t i = 0; i < COUNTOF(orders); i++)
		if (strcmp(orders[i].type, type) == 0)
			return orders[i].fields;
	return NULL;
}

const char *
template_type_of_field(const char *type, const char *field, int *levels)
{
	for (size_t i = 0; i < COUNTOF(holders); i++)
		if (strcmp(holders[i].field, field) == 0 && strcmp(holders[i].type, type) == 0) {
			*levels = holders[i].levels;
			return holders[i].of;
		}
	return NULL;
}

json_t *
template_zero_field(const char *type, const char *field)
{
	for (size_t i = 0; i < COUNTOF(optional); i++)
		if (strcmp(optional[i].field, field) == 0 && strcmp(optional[i].type, type) == 0)
			return json_loads(optional[i].zero, JSON_DECODE_ANY, NULL);
	for (size_t i = 0; i < COUNTOF(holders); i++)
		if (holders[i].levels == TEMPLATE_EMBEDDED && strcmp(holders[i].type, type) == 0)
			return template_zero_field(holders[i].of, field);
	return NULL;
}

bool
template_is_duration(const char *type, const char *field)
{
	return strcmp(type, CHECK) == 0 && strcmp(field, "Test") != 0 &&
	       strcmp(field, "Retries") != 0;
}
