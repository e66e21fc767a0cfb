/* SPDX-License-Identifier: ISC */
#include "pod-net/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"

int
netns_current(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "opening the network namespace");
}

int
netns_make(struct err *e)
{
	own_fd int before = netns_current(e);
	int fd;

	if (before < 0)
		return -1;
	if (unshare(CLONE_NEWNET) != 0)
		return err_sys(e, "creating a network namespace");
	fd = netns_current(e);
	if (fd < 0 && setns(before, CLONE_NEWNET) != 0)
		abort();
	return fd;
}

int
netns_enter(int fd, struct err *e)
{
	return setns(fd, CLONE_NEWNET) == 0 ? 0 : err_sys(e, "entering a network namespace");
}

uint64_t
netns_number(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

int
netns_sysctl(const char *key, const char *value, bool optional, struct err *e)
{
	char path[160], now[32];
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/sys/net/%s", key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (optional && errno == ENOENT)
			return 0;
		return err_sys(e, "reading sysctl net/%s", key);
	}
	n = read(fd, now, sizeof now - 1);
	if (n < 0)
		return err_sys(e, "reading sysctl net/%s", key);
	now[n] = '\0';
	now[strcspn(now, "\n")] = '\0';
	if (strcmp(now, value) == 0)
		return 0;
	fd_close(&fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "setting sysctl net/%s to %s", key, value);
	return 0;
}
