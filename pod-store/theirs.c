/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/oci/tarsplit.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-store/copy.h"
#include "pod-store/layer.h"
#include "pod-store/stage.h"
#include "pod-store/theirs.h"

#define IMAGES "overlay-images"
#define INDEX "store.db"
#define KEPT "image-stores" /* below the run root */
#define FORM 2		    /* of what is made of the same lists by this program */
#define KEY_LEN 32	    /* digits of the store's part of a name, which the documents' follows */

bool
theirs_is(int dir)
{
	return faccessat(dir, IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       faccessat(dir, "vfs-images", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Marks of directories and owners of files would be others' than what is seen. */
static int
check_usable(const struct store *at, struct err *e)
{
	struct stat st;

	if (faccessat(at->dir, IMAGES, F_OK, AT_SYMLINK_NOFOLLOW) == -1)
		return err_set(e, ERR_UNSUPPORTED,
		    "it is one of containers/storage and of another driver than overlay, from "
		    "which pod pull containers-storage: copies");
	if (fstat(at->dir, &st) == -1)
		return err_sys(e, "looking at it");
	if (st.st_uid != geteuid())
		return err_set(e, ERR_UNSUPPORTED,
		    "it is one of containers/storage and of another user, from which pod pull "
		    "containers-storage: copies");
	return 0;
}

/* --- Making --------------------------------------------------------------------------------------- */

static int
add_layers(struct store *at, const struct msg_image_commit *m, struct err *e)
{
	char id[SHA256_HEX] = "", parent[SHA256_HEX];

	for (size_t i = 0; i < m->layers.n; i++) {
		const char *hex = layer_hex(m->layers.v[i].diff_id);

		if (hex == NULL)
			return err_set(e, ERR_FORMAT, "a layer has a malformed digest");
		memcpy(parent, id, sizeof(parent));
		layer_id(parent, hex, id);
		if (!store_has_layer(at, id))
			return err_set(e, ERR_NOTFOUND, "layer %s has no directory of files", id);
		if (layer_refer(at, id, parent, hex, m->layers.v[i].tar_size, e) == -1)
			return -1;
	}
	return 0;
}

static int
add_image(struct store *at, const struct msg_image_commit *m, struct err *e)
{
	struct stage none = {.dir = -1};
	char id[SHA256_HEX];

	return add_layers(at, m, e) == 0 && stage_commit(at, &none, m, id, e) == 0 ? 0 : -1;
}

/* Of what lies there, so that the next look at the same lists would find it, too. */
static bool is_lasting(enum err_class class)
{
	return class == ERR_FORMAT || class == ERR_UNSUPPORTED || class == ERR_INTEGRITY ||
	       class == ERR_NOTFOUND || class == ERR_STATE || class == ERR_LIMIT;
}

/* 1: all that can be used; 0: another look may find more. */
static int
add_images(struct store *at, struct peer *worker, struct err *e)
{
	own_peer_in struct peer_in opened = {0};
	uint64_t n;
	int all = 1;

	if (peer_call(worker, &msg_index_open_desc, &(struct msg_index_open){0}, &opened, NULL,
		NULL, e) == -1)
		return -1;
	n = MSG_OF(&opened, index_opened)->images;
	for (uint64_t i = 0; i < n; i++) {
		own_peer_in struct peer_in in = {0};
		struct msg_index_image ask = {.number = i};
		struct err why = {0};

		if (peer_call(worker, &msg_index_image_desc, &ask, &in, NULL, NULL, &why) == 0 &&
		    add_image(at, MSG_OF(&in, image_commit), &why) == 0)
			continue;
		if (why.class == ERR_PEER || why.class == ERR_NOSPACE) {
			*e = why;
			return -1;
		}
		all &= is_lasting(why.class);
		log_warn(
		    "Additional image store %s: an image is passed over: %s", at->root, why.text);
	}
	return all;
}

/* Over what may be there of one that was kept.  1: it may be kept; 0; -1. */
static int
make(struct store *at, int stage, const char *index, struct err *e)
{
	static const char *const parts[] = {INDEX, INDEX "-wal", INDEX "-shm"};
	struct peer *worker = spawn_peer_view(ROLE_STORE, ROLE_INDEX, at->dir, e);
	int r = -1;

	for (size_t i = 0; i < COUNTOF(parts); i++)
		(void)unlinkat(stage, parts[i], 0);
	if (worker != NULL && db_open(&at->db, index, true, NULL, e) == 0) {
		r = add_images(at, worker, e);
		if (r != -1 && db_fold(&at->db, e) == -1)
			r = -1;
		db_close(&at->db);
	}
	peer_free(worker);
	return r;
}

/* --- Keeping -------------------------------------------------------------------------------------- */

/* STORE.STATE: changes whenever one of the lists does, or what is made of them. */
static char *
name_of(const struct store *at)
{
	static const char *const lists[] = {
	    "overlay-images/images.json", "overlay-layers/layers.json"};
	own_strbuf struct strbuf state = {0};
	char key[SHA256_HEX], now[SHA256_HEX];
	struct stat st = {0};

	if (fstat(at->dir, &st) == -1)
		return NULL;
	strbuf_addf(&state, "%ju %ju %s", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, at->root);
	sha256_hex(state.s, state.n, key);
	for (size_t i = 0; i < COUNTOF(lists); i++) {
		if (fstatat(at->dir, lists[i], &st, AT_SYMLINK_NOFOLLOW) == -1)
			memset(&st, 0, sizeof(st));
		strbuf_addf(&state, " %d %d %ju %jd %jd.%09ld", DB_VERSION, FORM,
		    (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_ctim.tv_sec,
		    st.st_ctim.tv_nsec);
	}
	sha256_hex(state.s, state.n, now);
	return xasprintf("%.*s.%.32s", KEY_LEN, key, now);
}

/* Where nobody else can have put one, which would be believed. */
static int
open_kept(const char *run_root)
{
	own_mem char *path = run_root != NULL ? xasprintf("%s/" KEPT, run_root) : NULL;
	own_fd int fd = -1;
	struct stat st;

	if (path == NULL)
		return -1;
	(void)mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1 || st.st_uid != geteuid() || (st.st_mode & 0022) != 0)
		return -1;
	return fd_take(&fd);
}

/* Those of the same store as it was before. */
static void
forget_others(int kept, const char *name)
{
	own_strv struct strv all = {0};
	struct err ignored;

	if (store_names_in(kept, KEPT, &all, &ignored) == -1)
		return;
	for (size_t i = 0; i < all.n; i++)
		if (strncmp(all.v[i], name, KEY_LEN + 1) == 0 && strcmp(all.v[i], name) != 0)
			unlinkat(kept, all.v[i], 0);
}

/* Without it the next command makes one again. */
static void
keep(int stage, int kept, const char *name)
{
	own_mem char *new_name = xasprintf("%s.%d", name, (int)getpid());
	struct err why;

	if (copy_named(stage, INDEX, kept, new_name, &why) == 0 &&
	    renameat(kept, new_name, kept, name) == 0) {
		forget_others(kept, name);
		return;
	}
	unlinkat(kept, new_name, 0);
}

int
theirs_index(
    struct store *at, const char *run_root, bool anew, int stage, const char *index, struct err *e)
{
	own_fd int kept = open_kept(run_root);
	own_mem char *name = kept != -1 ? name_of(at) : NULL;
	struct err ignored = {0};
	int r;

	at->theirs = true;
	if (check_usable(at, e) == -1)
		return -1;
	if (!anew && name != NULL && copy_named(kept, name, stage, INDEX, &ignored) == 0)
		return 0;
	r = make(at, stage, index, e);
	if (r == 1 && name != NULL)
		keep(stage, kept, name);
	return r == -1 ? -1 : 0;
}

int
theirs_split(const struct store *at, const char *layer, struct err *e)
{
	own_mem char *name = xasprintf("overlay-layers/%s.tar-split.gz", layer);
	int fd = path_open_regular(at->dir, name, PATH_PLAIN, SPLIT_FILE_MAX, NULL, e);

	if (fd == -1 && e->no == ENOENT)
		err_set(e, ERR_UNSUPPORTED,
		    "layer %s of %s has no tar-split data: its tar cannot be put together again",
		    layer, at->root);
	return fd;
}
