/* SPDX-License-Identifier: ISC */
#include "common/conf/selinux_conf.h"
#include "pod-run/life/idmount.h"
#include "pod-run/life/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "common/fs/walk.h"
#include "pod-run/life/image.h"
#include "pod-run/life/volumes.h"
#include "pod-run/oci/detached.h"
#include "pod-run/oci/selinux.h"
#include "pod-run/oci/spec_list.h"

#define ROOT_OVERLAY 65536  /* more than there are mounts */
#define OVERLAYS "overlays" /* below the container's directory in the graph root */

static const char *
kind(const struct rec_ctr_mount *m)
{
	return m->type;
}

static bool
is_special(const struct rec_ctr_mount *m)
{
	return m->overlay || m->chown || m->subpath != NULL || m->relabel != NULL;
}

/* --- Overlays ---------------------------------------------------------------------------------------*/

static int
set_dir(int fs, const char *key, int dir)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

/* The kernel's own words, if it has some: "e overlay: …". */
static int
fs_error(int fs, const char *what, struct err *e)
{
	int saved = errno;
	char text[256];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	errno = saved;
	if (n <= 2)
		return err_sys(e, "mounting an overlay: %s", what);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	errno = saved;
	return err_sys(e, "mounting an overlay: %s", text + 2);
}

/* A detached overlay; lower, upper and work are directories of mounts that we see. */
static int
overlay(const struct start *s, int lower, int upper, int work, struct err *e)
{
	const char *label = s->c->config->mount_label;
	const char *option = s->c->config->label_nested ? "rootcontext" : "context";
	own_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int m;

	if (fs == -1)
		return err_sys(e, "mounting an overlay: fsopen");
	if (set_dir(fs, "lowerdir", lower) == -1 || set_dir(fs, "upperdir", upper) == -1 ||
	    set_dir(fs, "workdir", work) == -1 ||
	    (s->x->rootless.userns &&
		fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == -1) ||
	    (label != NULL && *label != '\0' &&
		fsconfig(fs, FSCONFIG_SET_STRING, option, label, 0) == -1) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return fs_error(fs, "fsconfig", e);
	m = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return m != -1 ? m : fs_error(fs, "fsmount", e);
}

/* Opens an absolute path that must be a directory; made first if make. */
static int
open_dir(const char *path, bool make, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (make)
		return path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, e);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd != -1 ? fd : err_sys(e, "stat %s", path);
}

/* Upper and work directory of one run, empty; the upper one looks as what is below it. */
static int
fresh_dirs(struct start *s, size_t i, int lower, int *upper, int *work, struct err *e)
{
	own_mem char *dir = ctx_static_dir(s->x, s->c->id);
	own_mem char *mine = xasprintf("%s/" OVERLAYS "/%zu", dir, i);
	own_mem char *up = xasprintf("%s/upper", mine), *down = xasprintf("%s/work", mine);
	own_fd int parent = -1;
	struct stat st;

	parent = open_dir(mine, true, e);
	if (parent == -1 || tree_remove(parent, "upper", e) == -1 ||
	    tree_remove(parent, "work", e) == -1)
		return -1;
	*upper = open_dir(up, true, e);
	*work = open_dir(down, true, e);
	if (*upper == -1 || *work == -1)
		return -1;
	if (fstat(lower, &st) == -1 ||
	    fchownat(*upper, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) == -1 ||
	    chmod(up, st.st_mode & 07777) == -1)
		return err_sys(e, "making an overlay of container %s", s->c->id);
	return 0;
}

static int
make_overlay(struct start *s, size_t i, int lower, struct err *e)
{
	const struct rec_ctr_mount *m = &s->c->config->mounts.v[i];
	own_fd int upper = -1, work = -1;
	struct stat st;

	if (fstat(lower, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "overlay volume %s: not a directory", m->source);
	if (m->upper_dir != NULL) {
		upper = open_dir(m->upper_dir, false, e);
		work = upper == -1 ? -1 : open_dir(m->work_dir, false, e);
		if (work == -1)
			return -1;
	} else if (fresh_dirs(s, i, lower, &upper, &work, e) == -1) {
		return -1;
	}
	return overlay(s, lower, upper, work, e);
}

void
mounts_forget(const struct ctx *x, const char *id)
{
	own_mem char *dir = ctx_static_dir(x, id);
	own_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err ignored;

	if (fd != -1)
		tree_remove(fd, OVERLAYS, &ignored);
}

static int
clone_tree(int fd, struct err *e)
{
	int m =
	    open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return m != -1 ? m : err_sys(e, "open_tree");
}

/* --- Owners (U) -------------------------------------------------------------------------------------*/

struct owner {
	uid_t uid;
	gid_t gid;
};

static int
give(void *arg, const struct walk_entry *w, struct err *e)
{
	const struct owner *o = arg;

	if (w->st.st_uid == o->uid && w->st.st_gid == o->gid)
		return 0;
	if (fchownat(w->dir, w->name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW) == -1 && errno != ENOENT)
		return err_sys(e, "chown %s", w->path);
	return 0;
}

static uint64_t
outside(const struct rec_id_range *v, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return v[i].outside + (id - v[i].inside);
	return id;
}

/*
 * Safe because the tree is walked by descriptors and no link is followed: whoever plants one in it gains
 * nothing of ours.
 */
static int
chown_tree(const struct rec_ctr_config *c, int top, uint32_t uid, uint32_t gid, struct err *e)
{
	struct owner o = {(uid_t)outside(c->uid_map.v, c->uid_map.n, uid),
	    (gid_t)outside(c->gid_map.v, c->gid_map.n, gid)};
	own_fd int dir = -1;
	struct stat st;

	if (fstat(top, &st) == -1)
		return err_sys(e, "stat");
	if ((st.st_uid != o.uid || st.st_gid != o.gid) &&
	    fchownat(top, "", o.uid, o.gid, AT_EMPTY_PATH) == -1)
		return err_sys(e, "chown");
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = path_reopen(top, O_RDONLY | O_DIRECTORY, e);
	return dir == -1 ? -1 : walk_deep(dir, give, &o, e);
}

/* --- The root ---------------------------------------------------------------------------------------*/

int
mounts_rootfs(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	own_fd int dir = open_dir(c->rootfs, false, e), upper = -1, work = -1;

	if (dir != -1 && (c->rootfs_idmap != NULL || !c->rootfs_overlay)) {
		own_fd int tree = clone_tree(dir, e);

		if (tree == -1 ||
		    (c->rootfs_idmap != NULL && idmount_apply(tree, c, c->rootfs_idmap, e) == -1))
			return -1;
		if (!c->rootfs_overlay)
			return fd_take(&tree);
		fd_close(&dir);
		dir = fd_take(&tree);
	}
	if (dir == -1)
		return -1;
	if (fresh_dirs(s, ROOT_OVERLAY, dir, &upper, &work, e) == -1)
		return -1;
	return overlay(s, dir, upper, work, e);
}

/* --- Images -----------------------------------------------------------------------------------------*/

int
mounts_ask(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	struct peer *store = NULL;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];
		own_strv struct strv candidates = {0};
		struct msg_image_open q = {.image = m->source, .index = i};

		if (strcmp(kind(m), "image") != 0)
			continue;
		if (s->image_seqs == NULL)
			s->image_seqs = arena_array(&s->arena, c->mounts.n, sizeof(uint32_t));
		store = ctx_store(s->x, e);
		if (store == NULL || image_candidates(s->x, m->source, &candidates, e) == -1)
			return -1;
		q.candidates = (struct strs){.v = (const char **)candidates.v, .n = candidates.n};
		q.id = m->writable ? s->c->id : NULL;
		q.mount_label = m->writable ? c->mount_label : NULL;
		s->image_seqs[i] = peer_next_seq(store);
		if (peer_send(store, &msg_image_open_desc, s->image_seqs[i], &q, e) == -1)
			return -1;
	}
	return 0;
}

static int
take_image(struct start *s, size_t i, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	if (peer_wait(ctx_store(s->x, e), &msg_image_open_desc, s->image_seqs[i], &in, NULL, NULL,
		e) == -1)
		return -1;
	return fd_take(&MSG_OF(&in, image_opened)->root);
}

/* What is bound at the place of an image's mount. */
static int
prepare_image(struct start *s, size_t i, const char **source, struct err *e)
{
	const struct rec_ctr_mount *m = &s->c->config->mounts.v[i];
	own_fd int root = take_image(s, i, e);
	struct stat st;

	if (root == -1)
		return err_wrap(e, "mounting image %s", m->source);
	if (m->subpath != NULL) {
		own_fd int whole = fd_take(&root);

		root = detached_part(whole, m->subpath, e);
		if (root == -1)
			return err_wrap(e, "subpath of image %s", m->source);
	}
	if (fstat(root, &st) == -1)
		return err_sys(e, "stat %s", m->target);
	*source = start_mount(s, fd_take(&root), !S_ISDIR(st.st_mode), e);
	return *source == NULL ? -1 : 0;
}

/* --- Volumes ----------------------------------------------------------------------------------------*/

/* The image of a volume that shows one, read-only. */
static int
volume_image(struct start *s, const struct rec_volume *v, const char **source, struct err *e)
{
	own_strv struct strv candidates = {0};
	own_peer_in struct peer_in in = {0};
	struct msg_image_open q = {0};
	struct peer *store = ctx_store(s->x, e);

	for (size_t i = 0; i < v->options.n; i++)
		if (strcasecmp(v->options.v[i].key, "image") == 0)
			q.image = v->options.v[i].value;
	if (q.image == NULL)
		return err_set(e, ERR_INVALID, "volume %s names no image", v->name);
	if (store == NULL || image_candidates(s->x, q.image, &candidates, e) == -1)
		return -1;
	q.candidates = (struct strs){.v = (const char **)candidates.v, .n = candidates.n};
	if (peer_call(store, &msg_image_open_desc, &q, &in, NULL, NULL, e) == -1)
		return err_wrap(e, "mounting volume %s", v->name);
	*source = start_mount(s, fd_take(&MSG_OF(&in, image_opened)->root), false, e);
	return *source == NULL ? -1 : 0;
}

static int
mount_volume(
    struct start *s, size_t i, struct rec_volume_use *u, const struct rec_volume *v, struct err *e)
{
	if (s->volume_sources == NULL)
		s->volume_sources =
		    arena_array(&s->arena, s->c->config->mounts.n, sizeof(*s->volume_sources));
	if (volumes_is_image(v)) {
		u->external = true;
		return volume_image(s, v, &s->volume_sources[i].place, e);
	}
	if (volumes_mount(s->x, v, s->c->id, &s->volume_sources[i].path, &s->arena, e) == -1)
		return -1;
	u->external = volumes_is_plugin(v);
	spec_list_add(&s->arena, &s->volumes, arena_strdup(&s->arena, v->name));
	return 0;
}

int
mounts_volumes(struct start *s, struct rec_volume_use *v, size_t n, struct err *e)
{
	struct peer *store = n > 0 ? ctx_store(s->x, e) : NULL;
	uint32_t *seqs = arena_array(&s->arena, n + 1, sizeof(*seqs));

	if (n > 0 && store == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct msg_volume_get m = {.name = v[i].name, .exact = true};

		seqs[i] = v[i].anonymous ? 0 : peer_next_seq(store);
		if (!v[i].anonymous && peer_send(store, &msg_volume_get_desc, seqs[i], &m, e) == -1)
			return -1;
	}
	for (size_t i = 0; i < n; i++) {
		own_peer_in struct peer_in in = {0};
		const struct rec_volume *found;

		if (v[i].anonymous)
			continue;
		if (peer_wait(store, &msg_volume_get_desc, seqs[i], &in, NULL, NULL, e) == -1) {
			/* It is made later, and plain then. */
			if (e->class != ERR_NOTFOUND)
				return -1;
			err_clear(e);
			continue;
		}
		found = MSG_OF(&in, volume_got)->volume;
		if (!volumes_is_plain(found) && mount_volume(s, i, &v[i], found, e) == -1)
			return -1;
	}
	return 0;
}

/* --- All --------------------------------------------------------------------------------------------*/

static int
open_source(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	return fd != -1 ? fd : err_sys(e, "statfs %s", path);
}

/* z and Z; an overlay has its label from the mount. */
static int
relabel(struct start *s, const struct rec_ctr_mount *m, int fd, const char *path, struct err *e)
{
	const char *label = s->c->config->mount_label;

	if (label == NULL || *label == '\0' || m->overlay || !selinux_conf_enabled())
		return 0;
	if (strcmp(m->relabel, "shared") == 0)
		label = selinux_shared(label, &s->arena);
	return selinux_relabel(fd, path, label, e);
}

/* A volume belongs to containers from the first one on: it gets the label that they share. */
static int
label_volume(struct start *s, const char *path, struct err *e)
{
	const char *label = s->c->config->mount_label;
	own_fd int fd = -1;

	if (label == NULL || *label == '\0' || !selinux_conf_enabled() ||
	    !selinux_differs(path, label))
		return 0;
	fd = open_source(path, e);
	return fd == -1 ? -1 : selinux_relabel(fd, path, selinux_shared(label, &s->arena), e);
}

/*
 * One mount: its source, then the part of it, then the overlay over that, then its owner.  *source stays as
 * it is where nothing but the owner changed.
 */
static int
prepare(struct start *s, size_t i, const struct spec_facts *f, const char **source, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	const struct rec_ctr_mount *m = &c->mounts.v[i];
	own_fd int fd = open_source(*source, e), mount_fd = -1;
	struct stat st;

	if (fd != -1 && m->subpath != NULL) {
		own_fd int whole = fd_take(&fd);

		fd = path_open(whole, m->subpath, PATH_IN_ROOT, O_PATH, 0, e);
		if (fd == -1)
			return err_wrap(e, "subpath %s of volume %s", m->subpath, m->source);
		mount_fd = m->overlay ? -1 : clone_tree(fd, e);
		if (!m->overlay && mount_fd == -1)
			return -1;
	}
	if (fd == -1)
		return -1;
	if (m->overlay) {
		mount_fd = make_overlay(s, i, fd, e);
		if (mount_fd == -1)
			return -1;
	}
	if (m->chown && chown_tree(c, mount_fd != -1 ? mount_fd : fd, f->uid, f->gid, e) == -1)
		return err_wrap(e, "giving %s to the container's user", *source);
	if (m->relabel != NULL && relabel(s, m, mount_fd != -1 ? mount_fd : fd, *source, e) == -1)
		return -1;
	if (mount_fd == -1)
		return 0;
	if (fstat(mount_fd, &st) == -1)
		return err_sys(e, "stat %s", *source);
	*source = start_mount(s, fd_take(&mount_fd), !S_ISDIR(st.st_mode), e);
	return *source == NULL ? -1 : 0;
}

/* The monitor's mount namespace may be older than the mount of the volume: it gets a copy. */
static int
place_volume(struct start *s, const char **path, struct err *e)
{
	own_fd int fd = open_source(*path, e), copy = fd == -1 ? -1 : clone_tree(fd, e);

	if (copy == -1)
		return -1;
	*path = start_mount(s, fd_take(&copy), false, e);
	return *path == NULL ? -1 : 0;
}

int
mounts_prepare(struct start *s, struct spec_facts *f, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	const char **sources = arena_array(&s->arena, c->mounts.n + 1, sizeof(*sources));
	size_t volume = 0;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];
		const struct volume_source *from = NULL;
		const char *path = m->source;

		if (strcmp(kind(m), "volume") == 0) {
			if (volume >= f->volume_paths_n)
				return err_set(
				    e, ERR_INTERNAL, "no directory for volume %s", m->source);
			path = f->volume_paths[volume];
			if (s->volume_sources != NULL)
				from = &s->volume_sources[volume];
			volume++;
			if (from != NULL && from->path != NULL)
				path = from->path;
			else if (label_volume(s, path, e) == -1)
				return -1;
		} else if (strcmp(kind(m), "bind") != 0 && strcmp(kind(m), "image") != 0) {
			continue;
		}
		if (strcmp(kind(m), "image") == 0) {
			if (prepare_image(s, i, &path, e) == -1)
				return -1;
		} else if (from != NULL && from->place != NULL) {
			path = from->place;
		} else if (is_special(m) && prepare(s, i, f, &path, e) == -1) {
			return -1;
		}
		if (from != NULL && path == from->path && place_volume(s, &path, e) == -1)
			return -1;
		sources[i] = path;
	}
	f->mount_sources = sources;
	return 0;
}
