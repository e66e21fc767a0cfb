/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/volume_place.h"

#define VOLUMES "volumes"
#define TRASH ".trash" /* no volume's name begins with a dot */

static bool
is_elsewhere(const struct store *s)
{
	return s->volumes_elsewhere;
}

bool
volume_place_is_apart(const struct store *s)
{
	struct statx st;

	return is_elsewhere(s) || (statx(s->dir, VOLUMES, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
				      (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0);
}

int
volume_place_look(struct store *s, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(s->dir, VOLUMES, target, sizeof(target));

	if (n == -1 && errno != EINVAL)
		return err_sys(e, "looking for the volumes of %s", s->root);
	if (n == sizeof(target) || (n >= 0 && target[0] != '/'))
		return err_set(
		    e, ERR_INTEGRITY, "%s/" VOLUMES " leads to no absolute path", s->root);
	free(s->volume_path);
	s->volumes_elsewhere = n >= 0;
	s->volume_path = n >= 0 ? xstrndup(target, (size_t)n) : xasprintf("%s/" VOLUMES, s->root);
	return 0;
}

/* In the empty directory's place; 1 if there was none that is empty. */
static int
put_link(struct store *s, const char *path, struct err *e)
{
	/* The last one, whose volumes are all gone, may have been another. */
	if (unlinkat(s->dir, VOLUMES, is_elsewhere(s) ? 0 : AT_REMOVEDIR) == -1 && errno != ENOENT)
		return errno == ENOTEMPTY || errno == EEXIST
			   ? 1
			   : err_sys(e, "moving the place of volumes to %s", path);
	if (symlinkat(path, s->dir, VOLUMES) == -1)
		return err_sys(e, "moving the place of volumes to %s", path);
	return volume_place_look(s, e);
}

static int
move_place(struct store *s, const char *path, struct err *e)
{
	own_mem char *inside = xasprintf("%s/" VOLUMES, s->root);
	int64_t n = 0;

	if (db_one_int(&s->db, db_query(&s->db, SQL_VOLUME_COUNT, e, ""), &n, e) == -1)
		return -1;
	if (n > 0)
		return 1;
	if (strcmp(path, inside) != 0)
		return put_link(s, path, e);
	if (unlinkat(s->dir, VOLUMES, 0) == -1 || mkdirat(s->dir, VOLUMES, 0700) == -1)
		return err_sys(e, "moving the place of volumes to %s", path);
	return volume_place_look(s, e);
}

int
volume_place_set(struct store *s, const char *path, bool must, struct err *e)
{
	int r;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return err_set(e, ERR_USAGE, "\"%s\" is not an absolute path", path);
	if (strcmp(path, s->volume_path) == 0)
		return 0;
	/* Whoever makes a volume holds the index's write lock meanwhile. */
	if (db_begin(&s->db, e) == -1)
		return -1;
	r = move_place(s, path, e);
	if (db_end(&s->db, r != -1, e) == -1)
		return -1;
	if (r == 0)
		return 0;
	if (must)
		return err_set(e, ERR_INVALID,
		    "database volume path \"%s\" does not match our volume path \"%s\": database "
		    "configuration mismatch",
		    s->volume_path, path);
	log_debug("Overriding volume path \"%s\" with \"%s\" from database", path, s->volume_path);
	return 0;
}

int
volume_place_open(const struct store *s, const char *below, struct err *e)
{
	/*
	 * One of the store's is opened below the store: in a mount namespace of our own (overlay.c) its path leads
	 * to another mount than our descriptors are of, and nothing can be renamed across.
	 */
	own_fd int top = is_elsewhere(s) ? open(s->volume_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
					 : openat(s->dir, VOLUMES,
					       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (top == -1)
		return err_sys(e, "opening the directory of volumes %s", s->volume_path);
	return below == NULL ? fd_take(&top)
			     : path_open(top, below, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

int
volume_place_make(const struct store *s, struct err *e)
{
	own_fd int slash = -1, made = -1, top = -1;

	if (is_elsewhere(s)) {
		slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		made = path_mkdirs(slash, s->volume_path, PATH_IN_ROOT, 0700, NULL, e);
		if (made == -1)
			return err_wrap(e, "making the directory of volumes");
		/* What was made, not what the path leads to by now. */
		top = openat(made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return top != -1
			   ? fd_take(&top)
			   : err_sys(e, "opening the directory of volumes %s", s->volume_path);
	}
	return volume_place_open(s, NULL, e);
}

int
volume_place_trash(struct store *s, const char *name, struct err *e)
{
	own_fd int top = volume_place_open(s, NULL, e), trash = -1;

	if (top == -1 && e->no == ENOENT) {
		err_clear(e);
		return 0;
	}
	if (top == -1)
		return -1;
	if (!volume_place_is_apart(s))
		return store_trash(s, top, name, e);
	if (mkdirat(top, TRASH, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making %s/" TRASH, s->volume_path);
	trash = path_open(top, TRASH, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (trash == -1 || tree_trash(top, name, trash, e) == -1)
		return -1;
	s->dirty = true;
	return 0;
}

int
volume_place_clean(const struct store *s, struct err *e)
{
	own_fd int top = -1, trash = -1;

	if (!volume_place_is_apart(s))
		return 0;
	top = volume_place_open(s, NULL, e);
	if (top == -1) {
		err_clear(e);
		return 0;
	}
	trash = path_try(top, TRASH, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (trash == -1)
		return 0;
	if (lock_take(trash, LOCK_EXCLUSIVE, LOCK_WAIT, "the trash of volumes", e) == -1)
		return -1;
	return tree_empty(trash, e) == -1 ? err_wrap(e, "emptying the trash of volumes") : 0;
}
