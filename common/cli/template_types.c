/* SPDX-License-Identifier: ISC */
/*
 * What a template must know of the Go structs whose values stand here as JSON: which fields hold other structs, and
 * which are left out of JSON when they hold nothing.
 */
#include <string.h>

#include "common/base/own.h"
#include "common/cli/template_int.h"

#define CTR "define.InspectContainerData"
#define STATE "*define.InspectContainerState"
#define CONFIG "*define.InspectContainerConfig"
#define HOST "*define.InspectContainerHostConfig"
#define NET "*define.InspectNetworkSettings"
#define ENDPOINT "*define.InspectAdditionalNetwork"
#define HEALTH "*define.HealthCheckResults"
#define CHECK "*manifest.Schema2HealthConfig"
#define MOUNT "define.InspectMount"
#define IMAGE "inspect.ImageData"
#define IMAGE_CONFIG "*v1.ImageConfig"
#define IMAGE_HISTORY "v1.History"
#define OCI_IMAGE "v1.Image"
#define DRIVER "*define.DriverData"

static const struct {
	const char *type, *field, *of;
	bool each; /* not it, but the elements of the list or map */
} holders[] = {
    {CTR, "State", STATE, false},
    {CTR, "Config", CONFIG, false},
    {CTR, "HostConfig", HOST, false},
    {CTR, "NetworkSettings", NET, false},
    {CTR, "GraphDriver", DRIVER, false},
    {CTR, "Mounts", MOUNT, true},
    {STATE, "Health", HEALTH, false},
    {STATE, "Healthcheck", HEALTH, false},
    {HEALTH, "Log", "define.HealthCheckLog", true},
    {CONFIG, "Healthcheck", CHECK, false},
    {HOST, "LogConfig", "*define.InspectLogConfig", false},
    {HOST, "RestartPolicy", "*define.InspectRestartPolicy", false},
    {HOST, "Ulimits", "define.InspectUlimit", true},
    {HOST, "Devices", "define.InspectDevice", true},
    {NET, "Networks", ENDPOINT, true},
    {IMAGE, "Config", IMAGE_CONFIG, false},
    {IMAGE, "GraphDriver", DRIVER, false},
    {IMAGE, "RootFS", "*define.RootFS", false},
    {IMAGE, "History", IMAGE_HISTORY, true},
    {IMAGE, "HealthCheck", CHECK, false},
    {OCI_IMAGE, "Config", IMAGE_CONFIG, false},
    {OCI_IMAGE, "RootFS", "v1.RootFS", false},
    {OCI_IMAGE, "History", IMAGE_HISTORY, true},
    {"define.Info", "Host", "*define.HostInfo", false},
    {"*define.HostInfo", "Conmon", "*define.ConmonInfo", false},
    {"*define.HostInfo", "CPUUtilization", "*define.CPUUsage", false},
    {"*define.HostInfo", "Distribution", "define.DistributionInfo", false},
    {"*define.HostInfo", "IDMappings", "define.IDMappings", false},
    {"*define.HostInfo", "OCIRuntime", "*define.OCIRuntimeInfo", false},
    {"*define.HostInfo", "RemoteSocket", "*define.RemoteSocket", false},
    {"*define.HostInfo", "Security", "define.SecurityInfo", false},
    {"define.Info", "Store", "*define.StoreInfo", false},
    {"*define.StoreInfo", "ContainerStore", "define.ContainerStore", false},
    {"*define.StoreInfo", "ImageStore", "define.ImageStore", false},
    {"define.Info", "Version", "define.Version", false},
    {"define.Info", "Plugins", "define.Plugins", false},
    {"entities.SystemVersionReport", "Client", "*define.Version", false},
    {"entities.SecretInfoReport", "Spec", "entities.SecretSpec", false},
    {"entities.SecretSpec", "Driver", "entities.SecretDriverSpec", false},
    {"containers.psReporter", "Namespaces", "entities.ListContainerNamespaces", false},
    {"types.Network", "Subnets", "types.Subnet", true},
    {"networks.ListPrintReports", "Subnets", "types.Subnet", true},
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
    {HOST, "CgroupManager", "\"\""},
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
    {ENDPOINT, "SecondaryIPAddresses", "[]"},
    {ENDPOINT, "SecondaryIPv6Addresses", "[]"},
    {ENDPOINT, "AdditionalMacAddresses", "[]"},
    {ENDPOINT, "NetworkID", "\"\""},
    {ENDPOINT, "Aliases", "[]"},
    {MOUNT, "Name", "\"\""},
    {MOUNT, "SubPath", "\"\""},
    {"*define.InspectLogConfig", "Config", "{}"},
    {"*define.InspectLogConfig", "Path", "\"\""},
    {"*define.InspectLogConfig", "Tag", "\"\""},
    {"*define.InspectLogConfig", "Size", "\"\""},
    {DRIVER, "Data", "{}"},
    {IMAGE, "HealthCheck", "null"},
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
    {"*define.RootFS", "Layers", "[]"},
    {"*define.HostInfo", "RuntimeInfo", "{}"},
    {"*define.HostInfo", "EmulatedArchitectures", "[]"},
    {"*define.HostInfo", "FreeLocks", "null"},
    {"*define.HostInfo", "Variant", "\"\""},
    {"types.Subnet", "Gateway", "\"\""},
    {"types.Subnet", "LeaseRange", "null"},
};

const char *
template_type_of_field(const char *type, const char *field, bool *each)
{
	for (size_t i = 0; i < COUNTOF(holders); i++)
		if (strcmp(holders[i].field, field) == 0 && strcmp(holders[i].type, type) == 0) {
			*each = holders[i].each;
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
	return NULL;
}
