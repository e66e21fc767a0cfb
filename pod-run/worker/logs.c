/* SPDX-License-Identifier: ISC */
/*
 * pod-run-logs: reads what containers wrote, out of the logs and journals that pod-run hands to it open, and prints it to
 * the standard streams it shares with pod-run.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "common/oci/jexport.h"
#include "common/oci/klog.h"
#include "common/wire/worker.h"

#define LOGS_MAX 256
#define OUT_SIZE 65536
#define PRINT_MAX ((size_t)16 << 20) /* then pod-run is asked whether to go on */
#define JOURNAL_MAX (2 * JEXPORT_ENTRY_MAX)
#define CURSOR_MAX 256

struct journal {
	int fd;
	size_t start, end;
	char cursor[CURSOR_MAX]; /* of the last entry; "": there was none */
	char buf[JOURNAL_MAX];
};

static struct shown {
	struct klog_reader *file;
	struct journal *journal;
	char *prefix;
	bool timestamps;
} logs[LOGS_MAX];

static FILE *last; /* where the last line went */

/* --- The journal --------------------------------------------------------------------------------- */

static struct journal *
journal_new(int take_fd)
{
	struct journal *j = xmalloc(sizeof(*j));

	memset(j, 0, offsetof(struct journal, buf));
	j->fd = take_fd;
	return j;
}

static void
journal_free(struct journal *j)
{
	if (j != NULL)
		fd_close(&j->fd);
	free(j);
}

/* 1: more bytes; 0: none in that time, or the end; -1. */
static int
fill(struct journal *j, int timeout_ms, struct err *e)
{
	struct pollfd p = {.fd = j->fd, .events = POLLIN};
	ssize_t n;

	if (j->start > 0) {
		memmove(j->buf, j->buf + j->start, j->end - j->start);
		j->end -= j->start;
		j->start = 0;
	}
	if (j->end == sizeof(j->buf))
		return err_set(e, ERR_INVALID, "an entry of the journal is too long");
	if (poll(&p, 1, timeout_ms) <= 0)
		return 0;
	n = read(j->fd, j->buf + j->end, sizeof(j->buf) - j->end);
	if (n < 0)
		return err_sys(e, "reading from journalctl");
	j->end += (size_t)n;
	return n > 0;
}

static void
make_line(const struct jexport_entry *entry, struct klog_line *line)
{
	time_t seconds = (time_t)(entry->time_ns / 1000000000);
	char zone[8] = "", date[24] = "";
	struct tm tm;

	line->time_ns = entry->time_ns;
	line->stream = entry->error ? KLOG_STDERR : KLOG_STDOUT;
	line->partial = entry->partial;
	line->text = entry->text;
	line->n = entry->n;
	localtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(line->stamp, sizeof(line->stamp), "%s.%09lld%.3s:%.2s", date,
	    (long long)(entry->time_ns % 1000000000), zone, zone + 3);
}

/* It becomes a word of a command line of pod-run's, so only what journald puts into one. */
static void
remember(struct journal *j, const struct jexport_entry *entry)
{
	if (entry->cursor == NULL || entry->cursor_n >= sizeof(j->cursor))
		return;
	for (size_t i = 0; i < entry->cursor_n; i++)
		if (entry->cursor[i] <= ' ' || entry->cursor[i] > '~')
			return;
	memcpy(j->cursor, entry->cursor, entry->cursor_n);
	j->cursor[entry->cursor_n] = '\0';
}

/* The next record, as klog_next.  Waits for journalctl, at most timeout_ms; 0 then, and at the end. */
static int
journal_next(struct journal *j, int timeout_ms, struct klog_line *line, struct err *e)
{
	struct jexport_entry entry;
	size_t used;
	int n;

	for (;;) {
		n = jexport_next(j->buf + j->start, j->end - j->start, &entry, &used);
		if (n < 0)
			return err_set(
			    e, ERR_INVALID, "journalctl wrote something else than entries");
		if (n == 1) {
			make_line(&entry, line);
			remember(j, &entry);
			j->start += used;
			if (entry.text != NULL)
				return 1;
			continue;
		}
		n = fill(j, timeout_ms, e);
		if (n <= 0)
			return n;
	}
}

/* --- Printing ------------------------------------------------------------------------------------ */

/* The two streams may lead to one place: what came first goes out first. */
static FILE *
choose_stream(const struct klog_line *l)
{
	FILE *to = l->stream == KLOG_STDERR ? stderr : stdout;

	if (last != NULL && last != to)
		fflush(last);
	last = to;
	return to;
}

/* Unlocked: there is one thread, and a log has many lines. */
static void
print(const struct shown *s, const struct klog_line *l)
{
	FILE *to = choose_stream(l);

	if (s->prefix != NULL)
		fputs_unlocked(s->prefix, to);
	if (s->timestamps) {
		fputs_unlocked(l->stamp, to);
		putc_unlocked(' ', to);
	}
	fwrite_unlocked(l->text, 1, l->n, to);
	if (s->prefix != NULL && s->prefix[0] == '\033')
		fputs_unlocked("\033[0m", to);
	if (!l->partial)
		putc_unlocked('\n', to);
}

static int
next(struct shown *s, int wait_ms, struct klog_line *line, struct err *e)
{
	return s->journal != NULL ? journal_next(s->journal, wait_ms, line, e)
				  : klog_next(s->file, line, e);
}

static void
forget(struct shown *s)
{
	klog_free(s->file);
	journal_free(s->journal);
	free(s->prefix);
	*s = (struct shown){0};
}

static int
on_show(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_log_show *m = MSG_OF(in, log_show);
	struct shown *s = &logs[m->number];
	struct msg_log_shown answer = {.tail = m->tail};

	(void)arg;
	if (m->next) {
		if (s->file == NULL)
			return err_set(e, ERR_STATE, "there is no log to go on with");
		klog_take_file(s->file, fd_take(&m->log));
		return peer_send(p, &msg_log_shown_desc, in->seq, &answer, e);
	}
	forget(s);
	s->prefix = m->prefix != NULL ? xstrdup(m->prefix) : NULL;
	s->timestamps = m->timestamps;
	if (m->journal) {
		s->journal = journal_new(fd_take(&m->log));
	} else {
		s->file = klog_new(m->since_ns, m->until_ns);
		klog_take_file(s->file, fd_take(&m->log));
		if (m->tail >= 0 && klog_tail(s->file, &answer.tail, e) == -1)
			return -1;
	}
	return peer_send(p, &msg_log_shown_desc, in->seq, &answer, e);
}

/* Returns -1 if it cannot be written. */
static int
flush(struct msg_log_printed *out, struct err *e)
{
	int bad = (fflush(stdout) == EOF ? errno : 0), later = (fflush(stderr) == EOF ? errno : 0);

	if (bad == 0)
		bad = later;
	if (bad == EPIPE)
		out->unread = true;
	errno = bad;
	return bad == 0 || bad == EPIPE ? 0 : err_sys(e, "writing the log");
}

static int
on_print(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_log_print *m = MSG_OF(in, log_print);
	struct shown *s = &logs[m->number];
	struct msg_log_printed answer = {0};
	int wait_ms = m->wait_ms < 0 ? -1 : m->wait_ms > 1000 ? 1000 : (int)m->wait_ms, r = 1;
	struct klog_line line;

	(void)arg;
	if (s->file == NULL && s->journal == NULL)
		return err_set(e, ERR_STATE, "there is no such log");
	for (size_t n = 0; r == 1 && n < PRINT_MAX; n += line.n + 1) {
		r = next(s, answer.any && wait_ms > 0 ? 0 : wait_ms, &line, e);
		if (r != 1)
			break;
		print(s, &line);
		answer.any = true;
	}
	if (r == -1) {
		struct err unsaid;

		flush(&answer, &unsaid);
		return -1;
	}
	answer.more = r == 1;
	answer.past = s->file != NULL && klog_is_past(s->file);
	answer.cursor =
	    s->journal != NULL && *s->journal->cursor != '\0' ? s->journal->cursor : NULL;
	if (flush(&answer, e) == -1)
		return -1;
	return peer_send(p, &msg_log_printed_desc, in->seq, &answer, e);
}

static void
prepare(void)
{
	/* The streams use them until the process has ended. */
	static char buffers[2][OUT_SIZE];

	setvbuf(stdout, buffers[0], _IOFBF, OUT_SIZE);
	setvbuf(stderr, buffers[1], _IOFBF, OUT_SIZE);
	/* Of the journal's times; afterwards there is no file to read the zone from. */
	tzset();
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {
	    {&msg_log_show_desc, 1, 0, on_show}, {&msg_log_print_desc, 1, 0, on_print}};
	const struct worker_face face = {.role = ROLE_LOGS,
	    .starter = ROLE_RUN,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .prepare = prepare};

	return worker_main(&face, argc, argv);
}
