/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-store/blob.h"
#include "pod-store/layer.h"
#include "pod-store/partial.h"
#include "pod-store/places.h"

/* Descriptors of the worker, see assemble-main.c. */
#define RESULT_SLOT 4
#define PLAN_SLOT 5
#define FRAMES_SLOT 6
#define FILES_SLOT 7
#define KEEP_SLOT 8
#define SOURCES_SLOT 9

struct source {
	int toc, tree;
};

struct partial {
	struct assemble_job job;
	int tail, plan, frames;
	struct source sources[ASSEMBLE_SOURCES_MAX];
	int files; /* our end */
	struct event *ev;
};

/* --- Layers that may be used ---------------------------------------------------------------------------- */

/* Of the newest image first.  Which layers, and with what digests; *ids in pairs. */
static int
list_layers(struct store *s, struct strv *pairs, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (s->opt.whole_layers)
		return 0;
	q = db_query(&s->db, SQL_LAYERS_ZSTD, e, "");
	while ((r = db_step(&s->db, q, e)) == 1) {
		if (strv_find(pairs, db_text(q, 0)) < pairs->n)
			continue;
		strv_add(pairs, db_text(q, 0));
		strv_add(pairs, db_text(q, 1));
	}
	return r;
}

static int
open_toc(struct store *s, const char *id, const char *digest, int *dir)
{
	own_mem char *path = xasprintf("layers/%s", id);
	struct err ignored = {0};
	own_fd int at = store_dir(s, path, &ignored);
	int toc = at == -1 ? -1 : blob_toc_open(at, digest);

	if (toc >= 0)
		*dir = fd_take(&at);
	return toc;
}

int
partial_possible(struct store *s, bool *yes, struct err *e)
{
	own_strv struct strv pairs = {0};

	*yes = false;
	if (list_layers(s, &pairs, e) == -1)
		return -1;
	for (size_t i = 0; i < pairs.n && !*yes; i += 2) {
		own_fd int dir = -1;
		own_fd int toc = open_toc(s, pairs.v[i], pairs.v[i + 1], &dir);

		*yes = toc >= 0;
	}
	return 0;
}

static int
open_sources(struct partial *p, struct store *s, struct err *e)
{
	own_strv struct strv pairs = {0};

	if (list_layers(s, &pairs, e) == -1)
		return -1;
	for (size_t i = 0; i < pairs.n && p->job.nsources < ASSEMBLE_SOURCES_MAX; i += 2) {
		struct err ignored = {0};
		own_fd int dir = -1;
		own_fd int toc = open_toc(s, pairs.v[i], pairs.v[i + 1], &dir);
		int tree = toc == -1 ? -1 : layout_tree(dir, &ignored);

		if (tree >= 0)
			p->sources[p->job.nsources++] = (struct source){fd_take(&toc), tree};
	}
	if (p->job.nsources == 0)
		return err_set(e, ERR_NOTFOUND, "no layer of the store has a table of contents");
	return 0;
}

struct partial *
partial_new(struct store *s, struct msg_layer_assemble *m, struct err *e)
{
	struct partial *p = xcalloc(1, sizeof(*p));

	p->files = -1;
	p->tail = fd_take(&m->tail);
	p->plan = fd_take(&m->plan);
	p->frames = fd_take(&m->frames);
	p->job = (struct assemble_job){.blob_size = m->blob_size,
	    .toc = {m->toc_at, m->toc_size, m->toc_plain},
	    .split = {.at = m->split_at, .size = m->split_size}};
	snprintf(p->job.checksum, sizeof(p->job.checksum), "%s", m->checksum);
	if (open_sources(p, s, e) == 0)
		return p;
	partial_free(p);
	return NULL;
}

void
partial_free(struct partial *p)
{
	if (p == NULL)
		return;
	if (p->ev != NULL)
		event_free(p->ev);
	fd_close(&p->files);
	fd_close(&p->tail);
	fd_close(&p->plan);
	fd_close(&p->frames);
	for (size_t i = 0; i < p->job.nsources; i++) {
		fd_close(&p->sources[i].toc);
		fd_close(&p->sources[i].tree);
	}
	free(p);
}

/* --- Files ---------------------------------------------------------------------------------------------- */

/*
 * Safe because nothing but a regular file of one of the layers that the worker was started for is opened, for
 * reading, through no link; what it makes of it must have the digest of the layer.
 */
static int
open_file(const struct partial *p, const struct assemble_ask *ask, const char *path)
{
	struct err ignored = {0};

	return ask->source < p->job.nsources ? path_open_regular(p->sources[ask->source].tree, path,
						   PATH_PLAIN, INT64_MAX, NULL, &ignored)
					     : -1;
}

static int
send_files(int to, char *ok, size_t n, const int *fds, size_t nfds)
{
	union {
		char bytes[CMSG_SPACE(ASSEMBLE_BATCH * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {ok, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (nfds > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n ? 0 : -1;
}

/* The worker asks once more only when it has the answer, so that one fits. */
static int
answer(const struct partial *p, const char *packet, size_t n)
{
	char ok[ASSEMBLE_BATCH];
	int fds[ASSEMBLE_BATCH], r;
	size_t count = 0, nfds = 0, at = 0;

	while (n - at > sizeof(struct assemble_ask) && count < ASSEMBLE_BATCH) {
		struct assemble_ask ask;
		const char *path = packet + at + sizeof(ask);

		memcpy(&ask, packet + at, sizeof(ask));
		at += sizeof(ask);
		if (ask.path_n == 0 || ask.path_n > n - at || path[ask.path_n - 1] != '\0')
			break;
		at += ask.path_n;
		fds[nfds] = open_file(p, &ask, path);
		ok[count] = fds[nfds] >= 0;
		nfds += (size_t)ok[count++];
	}
	r = at == n ? send_files(p->files, ok, count, fds, nfds) : -1;
	while (nfds > 0)
		fd_close(&fds[--nfds]);
	return r;
}

static void
on_question(evutil_socket_t fd, short what, void *arg)
{
	struct partial *p = arg;
	own_mem char *packet = xmalloc(ASSEMBLE_PACKET);
	ssize_t n = recv(fd, packet, ASSEMBLE_PACKET, MSG_DONTWAIT);

	(void)what;
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && answer(p, packet, (size_t)n) == 0)
		return;
	/* The end, or nonsense: the worker learns from the end of the socket. */
	event_free(p->ev);
	p->ev = NULL;
	fd_close(&p->files);
}

static int
start_worker(struct partial *p, struct job *j, int theirs, int keep, int out, struct err *e)
{
	struct spawn sp = {
	    .role = ROLE_ASSEMBLE, .mode = "assemble", .nfds = SOURCES_SLOT + p->job.nsources};

	sp.fds[0] = p->tail;
	sp.fds[1] = out;
	sp.fds[PLAN_SLOT] = p->plan;
	sp.fds[FRAMES_SLOT] = p->frames;
	sp.fds[FILES_SLOT] = theirs;
	sp.fds[KEEP_SLOT] = keep;
	for (size_t i = 0; i < p->job.nsources; i++)
		sp.fds[SOURCES_SLOT + i] = p->sources[i].toc;
	if (send(p->files, &p->job, sizeof(p->job), MSG_NOSIGNAL) != (ssize_t)sizeof(p->job))
		return err_sys(e, "telling pod-store-assemble what to do");
	return job_start(j, &sp, RESULT_SLOT, e);
}

int
partial_start(struct partial *p, struct job *j, const struct stage *g, const struct staged *l,
    int out, struct err *e)
{
	own_fd int keep = blob_toc_begin(g, l, e);
	int pair[2];
	int r;

	if (keep == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return err_sys(e, "making a socket");
	p->files = pair[0];
	r = start_worker(p, j, pair[1], keep, out, e);
	fd_close(&pair[1]);
	/* The worker has the only copies: their other ends must see it end. */
	fd_close(&p->tail);
	fd_close(&p->plan);
	fd_close(&p->frames);
	if (r == -1)
		return -1;
	p->ev = event_new(j->conn->srv->base, p->files, EV_READ | EV_PERSIST, on_question, p);
	return p->ev != NULL && event_add(p->ev, NULL) == 0
		   ? 0
		   : err_set(e, ERR_INTERNAL, "adding an event");
}
