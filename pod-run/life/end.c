/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/lock.h"
#include "common/fs/tree.h"
#include "pod-run/life/end.h"
#include "pod-run/life/start.h"
#include "pod-run/life/sync.h"

/* Leftovers younger than this belong to helpers that are still at it. */
#define LEFTOVER_NS (10 * INT64_C(1000000000))

static void
complain(const struct err *e)
{
	if (err_is_set(e))
		log_warn("%s", e->text);
}

/* --- Asking the helpers, without waiting --------------------------------------------------------*/

static void
give_back_net(struct ctx *x, const char *id)
{
	struct msg_net_teardown m = {.id = id};
	struct err e = {0};
	struct peer *net = ctx_net(x, &e);

	if (net == NULL || peer_send(net, &msg_net_teardown_desc, peer_next_seq(net), &m, &e) == -1)
		complain(&e);
}

static void
remove_rootfs(struct ctx *x, const char *id)
{
	struct msg_rootfs_remove m = {.id = id};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);

	if (store == NULL ||
	    peer_send(store, &msg_rootfs_remove_desc, peer_next_seq(store), &m, &e) == -1)
		complain(&e);
}

static void
remove_volume(struct ctx *x, const char *name)
{
	struct msg_volume_remove m = {.name = name, .ignore = true};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);

	if (store == NULL ||
	    peer_send(store, &msg_volume_remove_desc, peer_next_seq(store), &m, &e) == -1)
		complain(&e);
}

/* Anonymous volumes that no other container mounts. */
static void
remove_volumes(struct ctx *x, const struct ctr *c)
{
	struct err e = {0};

	for (size_t i = 0; i < c->config->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->config->mounts.v[i];
		own_strv struct strv users = {0};

		if (strcmp(m->type, "volume") != 0 || !m->anonymous || m->source == NULL)
			continue;
		if (ctr_using_volume(ctx_db(x, &e), m->source, &users, &e) == 0 && users.n == 0)
			remove_volume(x, m->source);
	}
	complain(&e);
}

static void
remove_image(struct ctx *x, const struct ctr *c)
{
	struct msg_image_remove m = {.image = c->image};
	own_strv struct strv users = {0};
	struct err e = {0};
	struct peer *store;

	if (*c->image == '\0' || ctr_using_image(ctx_db(x, &e), c->image, &users, &e) == -1 ||
	    users.n > 0)
		return;
	store = ctx_store(x, &e);
	if (store != NULL)
		peer_send(store, &msg_image_remove_desc, peer_next_seq(store), &m, &e);
	complain(&e);
}

static void
remove_files(struct ctx *x, const char *id)
{
	own_mem char *bundle = ctx_bundle(x, id), *dir = ctx_static_dir(x, id);
	char live[NAMES_ID_LEN + sizeof(SYNC_LIVE_SUFFIX)];
	struct err e = {0};

	snprintf(live, sizeof(live), "%s" SYNC_LIVE_SUFFIX, id);
	tree_remove(AT_FDCWD, bundle, &e);
	tree_remove(AT_FDCWD, dir, &e);
	unlinkat(x->exit_fd, id, 0);
	unlinkat(x->lock_fd, live, 0);
	unlinkat(x->lock_fd, id, 0);
	complain(&e);
}

/* --- Removal ------------------------------------------------------------------------------------*/

int
end_remove(struct ctx *x, struct ctr *c, bool volumes, struct err *e)
{
	struct db *db = ctx_db(x, e);
	bool net;

	if (db == NULL || ctr_config(c, e) == -1)
		return -1;
	net = c->status != CTR_CONFIGURED && c->status != CTR_EXITED && start_needs_net(c->config);
	if (ctr_remove(db, c, net, ctx_now_ns(), e) == -1)
		return -1;
	if (net)
		give_back_net(x, c->id);
	remove_rootfs(x, c->id);
	if (volumes)
		remove_volumes(x, c);
	if (c->config->remove_image)
		remove_image(x, c);
	remove_files(x, c->id);
	return 0;
}

/* --- End of a run -------------------------------------------------------------------------------*/

static bool
restarts(const struct ctr *c)
{
	const char *policy = c->config->restart;

	if (policy == NULL || c->stopped_by_user)
		return false;
	if (strcmp(policy, "always") == 0 || strcmp(policy, "unless-stopped") == 0)
		return true;
	return strcmp(policy, "on-failure") == 0 && c->exit_code != 0 &&
	       (c->config->restart_max == 0 || c->restarts < c->config->restart_max);
}

static int
restart(struct ctx *x, struct ctr *c, struct err *e)
{
	own_start struct start s;

	c->restarts++;
	start_init(&s, x, c);
	if (start_whole(&s, false, e) == -1)
		return err_wrap(e, "restarting container %s", c->id);
	return 0;
}

int
end_ctr(struct ctx *x, struct ctr *c, struct end *how, struct err *e)
{
	struct db *db = ctx_db(x, e);
	bool again;

	if (c->status != CTR_STOPPED)
		return 0;
	if (db == NULL || ctr_config(c, e) == -1)
		return -1;
	again = !how->no_restart && restarts(c);
	if (!again && c->config->remove && !how->no_restart) {
		how->removed = true;
		return end_remove(x, c, true, e);
	}
	if (start_needs_net(c->config))
		give_back_net(x, c->id);
	c->status = CTR_EXITED;
	c->monitor_pid = 0;
	if (ctr_save(db, c, e) == -1)
		return -1;
	if (!again)
		return 0;
	how->restarted = true;
	return restart(x, c, e);
}

int
end_with(struct ctx *x, struct ctr *c, int code, bool oom, int64_t when_ns, struct end *how,
    struct err *e)
{
	if (!ctr_status_is_live(c->status) && c->status != CTR_STOPPED)
		return 0;
	c->status = CTR_STOPPED;
	c->exit_code = code;
	c->oom = oom;
	c->finished_ns = when_ns != 0 ? when_ns : ctx_now_ns();
	c->pid = 0;
	c->pid_start = 0;
	return end_ctr(x, c, how, e);
}

/* --- Repair -------------------------------------------------------------------------------------*/

/* A container that ended while its monitor was gone, so that nobody ran the cleanup. */
static void
repair(struct ctx *x, const char *id)
{
	own_ctr struct ctr c = {0};
	struct err e = {0};
	struct end how = {0};
	own_fd int lock = lock_acquire(x->lock_fd, id, LOCK_EXCLUSIVE, LOCK_TRY, &e);

	if (lock == -1)
		return;
	snprintf(c.id, sizeof(c.id), "%s", id);
	err_clear(&e);
	if (sync_reload(x, &c, &e) == 0 && !sync_monitor_lives(x, id))
		end_ctr(x, &c, &how, &e);
	complain(&e);
}

static void
finish_leftover(struct ctx *x, const char *id, bool net)
{
	struct msg_rootfs_remove m = {.id = id};
	own_peer_in struct peer_in in = {0};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);

	if (net)
		give_back_net(x, id);
	remove_files(x, id);
	if (store != NULL &&
	    peer_call(store, &msg_rootfs_remove_desc, &m, &in, NULL, NULL, &e) == 0)
		ctr_leftover_done(ctx_db(x, &e), id, &e);
	complain(&e);
}

static void
finish_leftovers(struct ctx *x, bool net)
{
	own_strv struct strv left = {0};
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	if (db == NULL || ctr_leftovers(db, net, ctx_now_ns() - LEFTOVER_NS, &left, &e) == -1)
		complain(&e);
	for (size_t i = 0; i < left.n; i++)
		finish_leftover(x, left.v[i], net);
}

void
end_sweep_aside(struct ctx *x)
{
	if (x->store_ != NULL)
		finish_leftovers(x, false);
	if (x->store_ != NULL && x->net_ != NULL)
		finish_leftovers(x, true);
}

void
end_sweep(struct ctx *x)
{
	own_strv struct strv stopped = {0};
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	if (db == NULL || ctr_ids_stopped(db, &stopped, &e) == -1) {
		complain(&e);
		return;
	}
	for (size_t i = 0; i < stopped.n; i++)
		repair(x, stopped.v[i]);
	finish_leftovers(x, false);
	finish_leftovers(x, true);
}
