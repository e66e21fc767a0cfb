/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-net/dns/resolvers.h"

#define FILE_MAX (64u << 10)
/* What systemd-resolved shows of itself, and beside it the list of servers that it asks. */
#define RESOLVED "stub-resolv.conf"
#define RESOLVED_SERVERS "resolv.conf"

void
resolvers_open(struct resolvers *r)
{
	char path[PATH_MAX];
	const char *name;
	char *slash;

	r->dir = -1;
	r->looked = -1;
	if (realpath("/etc/resolv.conf", path) == NULL || (slash = strrchr(path, '/')) == NULL)
		return;
	*slash = '\0';
	name = strcmp(slash + 1, RESOLVED) == 0 ? RESOLVED_SERVERS : slash + 1;
	if (strlen(name) >= sizeof(r->name))
		return;
	memcpy(r->name, name, strlen(name) + 1);
	r->dir = open(*path == '\0' ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void
resolvers_parse(struct resolvers *r, char *text)
{
	r->n = 0;
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		char *word = strsep(&line, " \t");

		if (strcmp(word, "nameserver") != 0)
			continue;
		while (line != NULL && *(word = strsep(&line, " \t\r")) == '\0')
			;
		if (r->n == RESOLVERS_MAX || addr_parse(word, &r->addr[r->n]) != 0)
			continue;
		if (r->loopback.len != 0 && addr_is_loopback(&r->addr[r->n]))
			r->addr[r->n] = r->loopback;
		r->n++;
	}
}

static void
look(struct resolvers *r)
{
	own_mem char *text = NULL;
	struct err e = {0};
	struct stat st;
	own_fd int fd = -1;
	size_t n;

	if (fstatat(r->dir, r->name, &st, 0) == -1)
		return;
	if (st.st_mtim.tv_sec == r->changed.tv_sec && st.st_mtim.tv_nsec == r->changed.tv_nsec)
		return;
	fd = path_open_regular(r->dir, r->name, PATH_PLAIN, FILE_MAX, NULL, &e);
	if (fd == -1 || file_slurp(fd, FILE_MAX, r->name, &text, &n, &e) == -1)
		return;
	r->changed = st.st_mtim;
	resolvers_parse(r, text);
}

struct zone_addrs
resolvers_now(struct resolvers *r)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (r->dir != -1 && now.tv_sec != r->looked) {
		r->looked = now.tv_sec;
		look(r);
	}
	return (struct zone_addrs){r->addr, r->n};
}
