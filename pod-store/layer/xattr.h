/* SPDX-License-Identifier: ISC */
/*
 * Which extended attributes belong to a layer, and reading them.
 */
#ifndef POD_XATTR_H
#define POD_XATTR_H

#include <stdbool.h>

#include "common/base/mem.h"
#include "pod-store/layer/tar.h"

/*
 * user.* but not overlay's own, file capabilities and POSIX ACLs.  Never trusted.* (overlay would
 * obey it) nor labels and hashes of the host (security.selinux, .ima, .evm).
 */
bool xattr_is_kept(const char *name);

/* The kept attributes of the open file, sorted by name, in a.  Their number; 0 also where there can
 * be none. */
size_t xattr_read(int fd, struct tar_xattr out[TAR_XATTRS_MAX], struct arena *a);

#endif
