/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/driver.h"
#include "pod-store/overlay.h"

bool
driver_is_vfs(const struct store *s)
{
	return s->opt.driver == DRIVER_VFS || (s->opt.driver == DRIVER_AUTO && s->opt.vfs_first);
}

/* The kernel does not have it, does not let us, or cannot on this file system. */
static bool
is_refusal(const struct err *e)
{
	static const int numbers[] = {
	    ENODEV, EPERM, EACCES, EINVAL, ENOSYS, EOPNOTSUPP, ENOTSUP, ELOOP};

	for (size_t i = 0; i < COUNTOF(numbers); i++)
		if (e->no == numbers[i])
			return true;
	return false;
}

bool
driver_falls_back(struct store *s, struct err *e)
{
	if (s->opt.driver != DRIVER_AUTO || !is_refusal(e))
		return false;
	log_info("Using the storage driver vfs: %s", e->text);
	err_clear(e);
	s->opt.driver = DRIVER_VFS;
	return true;
}

/* A mount like a container's, in a staging area. */
static bool
overlay_works(struct store *s)
{
	char name[STORE_NAME_MAX], rw[STORE_NAME_MAX + 8];
	struct err e = {0};
	own_fd int area = store_stage(s, name, &e), m = -1;
	struct overlay o = {.base = s->root, .empty = "empty", .rw = rw, .userxattr = s->userxattr};

	/* A program that fails is an error, no reason to take another driver. */
	if (s->opt.mount_program != NULL)
		return true;
	if (area == -1 || mkdirat(area, "upper", 0700) == -1 || mkdirat(area, "work", 0700) == -1)
		return true;
	snprintf(rw, sizeof(rw), "tmp/%s", name);
	m = overlay_mount(&o, &e);
	return m >= 0 || !driver_falls_back(s, &e);
}

const char *
driver_name(struct store *s)
{
	if (driver_is_vfs(s) || (s->opt.driver == DRIVER_AUTO && !overlay_works(s)))
		return "vfs";
	return "overlay";
}
