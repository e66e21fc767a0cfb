/* SPDX-License-Identifier: ISC */
#include "pod-net/port.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "common/wire/peer.h"

#define BATCH 200		/* descriptors of one packet */
#define NUMBERS_MAX (4 * 65536) /* of all ranges of a container: each becomes an element of a set */
#define RANDOM_TRIES 64		/* for a free range of ports */

static const struct {
	const char *name;
	uint8_t number;
	int type;
} protocols[] = {
    {"tcp", IPPROTO_TCP, SOCK_STREAM},
    {"udp", IPPROTO_UDP, SOCK_DGRAM},
    {"sctp", IPPROTO_SCTP, 0},
};

const char *
port_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < COUNTOF(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "";
}

static int
parse_one(const struct rec_port_map *m, bool has4, bool has6, struct port *out, struct err *e)
{
	uint64_t count = m->range > 1 ? m->range : 1;
	struct port p = {.host_port = (uint16_t)m->host_port,
	    .container_port = (uint16_t)m->container_port,
	    .count = (uint16_t)count,
	    .ipv4 = has4,
	    .ipv6 = has6};

	for (size_t i = 0; i < COUNTOF(protocols); i++)
		if (strcmp(protocols[i].name, m->protocol) == 0)
			p.protocol = protocols[i].number;
	if (p.protocol == 0)
		return err_set(e, ERR_INVALID, "unknown port protocol %s", m->protocol);
	if (m->container_port == 0 || m->container_port + count > 65536 ||
	    m->host_port + count > 65536)
		return err_set(e, ERR_INVALID,
		    "port range %llu:%llu of %llu ports is out of bounds",
		    (unsigned long long)m->host_port, (unsigned long long)m->container_port,
		    (unsigned long long)count);
	if (m->host_ip != NULL && m->host_ip[0] != '\0') {
		if (addr_parse(m->host_ip, &p.host) != 0)
			return err_set(e, ERR_INVALID,
			    "invalid host ip \"%s\" provided for port %llu", m->host_ip,
			    (unsigned long long)m->host_port);
		p.ipv4 = has4 && p.host.family == AF_INET;
		p.ipv6 = has6 && p.host.family == AF_INET6;
		/* 0.0.0.0 and :: stand for all addresses of their family. */
		if (addr_is_any(&p.host))
			p.host = (struct addr){0};
	}
	*out = p;
	return 0;
}

int
port_parse(const struct rec_port_map *v, size_t n, bool has4, bool has6, struct port_list *out,
    struct arena *a, struct err *e)
{
	struct port_list l = {.v = arena_array(a, n, sizeof *l.v)};
	size_t numbers = 0;

	for (size_t i = 0; i < n; i++) {
		if (parse_one(&v[i], has4, has6, &l.v[l.n], e) != 0)
			return -1;
		numbers += l.v[l.n].count;
		if (numbers > NUMBERS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d published ports", NUMBERS_MAX);
		l.n += l.v[l.n].ipv4 || l.v[l.n].ipv6;
	}
	*out = l;
	return 0;
}

/* Podman's words, which are those of Go's net package. */
static int
in_use(const struct port *p, int family, uint16_t number, struct err *e)
{
	char host[ADDR_TEXT] = "", network[8], upper[8];
	const char *name = port_protocol_name(p->protocol);
	int no = errno;

	if (p->host.len != 0)
		addr_format(&p->host, host);
	snprintf(network, sizeof network, "%s%d", name, family == AF_INET6 ? 6 : 4);
	snprintf(upper, sizeof upper, "%s", p->protocol == IPPROTO_TCP ? "TCP" : "UDP");
	errno = no;
	err_sys(e, "cannot listen on the %s port: listen %s %s%s%s:%u: bind", upper, network,
	    family == AF_INET6 && host[0] != '\0' ? "[" : "", host,
	    family == AF_INET6 && host[0] != '\0' ? "]" : "", number);
	if (no == EADDRINUSE)
		err_set(e, ERR_EXISTS,
		    "cannot listen on the %s port: listen %s %s%s%s:%u: bind: address already in "
		    "use",
		    upper, network, family == AF_INET6 && host[0] != '\0' ? "[" : "", host,
		    family == AF_INET6 && host[0] != '\0' ? "]" : "", number);
	e->no = no;
	return -1;
}

/* A socket bound as p wants it; -1 with errno. */
static int
bound_socket(const struct port *p, int family, uint16_t number)
{
	struct addr any = {.family = (uint8_t)family, .len = family == AF_INET ? 4 : 16};
	struct sockaddr_storage sa;
	socklen_t size = addr_sockaddr(p->host.len != 0 ? &p->host : &any, number, &sa);
	int type = p->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, on = 1;
	own_fd int fd = socket(family, type | SOCK_CLOEXEC, p->protocol);

	if (fd < 0)
		return -1;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		return -1;
	/* Connections that linger in TIME_WAIT do not hinder; listening ones are found by listen. */
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, size) != 0)
		return -1;
	if (type == SOCK_STREAM && listen(fd, 1) != 0)
		return -1;
	return fd_take(&fd);
}

static uint16_t
number_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &size) != 0)
		return 0;
	if (sa.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)(void *)&sa)->sin_port);
	return ntohs(((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
}

struct sockets {
	int fd[BATCH];
	size_t n;
	int queue; /* where full batches go; -1: nowhere, then they are closed */
};

static void
drop(struct sockets *s)
{
	while (s->n > 0)
		fd_close(&s->fd[--s->n]);
}

static int
flush(struct sockets *s, struct err *e)
{
	int rc = s->n > 0 ? peer_queue_fds(s->queue, s->fd, s->n, e) : 0;

	drop(s);
	return rc;
}

/* Reserves one number in the families of p; what stays in s is closed by the caller on failure. */
static int
reserve_number(struct sockets *s, const struct port *p, uint16_t number, struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < COUNTOF(families); i++) {
		int fd;

		if (!(families[i] == AF_INET ? p->ipv4 : p->ipv6))
			continue;
		fd = bound_socket(p, families[i], number);
		if (fd < 0)
			return in_use(p, families[i], number, e);
		s->fd[s->n++] = fd;
		if (s->n == BATCH && flush(s, e) != 0)
			return -1;
	}
	return 0;
}

static int
reserve_range(struct sockets *s, const struct port *p, struct err *e)
{
	for (unsigned i = 0; i < p->count; i++)
		if (reserve_number(s, p, (uint16_t)(p->host_port + i), e) != 0)
			return -1;
	return 0;
}

/* A number from which p->count numbers are free at this moment. */
static int
choose(struct port *p, struct err *e)
{
	int family = p->ipv4 ? AF_INET : AF_INET6;

	for (int tries = 0; tries < RANDOM_TRIES; tries++) {
		own_fd int fd = bound_socket(p, family, 0);
		bool all = true;
		uint16_t first;

		if (fd < 0)
			return in_use(p, family, 0, e);
		first = number_of(fd);
		fd_close(&fd);
		for (unsigned i = 0; i < p->count && all; i++) {
			struct err ignored = {0};
			struct sockets probe = {.queue = -1};

			all = first + i < 65536 &&
			      reserve_number(&probe, p, (uint16_t)(first + i), &ignored) == 0;
			drop(&probe);
		}
		if (all) {
			p->host_port = first;
			return 0;
		}
	}
	return err_set(e, ERR_LIMIT, "no range of %u free ports found", p->count);
}

static int
reserve_one(struct sockets *s, struct port *p, struct err *e)
{
	bool chosen = p->host_port == 0;

	/* Ports of SCTP are not reserved, as in Podman: many kernels lack the protocol. */
	if (p->protocol == IPPROTO_SCTP)
		return chosen ? err_set(e, ERR_UNSUPPORTED,
				    "a host port must be given for protocol sctp")
			      : 0;
	for (int tries = 0;; tries++) {
		if (chosen && choose(p, e) != 0)
			return -1;
		if (reserve_range(s, p, e) == 0)
			return 0;
		/* Somebody was faster than we with a number that was free a moment ago. */
		if (!chosen || tries == RANDOM_TRIES || e->no != EADDRINUSE || p->count > 1)
			return -1;
	}
}

int
port_reserve(struct port_list *l, int *holder, struct err *e)
{
	own_fd int kept = -1, sent = -1;
	int pair[2], size = 4 << 20;
	struct sockets s;

	*holder = 0;
	if (l->n == 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_sys(e, "making the queue of reserved ports");
	kept = pair[0];
	sent = pair[1];
	(void)setsockopt(sent, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	s = (struct sockets){.queue = sent};
	for (size_t i = 0; i < l->n; i++)
		if (reserve_one(&s, &l->v[i], e) != 0) {
			drop(&s);
			return -1;
		}
	if (flush(&s, e) != 0)
		return -1;
	*holder = fd_take(&kept);
	return 0;
}

struct rec_port_map *
port_maps(const struct port_list *l, struct arena *a)
{
	struct rec_port_map *v = arena_array(a, l->n, sizeof *v);

	for (size_t i = 0; i < l->n; i++) {
		const struct port *p = &l->v[i];
		char text[ADDR_TEXT] = "";

		addr_format(&p->host, text);
		v[i] = (struct rec_port_map){.host_port = p->host_port,
		    .container_port = p->container_port,
		    .range = p->count,
		    .protocol = port_protocol_name(p->protocol)};
		if (text[0] != '\0')
			v[i].host_ip = arena_strdup(a, text);
		else if (p->ipv4 != p->ipv6)
			v[i].host_ip = p->ipv4 ? "0.0.0.0" : "::";
	}
	return v;
}
