/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/tree.h"

/*
 * Directories open at once.  What lies deeper is moved up to the top of the tree first and removed
 * from there, so depth costs nothing.
 */
#define DEPTH_MAX 64

struct level {
	DIR *d;
	char name[NAME_MAX + 1]; /* in the level above */
};

struct removal {
	struct level level[DEPTH_MAX];
	int depth; /* levels open */
	uint64_t salt, moved;
};

static int
fresh_name(char name[NAME_MAX + 1], uint64_t *salt, uint64_t count)
{
	if (*salt == 0 && getrandom(salt, sizeof(*salt), 0) != (ssize_t)sizeof(*salt))
		return -1;
	snprintf(name, NAME_MAX + 1, ".rm-%016llx-%llu", (unsigned long long)*salt,
	    (unsigned long long)count);
	return 0;
}

int
tree_open(int dirfd, const char *name)
{
	struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
}

static int
push_fd(struct removal *r, int fd_taken, const char *name)
{
	own_fd int fd = fd_taken;
	struct level *l = &r->level[r->depth];

	if (fd == -1)
		return -1;
	l->d = fdopendir(fd);
	if (l->d == NULL)
		return -1;
	fd_take(&fd);
	snprintf(l->name, sizeof(l->name), "%s", name);
	r->depth++;
	return 0;
}

static int
push(struct removal *r, int dirfd, const char *name)
{
	int fd = tree_open(dirfd, name);

	/* An owner without privilege may have to give himself the right to list and empty it. */
	if (fd == -1 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = tree_open(dirfd, name);
	return push_fd(r, fd, name);
}

static void
pop(struct removal *r)
{
	r->depth--;
	own_dir_close(&r->level[r->depth].d);
}

static void
pop_all(struct removal *r)
{
	while (r->depth > 0)
		pop(r);
}

/* The next entry other than "." and "..", NULL at the end (errno 0) or on failure. */
static struct dirent *
next_entry(DIR *d)
{
	struct dirent *de;

	do {
		errno = 0;
		de = readdir(d);
	} while (de != NULL && (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0));
	return de;
}

/* Removes a file; 1 if the name is a directory. */
static int
remove_file(int dirfd, const char *name, unsigned char type)
{
	struct stat st;

	if (type == DT_DIR)
		return 1;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return 1;
	if (errno == EPERM && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return 1;
		errno = EPERM;
	} else if (errno == EACCES && fchmod(dirfd, 0700) == 0) {
		return unlinkat(dirfd, name, 0);
	}
	return -1;
}

/* A directory at the deepest level: enter it, or move it to the top to have its turn there. */
static int
descend(struct removal *r, const char *name)
{
	int here = dirfd(r->level[r->depth - 1].d), top = dirfd(r->level[0].d);
	char fresh[NAME_MAX + 1];

	if (unlinkat(here, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (r->depth < DEPTH_MAX)
		return push(r, here, name);
	if (fresh_name(fresh, &r->salt, r->moved++) == -1)
		return -1;
	return renameat2(here, name, top, fresh, RENAME_NOREPLACE);
}

/*
 * Empties the directory at level[0].  Passes over a level until one finds nothing: entries may be
 * skipped by readdir when others vanish, and deep directories come up to the top.
 */
static int
empty_top(struct removal *r, struct err *e)
{
	while (r->depth > 0) {
		struct level *l = &r->level[r->depth - 1];
		struct dirent *de = next_entry(l->d);
		int got;

		if (de == NULL && errno != 0)
			return err_sys(e, "listing directory %s", l->name);
		if (de != NULL) {
			got = remove_file(dirfd(l->d), de->d_name, de->d_type);
			if (got == 1)
				got = descend(r, de->d_name);
			if (got == -1)
				return err_sys(e, "removing %s", de->d_name);
			continue;
		}
		if (r->depth == 1) {
			rewinddir(l->d);
			if (next_entry(l->d) == NULL)
				return 0;
			rewinddir(l->d);
			continue;
		}
		if (unlinkat(dirfd(r->level[r->depth - 2].d), l->name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			pop(r);
		else if (errno == ENOTEMPTY || errno == EEXIST)
			rewinddir(l->d);
		else
			return err_sys(e, "removing directory %s", l->name);
	}
	return 0;
}

int
tree_empty(int fd, struct err *e)
{
	struct removal *r = xcalloc(1, sizeof(*r));
	int got = -1;

	if (push(r, fd, ".") == -1)
		err_sys(e, "opening a directory to empty it");
	else
		got = empty_top(r, e);
	pop_all(r);
	free(r);
	return got;
}

int
tree_remove(int dirfd, const char *name, struct err *e)
{
	struct removal *r;
	int got = remove_file(dirfd, name, DT_UNKNOWN);

	if (got == 0)
		return 0;
	if (got == -1)
		return err_sys(e, "removing %s", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	r = xcalloc(1, sizeof(*r));
	if (push_fd(r, openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		name) == -1)
		got = err_sys(e, "opening directory %s", name);
	else
		got = empty_top(r, e);
	pop_all(r);
	free(r);
	if (got == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		got = err_sys(e, "removing directory %s", name);
	return got == 0 ? 0 : -1;
}

int
tree_trash(int dirfd, const char *name, int trashfd, struct err *e)
{
	char fresh[NAME_MAX + 1];
	uint64_t salt = 0;

	if (fresh_name(fresh, &salt, 0) == -1)
		return err_sys(e, "making a name in the trash");
	if (renameat2(dirfd, name, trashfd, fresh, RENAME_NOREPLACE) == -1 && errno != ENOENT)
		return err_sys(e, "moving %s to the trash", name);
	return 0;
}
