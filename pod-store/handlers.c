/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/artifacts.h"
#include "pod-store/attach.h"
#include "pod-store/check.h"
#include "pod-store/blob.h"
#include "pod-store/diff.h"
#include "pod-store/exchange.h"
#include "pod-store/handlers.h"
#include "pod-store/image.h"
#include "pod-store/info.h"
#include "pod-store/layer.h"
#include "pod-store/list.h"
#include "pod-store/partial.h"
#include "pod-store/places.h"
#include "pod-store/remove.h"
#include "pod-store/rootfs.h"
#include "pod-store/server.h"
#include "pod-store/sweep.h"
#include "pod-store/take.h"
#include "pod-store/transfer.h"
#include "pod-store/user.h"
#include "pod-store/volume.h"

/* Each answers request NAME, which is m, on connection c. */
#define HANDLER(name) \
	static int on_##name(struct peer *p, struct peer_in *in, void *arg, struct err *e)
#define CONN ((struct conn *)arg)
#define STORE (&CONN->srv->store)
#define FIRST places_first(STORE)
#define ANSWER(name, x) peer_send(p, &msg_##name##_desc, in->seq, x, e)

/* Only the command that checks asks for it: nothing is put into a damaged index's place unawares. */
static bool
wants_repair(const struct msg_hello *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i].key, "repair") == 0)
			return true;
	return false;
}

static int
open_store(struct server *srv, const struct msg_hello *m, struct err *e)
{
	enum log_level level;

	if (m->log_level != NULL && log_level_parse(m->log_level, &level, e) == 0)
		log_set_level(level);
	if (places_open(&srv->store, m, wants_repair(m), e) == -1)
		return -1;
	srv->opened = true;
	return 0;
}

/* It has no answer of its own: why it failed is the answer to everything that follows. */
HANDLER(hello)
{
	bool ok = open_store(CONN->srv, MSG_OF(in, hello), e) == 0;

	(void)p;
	if (!ok)
		CONN->srv->why = *e;
	CONN->phase = ok ? SERVER_PHASE_OPEN : SERVER_PHASE_FAILED;
	return 0;
}

static int
find_and_load(struct store *s, const struct msg_image_get *m, struct naming_match *found,
    struct rec_image *image, struct arena *a, struct err *e)
{
	struct store *at;
	int r;

	if (places_find(s, m->name, &m->candidates, found, &at, e) == -1)
		return -1;
	r = image_load(at, found->id, IMAGE_CONFIG | IMAGE_LAYERS | IMAGE_PAST, image, a, e);
	if (r == 1 && image->config->list && !m->list)
		r = list_choose(at, m, image, a, e);
	return r == 0 ? err_set(e, ERR_NOTFOUND, "%s: image not known", m->name) : r;
}

HANDLER(image_get)
{
	struct msg_image_get *m = MSG_OF(in, image_get);
	own_naming_match struct naming_match found = {0};
	struct rec_image image;
	struct msg_image_got out = {.image = &image};
	int r;

	if (db_view(&STORE->db, e) == -1)
		return -1;
	r = find_and_load(STORE, m, &found, &image, &in->arena, e);
	db_view_end(&STORE->db);
	if (r == -1)
		return -1;
	out.matched = found.name;
	return ANSWER(image_got, &out);
}

HANDLER(list_put)
{
	char id[SHA256_HEX];
	struct msg_image_commit_r out = {.id = id};

	if (list_put(FIRST, MSG_OF(in, list_put), id, e) == -1)
		return -1;
	return ANSWER(image_commit_r, &out);
}

HANDLER(artifacts_open)
{
	own_fd int dir = -1;
	struct msg_artifacts_opened out = {0};

	if (artifacts_open(STORE, MSG_OF(in, artifacts_open)->list,
		MSG_OF(in, artifacts_open)->write, &dir, e) == -1)
		return -1;
	if (dir >= 0)
		out.dir = dir;
	return ANSWER(artifacts_opened, &out);
}

HANDLER(image_list)
{
	struct msg_image_list *m = MSG_OF(in, image_list);
	struct msg_image_listed out;
	unsigned what = (m->uses ? IMAGE_USERS : 0) | (m->configs ? IMAGE_CONFIG | IMAGE_PAST : 0);

	if (image_list(STORE, m->all, what, &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(image_listed, &out);
}

HANDLER(image_tag)
{
	if (remove_tag(STORE, MSG_OF(in, image_tag), e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(image_untag)
{
	if (remove_untag(FIRST, MSG_OF(in, image_untag), e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

static int
answer_removed(struct peer *p, uint32_t seq, const struct removed *r, struct err *e)
{
	struct msg_image_removed out = {
	    .untagged = {(const char **)r->untagged.v, r->untagged.n},
	    .deleted = {(const char **)r->deleted.v, r->deleted.n},
	};

	return peer_send(p, &msg_image_removed_desc, seq, &out, e);
}

HANDLER(image_remove)
{
	own_removed struct removed r = {0};

	if (remove_image(FIRST, MSG_OF(in, image_remove), &r, e) == -1)
		return -1;
	return answer_removed(p, in->seq, &r, e);
}

HANDLER(image_prune)
{
	own_removed struct removed r = {0};

	if (remove_unused(FIRST, MSG_OF(in, image_prune)->all, &r, e) == -1)
		return -1;
	return answer_removed(p, in->seq, &r, e);
}

HANDLER(image_blob)
{
	struct msg_image_blob *m = MSG_OF(in, image_blob);
	struct msg_image_blob_r out;

	if (info_blob(STORE, m, &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(image_blob_r, &out);
}

HANDLER(stage_begin)
{
	struct stage *g = stage_begin(FIRST, &CONN->stages, e);
	struct msg_stage_begun out;

	if (g == NULL)
		return -1;
	out.stage = g->number;
	return ANSWER(stage_begun, &out);
}

/* 1, 0 or -1 */
static int
layer_is_anywhere(struct store *s, const char *id, struct err *e)
{
	const struct store *at = places_layer(s, id, e);

	/* One of the graph root would have to be copied to another image store: it may as well come anew. */
	if (at != NULL)
		return at == places_first(s) || at->read_only;
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

HANDLER(layer_query)
{
	struct msg_layer_query *m = MSG_OF(in, layer_query);
	struct msg_layer_query_r out = {0};
	char id[SHA256_HEX] = "", parent[SHA256_HEX];

	for (size_t i = 0; i < m->diff_ids.n; i++) {
		const char *hex = layer_hex(m->diff_ids.v[i]);
		int r;

		if (hex == NULL)
			return err_set(e, ERR_INVALID, "a layer's DiffID is malformed");
		memcpy(parent, id, sizeof(parent));
		layer_id(parent, hex, id);
		r = layer_is_anywhere(STORE, id, e);
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		out.present++;
	}
	if (m->sources && partial_possible(FIRST, &out.sources, e) == -1)
		return -1;
	return ANSWER(layer_query_r, &out);
}

HANDLER(layer_put)
{
	(void)p;
	return transfer_put(CONN, in->seq, MSG_OF(in, layer_put), e);
}

HANDLER(layer_assemble)
{
	(void)p;
	return transfer_assemble(CONN, in->seq, MSG_OF(in, layer_assemble), e);
}

HANDLER(layer_get)
{
	(void)p;
	return transfer_get(CONN, in->seq, MSG_OF(in, layer_get), e);
}

HANDLER(layer_take)
{
	(void)p;
	return take_layer(CONN, in->seq, MSG_OF(in, layer_take), e);
}

HANDLER(rootfs_export)
{
	(void)p;
	return take_export(CONN, in->seq, MSG_OF(in, rootfs_export), e);
}

HANDLER(layer_note)
{
	if (blob_note(FIRST, MSG_OF(in, layer_note), e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(layer_exchange)
{
	struct msg_layer_exchange *m = MSG_OF(in, layer_exchange);
	struct stage *g = stage_find(&CONN->stages, m->stage, e);
	int r = g == NULL ? -1 : exchange_layer(STORE, g, m, e);

	if (g != NULL)
		stage_end(STORE, &CONN->stages, g);
	return r == -1 ? -1 : peer_send_ok(p, in->seq, e);
}

HANDLER(image_commit)
{
	struct msg_image_commit *m = MSG_OF(in, image_commit);
	struct stage *g = stage_find(&CONN->stages, m->stage, e);
	struct msg_image_commit_r out;
	char id[SHA256_HEX];

	if (g == NULL || stage_commit(FIRST, g, m, id, e) == -1)
		return -1;
	stage_end(FIRST, &CONN->stages, g);
	out.id = id;
	return ANSWER(image_commit_r, &out);
}

HANDLER(rootfs_open)
{
	struct msg_rootfs_opened out;
	int r;

	if (rootfs_open(STORE, MSG_OF(in, rootfs_open), &out, &in->arena, e) == -1)
		return -1;
	r = ANSWER(rootfs_opened, &out);
	wire_close_fds(&msg_rootfs_opened_desc, &out);
	return r;
}

HANDLER(image_open)
{
	struct msg_image_open *m = MSG_OF(in, image_open);
	own_naming_match struct naming_match found = {0};
	struct msg_image_opened out = {.root = -1};
	struct store *at;
	int r;

	if (places_find(STORE, m->image, &m->candidates, &found, &at, e) == -1)
		return -1;
	out.root = rootfs_mount_part(STORE, found.id, m, e);
	if (out.root == -1)
		return -1;
	r = ANSWER(image_opened, &out);
	wire_close_fds(&msg_image_opened_desc, &out);
	return r;
}

HANDLER(rootfs_remove)
{
	if (rootfs_remove(STORE, MSG_OF(in, rootfs_remove)->id, e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(rootfs_diff)
{
	struct msg_rootfs_diff *m = MSG_OF(in, rootfs_diff);

	int r = m->against != NULL && m->against[0] != '\0'
		    ? diff_compare(STORE, m->id, m->against, m->stream, e)
		    : diff_write(STORE, m->id, m->stream, e);

	if (r == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(rootfs_size)
{
	struct msg_rootfs_size_r out;

	if (info_rootfs_size(STORE, MSG_OF(in, rootfs_size)->id, &out, e) == -1)
		return -1;
	return ANSWER(rootfs_size_r, &out);
}

HANDLER(rootfs_attach)
{
	struct msg_rootfs_attached out;
	int r;

	if (attach_open(STORE, MSG_OF(in, rootfs_attach), &out, &in->arena, e) == -1)
		return -1;
	r = ANSWER(rootfs_attached, &out);
	wire_close_fds(&msg_rootfs_attached_desc, &out);
	return r;
}

HANDLER(rootfs_detach)
{
	if (attach_remove(STORE, MSG_OF(in, rootfs_detach)->id, e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(rootfs_mounts)
{
	struct msg_rootfs_mounted out;

	if (attach_list(STORE, &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(rootfs_mounted, &out);
}

/* The root is that of a container which runs: user_find opens below it, and parses nothing here. */
HANDLER(user_find)
{
	struct msg_rootfs_open m = {
	    .user = MSG_OF(in, user_find)->user, .no_passwd = true, .etc_dir = -1};
	struct msg_rootfs_opened found = {.root = -1};
	struct msg_user_found out = {0};

	if (user_find(STORE, MSG_OF(in, user_find)->root, false, &m, &found, &in->arena, e) == -1)
		return -1;
	out.uid = found.uid;
	out.gid = found.gid;
	out.groups.v = found.groups.v;
	out.groups.n = found.groups.n;
	out.home = found.home;
	return ANSWER(user_found, &out);
}

static int
answer_volume(struct peer *p, uint32_t seq, struct rec_volume *v, struct err *e)
{
	struct msg_volume_got out = {.volume = v};

	return peer_send(p, &msg_volume_got_desc, seq, &out, e);
}

HANDLER(volume_create)
{
	struct rec_volume v;

	if (volume_create(STORE, MSG_OF(in, volume_create), &v, &in->arena, e) == -1)
		return -1;
	return answer_volume(p, in->seq, &v, e);
}

HANDLER(volume_get)
{
	const struct msg_volume_get *m = MSG_OF(in, volume_get);
	struct rec_volume v;

	if (volume_get(STORE, m->name, m->exact, &v, &in->arena, e) == -1)
		return -1;
	return answer_volume(p, in->seq, &v, e);
}

HANDLER(volume_list)
{
	struct msg_volume_listed out;

	if (volume_list(STORE, &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(volume_listed, &out);
}

HANDLER(volume_remove)
{
	struct msg_volume_remove *m = MSG_OF(in, volume_remove);

	if (volume_remove(STORE, m->name, m->ignore, e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

HANDLER(store_sweep)
{
	struct msg_store_swept out = {0};

	if (sweep_store(STORE, MSG_OF(in, store_sweep), &out, e) == -1)
		return -1;
	return ANSWER(store_swept, &out);
}

HANDLER(store_check)
{
	struct msg_store_checked out;

	if (check_store(STORE, MSG_OF(in, store_check), &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(store_checked, &out);
}

HANDLER(store_info)
{
	struct msg_store_info_r out;

	if (info_store(STORE, MSG_OF(in, store_info)->usage, &out, &in->arena, e) == -1)
		return -1;
	return ANSWER(store_info_r, &out);
}

HANDLER(store_join)
{
	struct msg_store_join *m = MSG_OF(in, store_join);

	if (server_add(CONN->srv, fd_take(&m->peer), ROLE_IMAGE, SERVER_PHASE_OPEN, e) == -1)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

#define ON(name, phase, flags)                              \
	{                                                   \
		&msg_##name##_desc, phase, flags, on_##name \
	}
#define OPEN(name) ON(name, SERVER_PHASE_OPEN, 0)

const struct peer_handler handlers[] = {
    ON(hello, SERVER_PHASE_HELLO, PEER_ONCE),
    OPEN(image_get),
    OPEN(image_list),
    OPEN(list_put),
    OPEN(artifacts_open),
    OPEN(image_tag),
    OPEN(image_untag),
    OPEN(image_remove),
    OPEN(image_prune),
    OPEN(image_blob),
    OPEN(stage_begin),
    OPEN(layer_query),
    OPEN(layer_put),
    OPEN(layer_assemble),
    OPEN(layer_get),
    OPEN(layer_take),
    OPEN(layer_note),
    OPEN(layer_exchange),
    OPEN(image_commit),
    OPEN(rootfs_open),
    OPEN(rootfs_remove),
    OPEN(image_open),
    OPEN(rootfs_diff),
    OPEN(rootfs_export),
    OPEN(rootfs_size),
    OPEN(rootfs_attach),
    OPEN(rootfs_detach),
    OPEN(rootfs_mounts),
    OPEN(user_find),
    OPEN(volume_create),
    OPEN(volume_get),
    OPEN(volume_list),
    OPEN(volume_remove),
    OPEN(store_sweep),
    OPEN(store_check),
    OPEN(store_info),
    OPEN(store_join),
};
const size_t handlers_n = COUNTOF(handlers);

static int
on_failed(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	*e = CONN->srv->why;
	return -1;
}

const struct peer_handler *
handlers_failed(void)
{
	static struct peer_handler refusals[COUNTOF(handlers)];

	for (size_t i = 0; i < COUNTOF(handlers); i++)
		refusals[i] = (struct peer_handler){
		    handlers[i].desc, SERVER_PHASE_FAILED, handlers[i].flags, on_failed};
	return refusals;
}
