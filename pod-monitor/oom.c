/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "common/base/own.h"
#include "common/base/text.h"
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

/* The path of the memory cgroup's directory. */
static int
cgroup_path(pid_t pid, bool *v2, char path[static PATH_MAX])
{
	char name[64], text[16384];
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
	snprintf(path, PATH_MAX, "/sys/fs/cgroup%s%s", *v2 ? "" : "/memory", below);
	return 0;
}

/* Cuts the path off before the last scope in it.  Returns whether there is one. */
static bool
leave_scope(char *path)
{
	char *slash;

	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (text_has_suffix(slash + 1, ".scope"))
			return true;
	}
	return false;
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

/* memory.max in dir; 0 for "max". */
static uint64_t
limit_of(int dir)
{
	own_fd int fd = openat(dir, "memory.max", O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return strtoull(text, NULL, 10);
}

void
oom_watch(struct oom *o, pid_t pid)
{
	char path[PATH_MAX];
	own_fd int dir = -1, slice = -1;

	o->counter = o->event = o->above = -1;
	if (cgroup_path(pid, &o->v2, path) != 0)
		return;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	o->counter =
	    openat(dir, o->v2 ? "memory.events" : "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (o->counter < 0)
		return;
	if (!o->v2) {
		register_v1(o, dir);
		return;
	}
	o->event = o->counter;
	o->events = EPOLLPRI;
	o->limit = limit_of(dir);
	if (leave_scope(path)) {
		slice = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		o->above = openat(slice, "memory.events", O_RDONLY | O_CLOEXEC);
	}
	oom_check(o);
}

/* A number of memory.events or memory.oom_control; key ends with a space.  0 if there is none. */
static uint64_t
number(const char *text, const char *key)
{
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (text_has_prefix(line, key))
			return strtoull(line + strlen(key), NULL, 10);
	}
	return 0;
}

static bool
read_events(int fd, char *text, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/*
 * systemd removes a scope with its last process, and may be faster than we are: then the counter of the slice, which
 * counts what was killed below it, tells of one that had reached its limit.
 */
bool
oom_check(struct oom *o)
{
	char text[1024], above[1024];
	uint64_t count, killed;

	if (o->counter < 0 || o->seen)
		return o->seen;
	if (!o->v2 && o->event >= 0)
		while (read(o->event, &count, sizeof(count)) > 0)
			;
	/* First the slice's: what is killed in between is in our own. */
	read_events(o->above, above, sizeof(above));
	killed = number(above, "oom_kill ");
	if (read_events(o->counter, text, sizeof(text))) {
		o->seen = number(text, "oom_kill ") > 0;
		o->full = number(text, "max ") > 0;
		o->killed_above = killed;
		/* The event of v1 also comes when the cgroup is removed; the counter tells. */
		o->over = !o->v2 || o->seen;
	} else {
		o->seen = o->full && killed > o->killed_above;
		o->over = true;
	}
	return o->seen;
}

/*
 * One that goes from little to everything at once is killed before its counter has been read; half the limit, as the
 * rest is what the kernel needs for it.
 */
bool
oom_ended(struct oom *o, long peak_kib)
{
	if (o->limit > 0 && (uint64_t)peak_kib >= o->limit / 1024 / 2)
		o->full = true;
	return oom_check(o);
}

void
oom_close(struct oom *o)
{
	if (o->event == o->counter)
		o->event = -1;
	fd_close(&o->event);
	fd_close(&o->counter);
	fd_close(&o->above);
}
