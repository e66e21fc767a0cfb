/* SPDX-License-Identifier: ISC */
/*
 * Writes the entries of a layer below one directory, the layer's root.  Nothing outside it is read,
 * written, linked or changed, whatever the entries say.
 *
 *	- Whiteouts become overlay's: a character device 0:0; an opaque directory gets the attribute
 *	  user.overlay.opaque in a user namespace, elsewhere it is reported (see opaque.h), because
 *	  trusted.* takes a privilege that the worker does not have.
 *	- A later entry of a name replaces the earlier one, and a link is replaced, never followed.
 *	- Kept extended attributes: user.* but not user.overlay.*, security.capability and POSIX
 *ACLs.
 *	- Device nodes are made where the kernel allows it, else counted; 0:0 is refused.
 *	- Nothing is ever allocated for a hole.
 */
#ifndef POD_EXTRACT_H
#define POD_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "pod-store/layer/dirs.h"
#include "pod-store/layer/name.h"
#include "pod-store/layer/tar.h"

struct extract {
	/* Set before the first entry. */
	bool user_xattrs; /* overlay's attributes are user.overlay.* here */
	bool squash_ids;  /* an owner that is not mapped becomes 0 instead of an error */

	/* What was done. */
	uint64_t entries, bytes, ids_squashed, devices_skipped, xattrs_skipped;
	bool replaced;	      /* contents of this stream are gone again */
	struct strbuf opaque; /* result lines, see result.h */

	/* The entry under way. */
	struct dirs dirs;
	const struct tar_entry *entry;
	char path[TAR_PATH_MAX + 1];
	int fd; /* of a regular file, else -1 */
	uint64_t offset;
	bool acls; /* some directory has a default ACL, which new files would inherit */
};

void extract_init(struct extract *x, int root); /* borrows root; sets umask 0 */

/* Steps through an entry.  Contents may be given although there is no file for them (fd is -1). */
int extract_begin(struct extract *x, const struct tar_entry *entry, struct err *e);
int extract_data(struct extract *x, const void *p, size_t n, uint64_t offset, struct err *e);
int extract_end(struct extract *x, struct err *e);

/* After the last entry, or to give up. */
void extract_finish(struct extract *x);

#endif
