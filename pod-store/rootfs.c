/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/attach.h"
#include "pod-store/below.h"
#include "pod-store/image.h"
#include "pod-store/copy.h"
#include "pod-store/driver.h"
#include "pod-store/fuse.h"
#include "pod-store/layer.h"
#include "pod-store/made.h"
#include "pod-store/mountpoints.h"
#include "pod-store/overlay.h"
#include "pod-store/places.h"
#include "pod-store/quota.h"
#include "pod-store/rootfs.h"
#include "pod-store/user.h"
#include "pod-store/variant.h"
#include "pod-store/volume.h"
#include "pod-store/whole.h"

#define ID_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

int
rootfs_path(const char *id, char out[STORE_NAME_MAX], struct err *e)
{
	size_t n = strlen(id);

	if (n == 0 || n > 64 || strspn(id, ID_CHARS) != n || id[0] == '.')
		return err_set(e, ERR_INVALID, "\"%s\" cannot be the ID of a container", id);
	snprintf(out, STORE_NAME_MAX, "rw/%s", id);
	return 0;
}

/* Of a container that exists; path becomes "rw/ID". */
static int
below_of(struct store *s, const char *id, char path[STORE_NAME_MAX], struct below *b, struct err *e)
{
	if (rootfs_path(id, path, e) == -1)
		return -1;
	if (below_read(s->dir, path, b) == -1)
		return err_set(e, ERR_NOTFOUND, "container %s has no read-write layer", id);
	return 0;
}

char *
rootfs_image(struct store *s, const char *id, struct err *e)
{
	char path[STORE_NAME_MAX];
	struct below b;

	return below_of(s, id, path, &b, e) == 0 ? xstrdup(b.image) : NULL;
}

/* What a root file system stands on. */
struct standing {
	struct strv layers; /* lowest first */
	const char *rw;	    /* NULL: read-only */
	struct owners map;
	int userns; /* 0: owners appear as they lie on disk */
	bool volatile_;
	const char *label; /* SELinux; NULL: that of each file */
	bool label_nested; /* see struct overlay */
	bool whole;	   /* rw is a whole copy, no overlay */
	bool mountpoints;  /* those of mountpoints.h are below the layers */
	uint64_t size;	   /* limit of the read-write layer, if it is made; 0: the store's */
	bool frozen;	   /* the read-write layer is one to be read, too */
};

static void
standing_free(struct standing *t)
{
	strv_free(&t->layers);
	owners_free(&t->map);
}

/* --- The read-write layer ------------------------------------------------------------------------- */

/* The upper directory is the container's "/": it looks as the image's. */
static int
make_upper(struct store *s, int rw, const char *top, struct err *e)
{
	struct stat st = {.st_mode = 0755};
	own_fd int upper = -1, below = -1;

	if (*top != '\0') {
		below = places_open_layer(s, top, "", e);
		/* In an image the root is always as above. */
		if (below == -1 || (layout_of(below) == LAYOUT_DIR &&
				       fstatat(below, "diff", &st, AT_SYMLINK_NOFOLLOW) == -1))
			return err_wrap(e, "looking at the image's top layer");
	}
	if (mkdirat(rw, "upper", 0700) == -1)
		return errno == EEXIST ? 0 : err_sys(e, "making the read-write layer");
	upper = path_open(rw, "upper", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (upper == -1)
		return -1;
	if ((st.st_uid != 0 || st.st_gid != 0) && fchown(upper, st.st_uid, st.st_gid) == -1)
		return err_sys(e, "giving the read-write layer its owner");
	if (fchmod(upper, st.st_mode & 07777) == -1)
		return err_sys(e, "giving the read-write layer its mode");
	return 0;
}

static int
fill_rw(struct store *s, int rw, const char *top, struct err *e)
{
	if (mkdirat(rw, "work", 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making the read-write layer");
	/* Last: a layer with an upper directory is complete. */
	return make_upper(s, rw, top, e);
}

/* The whole copy, whose owners are shifted at once: nothing else maps them. */
static int
fill_whole(struct store *s, struct standing *t, int rw, struct err *e)
{
	t->map.shifted = owners_is_mapped(&t->map);
	if (t->map.shifted && owners_save(&t->map, rw, e) == -1)
		return -1;
	return whole_make(s, t->rw, &t->layers, t->map.shifted ? &t->map : NULL, e);
}

/* 1: made now; 0: there already. */
static int
make_rw(struct store *s, struct standing *t, const char *image, struct err *e)
{
	own_mem char *upper = xasprintf("%s/upper", t->rw);
	const char *top = t->layers.n > 0 ? t->layers.v[t->layers.n - 1] : "";
	struct below there;
	own_fd int rw = -1;
	struct stat st;

	if (fstatat(s->dir, upper, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		t->mountpoints = below_read(s->dir, t->rw, &there) == 0 && there.mountpoints;
		return 0;
	}
	t->whole = whole_is(s, t->rw);
	if (t->whole)
		return 0;
	if (mkdirat(s->dir, t->rw, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making the read-write layer");
	rw = store_dir(s, t->rw, e);
	t->whole = driver_is_vfs(s);
	if (rw == -1 ||
	    quota_set(rw, t->rw, t->size != 0 ? t->size : s->opt.size, s->opt.inodes, e) == -1 ||
	    below_write(rw, image, t->mountpoints, e) == -1 ||
	    (t->whole ? fill_whole(s, t, rw, e) : fill_rw(s, rw, top, e)) == -1)
		return -1;
	return 1;
}

/* Overlay cannot be mounted after all, and nobody has written to the layer yet. */
static int
become_whole(struct store *s, struct standing *t, struct err *e)
{
	own_fd int rw = store_dir(s, t->rw, e), upper = -1;

	if (rw == -1)
		return -1;
	upper = path_open(rw, "upper", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (upper == -1 || copy_is_empty(upper, e) != 1)
		return err_is_set(e) ? -1
				     : err_set(e, ERR_STATE,
					   "the container was made with the driver overlay");
	if (fill_whole(s, t, rw, e) == -1 || tree_remove(rw, "upper", e) == -1 ||
	    tree_remove(rw, "work", e) == -1)
		return -1;
	t->whole = true;
	return 0;
}

/* Of an image, wherever it lies. */
static int
layers_of(struct store *s, const char *image, struct strv *layers, struct err *e)
{
	struct store *at = places_image(s, image, e);

	return at != NULL ? image_layers(at, image, layers, e) : -1;
}

/* Fills layers; makes the container's layer.  Under the shared lock, so that the image cannot go meanwhile. */
static int
stand_on(struct store *s, struct standing *t, const char *image, struct err *e)
{
	struct store *lock = places_first(s);
	int r = -1;

	if (store_lock(lock, LOCK_SHARED, e) == -1)
		return -1;
	if (layers_of(s, image, &t->layers, e) == 0)
		r = make_rw(s, t, image, e);
	store_unlock(lock);
	return r;
}

/* --- Mounts --------------------------------------------------------------------------------------- */

/*
 * Are the mount points below?  Where the owners of layers are shifted they would be nobody's, and what is too
 * much for overlay is left out: the runtime makes what it misses.
 */
static bool
has_mountpoints(const struct standing *t)
{
	return t->mountpoints && !t->map.shifted && t->layers.n < OVERLAY_LOWER_MAX;
}

/* The directories of the layers, made if they have to have other owners. */
static int
layer_paths(struct store *s, const struct standing *t, struct strv *paths, struct err *e)
{
	char name[OWNERS_NAME];

	owners_name(&t->map, name);
	for (size_t i = 0; i < t->layers.n; i++) {
		const char *id = t->layers.v[i];
		struct store *at = places_count(s) > 1 ? places_layer(s, id, e) : s;
		own_mem char *path = at != NULL ? store_layer_path(at, id) : NULL;
		own_fd int dir = at != NULL ? store_dir(at, path, e) : -1;

		if (dir == -1 || (t->map.shifted && variant_need(s, at, id, &t->map, e) == -1))
			return -1;
		if (t->map.shifted && at->read_only)
			strv_addf(paths, "made/%s/%s", id, name);
		else
			strv_addf(paths, "%s%s%s/%s", at != s ? at->root : "", at != s ? "/" : "",
			    path, t->map.shifted ? name : layout_lower(dir));
	}
	return 0;
}

/*
 * A root file system that a user has mounted: another mount of the same one, for two overlays over one
 * upper directory would not see each other's work.  -1 without an error: it is not mounted.
 */
static int
mount_again(struct store *s, const struct standing *t)
{
	if (t->rw == NULL || t->frozen || !text_has_prefix(t->rw, "rw/"))
		return -1;
	return attach_clone(s, t->rw + strlen("rw/"));
}

/* The tree of the layers alone where overlay cannot show it. */
static int
mount_tree(struct store *s, const struct standing *t, struct err *e)
{
	own_fd int tree = made_tree(s, &t->layers, e);

	return tree == -1 ? -1 : whole_mount(tree, true, e);
}

static int
mount_whole(struct store *s, const struct standing *t, struct err *e)
{
	own_fd int root = whole_open(s, t->rw, e);

	return root == -1 ? -1 : whole_mount(root, t->frozen, e);
}

/* A program shows owners as they lie on disk: what the kernel would map has to be shifted there. */
static int
mount_by_program(struct store *s, const struct overlay *o, struct err *e)
{
	if (o->userns > 0)
		return err_set(e, ERR_STATE,
		    "the container was made with owners that the kernel maps, which a mount "
		    "program cannot");
	return fuse_mount(o, s->opt.mount_program, e);
}

static int
mount_overlay(struct store *s, const struct standing *t, struct err *e)
{
	bool mapped = t->userns > 0 && owners_is_mapped(&t->map) && !t->map.shifted;
	own_strv struct strv paths = {0};
	const char *bases[OVERLAY_BASES_MAX];
	struct overlay o = {
	    .base = s->root,
	    .bases = bases,
	    .empty = "empty",
	    .options = s->opt.mountopt,
	    .rw = t->frozen ? NULL : t->rw,
	    .volatile_ = t->volatile_,
	    .userxattr = s->userxattr,
	    .label = t->label,
	    .label_nested = t->label_nested,
	    .userns = mapped ? t->userns : 0,
	};
	int m;

	if (has_mountpoints(t)) {
		if (mountpoints_need(s, e) == -1)
			return -1;
		strv_add(&paths, MOUNTPOINTS);
	}
	if (layer_paths(s, t, &paths, e) == -1)
		return -1;
	for (size_t i = 0; i < places_count(s); i++)
		if (places_at(s, i) != s)
			bases[o.nbases++] = places_at(s, i)->root;
	if (t->frozen)
		strv_addf(&paths, "%s/upper", t->rw);
	o.lower = (const char *const *)paths.v;
	o.n = paths.n;
	if (s->opt.mount_program != NULL)
		return mount_by_program(s, &o, e);
	if (!mapped)
		return overlay_mount(&o, e);
	/* Overlay works with the number of whoever mounts it, which must be known to the map. */
	if (owners_become(&t->map, e) == -1)
		return -1;
	m = overlay_mount(&o, e);
	owners_return(&t->map);
	return m;
}

static int
mount_standing(struct store *s, const struct standing *t, struct err *e)
{
	int m = mount_again(s, t);

	if (m >= 0)
		return m;
	if (t->whole)
		return mount_whole(s, t, e);
	if (t->rw == NULL && driver_is_vfs(s))
		return mount_tree(s, t, e);
	m = mount_overlay(s, t, e);
	if (m >= 0 || t->rw != NULL || !driver_falls_back(s, e))
		return m;
	return mount_tree(s, t, e);
}

static const char *
label_of(const char *given)
{
	return given != NULL && *given != '\0' ? given : NULL;
}

int
rootfs_mount_image(struct store *s, const char *image, struct err *e)
{
	own(standing_free) struct standing t = {0};

	if (layers_of(s, image, &t.layers, e) == -1)
		return -1;
	return mount_standing(s, &t, e);
}

int
rootfs_mount_part(struct store *s, const char *image, const struct msg_image_open *m, struct err *e)
{
	own(standing_free) struct standing t = {
	    .volatile_ = true, .label = label_of(m->mount_label)};
	char path[STORE_NAME_MAX], part[STORE_NAME_MAX + 32];
	own_fd int dir = -1;

	if (m->id == NULL || *m->id == '\0')
		return rootfs_mount_image(s, image, e);
	if (rootfs_path(m->id, path, e) == -1 || layers_of(s, image, &t.layers, e) == -1)
		return -1;
	snprintf(part, sizeof(part), "%s/image.%llu", path, (unsigned long long)m->index);
	if ((mkdirat(s->dir, path, 0700) == -1 && errno != EEXIST) ||
	    store_trash(s, s->dir, part, e) == -1 || mkdirat(s->dir, part, 0700) == -1)
		return err_is_set(e) ? -1 : err_sys(e, "making a read-write layer over %s", image);
	t.rw = part;
	t.whole = driver_is_vfs(s);
	if (t.whole)
		return whole_make(s, part, &t.layers, NULL, e) == 0 ? mount_standing(s, &t, e) : -1;
	dir = store_dir(s, part, e);
	if (dir == -1)
		return -1;
	if (mkdirat(dir, "work", 0700) == -1 || mkdirat(dir, "upper", 0755) == -1)
		return err_sys(e, "making a read-write layer over %s", image);
	return mount_standing(s, &t, e);
}

int
rootfs_mount_layers(struct store *s, const struct strv *layers, struct err *e)
{
	struct standing t = {.layers = *layers};

	return mount_standing(s, &t, e);
}

/* What a container that exists stands on; t->rw is path then. */
static int
load_standing(
    struct store *s, const char *id, struct standing *t, char path[STORE_NAME_MAX], struct err *e)
{
	own_fd int rw = -1;
	struct below b;

	if (below_of(s, id, path, &b, e) == -1)
		return -1;
	rw = store_dir(s, path, e);
	if (rw == -1 || owners_load(&t->map, rw, e) == -1 ||
	    layers_of(s, b.image, &t->layers, e) == -1)
		return -1;
	t->mountpoints = b.mountpoints;
	t->rw = path;
	t->whole = whole_is(s, path);
	return 0;
}

int
rootfs_mount(struct store *s, const char *id, int userns, struct err *e)
{
	own(standing_free) struct standing t = {.userns = userns};
	char path[STORE_NAME_MAX];

	return load_standing(s, id, &t, path, e) == 0 ? mount_standing(s, &t, e) : -1;
}

int
rootfs_mount_whole(struct store *s, const char *id, struct owners *map, struct err *e)
{
	own(standing_free) struct standing t = {.frozen = true};
	char path[STORE_NAME_MAX];
	int root;

	if (load_standing(s, id, &t, path, e) == -1)
		return -1;
	root = mount_standing(s, &t, e);
	if (root == -1)
		return -1;
	*map = t.map;
	t.map = (struct owners){0};
	return root;
}

bool
rootfs_is_whole(struct store *s, const char *id)
{
	char path[STORE_NAME_MAX];
	struct err ignored;

	return rootfs_path(id, path, &ignored) == 0 && whole_is(s, path);
}

int
rootfs_upper(struct store *s, const char *id, struct owners *map, struct err *e)
{
	char path[STORE_NAME_MAX];
	own_fd int rw = -1;

	if (rootfs_path(id, path, e) == -1)
		return -1;
	rw = store_dir(s, path, e);
	if (rw == -1 || owners_load(map, rw, e) == -1)
		return -1;
	if (whole_is(s, path))
		return whole_open(s, path, e);
	return path_open(rw, "upper", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

/* --- Owners --------------------------------------------------------------------------------------- */

static int
shift_upper(int rw, const struct owners *map, struct err *e)
{
	own_fd int upper = path_open(rw, "upper", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	struct stat st;

	if (upper == -1 || fstat(upper, &st) == -1)
		return err_wrap(e, "looking at the read-write layer");
	owners_shift(map, &st);
	if (fchown(upper, st.st_uid, st.st_gid) == -1)
		return err_sys(e, "giving the read-write layer its owner");
	return owners_save(map, rw, e);
}

/* 1: the kernel maps; 0: it cannot; -1. */
static int
try_mapped(struct store *s, struct standing *t, int rw, int *root, struct err *e)
{
	if (t->userns <= 0 || s->userxattr || s->opt.mount_program != NULL)
		return 0;
	*root = mount_standing(s, t, e);
	if (*root == -1)
		return overlay_cannot_map(e) ? 0 : -1;
	if (owners_save(&t->map, rw, e) == 0)
		return 1;
	fd_close(root);
	return -1;
}

/*
 * The mount, which decides the first time how the owners of files are mapped.  t->map comes from the
 * request.
 */
static int
mount_with_owners(struct store *s, struct standing *t, struct err *e)
{
	own_owners struct owners before = {0};
	char was[OWNERS_NAME], now[OWNERS_NAME];
	own_fd int rw = store_dir(s, t->rw, e);
	int root = -1, r;

	if (rw == -1 || owners_load(&before, rw, e) == -1)
		return -1;
	owners_name(&before, was);
	owners_name(&t->map, now);
	if (before.shifted && strcmp(was, now) != 0)
		return err_set(
		    e, ERR_STATE, "the container's ID map is not the one it was made with");
	t->map.shifted = before.shifted;
	if (t->whole)
		return strcmp(was, now) == 0
			   ? mount_standing(s, t, e)
			   : err_set(e, ERR_STATE,
				 "the container's ID map is not the one it was made with");
	if (!owners_is_mapped(&t->map) || before.shifted)
		return mount_standing(s, t, e);
	if (s->opt.mount_program != NULL && owners_is_mapped(&before))
		return mount_standing(s, t, e);
	r = try_mapped(s, t, rw, &root, e);
	if (r != 0 || owners_is_mapped(&before))
		return r == 1 ? root : -1;
	t->map.shifted = true;
	if (shift_upper(rw, &t->map, e) == -1)
		return -1;
	return mount_standing(s, t, e);
}

/* --- What a start needs --------------------------------------------------------------------------- */

static int
prepare_workdir(int root, const struct msg_rootfs_open *m, const struct owners *map,
    const struct msg_rootfs_opened *out, struct err *e)
{
	own_fd int dir = -1;

	if (m->workdir == NULL || m->workdir_mounted)
		return 0;
	dir = path_try(root, m->workdir, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (dir >= 0)
		return 0;
	if (errno == ENOTDIR)
		return err_set(e, ERR_INVALID,
		    "workdir \"%s\" exists on container %s, but is not a directory", m->workdir,
		    m->id);
	if (errno != ENOENT || !m->make_workdir)
		return err_set(e, ERR_INVALID, "workdir \"%s\" does not exist on container %s",
		    m->workdir, m->id);
	if (owners_become(map, e) == -1)
		return -1;
	dir = path_mkdirs(root, m->workdir, PATH_IN_ROOT, 0755, NULL, e);
	owners_return(map);
	if (dir == -1)
		return err_wrap(e, "creating container %s workdir", m->id);
	if (fchownat(dir, "", owners_uid_outside(map, (uint32_t)out->uid),
		owners_gid_outside(map, (uint32_t)out->gid), AT_EMPTY_PATH) == -1)
		return err_sys(e, "giving workdir %s to the container's user", m->workdir);
	return 0;
}

/* A user the map does not have cannot run, which the runtime says better. */
static uid_t
volume_owner(uint32_t id)
{
	return id != OWNERS_NONE ? (uid_t)id : 0;
}

static int
prepare_volumes(struct store *s, int root, const struct msg_rootfs_open *m,
    const struct owners *map, struct msg_rootfs_opened *out, struct arena *a, struct err *e)
{
	uid_t uid = volume_owner(owners_uid_outside(map, (uint32_t)out->uid));
	gid_t gid = volume_owner(owners_gid_outside(map, (uint32_t)out->gid));
	size_t n = m->volumes.n;

	out->volume_paths.v = arena_array(a, n + 1, sizeof(*out->volume_paths.v));
	for (size_t i = 0; i < n; i++)
		if (volume_use(
			s, root, &m->volumes.v[i], uid, gid, &out->volume_paths.v[i], a, e) == -1)
			return -1;
	out->volume_paths.n = n;
	return 0;
}

static int
open_image_root(struct store *s, const struct msg_rootfs_open *m, struct standing *t, bool fresh,
    struct msg_rootfs_opened *out, struct arena *a, struct err *e)
{
	own_fd int root = -1;

	if (m->prepare)
		return 0;
	root = mount_with_owners(s, t, e);
	if (root == -1 && !t->whole && driver_falls_back(s, e) && become_whole(s, t, e) == 0)
		root = mount_with_owners(s, t, e);
	if (root == -1)
		return err_wrap(e, "mounting storage for container %s", m->id);
	if (user_find(places_first(s), root, fresh, m, out, a, e) == -1)
		return -1;
	if (prepare_workdir(root, m, &t->map, out, e) == -1)
		return -1;
	if (prepare_volumes(s, root, m, &t->map, out, a, e) == -1)
		return -1;
	out->root = fd_take(&root);
	return 0;
}

/* A root that is no image's: it is looked into, and handed back as it is. */
static int
open_given_root(struct store *s, const struct msg_rootfs_open *m, const struct owners *map,
    struct msg_rootfs_opened *out, struct arena *a, struct err *e)
{
	own_fd int root = fcntl(m->dir, F_DUPFD_CLOEXEC, 3);

	if (root == -1)
		return err_sys(e, "opening the root of container %s", m->id);
	if (user_find(s, root, false, m, out, a, e) == -1 ||
	    prepare_workdir(root, m, map, out, e) == -1 ||
	    prepare_volumes(s, root, m, map, out, a, e) == -1)
		return -1;
	out->root = fd_take(&root);
	return 0;
}

static bool
has_upper(const struct store *s, const char *path)
{
	own_mem char *upper = xasprintf("%s/upper", path);

	return faccessat(s->dir, upper, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
rootfs_open(struct store *s, const struct msg_rootfs_open *m, struct msg_rootfs_opened *out,
    struct arena *a, struct err *e)
{
	own(standing_free) struct standing t = {.userns = m->userns,
	    .volatile_ = m->volatile_,
	    .size = m->size,
	    .mountpoints = m->mountpoints && !m->prepare,
	    .label = label_of(m->mount_label),
	    .label_nested = m->label_nested};
	char path[STORE_NAME_MAX];
	struct err undo;
	int made, r;

	*out = (struct msg_rootfs_opened){.root = -1};
	if (rootfs_path(m->id, path, e) == -1 || owners_of(m, &t.map, e) == -1)
		return -1;
	if (m->dir > 0 && !m->prepare)
		return open_given_root(s, m, &t.map, out, a, e);
	if (m->image == NULL || m->image[0] == '\0')
		return m->prepare ? 0 : prepare_volumes(s, -1, m, &t.map, out, a, e);
	t.rw = path;
	if (m->used && !whole_is(s, path) && !has_upper(s, path)) {
		err_set(e, ERR_NOTFOUND,
		    "mounting storage for container %s: its read-write layer is missing", m->id);
		return err_hint(e, "The store is damaged: see pod system check.");
	}
	made = stand_on(s, &t, m->image, e);
	if (made == -1) {
		/* Nothing stands in it yet. */
		if (!whole_is(s, path) && !has_upper(s, path))
			rootfs_remove(s, m->id, &undo);
		return -1;
	}
	r = open_image_root(s, m, &t, made == 1, out, a, e);
	if (r == -1 && made == 1)
		rootfs_remove(s, m->id, &undo);
	return r;
}

int
rootfs_remove(struct store *s, const char *id, struct err *e)
{
	char path[STORE_NAME_MAX];

	if (rootfs_path(id, path, e) == -1)
		return -1;
	attach_drop(s, id);
	return store_trash(s, s->dir, path, e);
}
