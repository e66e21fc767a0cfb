/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/peer.h"
#include "common/wire/trace.h"

#define FDS_MAX 16
#define QUEUE_MAX 64
#define SEND_WAIT_MS 10000
#define HEAD_SIZE \
	20 /* array header, version, number, sequence and descriptor mask in fixed widths */
#define FRAME_SIZE (WIRE_FRAME_MAX + HEAD_SIZE)

struct queued {
	struct queued *next;
	struct peer_in in;
};

struct peer {
	int fd;
	enum role self, other;
	uint32_t seq;
	struct queued *early; /* answers that came before somebody waited for them */
	size_t early_n;
	uint32_t *unwanted; /* answers that nobody will wait for */
	size_t unwanted_n, unwanted_cap;
};

struct head {
	uint16_t id;
	uint32_t seq;
	uint64_t fd_mask; /* bit i: field i of the message has a descriptor in the packet */
};

struct peer *
peer_new(int fd, enum role self, enum role other)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->fd = fd;
	p->self = self;
	p->other = other;
	return p;
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	while (p->early != NULL) {
		struct queued *q = p->early;

		p->early = q->next;
		peer_in_free(&q->in);
		free(q);
	}
	fd_close(&p->fd);
	free(p->unwanted);
	free(p);
}

int
peer_fd(const struct peer *p)
{
	return p->fd;
}

enum role
peer_role(const struct peer *p)
{
	return p->other;
}

int
peer_pair(int fd[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return err_sys(e, "making a socket pair");
	return 0;
}

uint32_t
peer_next_seq(struct peer *p)
{
	if (++p->seq == 0)
		p->seq = 1;
	return p->seq;
}

void
peer_in_free(struct peer_in *in)
{
	if (in->desc != NULL && in->msg != NULL)
		wire_close_fds(in->desc, in->msg);
	arena_free(&in->arena);
	*in = (struct peer_in){0};
}

static const char *
peer_name(const struct peer *p)
{
	return role_info(p->other)->program;
}

/* --- Sending ------------------------------------------------------------------------------------
 */

static void
head_pack(const struct head *h, uint8_t out[HEAD_SIZE])
{
	uint8_t *b = out;

	*b++ = 0x95;
	*b++ = 0xcc, *b++ = PEER_VERSION;
	*b++ = 0xcd, *b++ = (uint8_t)(h->id >> 8), *b++ = (uint8_t)h->id;
	*b++ = 0xce;
	for (int s = 24; s >= 0; s -= 8)
		*b++ = (uint8_t)(h->seq >> s);
	*b++ = 0xcf;
	for (int s = 56; s >= 0; s -= 8)
		*b++ = (uint8_t)(h->fd_mask >> s);
}

/* A body that does not fit goes into a memfd that nobody can change any more. */
static int
spill(const struct strbuf *body, struct err *e)
{
	own_fd int fd = memfd_create("pod-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd == -1)
		return err_sys(e, "making a memory file for a message");
	while (done < body->n) {
		ssize_t n = write(fd, body->s + done, body->n - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, "writing a memory file for a message");
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == -1)
		return err_sys(e, "sealing a memory file for a message");
	return fd_take(&fd);
}

static int
send_packet(
    struct peer *p, struct iovec *iov, size_t iov_n, const int *fds, size_t fds_n, struct err *e)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = iov_n};

	if (fds_n > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fds_n);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds_n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fds_n);
	}
	for (;;) {
		struct pollfd pfd = {.fd = p->fd, .events = POLLOUT};

		if (sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
			err_set(e, ERR_PEER, "%s went away", peer_name(p));
			e->no = EPIPE;
			return -1;
		}
		if (errno != EAGAIN)
			return err_sys(e, "sending to %s", peer_name(p));
		if (poll(&pfd, 1, SEND_WAIT_MS) == 0)
			return err_set(e, ERR_TIMEOUT, "%s takes no messages", peer_name(p));
	}
}

int
peer_send(struct peer *p, const struct wire_desc *d, uint32_t seq, const void *msg, struct err *e)
{
	own_strbuf struct strbuf body = {0};
	own_fd int spilled = -1;
	struct head h = {.id = d->id, .seq = seq};
	uint8_t head[HEAD_SIZE], nil = 0xc0;
	int fds[FDS_MAX];
	size_t fds_n = 0;
	struct iovec iov[2] = {{head, sizeof(head)}, {0}};
	int r;

	if (wire_check_text(d, msg, e) == -1)
		return -1;
	trace_message(p->self, p->other, d, seq, msg);
	for (size_t i = 0; i < d->nfields; i++) {
		int fd;

		if (d->fields[i].type != WIRE_FD)
			continue;
		memcpy(&fd, (const char *)msg + d->fields[i].offset, sizeof(fd));
		if (fd <= 0)
			continue;
		h.fd_mask |= UINT64_C(1) << i;
		fds[fds_n++] = fd;
	}
	wire_pack(d, msg, &body);
	if (body.n > d->body_max)
		return err_set(e, ERR_LIMIT, "message %s to %s is too large (%zu bytes)", d->name,
		    peer_name(p), body.n);
	iov[1] = (struct iovec){body.s, body.n};
	if (body.n > WIRE_FRAME_MAX) {
		if ((spilled = spill(&body, e)) == -1)
			return -1;
		fds[fds_n++] = spilled;
		iov[1] = (struct iovec){&nil, 1};
	}
	head_pack(&h, head);
	r = send_packet(p, iov, 2, fds, fds_n, e);
	explicit_bzero(body.s, body.n); /* it may have held a secret */
	return r;
}

/* Names of files may be anything, and a text that was cut may end within a character: nobody takes those. */
static const char *
as_utf8(const char *text, char *buf, size_t size)
{
	if (text_is_utf8(text, strlen(text)))
		return text;
	text_escape(text, buf, size);
	return buf;
}

int
peer_send_error(struct peer *p, uint32_t seq, const struct err *what, struct err *e)
{
	char text[sizeof(what->text)], hint[sizeof(what->hint)];
	struct msg_error m = {.class = err_class_name(what->class),
	    .errno_name = what->no != 0 ? err_errno_name(what->no) : NULL,
	    .text = as_utf8(what->text, text, sizeof(text)),
	    .hint = what->hint[0] != '\0' ? as_utf8(what->hint, hint, sizeof(hint)) : NULL};

	return peer_send(p, &msg_error_desc, seq, &m, e);
}

int
peer_send_ok(struct peer *p, uint32_t seq, struct err *e)
{
	struct msg_ok m = {0};

	return peer_send(p, &msg_ok_desc, seq, &m, e);
}

/* --- Receiving ----------------------------------------------------------------------------------
 */

static uint64_t
big_endian(const uint8_t *b, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *b++;
	return v;
}

/* Only the fixed-width forms that head_pack writes are taken: one spelling for each header. */
static int
head_parse(const uint8_t *b, size_t n, struct head *h)
{
	if (n <= HEAD_SIZE || b[0] != 0x95 || b[1] != 0xcc || b[2] != PEER_VERSION ||
	    b[3] != 0xcd || b[6] != 0xce || b[11] != 0xcf)
		return -1;
	h->id = (uint16_t)big_endian(b + 4, 2);
	h->seq = (uint32_t)big_endian(b + 7, 4);
	h->fd_mask = big_endian(b + 12, 8);
	return 0;
}

static bool
fd_is_kind(int fd, enum wire_fd_kind kind)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) == -1)
		return false;
	switch (kind) {
	case FD_ANY:
		return true;
	case FD_FILE:
		return S_ISREG(st.st_mode);
	case FD_DIR:
		return S_ISDIR(st.st_mode);
	case FD_STREAM:
		return S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
		       S_ISCHR(st.st_mode);
	case FD_SOCKET:
		return S_ISSOCK(st.st_mode);
	case FD_NS:
		return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
	}
	return false;
}

static void
close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
}

/* Moves the packet's descriptors into the message's fields; what was moved is -1 in fds afterwards.
 */
static int
place_fds(
    const struct wire_desc *d, const struct head *h, void *msg, int *fds, size_t n, struct err *e)
{
	size_t used = 0;

	for (size_t i = 0; i < d->nfields; i++) {
		const struct wire_field *f = &d->fields[i];
		bool there = h->fd_mask >> i & 1;
		int *slot = (int *)((char *)msg + f->offset);

		if (f->type != WIRE_FD) {
			if (there)
				return err_set(
				    e, ERR_FORMAT, "%s: %s is no descriptor", d->name, f->name);
			continue;
		}
		*slot = -1;
		if (!there) {
			if (f->attr & REQ)
				return err_set(e, ERR_FORMAT, "%s: descriptor %s is missing",
				    d->name, f->name);
			continue;
		}
		if (used >= n || !fd_is_kind(fds[used], f->fd_kind))
			return err_set(e, ERR_FORMAT,
			    "%s: descriptor %s is missing or of another "
			    "kind",
			    d->name, f->name);
		*slot = fd_take(&fds[used++]);
	}
	if (used != n || h->fd_mask >> d->nfields != 0)
		return err_set(e, ERR_FORMAT, "%s: more descriptors than fields", d->name);
	return 0;
}

/* Reads a spilled body.  Safe because the seals keep the sender from changing it while it is
 * parsed. */
static int
read_spilled(int fd, const struct wire_desc *d, struct strbuf *out, struct err *e)
{
	const int need = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals == -1 || (seals & need) != need || fstat(fd, &st) == -1)
		return err_set(e, ERR_FORMAT, "%s: body is no sealed memory file", d->name);
	if (st.st_size <= 0 || (uint64_t)st.st_size > d->body_max)
		return err_set(e, ERR_FORMAT, "%s: body is too large", d->name);
	out->s = xmalloc((size_t)st.st_size);
	out->n = out->cap = (size_t)st.st_size;
	if (pread(fd, out->s, out->n, 0) != (ssize_t)out->n)
		return err_set(e, ERR_FORMAT, "%s: body cannot be read", d->name);
	return 0;
}

static int
decode(struct peer *p, const uint8_t *b, size_t n, int *fds, size_t fds_n, struct peer_in *in,
    struct err *e)
{
	own_strbuf struct strbuf spilled = {0};
	own_fd int body_fd = -1;
	const uint8_t *body = b + HEAD_SIZE;
	size_t body_n = n - HEAD_SIZE;
	struct head h;

	if (head_parse(b, n, &h) == -1 || (in->desc = msg_by_id(h.id)) == NULL)
		return err_set(e, ERR_FORMAT, "unknown frame");
	in->seq = h.seq;
	if (!(in->desc->senders >> p->other & 1))
		return err_set(e, ERR_FORMAT, "%s may not send %s", peer_name(p), in->desc->name);
	if (body_n == 1 && body[0] == 0xc0 && fds_n > 0) {
		body_fd = fd_take(&fds[--fds_n]);
		if (read_spilled(body_fd, in->desc, &spilled, e) == -1)
			return -1;
		body = (const uint8_t *)spilled.s;
		body_n = spilled.n;
	}
	in->msg = arena_alloc(&in->arena, in->desc->size);
	if (wire_unpack(in->desc, body, body_n, in->msg, &in->arena, e) == -1)
		return -1;
	return place_fds(in->desc, &h, in->msg, fds, fds_n, e);
}

static size_t
collect_fds(struct msghdr *m, int *fds)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t k;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), k * sizeof(int));
		n += k;
	}
	return n;
}

static int
receive_packet(struct peer *p, struct peer_in *in, struct err *e)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	/* Not kept: a monitor that waits for years should hold little. */
	own_mem uint8_t *buf = xmalloc(FRAME_SIZE);
	struct iovec iov = {buf, FRAME_SIZE};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	int fds[FDS_MAX + 4], r = -1;
	size_t fds_n;
	ssize_t n;

	/*
	 * ECONNRESET: the peer left without reading our answers.  It is told once; what the peer
	 * sent before is still in the queue and is carried out.
	 */
	do
		n = recvmsg(p->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n == -1 && errno == EAGAIN)
		return PEER_NONE;
	if (n == -1)
		return err_sys(e, "receiving from %s", peer_name(p));
	fds_n = collect_fds(&m, fds);
	/* The end; or an empty packet, which is taken for it and may bring descriptors nevertheless. */
	if (n == 0) {
		close_all(fds, fds_n);
		return 0;
	}
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		err_set(e, ERR_FORMAT, "packet is too large");
	else if (n <= HEAD_SIZE)
		err_set(e, ERR_FORMAT, "packet is too small");
	else
		r = decode(p, buf, (size_t)n, fds, fds_n, in, e);
	explicit_bzero(buf, (size_t)n); /* it may have held a secret */
	close_all(fds, fds_n);
	if (r == -1) {
		peer_in_free(in);
		e->class = ERR_PEER;
		return err_wrap(e, "%s broke the protocol", peer_name(p));
	}
	trace_message(p->other, p->self, in->desc, in->seq, in->msg);
	return 1;
}

int
peer_recv(struct peer *p, struct peer_in *in, int timeout_ms, struct err *e)
{
	*in = (struct peer_in){0};
	for (;;) {
		struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
		int r = receive_packet(p, in, e);

		if (r != PEER_NONE || timeout_ms == 0)
			return r;
		r = poll(&pfd, 1, timeout_ms);
		if (r == 0)
			return PEER_NONE;
		if (r == -1 && errno != EINTR)
			return err_sys(e, "waiting for %s", peer_name(p));
	}
}

/* --- Requests and answers -----------------------------------------------------------------------
 */

int
peer_error(const struct msg_error *m, struct err *e)
{
	err_set(e, err_class_from_name(m->class), "%s", m->text);
	e->no = m->errno_name != NULL ? err_errno_from_name(m->errno_name) : 0;
	if (m->hint != NULL)
		err_hint(e, "%s", m->hint);
	return -1;
}

static bool
is_answer(const struct wire_desc *request, const struct peer_in *in)
{
	return PEER_IS(in, error) || strcmp(in->desc->name, request->reply) == 0;
}

static bool
take_early(struct peer *p, uint32_t seq, struct peer_in *in)
{
	for (struct queued **at = &p->early; *at != NULL; at = &(*at)->next) {
		struct queued *q = *at;

		if (q->in.seq != seq)
			continue;
		*in = q->in;
		*at = q->next;
		p->early_n--;
		free(q);
		return true;
	}
	return false;
}

void
peer_disown(struct peer *p, uint32_t seq)
{
	p->unwanted =
	    mem_grow(p->unwanted, &p->unwanted_cap, p->unwanted_n + 1, sizeof(*p->unwanted));
	p->unwanted[p->unwanted_n++] = seq;
}

static bool
is_unwanted(struct peer *p, uint32_t seq)
{
	for (size_t i = 0; i < p->unwanted_n; i++)
		if (p->unwanted[i] == seq) {
			p->unwanted[i] = p->unwanted[--p->unwanted_n];
			return true;
		}
	return false;
}

int
peer_keep(struct peer *p, struct peer_in *in, struct err *e)
{
	struct queued *q;

	if (is_unwanted(p, in->seq)) {
		if (PEER_IS(in, error))
			log_warn("%s", MSG_OF(in, error)->text);
		peer_in_free(in);
		return 0;
	}
	if (p->early_n >= QUEUE_MAX)
		return err_set(e, ERR_PEER, "%s sends answers nobody waits for", peer_name(p));
	q = xcalloc(1, sizeof(*q));
	q->in = *in;
	q->next = p->early;
	p->early = q;
	p->early_n++;
	*in = (struct peer_in){0};
	return 0;
}

/* A message that is not the answer waited for. */
static int
other_message(struct peer *p, uint32_t seq, struct peer_in *in, peer_event_fn *on_event, void *arg,
    struct err *e)
{
	bool event = in->seq == seq || in->seq == 0 || PEER_IS(in, progress);
	int r;

	if (!event)
		return peer_keep(p, in, e);
	if (on_event == NULL)
		r = err_set(e, ERR_PEER, "%s sent %s unasked", peer_name(p), in->desc->name);
	else
		r = on_event(p, in, arg, e);
	peer_in_free(in);
	return r;
}

int
peer_wait(struct peer *p, const struct wire_desc *d, uint32_t seq, struct peer_in *in,
    peer_event_fn *on_event, void *arg, struct err *e)
{
	int64_t end = d->deadline_ms == NO_DEADLINE ? -1 : clock_now_ms() + d->deadline_ms;

	for (;;) {
		int r = 1;

		if (!take_early(p, seq, in)) {
			int64_t left = end == -1 ? -1 : end - clock_now_ms();

			r = end != -1 && left <= 0 ? PEER_NONE : peer_recv(p, in, (int)left, e);
		}
		if (r == -1)
			return -1;
		if (r == 0)
			return err_set(
			    e, ERR_PEER, "%s went away during %s", peer_name(p), d->name);
		if (r == PEER_NONE)
			return err_set(e, ERR_TIMEOUT, "%s did not answer %s within %u s",
			    peer_name(p), d->name, d->deadline_ms / 1000);
		if (in->seq != seq || !is_answer(d, in)) {
			if (other_message(p, seq, in, on_event, arg, e) == -1)
				return -1;
			continue;
		}
		if (PEER_IS(in, error)) {
			peer_error(MSG_OF(in, error), e);
			peer_in_free(in);
			return -1;
		}
		return 0;
	}
}

int
peer_settle(struct peer *p, const struct wire_desc *d, uint32_t *seq, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	uint32_t waited = *seq;

	*seq = 0;
	return waited == 0 ? 0 : peer_wait(p, d, waited, &in, NULL, NULL, e);
}

int
peer_call(struct peer *p, const struct wire_desc *d, const void *msg, struct peer_in *in,
    peer_event_fn *on_event, void *arg, struct err *e)
{
	uint32_t seq = peer_next_seq(p);

	if (peer_send(p, d, seq, msg, e) == -1)
		return -1;
	return peer_wait(p, d, seq, in, on_event, arg, e);
}

/* --- Serving ------------------------------------------------------------------------------------
 */

static bool
is_gone(const struct err *e)
{
	return e->class == ERR_PEER && e->no == EPIPE;
}

static int
serve_one(struct peer *p, const struct peer_handler *table, size_t n, unsigned phase,
    uint64_t *done, struct peer_in *in, void *arg, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct err fault = {0};

		if (table[i].desc != in->desc)
			continue;
		if (!(table[i].phases & phase) || ((table[i].flags & PEER_ONCE) && *done >> i & 1))
			return err_set(
			    e, ERR_PEER, "%s sent %s out of turn", peer_name(p), in->desc->name);
		*done |= UINT64_C(1) << i;
		if (table[i].fn(p, in, arg, &fault) == 0 ||
		    peer_send_error(p, in->seq, &fault, e) == 0)
			return 1;
		/* Nobody waits for the answer any more: what was asked before is still carried out. */
		if (!is_gone(e))
			return -1;
		err_clear(e);
		return 1;
	}
	return err_set(
	    e, ERR_PEER, "%s sent %s, which is not served here", peer_name(p), in->desc->name);
}

int
peer_serve(struct peer *p, const struct peer_handler *table, size_t n, unsigned phase,
    uint64_t *done, void *arg, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	int r = peer_recv(p, &in, 0, e);

	return r == 1 ? serve_one(p, table, n, phase, done, &in, arg, e) : r;
}

/* --- Descriptors in a queue ---------------------------------------------------------------------
 */

int
peer_queue_fds(int sock, const int *fds, size_t n, struct err *e)
{
	struct peer p = {.fd = sock};
	char byte = 0;
	struct iovec iov = {&byte, 1};

	while (n > 0) {
		size_t k = n < FDS_MAX ? n : FDS_MAX;

		if (send_packet(&p, &iov, 1, fds, k, e) == -1)
			return err_wrap(e, "queueing descriptors");
		fds += k;
		n -= k;
	}
	return 0;
}

int
peer_unqueue_fds(int sock, int *fds, size_t max)
{
	size_t n = 0;

	for (;;) {
		union {
			struct cmsghdr h;
			char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
		} control;
		char byte;
		struct iovec iov = {&byte, 1};
		struct msghdr m = {.msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control)};
		int got[FDS_MAX + 4];
		size_t k;

		if (recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return (int)n;
		k = collect_fds(&m, got);
		for (size_t i = 0; i < k; i++)
			if (n < max)
				fds[n++] = got[i];
			else
				fd_close(&got[i]);
	}
}
