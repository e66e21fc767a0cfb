/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/text.h"
#include "pod-net/dns/answer.h"

/* The networks that the client sees. */
struct sight {
	const struct zone_member *member; /* of the network it asks in; NULL: the host */
	const struct zone_member *const *memberships;
	size_t n;
	const struct zone_network *only; /* the host's */
};

static const struct zone_network *
sight_network(const struct sight *s, size_t i)
{
	return s->member == NULL ? s->only : s->memberships[i]->network;
}

static bool
has_addr(const struct zone_addrs *l, const struct addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (addr_compare(&l->v[i], a) == 0)
			return true;
	return false;
}

bool
answer_serves(const struct zone_network *n, const struct addr *client)
{
	return zone_client(n, client) != NULL || has_addr(&n->listen, client);
}

static bool
find_sight(const struct answer_request *r, struct sight *s)
{
	*s = (struct sight){.member = zone_client(r->network, &r->client), .n = 1};
	if (s->member != NULL)
		s->memberships = zone_memberships(r->zone, s->member->id, &s->n);
	else
		s->only = r->network;
	return answer_serves(r->network, &r->client);
}

static bool
type_matches(uint16_t type, const struct addr *a)
{
	return type == DNS_ANY || type == (a->family == AF_INET ? DNS_A : DNS_AAAA);
}

/* True if the name is one of ours, whether or not it has an address of the family asked for. */
static bool
add_by_name(
    const struct sight *s, const struct dns_query *q, const char *name, struct dns_reply *reply)
{
	bool found = false;

	for (size_t i = 0; i < s->n; i++) {
		size_t count;
		const struct zone_by_name *v = zone_names(sight_network(s, i), name, &count);

		for (size_t j = 0; j < count; j++) {
			const struct zone_addrs *l = &v[j].member->addrs;

			found = true;
			for (size_t k = 0; k < l->n; k++)
				if (type_matches(q->type, &l->v[k]))
					dns_reply_address(reply, &l->v[k]);
		}
	}
	return found;
}

static bool
add_by_addr(const struct sight *s, const struct dns_query *q, struct dns_reply *reply)
{
	bool found = false;
	struct addr a;

	if (q->type != DNS_PTR || !dns_reverse(q->name, &a))
		return false;
	for (size_t i = 0; i < s->n && !found; i++) {
		const struct zone_member *m = zone_client(sight_network(s, i), &a);

		for (size_t j = 0; m != NULL && j < m->nnames; j++)
			dns_reply_name(reply, m->names[j]);
		found = m != NULL;
	}
	return found;
}

static bool
only_internal(const struct sight *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!sight_network(s, i)->internal)
			return false;
	return true;
}

/* Our own addresses are left out: the query would come back. */
static void
add_servers(const struct sight *s, const struct zone_addrs *l, struct answer *a)
{
	for (size_t i = 0; i < l->n; i++) {
		bool own = false;

		for (size_t j = 0; j < s->n; j++)
			own = own || has_addr(&sight_network(s, j)->listen, &l->v[i]);
		if (!own && a->nservers < ANSWER_SERVERS)
			a->servers[a->nservers++] = l->v[i];
	}
}

/* The container's own servers, else those of its networks, else the host's. */
static void
choose_servers(const struct answer_request *r, const struct sight *s, struct answer *a)
{
	for (size_t i = 0; s->member != NULL && i < s->n; i++)
		if (a->nservers == 0)
			add_servers(s, &s->memberships[i]->servers, a);
	for (size_t i = 0; i < s->n && a->nservers == 0; i++)
		add_servers(s, &sight_network(s, i)->servers, a);
	if (a->nservers == 0)
		add_servers(s, &r->resolvers, a);
}

/* Ours, and whether it was found; names with other bytes than a container's may have are nobody's. */
static bool
local(const struct answer_request *r, const struct sight *s, const struct dns_query *q,
    struct dns_reply *reply, enum dns_rcode *rcode)
{
	const char *domain = r->domain != NULL ? r->domain : "." ZONE_DOMAIN;
	char name[DNS_NAME_MAX + 1];
	bool inside = text_has_suffix(q->name, domain);
	size_t n = strlen(q->name) - (inside ? strlen(domain) : 0);

	*rcode = DNS_OK;
	if (!q->plain)
		return false;
	memcpy(name, q->name, n);
	name[n] = '\0';
	if (add_by_name(s, q, name, reply) || add_by_addr(s, q, reply))
		return true;
	*rcode = DNS_NXDOMAIN;
	return inside || strcmp(q->name, domain + 1) == 0;
}

size_t
answer_code(
    const struct answer *a, const uint8_t *query, enum dns_rcode rcode, uint8_t *out, size_t max)
{
	struct dns_reply reply;

	dns_reply_begin(&reply, out, max, query, &a->query);
	return dns_reply_end(&reply, rcode);
}

void
answer_make(const struct answer_request *r, struct answer *a, uint8_t *out, size_t max)
{
	int parsed;
	struct dns_reply reply;
	enum dns_rcode rcode;
	struct sight s;

	a->kind = ANSWER_READY;
	a->nservers = 0;
	parsed = dns_query_parse(r->p, r->n, &a->query);
	if (parsed == -1) {
		a->kind = ANSWER_NOTHING;
		return;
	}
	if (!r->stream && a->query.udp_size >= DNS_UDP_MIN)
		max = a->query.udp_size;
	if (parsed != DNS_OK || a->query.class != DNS_IN || !find_sight(r, &s)) {
		a->n = answer_code(
		    a, r->p, parsed != DNS_OK ? (enum dns_rcode)parsed : DNS_REFUSED, out, max);
		return;
	}
	dns_reply_begin(&reply, out, max, r->p, &a->query);
	if (local(r, &s, &a->query, &reply, &rcode)) {
		a->n = dns_reply_end(&reply, rcode);
		return;
	}
	if (r->forwards && !only_internal(&s))
		choose_servers(r, &s, a);
	if (a->nservers > 0)
		a->kind = ANSWER_FORWARD;
	else
		a->n = answer_code(a, r->p,
		    r->forwards && !only_internal(&s) ? DNS_SERVFAIL : DNS_NXDOMAIN, out, max);
}
