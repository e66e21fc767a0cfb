/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-monitor/record.h"

static int
open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "opening directory %s", path);
}

int
record_open(struct record *r, const struct job *j, struct err *e)
{
	r->exit_dir = r->persist_dir = r->bundle = -1;
	if (j->foreign && j->bundle != NULL && (r->bundle = open_dir(j->bundle, e)) < 0)
		return -1;
	if (j->exit_dir != NULL && (r->exit_dir = open_dir(j->exit_dir, e)) < 0)
		return -1;
	if (j->persist_dir != NULL && (r->persist_dir = open_dir(j->persist_dir, e)) < 0)
		return -1;
	return 0;
}

static int
write_number(int dir, const char *name, long v, struct err *e)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld", v);

	return file_write(dir, name, text, (size_t)n, 0644, 0, e);
}

int
record_pid(const char *path, long n, struct err *e)
{
	return write_number(AT_FDCWD, path, n, e);
}

int
record_exit(struct record *r, const char *name, int code, struct err *e)
{
	int rc = 0;

	if (r->persist_dir >= 0 && write_number(r->persist_dir, "exit", code, e) != 0)
		rc = -1;
	if (r->exit_dir >= 0 && write_number(r->exit_dir, name, code, e) != 0)
		rc = -1;
	return rc;
}

int
record_oom(struct record *r, struct err *e)
{
	const int dirs[] = {r->persist_dir, r->bundle};
	int rc = 0;

	for (size_t i = 0; i < COUNTOF(dirs); i++)
		if (dirs[i] >= 0 && file_write(dirs[i], "oom", "", 0, 0644, 0, e) != 0)
			rc = -1;
	return rc;
}
