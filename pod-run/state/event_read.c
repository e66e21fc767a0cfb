/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/role/program.h"
#include "pod-run/state/event_journal.h"
#include "pod-run/state/event_read.h"

#define LINE_MAX_BYTES ((size_t)4 << 20)

struct event_reader {
	char *path; /* NULL: the journal */
	bool follow;
	int fd, watch;
	pid_t journal;
	ino_t ino;
	struct strbuf text; /* what was read; lines up to at are given */
	size_t at;
	int64_t last_ns, given_ns; /* of the last event; after a rotation what is older was given */
};

/* --- Sources ------------------------------------------------------------------------------------*/

/* What other users of the machine write under our name is none of ours: journald itself tells who wrote. */
static int
open_journal(struct event_reader *r, uid_t writer, bool from_end, struct err *e)
{
	own_mem char *own = xasprintf("_UID=%u", (unsigned)writer);
	const char *argv[] = {"journalctl", "--output=json", "--no-pager", "--quiet",
	    r->follow ? "--follow" : "--all", from_end ? "--lines=0" : "--lines=all",
	    "SYSLOG_IDENTIFIER=podman", own, NULL};
	posix_spawn_file_actions_t acts;
	int pair[2], rc;

	if (pipe2(pair, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, pair[1], STDOUT_FILENO);
	rc = posix_spawnp(&r->journal, argv[0], &acts, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&acts);
	close(pair[1]);
	r->fd = pair[0];
	if (rc != 0) {
		r->journal = 0;
		errno = rc;
		return err_sys(e, "starting journalctl");
	}
	return 0;
}

/* The file may not be there yet: then its directory is watched. */
static void
open_file(struct event_reader *r)
{
	struct stat st;

	fd_close(&r->fd);
	r->fd = open(r->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r->ino = r->fd != -1 && fstat(r->fd, &st) == 0 ? st.st_ino : 0;
}

static int
watch_file(struct event_reader *r, struct err *e)
{
	own_mem char *dir = xstrdup(r->path);
	char *slash = strrchr(dir, '/');

	if (slash != NULL)
		*slash = '\0';
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making directory %s", dir);
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch == -1 ||
	    inotify_add_watch(r->watch, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) == -1)
		return err_sys(e, "watching %s", dir);
	return 0;
}

struct event_reader *
event_read_open(struct ctx *x, bool follow, bool from_end, struct err *e)
{
	own_event_reader struct event_reader *r = xcalloc(1, sizeof(*r));
	enum event_backend backend;

	r->fd = r->watch = -1;
	r->follow = follow;
	if (event_backend(x, &backend, e) == -1)
		return NULL;
	if (backend == EVENT_NONE) {
		err_set(e, ERR_INVALID, "cannot read events with the \"none\" backend");
		return NULL;
	}
	if (backend == EVENT_JOURNALD && ctx_paths(x, e) == -1)
		return NULL;
	if (backend == EVENT_JOURNALD)
		return open_journal(r, x->rootless.uid, from_end, e) == -1 ? NULL : ptr_take(&r);
	r->path = event_path(x, e);
	if (r->path == NULL || (follow && watch_file(r, e) == -1))
		return NULL;
	open_file(r);
	if (from_end && r->fd != -1)
		lseek(r->fd, 0, SEEK_END);
	return ptr_take(&r);
}

void
event_read_free(struct event_reader **at)
{
	struct event_reader *r = *at;

	if (r == NULL)
		return;
	if (r->journal > 0) {
		kill(r->journal, SIGTERM);
		waitpid(r->journal, NULL, 0);
	}
	fd_close(&r->fd);
	fd_close(&r->watch);
	strbuf_free(&r->text);
	free(r->path);
	free(r);
	*at = NULL;
}

/* --- Lines --------------------------------------------------------------------------------------*/

/* A line that is complete, without its newline; valid until the next call. */
static char *
take_line(struct event_reader *r)
{
	char *start = r->text.s != NULL ? r->text.s + r->at : NULL, *end;

	end = start != NULL ? memchr(start, '\n', r->text.n - r->at) : NULL;
	if (end != NULL) {
		*end = '\0';
		r->at = (size_t)(end + 1 - r->text.s);
		return start;
	}
	if (r->at > 0) {
		memmove(r->text.s, r->text.s + r->at, r->text.n - r->at);
		r->text.n -= r->at;
		r->at = 0;
	}
	if (r->text.n > LINE_MAX_BYTES)
		r->text.n = 0;
	return NULL;
}

/* 1: more text; 0: none now; -1: the end of a source that does not grow. */
static int
read_more(struct event_reader *r)
{
	char buf[65536];
	struct stat st;
	ssize_t n;

	if (r->fd == -1 && r->path != NULL)
		open_file(r);
	n = r->fd != -1 ? read(r->fd, buf, sizeof(buf)) : 0;
	if (n > 0) {
		strbuf_addn(&r->text, buf, (size_t)n);
		return 1;
	}
	if (r->path == NULL)
		return n == -1 && errno == EINTR ? 0 : -1;
	/* After a rotation another file has the name; what it repeats is known by its time. */
	if (stat(r->path, &st) == 0 && st.st_ino != r->ino) {
		open_file(r);
		r->given_ns = r->last_ns;
		return 1;
	}
	return r->follow ? 0 : -1;
}

static bool
wait_more(struct event_reader *r, int64_t until_ns)
{
	struct pollfd p = {.fd = r->path != NULL ? r->watch : r->fd, .events = POLLIN};
	int64_t left = until_ns == 0 ? -1 : (until_ns - ctx_now_ns()) / 1000000;
	char events[4096];

	if (until_ns != 0 && left <= 0)
		return false;
	if (poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) > 0 && r->path != NULL)
		while (read(r->watch, events, sizeof(events)) > 0)
			;
	return true;
}

int64_t
event_read_time(const json_t *event)
{
	const char *s = json_string_value(json_object_get(event, "Time"));
	int64_t ns;

	return s != NULL && human_parse_rfc3339(s, &ns) == 0 ? ns : 0;
}

static json_t *
parse(struct event_reader *r, const char *line)
{
	struct err ignored = {0};
	own_json json_t *j = json_read(line, strlen(line), &ignored);
	int64_t when;

	if (j != NULL && r->path == NULL) {
		json_t *event = event_journal_parse(j);

		json_decref(j);
		j = event;
	}
	if (!json_is_object(j) || !json_is_string(json_object_get(j, "Type")) ||
	    !json_is_string(json_object_get(j, "Status")))
		return NULL;
	when = event_read_time(j);
	if (when <= r->given_ns)
		return NULL;
	if (when > r->last_ns)
		r->last_ns = when;
	return ptr_take(&j);
}

int
event_read_next(struct event_reader *r, int64_t until_ns, json_t **out, struct err *e)
{
	for (;;) {
		const char *line = take_line(r);
		int got;

		if (line != NULL) {
			*out = parse(r, line);
			if (*out != NULL)
				return 1;
			continue;
		}
		/* Only the pipe of a journal that is followed would make read(2) wait beyond the time. */
		if (r->path == NULL && r->follow && !wait_more(r, until_ns))
			return 0;
		got = read_more(r);
		if (got == -1 && program_ended(&r->journal, "journalctl", true, e) == -1)
			return err_wrap(e, "reading the journal");
		if (got == -1 || (got == 0 && r->path != NULL && !wait_more(r, until_ns)))
			return 0;
	}
}
