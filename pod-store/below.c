/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/base64.h"
#include "pod-store/below.h"

#define MARK "/mountpoints" /* no ID has a slash */
#define ID_BYTES 32

/* Whole, text and mark stay below the 60 bytes that ext4 keeps in the link itself. */
static char *
shorten(const char *image)
{
	uint8_t bytes[ID_BYTES];

	if (!text_is_hex(image, 2 * sizeof(bytes)))
		return xstrdup(image);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		uint32_t v = 0;

		(void)text_from_hex(image + 2 * i, 2, &v);
		bytes[i] = (uint8_t)v;
	}
	return base64_url_encode(bytes, sizeof(bytes));
}

/* Links that were made before are as long as the ID. */
static void
lengthen(struct below *b)
{
	own_mem char *bytes = NULL;
	size_t n = 0;

	if (strlen(b->image) >= 2 * ID_BYTES)
		return;
	bytes = base64_url_decode(b->image, &n);
	if (bytes != NULL && n == ID_BYTES)
		text_hex((const uint8_t *)bytes, n, b->image);
}

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
	lengthen(b);
	return 0;
}

int
below_write(int rw, const char *image, bool mountpoints, struct err *e)
{
	own_mem char *name = shorten(image);
	own_mem char *text = xasprintf("%s%s", name, mountpoints ? MARK : "");
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
