/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "common/cli/value.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/health.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"

struct wait_opts {
	struct strv condition;
	bool first, ignore, latest, healthy, unhealthy;
	const char *interval;

	unsigned states; /* mask of 1 << ctr_status; 0: the end */
	int64_t pause_ns;
};

static const struct opt rows[] = {
    {"condition", 0, OPT_COMMA(struct wait_opts, condition), .arg = "state",
	.complete = COMPLETE_CHOICE,
	.choices = "configured,created,initialized,exited,healthy,paused,removing,running,stopped,"
		   "stopping,unhealthy",
	.help = "Condition to wait on"},
    {"exit-first-match", 0, OPT_BOOL(struct wait_opts, first),
	.help = "Exit when the first container matches the condition"},
    {"ignore", 0, OPT_BOOL(struct wait_opts, ignore),
	.help = "Ignore if a container does not exist"},
    {"interval", 'i', OPT_STRING(struct wait_opts, interval), .arg = "duration", .def = "250ms",
	.help = "Time Interval to wait before polling for completion"},
    {"latest", 'l', OPT_BOOL(struct wait_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static int
read_conditions(struct wait_opts *o, struct err *e)
{
	for (size_t i = 0; i < o->condition.n; i++) {
		const char *word = o->condition.v[i];
		unsigned found = CTR_STATUS_COUNT;

		if (strcmp(word, "configured") == 0)
			found = CTR_CONFIGURED;
		if (strcmp(word, HEALTH_HEALTHY) == 0 || strcmp(word, HEALTH_UNHEALTHY) == 0) {
			*(*word == 'h' ? &o->healthy : &o->unhealthy) = true;
			continue;
		}
		for (unsigned s = 0; s < CTR_STATUS_COUNT; s++)
			if (strcmp(ctr_status_name((enum ctr_status)s), word) == 0)
				found = s;
		if (found == CTR_STATUS_COUNT)
			return err_set(
			    e, ERR_INVALID, "unknown container state: %s: invalid argument", word);
		o->states |= 1u << found;
	}
	/* Who waits for the end does not tell the two words for it apart. */
	if ((o->states & (1u << CTR_EXITED | 1u << CTR_STOPPED)) != 0)
		o->states |= 1u << CTR_EXITED | 1u << CTR_STOPPED;
	return 0;
}

static int
read_interval(struct wait_opts *o, struct err *e)
{
	struct err ms = {0};
	int64_t n;

	if (value_duration(o->interval, &o->pause_ns, e) == 0)
		return 0;
	/* A bare number is milliseconds. */
	if (value_int(o->interval, 64, &n, &ms) == -1 || n < 0)
		return err_wrap(e, "invalid interval \"%s\"", o->interval);
	o->pause_ns = n * 1000000;
	err_clear(e);
	return 0;
}

static bool
has_health(struct ctx *x, const struct wait_opts *o, struct ctr *c)
{
	char status[32] = "";
	struct err e = {0};

	if (c->status == CTR_RUNNING && ctr_config(c, &e) == 0)
		health_status(x, c, status, sizeof(status));
	return (o->healthy && strcmp(status, HEALTH_HEALTHY) == 0) ||
	       (o->unhealthy && strcmp(status, HEALTH_UNHEALTHY) == 0);
}

/* 1: reached, *code is to be printed; 0: not yet; -1 error. */
static int
look(struct ctx *x, const char *id, const struct wait_opts *o, struct ctr *c, int *code,
    struct err *e)
{
	struct db *db = ctx_db(x, e);
	bool over;

	ctr_free(c);
	if (db == NULL)
		return -1;
	if (ctr_load(db, id, c, e) == -1) {
		if (e->class != ERR_NOTFOUND || ctr_exit_code_get(db, id, code, e) == -1)
			return -1;
		err_clear(e);
		return 1;
	}
	sync_look(x, c);
	over = c->status == CTR_EXITED || c->status == CTR_STOPPED;
	*code = over ? c->exit_code : -1;
	if ((o->healthy || o->unhealthy) && has_health(x, o, c))
		return 1;
	if (o->states == 0 && !o->healthy && !o->unhealthy)
		return over || c->status == CTR_CONFIGURED ? 1 : 0;
	return (o->states & 1u << c->status) != 0;
}

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct wait_opts *o = arg;
	own_ctr struct ctr c = {0};
	struct timespec pause = {
	    .tv_sec = o->pause_ns / 1000000000, .tv_nsec = o->pause_ns % 1000000000};
	int r, code;

	(void)word;
	while ((r = look(x, id, o, &c, &code, e)) == 0) {
		if (o->states == 0 && !o->healthy && !o->unhealthy)
			stop_wait(x, &c, -1);
		else
			nanosleep(&pause, NULL);
	}
	/* A container that never ran has no code but 0. */
	if (r == 1)
		printf("%d\n", o->states == 0 && c.status == CTR_CONFIGURED ? 0 : code);
	return r == -1 ? -1 : 0;
}

static int
first_match(struct ctx *x, const struct wait_opts *o, int argc, char **argv, struct err *e)
{
	struct timespec pause = {
	    .tv_sec = o->pause_ns / 1000000000, .tv_nsec = o->pause_ns % 1000000000};

	for (;;) {
		for (int i = 0; i < argc; i++) {
			own_ctr struct ctr c = {0};
			char id[NAMES_ID_LEN + 1];
			int r, code;

			if (select_one(x, argv[i], false, id, e) == -1)
				return -1;
			r = look(x, id, o, &c, &code, e);
			if (r == 1)
				printf("%d\n", code);
			if (r != 0)
				return r == 1 ? 0 : -1;
		}
		nanosleep(&pause, NULL);
	}
}

/* Containers that are gone are known by their full ID for a while. */
static int
wait_gone(struct ctx *x, struct wait_opts *o, const char *word, struct err *e)
{
	struct db *db = ctx_db(x, e);
	struct err gone = {0};
	int code;

	if (db == NULL)
		return -1;
	if (names_is_id(word) && ctr_exit_code_get(db, word, &code, &gone) == 0) {
		printf("%d\n", code);
		return 0;
	}
	if (o->ignore) {
		puts("-1");
		return 0;
	}
	return err_set(
	    e, ERR_NOTFOUND, "no container with name or ID \"%s\" found: no such container", word);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct wait_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	char id[NAMES_ID_LEN + 1];

	if (argc == 0 && !o->latest)
		return select_none(cli, e);
	if (argc > 0 && o->latest)
		return err_set(e, ERR_USAGE, "--latest and containers cannot be used together");
	if (read_conditions(o, e) == -1 || read_interval(o, e) == -1)
		return -1;
	if (o->first && argc > 0)
		return first_match(x, o, argc, argv, e);
	if (o->latest)
		return select_one(x, NULL, true, id, e) == -1 ? -1 : one(x, id, id, o, e);
	for (int i = 0; i < argc; i++) {
		if (select_one(x, argv[i], false, id, e) == 0) {
			if (one(x, id, argv[i], o, e) == -1)
				return -1;
		} else if (e->class != ERR_NOTFOUND || wait_gone(x, o, argv[i], e) == -1) {
			return -1;
		}
		err_clear(e);
		fflush(stdout);
	}
	return 0;
}

const struct cmd cmd_wait = {
    .name = "wait",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Block on one or more containers",
    .text = "Block until one or more containers stop and then print their exit codes.",
    .examples = "wait ctrID\nwait --interval 5s ctrID\nwait --condition running ctrID1 ctrID2",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct wait_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
