/* SPDX-License-Identifier: ISC */
#include "pod-run/life/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define TRIES 32
#define PORT_MAX 65535

/* Sockets that hold what is chosen until all is. */
struct held {
	int *v;
	size_t n, cap;
};

static void
held_free(struct held *h)
{
	for (size_t i = 0; i < h->n; i++)
		close(h->v[i]);
	free(h->v);
}
#define own_held own(held_free)

static socklen_t
address(const char *ip, uint64_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	*out = (struct sockaddr_storage){0};
	if (ip != NULL && strchr(ip, ':') != NULL) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1 ? sizeof(*v6) : 0;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return ip == NULL || *ip == '\0' || inet_pton(AF_INET, ip, &v4->sin_addr) == 1 ? sizeof(*v4)
										       : 0;
}

/* The port that is held now, port itself unless that is 0; 0: it is not to be had. */
static uint64_t
hold(struct held *h, const struct rec_port_map *m, uint64_t port)
{
	int type = strcmp(m->protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	struct sockaddr_storage a;
	socklen_t n = address(m->host_ip, port, &a), size = sizeof(a);
	own_fd int s = n > 0 ? socket(a.ss_family, type | SOCK_CLOEXEC, 0) : -1;

	if (s == -1 || bind(s, (struct sockaddr *)&a, n) == -1 ||
	    getsockname(s, (struct sockaddr *)&a, &size) == -1)
		return 0;
	h->v = mem_grow(h->v, &h->cap, h->n + 1, sizeof(*h->v));
	h->v[h->n++] = fd_take(&s);
	/* Both kinds of addresses have it in the same place. */
	return ntohs(((struct sockaddr_in *)&a)->sin_port);
}

/* The first of a row of ports that are all free, or 0. */
static uint64_t
choose(struct held *h, const struct rec_port_map *m)
{
	uint64_t n = m->range > 1 ? m->range : 1;

	for (int i = 0; i < TRIES; i++) {
		size_t before = h->n;
		uint64_t first = hold(h, m, 0), k = 1;

		if (first == 0)
			return 0;
		while (k < n && first + k <= PORT_MAX && hold(h, m, first + k) != 0)
			k++;
		if (k == n)
			return first;
		while (h->n > before)
			close(h->v[--h->n]);
	}
	return 0;
}

void
ports_choose(struct rec_ctr_config *g)
{
	own_held struct held h = {0};

	for (size_t i = 0; i < g->ports.n; i++)
		if (g->ports.v[i].host_port == 0)
			g->ports.v[i].host_port = choose(&h, &g->ports.v[i]);
}
