/* SPDX-License-Identifier: ISC */
/*
 * Writes tar headers in the one form this suite makes: POSIX ustar, with a pax extended header
 * where ustar cannot say it.  Equal input gives equal bytes.  Whole seconds, no names of users, as
 * the peers.
 */
#ifndef POD_TAROUT_H
#define POD_TAROUT_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "pod-store/layer/tar.h"

struct tarout_entry {
	const char *name; /* a directory's ends in "/" */
	const char
	    *link; /* target of a symbolic link, or with hard set the name linked to; or "" */
	bool hard;
	const struct stat *st;
	const struct tar_xattr *xattrs;
	size_t nxattrs;
};

/*
 * Appends the header, and the extended one before it, to out.  Contents (st_size bytes of a regular
 * file that is not a hard link) and padding are the caller's.  -1: no tar header exists for such a
 * file.
 */
int tarout_header(struct strbuf *out, const struct tarout_entry *x);

#endif
