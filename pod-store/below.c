/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-store/below.h"

#define MARK "/mountpoints" /* no ID has a slash */

int
below_read(int dir, const char *rw, struct below *b)
{
	char link[NAME_MAX + 8], *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "%s/image", rw);
	n = readlinkat(dir, link, b->image, sizeof(b->image) - 1);
	if (n <= 0)
		return -1;
	b->image[n] = '\0';
	slash = strchr(b->image, '/');
	b->mountpoints = slash != NULL;
	if (slash != NULL)
		*slash = '\0';
	return 0;
}

int
below_write(int rw, const char *image, bool mountpoints, struct err *e)
{
	own_mem char *text = xasprintf("%s%s", image, mountpoints ? MARK : "");
	struct below there;

	if (symlinkat(text, rw, "image") == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "making the read-write layer");
	if (below_read(rw, ".", &there) == -1 || strcmp(there.image, image) != 0 ||
	    there.mountpoints != mountpoints)
		return err_set(e, ERR_STATE, "the container stands on another image");
	return 0;
}
