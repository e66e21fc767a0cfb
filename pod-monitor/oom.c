/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-monitor/oom.h"

/* Finds the line of /proc/PID/cgroup for the v1 memory controller, else for v2; cuts out its path.
 */
static char *
find_path(char *text, bool *v2)
{
	char *found = NULL, *rest = NULL;

	*v2 = false;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':');
		char *path = names != NULL ? strchr(names + 1, ':') : NULL;

		if (path == NULL)
			continue;
		*path++ = '\0';
		if (strcmp(names, ":memory") == 0 || strncmp(names, ":memory,", 8) == 0) {
			*v2 = false;
			return path;
		}
		if (strncmp(line, "0:", 2) == 0) {
			*v2 = true;
			found = path;
		}
	}
	return found;
}

/* The memory cgroup's directory. */
static int
open_cgroup(pid_t pid, bool *v2)
{
	char name[64], text[16384], path[PATH_MAX];
	own_fd int fd = -1;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (n = file_get(fd, text, sizeof(text) - 1)) <= 0)
		return -1;
	text[n] = '\0';

	const char *below = find_path(text, v2);

	/* The root cgroup is not a container's own. */
	if (below == NULL || strcmp(below, "/") == 0 || strstr(below, "/..") != NULL)
		return -1;
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s", *v2 ? "" : "/memory", below);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* v1: an event descriptor has to be registered with the cgroup. */
static void
register_v1(struct oom *o, int dir)
{
	own_fd int control = openat(dir, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
	own_fd int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char line[32];
	int n = snprintf(line, sizeof(line), "%d %d", event, o->counter);

	if (control < 0 || event < 0 || write(control, line, (size_t)n) != n)
		return;
	o->event = fd_take(&event);
	o->events = EPOLLIN;
}

void
oom_watch(struct oom *o, pid_t pid)
{
	own_fd int dir = open_cgroup(pid, &o->v2);

	o->counter = o->event = -1;
	if (dir < 0)
		return;
	o->counter =
	    openat(dir, o->v2 ? "memory.events" : "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (o->counter < 0)
		return;
	if (o->v2) {
		o->event = o->counter;
		o->events = EPOLLPRI;
	} else {
		register_v1(o, dir);
	}
}

bool
oom_check(struct oom *o)
{
	char text[1024];
	uint64_t count;
	ssize_t n;

	if (o->counter < 0 || o->seen)
		return o->seen;
	if (!o->v2 && o->event >= 0)
		while (read(o->event, &count, sizeof(count)) > 0)
			;
	/* The event of v1 also comes when the cgroup is removed; the counter tells. */
	n = pread(o->counter, text, sizeof(text) - 1, 0);
	/* Reaching the limit is an event of v2 as well, long before anything is killed. */
	o->over = n <= 0 || !o->v2;
	if (n <= 0)
		return false;
	text[n] = '\0';

	const char *at = strstr(text, "oom_kill ");

	o->seen = at != NULL && at[9] >= '1' && at[9] <= '9';
	o->over = o->over || o->seen;
	return o->seen;
}

void
oom_close(struct oom *o)
{
	if (o->event == o->counter)
		o->event = -1;
	fd_close(&o->event);
	fd_close(&o->counter);
}
