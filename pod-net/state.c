/* SPDX-License-Identifier: ISC */
#include "pod-net/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"

#define STATE_MAX ((size_t)16 << 20)

int
state_open(struct state_dir *d, const char *run_root, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int dir = -1;

	d->fd = -1;
	d->path = NULL;
	if (run_root == NULL || run_root[0] != '/')
		return err_set(e, ERR_INVALID, "the run root must be an absolute path");
	if (root < 0)
		return err_sys(e, "opening /");
	d->path = xasprintf("%s/net/containers", run_root);
	dir = path_mkdirs(root, d->path + 1, PATH_IN_ROOT, 0700, NULL, e);
	if (dir < 0) {
		state_close(d);
		return err_wrap(e, "making the directory of network state");
	}
	d->fd = fd_take(&dir);
	return 0;
}

void
state_close(struct state_dir *d)
{
	fd_close(&d->fd);
	free(d->path);
	d->path = NULL;
}

const char *
state_path(const struct state_dir *d, const char *id, struct arena *a)
{
	return arena_printf(a, "%s/%s", d->path, id);
}

bool
state_id_valid(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n <= 128 && id[0] != '.' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

/* Its bytes; what could not be read again is refused before anything is made that it would have to undo. */
static int
pack(const struct rec_net_state *s, struct strbuf *b, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state again;

	wire_pack(&rec_net_state_desc, s, b);
	if (b->n > STATE_MAX)
		return err_set(e, ERR_LIMIT, "a container's network state is too large");
	return wire_unpack(&rec_net_state_desc, b->s, b->n, &again, &a, e);
}

int
state_write(const struct state_dir *d, const char *id, const struct rec_net_state *s, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_fd int fd = -1;

	if (pack(s, &b, e) != 0)
		return -1;
	fd = openat(d->fd, id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "making the network state of container %s", id);
	/* A sweep that comes between the two sees an unlocked file, but one newer than itself. */
	if (lock_take(fd, LOCK_EXCLUSIVE, 5000, id, e) != 0)
		return -1;
	if (file_put(fd, b.s, b.n) != 0) {
		err_sys(e, "writing the network state of container %s", id);
		(void)unlinkat(d->fd, id, 0);
		return -1;
	}
	return fd_take(&fd);
}

int
state_replace(
    const struct state_dir *d, const char *id, const struct rec_net_state *s, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	if (pack(s, &b, e) != 0)
		return -1;
	return file_write(d->fd, id, b.s, b.n, 0600, 0, e);
}

int
state_hold(const struct state_dir *d, const char *id)
{
	own_fd int fd = openat(d->fd, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	struct err ignored = {0};

	if (fd < 0 || lock_take(fd, LOCK_EXCLUSIVE, LOCK_TRY, id, &ignored) != 0)
		return -1;
	return fd_take(&fd);
}

int
state_extend(int fd, const struct rec_net_state *s, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	if (pack(s, &b, e) != 0)
		return -1;
	if (pwrite(fd, b.s, b.n, 0) != (ssize_t)b.n || ftruncate(fd, (off_t)b.n) != 0)
		return err_sys(e, "writing the network state");
	return 0;
}

void
state_release(int *fd)
{
	if (*fd >= 0)
		(void)futimens(*fd, NULL);
	fd_close(fd);
}

int
state_read(const struct state_dir *d, const char *name, struct rec_net_state *s, struct arena *a,
    struct err *e)
{
	own_mem char *bytes = NULL;
	size_t n;

	if (file_read(d->fd, name, STATE_MAX, &bytes, &n, e) != 0) {
		if (e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (wire_unpack(&rec_net_state_desc, bytes, n, s, a, e) != 0)
		return err_wrap(e, "network state %s", name);
	return 1;
}

const char *
state_retire(const struct state_dir *d, const char *id, struct arena *a)
{
	struct timespec t;
	const char *name;

	clock_gettime(CLOCK_REALTIME, &t);
	name = arena_printf(a, ".%s.%llx%09lx", id, (unsigned long long)t.tv_sec, t.tv_nsec);
	return renameat(d->fd, id, d->fd, name) == 0 ? name : NULL;
}

void
state_remove(const struct state_dir *d, const char *name)
{
	(void)unlinkat(d->fd, name, 0);
}

static bool
may_sweep(int dir, const char *name, int64_t since_ns)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec < since_ns &&
	       !lock_is_held(dir, name);
}

static DIR *
open_list(const struct state_dir *d)
{
	own_fd int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (list != NULL)
		(void)fd_take(&fd);
	return list;
}

int
state_names(const struct state_dir *d, int64_t since_ns, struct strv *out, struct err *e)
{
	own_dir DIR *list = open_list(d);

	if (list == NULL)
		return err_sys(e, "listing the network state");
	for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
		if (entry->d_type == DT_REG && may_sweep(d->fd, entry->d_name, since_ns))
			strv_add(out, entry->d_name);
	return 0;
}

int
state_all(const struct state_dir *d, struct strv *out, struct err *e)
{
	own_dir DIR *list = open_list(d);

	if (list == NULL)
		return err_sys(e, "listing the network state");
	for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
		if (entry->d_type == DT_REG)
			strv_add(out, entry->d_name);
	return 0;
}

bool
state_none(const struct state_dir *d)
{
	own_dir DIR *list = open_list(d);

	for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;)
		if (entry->d_type == DT_REG)
			return false;
	return list != NULL;
}
