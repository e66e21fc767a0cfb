/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-run/life/files.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_options.h"

void
files_free(struct files *f)
{
	fd_close(&f->root);
	peer_in_free(&f->rootfs);
	fd_close(&f->lock);
	ctr_free(&f->ctr);
	arena_free(&f->arena);
}

uint32_t
files_mapped(uint64_t id, const struct rec_id_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return (uint32_t)(v[i].outside + (id - v[i].inside));
	return (uint32_t)id;
}

static void
set_user(struct files *f, uint64_t uid, uint64_t gid)
{
	const struct rec_ctr_config *c = f->ctr.config;

	f->inner_uid = (uint32_t)uid;
	f->inner_gid = (uint32_t)gid;
	f->uid = files_mapped(uid, c->uid_map.v, c->uid_map.n);
	f->gid = files_mapped(gid, c->gid_map.v, c->gid_map.n);
}

/* --- One that runs ------------------------------------------------------------------------------*/

/*
 * Safe because the process is compared with the recorded one after its root was opened: a process ID that
 * was used again shows another start time, and the root is that of the first.
 */
static int
open_live(struct files *f, struct err *e)
{
	const struct ctr *c = &f->ctr;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)c->pid);
	f->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root == -1)
		return err_sys(e, "opening the root of container %s", c->id);
	if (!sync_process_lives(c->pid, c->pid_start))
		return err_set(e, ERR_STATE, "container %s has just ended", c->id);
	set_user(f, c->run.uid, c->run.gid);
	return 0;
}

/* --- One that does not --------------------------------------------------------------------------*/

static int
ask_rootfs(struct ctx *x, struct files *f, struct err *e)
{
	const struct rec_ctr_config *c = f->ctr.config;
	struct msg_rootfs_open m = {.id = f->ctr.id,
	    .image = c->image_id,
	    .user = c->user,
	    .no_passwd = true,
	    .used = f->ctr.started_ns != 0,
	    .volatile_ = c->remove};
	struct peer *store = ctx_store(x, e);

	m.uid_map.v = c->uid_map.v;
	m.uid_map.n = c->uid_map.n;
	m.gid_map.v = c->gid_map.v;
	m.gid_map.n = c->gid_map.n;
	m.volumes.n = spec_options_volumes(c, &f->arena, &m.volumes.v);
	return store == NULL
		   ? -1
		   : peer_call(store, &msg_rootfs_open_desc, &m, &f->rootfs, NULL, NULL, e);
}

static bool
has_option(const struct rec_ctr_mount *m, const char *word)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], word) == 0)
			return true;
	return false;
}

/* What the container would find there: a directory, or a file. */
static int
open_target(int root, const char *target, bool is_dir, struct err *e)
{
	int fd = path_try(root, target, PATH_IN_ROOT, O_PATH, 0);

	if (fd != -1 || errno != ENOENT)
		return fd != -1 ? fd : err_sys(e, "opening %s", target);
	if (is_dir)
		return path_mkdirs(root, target, PATH_IN_ROOT, 0755, NULL, e);
	fd = path_try(root, target, PATH_IN_ROOT, O_WRONLY | O_CREAT, 0644);
	return fd != -1 ? fd : err_sys(e, "making %s", target);
}

/* A source that is gone is an error of the next start, not of us. */
static int
attach(int root, const char *source, const struct rec_ctr_mount *m, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	own_fd int tree =
	    open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	own_fd int target = -1;
	struct stat st;

	if (tree == -1)
		return errno == ENOENT ? 0 : err_sys(e, "mounting %s", source);
	if (fstat(tree, &st) == -1)
		return err_sys(e, "mounting %s", source);
	if (has_option(m, "ro") &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof(ro)) == -1)
		return err_sys(e, "mounting %s read-only", source);
	target = open_target(root, m->target, S_ISDIR(st.st_mode), e);
	if (target == -1)
		return -1;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) ==
	    -1)
		return err_sys(e, "mounting %s on %s", source, m->target);
	return 0;
}

static int
attach_all(struct files *f, struct err *e)
{
	const struct msg_rootfs_opened *r = MSG_OF(&f->rootfs, rootfs_opened);
	const struct rec_ctr_config *c = f->ctr.config;
	size_t volume = 0;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];
		const char *source = NULL;

		if (strcmp(m->type, "volume") == 0)
			source = volume < r->volume_paths.n ? r->volume_paths.v[volume++] : NULL;
		else if (strcmp(m->type, "bind") == 0)
			source = m->source;
		if (source != NULL && attach(f->root, source, m, e) == -1)
			return -1;
	}
	return 0;
}

/*
 * Mounts can only be put upon a mount that is attached somewhere: in a namespace that ends with us, over a
 * directory that is ours.  One namespace for all of them: leaving it would take the first apart.  Safe because the namespace gets nothing but these mounts, and each target is
 * walked below the container's root.
 */
static int
enter_namespace(struct ctx *x, struct files *f, struct err *e)
{
	own_mem char *at = xasprintf("%s/mnt", x->run_root);

	if (mkdir(at, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making directory %s", at);
	if (!x->in_namespace &&
	    (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == -1))
		return err_sys(e, "making a mount namespace");
	x->in_namespace = true;
	if (move_mount(f->root, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) == -1)
		return err_sys(e, "mounting the root of container %s", f->ctr.id);
	return 0;
}

static int
open_stopped(struct ctx *x, struct files *f, struct err *e)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	const struct rec_ctr_config *c = f->ctr.config;
	struct msg_rootfs_opened *r;
	bool mounts = false;

	if (ask_rootfs(x, f, e) == -1)
		return -1;
	r = MSG_OF(&f->rootfs, rootfs_opened);
	f->root = fd_take(&r->root);
	if (f->root <= 0) {
		f->root = -1;
		return err_set(e, ERR_UNSUPPORTED,
		    "container %s has no root file system of its own", f->ctr.id);
	}
	set_user(f, r->uid, r->gid);
	f->read_only = c->read_only;
	for (size_t i = 0; i < c->mounts.n; i++)
		mounts |= strcmp(c->mounts.v[i].type, "volume") == 0 ||
			  strcmp(c->mounts.v[i].type, "bind") == 0;
	if (mounts && (enter_namespace(x, f, e) == -1 || attach_all(f, e) == -1))
		return -1;
	if (c->read_only && mount_setattr(f->root, "", AT_EMPTY_PATH, &ro, sizeof(ro)) == -1)
		return err_sys(e, "making the root of container %s read-only", f->ctr.id);
	return 0;
}

int
files_open(struct ctx *x, const char *id, struct files *f, struct err *e)
{
	f->lock = sync_open(x, id, &f->ctr, e);
	if (f->lock == -1 || ctr_config(&f->ctr, e) == -1)
		return -1;
	if (!ctr_has_process(&f->ctr))
		return open_stopped(x, f, e);
	/* Copying may take long; others go on working with the container. */
	fd_close(&f->lock);
	return open_live(f, e);
}

const char *
files_absolute(struct files *f, const char *path)
{
	const char *dir = f->ctr.config->workdir;

	return *path == '/' ? path
			    : arena_printf(&f->arena, "%s/%s",
				  dir != NULL && *dir == '/' && dir[1] != '\0' ? dir : "", path);
}
