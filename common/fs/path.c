/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"

#define RETRIES 64   /* EAGAIN: a rename somewhere on the system during the walk */
#define LINKS_MAX 40 /* rounds of path_mkdirs: dangling links, as the kernel's own limit */

static const uint64_t resolve[] = {
    [PATH_IN_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    [PATH_BENEATH] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    [PATH_PLAIN] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
};

int
path_try(int root, const char *path, enum path_rule rule, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
	    .resolve = resolve[rule],
	};
	int fd = -1;

	/* The kernel refuses combinations that mean nothing. */
	if (!(flags & O_PATH))
		how.flags |= O_NOCTTY;
	/* Where a file of ours should be somebody may have put a FIFO: nobody waits for its writer. */
	if (rule == PATH_PLAIN && (flags & (O_PATH | O_CREAT | O_ACCMODE)) == O_RDONLY)
		how.flags |= O_NONBLOCK;
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	for (int i = 0; i < RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

int
path_open(int root, const char *path, enum path_rule rule, int flags, mode_t mode, struct err *e)
{
	int fd = path_try(root, path, rule, flags, mode);

	return fd >= 0 ? fd : err_sys(e, "opening %s", path);
}

/* Splits off the last component; slashes at the end do not count.  NULL if there is none. */
static const char *
last_component(const char *path, size_t *len, size_t *parent_len)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	*len = end - start;
	*parent_len = start;
	if (*len == 0 || (*len == 1 && path[start] == '.') ||
	    (*len == 2 && path[start] == '.' && path[start + 1] == '.'))
		return NULL;
	return path + start;
}

int
path_parent(int root, const char *path, enum path_rule rule, char name[NAME_MAX + 1], struct err *e)
{
	char dir[PATH_MAX];
	size_t len, dir_len;
	const char *last = last_component(path, &len, &dir_len);
	int fd;

	if (last == NULL) {
		errno = EINVAL;
		return err_sys(e, "path \"%s\" names no file", path);
	}
	if (len > NAME_MAX || dir_len >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return err_sys(e, "opening %s", path);
	}
	memcpy(dir, path, dir_len);
	dir[dir_len] = '\0';
	fd = path_try(root, dir_len > 0 ? dir : ".", rule, O_PATH | O_DIRECTORY, 0);
	if (fd == -1)
		return err_sys(e, "opening the directory of %s", path);
	memcpy(name, last, len);
	name[len] = '\0';
	return fd;
}

static int
make_one(int dirfd, const char *name, mode_t mode, const struct path_owner *owner)
{
	own_fd int fd = -1;

	if (mkdirat(dirfd, name, mode) == -1)
		return -1;
	/* Of the directory itself, not of what may stand in its place by now. */
	fd = path_try(dirfd, name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? 0 : -1;
	if (owner != NULL && fchown(fd, owner->uid, owner->gid) == -1)
		return -1;
	return fchmod(fd, mode); /* whatever the umask said */
}

/*
 * The first component of path that is missing is a dangling link: path becomes the link's target
 * (relative to prefix, the part before the link) followed by what came after the link.
 */
static int
splice_link(int dirfd, const char *name, char path[PATH_MAX], size_t prefix, size_t after)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	int len;

	/* No link: what has come there meanwhile is looked at in the next round. */
	if (n <= 0)
		return n == -1 && (errno == EINVAL || errno == ENOENT) ? 0 : -1;
	target[n] = '\0';
	len = snprintf(joined, sizeof(joined), "%.*s%s/%s", target[0] == '/' ? 0 : (int)prefix,
	    path, target, path + after);
	if (len < 0 || (size_t)len >= sizeof(joined)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, joined, (size_t)len + 1);
	return 0;
}

/*
 * Makes and opens the directory path, whose last component is name in dirfd.  Somebody else may make it
 * at the same time; what is there and still cannot be found is a dangling link (EEXIST).
 */
static int
make_and_open(int root, const char *path, enum path_rule rule, int dirfd, const char *name,
    mode_t mode, const struct path_owner *owner)
{
	bool is_there = make_one(dirfd, name, mode, owner) == -1;
	int fd;

	if (is_there && errno != EEXIST)
		return -1;
	fd = path_try(root, path, rule, O_PATH | O_DIRECTORY, 0);
	if (fd == -1 && is_there && errno == ENOENT)
		errno = EEXIST;
	return fd;
}

/* One round: makes what is missing of path.  1: path was changed to go round a link, try again. */
static int
make_missing(
    int root, char path[PATH_MAX], enum path_rule rule, mode_t mode, const struct path_owner *owner)
{
	own_fd int dir = path_try(root, ".", rule, O_PATH | O_DIRECTORY, 0);
	size_t at = 0;

	while (dir >= 0) {
		char name[NAME_MAX + 1], saved;
		size_t start, end;
		int next;

		for (start = at; path[start] == '/';)
			start++;
		for (end = start; path[end] != '\0' && path[end] != '/';)
			end++;
		if (end == start)
			return 0;
		if (end - start > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path + start, end - start);
		name[end - start] = '\0';
		saved = path[end];
		path[end] = '\0';
		next = path_try(root, path, rule, O_PATH | O_DIRECTORY, 0);
		if (next == -1 && errno == ENOENT)
			next = make_and_open(root, path, rule, dir, name, mode, owner);
		path[end] = saved;
		if (next == -1 && errno == EEXIST && rule == PATH_IN_ROOT)
			return splice_link(dir, name, path, start, end) == 0 ? 1 : -1;
		fd_close(&dir);
		dir = next;
		at = end;
	}
	return -1;
}

int
path_mkdirs(int root, const char *path, enum path_rule rule, mode_t mode,
    const struct path_owner *owner, struct err *e)
{
	char work[PATH_MAX];
	int fd = path_try(root, path[0] != '\0' ? path : ".", rule, O_PATH | O_DIRECTORY, 0);
	int links = 0, again;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(e, "opening directory %s", path);
	if (strlen(path) >= sizeof(work)) {
		errno = ENAMETOOLONG;
		return err_sys(e, "making directory %s", path);
	}
	memcpy(work, path, strlen(path) + 1);
	while ((again = make_missing(root, work, rule, mode, owner)) == 1) {
		if (++links > LINKS_MAX) {
			errno = ELOOP;
			again = -1;
			break;
		}
	}
	if (again == -1)
		return err_sys(e, "making directory %s", path);
	fd = path_try(root, work, rule, O_PATH | O_DIRECTORY, 0);
	return fd >= 0 ? fd : err_sys(e, "opening directory %s", path);
}

/* Safe because the number is that of a descriptor we hold, not a name somebody gave us. */
static int
reopen(int fd, int flags)
{
	char self[40];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return openat(fd, ".", flags | O_CLOEXEC);
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return open(self, flags | O_CLOEXEC | O_NOCTTY);
}

int
path_reopen(int fd, int flags, struct err *e)
{
	int got = reopen(fd, flags);

	return got >= 0 ? got : err_sys(e, "opening descriptor %d anew", fd);
}

static int
check_regular(const char *path, const struct stat *st, off_t max, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INVALID, "%s is not a regular file", path);
	if (st->st_size > max)
		return err_set(e, ERR_LIMIT, "%s is larger than %lld bytes", path, (long long)max);
	return 0;
}

int
path_open_regular(
    int root, const char *path, enum path_rule rule, off_t max, struct stat *st, struct err *e)
{
	own_fd int at = path_open(root, path, rule, O_PATH, 0, e), fd = -1;
	struct stat first, now;

	if (at == -1)
		return -1;
	if (fstat(at, &first) == -1)
		return err_sys(e, "looking at %s", path);
	if (check_regular(path, &first, max, e) == -1)
		return -1;
	fd = reopen(at, O_RDONLY | O_NONBLOCK);
	/* Where there is no /proc: by name again, and it must be the same file. */
	if (fd == -1 && errno == ENOENT)
		fd = path_try(root, path, rule, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 || fstat(fd, &now) == -1)
		return err_sys(e, "opening %s", path);
	if (now.st_dev != first.st_dev || now.st_ino != first.st_ino)
		return err_set(e, ERR_STATE, "%s was replaced while it was opened", path);
	if (st != NULL)
		*st = now;
	return fd_take(&fd);
}
