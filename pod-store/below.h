/* SPDX-License-Identifier: ISC */
/*
 * rw/ID/image: a link that says what a container's read-write layer stands on.  Its text is the image's ID (its bytes
 * in base64, so that no block of the disk is needed for it; its digits in links of older versions), with a mark
 * behind it if the mount points (mountpoints.h) are the lowest layer.
 */
#ifndef POD_BELOW_H
#define POD_BELOW_H

#include <stdbool.h>

#include "common/base/err.h"

struct below {
	char image[80];
	bool mountpoints;
};

/* Of the layer rw, a name below dir.  -1: it has no such link. */
int below_read(int dir, const char *rw, struct below *b);

/* Makes the link in the directory rw; one that says the same may be there. */
int below_write(int rw, const char *image, bool mountpoints, struct err *e);

#endif
