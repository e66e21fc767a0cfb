/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/oci/jexport.h"
#include "pod-run/cmd/logs_journal.h"

#define BUF_MAX (2 * JEXPORT_ENTRY_MAX)
#define CURSOR_MAX 256

struct journal_reader {
	pid_t pid;
	int fd;
	size_t start, end;
	char cursor[CURSOR_MAX]; /* of the last record; "": there was none */
	char buf[BUF_MAX];
};

static void
add_time(struct strv *argv, const char *option, int64_t ns)
{
	if (ns != 0)
		strv_addf(argv, "%s=@%lld.%06lld", option, (long long)(ns / 1000000000),
		    (long long)(ns % 1000000000 / 1000));
}

static int
spawn(struct strv *argv, int out, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t actions;
	int no;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (out != -1)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	else
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	no = posix_spawnp(pid, argv->v[0], &actions, NULL, argv->v, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (no == 0)
		return 0;
	errno = no;
	return err_sys(e, "starting journalctl");
}

static void
await(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

/* journald may not have read yet what the monitor sent to it.  Only root may ask it to. */
static void
settle(void)
{
	own_strv struct strv argv = {0};
	struct err ignored;
	pid_t pid;

	strv_add(&argv, "journalctl");
	strv_add(&argv, "--sync");
	if (geteuid() == 0 && spawn(&argv, -1, &pid, &ignored) == 0)
		await(pid);
}

static int
start(struct journal_reader *r, const struct klog_query *q, bool follow, struct err *e)
{
	own_strv struct strv argv = {0};
	own_fd int in = -1, out = -1;
	int fds[2];

	if (!follow)
		settle();
	strv_add(&argv, "journalctl");
	strv_add(&argv, "--quiet");
	strv_add(&argv, "--output=export");
	strv_add(&argv, "--output-fields=MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE");
	if (q->tail >= 0 && *r->cursor == '\0')
		strv_addf(&argv, "--lines=%lld", (long long)q->tail);
	else
		strv_add(&argv, "--no-tail");
	if (*r->cursor != '\0')
		strv_addf(&argv, "--after-cursor=%s", r->cursor);
	else
		add_time(&argv, "--since", q->since_ns);
	if (follow)
		strv_add(&argv, "--follow");
	add_time(&argv, "--until", q->until_ns);
	strv_addf(&argv, "CONTAINER_ID_FULL=%s", q->path);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	in = fds[0];
	out = fds[1];
	if (spawn(&argv, out, &r->pid, e) == -1)
		return -1;
	r->fd = fd_take(&in);
	return 0;
}

static void
stop(struct journal_reader *r)
{
	fd_close(&r->fd);
	if (r->pid <= 0)
		return;
	kill(r->pid, SIGTERM);
	await(r->pid);
	r->pid = 0;
}

struct journal_reader *
journal_open(const struct klog_query *q, bool follow, struct err *e)
{
	struct journal_reader *r = xmalloc(sizeof(*r));

	memset(r, 0, offsetof(struct journal_reader, buf));
	r->fd = -1;
	if (start(r, q, follow, e) == 0)
		return r;
	journal_close(r);
	return NULL;
}

void
journal_close(struct journal_reader *r)
{
	if (r == NULL)
		return;
	stop(r);
	free(r);
}

int
journal_finish(struct journal_reader *r, const struct klog_query *q, struct err *e)
{
	stop(r);
	r->start = r->end = 0;
	return start(r, q, false, e);
}

/* 1: more bytes; 0: none in that time, or the end; -1. */
static int
fill(struct journal_reader *r, int timeout_ms, struct err *e)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	ssize_t n;

	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	if (r->end == sizeof(r->buf))
		return err_set(e, ERR_INVALID, "an entry of the journal is too long");
	if (poll(&p, 1, timeout_ms) <= 0)
		return 0;
	n = read(r->fd, r->buf + r->end, sizeof(r->buf) - r->end);
	if (n < 0)
		return err_sys(e, "reading from journalctl");
	r->end += (size_t)n;
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

static void
remember(struct journal_reader *r, const struct jexport_entry *entry)
{
	if (entry->cursor == NULL || entry->cursor_n >= sizeof(r->cursor))
		return;
	memcpy(r->cursor, entry->cursor, entry->cursor_n);
	r->cursor[entry->cursor_n] = '\0';
}

int
journal_next(struct journal_reader *r, int timeout_ms, struct klog_line *line, struct err *e)
{
	struct jexport_entry entry;
	size_t used;
	int n;

	for (;;) {
		n = jexport_next(r->buf + r->start, r->end - r->start, &entry, &used);
		if (n < 0)
			return err_set(
			    e, ERR_INVALID, "journalctl wrote something else than entries");
		if (n == 1) {
			make_line(&entry, line);
			remember(r, &entry);
			r->start += used;
			if (entry.text != NULL)
				return 1;
			continue;
		}
		n = fill(r, timeout_ms, e);
		if (n <= 0)
			return n;
	}
}
