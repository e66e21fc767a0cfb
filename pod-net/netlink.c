/* SPDX-License-Identifier: ISC */
#include "pod-net/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define REPLY_MAX 65536

int
netlink_open(struct netlink *s, int protocol, struct err *e)
{
	const struct sockaddr_nl self = {.nl_family = AF_NETLINK}, kernel = self;
	int on = 1;
	own_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	s->fd = -1;
	if (fd < 0)
		return err_sys(e, "opening a netlink socket");
	/* Connected, it takes nothing from others: a container that may speak netlink in its namespace knows our port. */
	if (bind(fd, (const struct sockaddr *)&self, sizeof self) != 0 ||
	    connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0)
		return err_sys(e, "binding a netlink socket");
	/* Only make the texts of errors better: not fatal. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	s->fd = fd_take(&fd);
	s->seq = 1;
	return 0;
}

void
netlink_close(struct netlink *s)
{
	fd_close(&s->fd);
}

void
netlink_reset(struct netlink_batch *b, struct netlink *s)
{
	b->n = b->at = 0;
	b->nlabels = 0;
	b->network = NULL;
	b->seq = s->seq;
}

void
netlink_free(struct netlink_batch *b)
{
	free(b->b);
	free(b->labels);
	*b = (struct netlink_batch){0};
}

/* Room for n more bytes, aligned and zeroed. */
static uint8_t *
grow(struct netlink_batch *b, size_t n)
{
	size_t at = b->n, size = NLMSG_ALIGN(n);

	b->b = mem_grow(b->b, &b->cap, at + size, 1);
	memset(b->b + at, 0, size);
	b->n += size;
	return b->b + at;
}

void
netlink_begin(struct netlink_batch *b, uint16_t type, uint16_t flags, const void *header,
    size_t header_size, const char *what, int accept)
{
	struct nlmsghdr h = {.nlmsg_type = type,
	    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
	    .nlmsg_seq = b->seq++};

	b->at = b->n;
	memcpy(grow(b, sizeof h), &h, sizeof h);
	memcpy(grow(b, header_size), header, header_size);
	b->labels = mem_grow(b->labels, &b->labels_cap, b->nlabels + 1, sizeof *b->labels);
	b->labels[b->nlabels++] = (struct netlink_label){
	    .seq = h.nlmsg_seq, .accept = accept, .network = b->network, .what = what};
}

void
netlink_about(struct netlink_batch *b, const char *object)
{
	b->labels[b->nlabels - 1].object = object;
}

void
netlink_end(struct netlink_batch *b)
{
	uint32_t n = (uint32_t)(b->n - b->at);

	memcpy(b->b + b->at, &n, sizeof n);
}

void
netlink_put(struct netlink_batch *b, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type};
	uint8_t *to = grow(b, NLA_HDRLEN + n);

	memcpy(to, &a, sizeof a);
	if (n > 0)
		memcpy(to + NLA_HDRLEN, p, n);
}

void
netlink_put_u8(struct netlink_batch *b, uint16_t type, uint8_t v)
{
	netlink_put(b, type, &v, sizeof v);
}

void
netlink_put_u16(struct netlink_batch *b, uint16_t type, uint16_t v)
{
	netlink_put(b, type, &v, sizeof v);
}

void
netlink_put_u32(struct netlink_batch *b, uint16_t type, uint32_t v)
{
	netlink_put(b, type, &v, sizeof v);
}

void
netlink_put_be32(struct netlink_batch *b, uint16_t type, uint32_t v)
{
	netlink_put_u32(b, type, htonl(v));
}

void
netlink_put_str(struct netlink_batch *b, uint16_t type, const char *s)
{
	netlink_put(b, type, s, strlen(s) + 1);
}

void
netlink_put_raw(struct netlink_batch *b, const void *p, size_t n)
{
	memcpy(grow(b, n), p, n);
}

size_t
netlink_nest(struct netlink_batch *b, uint16_t type)
{
	size_t at = b->n;

	netlink_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void
netlink_nest_end(struct netlink_batch *b, size_t nest)
{
	uint16_t n = (uint16_t)(b->n - nest);

	memcpy(b->b + nest, &n, sizeof n);
}

static const struct netlink_label *
find_label(const struct netlink_batch *b, uint32_t seq)
{
	for (size_t i = 0; i < b->nlabels; i++)
		if (b->labels[i].seq == seq)
			return &b->labels[i];
	return NULL;
}

/* The kernel's own words about a refusal, or NULL. */
static const char *
extended(const struct nlmsghdr *h)
{
	const struct nlmsgerr *m = NLMSG_DATA(h);
	const struct nlattr *at[NLMSGERR_ATTR_MSG + 1];
	size_t skip = NLMSG_HDRLEN + sizeof *m;
	const char *text;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(m->msg.nlmsg_len) - sizeof m->msg;
	if (skip >= h->nlmsg_len)
		return NULL;
	netlink_attrs((const uint8_t *)h + skip, h->nlmsg_len - skip, at, NLMSGERR_ATTR_MSG);
	if (at[NLMSGERR_ATTR_MSG] == NULL || netlink_size(at[NLMSGERR_ATTR_MSG]) < 2)
		return NULL;
	text = netlink_data(at[NLMSGERR_ATTR_MSG]);
	return text[netlink_size(at[NLMSGERR_ATTR_MSG]) - 1] == '\0' ? text : NULL;
}

/* Makes e of an error message unless its errno is acceptable. */
static int
check_answer(const struct netlink_batch *b, const struct nlmsghdr *h, struct err *e)
{
	const struct nlmsgerr *m = NLMSG_DATA(h);
	const struct netlink_label *l = find_label(b, h->nlmsg_seq);
	const char *more;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return err_set(e, ERR_INTERNAL, "short netlink message");
	if (m->error == 0 || (l != NULL && l->accept == -m->error))
		return 0;
	more = extended(h);
	errno = -m->error;
	if (l == NULL)
		return err_sys(e, "netlink batch");
	err_sys(
	    e, "%s%s%s", l->what, l->object != NULL ? " " : "", l->object != NULL ? l->object : "");
	if (more != NULL) {
		err_set(e, e->class, "%s%s%s: %s (%s)", l->what, l->object != NULL ? " " : "",
		    l->object != NULL ? l->object : "", more, err_errno_name(-m->error));
		e->no = -m->error;
	}
	return l->network != NULL ? err_wrap(e, "network %s", l->network) : -1;
}

static int
send_all(struct netlink *s, struct netlink_batch *b, struct err *e)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int size = (int)(b->n * 2);
	ssize_t r;

	s->seq = b->seq;
	/* Safe because the size is that of a batch we made ourselves. */
	if (b->n > 100000)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	do
		r = sendto(s->fd, b->b, b->n, 0, (struct sockaddr *)&kernel, sizeof kernel);
	while (r < 0 && errno == EINTR);
	return r == (ssize_t)b->n ? 0 : err_sys(e, "sending to the kernel by netlink");
}

static ssize_t
receive(struct netlink *s, uint8_t *buffer, int flags)
{
	ssize_t n;

	do
		n = recv(s->fd, buffer, REPLY_MAX, flags);
	while (n < 0 && errno == EINTR);
	return n;
}

int
netlink_run(struct netlink *s, struct netlink_batch *b, struct err *e)
{
	own_mem uint8_t *buffer = xmalloc(REPLY_MAX);
	int rc = 0;
	ssize_t n;

	if (send_all(s, b, e) != 0)
		return -1;
	while ((n = receive(s, buffer, MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)n;

		for (const struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left))
			if (rc == 0 && h->nlmsg_type == NLMSG_ERROR)
				rc = check_answer(b, h, e);
	}
	if (rc == 0 && n < 0 && errno != EAGAIN)
		return err_sys(e, "receiving from the kernel by netlink");
	return rc;
}

/* 1: the answer is complete, 0: more comes, -1 with e. */
static int
one_message(const struct netlink_batch *b, const struct nlmsghdr *h, netlink_fn *fn, void *arg,
    struct err *e)
{
	if (h->nlmsg_type == NLMSG_DONE)
		return 1;
	if (h->nlmsg_type == NLMSG_ERROR)
		return check_answer(b, h, e) == 0 ? 1 : -1;
	if (fn(h, arg, e) != 0)
		return -1;
	return h->nlmsg_flags & NLM_F_MULTI ? 0 : 1;
}

int
netlink_ask(struct netlink *s, struct netlink_batch *b, netlink_fn *fn, void *arg, struct err *e)
{
	own_mem uint8_t *buffer = xmalloc(REPLY_MAX);
	int done = 0;

	if (send_all(s, b, e) != 0)
		return -1;
	while (done == 0) {
		ssize_t n = receive(s, buffer, 0);
		size_t left = (size_t)n;

		if (n <= 0)
			return err_sys(e, "receiving from the kernel by netlink");
		for (const struct nlmsghdr *h = (void *)buffer; done == 0 && NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left))
			done = one_message(b, h, fn, arg, e);
	}
	return done < 0 ? -1 : 0;
}

void
netlink_attrs(const void *p, size_t n, const struct nlattr **at, size_t max)
{
	const uint8_t *c = p;

	memset(at, 0, (max + 1) * sizeof *at);
	while (n >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)c;
		size_t size = a->nla_len, type = a->nla_type & NLA_TYPE_MASK;

		if (size < NLA_HDRLEN || size > n)
			return;
		if (type <= max)
			at[type] = a;
		size = NLA_ALIGN(size);
		if (size >= n)
			return;
		c += size;
		n -= size;
	}
}

const void *
netlink_data(const struct nlattr *a)
{
	return (const uint8_t *)a + NLA_HDRLEN;
}

size_t
netlink_size(const struct nlattr *a)
{
	return (size_t)a->nla_len - NLA_HDRLEN;
}

uint32_t
netlink_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	if (a != NULL && netlink_size(a) >= sizeof v)
		memcpy(&v, netlink_data(a), sizeof v);
	return v;
}
