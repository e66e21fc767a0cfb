/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/selinux_conf.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-run/life/archive.h"
#include "pod-run/life/copying.h"
#include "pod-run/life/criu.h"
#include "pod-run/life/criu_images.h"
#include "pod-run/life/document.h"
#include "pod-run/life/end.h"
#include "pod-run/life/image.h"
#include "pod-run/life/restore.h"
#include "pod-run/life/start.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/volumes.h"
#include "pod-run/oci/detached.h"
#include "pod-run/oci/selinux.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/state/event.h"

#define DELETED_MAX ((off_t)64 << 20)

/* --- Starting -----------------------------------------------------------------------------------*/

static bool
is_labelled(const struct rec_ctr_config *c)
{
	return c->label != NULL && *c->label != '\0' && selinux_conf_enabled();
}

/*
 * The label is named again although the images may hold it: a CRIU that was built without SELinux passes over the
 * one in the images, so that the processes would go on unconfined, but not over this one.
 */
static void
add_options(
    const struct restore *o, const struct rec_ctr_config *c, struct strs *out, struct arena *a)
{
	if (is_labelled(c))
		spec_list_add(a, out, arena_printf(a, "--lsm-profile=selinux:%s", c->label));
	if (o->tcp_established)
		spec_list_add(a, out, "--tcp-established");
	if (o->tcp_close)
		spec_list_add(a, out, "--tcp-close");
	if (o->file_locks)
		spec_list_add(a, out, "--file-locks");
}

/* What the checkpoint leaves behind once its container runs again. */
static void
clean(int dir)
{
	static const char *const names[] = {CHECKPOINT_DIR, CHECKPOINT_PRE_DIR, CHECKPOINT_LOG,
	    CHECKPOINT_STATS, ARCHIVE_ROOTFS, ARCHIVE_DELETED, ARCHIVE_VOLUMES, "config.dump",
	    "spec.dump", "network.status", ARCHIVE_SHM, "artifacts"};
	struct err ignored = {0};

	for (size_t i = 0; i < COUNTOF(names); i++)
		tree_remove(dir, names[i], &ignored);
}

static void
clean_bundle(int bundle)
{
	unlinkat(bundle, CHECKPOINT_RESTORE_LOG, 0);
	unlinkat(bundle, CHECKPOINT_RESTORE_STATS, 0);
}

/* Starts c, which is locked, from the images in its directory. */
static int
start(struct ctx *x, struct ctr *c, const struct restore *o, struct start_restore *r,
    struct checkpoint_figures *f, struct err *e)
{
	own_arena struct arena a = {0};
	own_mem char *path = NULL, *images = NULL;
	own_start struct start s;
	own_fd int dir = -1;
	struct checkpoint_state state;
	int64_t began;

	start_init(&s, x, c);
	dir = checkpoint_open_dir(x, c->id, &path, e);
	if (dir == -1)
		return -1;
	if (faccessat(dir, CHECKPOINT_DIR, F_OK, AT_SYMLINK_NOFOLLOW) == -1)
		return err_set(e, ERR_STATE,
		    "a complete checkpoint for this container cannot be found, cannot restore: "
		    "container state improper");
	r->images = images = xasprintf("%s/" CHECKPOINT_DIR, path);
	r->interfaces = c->run.interfaces.v;
	r->interfaces_n = c->run.interfaces.n;
	add_options(o, c->config, &r->options, &a);
	s.restore = r;
	began = checkpoint_now_us();
	if (start_whole(&s, true, e) == -1) {
		/* A file that CRIU lacks is not the container's command. */
		if (e->class == ERR_NOTEXEC || e->class == ERR_NOCOMMAND)
			e->class = ERR_RUNTIME;
		return is_labelled(c->config)
			   ? err_wrap(e, "restoring with the SELinux label %s", c->config->label)
			   : -1;
	}
	f->runtime_us = checkpoint_now_us() - began;
	f->criu = criu_stats(s.bundle_fd, CHECKPOINT_RESTORE_STATS);
	checkpoint_state(x, c->id, &state);
	state.checkpointed = false;
	state.restored = true;
	state.restored_ns = ctx_now_ns();
	if (checkpoint_set_state(x, c->id, &state, e) == -1)
		return -1;
	if (!o->keep) {
		clean(dir);
		clean_bundle(s.bundle_fd);
	}
	return 0;
}

static int
check_runtime(struct ctx *x, const struct ctr *c, struct err *e)
{
	own_runtime struct runtime r = {0};

	return runtime_find(x, c->config, &r, e) == -1 ? -1 : criu_check(&r, e);
}

int
restore_own(struct ctx *x, const char *id, const struct restore *o, struct checkpoint_figures *f,
    struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);
	struct start_restore r = {
	    .keep_address = !o->ignore_static_ip, .keep_mac = !o->ignore_static_mac};

	if (lock == -1)
		return -1;
	if (c.status == CTR_STOPPED && end_ctr(x, &c, &(struct end){.no_restart = true}, e) == -1)
		return -1;
	if (c.status != CTR_CONFIGURED && c.status != CTR_EXITED)
		return err_set(e, ERR_STATE,
		    "container %s is running or paused, cannot restore: container state improper",
		    c.id);
	if (ctr_config(&c, e) == -1 || check_runtime(x, &c, e) == -1)
		return -1;
	return start(x, &c, o, &r, f, e);
}

/* --- An archive's container -----------------------------------------------------------------------*/

struct import {
	struct ctx *x;
	const struct restore *o;
	struct ctr c;
	char stage_id[NAMES_ID_LEN + 1];
	int stage_lock, lock, dir; /* the directory is the container's in the end */
	bool recorded, foreign;
	uint32_t layer_seq; /* of the request whose answer follows the stream; 0: none */
};

static void
import_free(struct import *m)
{
	ctr_free(&m->c);
	fd_close(&m->stage_lock);
	fd_close(&m->lock);
	fd_close(&m->dir);
}
#define own_import own(import_free)

/* A fresh directory that nobody takes for an orphan's, as long as its lock is held. */
static int
stage(struct import *m, struct err *e)
{
	if (ctx_paths(m->x, e) == -1)
		return -1;
	names_id(m->stage_id);
	m->stage_lock = lock_acquire(m->x->lock_fd, m->stage_id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (m->stage_lock == -1)
		return -1;
	m->dir = checkpoint_open_dir(m->x, m->stage_id, NULL, e);
	return m->dir == -1 ? -1 : 0;
}

static void
unstage(struct import *m)
{
	own_mem char *path = ctx_static_dir(m->x, m->stage_id);
	struct err ignored = {0};

	if (m->stage_lock == -1)
		return;
	tree_remove(AT_FDCWD, path, &ignored);
	unlinkat(m->x->lock_fd, m->stage_id, 0);
}

/* The pre-checkpoint comes from an archive of its own. */
static int
add_previous(struct import *m, struct err *e)
{
	static const char stage_name[] = "previous";
	own_fd int from = -1, in = -1;
	int r;

	if (m->o->previous == NULL)
		return 0;
	in = open(m->o->previous, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (in == -1)
		return err_sys(e, "open %s", m->o->previous);
	if (mkdirat(m->dir, stage_name, 0700) == -1)
		return err_sys(e, "making directory %s", stage_name);
	from = openat(m->dir, stage_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from == -1 || archive_unpack(&in, from, e) == -1)
		return -1;
	r = renameat(from, CHECKPOINT_PRE_DIR, m->dir, CHECKPOINT_PRE_DIR);
	if (r == -1)
		return err_sys(e, "%s holds no pre-checkpoint", m->o->previous);
	return tree_remove(m->dir, stage_name, e);
}

/* The image by its ID, else by its name, pulled if need be. */
static int
find_image(struct import *m, struct err *e)
{
	const struct rec_ctr_config *c = m->c.config;
	struct image_pull pull = {.policy = "missing"};
	own_peer_in struct peer_in in = {0};
	struct err missing = {0};
	uint32_t seq;

	if (c->image_id == NULL || *c->image_id == '\0')
		return 0;
	if (image_ask(m->x, c->image_id, NULL, &seq, e) == -1)
		return -1;
	if (peer_wait(ctx_store(m->x, e), &msg_image_get_desc, seq, &in, NULL, NULL, &missing) == 0)
		return 0;
	if (missing.class != ERR_NOTFOUND || c->image_name == NULL) {
		*e = missing;
		return -1;
	}
	if (image_ask(m->x, c->image_name, &pull, &seq, e) == -1 ||
	    image_found(m->x, c->image_name, seq, &pull, &in, e) == -1)
		return -1;
	m->c.image = m->c.config->image_id =
	    arena_strdup(&m->c.arena, MSG_OF(&in, image_got)->image->id);
	return 0;
}

static int
put_volume(struct import *m, int dir, const char *name, struct err *e)
{
	own_arena struct arena a = {0};
	own_mem char *file = xasprintf("%s.tar", name);
	own_peer_in struct peer_in made = {0};
	struct rec_volume v = {.name = name};
	struct msg_volume_create create = {.volume = &v};
	struct msg_copy copy = {.form = "unpack", .path = "/", .overwrite = true};
	own_fd int source = path_try(dir, file, PATH_PLAIN, O_RDONLY, 0), target = -1;
	struct rec_volume found = {0};
	const char *path;
	int have = source == -1 ? 0 : volumes_find(m->x, name, &found, &a, e);

	if (have == -1)
		return -1;
	if (source == -1)
		return 0;
	if (have == 1)
		return err_set(e, ERR_EXISTS,
		    "volume with name %s already exists. Use --ignore-volumes to not restore "
		    "content of volumes",
		    name);
	if (peer_call(ctx_store(m->x, e), &msg_volume_create_desc, &create, &made, NULL, NULL, e) ==
	    -1)
		return -1;
	if (volumes_mount(m->x, MSG_OF(&made, volume_got)->volume, m->c.id, &path, &a, e) == -1)
		return -1;
	target = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target == -1)
		return err_sys(e, "opening volume %s", name);
	copy.target = target;
	return copying_unpack(&copy, &source, e);
}

static int
put_volumes(struct import *m, struct err *e)
{
	const struct rec_ctr_config *c = m->c.config;
	own_fd int dir = path_try(m->dir, ARCHIVE_VOLUMES, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);

	if (dir == -1 || m->o->ignore_volumes)
		return 0;
	if (ctx_store(m->x, e) == NULL)
		return -1;
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *v = &c->mounts.v[i];

		if (strcmp(v->type, "volume") == 0 && v->source != NULL &&
		    strchr(v->source, '/') == NULL && put_volume(m, dir, v->source, e) == -1)
			return err_wrap(e, "restoring volume %s", v->source);
	}
	return 0;
}

/* deleted.files: each below the root, whatever links are there. */
static int
delete_files(struct import *m, int root, struct err *e)
{
	own_strv struct strv names = {0};
	struct err missing = {0};
	own_fd int list =
	    path_open_regular(m->dir, ARCHIVE_DELETED, PATH_PLAIN, DELETED_MAX, NULL, &missing);

	if (list == -1) {
		*e = missing;
		return missing.no == ENOENT ? (err_clear(e), 0) : -1;
	}
	if (document_list(list, &names, e) == -1)
		return err_wrap(e, "reading " ARCHIVE_DELETED " of the checkpoint");
	for (size_t i = 0; i < names.n; i++) {
		char name[NAME_MAX + 1];
		own_fd int parent = path_parent(root, names.v[i], PATH_IN_ROOT, name, &missing);

		if (parent != -1 && tree_remove(parent, name, e) == -1)
			return -1;
	}
	return 0;
}

/*
 * Other engines mount /dev/shm from outside, so that its content is no part of the images, and CRIU wants it
 * from outside again.
 */
static int
fill_shm(const struct import *m, struct start *s, struct err *e)
{
	struct msg_copy copy = {.form = "unpack", .path = "/", .overwrite = true};
	own_fd int source = path_try(m->dir, ARCHIVE_SHM, PATH_PLAIN, O_RDONLY, 0);
	own_fd int shm = -1;

	if (!m->foreign || source == -1)
		return 0;
	shm = detached_new_shm(m->c.config->shm_size, e);
	if (shm == -1)
		return -1;
	copy.target = shm;
	if (copying_unpack(&copy, &source, e) == -1)
		return err_wrap(e, "restoring /dev/shm");
	s->shm = fd_take(&shm);
	return 0;
}

/* What the container had changed in its image. */
static int
fill(struct start *s, int root, void *arg, struct err *e)
{
	struct import *m = arg;
	const struct rec_ctr_config *c = m->c.config;
	struct msg_copy copy = {.form = "unpack", .path = "/", .overwrite = true, .target = root};
	own_fd int source = path_try(m->dir, ARCHIVE_ROOTFS, PATH_PLAIN, O_RDONLY, 0);

	if (fill_shm(m, s, e) == -1)
		return -1;
	if (m->o->ignore_rootfs || root <= 0)
		return 0;
	copy.uid_map.v = c->uid_map.v;
	copy.uid_map.n = c->uid_map.n;
	copy.gid_map.v = c->gid_map.v;
	copy.gid_map.n = c->gid_map.n;
	if (source != -1 && copying_unpack(&copy, &source, e) == -1)
		return err_wrap(e, "restoring the root file system");
	return delete_files(m, root, e);
}

/* Under a new name it is another container: nothing that only one can have is taken along. */
static void
rename_it(struct import *m)
{
	struct rec_ctr_config *c = m->c.config;

	snprintf(m->c.id, sizeof(m->c.id), "%s", m->stage_id);
	m->c.name = c->name = m->o->name;
	for (size_t i = 0; i < c->networks.n; i++) {
		c->networks.v[i].static_ips.n = 0;
		c->networks.v[i].static_mac = NULL;
	}
}

/* The row that takes ID and name; the directory becomes the container's. */
static int
record(struct import *m, struct err *e)
{
	own_strv struct strv needs = {0}, volumes = {0};
	own_strbuf struct strbuf packed = {0};
	own_mem char *from = ctx_static_dir(m->x, m->stage_id), *to = ctx_static_dir(m->x, m->c.id);
	struct db *db = ctx_db(m->x, e);
	struct ctr *c = &m->c;
	int r;

	if (db == NULL)
		return -1;
	if (strcmp(c->id, m->stage_id) != 0) {
		m->lock = lock_acquire(m->x->lock_fd, c->id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
		if (m->lock == -1)
			return -1;
	}
	for (size_t i = 0; i < c->config->mounts.n; i++)
		if (strcmp(c->config->mounts.v[i].type, "volume") == 0 &&
		    c->config->mounts.v[i].source != NULL)
			strv_add(&volumes, c->config->mounts.v[i].source);
	c->created_ns = c->config->created_ns;
	wire_pack(&rec_ctr_config_desc, c->config, &packed);
	c->config_raw = (struct bytes){(const uint8_t *)packed.s, packed.n};
	r = ctr_insert(db, c, &needs, &volumes, e);
	c->config_raw = (struct bytes){0};
	if (r == -1)
		return -1;
	m->recorded = true;
	if (m->lock == -1)
		return 0;
	if (rename(from, to) == -1)
		return err_sys(e, "moving the checkpoint to %s", to);
	return 0;
}

static int
check_id(struct import *m, struct err *e)
{
	own_ctr struct ctr other = {0};
	struct db *db = ctx_db(m->x, e);
	struct err missing = {0};

	if (db == NULL || ctr_name_check(db, m->c.name, e) == -1)
		return -1;
	if (ctr_load(db, m->c.id, &other, &missing) == 0)
		return err_set(e, ERR_EXISTS,
		    "container with ID %s already exists: that ID is in use", m->c.id);
	return 0;
}

/* From here on the archive lies unpacked in m->dir. */
static int
import(struct import *m, struct checkpoint_figures *f, struct err *e)
{
	struct start_restore r = {.fill = fill, .arg = m};
	struct rec_ctr_config *c;
	struct err later = {0};

	if (archive_read(m->x, m->dir, &m->c, &m->foreign, e) == -1 || add_previous(m, e) == -1 ||
	    criu_images_loosen(m->dir, CHECKPOINT_DIR, e) == -1)
		return -1;
	c = m->c.config;
	if (m->x->g->runtime != NULL && *m->x->g->runtime != '\0')
		c->runtime = m->x->g->runtime;
	if (m->o->ports_n > 0) {
		c->ports.v = (struct rec_port_map *)(uintptr_t)m->o->ports;
		c->ports.n = m->o->ports_n;
	}
	if (m->o->name != NULL)
		rename_it(m);
	r.keep_address = m->o->name == NULL && !m->o->ignore_static_ip;
	r.keep_mac = m->o->name == NULL && !m->o->ignore_static_mac;
	if (check_id(m, e) == -1 || check_runtime(m->x, &m->c, e) == -1 || find_image(m, e) == -1 ||
	    put_volumes(m, e) == -1 || record(m, e) == -1)
		return -1;
	if (start(m->x, &m->c, m->o, &r, f, e) == 0)
		return 0;
	/* Nobody asked for a container that cannot be brought back. */
	end_remove(m->x, &m->c, false, &later);
	return -1;
}

/* The store tells at its end whether the stream was whole. */
static int
await_layer(struct import *m, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	if (m->layer_seq == 0)
		return 0;
	return peer_wait(ctx_store(m->x, e), &msg_layer_get_desc, m->layer_seq, &in, NULL, NULL, e);
}

static int
import_stream(struct ctx *x, int *stream, uint32_t layer_seq, const struct restore *o,
    struct checkpoint_figures *f, char id[NAMES_ID_LEN + 1], struct err *e)
{
	own_import struct import m = {
	    .x = x, .o = o, .stage_lock = -1, .lock = -1, .dir = -1, .layer_seq = layer_seq};
	int r;

	if (o->name != NULL && !names_is_valid(o->name))
		return err_set(e, ERR_INVALID, "%s", NAMES_RULE);
	r = stage(&m, e);
	if (r == 0)
		r = archive_unpack(stream, m.dir, e);
	if (r == 0)
		r = await_layer(&m, e);
	if (r == 0)
		r = import(&m, f, e);
	if (!m.recorded || m.lock != -1)
		unstage(&m);
	snprintf(id, NAMES_ID_LEN + 1, "%s", m.c.id);
	return r;
}

int
restore_archive(struct ctx *x, const char *path, const struct restore *o,
    struct checkpoint_figures *f, char id[NAMES_ID_LEN + 1], struct err *e)
{
	own_fd int in = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (in == -1)
		return err_sys(e, "open %s", path);
	return import_stream(x, &in, 0, o, f, id, e);
}

/* --- An image -----------------------------------------------------------------------------------*/

static bool
is_checkpoint(const struct peer_in *annotations)
{
	const struct msg_annotations_got *m =
	    annotations->msg != NULL ? MSG_OF(annotations, annotations_got) : NULL;

	for (size_t i = 0; m != NULL && i < m->annotations.n; i++)
		if (strcmp(m->annotations.v[i].key, RESTORE_ANNOTATION "name") == 0)
			return true;
	return false;
}

/* The identifier of its one layer, if it is a checkpoint's image. */
static int
find_layer(struct ctx *x, const char *word, const char **layer, struct arena *a, struct err *e)
{
	own_peer_in struct peer_in got = {0}, blob = {0}, read = {0};
	struct msg_image_blob m = {.kind = "manifest"};
	const struct rec_image *image;
	uint32_t seq;

	if (image_ask(x, word, NULL, &seq, e) == -1 ||
	    peer_wait(ctx_store(x, e), &msg_image_get_desc, seq, &got, NULL, NULL, e) == -1)
		return -1;
	image = MSG_OF(&got, image_got)->image;
	m.image = image->id;
	if (peer_call(ctx_store(x, e), &msg_image_blob_desc, &m, &blob, NULL, NULL, e) == -1)
		return -1;
	if (document_annotations(&MSG_OF(&blob, image_blob_r)->data, &read, e) == -1)
		return err_wrap(e, "reading the manifest of image %s", word);
	if (!is_checkpoint(&read) || image->layers.n != 1)
		return err_set(e, ERR_INVALID, "%s: image is not a checkpoint", word);
	*layer = arena_strdup(a, image->layers.v[0]);
	return 0;
}

int
restore_image(struct ctx *x, const char *image, const struct restore *o,
    struct checkpoint_figures *f, char id[NAMES_ID_LEN + 1], struct err *e)
{
	own_arena struct arena a = {0};
	own_fd int from = -1, to = -1;
	struct msg_layer_get m = {0};
	struct peer *store = ctx_store(x, e);
	uint32_t seq;
	int pair[2];

	if (store == NULL || find_layer(x, image, &m.layer, &a, e) == -1)
		return -1;
	if (pipe2(pair, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	from = pair[0];
	to = pair[1];
	m.stream = to;
	/* Answered when all is written, long after we began to read. */
	seq = peer_next_seq(store);
	if (peer_send(store, &msg_layer_get_desc, seq, &m, e) == -1)
		return -1;
	fd_close(&to);
	return import_stream(x, &from, seq, o, f, id, e);
}
