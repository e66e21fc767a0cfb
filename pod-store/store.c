/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/selinux_conf.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"
#include "common/fs/path.h"
#include "common/fs/spread.h"
#include "common/fs/tree.h"
#include "pod-store/store.h"
#include "pod-store/volume_place.h"

#define LOCK "store.lock"
#define DAMAGED ".damaged" /* after the name of what is moved out of the way */
#define DAMAGED_MAX 100

static const char *const index_files[] = {"store.db", "store.db-wal", "store.db-shm"};

/* Made once they are needed, two of them by the coordinator. */
static const char *const more_dirs[] = {
    "artifacts", "lists", "made", "mountpoints", "containers", "secrets"};

/*
 * Whatever label an overlay shows of its files, the kernel also asks whether a container that maps one may read the
 * file below it, and policies say so of no other directory than Podman's.
 */
static const struct {
	const char *name;
	bool strangers;	   /* what is made in it has nothing in common */
	const char *label; /* SELinux: lxc_contexts' word for what lies there, and inherits it */
} dirs[] = {{"layers", false, "ro_file"}, {"rw", true, "file"}, {"volumes", true, NULL},
    {"tmp", false, "ro_file"}, {"trash", false, NULL}, {"empty", false, "ro_file"},
    {"mounts", false, NULL}};

static int
open_root(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int top = -1, made = -1;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(e, "opening graph root %s", path);
	top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top == -1)
		return err_sys(e, "opening /");
	made = path_mkdirs(top, path, PATH_IN_ROOT, 0755, NULL, e);
	if (made == -1)
		return err_wrap(e, "making graph root");
	/* Layers hold other people's set-user-ID files: nobody else may walk in. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fchmod(fd, 0700) == -1) {
		err_sys(e, "making graph root %s", path);
		fd_close(&fd);
	}
	return fd;
}

/* Is name what it should be?  The directory of volumes may be a link to another place. */
static bool
is_in_place(int root, const char *name, const struct stat *st, mode_t type)
{
	char first = '\0';

	if (S_ISLNK(st->st_mode) && strcmp(name, "volumes") == 0)
		return readlinkat(root, name, &first, 1) == 1 && first == '/';
	return (st->st_mode & S_IFMT) == type;
}

static int
displaced(const char *name, struct err *e)
{
	err_set(
	    e, ERR_INTEGRITY, "the store is damaged: something else is in the place of %s", name);
	return err_hint(e, "pod system check --repair moves it to %s" DAMAGED ".", name);
}

/* Best effort: a policy that does not know containers has no label for them. */
static void
label_dir(int fd, const char *word)
{
	own_mem char *contexts = NULL;
	own_arena struct arena a = {0};
	struct err e = {0};
	const char *label;

	if (!selinux_conf_enabled() || (contexts = selinux_conf_contexts(&e)) == NULL)
		return;
	label = selinux_conf_value(contexts, word, &a);
	if (label != NULL && fsetxattr(fd, SELINUX_XATTR, label, strlen(label) + 1, 0) == -1)
		log_debug("labelling the store: %s", strerror(errno));
}

static int
make_dirs(int root, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		own_fd int made = -1;
		struct stat st;

		/* Looked for first: making it would take the lock of all who make something here. */
		if (fstatat(root, dirs[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (!is_in_place(root, dirs[i].name, &st, S_IFDIR))
				return displaced(dirs[i].name, e);
			continue;
		}
		if (mkdirat(root, dirs[i].name, 0700) == -1) {
			if (errno == EEXIST)
				continue;
			return err_sys(e, "making directory %s of the store", dirs[i].name);
		}
		made = openat(root, dirs[i].name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (made >= 0 && dirs[i].strangers)
			spread_below(made);
		if (made >= 0 && dirs[i].label != NULL)
			label_dir(made, dirs[i].label);
	}
	return 0;
}

/*
 * In any user namespace overlay's marks are user.*, for trusted.* belongs to the first one.  With a single
 * ID there is no other owner than that one.
 */
static void
look_at_namespace(struct store *s)
{
	own_file FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;

	if (f == NULL || fscanf(f, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return;
	s->userxattr = inside != 0 || outside != 0 || count != 4294967295ul;
	s->single_id = count == 1 && fscanf(f, "%lu", &inside) != 1;
	// cppcheck-suppress resourceLeak; own_file closes it
}

/* SQLite only says that it cannot open what is no file. */
static int
explain(const struct store *s, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < COUNTOF(index_files); i++)
		if (fstatat(s->dir, index_files[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISREG(st.st_mode))
			return displaced(index_files[i], e);
	return -1;
}

/* The index is made by one process only; SQLite itself does not guard the change to WAL. */
static int
open_index(struct store *s, struct err *e)
{
	own_mem char *path = xasprintf("%s/store.db", s->root);
	bool fresh = true;
	struct stat st;
	int rc;

	if (fstatat(s->dir, "store.db", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0) {
		if (db_open(&s->db, path, false, &fresh, e) == -1)
			return explain(s, e);
		if (!fresh)
			return 0;
		db_close(&s->db);
	}
	if (store_lock(s, LOCK_EXCLUSIVE, e) == -1)
		return -1;
	rc = db_open(&s->db, path, true, NULL, e);
	store_unlock(s);
	return rc == -1 ? explain(s, e) : rc;
}

static int
open_db(struct store *s, struct err *e)
{
	if (open_index(s, e) == -1)
		return -1;
	sqlite_guard(s->db.h);
	return 0;
}

int
store_open(struct store *s, const char *root, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->dir = s->trash = s->lock = s->writing = -1;
	if (root == NULL || root[0] != '/')
		return err_set(e, ERR_INVALID, "the graph root must be an absolute path");
	s->root = xstrdup(root);
	look_at_namespace(s);
	s->dir = open_root(root, e);
	if (s->dir == -1 || make_dirs(s->dir, e) == -1)
		goto failed;
	s->trash = openat(s->dir, "trash", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	s->lock = openat(s->dir, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock == -1 && (errno == EISDIR || errno == ELOOP)) {
		displaced(LOCK, e);
		goto failed;
	}
	if (s->trash == -1 || s->lock == -1) {
		err_sys(e, "opening the store %s", root);
		goto failed;
	}
	if (open_db(s, e) == -1 || volume_place_look(s, e) == -1)
		goto failed;
	return 0;
failed:
	store_close(s);
	return -1;
}

int
store_move_aside(int root, const char *name, struct err *e)
{
	for (int i = 0; i < DAMAGED_MAX; i++) {
		own_mem char *to =
		    i == 0 ? xasprintf("%s" DAMAGED, name) : xasprintf("%s" DAMAGED ".%d", name, i);

		if (renameat2(root, name, root, to, RENAME_NOREPLACE) == 0) {
			log_warn("the store is damaged: moved %s to %s", name, to);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "moving %s out of the way", name);
}

int
store_displaced(const struct store *s, struct strv *out, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < COUNTOF(more_dirs); i++) {
		if (fstatat(s->dir, more_dirs[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (!S_ISDIR(st.st_mode))
				strv_add(out, more_dirs[i]);
		} else if (errno != ENOENT) {
			return err_sys(e, "looking at %s", more_dirs[i]);
		}
	}
	return 0;
}

static int
mend_one(int root, const char *name, mode_t type, struct err *e)
{
	struct stat st;

	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    is_in_place(root, name, &st, type))
		return 0;
	return store_move_aside(root, name, e);
}

int
store_mend(const char *root, struct err *e)
{
	/* It is the directory itself. */
	own_fd int fd = salvage_lock(root, e);

	if (fd == -1 && e->no != ENOENT)
		return -1;
	if (fd == -1) {
		err_clear(e);
		return 0;
	}
	for (size_t i = 0; i < COUNTOF(dirs); i++)
		if (mend_one(fd, dirs[i].name, S_IFDIR, e) == -1)
			return -1;
	for (size_t i = 0; i < COUNTOF(more_dirs); i++)
		if (mend_one(fd, more_dirs[i], S_IFDIR, e) == -1)
			return -1;
	/* The index itself may be read although it is a link, see store_renew_db. */
	for (size_t i = 1; i < COUNTOF(index_files); i++)
		if (mend_one(fd, index_files[i], S_IFREG, e) == -1)
			return -1;
	return mend_one(fd, LOCK, S_IFREG, e);
}

/* Somebody else may have renewed it since it was looked at. */
static bool
is_whole(const char *path)
{
	struct err ignored = {0};
	struct db d;
	char why[512];
	bool whole;

	if (db_open(&d, path, false, NULL, &ignored) == -1)
		return false;
	whole = db_check(&d, false, why, sizeof(why), &ignored) == 1;
	db_close(&d);
	return whole;
}

int
store_renew_db(struct store *s, const char *root, struct err *e)
{
	own_mem char *path = xasprintf("%s/store.db", root);
	own_fd int lock = -1;

	if (s->db.h != NULL)
		db_close(&s->db);
	lock = salvage_lock(root, e);
	if (lock == -1 || (!is_whole(path) && db_salvage(path, e) == -1))
		return -1;
	return s->dir >= 0 ? open_db(s, e) : 0;
}

void
store_close(struct store *s)
{
	if (s->db.h != NULL)
		db_close(&s->db);
	fd_close(&s->dir);
	fd_close(&s->trash);
	fd_close(&s->lock);
	fd_close(&s->writing);
	strv_free(&s->unwritten);
	own_mem_free(&s->root);
	own_mem_free(&s->volume_path);
	s->root = s->volume_path = NULL;
	own_mem_free(&s->opt.mountopt);
	own_mem_free(&s->opt.mount_program);
	for (size_t i = 0; i < s->nmore; i++)
		store_close(&s->more[i]);
	if (s->images != NULL)
		store_close(s->images);
	free(s->images);
	free(s->more);
	s->images = s->more = NULL;
	s->nmore = 0;
}

int
store_dir(const struct store *s, const char *path, struct err *e)
{
	return path_open(s->dir, path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

char *
store_layer_path(const struct store *s, const char *id)
{
	return xasprintf("%s/%s", s->theirs ? "overlay" : "layers", id);
}

int
store_open_layer(const struct store *s, const char *id, const char *below, struct err *e)
{
	own_mem char *layer = store_layer_path(s, id);
	own_mem char *path = xasprintf("%s%s%s", layer, *below != '\0' ? "/" : "", below);

	return store_dir(s, path, e);
}

/* Of containers/storage: with its files, and nothing that would make another layout of it. */
static bool
has_files(const struct store *s, const char *layer)
{
	own_mem char *diff = xasprintf("%s/diff", layer);
	own_mem char *tar = xasprintf("%s/" LAYOUT_TAR, layer);
	own_fd int fd = path_try(s->dir, diff, PATH_PLAIN, O_PATH | O_DIRECTORY, 0);
	struct stat st;

	return fd != -1 && fstatat(s->dir, tar, &st, AT_SYMLINK_NOFOLLOW) == -1;
}

bool
store_has_layer(const struct store *s, const char *id)
{
	own_mem char *path = store_layer_path(s, id);
	struct stat st;

	if (s->theirs)
		return has_files(s, path);
	return fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int
store_names_in(int dir, const char *shown, struct strv *out, struct err *e)
{
	own_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (d == NULL)
		return err_sys(e, "listing %s", shown);
	fd_take(&fd);
	while ((errno = 0, de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			strv_add(out, de->d_name);
	return errno == 0 ? 0 : err_sys(e, "listing %s", shown);
}

int
store_names(const struct store *s, const char *path, struct strv *out, struct err *e)
{
	own_fd int fd = store_dir(s, path, e);

	return fd == -1 ? -1 : store_names_in(fd, path, out, e);
}

int
store_lock(const struct store *s, enum lock_mode mode, struct err *e)
{
	return lock_take(s->lock, mode, LOCK_WAIT, "the store", e);
}

void
store_unlock(const struct store *s)
{
	lock_drop(s->lock);
}

int
store_random(char *out, size_t n, struct err *e)
{
	uint8_t raw[64];

	if (n > sizeof(raw) || getrandom(raw, n, 0) != (ssize_t)n)
		return err_sys(e, "reading random bytes");
	text_hex(raw, n, out);
	return 0;
}

int
store_trash(struct store *s, int dirfd, const char *name, struct err *e)
{
	if (tree_trash(dirfd, name, s->trash, e) == -1)
		return -1;
	s->dirty = true;
	return 0;
}

int
store_stage(struct store *s, char name[STORE_NAME_MAX], struct err *e)
{
	own_fd int tmp = store_dir(s, "tmp", e), fd = -1;

	if (tmp == -1 || store_random(name, 16, e) == -1)
		return -1;
	/* Reapers hold this exclusively: none can see the directory before it is locked. */
	if (lock_take(tmp, LOCK_SHARED, LOCK_WAIT, "tmp", e) == -1)
		return -1;
	if (mkdirat(tmp, name, 0700) == -1)
		return err_sys(e, "making a staging directory");
	fd = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_sys(e, "opening a staging directory");
	if (lock_take(fd, LOCK_EXCLUSIVE, LOCK_TRY, "a staging directory", e) == -1)
		return -1;
	s->dirty = true;
	return fd_take(&fd);
}

/* Puts staging directories whose owner is gone into the trash. */
static int
reap_stages(struct store *s, struct err *e)
{
	own_fd int tmp = store_dir(s, "tmp", e);
	own_dir DIR *d = NULL;
	struct dirent *de;

	if (tmp == -1 || lock_take(tmp, LOCK_EXCLUSIVE, LOCK_WAIT, "tmp", e) == -1)
		return -1;
	d = fdopendir(tmp);
	if (d == NULL)
		return err_sys(e, "listing tmp");
	fd_take(&tmp);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (!lock_is_held(dirfd(d), de->d_name) &&
		    store_trash(s, dirfd(d), de->d_name, e) == -1)
			return -1;
	}
	return 0;
}

int
store_clean(struct store *s, bool force, struct err *e)
{
	if (s->images != NULL && store_clean(s->images, force, e) == -1)
		return -1;
	if (!s->dirty && !force)
		return 0;
	s->dirty = false;
	if (reap_stages(s, e) == -1)
		return -1;
	/* One remover at a time: two would only get into each other's way. */
	if (lock_take(s->trash, LOCK_EXCLUSIVE, LOCK_WAIT, "trash", e) == -1)
		return -1;
	if (lseek(s->trash, 0, SEEK_SET) == -1 || tree_empty(s->trash, e) == -1) {
		lock_drop(s->trash);
		return err_wrap(e, "emptying the trash");
	}
	lock_drop(s->trash);
	return volume_place_clean(s, e);
}
