/* SPDX-License-Identifier: ISC */
/*
 * POSIX access control lists in the form of extended attributes (acl(5), linux/posix_acl_xattr.h).
 */
#ifndef POD_ACL_H
#define POD_ACL_H

#include <stdbool.h>
#include <stddef.h>

/* What setxattr(2) would take.  A file system that is read must not hold others: they lock the file. */
bool acl_is_valid(const void *value, size_t n);

/* Do the two valid ones say the same?  Of entries that name nobody the IDs mean nothing. */
bool acl_is_same(const void *a, size_t an, const void *b, size_t bn);

/* No more than the mode of a file: nothing is kept of it. */
bool acl_is_mode(const void *value, size_t n);

#endif
