/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "common/role/program.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/logs_chain.h"
#include "pod-run/cmd/logs_journal.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_logging.h"

#define FOLLOW_MS 250
#define FOLLOWED_MAX 256

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
	char *who;	 /* its name or short ID */
	uint64_t number; /* the worker's */
	uint32_t handed; /* the message that gave it a file, whose answer has not come; 0: none */
	struct logs_chain chain;
	struct journal journal;
	bool is_journal, open, past, over;
};

struct view {
	struct ctx *x;
	const struct logs_opts *o;
	int64_t since_ns, until_ns;
	struct peer *worker; /* reads what containers wrote, without privilege, and prints it */
	struct shown *v;
	size_t n, cap;
	bool unread; /* nobody reads what is printed any more */
};

static void
close_shown(struct shown *s)
{
	logs_chain_free(&s->chain);
	journal_stop(&s->journal);
	free(s->who);
	s->who = NULL;
}

static void
view_free(struct view *w)
{
	for (size_t i = 0; i < w->n; i++)
		close_shown(&w->v[i]);
	free(w->v);
	peer_free(w->worker);
}
#define own_view own(view_free)

static int
read_time(const char *s, const char *what, bool ahead, int64_t *out, struct err *e)
{
	if (s == NULL || *s == '\0')
		return 0;
	if (value_instant(s, ctx_now_ns(), ahead, out, e) == 0)
		return 0;
	return err_set(
	    e, ERR_INVALID, "parsing --%s \"%s\": unable to interpret time value", what, s);
}

static int
add(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	struct view *w = arg;
	own_ctr struct ctr c = {0};
	own_mem char *dir = ctx_static_dir(x, id), *path = NULL;
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
	path = c.config->log_path != NULL && *c.config->log_path != '\0'
		   ? xstrdup(c.config->log_path)
		   : xasprintf("%s/ctr.log", dir);
	logs_chain_init(&s->chain, path);
	s->who = w->o->names ? xstrdup(c.name) : xstrndup(c.id, NAMES_SHORT_LEN);
	w->n++;
	return 0;
}

/* --- What the worker is told --------------------------------------------------------------------- */

/* Only several are told apart.  A line has the colour to its end, which the worker sees to. */
static char *
make_prefix(const struct view *w, const struct shown *s)
{
	static const unsigned char colors[] = {37, 31, 33, 34, 35, 36, 32};
	own_mem char *who = w->n > 1 ? xasprintf("%s ", s->who) : xstrdup("");

	return w->o->color
		   ? xasprintf("\033[%um%s", colors[(size_t)(s - w->v) % COUNTOF(colors)], who)
		   : xstrdup(who);
}

/* The answer is waited for later (settle). */
static int
hand_over(struct view *w, struct shown *s, int fd, bool next, int64_t tail, struct err *e)
{
	own_mem char *prefix = make_prefix(w, s);
	struct msg_log_show m = {.number = s->number,
	    .log = fd,
	    .next = next,
	    .journal = s->is_journal,
	    .tail = tail,
	    .since_ns = w->since_ns,
	    .until_ns = w->until_ns,
	    .prefix = prefix,
	    .timestamps = w->o->timestamps};

	s->handed = peer_next_seq(w->worker);
	return peer_send(w->worker, &msg_log_show_desc, s->handed, &m, e);
}

/* left: lines that are to come from an older file, or NULL. */
static int
settle(struct view *w, struct shown *s, int64_t *left, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	uint32_t seq = s->handed;

	s->handed = 0;
	if (seq == 0)
		return 0;
	if (peer_wait(w->worker, &msg_log_show_desc, seq, &in, NULL, NULL, e) == -1)
		return -1;
	if (left != NULL)
		*left = MSG_OF(&in, log_shown)->tail;
	return 0;
}

/* The answer's cursor is kept, and what else there is in it but what was printed. */
static int
print(struct view *w, struct shown *s, int wait_ms, bool *any, bool *more, struct err *e)
{
	struct msg_log_print m = {.number = s->number, .wait_ms = wait_ms};
	own_peer_in struct peer_in in = {0};
	const struct msg_log_printed *got;
	uint32_t seq = peer_next_seq(w->worker);

	if (peer_send(w->worker, &msg_log_print_desc, seq, &m, e) == -1 ||
	    settle(w, s, NULL, e) == -1 ||
	    peer_wait(w->worker, &msg_log_print_desc, seq, &in, NULL, NULL, e) == -1)
		return -1;
	got = MSG_OF(&in, log_printed);
	*any |= got->any;
	*more = got->more;
	s->past = got->past;
	w->unread |= got->unread;
	if (got->cursor != NULL)
		snprintf(s->journal.cursor, sizeof(s->journal.cursor), "%s", got->cursor);
	return 0;
}

/* --- Reading ------------------------------------------------------------------------------------- */

/* The oldest file, or the one in which the last lines begin. */
static int
open_first(struct view *w, struct shown *s, struct err *e)
{
	int64_t left = w->o->tail;
	int r;

	if ((left < 0 ? logs_chain_open_oldest(&s->chain, e) : logs_chain_open(&s->chain, e)) ==
		-1 ||
	    hand_over(w, s, s->chain.fd, false, left, e) == -1)
		return -1;
	/* Only if there is an older one it matters now how many lines this one has. */
	while (left > 0 && logs_chain_is_many(&s->chain)) {
		if (settle(w, s, &left, e) == -1)
			return -1;
		if (left <= 0)
			break;
		r = logs_chain_older(&s->chain, e);
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		if (hand_over(w, s, s->chain.fd, false, left, e) == -1)
			return -1;
	}
	s->open = true;
	return 0;
}

/* All there is now, with what a rotation has put into the next file. */
static int
drain_files(struct view *w, struct shown *s, bool *any, struct err *e)
{
	while (!w->unread) {
		bool more = false, late = false;
		int r;

		if (print(w, s, 0, any, &more, e) == -1)
			return -1;
		if (more)
			continue;
		if (s->past || !logs_chain_is_rotated(&s->chain))
			return 0;
		/* What was written between the last read and the rotation. */
		if (print(w, s, 0, &late, &more, e) == -1)
			return -1;
		*any |= late;
		if (late || more)
			continue;
		r = logs_chain_next(&s->chain, e);
		if (r != 1)
			return r;
		if (hand_over(w, s, s->chain.fd, true, -1, e) == -1)
			return -1;
	}
	return 0;
}

static int
start_journal(struct view *w, struct shown *s, bool waits, struct err *e)
{
	struct journal_query q = {.id = s->id,
	    .self = w->x->rootless.uid,
	    .tail = w->o->tail,
	    .since_ns = w->since_ns,
	    .until_ns = w->until_ns};
	own_fd int fd = journal_start(&s->journal, &q, waits, e);

	s->open = fd != -1 && hand_over(w, s, fd, false, -1, e) == 0;
	return s->open ? 0 : -1;
}

static int
drain_journal(struct view *w, struct shown *s, bool ended, bool *any, struct err *e)
{
	bool waits = w->o->follow && !ended, more = true;

	/* A reader that followed goes on with what the journal holds now behind the last entry, and ends there. */
	if (s->open && ended) {
		journal_stop(&s->journal);
		s->open = false;
	}
	if (!s->open && start_journal(w, s, waits, e) == -1)
		return -1;
	while (more && !w->unread)
		if (print(w, s, waits ? FOLLOW_MS : -1, any, &more, e) == -1)
			return -1;
		else if (waits)
			break;
	/* It has said why itself. */
	if (!w->unread && program_ended(&s->journal.pid, "journalctl", !waits, e) == -1)
		return err_wrap(e, "reading the journal");
	return 0;
}

/* Prints what there is; ended: nothing will come any more.  Returns 1 if anything was printed. */
static int
drain(struct view *w, struct shown *s, bool ended, struct err *e)
{
	bool any = false;
	int r;

	if (s->is_journal) {
		r = drain_journal(w, s, ended, &any, e);
	} else if (!s->open && open_first(w, s, e) == -1) {
		/* Nothing was written yet. */
		if (s->chain.fd != -1 || e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	} else {
		r = drain_files(w, s, &any, e);
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
	return w->until_ns != 0 && ctx_now_ns() > w->until_ns;
}

/* A silent container must not keep a pipeline waiting whose reader has what it wanted. */
static bool
reader_is_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* The end is looked for first, so that what was written before it is still read. */
static int
follow(struct view *w, struct err *e)
{
	size_t left = w->n;

	while (left > 0 && !w->unread) {
		bool quiet = true;

		for (size_t i = 0; i < w->n; i++) {
			struct shown *s = &w->v[i];
			bool ended;
			int r;

			if (s->over)
				continue;
			ended = has_ended(w->x, s->id) || is_past(w);
			r = drain(w, s, ended, e);
			if (r == -1)
				return -1;
			quiet = quiet && r == 0;
			if (ended || s->past) {
				s->over = true;
				left--;
			}
		}
		w->unread |= reader_is_gone();
		if (quiet && left == 1 && w->n == 1 && w->v[0].chain.fd != -1)
			logs_chain_wait(&w->v[0].chain, FOLLOW_MS);
		else if (quiet && left > 0)
			usleep(FOLLOW_MS * 1000 / 5);
	}
	return 0;
}

/* Started before anything is looked up, so that both go on at once. */
static int
start_worker(struct view *w, struct err *e)
{
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null == -1)
		return err_sys(e, "opening /dev/null");
	w->worker = spawn_peer_input(ROLE_RUN, ROLE_LOGS, null, e);
	return w->worker != NULL ? 0 : -1;
}

static int
show_all(struct view *w, struct err *e)
{
	for (size_t i = 0; i < w->n && !w->unread; i++) {
		if (drain(w, &w->v[i], true, e) == -1)
			return -1;
		close_shown(&w->v[i]);
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct logs_opts *o = opts;
	own_view struct view w = {.x = ctx_of(cli), .o = o};
	struct select s = {.argc = argc, .argv = argv, .latest = o->latest};

	if (argc == 0 && !o->latest)
		return err_set(e, ERR_USAGE, "specify at least one container name or ID to log");
	if (read_time(o->since, "since", false, &w.since_ns, e) == -1 ||
	    read_time(o->until, "until", true, &w.until_ns, e) == -1 || start_worker(&w, e) == -1 ||
	    select_each(w.x, &s, add, &w, e) == -1)
		return -1;
	if (!o->follow)
		return show_all(&w, e);
	if (w.n > FOLLOWED_MAX)
		return err_set(
		    e, ERR_LIMIT, "no more than %d logs can be followed at once", FOLLOWED_MAX);
	for (size_t i = 0; i < w.n; i++)
		w.v[i].number = i;
	return follow(&w, e);
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
