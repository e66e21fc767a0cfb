/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/tree.h"
#include "pod-run/copy/put.h"
#include "pod-store/layer/xattr.h"

struct put_look
put_look_of(const struct stat *st)
{
	return (struct put_look){.mode = st->st_mode & 07777,
	    .uid = st->st_uid,
	    .gid = st->st_gid,
	    .mtime = st->st_mtim};
}

static int
failed(const char *shown, struct err *e)
{
	char safe[512];
	int no = errno;

	text_escape(shown, safe, sizeof(safe));
	errno = no;
	return err_sys(e, "error creating \"%s\"", safe);
}

/* Takes away what has the name. */
static int
clear(const struct put *p, int dir, const char *name, const char *shown, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : failed(shown, e);
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0) == -1 && errno != ENOENT ? -1 : 0;
	if (!p->m->overwrite) {
		errno = EEXIST;
		return failed(shown, e);
	}
	return tree_remove(dir, name, e);
}

static int
open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
put_dir(struct put *p, int dir, const char *name, const char *shown, struct err *e)
{
	struct stat st;
	int fd;

	if (mkdirat(dir, name, 0700) == -1) {
		if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return failed(shown, e);
		if (!S_ISDIR(st.st_mode)) {
			if (!p->m->overwrite) {
				errno = EEXIST;
				return failed(shown, e);
			}
			if (unlinkat(dir, name, 0) == -1 || mkdirat(dir, name, 0700) == -1)
				return failed(shown, e);
		}
	}
	fd = open_dir(dir, name);
	return fd != -1 ? fd : failed(shown, e);
}

/* A file that something is mounted on cannot be replaced, only filled. */
static int
open_in_place(int dir, const char *name)
{
	own_fd int fd =
	    openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EBUSY;
		return -1;
	}
	return ftruncate(fd, 0) == -1 ? -1 : fd_take(&fd);
}

int
put_file(struct put *p, int dir, const char *name, const char *shown, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags, 0600);

	if (fd == -1 && errno == EEXIST) {
		if (clear(p, dir, name, shown, e) == -1) {
			if (err_is_set(e))
				return -1;
			fd = errno == EBUSY ? open_in_place(dir, name) : -1;
		} else {
			fd = openat(dir, name, flags, 0600);
		}
	}
	return fd != -1 ? fd : failed(shown, e);
}

/* Calls make, once more after what is in the way was taken away. */
struct making {
	const char *to;
	mode_t type; /* with the permissions, for a node */
	dev_t device;
	int from;
};

static int
make_once(const struct making *k, int dir, const char *name)
{
	if (k->type == S_IFLNK)
		return symlinkat(k->to, dir, name);
	if (k->type == 0)
		return linkat(k->from, k->to, dir, name, 0);
	return mknodat(dir, name, k->type, k->device);
}

static int
make(struct put *p, const struct making *k, int dir, const char *name, const char *shown,
    struct err *e)
{
	int r = make_once(k, dir, name);

	if (r == -1 && errno == EEXIST) {
		if (clear(p, dir, name, shown, e) == -1)
			return err_is_set(e) ? -1 : failed(shown, e);
		r = make_once(k, dir, name);
	}
	return r;
}

int
put_symlink(
    struct put *p, int dir, const char *name, const char *to, const char *shown, struct err *e)
{
	const struct making k = {.to = to, .type = S_IFLNK};

	if (make(p, &k, dir, name, shown, e) == -1)
		return err_is_set(e) ? -1 : failed(shown, e);
	return 0;
}

int
put_node(struct put *p, int dir, const char *name, mode_t mode, dev_t device, const char *shown,
    struct err *e)
{
	/* The umask is 0.  A later chmod(2) by name would follow a link put there meanwhile. */
	const struct making k = {.type = mode & (S_IFMT | 0777), .device = device};
	bool is_device = S_ISCHR(mode) || S_ISBLK(mode);

	/* A character device 0:0 would be overlay's whiteout. */
	if (is_device && (p->m->no_devices || device == makedev(0, 0)))
		return 1;
	if (make(p, &k, dir, name, shown, e) == 0)
		return 0;
	if (!err_is_set(e) && is_device && errno == EPERM) {
		p->skipped_devices = true;
		return 1;
	}
	return err_is_set(e) ? -1 : failed(shown, e);
}

int
put_link(struct put *p, int from, const char *from_name, int dir, const char *name,
    const char *shown, struct err *e)
{
	const struct making k = {.to = from_name, .from = from};

	if (make(p, &k, dir, name, shown, e) == -1)
		return err_is_set(e) ? -1 : failed(shown, e);
	return 0;
}

/* --- Looks --------------------------------------------------------------------------------------*/

static uint32_t
mapped(uint32_t id, const struct rec_id_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return (uint32_t)(v[i].outside + (id - v[i].inside));
	return id;
}

static void
owner_of(const struct put *p, const struct put_look *look, uid_t *uid, gid_t *gid)
{
	const struct msg_copy *m = p->m;

	if (m->as_made) {
		*uid = (uid_t)-1;
		*gid = (gid_t)-1;
		return;
	}
	*uid = m->chown ? (uid_t)m->uid : mapped(look->uid, m->uid_map.v, m->uid_map.n);
	*gid = m->chown ? (gid_t)m->gid : mapped(look->gid, m->gid_map.v, m->gid_map.n);
}

static int
look_failed(const char *what, const char *shown, struct err *e)
{
	char safe[512];
	int no = errno;

	text_escape(shown, safe, sizeof(safe));
	errno = no;
	return err_sys(e, "setting %s of \"%s\"", what, safe);
}

/* The owner first: changing it clears set-id bits and file capabilities. */
int
put_look_fd(
    const struct put *p, int fd, const struct put_look *look, const char *shown, struct err *e)
{
	struct timespec times[2] = {look->mtime, look->mtime};
	uid_t uid;
	gid_t gid;

	owner_of(p, look, &uid, &gid);
	if (fchown(fd, uid, gid) == -1)
		return look_failed("the owner", shown, e);
	if (fchmod(fd, look->mode & 07777) == -1)
		return look_failed("the mode", shown, e);
	for (size_t i = 0; i < look->nxattrs; i++) {
		const struct tar_xattr *a = &look->xattrs[i];

		if (xattr_is_kept(a->name) && fsetxattr(fd, a->name, a->value, a->n, 0) == -1 &&
		    errno != ENOTSUP && errno != EPERM && errno != EINVAL)
			return look_failed("an extended attribute", shown, e);
	}
	return futimens(fd, times) == -1 ? look_failed("the times", shown, e) : 0;
}

int
put_look_like(
    const struct put *p, int fd, int from, const struct stat *st, const char *shown, struct err *e)
{
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	own_arena struct arena a = {0};
	struct put_look look = put_look_of(st);

	look.xattrs = xattrs;
	look.nxattrs = xattr_read(from, xattrs, &a);
	return put_look_fd(p, fd, &look, shown, e);
}

int
put_look_name(const struct put *p, int dir, const char *name, const struct put_look *look,
    const char *shown, struct err *e)
{
	struct timespec times[2] = {look->mtime, look->mtime};
	uid_t uid;
	gid_t gid;

	owner_of(p, look, &uid, &gid);
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) == -1)
		return look_failed("the owner", shown, e);
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) == -1
		   ? look_failed("the times", shown, e)
		   : 0;
}
