/* SPDX-License-Identifier: ISC */
#include "pod-net/firewall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "pod-net/firewall_table.h"
#include "pod-net/firewalld.h"
#include "pod-net/nft.h"

#define DEFAULT_TABLE "pod"
#define CLOSE_LATE_NS 60000000l /* longer than a grace period of a busy machine */
#define TOKEN_AT 13		/* in comments: twelve digits of the ID, space, token */

int
firewall_driver_find(const char *word, enum firewall_driver *out, struct err *e)
{
	if (strcasecmp(word, "none") == 0)
		*out = FIREWALL_NONE;
	else if (word[0] == '\0' || strcasecmp(word, "nftables") == 0)
		*out = FIREWALL_NFTABLES;
	else if (strcasecmp(word, "firewalld") == 0)
		*out = FIREWALL_FIREWALLD;
	else
		return err_set(
		    e, ERR_INVALID, "Must provide a valid firewall backend, got %s", word);
	return 0;
}

void
firewall_init(struct firewall *f, int dir, const char *run_root, bool run_root_default)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	*f = (struct firewall){.nl = {.fd = -1}, .dir = dir};
	if (run_root_default) {
		snprintf(f->table, sizeof f->table, DEFAULT_TABLE);
		return;
	}
	for (const char *c = run_root; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	snprintf(f->table, sizeof f->table, DEFAULT_TABLE "_%08x", hash);
}

void
firewall_close(struct firewall *f)
{
	struct timespec wait = {.tv_nsec = CLOSE_LATE_NS};

	if (f->nl.fd >= 0 && f->changed)
		nanosleep(&wait, NULL);
	netlink_close(&f->nl);
	f->changed = false;
}

static int
need_socket(struct firewall *f, struct err *e)
{
	return f->nl.fd >= 0 ? 0 : netlink_open(&f->nl, NETLINK_NETFILTER, e);
}

static int
make_table(struct firewall *f, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	nft_begin(&b, &f->nl);
	firewall_table_put(&b, f->table);
	if (nft_commit(&f->nl, &b, e) == 0)
		return 0;
	if (e->no != EEXIST)
		return err_wrap(e, "table inet %s", f->table);
	err_clear(e);
	return 0;
}

/* --- Networks ------------------------------------------------------------------------------------- */

/* The elements of a network are few; each belongs to a set of its own. */
struct network_element {
	const char *set;
	struct nft_element element;
};

struct network_elements {
	struct network_element *v;
	size_t n, cap;
	const char *comment;
};

static void
network_elements_free(struct network_elements *l)
{
	free(l->v);
}

static struct nft_element *
next_element(struct network_elements *l, const char *set)
{
	struct network_element *x;

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	x = &l->v[l->n++];
	x->set = set;
	x->element = (struct nft_element){.comment = l->comment};
	return &x->element;
}

/* From p's first address to its last, as an interval; to, if any, is what the map says of them. */
static void
add_interval(
    struct network_elements *l, const char *set, const struct prefix *p, const struct addr *to)
{
	struct addr first = addr_first(p), last = addr_last(p), beyond = addr_next(&last);
	struct nft_element *x = next_element(l, set);

	x->key_size = first.len;
	memcpy(x->key, first.b, first.len);
	if (to != NULL) {
		x->data_size = to->len;
		memcpy(x->data, to->b, to->len);
	}
	if (addr_is_any(&beyond))
		return;
	x = next_element(l, set);
	x->key_size = first.len;
	x->flags = NFT_SET_ELEM_INTERVAL_END;
	x->comment = NULL;
	memcpy(x->key, beyond.b, first.len);
}

static void
add_subnet(struct network_elements *l, const struct prefix *p)
{
	struct addr first = addr_first(p), last = addr_last(p);
	bool v4 = first.family == AF_INET;
	struct nft_element *x;
	uint8_t n = first.len;

	add_interval(l, v4 ? "subnets4" : "subnets6", p, NULL);
	x = next_element(l, v4 ? "same4" : "same6");
	x->key_size = x->end_size = (uint8_t)(2 * n);
	memcpy(x->key, first.b, n);
	memcpy(x->key + n, first.b, n);
	memcpy(x->end, last.b, n);
	memcpy(x->end + n, last.b, n);
}

static void
add_outbound(struct network_elements *l, const struct prefix *p, const struct rec_net_hold *h)
{
	bool v4 = p->addr.family == AF_INET;
	struct addr to;

	if (addr_parse(v4 ? h->outbound4 : h->outbound6, &to) == 0 && to.len == p->addr.len)
		add_interval(l, v4 ? "outbound4" : "outbound6", p, &to);
}

static uint8_t
add_number(uint8_t *to, uint16_t number)
{
	to[0] = (uint8_t)(number >> 8);
	to[1] = (uint8_t)number;
	return 4;
}

/* What is asked on port 53 of the gateway comes to the port where the server listens. */
static void
add_name_server(struct network_elements *l, const struct addr *gateway, uint16_t port)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (size_t i = 0; i < COUNTOF(protocols); i++) {
		struct nft_element *x =
		    next_element(l, gateway->family == AF_INET ? "names4" : "names6");

		memcpy(x->key, gateway->b, gateway->len);
		x->key[gateway->len] = protocols[i];
		x->key_size = (uint8_t)(gateway->len + 4);
		x->key_size += add_number(x->key + x->key_size, 53);
		memcpy(x->data, gateway->b, gateway->len);
		x->data_size = gateway->len;
		x->data_size += add_number(x->data + x->data_size, port);
	}
}

static void
add_name_servers(struct network_elements *l, const struct rec_net_hold *h, uint16_t port)
{
	for (size_t i = 0; i < h->addresses.n && i < 64; i++) {
		struct addr gateway;

		if (addr_parse(h->addresses.v[i].gateway, &gateway) == 0)
			add_name_server(l, &gateway, port);
	}
}

static void
add_bridge(struct network_elements *l, const char *set, const char *bridge, size_t times)
{
	struct nft_element *x = next_element(l, set);

	x->key_size = (uint8_t)(IFNAMSIZ * times);
	for (size_t i = 0; i < times; i++)
		memcpy(x->key + i * IFNAMSIZ, bridge, strnlen(bridge, IFNAMSIZ - 1));
}

/* all: also what the network may have had before its definition was changed, for removal. */
static void
network_elements(
    struct network_elements *l, const struct rec_net_hold *h, uint16_t names_port, bool all)
{
	const char *isolate = h->isolate != NULL ? h->isolate : "";

	l->comment = h->network;
	for (size_t i = 0; i < h->subnets.n && i < 64; i++) {
		struct prefix p;

		if (addr_parse_prefix(h->subnets.v[i], &p) != 0 || (h->internal && !all))
			continue;
		add_subnet(l, &p);
		add_outbound(l, &p, h);
	}
	if (!h->internal || all)
		add_bridge(l, "bridges", h->interface, 1);
	if (h->internal || all)
		add_bridge(l, "internal", h->interface, 1);
	if (isolate[0] != '\0' || all)
		add_bridge(l, "isolated", h->interface, 1);
	if (strcmp(isolate, "strict") == 0 || all)
		add_bridge(l, "strict", h->interface, 1);
	add_bridge(l, "same_bridge", h->interface, 2);
	if (names_port != 0 && names_port != 53 && (h->dns || all))
		add_name_servers(l, h, names_port);
}

static int
add_network(struct firewall *f, const struct network_elements *l, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	nft_begin(&b, &f->nl);
	for (size_t i = 0; i < l->n; i++)
		nft_put_elements(&b, f->table, l->v[i].set, &l->v[i].element, 1, NFT_ADD);
	return nft_commit(&f->nl, &b, e);
}

static int
make_table_with(struct firewall *f, const struct network_elements *l, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	nft_begin(&b, &f->nl);
	firewall_table_put(&b, f->table);
	for (size_t i = 0; i < l->n; i++)
		nft_put_elements(&b, f->table, l->v[i].set, &l->v[i].element, 1, NFT_ADD);
	return nft_commit(&f->nl, &b, e);
}

/*
 * Asks for the table rather than trying: the kernel waits a grace period, 7 to 15 ms, before it answers
 * a transaction that it has to take back.
 */
static int
put_network(struct firewall *f, const struct network_elements *l, struct err *e)
{
	int there = nft_get_table(&f->nl, f->table, e);

	if (there == -1)
		return -1;
	if (there == 0 && (make_table_with(f, l, e) == 0 || e->no != EEXIST))
		return err_is_set(e) ? -1 : 0;
	err_clear(e);
	return add_network(f, l, e);
}

/* True if every element is there already; looking changes nothing and takes no lock of the kernel's. */
static bool
is_complete(struct firewall *f, const struct network_elements *l)
{
	struct err e = {0};

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].element.flags == 0 && nft_get_element(&f->nl, f->table, l->v[i].set,
						      &l->v[i].element, NULL, 0, &e) != 1)
			return false;
	return true;
}

static bool
is_bridge(const struct rec_net_hold *h)
{
	return h->driver == NULL || strcmp(h->driver, "bridge") == 0;
}

/*
 * Its tables tell more quickly than the bus that there is none, and in which namespace it is.  While it loads its rules
 * anew it has only the one that shuts everything, and answers when it has both.
 */
static bool
has_firewalld(struct firewall *f)
{
	struct err e = {0};

	return nft_get_table(&f->nl, "firewalld", &e) == 1 ||
	       nft_get_table(&f->nl, "firewalld_policy_drop", &e) == 1;
}

/*
 * A firewalld that looks after this namespace lets the network through.  That it cannot be asked is no reason not to
 * start the container, which it may well let through.
 */
static int
trust(struct firewall *f, const struct rec_net_hold *h, bool no_more, struct err *e)
{
	bool must = f->driver == FIREWALL_FIREWALLD && !no_more;
	int r;

	if (f->alone || h->internal || h->subnets.n == 0)
		return 0;
	if (!must && !has_firewalld(f))
		return 0;
	r = firewalld_trust(&h->subnets, no_more, e);
	if (r == 0 && must)
		return err_set(e, ERR_NETWORK, "firewall_driver is firewalld, but it does not run");
	if (r >= 0 || must)
		return r < 0 ? -1 : 0;
	log_warn("network %s: %s", h->network, e->text);
	err_clear(e);
	return 0;
}

int
firewall_network(struct firewall *f, const struct rec_net_hold *h, bool again, struct err *e)
{
	own(network_elements_free) struct network_elements l = {0};

	if (f->driver == FIREWALL_NONE || h->interface == NULL || h->unmanaged || !is_bridge(h))
		return 0;
	network_elements(&l, h, f->names_port, false);
	if (need_socket(f, e) != 0)
		return -1;
	again |= !is_complete(f, &l);
	/* Each time: firewalld's rules may have been loaded anew, of which ours know nothing. */
	if (trust(f, h, false, e) != 0)
		return -1;
	if (again && put_network(f, &l, e) != 0) {
		/* Definitions that were written by hand; what is the same is no fault. */
		if (e->no == EEXIST)
			return err_set(e, ERR_EXISTS,
			    "network %s: one of its subnets overlaps that of another network",
			    h->network);
		if (e->no != ENOENT)
			return err_wrap(e, "table inet %s", f->table);
		err_clear(e);
		if (make_table(f, e) != 0 || add_network(f, &l, e) != 0)
			return -1;
	}
	return 0;
}

/*
 * Those that are there, in one transaction.  What is missing would undo it, and the kernel holds up everybody who
 * changes nftables for a grace period then.
 */
static int
remove_network(struct firewall *f, struct network_elements *l, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	bool there = false, any = false;

	nft_begin(&b, &f->nl);
	for (size_t i = 0; i < l->n; i++) {
		struct nft_element *x = &l->v[i].element;

		x->data_size = 0;
		x->comment = NULL;
		/* The end of an interval goes with its beginning. */
		if (x->flags == 0) {
			int found = nft_get_element(&f->nl, f->table, l->v[i].set, x, NULL, 0, e);

			if (found < 0)
				return -1;
			there = found == 1;
		}
		if (there)
			nft_put_elements(&b, f->table, l->v[i].set, x, 1, NFT_REMOVE);
		any |= there;
	}
	return any ? nft_commit(&f->nl, &b, e) : 0;
}

int
firewall_forget(struct firewall *f, const struct rec_net_hold *h, struct err *e)
{
	own(network_elements_free) struct network_elements l = {0};

	if (f->driver == FIREWALL_NONE || h->interface == NULL)
		return 0;
	if (need_socket(f, e) != 0)
		return -1;
	if (is_bridge(h) && !h->unmanaged)
		(void)trust(f, h, true, e);
	network_elements(&l, h, f->names_port, true);
	f->changed = true;
	return remove_network(f, &l, e);
}

int
firewall_remove(struct firewall *f, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	if (f->driver == FIREWALL_NONE)
		return 0;
	if (need_socket(f, e) != 0)
		return -1;
	nft_begin(&b, &f->nl);
	nft_put_delete_table(&b, f->table);
	if (nft_commit(&f->nl, &b, e) != 0 && e->no != ENOENT)
		return -1;
	err_clear(e);
	f->changed = true;
	return 0;
}

/* --- Published ports ------------------------------------------------------------------------------ */

static const struct port_set {
	const char *name;
	int family;
	bool at; /* the key begins with the host's address */
} port_sets[] = {
    {"ports4", AF_INET, false},
    {"ports6", AF_INET6, false},
    {"ports4_at", AF_INET, true},
    {"ports6_at", AF_INET6, true},
};

static void
port_element(struct nft_element *x, const struct port_set *set, const struct port *p, unsigned i,
    const struct addr *to)
{
	*x = (struct nft_element){0};
	if (set->at) {
		memcpy(x->key, p->host.b, p->host.len);
		x->key_size = p->host.len;
	}
	x->key[x->key_size] = p->protocol;
	x->key_size += 4;
	x->key_size += add_number(x->key + x->key_size, (uint16_t)(p->host_port + i));
	memcpy(x->data, to->b, to->len);
	x->data_size = to->len;
	x->data_size += add_number(x->data + x->data_size, (uint16_t)(p->container_port + i));
}

/* All elements that go to one of the sets; the caller frees them. */
static struct nft_element *
port_elements(const struct port_set *set, const struct port_list *ports,
    const struct firewall_target *t, const char *comment, size_t *n)
{
	const struct addr *to = set->family == AF_INET ? &t->to4 : &t->to6;
	struct nft_element *v = NULL;
	size_t cap = 0;

	*n = 0;
	for (size_t i = 0; i < ports->n && to->len != 0; i++) {
		const struct port *p = &ports->v[i];

		if (!(set->family == AF_INET ? p->ipv4 : p->ipv6) || (p->host.len != 0) != set->at)
			continue;
		v = mem_grow(v, &cap, *n + p->count, sizeof *v);
		for (unsigned k = 0; k < p->count; k++) {
			port_element(&v[*n], set, p, k, to);
			v[(*n)++].comment = comment;
		}
	}
	return v;
}

static void
make_comment(const struct firewall_target *t, char comment[100])
{
	snprintf(comment, 100, "%-12.12s %s%s%.60s", t->id, t->token, t->name != NULL ? " " : "",
	    t->name != NULL ? t->name : "");
}

static bool
carries_token(const char *comment, const char *token)
{
	size_t n = strlen(token);

	return strlen(comment) >= TOKEN_AT + n && strncmp(comment + TOKEN_AT, token, n) == 0 &&
	       (comment[TOKEN_AT + n] == ' ' || comment[TOKEN_AT + n] == '\0');
}

static int
lock_ports(const struct firewall *f, struct err *e)
{
	return lock_acquire(f->dir, "ports.lock", LOCK_EXCLUSIVE, 30000, e);
}

/* Adds all elements in one transaction; replace removes what has their keys before. */
static int
add_ports(struct firewall *f, const struct port_list *ports, const struct firewall_target *t,
    bool replace, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	char comment[100];

	make_comment(t, comment);
	nft_begin(&b, &f->nl);
	for (size_t i = 0; i < COUNTOF(port_sets); i++) {
		const char *name = port_sets[i].name;
		size_t n;
		own_mem struct nft_element *v = port_elements(&port_sets[i], ports, t, comment, &n);

		for (size_t k = 0; replace && k < n; k++) {
			struct nft_element old = v[k];
			own_netlink_batch struct netlink_batch ask = {0};

			old.data_size = 0;
			old.comment = NULL;
			if (nft_get_element(&f->nl, f->table, name, &old, NULL, 0, e) == 1)
				nft_put_elements(&b, f->table, name, &old, 1, NFT_REMOVE);
		}
		nft_put_elements(&b, f->table, name, v, n, NFT_ADD_NEW);
	}
	return nft_commit(&f->nl, &b, e);
}

int
firewall_publish(struct firewall *f, const struct port_list *ports, const struct firewall_target *t,
    struct err *e)
{
	own_fd int lock = -1;

	if (f->driver == FIREWALL_NONE)
		return 0;
	if (need_socket(f, e) != 0)
		return -1;
	if (add_ports(f, ports, t, false, e) == 0)
		return 0;
	if (e->no == ENOENT) {
		/* Somebody removed the table in the last seconds. */
		err_clear(e);
		if (make_table(f, e) != 0 || add_ports(f, ports, t, false, e) == 0)
			return err_is_set(e) ? -1 : 0;
	}
	if (e->no != EEXIST && e->no != EBUSY)
		return err_wrap(e, "publishing ports");
	err_clear(e);
	lock = lock_ports(f, e);
	if (lock < 0 || add_ports(f, ports, t, true, e) != 0)
		return err_wrap(e, "publishing ports");
	return 0;
}

/* Removes one at a time, as one that is missing would undo a whole transaction. */
static int
remove_port(struct firewall *f, const char *set, struct nft_element *x, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	x->data_size = 0;
	x->comment = NULL;
	nft_begin(&b, &f->nl);
	nft_put_elements(&b, f->table, set, x, 1, NFT_REMOVE);
	f->changed = true;
	if (nft_commit(&f->nl, &b, e) != 0 && e->no != ENOENT)
		return -1;
	err_clear(e);
	return 0;
}

int
firewall_withdraw(struct firewall *f, const struct port_list *ports,
    const struct firewall_target *t, struct err *e)
{
	own_fd int lock = -1;

	if (ports->n == 0 || f->driver == FIREWALL_NONE)
		return 0;
	if (need_socket(f, e) != 0 || (lock = lock_ports(f, e)) < 0)
		return -1;
	for (size_t i = 0; i < COUNTOF(port_sets); i++) {
		size_t n;
		own_mem struct nft_element *v = port_elements(&port_sets[i], ports, t, NULL, &n);

		for (size_t k = 0; k < n; k++) {
			char comment[128];

			v[k].data_size = 0;
			if (nft_get_element(&f->nl, f->table, port_sets[i].name, &v[k], comment,
				sizeof comment, e) != 1 ||
			    !carries_token(comment, t->token))
				continue;
			if (remove_port(f, port_sets[i].name, &v[k], e) != 0)
				return -1;
		}
	}
	err_clear(e);
	return 0;
}

struct found_ports {
	struct {
		struct nft_element element;
		char comment[128];
	} * v;
	size_t n, cap;
};

static void
note_port(const struct nft_element *x, void *arg)
{
	struct found_ports *l = arg;

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n].element = *x;
	snprintf(
	    l->v[l->n++].comment, sizeof l->v->comment, "%s", x->comment != NULL ? x->comment : "");
}

static bool
is_known(const char *comment, const struct strv *tokens)
{
	for (size_t i = 0; i < tokens->n; i++)
		if (carries_token(comment, tokens->v[i]))
			return true;
	return false;
}

static int
sweep_ports(
    struct firewall *f, struct found_ports found[], const struct strv *tokens, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(port_sets); i++)
		for (size_t k = 0; k < found[i].n; k++)
			if (!is_known(found[i].v[k].comment, tokens) &&
			    remove_port(f, port_sets[i].name, &found[i].v[k].element, e) != 0)
				return -1;
	return 0;
}

int
firewall_sweep(struct firewall *f, firewall_tokens_fn *tokens, void *arg, struct err *e)
{
	struct found_ports found[COUNTOF(port_sets)] = {0};
	own_strv struct strv known = {0};
	own_fd int lock = -1;
	int rc = 0;

	if (f->driver == FIREWALL_NONE)
		return 0;
	if (need_socket(f, e) != 0 || (lock = lock_ports(f, e)) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < COUNTOF(port_sets); i++)
		rc =
		    nft_list_elements(&f->nl, f->table, port_sets[i].name, note_port, &found[i], e);
	if (rc == 0)
		rc = tokens(arg, &known, e);
	if (rc == 0)
		rc = sweep_ports(f, found, &known, e);
	for (size_t i = 0; i < COUNTOF(port_sets); i++)
		free(found[i].v);
	return rc;
}
