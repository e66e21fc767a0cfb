/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/limits.h"
#include "pod-run/life/create.h"
#include "pod-run/oci/spec_limits.h"
#include "pod-run/oci/spec_list.h"

#define S struct spec_options

/* clang-format off */
const struct opt limits_rows[] = {
	{"blkio-weight", 0, OPT_STRING(S, blkio_weight), .flags = OPT_BLANK, .arg = "weight", .help = "Block IO weight (relative weight) accepts a weight value between 10 and 1000."},
	{"blkio-weight-device", 0, OPT_LIST(S, blkio_weight_device), .arg = "device:weight", .help = "Block IO weight (relative device weight, format: DEVICE_NAME:WEIGHT)"},
	{"cpu-period", 0, OPT_UINT(S, cpu_period), .arg = "limit", .help = "Limit the CPU CFS (Completely Fair Scheduler) period"},
	{"cpu-quota", 0, OPT_INT(S, cpu_quota), .arg = "limit", .help = "Limit the CPU CFS (Completely Fair Scheduler) quota"},
	{"cpu-rt-period", 0, OPT_UINT(S, cpu_rt_period), .arg = "microseconds", .help = "Limit the CPU real-time period in microseconds"},
	{"cpu-rt-runtime", 0, OPT_INT(S, cpu_rt_runtime), .arg = "microseconds", .help = "Limit the CPU real-time runtime in microseconds"},
	{"cpu-shares", 'c', OPT_UINT(S, cpu_shares), .arg = "shares", .help = "CPU shares (relative weight)"},
	{"cpus", 0, OPT_FLOAT(S, cpus), .arg = "number", .help = "Number of CPUs. The default is 0.000 which means no limit"},
	{"cpuset-cpus", 0, OPT_STRING(S, cpuset_cpus), .flags = OPT_BLANK, .arg = "number", .help = "CPUs in which to allow execution (0-3, 0,1)"},
	{"cpuset-mems", 0, OPT_STRING(S, cpuset_mems), .flags = OPT_BLANK, .arg = "nodes", .help = "Memory nodes (MEMs) in which to allow execution (0-3, 0,1). Only effective on NUMA systems."},
	{"device-read-bps", 0, OPT_LIST(S, device_read_bps), .arg = "path:rate", .help = "Limit read rate (bytes per second) from a device (e.g. --device-read-bps=/dev/sda:1mb)"},
	{"device-write-bps", 0, OPT_LIST(S, device_write_bps), .arg = "path:rate", .help = "Limit write rate (bytes per second) to a device (e.g. --device-write-bps=/dev/sda:1mb)"},
	{"memory", 'm', OPT_STRING(S, memory), .flags = OPT_BLANK, .arg = "number[unit]", .help = "Memory limit"},
	{"memory-reservation", 0, OPT_STRING(S, memory_reservation), .flags = OPT_BLANK, .arg = "number[unit]", .help = "Memory soft limit"},
	{"memory-swap", 0, OPT_STRING(S, memory_swap), .flags = OPT_BLANK, .arg = "number[unit]", .help = "Swap limit equal to memory plus swap: '-1' to enable unlimited swap"},
	{"memory-swappiness", 0, OPT_INT(S, memory_swappiness), .arg = "number", .def = "-1", .help = "Tune container memory swappiness (0 to 100, or -1 for system default)"},
	OPT_END,
};
/* clang-format on */

static void
overlay_memory(
    struct rec_ctr_resources *to, const struct rec_ctr_resources *r, const struct spec_options *o)
{
	if (o->memory != NULL)
		to->memory = r->memory;
	if (o->memory != NULL || o->memory_swap != NULL)
		to->memory_swap = r->memory_swap;
	if (o->memory_reservation != NULL)
		to->memory_reservation = r->memory_reservation;
	if (o->memory_swappiness >= 0)
		to->swappiness = r->swappiness;
	if (o->pids_limit != NULL)
		to->pids_limit = r->pids_limit;
}

static void
overlay_cpu(
    struct rec_ctr_resources *to, const struct rec_ctr_resources *r, const struct spec_options *o)
{
	if (o->cpus > 0 || o->cpu_period > 0)
		to->cpu_period = r->cpu_period;
	if (o->cpus > 0 || o->cpu_quota != 0)
		to->cpu_quota = r->cpu_quota;
	if (o->cpu_shares > 0)
		to->cpu_shares = r->cpu_shares;
	if (o->cpu_rt_period > 0)
		to->cpu_rt_period = r->cpu_rt_period;
	if (o->cpu_rt_runtime != 0)
		to->cpu_rt_runtime = r->cpu_rt_runtime;
	if (o->cpuset_cpus != NULL)
		to->cpuset_cpus = r->cpuset_cpus;
	if (o->cpuset_mems != NULL)
		to->cpuset_mems = r->cpuset_mems;
}

static void
overlay_io(
    struct rec_ctr_resources *to, const struct rec_ctr_resources *r, const struct spec_options *o)
{
	if (o->blkio_weight != NULL)
		to->blkio_weight = r->blkio_weight;
	if (o->blkio_weight_device.n > 0)
		to->blkio_weight_device = r->blkio_weight_device;
	if (o->device_read_bps.n > 0)
		to->read_bps = r->read_bps;
	if (o->device_write_bps.n > 0)
		to->write_bps = r->write_bps;
	if (o->device_read_iops.n > 0)
		to->read_iops = r->read_iops;
	if (o->device_write_iops.n > 0)
		to->write_iops = r->write_iops;
}

static void
overlay_ulimits(struct rec_ctr_config *c, const struct rec_ctr_config *fresh, struct arena *a)
{
	c->host_rlimits = fresh->host_rlimits;
	for (size_t i = 0; i < fresh->rlimits.n; i++) {
		size_t k;

		for (k = 0; k < c->rlimits.n; k++)
			if (strcmp(c->rlimits.v[k].type, fresh->rlimits.v[i].type) == 0)
				break;
		if (k == c->rlimits.n)
			SPEC_PUSH(a, &c->rlimits);
		c->rlimits.v[k] = fresh->rlimits.v[i];
	}
}

int
limits_apply(
    struct ctx *x, struct spec_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct rec_ctr_config fresh = *c;
	struct rec_ctr_resources *to = arena_alloc(a, sizeof(*to));
	const char *memory = o->memory;
	own_create struct create defaults;
	struct spec_input in = {.o = o};
	int r;

	create_init(&defaults, x, o);
	if (create_defaults(&defaults, e) == -1)
		return -1;
	in.d = &defaults.defaults;
	/* The namespaces decide what may be set; all else is read from the words alone. */
	memset(&fresh.rlimits, 0, sizeof(fresh.rlimits));
	memset(&fresh.sysctls, 0, sizeof(fresh.sysctls));
	memset(&fresh.devices, 0, sizeof(fresh.devices));
	memset(&fresh.device_rules, 0, sizeof(fresh.device_rules));
	fresh.resources = NULL;
	if (c->resources != NULL)
		*to = *c->resources;
	/* A limit of swap alone stands beside the limit of memory that is there. */
	if (memory == NULL && (o->memory_swap != NULL || o->memory_reservation != NULL) &&
	    to->memory > 0)
		o->memory = arena_printf(a, "%lld", (long long)to->memory);
	r = spec_limits_read(&in, &fresh, a, e);
	o->memory = memory;
	if (r == -1)
		return -1;
	if (fresh.resources != NULL) {
		overlay_memory(to, fresh.resources, o);
		overlay_cpu(to, fresh.resources, o);
		overlay_io(to, fresh.resources, o);
	}
	c->resources = to;
	if (o->ulimit.n > 0)
		overlay_ulimits(c, &fresh, a);
	return 0;
}
