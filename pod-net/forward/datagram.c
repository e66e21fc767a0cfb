/* SPDX-License-Identifier: ISC */
#include "pod-net/forward/datagram.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define BUCKETS 256
#define SESSIONS_MAX 1024 /* the one unused for longest makes room */
#define IDLE_S 120
#define AT_ONCE 64 /* datagrams before others have their turn */
#define DATAGRAM_MAX 65536

/* The address of the host that a datagram was sent to, from which the answers must come. */
union local {
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
};

struct session {
	struct datagram_listener *listener;
	struct session *next, **at;	 /* in the bucket */
	struct session *younger, *older; /* by use */
	struct sockaddr_storage client;
	socklen_t client_size;
	union local local;
	int fd;
	struct event *event;
};

struct datagram_listener {
	struct event_base *base;
	int fd, family;
	const struct client_target *target;
	uint16_t port;
	struct event *event;
	struct session *buckets[BUCKETS];
	struct session *youngest, *oldest;
	size_t n, max;
	uint8_t buf[DATAGRAM_MAX];
};

/* --- Sessions ------------------------------------------------------------------------------------- */

static void
unlink_age(struct session *s)
{
	struct datagram_listener *l = s->listener;

	*(s->younger != NULL ? &s->younger->older : &l->youngest) = s->older;
	*(s->older != NULL ? &s->older->younger : &l->oldest) = s->younger;
}

static void
link_youngest(struct session *s)
{
	struct datagram_listener *l = s->listener;

	s->younger = NULL;
	s->older = l->youngest;
	*(s->older != NULL ? &s->older->younger : &l->oldest) = s;
	l->youngest = s;
}

static void
free_session(struct session *s)
{
	unlink_age(s);
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	s->listener->n--;
	if (s->event != NULL)
		event_free(s->event);
	fd_close(&s->fd);
	free(s);
}

static void
keep_awake(struct session *s)
{
	const struct timeval idle = {.tv_sec = IDLE_S};

	event_add(s->event, &idle);
	unlink_age(s);
	link_youngest(s);
}

static unsigned
bucket_of(const struct sockaddr_storage *a, socklen_t size)
{
	const uint8_t *b = (const void *)a;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (socklen_t i = 0; i < size; i++)
		hash = (hash ^ b[i]) * 16777619u;
	return hash % BUCKETS;
}

/* --- From the container --------------------------------------------------------------------------- */

static void
send_back(struct session *s, size_t n)
{
	struct datagram_listener *l = s->listener;
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(union local))];
	} control = {0};
	struct iovec iov = {l->buf, n};
	struct msghdr m = {.msg_name = &s->client,
	    .msg_namelen = s->client_size,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control};
	bool v4 = l->family == AF_INET;
	size_t size = v4 ? sizeof s->local.v4 : sizeof s->local.v6;

	control.h.cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	control.h.cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	control.h.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&control.h), &s->local, size);
	m.msg_controllen = CMSG_SPACE(size);
	/* Like any datagram it may get lost. */
	(void)!sendmsg(l->fd, &m, MSG_DONTWAIT);
}

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		free_session(s);
		return;
	}
	for (int i = 0; i < AT_ONCE; i++) {
		/* An error is the answer to a datagram that found nobody. */
		n = recv(fd, s->listener->buf, DATAGRAM_MAX, MSG_DONTWAIT);
		if (n < 0)
			return;
		send_back(s, (size_t)n);
	}
}

/* --- From clients --------------------------------------------------------------------------------- */

static struct session *
new_session(struct datagram_listener *l, const struct sockaddr_storage *from, socklen_t size,
    struct session **bucket)
{
	int fd = client_connect(l->target, from, l->port, SOCK_DGRAM);
	struct session *s;

	if (fd < 0)
		return NULL;
	if (l->n >= l->max)
		free_session(l->oldest);
	s = xcalloc(1, sizeof *s);
	*s = (struct session){
	    .listener = l, .fd = fd, .client = *from, .client_size = size, .at = bucket};
	s->next = *bucket;
	if (s->next != NULL)
		s->next->at = &s->next;
	*bucket = s;
	link_youngest(s);
	l->n++;
	s->event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_answer, s);
	if (s->event == NULL) {
		free_session(s);
		return NULL;
	}
	return s;
}

static struct session *
session_of(struct datagram_listener *l, const struct sockaddr_storage *from, socklen_t size)
{
	struct session **bucket = &l->buckets[bucket_of(from, size)];

	for (struct session *s = *bucket; s != NULL; s = s->next)
		if (s->client_size == size && memcmp(&s->client, from, size) == 0)
			return s;
	return new_session(l, from, size, bucket);
}

static void
read_local(struct msghdr *m, union local *out)
{
	*out = (union local){0};
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			memcpy(&out->v4, CMSG_DATA(h), sizeof out->v4);
			/* The route decides about the interface. */
			out->v4.ipi_ifindex = 0;
			out->v4.ipi_spec_dst = out->v4.ipi_addr;
		} else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
			memcpy(&out->v6, CMSG_DATA(h), sizeof out->v6);
		}
	}
}

/* 1: went on, 0: nothing there. */
static int
take_one(struct datagram_listener *l)
{
	struct sockaddr_storage from = {0};
	char control[CMSG_SPACE(sizeof(union local)) + 64];
	struct iovec iov = {l->buf, sizeof l->buf};
	struct msghdr m = {.msg_name = &from,
	    .msg_namelen = sizeof from,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof control};
	ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT);
	struct session *s;

	if (n < 0)
		return 0;
	s = session_of(l, &from, m.msg_namelen);
	if (s == NULL)
		return 1;
	read_local(&m, &s->local);
	keep_awake(s);
	(void)!send(s->fd, l->buf, (size_t)n, MSG_DONTWAIT);
	return 1;
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < AT_ONCE && take_one(arg) == 1; i++)
		;
}

/* --- The listener --------------------------------------------------------------------------------- */

static int
prepare(struct datagram_listener *l)
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof sa;
	const int on = 1;

	if (getsockname(l->fd, (struct sockaddr *)&sa, &size) != 0 ||
	    evutil_make_socket_nonblocking(l->fd) != 0)
		return -1;
	l->family = sa.ss_family;
	if (l->family == AF_INET)
		return setsockopt(l->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	return setsockopt(l->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

struct datagram_listener *
datagram_listen(struct event_base *base, int fd, const struct client_target *target, uint16_t port,
    struct err *e)
{
	struct datagram_listener *l = xcalloc(1, sizeof *l);

	l->base = base;
	l->fd = fd;
	l->target = target;
	l->port = port;
	l->max = client_limit() < SESSIONS_MAX ? client_limit() : SESSIONS_MAX;
	l->event = event_new(base, fd, EV_READ | EV_PERSIST, on_datagram, l);
	if (prepare(l) == 0 && l->event != NULL && event_add(l->event, NULL) == 0)
		return l;
	err_sys(e, "reading from a published port");
	datagram_free(l);
	return NULL;
}

void
datagram_free(struct datagram_listener *l)
{
	if (l == NULL)
		return;
	while (l->oldest != NULL)
		free_session(l->oldest);
	if (l->event != NULL)
		event_free(l->event);
	fd_close(&l->fd);
	free(l);
}
