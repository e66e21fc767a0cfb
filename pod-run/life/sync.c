/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "common/oci/monitor.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

#define FEW 4 /* containers that are looked at one by one */

bool
sync_process_lives(pid_t pid, uint64_t start)
{
	uint64_t now;
	char state;

	return pid > 0 && process_look(pid, &state, &now) == 0 && state != 'Z' && state != 'X' &&
	       (start == 0 || now == start);
}

bool
sync_monitor_lives(struct ctx *x, const char *id)
{
	char name[NAMES_ID_LEN + sizeof(SYNC_LIVE_SUFFIX)];

	snprintf(name, sizeof(name), "%s" SYNC_LIVE_SUFFIX, id);
	return lock_is_held(x->lock_fd, name);
}

int
sync_exit_file(struct ctx *x, const char *id, int *code, int64_t *when_ns)
{
	own_fd int fd = openat(x->exit_fd, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[32];
	struct stat st;
	int64_t value;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (text_to_i64(text, -1, 255, &value) == -1)
		return -1;
	*code = (int)value;
	*when_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return 0;
}

static bool
oom_file(struct ctx *x, const char *id)
{
	own_mem char *bundle = ctx_bundle(x, id);
	own_mem char *path = xasprintf("%s/oom", bundle);

	return access(path, F_OK) == 0;
}

static void
ended(struct ctr *c, int code, int64_t when_ns)
{
	c->status = CTR_STOPPED;
	c->exit_code = code;
	c->finished_ns = when_ns;
	c->pid = 0;
	c->pid_start = 0;
}

/* The process ID in the bundle, if that process lives. */
static pid_t
pid_in_bundle(struct ctx *x, const char *id, int64_t *when_ns)
{
	own_mem char *bundle = ctx_bundle(x, id);
	own_mem char *path = xasprintf("%s/" MONITOR_PIDFILE, bundle);
	own_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[32];
	struct stat st;
	uint64_t pid;
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0 || fstat(fd, &st) == -1)
		return 0;
	text[n] = '\0';
	if (text_to_u64(text, INT32_MAX, &pid) == -1 || !sync_process_lives((pid_t)pid, 0))
		return 0;
	*when_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return (pid_t)pid;
}

/*
 * A command may die between the start of the container and the row that says so: a monitor and a process
 * mean a run.
 */
static bool
look_unrecorded_run(struct ctx *x, struct ctr *c)
{
	int64_t when;
	pid_t pid;

	if (c->status == CTR_REMOVING || c->status == CTR_STOPPED || ctr_has_process(c) ||
	    !sync_monitor_lives(x, c->id))
		return false;
	pid = pid_in_bundle(x, c->id, &when);
	if (pid == 0)
		return false;
	c->status = CTR_RUNNING;
	c->pid = pid;
	c->pid_start = process_start(pid);
	c->started_ns = when;
	return true;
}

/* The same for its end: recording it removes the exit file, so one that is there tells of it. */
static bool
look_unrecorded_end(struct ctx *x, struct ctr *c)
{
	int64_t when;
	int code;

	if (c->status == CTR_REMOVING || c->status == CTR_STOPPED ||
	    sync_exit_file(x, c->id, &code, &when) == -1)
		return false;
	if (c->started_ns == 0)
		c->started_ns = when;
	ended(c, code, when);
	return true;
}

/*
 * The end was recorded, and its exit file removed, after our row was read: without the lock that row is no
 * proof.  A container that has gone meanwhile is shown as one that is being removed.
 */
static bool
look_old_row(struct ctx *x, struct ctr *c)
{
	struct err e = {0};
	struct db *db = ctx_db(x, &e);
	struct ctr now = {0};

	if (db == NULL)
		return false;
	if (ctr_load(db, c->id, &now, &e) == -1) {
		if (e.class != ERR_NOTFOUND)
			return false;
		c->status = CTR_REMOVING;
		return true;
	}
	if (now.status == c->status && now.pid == c->pid && now.pid_start == c->pid_start) {
		ctr_free(&now);
		return false;
	}
	ctr_free(c);
	*c = now;
	return true;
}

bool
sync_look(struct ctx *x, struct ctr *c)
{
	int64_t when;
	int code;

	if (!ctr_has_process(c))
		return look_unrecorded_end(x, c) || look_unrecorded_run(x, c);
	if (sync_exit_file(x, c->id, &code, &when) == 0) {
		ended(c, code, when);
		c->oom = oom_file(x, c->id);
		return true;
	}
	/* While the monitor lives it is the one who knows; it writes the exit file first. */
	if (sync_monitor_lives(x, c->id) || sync_process_lives(c->pid, c->pid_start))
		return false;
	/* It may have finished its work between the two looks. */
	if (sync_exit_file(x, c->id, &code, &when) == 0) {
		ended(c, code, when);
		return true;
	}
	if (look_old_row(x, c))
		return true;
	ended(c, SYNC_NO_EXIT_FILE, ctx_now_ns());
	return true;
}

int
sync_reload(struct ctx *x, struct ctr *c, struct err *e)
{
	struct db *db = ctx_db(x, e);
	char id[NAMES_ID_LEN + 1];
	bool stopping;

	memcpy(id, c->id, sizeof(id));
	ctr_free(c);
	if (db == NULL || ctr_load(db, id, c, e) == -1)
		return -1;
	stopping = c->status == CTR_STOPPING;
	if (!sync_look(x, c))
		return 0;
	if (ctr_save(db, c, e) == -1) {
		ctr_free(c);
		return -1;
	}
	if (c->status == CTR_STOPPED)
		event_died(x, c, stopping);
	return 0;
}

int
sync_open(struct ctx *x, const char *id, struct ctr *c, struct err *e)
{
	own_fd int lock = -1;

	if (ctx_paths(x, e) == -1)
		return -1;
	lock = lock_acquire(x->lock_fd, id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (lock == -1)
		return -1;
	snprintf(c->id, sizeof(c->id), "%s", id);
	if (sync_reload(x, c, e) == -1) {
		/* The name of a lock whose container is gone would stay for ever. */
		if (e->class == ERR_NOTFOUND)
			unlinkat(x->lock_fd, id, 0);
		return -1;
	}
	return fd_take(&lock);
}

int
sync_open_word(struct ctx *x, const char *word, struct ctr *c, struct err *e)
{
	struct db *db = ctx_db(x, e);
	char id[NAMES_ID_LEN + 1];

	if (db == NULL || ctr_find(db, word, id, e) == -1)
		return -1;
	return sync_open(x, id, c, e);
}

/* Records what sync_look found.  A container that somebody works on is left to him. */
static void
correct(struct ctx *x, struct ctr *c)
{
	struct err e = {0};
	own_fd int lock = lock_acquire(x->lock_fd, c->id, LOCK_EXCLUSIVE, LOCK_TRY, &e);

	if (lock != -1)
		sync_reload(x, c, &e);
}

/*
 * Which containers have an exit file or a monitor's lock file: of those that do not live, only these can
 * have changed.  Two directories are read instead of two names looked up for each container.
 */
static bool
look_around(struct ctx *x, struct strv *names)
{
	const int dirs[] = {x->exit_fd, x->lock_fd};

	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		own_dir DIR *d =
		    fdopendir(openat(dirs[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		const struct dirent *entry;

		while (d != NULL && (errno = 0, entry = readdir(d)) != NULL) {
			const char *end = strchr(entry->d_name, '.');

			if (dirs[i] == x->exit_fd ||
			    (end != NULL && strcmp(end, SYNC_LIVE_SUFFIX) == 0))
				strv_take(names, xstrndup(entry->d_name, NAMES_ID_LEN));
		}
		if (d == NULL || errno != 0)
			return false;
	}
	strv_sort(names);
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
can_have_changed(const struct ctr *c, const struct strv *names)
{
	const char *id = c->id;

	return ctr_status_is_live(c->status) ||
	       (names->n > 0 &&
		   bsearch(&id, names->v, names->n, sizeof(*names->v), by_name) != NULL);
}

static void
correct_all(struct ctx *x, struct ctr_list *l, bool live)
{
	own_strv struct strv names = {0};
	bool known = l->n > FEW && look_around(x, &names);
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct ctr *c = &l->v[i];

		/* Who asks for those that live does not care how the others ended. */
		if (known && !can_have_changed(c, &names))
			;
		else if (live && !ctr_status_is_live(c->status) ? look_unrecorded_run(x, c)
								: sync_look(x, c))
			correct(x, c);
		/* One without a name was removed while we looked. */
		if (c->name == NULL || (live && !ctr_status_is_live(c->status))) {
			ctr_free(c);
			continue;
		}
		if (kept != i)
			l->v[kept] = *c;
		kept++;
	}
	l->n = kept;
}

int
sync_list(struct ctx *x, struct ctr_list *out, struct err *e)
{
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_list(db, out, e) == -1)
		return -1;
	correct_all(x, out, false);
	return 0;
}

int
sync_list_live(struct ctx *x, struct ctr_list *out, struct err *e)
{
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_list_brief(db, out, e) == -1)
		return -1;
	correct_all(x, out, true);
	return 0;
}

int
sync_list_summaries(struct ctx *x, bool live, struct ctr_list *out, struct err *e)
{
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_list_summaries(db, out, e) == -1)
		return -1;
	correct_all(x, out, live);
	return 0;
}
