/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "common/base/own.h"
#include "common/fs/walk.h"
#include "common/oci/signature.h"
#include "pod-store/blob.h"
#include "pod-store/diff.h"
#include "pod-store/driver.h"
#include "pod-store/image.h"
#include "pod-store/info.h"
#include "pod-store/overlay.h"
#include "pod-store/places.h"
#include "pod-store/rootfs.h"
#include "pod-store/volume_place.h"

static int
layer_refs(struct store *all, struct store *s, const char *id, struct msg_image_blob_r *out,
    struct arena *a, struct err *e)
{
	own_strv struct strv layers = {0};
	sqlite3_stmt *q;
	int r;

	if (image_layers(s, id, &layers, e) == -1)
		return -1;
	out->layers.v = arena_array(a, layers.n + 1, sizeof(*out->layers.v));
	q = db_query(&s->db, SQL_LAYERS_OF, e, "t", id);
	while ((r = db_step(&s->db, q, e)) == 1 && out->layers.n < layers.n) {
		struct rec_layer_ref *l = &out->layers.v[out->layers.n++];

		*l = (struct rec_layer_ref){
		    .diff_id = arena_printf(a, "sha256:%s", db_text(q, 1)),
		    .digest = arena_strdup(a, db_text(q, 2)),
		    .media_type = arena_strdup(a, db_text(q, 3)),
		    .size = (uint64_t)db_int(q, 4),
		    .tar_size = (uint64_t)db_int(q, 5),
		};
		blob_describe(all, db_text(q, 0), l, a);
	}
	return r;
}

static struct bytes
take_blob(sqlite3_stmt *q, int column, struct arena *a)
{
	const void *p = sqlite3_column_blob(q, column);
	struct bytes out = {.n = (size_t)sqlite3_column_bytes(q, column)};
	uint8_t *copy = arena_alloc(a, out.n + 1);

	if (out.n > 0)
		memcpy(copy, p, out.n);
	out.p = copy;
	return out;
}

static int
signatures_of(struct store *s, const char *image, struct msg_image_blob_r *out, struct arena *a,
    struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_SIGNATURES_OF, e, "t", image);
	int r;

	out->signatures.v = arena_array(a, SIGNATURES_MAX, sizeof(*out->signatures.v));
	while ((r = db_step(&s->db, q, e)) == 1 && out->signatures.n < SIGNATURES_MAX)
		out->signatures.v[out->signatures.n++].file = take_blob(q, 0, a);
	if (r == 1)
		db_done(q);
	return r < 0 ? -1 : 0;
}

int
info_blob(struct store *all, const struct msg_image_blob *m, struct msg_image_blob_r *out,
    struct arena *a, struct err *e)
{
	bool manifest = strcmp(m->kind, "manifest") == 0;
	bool signatures = strcmp(m->kind, "signatures") == 0;
	struct store *s = places_image(all, m->image, e);
	struct rec_image image;
	sqlite3_stmt *q;
	int r = s != NULL ? image_load(s, m->image, 0, &image, a, e) : -1;

	*out = (struct msg_image_blob_r){0};
	if (!manifest && !signatures && strcmp(m->kind, "config") != 0)
		return err_set(e, ERR_INVALID, "images have no document \"%s\"", m->kind);
	if (r != 1)
		return r == -1 ? -1 : err_set(e, ERR_NOTFOUND, "%s: image not known", m->image);
	if (signatures)
		return signatures_of(s, m->image, out, a, e);
	q = db_query(&s->db, SQL_IMAGE_DOCUMENTS, e, "t", m->image);
	r = db_step(&s->db, q, e);
	if (r != 1)
		return r == -1 ? -1 : err_set(e, ERR_NOTFOUND, "%s: image not known", m->image);
	out->data = take_blob(q, manifest ? 0 : 1, a);
	db_done(q);
	if (!manifest)
		return 0;
	out->media_type = image.media_type;
	return layer_refs(all, s, m->image, out, a, e);
}

/* Of the directory fd, which is closed. */
static int
count_in(int take_fd, uint64_t *bytes, struct err *e)
{
	own_fd int dir = take_fd;
	struct walk_usage u = {0};

	if (dir == -1 || walk_count(dir, &u, e) == -1)
		return -1;
	*bytes = u.bytes;
	return 0;
}

static int
count_below(struct store *s, const char *path, uint64_t *bytes, struct err *e)
{
	return count_in(store_dir(s, path, e), bytes, e);
}

int
info_rootfs_size(struct store *s, const char *id, struct msg_rootfs_size_r *out, struct err *e)
{
	own_mem char *image = rootfs_image(s, id, e), *upper = NULL;
	own_arena struct arena a = {0};
	struct rec_image im = {0};
	char path[STORE_NAME_MAX];
	struct store *at;

	*out = (struct msg_rootfs_size_r){0};
	if (image == NULL || rootfs_path(id, path, e) == -1)
		return -1;
	at = places_image(s, image, e);
	if (at == NULL || image_load(at, image, 0, &im, &a, e) == -1)
		return -1;
	out->image = im.size;
	if (rootfs_is_whole(s, id))
		return diff_size(s, id, &out->rw, e);
	upper = xasprintf("%s/upper", path);
	return count_below(s, upper, &out->rw, e);
}

/* Names as podman info has them. */
static const char *
fs_name(int fd)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} names[] = {{EXT4_SUPER_MAGIC, "extfs"}, {XFS_SUPER_MAGIC, "xfs"},
	    {BTRFS_SUPER_MAGIC, "btrfs"}, {TMPFS_MAGIC, "tmpfs"}, {F2FS_SUPER_MAGIC, "f2fs"},
	    {OVERLAYFS_SUPER_MAGIC, "overlayfs"}, {NFS_SUPER_MAGIC, "nfs"}, {0x2fc12fc1, "zfs"}};
	struct statfs st;

	if (fstatfs(fd, &st) == -1)
		return "<unknown>";
	for (size_t i = 0; i < COUNTOF(names); i++)
		if ((unsigned long)st.f_type == names[i].magic)
			return names[i].name;
	return "<unknown>";
}

static int
usage_of(struct store *s, struct msg_store_info_r *out, struct err *e)
{
	if (count_below(places_first(s), "layers", &out->image_bytes, e) == -1 ||
	    count_below(s, "rw", &out->rootfs_bytes, e) == -1)
		return -1;
	return count_in(volume_place_make(s, e), &out->volume_bytes, e);
}

int
info_store(
    struct store *s, bool usage, struct msg_store_info_r *out, struct arena *a, struct err *e)
{
	int64_t images = 0, volumes = 0, here;
	const char *fs = fs_name(s->dir);
	struct rec_kv *kv = arena_array(a, 4, sizeof(*kv));

	*out = (struct msg_store_info_r){.driver = driver_name(s), .backing_fs = fs};
	for (size_t i = 0; i < places_count(s); i++) {
		struct db *d = &places_at(s, i)->db;

		if (db_one_int(d, db_query(d, SQL_IMAGE_COUNT, e, ""), &here, e) == -1)
			return -1;
		images += here;
	}
	if (db_one_int(&s->db, db_query(&s->db, SQL_VOLUME_COUNT, e, ""), &volumes, e) == -1)
		return -1;
	out->images = (uint64_t)images;
	out->volumes = (uint64_t)volumes;
	kv[0] = (struct rec_kv){.key = "Backing Filesystem", .value = fs};
	kv[1] = (struct rec_kv){
	    .key = "Native Overlay Diff", .value = s->opt.mount_program != NULL ? "false" : "true"};
	kv[2] = (struct rec_kv){.key = "Supports d_type", .value = "true"};
	kv[3] = (struct rec_kv){.key = "Using metacopy", .value = "false"};
	out->status.v = kv;
	out->status.n = driver_is_vfs(s) ? 1 : 4;
	return usage ? usage_of(s, out, e) : 0;
}
