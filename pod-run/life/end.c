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
#include "pod-run/life/mounts.h"
#include "pod-run/life/health.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/start.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/volumes.h"
#include "pod-run/state/event.h"

#define REMAINS_MAX 32
#define GIVE_BACK_MS 20000
/* Leftovers younger than this belong to helpers that are still at it. */
#define LEFTOVER_NS (10 * INT64_C(1000000000))

static void
complain(const struct err *e)
{
	if (err_is_set(e))
		log_warn("%s", e->text);
}

/* --- Asking the helpers, without waiting --------------------------------------------------------*/

/*
 * Nobody waits for the answer.  A container that may be started again gets its next network from another
 * pod-net, which must not run beside the one that still takes the last away.
 */
static uint32_t
give_back_net(struct ctx *x, const char *id, bool again)
{
	char name[NAMES_ID_LEN + sizeof(END_NET_SUFFIX)];
	struct err e = {0};
	own_fd int lock = -1;
	struct msg_net_teardown m = {.id = id, .lock = -1};
	struct peer *net = ctx_net(x, &e);
	uint32_t seq = net != NULL ? peer_next_seq(net) : 0;

	snprintf(name, sizeof(name), "%s" END_NET_SUFFIX, id);
	if (again)
		m.lock = lock = lock_acquire(x->lock_fd, name, LOCK_EXCLUSIVE, GIVE_BACK_MS, &e);
	if (net != NULL && peer_send(net, &msg_net_teardown_desc, seq, &m, &e) == 0)
		return seq;
	complain(&e);
	return 0;
}

/* Nobody waits for the answer to a request; 0: none was sent. */
static void
disown(struct peer *p, uint32_t seq)
{
	if (seq != 0)
		peer_disown(p, seq);
}

void
end_give_back_net(struct ctx *x, const char *id)
{
	uint32_t seq = give_back_net(x, id, true);

	/* Which that may have started. */
	disown(x->net_, seq);
}

int
end_await_net(struct ctx *x, const char *id, struct err *e)
{
	char name[NAMES_ID_LEN + sizeof(END_NET_SUFFIX)];
	own_fd int lock = -1;

	snprintf(name, sizeof(name), "%s" END_NET_SUFFIX, id);
	if (faccessat(x->lock_fd, name, F_OK, 0) == -1)
		return 0;
	lock = lock_acquire(x->lock_fd, name, LOCK_EXCLUSIVE, GIVE_BACK_MS, e);
	return lock == -1 ? err_wrap(e, "waiting for the last network of container %s", id) : 0;
}

static uint32_t
remove_rootfs(struct ctx *x, const char *id)
{
	struct msg_rootfs_remove m = {.id = id};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);
	uint32_t seq = store != NULL ? peer_next_seq(store) : 0;

	if (store != NULL && peer_send(store, &msg_rootfs_remove_desc, seq, &m, &e) == 0)
		return seq;
	complain(&e);
	return 0;
}

static void
ask_removal(struct ctx *x, const char *id, bool net)
{
	struct ctx_remains *r;

	/* A helper keeps only so many answers that are not waited for yet. */
	if (x->remains_n >= REMAINS_MAX)
		end_settle(x);
	x->remains = mem_grow(x->remains, &x->remains_cap, x->remains_n + 1, sizeof(*x->remains));
	r = &x->remains[x->remains_n++];
	memset(r, 0, sizeof(*r));
	memcpy(r->id, id, strlen(id) + 1);
	r->net_seq = net ? give_back_net(x, id, false) : 0;
	r->store_seq = remove_rootfs(x, id);
}

static void
remove_volume(struct ctx *x, const char *name)
{
	struct msg_volume_remove m = {.name = name, .ignore = true};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);
	uint32_t seq = store != NULL ? peer_next_seq(store) : 0;

	if (store == NULL || peer_send(store, &msg_volume_remove_desc, seq, &m, &e) == -1)
		complain(&e);
	else
		disown(store, seq);
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

/* Returns the request to wait for, 0 if there is none. */
static uint32_t
remove_image(struct ctx *x, const struct ctr *c)
{
	struct msg_image_remove m = {.image = c->image};
	own_strv struct strv users = {0};
	struct err e = {0};
	struct peer *store;
	uint32_t seq;

	if (*c->image == '\0' || ctr_using_image(ctx_db(x, &e), c->image, &users, &e) == -1 ||
	    users.n > 0) {
		complain(&e);
		return 0;
	}
	store = ctx_store(x, &e);
	seq = store != NULL ? peer_next_seq(store) : 0;
	if (store != NULL && peer_send(store, &msg_image_remove_desc, seq, &m, &e) == 0)
		return seq;
	complain(&e);
	return 0;
}

static void
remove_files(struct ctx *x, const char *id)
{
	own_mem char *bundle = ctx_bundle(x, id), *dir = ctx_static_dir(x, id);
	char live[NAMES_ID_LEN + sizeof(SYNC_LIVE_SUFFIX)];
	char net[NAMES_ID_LEN + sizeof(END_NET_SUFFIX)];
	struct err e = {0};

	snprintf(live, sizeof(live), "%s" SYNC_LIVE_SUFFIX, id);
	snprintf(net, sizeof(net), "%s" END_NET_SUFFIX, id);
	tree_remove(AT_FDCWD, bundle, &e);
	tree_remove(AT_FDCWD, dir, &e);
	unlinkat(x->exit_fd, id, 0);
	unlinkat(x->lock_fd, live, 0);
	unlinkat(x->lock_fd, net, 0);
	unlinkat(x->lock_fd, id, 0);
	complain(&e);
}

/* --- Removal ------------------------------------------------------------------------------------*/

/* A helper that was killed has not given back what the last run held. */
static bool
holds_net(const struct ctx *x, const char *id)
{
	own_mem char *path = xasprintf("%s/net/containers/%s", x->run_root, id);

	return access(path, F_OK) == 0;
}

int
end_remove(struct ctx *x, struct ctr *c, bool volumes, struct err *e)
{
	struct db *db = ctx_db(x, e);
	bool net;

	if (db == NULL || ctr_config(c, e) == -1)
		return -1;
	net = start_needs_net(c->config) &&
	      ((c->status != CTR_CONFIGURED && c->status != CTR_EXITED) || holds_net(x, c->id));
	if (ctr_remove(db, c, net, ctx_now_ns(), e) == -1)
		return -1;
	/* The store does one thing after the other: who waits for the second waits for the first. */
	if (volumes)
		remove_volumes(x, c);
	ask_removal(x, c->id, net);
	event_ctr(x, c, EVENT_REMOVE);
	health_forget(x, c);
	if (c->config->remove_image)
		x->remains[x->remains_n - 1].image_seq = remove_image(x, c);
	return 0;
}

void
end_abandon(struct ctx *x, const char *id, bool net)
{
	ask_removal(x, id, net);
}

/* Answers of requests nobody waits for (volumes, images) come between. */
static int
pass_over(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)arg;
	(void)e;
	return 0;
}

static bool
settle_one(struct ctx *x, const struct ctx_remains *r, struct err *e)
{
	own_peer_in struct peer_in stored = {0}, given = {0}, image = {0};
	struct err ignored = {0};
	bool done;

	remove_files(x, r->id);
	if (r->net_seq != 0 && peer_wait(x->net_, &msg_net_teardown_desc, r->net_seq, &given,
				   pass_over, NULL, e) == -1)
		return false;
	done = r->store_seq != 0 && peer_wait(x->store_, &msg_rootfs_remove_desc, r->store_seq,
					&stored, pass_over, NULL, e) == 0;
	/* An image that others use stays. */
	if (done && r->image_seq != 0)
		peer_wait(x->store_, &msg_image_remove_desc, r->image_seq, &image, pass_over, NULL,
		    &ignored);
	return done;
}

void
end_settle(struct ctx *x)
{
	struct err e = {0};
	struct db *db = x->remains_n > 0 ? ctx_db(x, &e) : NULL;

	for (size_t i = 0; db != NULL && i < x->remains_n; i++) {
		if (settle_one(x, &x->remains[i], &e))
			ctr_leftover_done(db, x->remains[i].id, &e);
		complain(&e);
		err_clear(&e);
	}
	x->remains_n = 0;
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
	event_ctr(x, c, EVENT_RESTART);
	start_init(&s, x, c);
	if (start_whole(&s, false, e) == -1)
		return err_wrap(e, "restarting container %s", c->id);
	return 0;
}

/* What was made for one run: overlays nobody wanted to keep, volumes that had to be mounted. */
static void
forget_mounts(struct ctx *x, struct ctr *c)
{
	bool overlay = c->config->rootfs_overlay;

	for (size_t i = 0; i < c->config->mounts.n; i++)
		overlay = overlay || c->config->mounts.v[i].overlay;
	if (overlay)
		mounts_forget(x, c->id);
	volumes_release(x, c->id, &c->run.volumes);
	c->run.volumes.n = 0;
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
	forget_mounts(x, c);
	if (!again && c->config->remove && !how->no_restart) {
		how->removed = true;
		return end_remove(x, c, true, e);
	}
	if (start_needs_net(c->config))
		end_give_back_net(x, c->id);
	c->status = CTR_EXITED;
	c->monitor_pid = 0;
	health_ended(x, c);
	if (ctr_save(db, c, e) == -1)
		return -1;
	unlinkat(x->exit_fd, c->id, 0);
	if (!again) {
		event_ctr(x, c, EVENT_CLEANUP);
		return 0;
	}
	how->restarted = true;
	return restart(x, c, e);
}

int
end_with(struct ctx *x, struct ctr *c, int code, bool oom, int64_t when_ns, struct end *how,
    struct err *e)
{
	bool stopping = c->status == CTR_STOPPING;

	if (!ctr_has_process(c))
		return 0;
	c->status = CTR_STOPPED;
	c->exit_code = code;
	c->oom = oom;
	c->finished_ns = when_ns != 0 ? when_ns : ctx_now_ns();
	c->pid = 0;
	c->pid_start = 0;
	event_died(x, c, stopping);
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
finish_leftovers(struct ctx *x, bool net)
{
	own_strv struct strv left = {0};
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	if (db == NULL || ctr_leftovers(db, net, ctx_now_ns() - LEFTOVER_NS, &left, &e) == -1)
		complain(&e);
	for (size_t i = 0; i < left.n; i++)
		ask_removal(x, left.v[i], net);
}

void
end_sweep(struct ctx *x)
{
	struct orphans_keep keep = {.lost = true};
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
	orphans_remove(x, false, &keep);
	strv_free(&keep.ids);
}
