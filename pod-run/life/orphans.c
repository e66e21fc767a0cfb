/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "common/fs/tree.h"
#include "pod-run/life/end.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/strays.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/ctr.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_NAME "libpod-"
#define CGROUP_DEPTH 16

/* What they know of their containers is below the run root, in "oci-NAME" (runtime_find). */
static const char *const runtimes[] = {"crun", "runc"};

/* Adds the names in path that begin with a container's ID. */
static void
collect(const char *path, struct strv *ids)
{
	own_dir DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char id[NAMES_ID_LEN + 1];

		snprintf(id, sizeof(id), "%.*s", NAMES_ID_LEN, e->d_name);
		if (text_is_hex(id, NAMES_ID_LEN) && strv_find(ids, id) == ids->n)
			strv_add(ids, id);
	}
}

static void
collect_all(struct ctx *x, bool everywhere, struct strv *ids)
{
	own_mem char *rw = xasprintf("%s/rw", x->graph_root);
	own_mem char *fixed = xasprintf("%s/containers", x->graph_root);
	own_mem char *bundles = xasprintf("%s/containers", x->run_root);
	own_mem char *nets = xasprintf("%s/net/containers", x->run_root);

	collect(bundles, ids);
	collect(nets, ids);
	if (!everywhere)
		return;
	collect(rw, ids);
	collect(fixed, ids);
	collect(x->lock_dir, ids);
	for (size_t i = 0; i < COUNTOF(runtimes); i++) {
		own_mem char *states = xasprintf("%s/oci-%s", x->run_root, runtimes[i]);

		collect(states, ids);
	}
	strays_collect(x, ids);
}

/* Safe because only processes in a cgroup named after an orphan's ID, which nobody else has, are ended. */
static void
kill_members(const char *cgroup)
{
	own_mem char *path = xasprintf("%s/cgroup.procs", cgroup);
	own_file FILE *f = fopen(path, "re");
	long pid;

	while (f != NULL && fscanf(f, "%ld", &pid) == 1)
		if (pid > 1)
			kill((pid_t)pid, SIGKILL);
}

/* With what the container made below it. */
static bool
clear_cgroup(const char *path)
{
	own_dir DIR *d = opendir(path);
	struct dirent *e;

	kill_members(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			own_mem char *inner = xasprintf("%s/%s", path, e->d_name);

			(void)clear_cgroup(inner);
		}
	return rmdir(path) == 0 || errno == ENOENT;
}

static void
remove_cgroup(const char *path)
{
	/* Members leave a cgroup when they are reaped, a moment after they were killed. */
	for (int i = 0; i < 50; i++) {
		if (clear_cgroup(path))
			return;
		usleep(10000);
	}
	log_warn("removing cgroup %s: %s", path, strerror(errno));
}

/*
 * Where they were made nobody wrote down: below a parent of the user's choice, a pod, a slice; in one hierarchy (v2) or
 * one for each controller (v1).  Other containers' are not entered: what is named in there is theirs to choose.
 */
static void
remove_cgroups(const char *dir, const char *id, int depth)
{
	own_dir DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		own_mem char *path = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		if (!text_has_prefix(e->d_name, CGROUP_NAME)) {
			if (depth > 1)
				remove_cgroups(path, id, depth - 1);
		} else if (strstr(e->d_name, id) != NULL) {
			remove_cgroup(path);
		}
	}
}

/* A runtime goes on when the monitor that started it was killed; without a cgroup only it knows the process. */
static void
remove_started(struct ctx *x, const char *runtime, const char *id)
{
	own_mem char *state = xasprintf("%s/oci-%s/%s", x->run_root, runtime, id);
	const struct rec_ctr_config any = {.runtime = runtime};
	own_runtime struct runtime r = {0};
	struct err e = {0};
	int left = 40;

	if (access(state, F_OK) == -1)
		return;
	if (runtime_find(x, &any, &r, &e) == -1)
		log_warn("%s", e.text);
	/* One that is still at it says last what it has started; one that was killed itself never does. */
	while (
	    r.path != NULL && runtime_call(&r, "delete", "--force", id, &e) == -1 && --left > 0) {
		err_clear(&e);
		usleep(50000);
	}
	err_clear(&e);
	if (tree_remove(AT_FDCWD, state, &e) == -1)
		log_warn("%s", e.text);
}

static bool
has_row(struct ctx *x, const char *id)
{
	own_ctr struct ctr c = {0};
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	/* Whatever else is wrong with the database, it is no reason to remove anything. */
	return db == NULL || ctr_load(db, id, &c, &e) == 0 || e.class != ERR_NOTFOUND;
}

/* Removed by this process, which still waits for its helpers to do their part. */
static bool
is_going(const struct ctx *x, const char *id)
{
	for (size_t i = 0; i < x->remains_n; i++)
		if (strcmp(x->remains[i].id, id) == 0)
			return true;
	return false;
}

static bool
has_layer(const struct ctx *x, const char *id)
{
	own_mem char *upper = xasprintf("%s/rw/%s/upper", x->graph_root, id);
	own_mem char *whole = xasprintf("%s/rw/%s/root", x->graph_root, id);

	return access(upper, F_OK) == 0 || access(whole, F_OK) == 0;
}

/* Removed in order, which another process has not done yet or was killed at. */
static bool
is_leftover(struct ctx *x, const char *id)
{
	bool is = false;
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	return db != NULL && ctr_is_leftover(db, id, &is, &e) == 0 && is;
}

/* What was killed on its way left no whole one, or a fresh one, and nothing of what the runtime gets to read. */
static bool
is_kept(struct ctx *x, const char *id, struct orphans_keep *keep)
{
	own_mem char *rw = xasprintf("%s/rw/%s", x->graph_root, id);
	own_mem char *bundle = ctx_bundle(x, id);
	own_mem char *config = xasprintf("%s/config.json", bundle);
	bool lost = access(config, F_OK) == 0;
	struct stat st;

	if (!has_layer(x, id) || stat(rw, &st) == -1 || (!lost && !keep->doubtful) ||
	    is_leftover(x, id))
		return false;
	if (!lost && st.st_ctim.tv_sec + (int64_t)keep->younger_s > time(NULL))
		return true;
	strv_add(&keep->ids, id);
	return keep->lost;
}

static bool
remove_orphan(struct ctx *x, const char *id, struct orphans_keep *keep)
{
	own_mem char *live_name = xasprintf("%s" SYNC_LIVE_SUFFIX, id);
	struct err e = {0};
	own_fd int live = -1, lock = -1;

	if (is_going(x, id) || has_row(x, id))
		return false;
	live = lock_acquire(x->lock_fd, live_name, LOCK_EXCLUSIVE, LOCK_TRY, &e);
	lock = live == -1 ? -1 : lock_acquire(x->lock_fd, id, LOCK_EXCLUSIVE, LOCK_TRY, &e);
	/* Asked again: between the first look and the lock a start may have come and gone. */
	if (lock == -1 || has_row(x, id) || (keep != NULL && is_kept(x, id, keep)))
		return false;
	for (size_t i = 0; i < COUNTOF(runtimes); i++)
		remove_started(x, runtimes[i], id);
	strays_end(x, id);
	remove_cgroups(CGROUP_ROOT, id, CGROUP_DEPTH);
	end_abandon(x, id, true);
	return true;
}

/* What containers that do not run hold of the network, as a helper was killed before it gave it back. */
static int
sweep_networks(struct ctx *x, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_ctr_list struct ctr_list all = {0};
	struct msg_net_sweep m = {.before_ns = (uint64_t)ctx_now_ns()};
	struct db *db = ctx_db(x, e);
	own_mem const char **ids = NULL;
	struct peer *net;

	if (db == NULL || ctr_list_brief(db, &all, e) == -1 || (net = ctx_net(x, e)) == NULL)
		return -1;
	ids = xcalloc(all.n + 1, sizeof(*ids));
	m.containers.v = ids;
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].status != CTR_CONFIGURED && all.v[i].status != CTR_EXITED)
			ids[m.containers.n++] = all.v[i].id;
	return peer_call(net, &msg_net_sweep_desc, &m, &in, NULL, NULL, e);
}

void
orphans_remove(struct ctx *x, bool everywhere, struct orphans_keep *keep)
{
	own_strv struct strv ids = {0};
	struct err e = {0};

	collect_all(x, everywhere, &ids);
	for (size_t i = 0; i < ids.n; i++)
		(void)remove_orphan(x, ids.v[i], keep);
	end_settle(x);
	if (everywhere && sweep_networks(x, &e) == -1)
		log_warn("%s", e.text);
}

bool
orphans_remove_one(struct ctx *x, const char *id)
{
	bool removed = remove_orphan(x, id, NULL);

	end_settle(x);
	return removed;
}

int
orphans_layerless(struct ctx *x, struct strv *ids, struct err *e)
{
	own_ctr_list struct ctr_list all = {0};
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_list_brief(db, &all, e) == -1)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		const char *id = all.v[i].id;
		own_mem char *rw = xasprintf("%s/rw/%s", x->graph_root, id);
		own_mem char *live = xasprintf("%s" SYNC_LIVE_SUFFIX, id);

		/* One that is being started for the first time may not have it yet, one that goes no more. */
		if (*all.v[i].image != '\0' && access(rw, F_OK) == -1 && errno == ENOENT &&
		    (all.v[i].started_ns != 0 || !lock_is_held(x->lock_fd, live)) && has_row(x, id))
			strv_add(ids, id);
	}
	return 0;
}
