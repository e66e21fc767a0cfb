/* SPDX-License-Identifier: ISC */
/*
 * The kernel's mount interface by descriptors (fsopen(2) and its relatives), which glibc before 2.36 has no
 * functions for.  Descriptors are close-on-exec; failures are in errno.
 */
#ifndef POD_FSAPI_H
#define POD_FSAPI_H

#include "common/base/err.h"

int fsapi_open(const char *type);
int fsapi_config(int fs, unsigned cmd, const char *key, const void *value, int aux);
int fsapi_mount(int fs, unsigned attrs);
int fsapi_open_tree(int dirfd, const char *path, unsigned flags);

/* Owners of what the detached mount shows are mapped by the user namespace. */
int fsapi_map(int mount, int userns);

/* The error of an act on fs, with the reason that the kernel wrote to its log.  type names the file system. */
int fsapi_error(int fs, const char *type, const char *act, struct err *e);

#endif
