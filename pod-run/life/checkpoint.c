/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-run/life/archive.h"
#include "pod-run/life/checkpoint.h"
#include "pod-run/life/criu.h"
#include "pod-run/life/end.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

#define STATE_FILE "checkpoint.json"
#define STATE_MAX 4096
#define END_WAIT_MS 60000 /* for the frozen processes to be gone */

int64_t
checkpoint_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
checkpoint_open_dir(struct ctx *x, const char *id, char **path, struct err *e)
{
	own_mem char *name = ctx_static_dir(x, id);
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;

	dir = path_mkdirs(root, name, PATH_IN_ROOT, 0700, NULL, e);
	if (dir == -1)
		return -1;
	if (path != NULL)
		*path = ptr_take(&name);
	return path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
}

/* --- What is known ------------------------------------------------------------------------------*/

void
checkpoint_state(struct ctx *x, const char *id, struct checkpoint_state *out)
{
	own_mem char *dir = ctx_static_dir(x, id), *path = xasprintf("%s/" STATE_FILE, dir);
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	struct err e = {0};
	size_t n;

	*out = (struct checkpoint_state){0};
	if (file_read(AT_FDCWD, path, STATE_MAX, &text, &n, &e) == -1 ||
	    (j = json_read(text, n, &e)) == NULL ||
	    json_want_bool(j, "Checkpointed", &out->checkpointed, &e) == -1 ||
	    json_want_bool(j, "Restored", &out->restored, &e) == -1 ||
	    json_want_int(j, "CheckpointedAt", 0, INT64_MAX, &out->checkpointed_ns, &e) == -1 ||
	    json_want_int(j, "RestoredAt", 0, INT64_MAX, &out->restored_ns, &e) == -1)
		return;
}

int
checkpoint_set_state(struct ctx *x, const char *id, const struct checkpoint_state *s, struct err *e)
{
	own_fd int dir = checkpoint_open_dir(x, id, NULL, e);
	own_json json_t *j = json_obj();
	own_mem char *text = NULL;

	json_put_bool(j, "Checkpointed", s->checkpointed);
	json_put_bool(j, "Restored", s->restored);
	json_put_int(j, "CheckpointedAt", s->checkpointed_ns);
	json_put_int(j, "RestoredAt", s->restored_ns);
	text = json_text(j);
	return dir == -1 ? -1 : file_write(dir, STATE_FILE, text, strlen(text), 0600, FILE_SYNC, e);
}

void
checkpoint_forget(struct ctx *x, const char *id)
{
	own_mem char *dir = ctx_static_dir(x, id), *path = xasprintf("%s/" STATE_FILE, dir);

	unlink(path);
}

/* --- Checkpointing ------------------------------------------------------------------------------*/

static int
check(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e)
{
	own_strv struct strv needs = {0};

	if (c->status != CTR_RUNNING)
		return err_set(e, ERR_STATE,
		    "\"%s\" is not running, cannot checkpoint: container state improper",
		    ctr_status_name(c->status));
	if (ctr_config(c, e) == -1 || ctr_needs(ctx_db(x, e), c->id, &needs, e) == -1)
		return -1;
	if (c->config->remove && o->export == NULL && o->save == NULL)
		return err_set(e, ERR_INVALID,
		    "cannot checkpoint containers that have been started with '--rm' unless "
		    "'--export' is used");
	if ((o->export != NULL || o->save != NULL) && needs.n > 0)
		return err_set(
		    e, ERR_INVALID, "cannot export checkpoints of containers with dependencies");
	return 0;
}

/* An empty directory for the images, and what the last ones left out of the way. */
static int
make_dir(int dir, const struct checkpoint *o, struct err *e)
{
	const char *name = o->pre ? CHECKPOINT_PRE_DIR : CHECKPOINT_DIR;

	if (o->with_previous && faccessat(dir, CHECKPOINT_PRE_DIR, F_OK, 0) == -1)
		return err_set(e, ERR_STATE,
		    "there is no pre-checkpoint of the container: --pre-checkpoint makes one");
	if (tree_remove(dir, name, e) == -1)
		return -1;
	return mkdirat(dir, name, 0700) == -1 ? err_sys(e, "making directory %s", name) : 0;
}

static int
call_runtime(const struct runtime *r, const struct ctr *c, const struct checkpoint *o,
    const char *path, struct err *e)
{
	own_strv struct strv words = {0};

	strv_add(&words, "checkpoint");
	strv_add(&words, "--image-path");
	strv_addf(&words, "%s/%s", path, o->pre ? CHECKPOINT_PRE_DIR : CHECKPOINT_DIR);
	strv_add(&words, "--work-path");
	strv_add(&words, path);
	if (o->leave_running && !o->pre)
		strv_add(&words, "--leave-running");
	if (o->tcp_established)
		strv_add(&words, "--tcp-established");
	if (o->file_locks)
		strv_add(&words, "--file-locks");
	if (o->pre)
		strv_add(&words, "--pre-dump");
	if (o->with_previous) {
		strv_add(&words, "--parent-path");
		strv_add(&words, "../" CHECKPOINT_PRE_DIR);
	}
	strv_add(&words, c->id);
	return runtime_run(r, &words, c->monitor_pid, "checkpoint", c->id, e);
}

/* The processes are gone: the end is recorded as one that was wanted, not as their death. */
static int
settle(struct ctx *x, struct ctr *c, struct err *e)
{
	struct end how = {.no_restart = true};
	bool gone = c->config->remove;

	if (!stop_wait(x, c, END_WAIT_MS))
		return err_set(e, ERR_TIMEOUT, "container %s did not end", c->id);
	if (sync_reload(x, c, e) == -1 || ctr_config(c, e) == -1)
		return -1;
	c->exit_code = 0;
	c->stopped_by_user = true;
	if (end_ctr(x, c, &how, e) == -1)
		return -1;
	return gone ? end_remove(x, c, true, e) : 0;
}

static int
record(struct ctx *x, const struct ctr *c, const struct checkpoint *o, struct err *e)
{
	struct checkpoint_state s;

	if (o->pre)
		return 0;
	checkpoint_state(x, c->id, &s);
	s.checkpointed_ns = ctx_now_ns();
	s.checkpointed = !o->leave_running;
	return checkpoint_set_state(x, c->id, &s, e);
}

static void
clean(int dir, const struct checkpoint *o)
{
	struct err ignored = {0};

	if (o->keep || o->pre)
		return;
	unlinkat(dir, CHECKPOINT_LOG, 0);
	unlinkat(dir, CHECKPOINT_STATS, 0);
	if (o->with_previous)
		tree_remove(dir, CHECKPOINT_PRE_DIR, &ignored);
}

static int
save(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e)
{
	if (o->export != NULL && archive_export(x, c, o, e) == -1)
		return err_wrap(e, "exporting the checkpoint of container %s", c->id);
	return o->save != NULL ? o->save(x, c, o, e) : 0;
}

int
checkpoint_make(struct ctx *x, const char *id, const struct checkpoint *o,
    struct checkpoint_figures *f, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_runtime struct runtime r = {0};
	own_mem char *path = NULL;
	own_fd int lock = sync_open(x, id, &c, e), dir = -1;
	bool stops = !o->leave_running && !o->pre;
	int64_t began = 0;
	struct err later = {0};
	int saved;

	if (lock == -1 || check(x, &c, o, e) == -1 || runtime_find(x, c.config, &r, e) == -1 ||
	    criu_check(&r, e) == -1)
		return -1;
	dir = checkpoint_open_dir(x, c.id, &path, e);
	if (dir == -1 || make_dir(dir, o, e) == -1)
		return -1;
	began = checkpoint_now_us();
	if (call_runtime(&r, &c, o, path, e) == -1)
		return -1;
	f->runtime_us = checkpoint_now_us() - began;
	f->criu = criu_stats(dir, CHECKPOINT_STATS);
	event_ctr(x, &c, EVENT_CHECKPOINT);
	/* Whatever becomes of the copy, the container is frozen, and that has to be known. */
	saved = save(x, &c, o, e);
	if ((record(x, &c, o, saved == -1 ? &later : e) == -1 && saved == 0) ||
	    (stops && settle(x, &c, saved == -1 ? &later : e) == -1 && saved == 0))
		return -1;
	if (saved == 0)
		clean(dir, o);
	return saved;
}
