/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/base/text.h"
#include "pod-store/layer/xattr.h"

bool
xattr_is_kept(const char *name)
{
	if (text_has_prefix(name, "user."))
		return !text_has_prefix(name, "user.overlay.") &&
		       !text_has_prefix(name, "user.fuseoverlayfs.");
	return strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static int
compare(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool
read_one(int fd, const char *name, struct tar_xattr *x, struct arena *a)
{
	ssize_t n = fgetxattr(fd, name, NULL, 0);
	char *value;

	if (n < 0)
		return false;
	value = arena_alloc(a, (size_t)n + 1);
	n = fgetxattr(fd, name, value, (size_t)n);
	if (n < 0)
		return false;
	*x = (struct tar_xattr){arena_strdup(a, name), value, (size_t)n};
	return true;
}

size_t
xattr_read(int fd, struct tar_xattr out[TAR_XATTRS_MAX], struct arena *a)
{
	char names[65536]; /* XATTR_LIST_MAX */
	ssize_t n = flistxattr(fd, names, sizeof(names));
	size_t count = 0;

	for (ssize_t i = 0; i < n && count < TAR_XATTRS_MAX; i += (ssize_t)strlen(names + i) + 1)
		if (xattr_is_kept(names + i) && read_one(fd, names + i, &out[count], a))
			count++;
	if (count > 1)
		qsort(out, count, sizeof(*out), compare);
	return count;
}
