/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/life/listen.h"
#include "pod-run/life/session.h"

#define STAT_MAX 4096
#define ANCESTORS_MAX 64

/* The parent of a process; 0: there is none, or it cannot be told. */
static pid_t
parent_of(pid_t pid)
{
	own_mem char *path = xasprintf("/proc/%d/stat", (int)pid), *text = NULL;
	const char *after;
	struct err ignored = {0};
	size_t n;
	int parent;

	if (file_read(AT_FDCWD, path, STAT_MAX, &text, &n, &ignored) == -1)
		return 0;
	/* The name before it may hold anything. */
	after = strrchr(text, ')');
	return after != NULL && sscanf(after + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

/*
 * sd_listen_fds(3) asks for our own process ID.  A wrapper that waits for us was given it instead, so that of a process
 * above us counts too; any other was told to somebody else, and what its numbers are here is chance.
 */
static bool
is_for_us(const char *whose)
{
	pid_t at = getpid();
	uint64_t pid;

	if (whose == NULL || text_to_u64(whose, INT32_MAX, &pid) == -1)
		return false;
	for (int i = 0; i < ANCESTORS_MAX && at > 1; i++, at = parent_of(at))
		if (pid == (uint64_t)at)
			return true;
	return false;
}

int
listen_preserve(struct start *s, struct err *e)
{
	const char *count = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
	struct err missing = {0};
	char own[24];
	uint64_t n;

	snprintf(own, sizeof(own), "%d", (int)getpid());
	if (count == NULL || text_to_u64(count, INT32_MAX, &n) == -1 || n == 0)
		return 0;
	if (s->preserve_fds > 0) {
		log_warn("Ignoring LISTEN_FDS to preserve custom user-specified FDs");
		return 0;
	}
	if (!is_for_us(whose))
		return 0;
	s->preserved = session_preserved(n, NULL, &missing);
	if (s->preserved == -1) {
		/* A wrapper that closed them. */
		if (strcmp(whose, own) != 0)
			return 0;
		*e = missing;
		return -1;
	}
	s->preserve_fds = s->listen_fds = n;
	return 0;
}
