/* SPDX-License-Identifier: ISC */
#include "common/base/own.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"

static int
remove_dependents(struct ctx *x, const char *id, const struct remove *how, struct err *e)
{
	own_strv struct strv ids = {0};
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_dependents(db, id, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (remove_ctr(x, ids.v[i], how, e) == -1 && e->class != ERR_NOTFOUND)
			return -1;
	err_clear(e);
	return 0;
}

/* A frozen process takes no signal but SIGKILL, and acts on that one only when it is thawed. */
static int
thaw(struct ctx *x, struct ctr *c, struct err *e)
{
	own_runtime struct runtime r = {0};

	if (ctr_config(c, e) == -1 || runtime_find(x, c->config, &r, e) == -1 ||
	    runtime_call(&r, "resume", NULL, c->id, e) == -1)
		return -1;
	c->status = CTR_RUNNING;
	return 0;
}

static int
stop_first(struct ctx *x, struct ctr *c, int *lock, const struct remove *how, struct end *end,
    struct err *e)
{
	if (!ctr_has_process(c) && c->status != CTR_STOPPED)
		return 0;
	if (ctr_status_is_live(c->status) && !how->force)
		return err_set(e, ERR_INUSE,
		    "cannot remove container %s as it is %s - running or paused containers cannot "
		    "be removed without force: container state improper",
		    c->id, ctr_status_name(c->status));
	/* What cannot go is not stopped either. */
	if (ctr_refuse_dependents(ctx_db(x, e), c, e) == -1 ||
	    (c->status == CTR_PAUSED && thaw(x, c, e) == -1))
		return -1;
	end->no_restart = true;
	return stop_ctr(x, c, lock, how->timeout_s, true, end, e);
}

int
remove_ctr(struct ctx *x, const char *id, const struct remove *how, struct err *e)
{
	own_ctr struct ctr c = {0};
	struct end end = {0};
	own_fd int lock = -1;

	if (how->depend && remove_dependents(x, id, how, e) == -1)
		return -1;
	lock = sync_open(x, id, &c, e);
	if (lock == -1 || stop_first(x, &c, &lock, how, &end, e) == -1 ||
	    (!end.removed && end_remove(x, &c, how->volumes, e) == -1))
		return -1;
	if (how->removed != NULL)
		how->removed(id, how->arg);
	return 0;
}
