/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/bus.h"

#define DEFAULT_PARENT "/libpod_parent"

static bool
lies_on(int dir, const char *name, long type)
{
	own_fd int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && (long)fs.f_type == type;
}

static enum cgroup_layout
look(void)
{
	own_fd int dir = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return CGROUP_NONE;
	if (lies_on(dir, ".", CGROUP2_SUPER_MAGIC))
		return CGROUP_V2;
	if (lies_on(dir, "unified", CGROUP2_SUPER_MAGIC))
		return CGROUP_HYBRID;
	return lies_on(dir, "pids", CGROUP_SUPER_MAGIC) ? CGROUP_V1 : CGROUP_NONE;
}

/*
 * Each walk through /sys waits for whoever adds or removes a network device, so it is done once: what is mounted
 * there does not change during a command.
 */
enum cgroup_layout
cgroup_layout(void)
{
	static enum cgroup_layout layout;
	static bool known;

	if (!known)
		layout = look();
	known = true;
	return layout;
}

char *
cgroup_own(void)
{
	own_file FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4096];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (text_has_prefix(line, "0::/")) {
			line[strcspn(line, "\n")] = '\0';
			return xstrdup(line + 3);
		}
	return NULL;
}

/* Our own cgroup on v2 as a path below /sys/fs/cgroup, or NULL. */
static char *
own_cgroup(void)
{
	own_mem char *own = cgroup_own();

	return own != NULL ? xasprintf("/sys/fs/cgroup%s", own) : NULL;
}

int
cgroup_split(const char *parent, struct err *e)
{
	own_mem char *from = xasprintf("/sys/fs/cgroup%s/cgroup.procs", parent);
	own_mem char *dir = xasprintf("/sys/fs/cgroup%s/runtime", parent);
	own_mem char *to = xasprintf("%s/cgroup.procs", dir);
	own_file FILE *f = NULL;
	char line[32];

	/* The root is no leaf anyhow, and the kernel's threads in it cannot be moved. */
	if (strcmp(parent, "/") == 0)
		return 0;
	f = fopen(from, "re");
	if (f == NULL || (mkdir(dir, 0755) < 0 && errno != EEXIST))
		return err_sys(e, "making cgroup %s", dir);
	while (fgets(line, sizeof(line), f) != NULL) {
		own_fd int fd = open(to, O_WRONLY | O_CLOEXEC);

		/* One that has just ended need not be moved. */
		if (fd < 0 || (write(fd, line, strlen(line)) < 0 && errno != ESRCH))
			return err_sys(e, "moving processes to cgroup %s", dir);
	}
	return 0;
}

/* The user's systemd hears us. */
static bool
has_session(void)
{
	struct err ignored = {0};
	own_fd int bus = bus_session(&ignored);

	return bus != -1;
}

const char *
cgroup_manager(const char *asked, bool rootless)
{
	bool wanted = asked != NULL && *asked != '\0';

	if (wanted ? strcmp(asked, "systemd") != 0 : access("/run/systemd/system", F_OK) == -1)
		return "cgroupfs";
	if (!rootless || has_session())
		return "systemd";
	if (wanted)
		log_warn(
		    "The cgroup manager is set to systemd but there is no systemd user session "
		    "available; falling back to --cgroup-manager=cgroupfs");
	return "cgroupfs";
}

bool
cgroup_delegated(enum cgroup_layout layout)
{
	own_mem char *own = layout == CGROUP_V2 ? own_cgroup() : NULL;
	own_mem char *procs = NULL;

	if (own == NULL)
		return false;
	procs = xasprintf("%s/cgroup.procs", own);
	return access(own, W_OK) == 0 && access(procs, W_OK) == 0;
}

/* May we make what is missing of parent? */
static bool
may_make(const char *parent)
{
	own_mem char *path = xasprintf("/sys/fs/cgroup/%s", parent);
	char *slash;

	while (access(path, F_OK) == -1 && errno == ENOENT && (slash = strrchr(path, '/')) != NULL)
		*slash = '\0';
	return access(path, W_OK) == 0;
}

bool
cgroup_usable(enum cgroup_layout layout, const char *manager, bool rootless, const char *parent)
{
	if (layout == CGROUP_NONE)
		return false;
	if (!rootless)
		return true;
	if (layout != CGROUP_V2)
		return false;
	if (manager != NULL && strcmp(manager, "systemd") == 0)
		return has_session();
	return cgroup_delegated(layout) && may_make(parent != NULL ? parent : DEFAULT_PARENT);
}

bool
cgroup_is_systemd(const struct rec_ctr_config *c)
{
	return c->cgroup_manager != NULL && strcmp(c->cgroup_manager, "systemd") == 0;
}

const char *
cgroup_slice(const struct rec_ctr_config *c)
{
	const char *slash = c->cgroup_parent != NULL ? strrchr(c->cgroup_parent, '/') : NULL;

	if (c->cgroup_parent == NULL)
		return "machine.slice";
	return slash != NULL ? slash + 1 : c->cgroup_parent;
}

bool
cgroup_wanted(const struct rec_ctr_config *c)
{
	return c->cgroups == NULL || strcmp(c->cgroups, "disabled") != 0;
}

char *
cgroup_oci_path(const struct rec_ctr_config *c, const char *id)
{
	const char *parent = c->cgroup_parent;

	if (!cgroup_wanted(c))
		return NULL;
	if (cgroup_is_systemd(c))
		return xasprintf("%s:libpod:%s", cgroup_slice(c), id);
	if (c->cgroups != NULL && strcmp(c->cgroups, "split") == 0)
		return xasprintf(
		    "%s/libpod-payload-%s", strcmp(parent, "/") == 0 ? "" : parent, id);
	if (parent == NULL)
		parent = DEFAULT_PARENT;
	return xasprintf("%s%s/libpod-%s", *parent == '/' ? "" : "/", parent, id);
}

char *
cgroup_monitor_path(const struct rec_ctr_config *c, bool usable)
{
	const char *parent = c->cgroup_parent != NULL ? c->cgroup_parent : DEFAULT_PARENT;

	if (!usable || cgroup_is_systemd(c) || cgroup_layout() != CGROUP_V2 ||
	    (c->cgroups != NULL && strcmp(c->cgroups, "enabled") != 0))
		return NULL;
	return xasprintf("%s%s/conmon", *parent == '/' ? "" : "/", parent);
}

char *
cgroup_fs_path(const struct rec_ctr_config *c, const char *id)
{
	if (!cgroup_wanted(c))
		return NULL;
	if (cgroup_is_systemd(c))
		return xasprintf("/%s/libpod-%s.scope", cgroup_slice(c), id);
	return cgroup_oci_path(c, id);
}
