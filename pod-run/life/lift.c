/* SPDX-License-Identifier: ISC */
#include "pod-run/life/lift.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/life/usage.h"

struct file {
	const char *name, *value;
};

/* What is written for one limit, in this order. */
struct limit {
	const char *controller; /* of v1 */
	struct file v1[2], v2[2];
};
static const struct limit pids = {"pids", {{"pids.max", "max"}}, {{"pids.max", "max"}}};
static const struct limit quota = {"cpu", {{"cpu.cfs_quota_us", "-1"}}, {{"cpu.max", "max"}}};
static const struct limit memory = {"memory",
    {{"memory.memsw.limit_in_bytes", "-1"}, {"memory.limit_in_bytes", "-1"}},
    {{"memory.swap.max", "max"}, {"memory.max", "max"}}};
static const struct limit reservation = {
    "memory", {{"memory.soft_limit_in_bytes", "-1"}}, {{"memory.low", "0"}}};

static int
put(const char *dir, const struct file *f, struct err *e)
{
	own_mem char *path = xasprintf("%s/%s", dir, f->name);
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* A kernel without swap accounting has no limit of it. */
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || write(fd, f->value, strlen(f->value)) == -1)
		return err_sys(e, "writing %s", path);
	return 0;
}

static int
lift(const struct ctr *c, const struct limit *l, struct err *e)
{
	own_mem char *v1 = usage_cgroup(c, l->controller);
	own_mem char *v2 = v1 == NULL ? usage_cgroup(c, "") : NULL;
	const struct file *f = v1 != NULL ? l->v1 : l->v2;

	if (v1 == NULL && v2 == NULL)
		return 0;
	for (size_t i = 0; i < COUNTOF(l->v1) && f[i].name != NULL; i++)
		if (put(v1 != NULL ? v1 : v2, &f[i], e) == -1)
			return -1;
	return 0;
}

int
lift_limits(const struct ctr *c, const struct spec_options *o, struct err *e)
{
	const struct rec_ctr_resources *r = c->config->resources;
	const struct {
		bool wanted;
		const struct limit *limit;
	} limits[] = {
	    {o->pids_limit != NULL && (r == NULL || r->pids_limit <= 0), &pids},
	    {o->cpu_quota < 0, &quota},
	    {o->memory != NULL && (r == NULL || r->memory == 0), &memory},
	    {o->memory_reservation != NULL && (r == NULL || r->memory_reservation == 0),
		&reservation},
	};

	for (size_t i = 0; i < COUNTOF(limits); i++)
		if (limits[i].wanted && lift(c, limits[i].limit, e) == -1)
			return -1;
	return 0;
}
