/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/erofs_mount.h"
#include "pod-store/fsapi.h"
#include "pod-store/layout.h"
#include "pod-store/overlay.h"

#define CLASSIC_DATA_MAX 4095 /* what mount(2) takes; more is cut silently */

static int
fs_error(int fs, const char *act, struct err *e)
{
	return fsapi_error(fs, "overlay", act, e);
}

static int
open_dir(int base, const char *path, struct err *e)
{
	return path_open(base, path, PATH_PLAIN, O_PATH | O_DIRECTORY, 0, e);
}

/* The store and the further ones, opened, or as seen through a user namespace. */
struct roots {
	const struct overlay *o;
	int fd[OVERLAY_BASES_MAX + 1];
	size_t n;
};

static const char *
root_path(const struct overlay *o, size_t i)
{
	return i == 0 ? o->base : o->bases[i - 1];
}

static void
roots_close(struct roots *r)
{
	while (r->n > 0)
		fd_close(&r->fd[--r->n]);
}

static int
roots_open(struct roots *r, const struct overlay *o,
    int (*open_one)(const struct overlay *, const char *, struct err *), struct err *e)
{
	r->o = o;
	r->n = 0;
	for (size_t i = 0; i <= o->nbases; i++) {
		r->fd[i] = open_one(o, root_path(o, i), e);
		if (r->fd[i] == -1)
			return -1;
		r->n++;
	}
	return 0;
}

static int
plain_root(const struct overlay *o, const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)o;
	return fd >= 0 ? fd : err_sys(e, "opening %s", path);
}

/* Which root path is below; path becomes relative to it.  -1: none. */
static int
root_of(const struct roots *r, const char **path, struct err *e)
{
	if (**path != '/')
		return r->fd[0];
	for (size_t i = 1; i < r->n; i++) {
		size_t n = strlen(root_path(r->o, i));

		if (strncmp(*path, root_path(r->o, i), n) != 0 || (*path)[n] != '/')
			continue;
		*path += n + 1;
		return r->fd[i];
	}
	return err_set(e, ERR_INTERNAL, "mounting overlay: %s is in no store", *path);
}

static int
set_dir_fd(int fs, const char *key, int dir)
{
	return fsapi_config(fs, FSCONFIG_SET_FD, key, NULL, dir);
}

/*
 * Strings are limited to 255 bytes, which a graph root may exceed; the descriptor's own name is
 * short.  Safe because it is our own descriptor of a directory that was opened without links.
 */
static int
set_dir_string(int fs, const char *key, int dir)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return fsapi_config(fs, FSCONFIG_SET_STRING, key, path, 0);
}

typedef int set_dir(int fs, const char *key, int dir);

static int
add_dir(int fs, set_dir *set, int base, const char *path, const char *key, struct err *e)
{
	own_fd int dir = open_dir(base, path, e);

	if (dir == -1)
		return -1;
	return set(fs, key, dir) == 0 ? 0 : fs_error(fs, path, e);
}

/*
 * A layer that is a directory, or one that is an image: then a mount of it, which kernels before 6.15 take only
 * if it is attached somewhere in our mount namespace.
 */
static int
open_lower(const struct roots *r, const char *path, bool attach, struct err *e)
{
	int base = root_of(r, &path, e);
	own_fd int fd = base == -1 ? -1 : path_open(base, path, PATH_PLAIN, O_PATH, 0, e);
	own_fd int m = -1, dir = -1;
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		return err_sys(e, "mounting overlay: %s", path);
	if (!S_ISREG(st.st_mode))
		return fd_take(&fd);
	m = erofs_mount(base, path, r->o->userns, e);
	if (m == -1 || !attach)
		return fd_take(&m);
	dir = open_dir(r->fd[0], r->o->empty, e);
	if (dir == -1)
		return -1;
	if (syscall(SYS_move_mount, m, "", dir, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == -1)
		return err_sys(e, "mounting overlay: attaching %s", path);
	return fd_take(&m);
}

/* Kept open until the file system is made: a mount that is attached nowhere goes with its last descriptor. */
struct lowers {
	int fds[OVERLAY_LOWER_MAX];
	size_t n;
};

static void
lowers_free(struct lowers *l)
{
	while (l->n > 0)
		fd_close(&l->fds[--l->n]);
}

static int
add_lower(int fs, set_dir *set, const struct roots *r, const char *path, bool attach,
    struct lowers *held, struct err *e)
{
	int dir = open_lower(r, path, attach, e);

	if (dir == -1)
		return -1;
	held->fds[held->n++] = dir;
	return set(fs, "lowerdir+", dir) == 0 ? 0 : fs_error(fs, path, e);
}

/* Without an upper directory at least two lower ones are needed. */
static bool
needs_empty(const struct overlay *o)
{
	return o->n == 0 || (o->n == 1 && o->rw == NULL);
}

/* The kernel wants the uppermost layer first. */
static int
add_lowers(
    int fs, set_dir *set, const struct roots *r, bool attach, struct lowers *held, struct err *e)
{
	const struct overlay *o = r->o;
	/* Now, for images are attached on it. */
	own_fd int empty = open_dir(r->fd[0], o->empty, e);

	if (empty == -1)
		return -1;
	for (size_t i = o->n; i-- > 0;)
		if (add_lower(fs, set, r, o->lower[i], attach, held, e) == -1)
			return -1;
	if (needs_empty(o) && set(fs, "lowerdir+", empty) == -1)
		return fs_error(fs, o->empty, e);
	return 0;
}

static int
add_upper(int fs, set_dir *set, const struct roots *r, struct err *e)
{
	const struct overlay *o = r->o;
	own_fd int rw = -1;

	if (o->rw == NULL)
		return 0;
	rw = open_dir(r->fd[0], o->rw, e);
	if (rw == -1 || add_dir(fs, set, rw, "upper", "upperdir", e) == -1 ||
	    add_dir(fs, set, rw, "work", "workdir", e) == -1)
		return -1;
	return 0;
}

static const char *
label_option(const struct overlay *o)
{
	return o->label_nested ? "rootcontext" : "context";
}

static int
add_flags(int fs, const struct overlay *o, struct err *e)
{
	if (o->volatile_ && o->rw != NULL &&
	    fsapi_config(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) == -1)
		return fs_error(fs, "volatile", e);
	if (o->userxattr && fsapi_config(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == -1)
		return fs_error(fs, "userxattr", e);
	if (o->label != NULL &&
	    fsapi_config(fs, FSCONFIG_SET_STRING, label_option(o), o->label, 0) == -1)
		return fs_error(fs, label_option(o), e);
	return 0;
}

/* --- Options of mount(8) --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned attr;	    /* of the mount; 0: goes to overlay as it is */
	unsigned long flag; /* the same for mount(2) */
} known[] = {
    {"nodev", MOUNT_ATTR_NODEV, MS_NODEV},
    {"nosuid", MOUNT_ATTR_NOSUID, MS_NOSUID},
    {"noexec", MOUNT_ATTR_NOEXEC, MS_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MS_NOATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, MS_NODIRATIME},
    {"volatile", 0, 0},
    {"metacopy", 0, 0},
    {"redirect_dir", 0, 0},
    {"index", 0, 0},
    {"xino", 0, 0},
    {"nfs_export", 0, 0},
    {"uuid", 0, 0},
};

/* Calls fn with each option; what has no index in known is an error. */
static int
each_option(const char *options, int (*fn)(void *arg, size_t at, const char *value, struct err *e),
    void *arg, struct err *e)
{
	own_strv struct strv words = {0};

	if (options == NULL || *options == '\0')
		return 0;
	strv_split(&words, options, ',');
	for (size_t i = 0; i < words.n; i++) {
		size_t n = strcspn(words.v[i], "="), at = 0;

		while (at < COUNTOF(known) &&
		       (strlen(known[at].name) != n || strncmp(known[at].name, words.v[i], n) != 0))
			at++;
		if (at == COUNTOF(known))
			return err_set(e, ERR_INVALID,
			    "mountopt: overlay mounts cannot have the option \"%s\"", words.v[i]);
		if (fn != NULL &&
		    fn(arg, at, words.v[i][n] == '=' ? words.v[i] + n + 1 : NULL, e) == -1)
			return -1;
	}
	return 0;
}

int
overlay_check_options(const char *options, struct err *e)
{
	return each_option(options, NULL, NULL, e);
}

bool
overlay_flag(const char *word, unsigned *attrs)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < COUNTOF(known); i++) {
		if (strlen(known[i].name) != n || strncmp(known[i].name, word, n) != 0)
			continue;
		*attrs |= known[i].attr;
		return strcmp(known[i].name, "volatile") != 0;
	}
	return false;
}

struct setting {
	int fs;
	bool has_upper, is_volatile;
	unsigned *attrs;
};

static int
set_option(void *arg, size_t at, const char *value, struct err *e)
{
	struct setting *t = arg;
	const char *name = known[at].name;

	*t->attrs |= known[at].attr;
	if (known[at].attr != 0)
		return 0;
	/* It speaks of the upper directory, and is ours to set. */
	if (strcmp(name, "volatile") == 0 && (!t->has_upper || t->is_volatile))
		return 0;
	if (fsapi_config(t->fs, value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name,
		value, 0) == -1)
		return fs_error(t->fs, name, e);
	return 0;
}

static int
add_options(int fs, const struct overlay *o, unsigned *attrs, struct err *e)
{
	struct setting t = {fs, o->rw != NULL, o->volatile_, attrs};

	return each_option(o->options, set_option, &t, e);
}

/* --- fsopen(2) ------------------------------------------------------------------------------------- */

static int
mount_new(set_dir *set, const struct roots *r, bool attach, struct err *e)
{
	own_fd int fs = fsapi_open("overlay");
	own(lowers_free) struct lowers held = {.n = 0};
	const struct overlay *o = r->o;
	unsigned attrs = o->rw == NULL ? MOUNT_ATTR_RDONLY : 0;
	int m;

	if (fs == -1)
		return err_sys(e, "mounting overlay: fsopen");
	if (add_lowers(fs, set, r, attach, &held, e) == -1 || add_upper(fs, set, r, e) == -1 ||
	    add_flags(fs, o, e) == -1 || add_options(fs, o, &attrs, e) == -1)
		return -1;
	if (fsapi_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return fs_error(fs, "creating the file system", e);
	m = fsapi_mount(fs, attrs);
	return m >= 0 ? m : fs_error(fs, "fsmount", e);
}

/*
 * The store as seen through the user namespace: what lies on disk as the container's own ids appears as
 * the ids it has outside, and what it creates is stored the other way round.
 */
static int
mapped_root(const struct overlay *o, const char *path, struct err *e)
{
	own_fd int base = fsapi_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);

	if (base == -1)
		return err_sys(e, "mapping the owners of files: open_tree %s", path);
	if (fsapi_map(base, o->userns) == -1)
		return err_sys(e, "mapping the owners of files: mount_setattr");
	return fd_take(&base);
}

bool
overlay_cannot_map(const struct err *e)
{
	return e->no == EPERM || e->no == EINVAL || e->no == ENOSYS || e->no == EOPNOTSUPP;
}

/* --- mount(2), for kernels before 6.7 -------------------------------------------------------------- */

/* Once in each process: a mount namespace of our own, where nothing we mount reaches the host. */
static int
private_namespace(struct err *e)
{
	static bool done;

	if (done)
		return 0;
	if (unshare(CLONE_NEWNS) == -1)
		return err_sys(e, "entering a mount namespace");
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return err_sys(e, "making mounts private");
	done = true;
	return 0;
}

/* Takes fd and appends its number, which is also its name in /proc/self/fd. */
static int
name_fd(int fd, const char *sep, int *fds, size_t *n, struct strbuf *data)
{
	if (fd == -1)
		return -1;
	fds[(*n)++] = fd;
	strbuf_addf(data, "%s%d", sep, fd);
	return 0;
}

static int
data_option(void *arg, size_t at, const char *value, struct err *e)
{
	(void)e;
	if (known[at].attr == 0 && strcmp(known[at].name, "volatile") != 0)
		strbuf_addf(arg, ",%s%s%s", known[at].name, value != NULL ? "=" : "",
		    value != NULL ? value : "");
	return 0;
}

static int
classic_data(const struct roots *r, int *fds, size_t *n, struct strbuf *data, struct err *e)
{
	const struct overlay *o = r->o;
	own_fd int empty = open_dir(r->fd[0], o->empty, e);
	const char *sep = "lowerdir=";
	char path[PATH_MAX];

	if (empty == -1)
		return -1;
	for (size_t i = o->n; i-- > 0; sep = ":")
		if (name_fd(open_lower(r, o->lower[i], true, e), sep, fds, n, data) == -1)
			return -1;
	if (needs_empty(o) && name_fd(fd_take(&empty), sep, fds, n, data) == -1)
		return -1;
	if (o->rw != NULL) {
		snprintf(path, sizeof(path), "%s/upper", o->rw);
		if (name_fd(open_dir(r->fd[0], path, e), ",upperdir=", fds, n, data) == -1)
			return -1;
		snprintf(path, sizeof(path), "%s/work", o->rw);
		if (name_fd(open_dir(r->fd[0], path, e), ",workdir=", fds, n, data) == -1)
			return -1;
		if (o->volatile_)
			strbuf_add(data, ",volatile");
	}
	if (o->userxattr)
		strbuf_add(data, ",userxattr");
	if (o->label != NULL)
		strbuf_addf(data, ",%s=\"%s\"", label_option(o), o->label);
	if (each_option(o->options, data_option, data, e) == -1)
		return -1;
	if (data->n > CLASSIC_DATA_MAX)
		return err_set(e, ERR_LIMIT, "mounting overlay: too many layers for this kernel");
	return 0;
}

static int
flag_option(void *arg, size_t at, const char *value, struct err *e)
{
	unsigned long *flags = arg;

	(void)value;
	(void)e;
	*flags |= known[at].flag;
	return 0;
}

/* Mounts on dir, takes a detached copy and takes the mount away again. */
static int
classic_mount(const char *dir, const struct overlay *o, const char *data, struct err *e)
{
	own_fd int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned long flags = o->rw == NULL ? MS_RDONLY : 0;
	int m, rc;

	if (each_option(o->options, flag_option, &flags, e) == -1)
		return -1;
	if (cwd == -1 || chdir("/proc/self/fd") == -1)
		return err_sys(e, "mounting overlay: entering /proc/self/fd");
	rc = mount("overlay", dir, "overlay", flags, data);
	if (rc == -1)
		err_sys(e, "mounting overlay");
	if (fchdir(cwd) == -1 && rc == 0)
		rc = err_sys(e, "mounting overlay: returning to the working directory");
	if (rc == -1)
		return -1;
	m = fsapi_open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE);
	if (m == -1)
		err_sys(e, "mounting overlay: open_tree");
	umount2(dir, MNT_DETACH);
	return m;
}

static int
mount_data(const struct roots *r, struct err *e)
{
	const struct overlay *o = r->o;
	own_mem char *dir = xasprintf("%s/%s", o->base, o->empty);
	int fds[OVERLAY_LOWER_MAX + 3], m = -1;
	own_strbuf struct strbuf data = {0};
	size_t n = 0;

	if (classic_data(r, fds, &n, &data, e) == 0)
		m = classic_mount(dir, o, data.s, e);
	while (n > 0)
		fd_close(&fds[--n]);
	return m;
}

bool
overlay_is_image(const char *lower)
{
	const char *slash = strrchr(lower, '/');

	return strcmp(slash != NULL ? slash + 1 : lower, LAYOUT_IMAGE) == 0;
}

/* Images that were attached for overlay to take them, on top of each other. */
static void
detach_lowers(const struct overlay *o)
{
	own_mem char *empty = xasprintf("%s/%s", o->base, o->empty);

	for (size_t i = 0; i < o->n; i++)
		if (overlay_is_image(o->lower[i]))
			umount2(empty, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/*
 * For kernels that take no directories of detached mounts: everything happens in a mount namespace of
 * our own, where the mapped store, if owners are mapped, covers the real one for the moment.
 */
static int
mount_privately(const struct overlay *o, set_dir *set, struct err *e)
{
	own(roots_close) struct roots mapped = {0};
	own(roots_close) struct roots roots = {0};
	size_t covered = 0;
	int m = -1;

	if (private_namespace(e) == -1 ||
	    (o->userns > 0 && roots_open(&mapped, o, mapped_root, e) == -1))
		return -1;
	for (; covered < mapped.n; covered++)
		if (syscall(SYS_move_mount, mapped.fd[covered], "", AT_FDCWD, root_path(o, covered),
			MOVE_MOUNT_F_EMPTY_PATH) == -1) {
			err_sys(e, "mounting overlay: attaching the mapped store");
			break;
		}
	/* Opened only now: overlay takes no directories of another namespace's mounts. */
	if (covered == mapped.n && roots_open(&roots, o, plain_root, e) == 0)
		m = set != NULL ? mount_new(set, &roots, true, e) : mount_data(&roots, e);
	detach_lowers(o);
	while (covered > 0)
		umount2(root_path(o, --covered), MNT_DETACH);
	return m;
}

/* --- Choosing ------------------------------------------------------------------------------------- */

static enum overlay_way chosen = OVERLAY_WAYS;

/* A volatile mount leaves a mark that makes the kernel refuse the directories ever after. */
static int
clear_volatile(int base, const struct overlay *o, struct err *e)
{
	own_fd int rw = -1, work = -1;
	struct stat st;

	if (o->rw == NULL)
		return 0;
	rw = open_dir(base, o->rw, e);
	if (rw == -1)
		return -1;
	work = path_try(rw, "work/work", PATH_PLAIN, O_PATH | O_DIRECTORY, 0);
	if (work == -1 || fstatat(work, "incompat", &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	return tree_remove(work, "incompat", e);
}

/* No layers and nothing to write to: the empty directory alone, for overlay wants two. */
static int
mount_nothing(int base, const struct overlay *o, struct err *e)
{
	own_fd int dir = open_dir(base, o->empty, e), m = -1;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (dir == -1)
		return -1;
	m = fsapi_open_tree(dir, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (m == -1 || syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == -1)
		return err_sys(e, "mounting an empty directory");
	return fd_take(&m);
}

/* The same ways in a mount namespace of our own come after those that need none. */
static int
mount_by(enum overlay_way way, bool privately, const struct overlay *o, struct err *e)
{
	set_dir *set = way == OVERLAY_FDS ? set_dir_fd : set_dir_string;
	own(roots_close) struct roots roots = {0};

	if (way == OVERLAY_CLASSIC)
		return mount_privately(o, NULL, e);
	if (privately)
		return mount_privately(o, set, e);
	if (roots_open(&roots, o, o->userns > 0 ? mapped_root : plain_root, e) == -1)
		return -1;
	return mount_new(set, &roots, false, e);
}

static int
mount_checked(enum overlay_way way, bool privately, const struct overlay *o, struct err *e)
{
	own_fd int base = open(o->base, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (base == -1)
		return err_sys(e, "opening %s", o->base);
	if (o->n > OVERLAY_LOWER_MAX)
		return err_set(e, ERR_LIMIT, "mounting overlay: %zu layers, the limit is %d", o->n,
		    OVERLAY_LOWER_MAX);
	if (clear_volatile(base, o, e) == -1)
		return -1;
	if (o->n == 0 && o->rw == NULL)
		return mount_nothing(base, o, e);
	return mount_by(way, privately, o, e);
}

int
overlay_mount_by(enum overlay_way way, const struct overlay *o, struct err *e)
{
	return mount_checked(way, false, o, e);
}

/* What an older kernel answers to a way it does not know. */
static bool
may_be_unknown(const struct err *e)
{
	return e->no == EINVAL || e->no == ENOSYS || e->no == EOPNOTSUPP || e->no == EBADF;
}

/* Linux 6.15 is the first whose overlay takes directories of detached mounts. */
static int
mount_mapped(enum overlay_way way, const struct overlay *o, struct err *e)
{
	struct err first = {0};
	int m = mount_checked(way, false, o, &first);

	if (m >= 0)
		return m;
	m = may_be_unknown(&first) ? mount_checked(way, true, o, e) : -1;
	if (m == -1)
		*e = first;
	return m;
}

static bool
has_images(const struct overlay *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (overlay_is_image(o->lower[i]))
			return true;
	return false;
}

static int
mount_once(enum overlay_way way, const struct overlay *o, struct err *e)
{
	return o->userns > 0 || has_images(o) ? mount_mapped(way, o, e)
					      : mount_checked(way, false, o, e);
}

int
overlay_mount(const struct overlay *o, struct err *e)
{
	struct err first = {0}, later;
	int m;

	if (chosen != OVERLAY_WAYS)
		return mount_once(chosen, o, e);
	for (enum overlay_way w = OVERLAY_FDS; w < OVERLAY_WAYS; w++) {
		m = mount_once(w, o, w == OVERLAY_FDS ? &first : &later);
		if (m >= 0) {
			chosen = w;
			return m;
		}
		if (w == OVERLAY_FDS && !may_be_unknown(&first))
			break;
	}
	/* The first refusal is the one that explains: the newest interface has the best messages. */
	*e = first;
	return -1;
}
