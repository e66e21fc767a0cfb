/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/layer/extract.h"
#include "pod-store/layer/result.h"
#include "pod-store/layer/xattr.h"

#define OPAQUE_MAX (8u << 20) /* bytes of the list of opaque directories */

void
extract_init(struct extract *x, int root)
{
	umask(0);
	*x = (struct extract){.fd = -1};
	dirs_init(&x->dirs, root);
}

void
extract_finish(struct extract *x)
{
	fd_close(&x->fd);
	dirs_flush(&x->dirs);
	strbuf_free(&x->opaque);
}

static int
failed(const struct extract *x, struct err *e, const char *what)
{
	return tar_entry_failed(x->entry, what, e);
}

static int
refused(const struct extract *x, struct err *e, const char *why)
{
	return tar_entry_refused(x->entry, why, e);
}

static bool
is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* --- Owners, modes, attributes, times --- */

static int
unmapped(struct extract *x, struct err *e)
{
	char safe[300];

	if (x->squash_ids) {
		x->ids_squashed++;
		return 0;
	}
	text_escape(x->entry->name, safe, sizeof(safe));
	err_set(e, ERR_DENIED,
	    "potentially insufficient UIDs or GIDs available in user namespace (requested %u:%u "
	    "for "
	    "%s)",
	    x->entry->uid, x->entry->gid, safe);
	return err_hint(
	    e, "The ranges in /etc/subuid and /etc/subgid must cover the ids of the image.");
}

static int
set_xattrs(struct extract *x, int fd, struct err *e)
{
	for (size_t i = 0; i < x->entry->nxattrs; i++) {
		const struct tar_xattr *a = &x->entry->xattrs[i];

		if (!xattr_is_kept(a->name)) {
			x->xattrs_skipped++;
			continue;
		}
		if (strcmp(a->name, "system.posix_acl_default") == 0)
			x->acls = true;
		if (fsetxattr(fd, a->name, a->value, a->n, 0) == 0)
			continue;
		/* EINVAL: an ACL that names an id without a place in the user namespace. */
		if (errno != ENOTSUP && errno != EPERM &&
		    !(errno == EINVAL && text_has_prefix(a->name, "system.posix_acl_")))
			return failed(x, e, "setting an extended attribute of");
		x->xattrs_skipped++;
	}
	return 0;
}

/*
 * In this order: changing the owner clears set-id bits and capabilities, and so does writing, which
 * is over by now.  made: the file is new, so what open(2) gave it already is right.
 */
static int
finish_fd(struct extract *x, int fd, bool made, bool inherits_gid, struct err *e)
{
	const struct tar_entry *n = x->entry;
	struct timespec times[2] = {{.tv_sec = n->mtime, .tv_nsec = n->mtime_ns}};
	bool chowned = !made || inherits_gid || n->uid != 0 || n->gid != 0;

	times[1] = times[0];
	if (chowned && fchown(fd, n->uid, n->gid) == -1) {
		if (errno != EINVAL && errno != EPERM)
			return failed(x, e, "changing the owner of");
		if (unmapped(x, e) == -1)
			return -1;
	}
	if (x->acls) {
		(void)fremovexattr(fd, "system.posix_acl_access");
		(void)fremovexattr(fd, "system.posix_acl_default");
	}
	if ((!made || x->acls || (n->mode & 07000)) && fchmod(fd, n->mode) == -1)
		return failed(x, e, "changing the mode of");
	if (n->nxattrs > 0 && set_xattrs(x, fd, e) == -1)
		return -1;
	if (futimens(fd, times) == -1)
		return failed(x, e, "setting the times of");
	return 0;
}

/* The same for what cannot be opened: links, devices, FIFOs. */
static int
finish_name(struct extract *x, const struct dir *d, const char *last, struct err *e)
{
	const struct tar_entry *n = x->entry;
	struct timespec times[2] = {{.tv_sec = n->mtime, .tv_nsec = n->mtime_ns}};

	times[1] = times[0];
	x->xattrs_skipped += n->nxattrs;
	if ((n->uid != 0 || n->gid != 0 || d->inherits_gid) &&
	    fchownat(d->fd, last, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != EINVAL && errno != EPERM)
			return failed(x, e, "changing the owner of");
		if (unmapped(x, e) == -1)
			return -1;
	}
	if (n->type != TAR_SYMLINK && (x->acls || (n->mode & 06000)) &&
	    fchmodat(d->fd, last, n->mode, 0) == -1)
		return failed(x, e, "changing the mode of");
	if (utimensat(d->fd, last, times, AT_SYMLINK_NOFOLLOW) == -1)
		return failed(x, e, "setting the times of");
	return 0;
}

/* --- Making --- */

/*
 * Takes away what stands at the name of the entry.  1: a whiteout of this layer was there.
 * The directory is looked up anew by the caller, since names may lead elsewhere afterwards.
 */
static int
replace(struct extract *x, struct err *e)
{
	const char *last;
	struct dir *d = dirs_parent(&x->dirs, x->path, true, &last);
	struct stat st;
	struct err why;

	if (d == NULL || fstatat(d->fd, last, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return failed(x, e, "replacing");
	if (!S_ISDIR(st.st_mode)) {
		/* Contents that are gone, or were reached through a link that is gone. */
		if ((S_ISREG(st.st_mode) && st.st_size > 0) || S_ISLNK(st.st_mode))
			x->replaced = true;
		if (unlinkat(d->fd, last, 0) == -1)
			return failed(x, e, "replacing");
	} else {
		x->replaced = true;
		if (tree_remove(d->fd, last, &why) == -1)
			return refused(x, e, why.text);
	}
	dirs_flush(&x->dirs);
	return is_whiteout(&st);
}

static struct dir *
parent_of(struct extract *x, const char **last, struct err *e)
{
	struct dir *d = dirs_parent(&x->dirs, x->path, true, last);

	if (d == NULL)
		failed(x, e, "making the directory of");
	return d;
}

static int
mark_opaque(struct extract *x, const char *path, int fd, struct err *e)
{
	if (x->user_xattrs) {
		if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == -1)
			return failed(x, e, "marking an opaque directory for");
		return 0;
	}
	result_add(&x->opaque, "opaque", path);
	if (x->opaque.n > OPAQUE_MAX)
		return err_set(e, ERR_LIMIT, "too many opaque directories");
	return 0;
}

static int
make_file(struct extract *x, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const char *last;
	struct dir *d = parent_of(x, &last, e);

	if (d == NULL)
		return -1;
	x->fd = openat(d->fd, last, flags, x->entry->mode);
	if (x->fd == -1 && errno == EEXIST) {
		if (replace(x, e) == -1 || (d = parent_of(x, &last, e)) == NULL)
			return -1;
		x->fd = openat(d->fd, last, flags, x->entry->mode);
	}
	return x->fd == -1 ? failed(x, e, "making") : 0;
}

static int
make_dir(struct extract *x, struct err *e)
{
	const char *last;
	struct dir *d = parent_of(x, &last, e);
	bool made = true, white = false, inherits;
	struct stat st;

	if (d == NULL)
		return -1;
	if (mkdirat(d->fd, last, x->entry->mode) == -1) {
		if (errno != EEXIST || fstatat(d->fd, last, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return failed(x, e, "making");
		made = !S_ISDIR(st.st_mode);
		if (made) {
			int got = replace(x, e);

			white = got == 1;
			if (got == -1 || (d = parent_of(x, &last, e)) == NULL)
				return -1;
			if (mkdirat(d->fd, last, x->entry->mode) == -1)
				return failed(x, e, "making");
		}
	}
	inherits = d->inherits_gid;
	d = dirs_get(&x->dirs, x->path, false);
	if (d == NULL)
		return failed(x, e, "opening");
	/* mkdir(2) does not take set-id bits, and passes on the parent's. */
	if (finish_fd(x, d->fd, made && !inherits && !(x->entry->mode & 07000), inherits, e) == -1)
		return -1;
	d->inherits_gid = (x->entry->mode & S_ISGID) != 0;
	d->mtime = (struct timespec){.tv_sec = x->entry->mtime, .tv_nsec = x->entry->mtime_ns};
	return white ? mark_opaque(x, x->path, d->fd, e) : 0;
}

/* Symbolic links, devices and FIFOs: one call that may find the name taken. */
static int
make_once(struct extract *x, const struct dir *d, const char *last)
{
	const struct tar_entry *n = x->entry;
	mode_t type = n->type == TAR_CHAR ? S_IFCHR : n->type == TAR_BLOCKDEV ? S_IFBLK : S_IFIFO;

	if (n->type == TAR_SYMLINK)
		return symlinkat(n->link, d->fd, last);
	return mknodat(
	    d->fd, last, type | n->mode, type == S_IFIFO ? 0 : makedev(n->major, n->minor));
}

static int
make_special(struct extract *x, struct err *e)
{
	const struct tar_entry *n = x->entry;
	const char *last;
	struct dir *d = parent_of(x, &last, e);
	int got;

	if (d == NULL)
		return -1;
	if (n->type == TAR_CHAR && n->major == 0 && n->minor == 0)
		return refused(x, e, "a character device 0:0 would be a forged whiteout");
	if (n->type == TAR_SYMLINK && n->link[0] == '\0')
		return refused(x, e, "a symbolic link without a target");
	got = make_once(x, d, last);
	if (got == -1 && errno == EEXIST) {
		if (replace(x, e) == -1 || (d = parent_of(x, &last, e)) == NULL)
			return -1;
		got = make_once(x, d, last);
	}
	if (got == -1 && errno == EPERM && (n->type == TAR_CHAR || n->type == TAR_BLOCKDEV)) {
		x->devices_skipped++;
		return 0;
	}
	return got == -1 ? failed(x, e, "making") : finish_name(x, d, last, e);
}

/*
 * The target must be a file of this layer, reached without any symbolic link: everything else is
 * either a mistake or an attempt to reach out.
 */
static int
make_hardlink(struct extract *x, struct err *e)
{
	char target[TAR_PATH_MAX + 1], target_last[NAME_MAX + 1];
	own_fd int from = -1;
	const char *last;
	struct dir *d;
	struct stat st;
	int got;

	if (name_plain_link(x->entry->link, target) == -1)
		return refused(x, e, "a hard link out of the layer");
	if (strcmp(target, x->path) == 0)
		return refused(x, e, "a hard link to itself");
	from = path_parent(x->dirs.root, target, PATH_PLAIN, target_last, e);
	if (from == -1 || fstatat(from, target_last, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    is_whiteout(&st))
		return refused(x, e, "a hard link to a file that is not in the layer");
	if (S_ISDIR(st.st_mode))
		return refused(x, e, "a hard link to a directory");
	d = parent_of(x, &last, e);
	if (d == NULL)
		return -1;
	got = linkat(from, target_last, d->fd, last, 0);
	if (got == -1 && errno == EEXIST) {
		if (replace(x, e) == -1 || (d = parent_of(x, &last, e)) == NULL)
			return -1;
		got = linkat(from, target_last, d->fd, last, 0);
	}
	return got == -1 ? failed(x, e, "linking") : 0;
}

/* --- Whiteouts --- */

static int
make_whiteout(struct extract *x, struct err *e)
{
	const char *last;
	struct dir *d = dirs_parent(&x->dirs, x->path, true, &last), *self;
	struct stat st;

	/* What it was in is a whiteout itself: nothing below it is seen anyway. */
	if (d == NULL && errno == ENOTDIR)
		return 0;
	if (d == NULL)
		return failed(x, e, "making the directory of");
	if (mknodat(d->fd, last, S_IFCHR, 0) == 0) {
		struct timespec times[2] = {
		    {.tv_sec = x->entry->mtime}, {.tv_sec = x->entry->mtime}};

		(void)utimensat(d->fd, last, times, AT_SYMLINK_NOFOLLOW);
		return 0;
	}
	if (errno != EEXIST || fstatat(d->fd, last, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return failed(x, e, "making the whiteout for");
	/* A whiteout is about lower layers, never about its own: what stands there hides them. */
	if (!S_ISDIR(st.st_mode))
		return 0;
	self = dirs_get(&x->dirs, x->path, false);
	return self == NULL ? failed(x, e, "opening") : mark_opaque(x, x->path, self->fd, e);
}

static int
make_opaque(struct extract *x, struct err *e)
{
	struct dir *d = dirs_get(&x->dirs, x->path, true);

	if (d == NULL)
		return errno == ENOTDIR ? 0 : failed(x, e, "making the directory of");
	return mark_opaque(x, x->path, d->fd, e);
}

/* --- The steps of an entry --- */

/* A real entry below a whiteout of this layer: the whiteout becomes an opaque directory. */
static int
open_whiteouts(struct extract *x, struct err *e)
{
	char full[TAR_PATH_MAX + 1];

	memcpy(full, x->path, strlen(x->path) + 1);
	for (char *slash = strchr(x->path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const char *last;
		struct dir *d, *self;
		struct stat st;

		*slash = '\0';
		d = dirs_parent(&x->dirs, x->path, false, &last);
		if (d == NULL || fstatat(d->fd, last, &st, AT_SYMLINK_NOFOLLOW) == -1)
			break;
		if (is_whiteout(&st)) {
			if (unlinkat(d->fd, last, 0) == -1 || mkdirat(d->fd, last, 0755) == -1)
				return failed(x, e, "making the directory of");
			self = dirs_get(&x->dirs, x->path, false);
			if (self == NULL)
				return failed(x, e, "making the directory of");
			if (mark_opaque(x, x->path, self->fd, e) == -1)
				return -1;
		}
		*slash = '/';
	}
	memcpy(x->path, full, strlen(full) + 1);
	return 0;
}

static int
make_ordinary(struct extract *x, struct err *e)
{
	static int (*const make[])(struct extract *, struct err *) = {
	    [TAR_FILE] = make_file,
	    [TAR_HARDLINK] = make_hardlink,
	    [TAR_SYMLINK] = make_special,
	    [TAR_CHAR] = make_special,
	    [TAR_BLOCKDEV] = make_special,
	    [TAR_DIR] = make_dir,
	    [TAR_FIFO] = make_special,
	};
	const char *last;

	if (dirs_parent(&x->dirs, x->path, true, &last) == NULL && errno == ENOTDIR &&
	    open_whiteouts(x, e) == -1)
		return -1;
	return make[x->entry->type](x, e);
}

int
extract_begin(struct extract *x, const struct tar_entry *entry, struct err *e)
{
	x->entry = entry;
	x->entries++;
	switch (name_plain(entry->name, x->path)) {
	case NAME_ROOT: /* the store's own directory keeps its owner and mode */
	case NAME_IGNORED:
		return 0;
	case NAME_BAD:
		return refused(x, e, "a component of the name is too long or a whiteout");
	case NAME_WHITE:
		return make_whiteout(x, e);
	case NAME_OPAQUE:
		return make_opaque(x, e);
	case NAME_ORDINARY:
		break;
	}
	return make_ordinary(x, e);
}

int
extract_data(struct extract *x, const void *p, size_t n, uint64_t offset, struct err *e)
{
	if (x->fd == -1)
		return 0;
	if (x->offset != offset && lseek(x->fd, (off_t)offset, SEEK_SET) == -1)
		return failed(x, e, "writing");
	if (file_put(x->fd, p, n) == -1)
		return failed(x, e, "writing");
	x->offset = offset + n;
	x->bytes += n;
	return 0;
}

int
extract_end(struct extract *x, struct err *e)
{
	own_fd int fd = fd_take(&x->fd);
	const char *last;
	struct dir *d;
	uint64_t written = x->offset;

	x->offset = 0;
	if (fd == -1)
		return 0;
	/* Only a hole at the end of a sparse file is left. */
	if (written < x->entry->size && ftruncate(fd, (off_t)x->entry->size) == -1)
		return failed(x, e, "setting the size of");
	d = dirs_parent(&x->dirs, x->path, false, &last);
	return finish_fd(x, fd, true, d == NULL || d->inherits_gid, e);
}
