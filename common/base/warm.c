/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/own.h"
#include "common/base/warm.h"

#define FRESH_MS 15
#define OWN_TASKS 6 /* of one start that may want to run at the same time */

/* Opens cgroup.procs of our own cgroup in the first v1 hierarchy of those that all hosts have. */
static int
open_procs(void)
{
	static const char *const names[] = {"pids", "freezer", "memory", "devices"};
	own_file FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX], path[PATH_MAX + 64];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *name = strchr(line, ':'), *dir;

		line[strcspn(line, "\n")] = '\0';
		if (name == NULL || (dir = strchr(++name, ':')) == NULL)
			continue;
		*dir++ = '\0';
		for (size_t i = 0; i < COUNTOF(names); i++) {
			if (strcmp(name, names[i]) != 0)
				continue;
			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cgroup.procs", name, dir);
			return open(path, O_WRONLY | O_CLOEXEC);
		}
	}
	return -1;
}

/* Do others than this start keep the processors busy?  Then somebody else works while the runtime waits. */
static bool
is_busy(void)
{
	own_fd int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	unsigned running;
	cpu_set_t cpus;

	if (n <= 0 || sched_getaffinity(0, sizeof(cpus), &cpus) == -1)
		return false;
	text[n] = '\0';
	return sscanf(text, "%*s %*s %*s %u/", &running) == 1 &&
	       running > (unsigned)CPU_COUNT(&cpus) + OWN_TASKS;
}

static int64_t last;
static pid_t mover = -1;

void
warm_started(void)
{
	last = clock_now_ms();
}

void
warm_end(void)
{
	if (mover > 0 && waitpid(mover, NULL, WNOHANG) != 0)
		mover = -1;
}

void
warm_start(void)
{
	own_fd int fd = -1;

	if (last != 0 && clock_now_ms() - last < FRESH_MS)
		return;
	warm_started();
	if (is_busy() || (fd = open_procs()) < 0 || (mover = fork()) != 0)
		return;
	/* It may wait long for others; nobody is to wait for the copies it has of our connections. */
	dup2(fd, 0);
	close_range(1, UINT_MAX, 0);
	/* From its cgroup to where it is already: nothing changes, but the lock is taken. */
	_exit(write(0, "0", 1) == 1 ? 0 : 1);
}
