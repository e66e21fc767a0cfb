/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "pod-monitor/logs.h"

#define LOG_FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

/* Drivers without a file of ours. */
static const char *const silent[] = {"none", "off", "null"};

static bool
is_silent(const char *driver)
{
	for (size_t i = 0; i < COUNTOF(silent); i++)
		if (strcmp(driver, silent[i]) == 0)
			return true;
	return false;
}

static int
open_dir(const char *path, const char **name, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 1 : (size_t)(slash - path) + 1;

	if (n >= sizeof(dir) || (slash != NULL && slash[1] == '\0'))
		return err_set(e, ERR_INVALID, "log path %s is not a file name", path);
	memcpy(dir, slash == NULL ? "." : path, n);
	dir[n] = '\0';
	*name = slash == NULL ? path : slash + 1;

	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "opening the directory of log %s", path);
}

static int
open_one(struct logs *l, const struct rec_log_target *t, struct peer *worker, struct err *e)
{
	struct msg_stdio_log m = {
	    .index = l->n, .size_max = t->size_max, .volatile_ = t->volatile_};
	own_fd int dir = -1, file = -1;
	const char *name;
	struct stat st;

	if (t->path == NULL || t->path[0] == '\0')
		return err_set(e, ERR_INVALID, "%s requires a filename", t->driver);
	if (l->n == LOGS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d logs", LOGS_MAX);
	if ((dir = open_dir(t->path, &name, e)) < 0)
		return -1;
	file = openat(dir, name, LOG_FLAGS, 0640);
	if (file < 0 || fstat(file, &st) != 0)
		return err_sys(e, "opening log %s", t->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "log %s is not a regular file", t->path);
	m.size = st.st_size;
	m.file = file;
	if (peer_send(worker, &msg_stdio_log_desc, 0, &m, e) != 0)
		return -1;
	l->v[l->n].name = name;
	l->v[l->n].size_max = t->size_max;
	l->v[l->n++].dir = fd_take(&dir);
	return 0;
}

int
logs_open(struct logs *l, const struct rec_log_target *targets, size_t n, struct peer *worker,
    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *driver = targets[i].driver;

		if (is_silent(driver))
			continue;
		if (strcmp(driver, "k8s-file") != 0 && strcmp(driver, "json-file") != 0)
			return err_set(e, ERR_UNSUPPORTED, "log driver %s is not built", driver);
		if (open_one(l, &targets[i], worker, e) != 0)
			return -1;
	}
	return 0;
}

int
logs_renew(struct logs *l, size_t i, struct err *e)
{
	char temp[NAME_MAX + 1];
	own_fd int fd = -1;

	if (i >= l->n)
		return err_set(e, ERR_INVALID, "there is no log %zu", i);
	snprintf(temp, sizeof(temp), "%.*s.tmp", NAME_MAX - 4, l->v[i].name);
	fd = openat(l->v[i].dir, temp, LOG_FLAGS | O_TRUNC, 0640);
	if (fd < 0 || renameat(l->v[i].dir, temp, l->v[i].dir, l->v[i].name) != 0)
		return err_sys(e, "reopening log %s", l->v[i].name);
	return fd_take(&fd);
}
