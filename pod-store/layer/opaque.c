/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/host_root.h"
#include "common/fs/path.h"
#include "common/fs/walk.h"
#include "pod-store/layer/opaque.h"

#define TRUSTED "trusted.overlay.opaque"
#define USER "user.overlay.opaque"
#define FUSE "user.fuseoverlayfs.opaque"

bool
opaque_in_user(void)
{
	return !host_userns();
}

int
opaque_apply(int root, const struct result *r, struct err *e)
{
	const char *attribute = opaque_in_user() ? USER : TRUSTED;

	for (size_t i = 0; i < r->n; i++) {
		own_fd int fd = -1;

		if (strcmp(r->v[i].key, "opaque") != 0)
			continue;
		fd = path_open(root, r->v[i].value[0] != '\0' ? r->v[i].value : ".", PATH_IN_ROOT,
		    O_RDONLY | O_DIRECTORY, 0, e);
		if (fd == -1)
			return -1;
		if (fsetxattr(fd, attribute, "y", 1, 0) == -1)
			return err_sys(e, "marking an opaque directory");
	}
	return 0;
}

bool
opaque_is_set(int fd)
{
	static const char *const names[] = {TRUSTED, USER, FUSE};
	char value[2];

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (fgetxattr(fd, names[i], value, sizeof(value)) == 1 && value[0] == 'y')
			return true;
	return false;
}

bool
opaque_is_mark(const char *name, const struct stat *st)
{
	return S_ISCHR(st->st_mode) ? st->st_rdev == 0 && strcmp(name, ".wh..opq") == 0
				    : S_ISREG(st->st_mode) && strcmp(name, ".wh..wh..opq") == 0;
}

static int
list_one(void *arg, const struct walk_entry *w, struct err *e)
{
	own_fd int fd = -1;

	(void)e;
	if (!S_ISDIR(w->st.st_mode))
		return 0;
	fd = path_try(w->dir, w->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0 && opaque_is_set(fd))
		result_add(arg, "opaque", w->path);
	return 0;
}

int
opaque_list(int root, struct strbuf *out, struct err *e)
{
	return walk_tree(root, list_one, out, e);
}
