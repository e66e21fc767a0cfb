/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/monitor.h"
#include "pod-run/life/capture.h"
#include "pod-run/life/exec.h"
#include "pod-run/life/health.h"
#include "pod-run/life/notify.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/state/event.h"

#define FILE_NAME "healthcheck.log"
#define STATE_MAX (16u << 20)
#define OUTPUT_MAX (1u << 20) /* where no limit was asked for */
#define LOG_MAX (2u << 20)    /* of all results: JSON may need six bytes for one */
#define STARTUP "Startup"     /* our own key: what came of the start-up check so far */

/* --- The file -----------------------------------------------------------------------------------*/

static char *
path_of(struct ctx *x, const struct ctr *c)
{
	const char *to = c->config->health_log_destination;
	own_mem char *dir = NULL;

	if (to != NULL && *to == '/')
		return xasprintf("%s/%s-" FILE_NAME, to, c->id);
	dir = ctx_static_dir(x, c->id);
	return xasprintf("%s/" FILE_NAME, dir);
}

json_t *
health_load(struct ctx *x, const struct ctr *c)
{
	own_mem char *path = NULL, *text = NULL;
	struct err e = {0};
	json_t *j;
	size_t n;

	if (c->config == NULL || !spec_health_has(c->config->health))
		return NULL;
	path = path_of(x, c);
	if (file_read(AT_FDCWD, path, STATE_MAX, &text, &n, &e) == -1)
		return NULL;
	j = json_read_max(text, n, STATE_MAX, 8, &e);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
	}
	return j;
}

static void
save(struct ctx *x, const struct ctr *c, const json_t *state)
{
	own_mem char *path = path_of(x, c), *text = json_text(state),
		     *dir = ctx_static_dir(x, c->id);
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), made = -1;
	struct err e = {0};

	/* A container whose log is elsewhere has no directory yet. */
	made = path_mkdirs(root, dir, PATH_IN_ROOT, 0700, NULL, &e);
	if (made == -1 || file_write(AT_FDCWD, path, text, strlen(text), 0600, 0, &e) == -1)
		log_warn("writing the health of container %s: %s", c->id, e.text);
}

static const char *
status_of(const json_t *state)
{
	const char *s = NULL;
	struct err e = {0};

	return state != NULL && json_want_str(state, "Status", &s, &e) == 0 && s != NULL ? s : "";
}

static int64_t
number_of(const json_t *o, const char *key)
{
	struct err e = {0};
	int64_t n = 0;

	if (o != NULL)
		json_want_int(o, key, 0, INT64_MAX, &n, &e);
	return n;
}

void
health_status(struct ctx *x, const struct ctr *c, char *out, size_t size)
{
	own_json json_t *state = health_load(x, c);

	snprintf(out, size, "%s", status_of(state));
}

/* A new life begins: counters and results are those of this one. */
static void
begin(struct ctx *x, const struct ctr *c, const char *status)
{
	own_json json_t *state = NULL;

	if (c->config == NULL || !spec_health_has(c->config->health))
		return;
	state = json_obj();
	json_put_str(state, "Status", status);
	json_put_int(state, "FailingStreak", 0);
	json_put_arr(state, "Log");
	save(x, c, state);
}

void
health_started(struct ctx *x, const struct ctr *c)
{
	begin(x, c, HEALTH_STARTING);
}

void
health_ended(struct ctx *x, const struct ctr *c)
{
	own_json json_t *state = health_load(x, c);

	if (state == NULL)
		return;
	json_put_str(state, "Status", HEALTH_RESET);
	json_object_del(state, STARTUP);
	save(x, c, state);
}

void
health_forget(struct ctx *x, const struct ctr *c)
{
	own_mem char *path = NULL;

	/* Beside the log it goes with the directory. */
	if (c->config == NULL || !spec_health_has(c->config->health) ||
	    c->config->health_log_destination == NULL)
		return;
	path = path_of(x, c);
	unlink(path);
}

/* --- One check ----------------------------------------------------------------------------------*/

struct check {
	struct ctx *x;
	struct ctr c;
	int lock;
	const struct rec_health *h;
	bool startup;
	int64_t started_ns; /* of the container's present life */
	int64_t begin_ns, end_ns;
	int code; /* 0: healthy; 1; -1: timed out */
	struct capture capture;
	const char *word;
	bool unhealthy, startup_failed;
};

static void
check_free(struct check *k)
{
	ctr_free(&k->c);
	fd_close(&k->lock);
	strbuf_free(&k->capture.text);
}
#define own_check own(check_free)

static bool
startup_passed(const struct check *k)
{
	own_json json_t *state = health_load(k->x, &k->c);
	json_t *s = state != NULL ? json_object_get(state, STARTUP) : NULL;

	return number_of(s, "Passed") != 0;
}

static int
prepare(struct check *k, const char *id, struct err *e)
{
	k->lock = sync_open(k->x, id, &k->c, e);
	if (k->lock == -1 || ctr_config(&k->c, e) == -1)
		return -1;
	if (k->c.status != CTR_RUNNING)
		return err_set(e, ERR_STATE, "container %s is not running", k->c.id);
	if (!spec_health_has(k->c.config->health))
		return err_set(e, ERR_STATE, "container %s has no defined healthcheck", k->c.id);
	k->startup = spec_health_has(k->c.config->health_startup) && !startup_passed(k);
	k->h = k->startup ? k->c.config->health_startup : k->c.config->health;
	k->started_ns = k->c.started_ns;
	return 0;
}

/* CMD words; CMD-SHELL line; a line alone is the shell's too. */
static void
make_args(const struct rec_health *h, struct arena *a, struct strs *out)
{
	size_t skip = strncasecmp(h->test.v[0], "CMD", 3) == 0;

	if (skip && strcasecmp(h->test.v[0], "CMD") == 0) {
		*out = (struct strs){.v = h->test.v + 1, .n = h->test.n - 1};
		return;
	}
	out->v = arena_array(a, 4, sizeof(*out->v));
	out->n = 3;
	out->v[0] = "/bin/sh";
	out->v[1] = "-c";
	out->v[2] = h->test.v[skip];
}

/* Runs it without the lock, as long as it takes. */
static void
execute(struct check *k)
{
	own_arena struct arena a = {0};
	struct exec_request q = {.capture = &k->capture};
	char session[NAMES_ID_LEN + 1];
	uint64_t size = k->c.config->health_max_log_size;
	struct err e = {0};
	int r;

	make_args(k->h, &a, &q.args);
	k->capture.max = size != 0 && size * 4 < OUTPUT_MAX ? (size_t)size * 4 : OUTPUT_MAX;
	k->capture.timeout_ms = k->h->timeout / 1000000;
	k->begin_ns = ctx_now_ns();
	r = exec_run(k->x, &k->c, &q, session, &e);
	k->end_ns = ctx_now_ns();
	k->code = r == 0 ? 0 : 1;
	if (r == -1)
		strbuf_add(&k->capture.text, e.text);
	if (k->capture.timed_out) {
		k->code = -1;
		strbuf_addf(&k->capture.text, "Healthcheck command exceeded timeout of %llds",
		    (long long)(k->h->timeout / 1000000000));
	}
}

/* --- What comes of it ---------------------------------------------------------------------------*/

/* The text is the container's: made UTF-8, cut to so many characters. */
static char *
output_of(const struct check *k)
{
	uint64_t max = k->c.config->health_max_log_size, chars = 0;
	size_t n = k->capture.text.n, at = 0;
	const char *s = k->capture.text.s != NULL ? k->capture.text.s : "";
	own_mem char *copy = xmalloc(n + 1);

	for (size_t i = 0; i < n && (max == 0 || chars <= max); i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 && max != 0 && ++chars > max)
			break;
		copy[at++] = s[i] == '\0' ? ' ' : s[i];
	}
	copy[at] = '\0';
	json_t *j = json_stringn(copy, at);

	if (j != NULL) {
		json_decref(j);
		return ptr_take(&copy);
	}
	for (size_t i = 0; i < at; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	return ptr_take(&copy);
}

/* As many as were asked for, while the whole stays what health_load reads. */
static void
drop_old(json_t *log, uint64_t max)
{
	size_t bytes = 0, i = json_array_size(log);

	for (; i > 0 && bytes <= LOG_MAX; i--)
		bytes += json_string_length(json_object_get(json_array_get(log, i - 1), "Output"));
	if (bytes > LOG_MAX)
		i++;
	while (i-- > 0)
		json_array_remove(log, 0);
	while (max != 0 && json_array_size(log) > max)
		json_array_remove(log, 0);
}

static void
add_result(const struct check *k, json_t *state, const char *output)
{
	json_t *log = json_object_get(state, "Log"), *o;
	uint64_t max = k->c.config->health_max_log_count;
	const char *to = k->c.config->health_log_destination;
	char time[64];

	if (!json_is_array(log))
		log = json_put_arr(state, "Log");
	if (to != NULL && strcmp(to, "events_logger") == 0)
		return;
	o = json_add_obj(log);
	json_put_str(o, "Start", human_rfc3339nano(k->begin_ns, time, sizeof(time)));
	json_put_str(o, "End", human_rfc3339nano(k->end_ns, time, sizeof(time)));
	json_put_int(o, "ExitCode", k->code);
	json_put_str(o, "Output", output);
	drop_old(log, max);
}

static void
count_startup(struct check *k, json_t *state)
{
	json_t *s = json_object_get(state, STARTUP);
	int64_t passes, failures;
	uint64_t wanted = k->c.config->health_startup_success;

	if (!json_is_object(s))
		s = json_put_obj(state, STARTUP);
	passes = k->code == 0 ? number_of(s, "Passes") + 1 : 0;
	failures = k->code == 0 ? 0 : number_of(s, "Failures") + 1;
	json_put_int(s, "Passes", passes);
	json_put_int(s, "Failures", failures);
	if (passes > 0 && (uint64_t)passes >= wanted)
		json_put_int(s, "Passed", 1);
	k->startup_failed = k->h->retries > 0 && (uint64_t)failures >= k->h->retries;
	json_put_str(state, "Status", HEALTH_STARTING);
}

static void
count_regular(struct check *k, json_t *state)
{
	int64_t streak = number_of(state, "FailingStreak");
	bool grace = k->begin_ns < k->c.started_ns + k->h->start_period;

	if (k->code == 0) {
		if (strcmp(status_of(state), HEALTH_HEALTHY) != 0)
			notify_healthy(&k->c);
		json_put_str(state, "Status", HEALTH_HEALTHY);
		json_put_int(state, "FailingStreak", 0);
	} else if (!grace) {
		json_put_int(state, "FailingStreak", ++streak);
		if ((uint64_t)streak >= k->h->retries)
			json_put_str(state, "Status", HEALTH_UNHEALTHY);
	}
	k->unhealthy = strcmp(status_of(state), HEALTH_UNHEALTHY) == 0;
}

static void
tell(struct check *k, const json_t *state, const char *output)
{
	const struct containers_conf *conf;
	struct err ignored = {0};
	struct event ev;

	conf = ctx_conf(k->x, &ignored);
	if (conf == NULL || !conf->engine_healthcheck_events)
		return;
	event_of_ctr(&k->c, EVENT_HEALTH_STATUS, &ev);
	ev.health = status_of(state);
	ev.failing_streak = (uint64_t)number_of(state, "FailingStreak");
	ev.health_log = output;
	event_write(k->x, &ev);
}

/* Under the lock again: the container may be gone, have ended, or be another run by now. */
static int
record(struct check *k, struct err *e)
{
	own_json json_t *state = NULL;
	own_mem char *output = NULL;
	char id[NAMES_ID_LEN + 1];

	memcpy(id, k->c.id, sizeof(id));
	ctr_free(&k->c);
	k->lock = sync_open(k->x, id, &k->c, e);
	if (k->lock == -1 || ctr_config(&k->c, e) == -1)
		return -1;
	if (k->c.started_ns != k->started_ns || !spec_health_has(k->c.config->health))
		return 0;
	k->h = k->startup ? k->c.config->health_startup : k->c.config->health;
	state = health_load(k->x, &k->c);
	if (state == NULL)
		state = json_obj();
	if (k->c.status != CTR_RUNNING && k->c.status != CTR_PAUSED) {
		k->word = HEALTH_STOPPED;
		json_put_str(state, "Status", HEALTH_STOPPED);
		save(k->x, &k->c, state);
		return 0;
	}
	output = output_of(k);
	if (k->startup && k->h != NULL)
		count_startup(k, state);
	else
		count_regular(k, state);
	add_result(k, state, output);
	save(k->x, &k->c, state);
	tell(k, state, output);
	k->word = k->code == 0 ? HEALTH_HEALTHY : k->startup ? HEALTH_STARTING : HEALTH_UNHEALTHY;
	return 0;
}

/* --- What follows -------------------------------------------------------------------------------*/

static int
restart(struct check *k, struct err *e)
{
	struct end how = {.no_restart = true};
	own_start struct start s;

	start_init(&s, k->x, &k->c);
	event_ctr(k->x, &k->c, EVENT_RESTART);
	if (stop_ctr(k->x, &k->c, &k->lock, STOP_TIMEOUT_OWN, false, &how, e) == -1)
		return -1;
	if (how.removed)
		return 0;
	k->c.restarts++;
	return start_whole(&s, false, e);
}

static int
stop(struct check *k, struct err *e)
{
	struct end how = {0};

	return stop_ctr(k->x, &k->c, &k->lock, STOP_TIMEOUT_OWN, true, &how, e);
}

static int
kill_it(struct check *k, struct err *e)
{
	k->c.stopped_by_user = true;
	if (ctr_save(ctx_db(k->x, e), &k->c, e) == -1)
		return -1;
	event_ctr(k->x, &k->c, EVENT_KILL);
	return stop_signal(&k->c, SIGKILL, e);
}

static const struct {
	const char *name;
	int (*act)(struct check *k, struct err *e);
} actions[] = {{"kill", kill_it}, {"restart", restart}, {"stop", stop}};

static int
react(struct check *k, struct err *e)
{
	const char *name = k->c.config->health_on_failure;

	if (k->startup_failed)
		return restart(k, e);
	for (size_t i = 0; k->unhealthy && name != NULL && i < COUNTOF(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].act(k, e);
	return 0;
}

int
health_run(struct ctx *x, const char *id, struct health_run *out, struct err *e)
{
	own_check struct check k = {.x = x, .lock = -1, .word = HEALTH_STOPPED};

	out->next = HEALTH_NEVER;
	if (prepare(&k, id, e) == -1)
		return -1;
	fd_close(&k.lock);
	execute(&k);
	if (record(&k, e) == -1)
		return -1;
	out->word = k.word;
	if (strcmp(k.word, HEALTH_STOPPED) != 0 && !k.startup_failed)
		out->next = spec_health_has(k.c.config->health_startup) && !startup_passed(&k)
				? HEALTH_AGAIN_STARTUP
				: HEALTH_AGAIN;
	return react(&k, e);
}

int
health_tell_monitor(struct ctx *x, const struct ctr *c, struct err *e)
{
	own_mem char *bundle = ctx_bundle(x, c->id), *text = NULL;
	own_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct rec_health *h = c->config->health, *startup = c->config->health_startup;
	bool has = spec_health_has(h) && h->interval > 0;

	if (dir == -1)
		return err_sys(e, "opening the bundle of container %s", c->id);
	text = xasprintf("%lld %lld\n", has ? (long long)(h->interval / 1000000) : 0,
	    has && spec_health_has(startup) ? (long long)(startup->interval / 1000000) : 0);
	if (file_write(dir, MONITOR_HEALTH, text, strlen(text), 0600, 0, e) == -1)
		return -1;
	if (spec_health_has(h))
		health_started(x, c);
	else
		health_forget(x, c);
	/* Safe because the number is the monitor's as long as it holds the lock. */
	if (c->monitor_pid > 0 && sync_monitor_lives(x, c->id) &&
	    kill(c->monitor_pid, SIGUSR1) == -1 && errno != ESRCH)
		return err_sys(e, "telling the monitor of container %s", c->id);
	return 0;
}
