/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"

int
file_put(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w == -1 && errno == ECONNRESET)
			errno = EPIPE;
		if (w == -1 && errno != EINTR)
			return -1;
		if (w > 0) {
			at += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

ssize_t
file_get(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r == 0)
			break;
		if (r == -1 && errno != EINTR)
			return -1;
		if (r > 0)
			got += (size_t)r;
	}
	return (ssize_t)got;
}

int
file_slurp(int fd, size_t max, const char *what, char **out, size_t *n, struct err *e)
{
	size_t cap = 0, used = 0;
	own_mem char *buf = NULL;
	struct stat st;
	ssize_t r;

	/* A guess only: the file may grow, and files in /proc say 0. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		cap = (uint64_t)st.st_size < max ? (size_t)st.st_size + 2 : 0;
	buf = cap > 0 ? xmalloc(cap) : NULL;
	for (;;) {
		buf = mem_grow(buf, &cap, used + 2 > 4096 ? used + 2 : 4096, 1);
		r = file_get(fd, buf + used, cap - used - 1);
		if (r == -1)
			return err_sys(e, "reading %s", what);
		used += (size_t)r;
		if (used > max)
			return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, max);
		if (used < cap - 1)
			break;
	}
	buf[used] = '\0';
	*n = used;
	*out = ptr_take(&buf);
	return 0;
}

int
file_read(int dirfd, const char *name, size_t max, char **out, size_t *n, struct err *e)
{
	own_fd int fd =
	    openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return err_sys(e, "opening %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a regular file", name);
	return file_slurp(fd, max, name, out, n, e);
}

/* A temporary file beside name, hidden, on the same file system.  Its name goes to temp. */
static int
make_temp(int dirfd, const char *name, mode_t mode, char temp[PATH_MAX])
{
	const char *slash = strrchr(name, '/');
	int dir_len = slash != NULL ? (int)(slash + 1 - name) : 0;
	int fd = -1;

	for (int i = 0; i < 16 && fd == -1; i++) {
		uint64_t salt;
		int len;

		if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
			return -1;
		len = snprintf(
		    temp, PATH_MAX, "%.*s.tmp-%016llx", dir_len, name, (unsigned long long)salt);
		if (len >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = openat(
		    dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700);
		if (fd == -1 && errno != EEXIST)
			return -1;
	}
	return fd;
}

/* Makes the name itself durable. */
static int
sync_parent(int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	char dir[PATH_MAX];
	own_fd int fd = -1;

	snprintf(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash + 1 - name) : 1,
	    slash != NULL ? name : ".");
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? -1 : fsync(fd);
}

int
file_check_place(const char *path, const char *what, struct err *e)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	own_mem char *dir = NULL;
	struct stat st;
	int r;

	if (path == NULL || *path == '\0')
		return 0;
	dir = slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)(slash - path) + 1);
	if (stat(path, &st) == -1)
		r = access(dir, W_OK | X_OK);
	else if (S_ISDIR(st.st_mode))
		r = (errno = EISDIR, -1);
	else
		r = access(path, W_OK);
	return r == 0 ? 0 : err_sys(e, "opening %s %s", what, path);
}

int
file_read_place(const char *path, size_t max, char **out, size_t *n, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd == -1 ? err_sys(e, "open %s", path) : file_slurp(fd, max, path, out, n, e);
}

int
file_write_place(const char *path, const char *what, const char *text, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd == -1 || file_put(fd, text, strlen(text)) == -1)
		return err_sys(e, "writing %s %s", what, path);
	return 0;
}

/* As root a rename would take /dev/null away for everybody. */
static bool
is_replaceable(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || S_ISREG(st.st_mode) ||
	       S_ISLNK(st.st_mode);
}

int
file_write(int dirfd, const char *name, const void *p, size_t n, mode_t mode, unsigned flags,
    struct err *e)
{
	char temp[PATH_MAX];
	own_fd int fd = -1;

	if (!is_replaceable(dirfd, name))
		return err_set(e, ERR_INVALID, "%s is no regular file", name);
	fd = make_temp(dirfd, name, mode, temp);
	if (fd == -1)
		return err_sys(e, "making a temporary file for %s", name);
	if (file_put(fd, p, n) == -1 || fchmod(fd, mode) == -1 ||
	    ((flags & FILE_SYNC) && fsync(fd) == -1)) {
		err_sys(e, "writing %s", name);
		goto undo;
	}
	if (renameat2(dirfd, temp, dirfd, name, flags & FILE_NOREPLACE ? RENAME_NOREPLACE : 0) ==
	    -1) {
		err_sys(e, "putting %s in place", name);
		goto undo;
	}
	if ((flags & FILE_SYNC) && sync_parent(dirfd, name) == -1)
		return err_sys(e, "syncing the directory of %s", name);
	return 0;
undo:
	unlinkat(dirfd, temp, 0);
	return -1;
}
