/* SPDX-License-Identifier: ISC */
/*
 * pod-monitor-stdio: the half of pod-monitor that reads what a container prints.  It gets every
 * descriptor it needs from the other half, and has no privilege, no file system and no network.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/peer.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/stdio/ctl.h"
#include "pod-monitor/stdio/notify.h"
#include "pod-monitor/stdio/stream.h"

enum event_of { OF_PEER, OF_LISTEN, OF_CTL, OF_WINSZ, OF_NOTIFY, OF_OUT, OF_ERR, OF_IN, OF_CLIENT };

struct stdio {
	struct peer *peer; /* NULL: the other half has died; the streams are served to their end */
	int epoll, listen, notify, notify_host;
	struct fifo {
		int fd;
		struct ctl ctl;
	} ctl, winsz;
	uint64_t done;
	bool said_logged, said_done, orphan, trim;
	bool reopen; /* the logs are to be opened anew */
	struct streams s;
};

static struct stdio stdio_state;

/*
 * Watches fd edge by edge: streams remember what is ready, so one report for each change does.  Of what a container says
 * of its state only a part is read at a time; that is reported as long as there is some.
 */
static void
watch(struct stdio *st, int fd, unsigned of, uint32_t events)
{
	struct epoll_event ev = {
	    .events = events | (of == OF_NOTIFY ? 0 : EPOLLET), .data.u32 = of};

	if (fd >= 0)
		epoll_ctl(st->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void
add_client(struct stdio *st, int fd)
{
	int i = clients_add(&st->s.clients, fd);

	if (i >= 0)
		watch(st, fd, OF_CLIENT + (unsigned)i, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

/* --- Messages of the other half -----------------------------------------------------------------
 */

static int
take_optional(int *fd)
{
	return *fd > 0 ? fd_take(fd) : -1;
}

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_stdio_setup *m = MSG_OF(in, stdio_setup);
	struct stdio *st = arg;
	struct streams *s = &st->s;

	(void)p;
	(void)e;
	s->terminal = s->waiting = m->terminal;
	s->leave_stdin_open = m->leave_stdin_open;
	if (!m->terminal) {
		s->in = take_optional(&m->in);
		s->src[0].fd = take_optional(&m->out);
		watch(st, s->in, OF_IN, EPOLLOUT);
		watch(st, s->src[0].fd, OF_OUT, EPOLLIN);
	}
	s->src[1].fd = take_optional(&m->err);
	watch(st, s->src[1].fd, OF_ERR, EPOLLIN);
	st->listen = take_optional(&m->listen);
	watch(st, st->listen, OF_LISTEN, EPOLLIN);
	st->ctl.fd = take_optional(&m->ctl);
	watch(st, st->ctl.fd, OF_CTL, EPOLLIN);
	st->winsz.fd = take_optional(&m->winsz);
	watch(st, st->winsz.fd, OF_WINSZ, EPOLLIN);
	st->notify = take_optional(&m->notify);
	st->notify_host = take_optional(&m->notify_host);
	watch(st, st->notify, OF_NOTIFY, EPOLLIN);
	if (m->attach > 0)
		add_client(st, fd_take(&m->attach));
	return 0;
}

/* Puts the log file of an answer in place of the one that is full. */
static void
take_log(struct klog_writer *w, struct msg_stdio_log *m)
{
	if (m->file <= 0)
		return;
	fd_close(&w->fd);
	w->fd = fd_take(&m->file);
	w->size = m->size;
}

static int on_event(struct peer *p, struct peer_in *in, void *arg, struct err *e);

static void
take_journal(struct journal *j, struct msg_stdio_log *m)
{
	if (m->file <= 0)
		return;
	fd_close(&j->fd);
	j->fd = fd_take(&m->file);
}

/* Asks for log index anew and waits for it: a record must not go into a full file. */
static void
renew(struct stdio *st, size_t index)
{
	struct msg_stdio_rotate m = {.index = index};
	own_peer_in struct peer_in in = {0};
	struct err e = {0};

	if (st->peer == NULL)
		return;
	if (peer_call(st->peer, &msg_stdio_rotate_desc, &m, &in, on_event, st, &e) != 0)
		st->orphan |= e.class == ERR_PEER;
	else if (index == st->s.journal_index && st->s.journal.fd >= 0)
		take_journal(&st->s.journal, MSG_OF(&in, stdio_log));
	else
		take_log(&st->s.logs[index], MSG_OF(&in, stdio_log));
}

static void
rotate(struct klog_writer *w, void *arg)
{
	struct stdio *st = arg;

	renew(st, (size_t)(w - st->s.logs));
}

/* A second target in the journal is the same messages once more: it takes the place of the first. */
static int
take_fields(struct journal *j, struct msg_stdio_log *m, struct err *e)
{
	if (m->fields.n > sizeof(j->space->fields))
		return err_set(e, ERR_LIMIT, "too many fields for the journal");
	memcpy(j->space->fields, m->fields.p, m->fields.n);
	j->fields_n = m->fields.n;
	j->no_partial_mark = m->no_partial_mark;
	take_journal(j, m);
	return 0;
}

static int
on_log(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_stdio_log *m = MSG_OF(in, stdio_log);
	struct streams *s = &((struct stdio *)arg)->s;

	(void)p;
	if (s->logs_n == STREAM_LOGS_MAX || m->file <= 0)
		return err_set(e, ERR_INVALID, "too many logs");
	if (m->fields.n > 0) {
		/* Places in the list are the other half's numbers of the logs. */
		s->journal_index = s->logs_n;
		s->logs[s->logs_n++].fd = -1;
		return take_fields(&s->journal, m, e);
	}
	s->logs[s->logs_n++] = (struct klog_writer){.fd = fd_take(&m->file),
	    .size = m->size,
	    .size_max = m->size_max,
	    .is_volatile = m->volatile_,
	    .total_max = m->total_max,
	    .rotate = rotate,
	    .arg = arg};
	return 0;
}

static int
on_terminal(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_stdio_terminal *m = MSG_OF(in, stdio_terminal);
	struct stdio *st = arg;

	(void)p;
	if (!st->s.terminal || st->s.in >= 0)
		return err_set(e, ERR_STATE, "no terminal is expected");
	streams_terminal(&st->s, fd_take(&m->master), (unsigned)m->rows, (unsigned)m->columns);
	watch(st, st->s.in, OF_OUT, EPOLLIN | EPOLLOUT);
	return 0;
}

static int
on_run(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)e;
	((struct stdio *)arg)->s.running = true;
	((struct stdio *)arg)->trim = true;
	return 0;
}

static int
on_drain(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)e;
	streams_drain(&((struct stdio *)arg)->s);
	return 0;
}

/* What the runtime had to say; usually the last message of a life. */
static int
on_abort(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct stdio *st = arg;
	char raw[MONITOR_CHUNK - 1];
	size_t n = streams_take_stderr(&st->s, raw, sizeof(raw));
	struct msg_stdio_done m = {.text = {.p = (const uint8_t *)raw, .n = n}};

	if (!MSG_OF(in, stdio_abort)->again) {
		clients_drop_all(&st->s.clients);
		st->said_done = true;
	}
	return peer_send(p, &msg_stdio_done_desc, in->seq, &m, e);
}

static const struct peer_handler handlers[] = {
    {&msg_stdio_setup_desc, 1, PEER_ONCE, on_setup},
    {&msg_stdio_log_desc, 1, 0, on_log},
    {&msg_stdio_terminal_desc, 1, PEER_ONCE, on_terminal},
    {&msg_stdio_run_desc, 1, PEER_ONCE, on_run},
    {&msg_stdio_drain_desc, 1, PEER_ONCE, on_drain},
    {&msg_stdio_abort_desc, 1, 0, on_abort},
};

/* What may arrive while an answer about a log is waited for. */
static int
on_event(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	return PEER_IS(in, stdio_drain) ? on_drain(p, in, arg, e) : 0;
}

static void
serve_peer(struct stdio *st)
{
	struct err e = {0};
	int r = 1;

	while (r == 1 && st->peer != NULL && !st->orphan)
		r = peer_serve(st->peer, handlers, COUNTOF(handlers), 1, &st->done, st, &e);
	if (r == 0 || r == -1)
		st->orphan = true;
}

/* --- Events ------------------------------------------------------------------------------------
 */

static void
accept_clients(struct stdio *st)
{
	int fd;

	while ((fd = accept4(st->listen, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		add_client(st, fd);
}

/* Only while the other half answers: before the container runs, what it sends in between would be lost. */
static void
reopen_logs(struct stdio *st)
{
	if (!st->reopen || !st->s.running || streams_is_logged(&st->s))
		return;
	st->reopen = false;
	for (size_t i = 0; i < st->s.logs_n; i++)
		renew(st, i);
}

static void
read_ctl(struct stdio *st, struct fifo *f)
{
	char buf[512];
	ssize_t n;

	while ((n = read(f->fd, buf, sizeof(buf))) > 0) {
		const char *p = buf;
		size_t left = (size_t)n;
		struct ctl_request r;

		while (ctl_feed(&f->ctl, &p, &left, &r)) {
			if (r.kind == CTL_RESIZE)
				streams_resize(&st->s, r.rows, r.columns);
			else
				st->reopen = true;
		}
	}
}

static void
client_event(struct stdio *st, int i, uint32_t events)
{
	struct client *c = &st->s.clients.c[i];

	if (c->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLHUP | EPOLLERR)) {
		c->hung_up = true;
		if (c->ended)
			clients_drop(&st->s.clients, i);
	}
}

static void
handle(struct stdio *st, const struct epoll_event *ev)
{
	struct streams *s = &st->s;

	switch (ev->data.u32) {
	case OF_PEER:
		serve_peer(st);
		break;
	case OF_LISTEN:
		accept_clients(st);
		break;
	case OF_CTL:
		read_ctl(st, &st->ctl);
		break;
	case OF_WINSZ:
		read_ctl(st, &st->winsz);
		break;
	case OF_NOTIFY:
		notify_relay(st->notify, st->notify_host);
		break;
	case OF_OUT:
		s->src[0].ready |= s->src[0].fd >= 0;
		if (ev->events & EPOLLOUT)
			s->in_full = false;
		break;
	case OF_ERR:
		s->src[1].ready |= s->src[1].fd >= 0;
		break;
	case OF_IN:
		s->in_full = false;
		break;
	default:
		client_event(st, (int)(ev->data.u32 - OF_CLIENT), ev->events);
	}
}

/* Tells the other half how far the end has come.  Returns true when there is nothing left to do. */
static bool
report(struct stdio *st)
{
	struct msg_stdio_logged logged = {0};
	struct msg_stdio_done done = {0};
	struct err e = {0};

	if (st->said_done)
		return true;
	if (st->orphan && !st->s.draining && st->s.src[0].fd < 0 && st->s.src[1].fd < 0) {
		streams_drain(&st->s);
		streams_copy(&st->s);
	}
	if (streams_is_done(&st->s)) {
		/* Clients see the end before the coordinator hears of it. */
		clients_drop_all(&st->s.clients);
		if (st->peer != NULL)
			peer_send(st->peer, &msg_stdio_done_desc, 0, &done, &e);
		return true;
	}
	if (streams_is_logged(&st->s) && !st->said_logged && st->peer != NULL) {
		peer_send(st->peer, &msg_stdio_logged_desc, 0, &logged, &e);
		st->said_logged = true;
	}
	return false;
}

static void
loop(struct stdio *st)
{
	struct epoll_event ev[16];
	bool more = false;

	for (;;) {
		int quiet = st->trim ? TRIM_QUIET_MS : -1;
		int n = epoll_wait(st->epoll, ev, COUNTOF(ev), more ? 0 : quiet);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++)
			handle(st, &ev[i]);
		if (n == 0 && !more && st->trim) {
			trim_now();
			st->trim = false;
		}
		reopen_logs(st);
		if (st->orphan && st->peer != NULL) {
			peer_free(st->peer);
			st->peer = NULL;
			streams_orphan(&st->s);
		}
		more = streams_copy(&st->s);
		if (!more && report(st))
			return;
	}
}

int
main(int argc, char **argv)
{
	struct stdio *st = &stdio_state;
	const int keep[] = {PEER_FD};
	struct err e = {0};

	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		err_set(&e, ERR_USAGE, "pod-monitor-stdio is started by pod-monitor only");
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	/* Logs carry local time, and afterwards there is no file to read the zone from. */
	tzset();
	if (role_enter(ROLE_STDIO, keep, COUNTOF(keep), &e) != 0) {
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	trim_init();
	streams_init(&st->s);
	st->listen = st->ctl.fd = st->winsz.fd = st->notify = st->notify_host = -1;
	st->winsz.ctl.sizes = true;
	st->peer = peer_new(PEER_FD, ROLE_STDIO, ROLE_MONITOR);
	st->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(st, PEER_FD, OF_PEER, EPOLLIN);
	loop(st);
	for (size_t i = 0; i < st->s.logs_n; i++)
		if (st->s.logs[i].fd >= 0 && !st->s.logs[i].is_volatile)
			fsync(st->s.logs[i].fd);
	return 0;
}
