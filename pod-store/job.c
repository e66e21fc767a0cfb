/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/job.h"

struct job *
job_new(struct conn *c, uint32_t seq,
    int (*finish)(struct job *, struct result *, bool, struct err *), void *data, struct err *e)
{
	struct job *j;
	size_t n = 0;

	for (j = c->jobs; j != NULL; j = j->next)
		n++;
	if (n >= JOB_MAX) {
		err_set(e, ERR_LIMIT, "too many layers on their way at once");
		return NULL;
	}
	j = xcalloc(1, sizeof(*j));
	j->conn = c;
	j->seq = seq;
	j->finish = finish;
	j->data = data;
	j->next = c->jobs;
	c->jobs = j;
	return j;
}

static void
unlink_job(struct job *j)
{
	struct job **at = &j->conn->jobs;

	while (*at != NULL && *at != j)
		at = &(*at)->next;
	if (*at == j)
		*at = j->next;
}

static void
end_worker(struct job_worker *w, bool hard)
{
	if (w->ev != NULL)
		event_free(w->ev);
	w->ev = NULL;
	fd_close(&w->fd);
	if (w->pid > 0)
		spawn_end(w->pid, hard ? 0 : SPAWN_GRACE_MS);
	w->pid = 0;
}

static void
free_job(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		end_worker(&j->w[i], true);
		strbuf_free(&j->w[i].out);
	}
	unlink_job(j);
	free(j);
}

/*
 * If one worker fails, another often fails of it (a broken pipe, an early end): the cause is the error
 * that is not about the pipe.
 */
static int
parse_results(struct job *j, struct result *r, struct err *e)
{
	struct err each;
	int rc = 0;

	for (size_t i = 0; i < j->n; i++) {
		struct strbuf *b = &j->w[i].out;

		if (result_parse(b->n > 0 ? b->s : (char[]){""}, b->n, &r[i], &each) == 0)
			continue;
		if (rc == 0 || e->no == EPIPE || e->class == ERR_PEER)
			*e = each;
		rc = -1;
	}
	return rc;
}

static void
complete(struct job *j)
{
	struct result r[JOB_WORKERS] = {0};
	struct err e = {0}, unsent;
	int rc = parse_results(j, r, &e);

	if (j->finish(j, rc == 0 ? r : NULL, false, &e) == -1 &&
	    peer_send_error(j->conn->peer, j->seq, &e, &unsent) == -1)
		log_debug("%s", unsent.text);
	for (size_t i = 0; i < JOB_WORKERS; i++)
		result_free(&r[i]);
	free_job(j);
}

static void
on_result(evutil_socket_t fd, short what, void *arg)
{
	struct job_worker *w = arg;
	struct job *j = w->job;
	char buf[16384];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)what;
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && w->out.n + (size_t)n <= RESULT_MAX) {
		strbuf_addn(&w->out, buf, (size_t)n);
		return;
	}
	/* The end; or a worker that says more than it may, whose result is then incomplete. */
	end_worker(w, n > 0);
	if (--j->running == 0)
		complete(j);
}

int
job_start(struct job *j, struct spawn *sp, int result_slot, struct err *e)
{
	struct job_worker *w = &j->w[j->n];
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) == -1)
		return err_sys(e, "making a pipe");
	/* The worker's end must block. */
	if (fcntl(pair[1], F_SETFL, 0) == -1)
		err_sys(e, "making a pipe");
	sp->fds[result_slot] = pair[1];
	sp->discard_stderr = true;
	*w = (struct job_worker){.job = j, .fd = pair[0]};
	w->pid = spawn_start(sp, e);
	fd_close(&pair[1]);
	if (w->pid == -1) {
		w->pid = 0;
		fd_close(&w->fd);
		return -1;
	}
	j->n++;
	j->running++;
	w->ev = event_new(j->conn->srv->base, w->fd, EV_READ | EV_PERSIST, on_result, w);
	if (w->ev == NULL || event_add(w->ev, NULL) == -1)
		return err_set(e, ERR_INTERNAL, "adding an event");
	return 0;
}

void
job_abort(struct job *j)
{
	if (j != NULL)
		free_job(j);
}

void
job_cancel_all(struct conn *c)
{
	while (c->jobs != NULL) {
		struct job *j = c->jobs;
		struct err e = {0};

		for (size_t i = 0; i < j->n; i++)
			end_worker(&j->w[i], true);
		j->finish(j, NULL, true, &e);
		free_job(j);
	}
}
