/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "common/oci/klog.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/logs_journal.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_logging.h"

#define FOLLOW_MS 250
#define OUT_SIZE 65536

struct logs_opts {
	bool color, follow, latest, names, timestamps, details;
	const char *since, *until;
	int64_t tail;
};

static const struct opt rows[] = {
    {"color", 0, OPT_BOOL(struct logs_opts, color),
	.help = "Output the containers with different colors in the log."},
    {"details", 0, OPT_BOOL(struct logs_opts, details), .flags = OPT_HIDDEN,
	.help = "Show extra details provided to the logs"},
    {"follow", 'f', OPT_BOOL(struct logs_opts, follow), .help = "Follow log output."},
    {"latest", 'l', OPT_BOOL(struct logs_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"names", 'n', OPT_BOOL(struct logs_opts, names),
	.help = "Output the container name in the log"},
    {"since", 0, OPT_STRING(struct logs_opts, since), .arg = "TIMESTAMP",
	.help = "Show logs since TIMESTAMP"},
    {"tail", 0, OPT_INT(struct logs_opts, tail), .arg = "LINES", .def = "-1",
	.help = "Output the specified number of LINES at the end of the logs."},
    {"timestamps", 't', OPT_BOOL(struct logs_opts, timestamps),
	.help = "Output the timestamps in the log"},
    {"until", 0, OPT_STRING(struct logs_opts, until), .arg = "TIMESTAMP",
	.help = "Show logs until TIMESTAMP"},
    OPT_END,
};

/* One container whose log is shown. */
struct shown {
	char id[NAMES_ID_LEN + 1];
	char *prefix, *path;
	struct klog_reader *reader;
	struct journal_reader *journal;
	bool is_journal, over;
};

struct view {
	struct ctx *x;
	const struct logs_opts *o;
	struct klog_query query;
	struct shown *v;
	size_t n, cap;
	FILE *last; /* where the last line went */
};

static void
view_free(struct view *w)
{
	for (size_t i = 0; i < w->n; i++) {
		klog_close(w->v[i].reader);
		journal_close(w->v[i].journal);
		free(w->v[i].prefix);
		free(w->v[i].path);
	}
	free(w->v);
}
#define own_view own(view_free)

/* RFC 3339, seconds since 1970 with or without fraction, or a duration before now. */
static int
read_time(const char *s, const char *what, int64_t *out, struct err *e)
{
	double seconds;
	int64_t ns;

	if (s == NULL || *s == '\0')
		return 0;
	if (human_parse_rfc3339(s, out) == 0)
		return 0;
	if (value_float(s, &seconds, e) == 0) {
		*out = (int64_t)(seconds * 1e9);
	} else if (value_duration(s, &ns, e) == 0) {
		*out = ctx_now_ns() - (ns < 0 ? -ns : ns);
	} else {
		return err_set(
		    e, ERR_INVALID, "parsing --%s \"%s\": unable to interpret time value", what, s);
	}
	err_clear(e);
	return 0;
}

static int
add(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	static const unsigned char colors[] = {37, 31, 32, 33, 34, 35, 36};
	struct view *w = arg;
	own_ctr struct ctr c = {0};
	own_mem char *dir = ctx_static_dir(x, id);
	struct shown *s;

	(void)word;
	if (ctr_load(ctx_db(x, e), id, &c, e) == -1 || ctr_config(&c, e) == -1)
		return -1;
	if (c.config->log_driver != NULL && (strcmp(c.config->log_driver, "none") == 0 ||
						spec_logging_passes(c.config->log_driver)))
		return err_set(e, ERR_STATE,
		    "this container is using the '%s' log driver, cannot read logs: this "
		    "container is not logging output",
		    c.config->log_driver);
	w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
	s = &w->v[w->n];
	*s = (struct shown){0};
	memcpy(s->id, c.id, sizeof(s->id));
	s->is_journal =
	    c.config->log_driver != NULL && strcmp(c.config->log_driver, "journald") == 0;
	s->path = c.config->log_path != NULL && *c.config->log_path != '\0'
		      ? xstrdup(c.config->log_path)
		      : xasprintf("%s/ctr.log", dir);
	if (w->o->names || w->o->color)
		s->prefix =
		    w->o->color
			? xasprintf("\033[%um%.*s\033[0m ", colors[w->n % COUNTOF(colors)],
			      w->o->names ? (int)strlen(c.name) : 12, w->o->names ? c.name : c.id)
			: xasprintf("%s ", c.name);
	else if (w->o->names)
		s->prefix = xasprintf("%s ", c.name);
	w->n++;
	return 0;
}

/* The two streams may lead to one place: what came first goes out first. */
static FILE *
choose_stream(struct view *w, const struct klog_line *l)
{
	FILE *to = l->stream == KLOG_STDERR ? stderr : stdout;

	if (w->last != NULL && w->last != to)
		fflush(w->last);
	w->last = to;
	return to;
}

/* Unlocked: there is one thread, and a log has many lines. */
static void
print(struct view *w, const struct shown *s, const struct klog_line *l)
{
	FILE *to = choose_stream(w, l);

	if (w->n > 1 && s->prefix == NULL)
		fprintf(to, NAMES_SHORT_FMT " ", s->id);
	if (s->prefix != NULL)
		fputs(s->prefix, to);
	if (w->o->timestamps) {
		fputs_unlocked(l->stamp, to);
		putc_unlocked(' ', to);
	}
	fwrite_unlocked(l->text, 1, l->n, to);
	if (!l->partial)
		putc_unlocked('\n', to);
}

static int
drain_journal(struct view *w, struct shown *s, bool ended, struct err *e)
{
	bool waits = w->o->follow && !ended;
	struct klog_query q = w->query;
	struct klog_line line;
	int any = 0, r;

	q.path = s->id;
	if (s->journal != NULL && ended && journal_finish(s->journal, &q, e) == -1)
		return -1;
	if (s->journal == NULL)
		s->journal = journal_open(&q, waits, e);
	if (s->journal == NULL)
		return -1;
	while ((r = journal_next(s->journal, waits ? FOLLOW_MS : -1, &line, e)) == 1) {
		print(w, s, &line);
		if (w->o->follow)
			fflush(w->last);
		any = 1;
	}
	return r == -1 ? -1 : any;
}

/* Prints what there is; ended: nothing will come any more.  Returns 1 if anything was printed. */
static int
drain(struct view *w, struct shown *s, bool ended, struct err *e)
{
	struct klog_query q = w->query;
	struct klog_line line;
	int any = 0, r;

	if (s->is_journal)
		return drain_journal(w, s, ended, e);
	q.path = s->path;
	if (s->reader == NULL)
		s->reader = klog_open(&q, e);
	if (s->reader == NULL) {
		/* Nothing was written yet. */
		if (e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	while ((r = klog_next(s->reader, &line, e)) == 1) {
		print(w, s, &line);
		any = 1;
	}
	return r == -1 ? -1 : any;
}

static bool
has_ended(struct ctx *x, const char *id)
{
	own_ctr struct ctr c = {0};
	struct err e = {0};

	if (ctr_load(ctx_db(x, &e), id, &c, &e) == -1)
		return true;
	sync_look(x, &c);
	return !ctr_status_is_live(c.status);
}

static bool
is_past(const struct view *w)
{
	return w->query.until_ns != 0 && ctx_now_ns() > w->query.until_ns;
}

/* The end is looked for first, so that what was written before it is still read. */
static int
follow(struct view *w, struct err *e)
{
	size_t left = w->n;

	while (left > 0) {
		bool quiet = true;

		for (size_t i = 0; i < w->n; i++) {
			struct shown *s = &w->v[i];
			bool ended;
			int r;

			if (s->over)
				continue;
			ended = has_ended(w->x, s->id) || (s->is_journal && is_past(w));
			r = drain(w, s, ended, e);
			if (r == -1)
				return -1;
			quiet = quiet && r == 0;
			if (ended || (s->reader != NULL && klog_is_past(s->reader))) {
				s->over = true;
				left--;
			}
		}
		fflush(stdout);
		fflush(stderr);
		if (quiet && left == 1 && w->n == 1 && w->v[0].reader != NULL)
			klog_wait(w->v[0].reader, FOLLOW_MS);
		else if (quiet && left > 0)
			usleep(FOLLOW_MS * 1000 / 5);
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct logs_opts *o = opts;
	own_view struct view w = {.x = ctx_of(cli), .o = o, .query = {.tail = o->tail}};
	struct select s = {.argc = argc, .argv = argv, .latest = o->latest};
	/* The streams use them until the process has ended. */
	static char buffers[2][OUT_SIZE];

	setvbuf(stdout, buffers[0], _IOFBF, OUT_SIZE);
	setvbuf(stderr, buffers[1], _IOFBF, OUT_SIZE);
	if (read_time(o->since, "since", &w.query.since_ns, e) == -1 ||
	    read_time(o->until, "until", &w.query.until_ns, e) == -1 ||
	    select_each(w.x, &s, add, &w, e) == -1)
		return -1;
	if (o->follow)
		return follow(&w, e);
	for (size_t i = 0; i < w.n; i++)
		if (drain(&w, &w.v[i], true, e) == -1)
			return -1;
	return 0;
}

const struct cmd cmd_logs = {
    .name = "logs",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Fetch the logs of one or more containers",
    .text =
	"Retrieves logs for one or more containers.\n\n  This does not guarantee execution order "
	"when combined with podman run (i.e., your run may not have generated any logs at the "
	"time you execute podman logs).",
    .examples = "logs ctrID\nlogs --names ctrID1 ctrID2\nlogs --color --names ctrID1 ctrID2\nlogs "
		"--tail 2 mywebserver\nlogs --follow=true --since 10m ctrID\nlogs mywebserver "
		"mydbserver",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct logs_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
