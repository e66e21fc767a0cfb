/* SPDX-License-Identifier: ISC */
#include "pod-net/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/oci/network_json.h"
#include "pod-net/driver.h"
#include "pod-net/link.h"

#define USED_MAX 4096
#define LOCK_TIME_MS 40000 /* by then a driver that hangs has been ended */
#define INDENT "     "

/* What a new subnet must not overlap. */
struct used {
	struct prefix *v;
	size_t n, cap;
	size_t reserved; /* the first of them, which no network can have */
};

struct making {
	struct rec_network *n;
	const struct create_rules *r;
	struct arena *a;
	const struct driver *driver;
	struct used used;
	bool shared; /* bridge and subnets may be those of other networks */
};

static const char *
ipam_driver(const struct rec_network *n)
{
	for (size_t i = 0; i < n->ipam_options.n; i++)
		if (strcmp(n->ipam_options.v[i].key, "driver") == 0)
			return n->ipam_options.v[i].value;
	return "";
}

static void
set_ipam_driver(struct making *m, const char *value)
{
	struct rec_network *n = m->n;
	struct rec_kv *v = arena_array(m->a, n->ipam_options.n + 1, sizeof *v);
	size_t k = 0;

	for (size_t i = 0; i < n->ipam_options.n; i++)
		if (strcmp(n->ipam_options.v[i].key, "driver") != 0)
			v[k++] = n->ipam_options.v[i];
	v[k].key = "driver";
	v[k++].value = value;
	n->ipam_options.v = v;
	n->ipam_options.n = k;
}

/* --- What is used --------------------------------------------------------------------------------- */

static void
add_used(struct used *u, const struct prefix *p)
{
	u->v = mem_grow(u->v, &u->cap, u->n + 1, sizeof *u->v);
	u->v[u->n++] = *p;
}

static int
note_route(const struct prefix *to, void *arg)
{
	/* A default route is everywhere. */
	if (to->bits > 0)
		add_used(arg, to);
	return 0;
}

/* Every host has the loopback and link-local ones; multicast addresses are nobody's. */
static void
add_reserved(struct used *u)
{
	static const char *const reserved[] = {
	    "127.0.0.0/8", "224.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8"};

	for (size_t i = 0; i < COUNTOF(reserved); i++) {
		struct prefix p;

		if (addr_parse_prefix(reserved[i], &p) == 0)
			add_used(u, &p);
	}
	u->reserved = u->n;
}

static int
find_used(struct making *m, struct err *e)
{
	own_mem struct link_address *v = xcalloc(USED_MAX, sizeof *v);
	const struct network_list *l = m->r->networks;
	size_t n = 0;

	add_reserved(&m->used);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->v[i].subnets.n; k++) {
			struct prefix p;

			if (addr_parse_prefix(l->v[i].subnets.v[k].subnet, &p) == 0)
				add_used(&m->used, &p);
		}
	if (link_list_addresses(m->r->host, v, USED_MAX, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add_used(&m->used, &v[i].address);
	return link_list_routes(m->r->host, note_route, &m->used, e);
}

static bool
is_among(const struct used *u, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (u->v[i].addr.len == p->addr.len && addr_overlap(&u->v[i], p))
			return true;
	return false;
}

static bool
is_used(const struct used *u, const struct prefix *p)
{
	return is_among(u, u->n, p);
}

/* A bridge brings its subnet to this host; that of a parent's wire is its neighbours', and often here too. */
static bool
is_taken(const struct making *m, const struct prefix *p)
{
	return m->driver->bridge ? !m->shared && is_used(&m->used, p)
				 : is_among(&m->used, m->used.reserved, p);
}

/* --- Names ---------------------------------------------------------------------------------------- */

static const struct rec_network *
by_name(const struct create_rules *r, const char *name)
{
	for (size_t i = 0; i < r->networks->n; i++)
		if (strcmp(r->networks->v[i].name, name) == 0)
			return &r->networks->v[i];
	return NULL;
}

static bool
interface_taken(const struct create_rules *r, const char *interface)
{
	for (size_t i = 0; i < r->networks->n; i++)
		if (r->networks->v[i].interface != NULL &&
		    strcmp(r->networks->v[i].interface, interface) == 0)
			return true;
	return false;
}

/* The first of PREFIX0, PREFIX1, … that neither a network nor an interface has; 0 is the default one's. */
static const char *
free_name(struct making *m, bool as_network, struct err *e)
{
	for (unsigned i = 0; i < 100000; i++) {
		const char *name = arena_printf(m->a, "%s%u", m->r->prefix, i);
		struct link l;
		int found;

		if ((as_network ? by_name(m->r, name) != NULL : false) ||
		    interface_taken(m->r, name))
			continue;
		found = link_find(m->r->host, name, &l, e);
		if (found < 0)
			return NULL;
		if (found == 0)
			return name;
	}
	err_set(e, ERR_LIMIT, "could not find free device name, too many iterations");
	return NULL;
}

static int
set_name(struct making *m, struct err *e)
{
	struct rec_network *n = m->n;
	uint8_t raw[32];
	char id[65];
	struct timespec now;
	char created[HUMAN_MAX];

	if (n->name[0] == '\0') {
		n->name = free_name(m, true, e);
		if (n->name == NULL)
			return -1;
	} else if (!network_name_valid(n->name)) {
		return err_set(e, ERR_INVALID,
		    "network name %s invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: "
		    "invalid argument",
		    n->name);
	} else if (by_name(m->r, n->name) != NULL) {
		return err_set(
		    e, ERR_EXISTS, "network name %s already used: network already exists", n->name);
	}
	if (n->id[0] != '\0')
		return err_set(e, ERR_INVALID, "ID can not be set for network create");
	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return err_sys(e, "choosing an ID");
	text_hex(raw, sizeof raw, id);
	n->id = arena_strdup(m->a, id);
	clock_gettime(CLOCK_REALTIME, &now);
	n->created =
	    arena_strdup(m->a, human_rfc3339nano((int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
				   created, sizeof created));
	return 0;
}

/* --- Subnets -------------------------------------------------------------------------------------- */

static struct rec_net_subnet *
add_subnet(struct making *m, const struct prefix *p)
{
	struct rec_network *n = m->n;
	struct rec_net_subnet *v = arena_array(m->a, n->subnets.n + 1, sizeof *v);
	char text[ADDR_TEXT];

	if (n->subnets.n > 0)
		memcpy(v, n->subnets.v, n->subnets.n * sizeof *v);
	addr_format_prefix(p, text);
	v[n->subnets.n].subnet = arena_strdup(m->a, text);
	n->subnets.v = v;
	add_used(&m->used, p);
	return &v[n->subnets.n++];
}

static const struct create_pool *
usual_pools(size_t *n)
{
	static struct create_pool pools[5];
	static const char *const bases[] = {
	    "10.89.0.0/16", "10.90.0.0/15", "10.92.0.0/14", "10.96.0.0/11", "10.128.0.0/9"};

	for (size_t i = 0; i < COUNTOF(bases); i++) {
		(void)addr_parse_prefix(bases[i], &pools[i].base);
		pools[i].bits = 24;
	}
	*n = COUNTOF(bases);
	return pools;
}

/* The first free piece of a pool. */
static bool
cut(const struct making *m, const struct create_pool *pool, struct prefix *out)
{
	struct prefix p = {addr_first(&pool->base), pool->bits};
	struct addr last;

	while (addr_in(&p.addr, &pool->base)) {
		if (!is_used(&m->used, &p)) {
			*out = p;
			return true;
		}
		last = addr_last(&p);
		p.addr = addr_next(&last);
		if (addr_is_any(&p.addr))
			break;
	}
	return false;
}

static int
add_free4(struct making *m, struct err *e)
{
	const struct create_pool *pools = m->r->pools;
	size_t n = m->r->npools;
	struct prefix p;

	if (n == 0)
		pools = usual_pools(&n);
	for (size_t i = 0; i < n; i++)
		if (pools[i].base.addr.family == AF_INET && cut(m, &pools[i], &p)) {
			add_subnet(m, &p);
			return 0;
		}
	return err_set(e, ERR_LIMIT, "could not find free subnet from subnet pools");
}

/* RFC 4193: fd and forty random bits; libnetwork takes the subnet's sixteen at random too. */
static int
add_free6(struct making *m, struct err *e)
{
	struct prefix p = {.addr = {.family = AF_INET6, .len = 16}, .bits = 64};

	for (int i = 0; i < 10000; i++) {
		if (getrandom(p.addr.b, 8, 0) != 8)
			return err_sys(e, "choosing a subnet");
		p.addr.b[0] = 0xfd;
		if (!is_used(&m->used, &p)) {
			add_subnet(m, &p);
			return 0;
		}
	}
	return err_set(e, ERR_LIMIT, "failed to get random ipv6 subnet");
}

static int
check_gateway(
    struct making *m, struct rec_net_subnet *s, const struct prefix *p, bool wanted, struct err *e)
{
	char text[ADDR_TEXT];
	struct addr gw, first = addr_first(p), last = addr_last(p);

	if (s->gateway != NULL && s->gateway[0] != '\0') {
		if (addr_parse(s->gateway, &gw) != 0)
			return err_set(
			    e, ERR_INVALID, "gateway %s is not an IP address", s->gateway);
		if (!addr_in(&gw, p))
			return err_set(
			    e, ERR_INVALID, "gateway %s not in subnet %s", s->gateway, s->subnet);
		/* The kernel takes no route by it. */
		if (gw.family == AF_INET && p->bits < 31 && addr_compare(&gw, &last) == 0)
			return err_set(e, ERR_INVALID,
			    "gateway %s is the broadcast address of subnet %s", s->gateway,
			    s->subnet);
	} else if (wanted) {
		if (p->bits + 1 >= p->addr.len * 8u)
			return err_set(e, ERR_INVALID,
			    "subnet %s is too small to find a gateway: invalid argument",
			    s->subnet);
		gw = addr_next(&first);
	} else {
		s->gateway = NULL;
		return 0;
	}
	addr_format(&gw, text);
	s->gateway = arena_strdup(m->a, text);
	return 0;
}

static int
check_range(struct making *m, struct rec_net_subnet *s, const struct prefix *p, struct err *e)
{
	struct prefix range;
	char text[ADDR_TEXT];
	struct addr a, b, gw;

	if (s->range_start != NULL && addr_parse_prefix(s->range_start, &range) == 0) {
		/* "10.1.0.8/29": the network's own first address and gateway are never given. */
		range.addr = addr_first(&range);
		a = addr_first(&range);
		b = addr_last(&range);
		if (range.bits + 1 < range.addr.len * 8u)
			a = addr_next(&a);
		(void)addr_parse(s->gateway, &gw);
		addr_format(&a, text);
		s->range_start = arena_strdup(m->a, text);
		addr_format(&b, text);
		s->range_end = arena_strdup(m->a, text);
	}
	if (s->range_start != NULL && s->range_start[0] != '\0' &&
	    (addr_parse(s->range_start, &a) != 0 || !addr_in(&a, p)))
		return err_set(e, ERR_INVALID, "lease range start ip %s not in subnet %s",
		    s->range_start, s->subnet);
	if (s->range_end != NULL && s->range_end[0] != '\0' &&
	    (addr_parse(s->range_end, &b) != 0 || !addr_in(&b, p)))
		return err_set(e, ERR_INVALID, "lease range end ip %s not in subnet %s",
		    s->range_end, s->subnet);
	if (s->range_start != NULL && s->range_start[0] != '\0' && s->range_end != NULL &&
	    s->range_end[0] != '\0' && addr_compare(&a, &b) > 0)
		return err_set(e, ERR_INVALID,
		    "lease range start ip %s is behind its end ip %s: invalid argument",
		    s->range_start, s->range_end);
	return 0;
}

static int
check_subnet(struct making *m, size_t i, bool gateway, struct err *e)
{
	struct rec_net_subnet *s = &m->n->subnets.v[i];
	char text[ADDR_TEXT];
	struct prefix p, q;

	if (addr_parse_prefix(s->subnet, &p) != 0)
		return err_set(e, ERR_INVALID, "invalid CIDR address: %s", s->subnet);
	p.addr = addr_first(&p);
	addr_format_prefix(&p, text);
	s->subnet = arena_strdup(m->a, text);
	if (is_taken(m, &p))
		return err_set(e, ERR_INVALID,
		    "subnet %s is already used on the host or by another config", s->subnet);
	for (size_t k = 0; k < i; k++)
		if (addr_parse_prefix(m->n->subnets.v[k].subnet, &q) == 0 &&
		    q.addr.len == p.addr.len && addr_overlap(&p, &q))
			return err_set(e, ERR_INVALID,
			    "subnets %s and %s of the network overlap: invalid argument",
			    m->n->subnets.v[k].subnet, s->subnet);
	if (p.addr.family == AF_INET6)
		m->n->ipv6 = true;
	return check_gateway(m, s, &p, gateway, e) != 0 ? -1 : check_range(m, s, &p, e);
}

static bool
has_family(const struct rec_network *n, int family)
{
	struct prefix p;

	for (size_t i = 0; i < n->subnets.n; i++)
		if (addr_parse_prefix(n->subnets.v[i].subnet, &p) == 0 && p.addr.family == family)
			return true;
	return false;
}

/* The subnets of a parent's wire are known to the user only. */
static int
set_wire(struct making *m, size_t given, struct err *e)
{
	if (given == 0 && strcmp(ipam_driver(m->n), "") == 0)
		return err_set(
		    e, ERR_INVALID, "ipam driver dhcp is not supported with %s", m->driver->name);
	if (given == 0)
		return err_set(e, ERR_INVALID,
		    "%s driver needs at least one subnet specified when the host-local ipam driver "
		    "is set",
		    m->driver->name);
	set_ipam_driver(m, "host-local");
	return 0;
}

static int
set_subnets(struct making *m, struct err *e)
{
	struct rec_network *n = m->n;
	const char *ipam = ipam_driver(n);
	size_t given = n->subnets.n;

	if (m->driver->kind == DRIVER_PLUGIN && given == 0)
		return 0;
	if (strcmp(ipam, "none") == 0 || strcmp(ipam, "dhcp") == 0) {
		if (given > 0)
			return err_set(e, ERR_INVALID,
			    "%s ipam driver does not support subnets: invalid argument", ipam);
		return 0;
	}
	/* A copy: what is filled in belongs to us. */
	n->subnets.v = given > 0 ? memcpy(arena_array(m->a, given, sizeof *n->subnets.v),
				       n->subnets.v, given * sizeof *n->subnets.v)
				 : NULL;
	for (size_t i = 0; i < given; i++)
		if (check_subnet(m, i, m->driver->gateway && (!n->internal || n->dns), e) != 0)
			return -1;
	if (given == 0 && strcmp(ipam, "") == 0 && m->driver->ipam_default != NULL &&
	    strcmp(m->driver->ipam_default, "host-local") != 0) {
		set_ipam_driver(m, m->driver->ipam_default);
		n->dns = false;
		return 0;
	}
	if (m->driver->parent)
		return set_wire(m, given, e);
	if ((n->subnets.n == 0 || (n->ipv6 && !has_family(n, AF_INET))) && add_free4(m, e) != 0)
		return -1;
	if (n->ipv6 && !has_family(n, AF_INET6) && add_free6(m, e) != 0)
		return -1;
	m->shared = true; /* what was added is in the list of what is used */
	for (size_t i = given; i < n->subnets.n; i++)
		if (check_subnet(m, i, m->driver->gateway && (!n->internal || n->dns), e) != 0)
			return -1;
	set_ipam_driver(m, "host-local");
	return 0;
}

/* --- The rest ------------------------------------------------------------------------------------- */

static int
set_interface(struct making *m, struct err *e)
{
	struct rec_network *n = m->n;
	struct link l;

	if (n->interface != NULL && n->interface[0] == '\0')
		n->interface = NULL;
	if (n->interface != NULL &&
	    (strlen(n->interface) > 15 || !network_name_valid(n->interface)))
		return err_set(
		    e, ERR_INVALID, "interface name %s invalid: invalid argument", n->interface);
	if (m->driver->bridge) {
		if (n->interface == NULL)
			return (n->interface = free_name(m, false, e)) != NULL ? 0 : -1;
		if (!m->shared && interface_taken(m->r, n->interface))
			return err_set(
			    e, ERR_EXISTS, "bridge name %s already in use", n->interface);
		return 0;
	}
	if (m->driver->parent && n->interface != NULL && m->r->parents != NULL) {
		int found = link_find(m->r->parents, n->interface, &l, e);

		if (found == 0)
			return err_set(
			    e, ERR_INVALID, "parent interface %s does not exist", n->interface);
		return found < 0 ? -1 : 0;
	}
	return 0;
}

static int
check_routes(const struct rec_network *n, struct err *e)
{
	for (size_t i = 0; i < n->routes.n; i++) {
		const struct rec_net_route *r = &n->routes.v[i];
		bool unicast = r->type == NULL || strcmp(r->type, "unicast") == 0;
		struct prefix p;
		struct addr gw;

		if (addr_parse_prefix(r->destination, &p) != 0)
			return err_set(
			    e, ERR_INVALID, "route destination %s invalid", r->destination);
		if (!driver_route_type(r->type, NULL))
			return err_set(e, ERR_INVALID, "invalid route type %s", r->type);
		if (!unicast && r->gateway != NULL)
			return err_set(e, ERR_INVALID,
			    "a route of type %s has no gateway: invalid argument", r->type);
		if (unicast && r->gateway == NULL)
			return err_set(e, ERR_INVALID, "route gateway nil");
		if (unicast && (addr_parse(r->gateway, &gw) != 0 || gw.len != p.addr.len))
			return err_set(e, ERR_INVALID, "route gateway %s invalid for %s",
			    r->gateway, r->destination);
	}
	return 0;
}

static int
check_ipam(const struct making *m, struct err *e)
{
	const char *ipam = ipam_driver(m->n);

	if (m->driver->kind == DRIVER_PLUGIN)
		return 0;
	if (strcmp(ipam, "") == 0 || strcmp(ipam, "host-local") == 0 || strcmp(ipam, "none") == 0)
		return 0;
	if (strcmp(ipam, "dhcp") != 0)
		return err_set(e, ERR_INVALID, "unsupported ipam driver \"%s\"", ipam);
	if (!m->driver->dhcp && !m->shared)
		return err_set(e, ERR_INVALID,
		    "ipam driver dhcp is not supported with driver %s: invalid argument",
		    m->n->driver);
	if (m->n->internal)
		return err_set(e, ERR_INVALID, "internal is not supported with ipam driver dhcp");
	return 0;
}

static bool
option_is(const struct rec_network *n, const char *key, const char *value)
{
	for (size_t i = 0; i < n->options.n; i++)
		if (strcmp(n->options.v[i].key, key) == 0)
			return value == NULL || strcmp(n->options.v[i].value, value) == 0;
	return false;
}

static int
complete(struct making *m, struct err *e)
{
	struct rec_network *n = m->n;

	if (n->driver[0] == '\0')
		n->driver = "bridge";
	m->driver = driver_find(n->driver, m->r->drivers);
	if (m->driver == NULL)
		return err_set(
		    e, ERR_INVALID, "unsupported driver %s: invalid argument", n->driver);
	if (set_name(m, e) != 0 || driver_options(m->driver, n, m->a, e) != 0)
		return -1;
	if (m->driver->kind == DRIVER_PLUGIN && m->r->plugin(m->r->arg, n, m->a, e) != 0)
		return -1;
	m->shared =
	    m->r->overlaps || option_is(n, "vlan", NULL) || option_is(n, "mode", "unmanaged");
	if (check_ipam(m, e) != 0 || set_interface(m, e) != 0 || find_used(m, e) != 0)
		return -1;
	if (!m->driver->dns || strcmp(ipam_driver(n), "none") == 0 ||
	    strcmp(ipam_driver(n), "dhcp") == 0)
		n->dns = false;
	for (size_t i = 0; i < n->dns_servers.n; i++) {
		struct addr a;

		if (addr_parse(n->dns_servers.v[i], &a) != 0)
			return err_set(
			    e, ERR_INVALID, "unable to parse ip %s", n->dns_servers.v[i]);
	}
	if (n->dns_servers.n > 0 && !n->dns)
		return err_set(e, ERR_INVALID,
		    "cannot set NetworkDNSServers if DNS is not enabled for the network: invalid "
		    "argument");
	return set_subnets(m, e) != 0 ? -1 : check_routes(n, e);
}

int
create_complete(struct rec_network *n, const struct create_rules *r, struct arena *a, struct err *e)
{
	struct making m = {.n = n, .r = r, .a = a};
	int rc = complete(&m, e);

	free(m.used.v);
	return rc;
}

/* --- Files ---------------------------------------------------------------------------------------- */

static int
open_dir(const char *path, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;

	if (path[0] != '/')
		return err_set(
		    e, ERR_INVALID, "network configuration directory %s is not absolute", path);
	dir = path_mkdirs(root, path + 1, PATH_IN_ROOT, 0755, NULL, e);
	if (dir < 0)
		return err_wrap(e, "making the network configuration directory %s", path);
	return path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
}

int
create_write(const char *dir, const struct rec_network *n, struct err *e)
{
	own_fd int fd = open_dir(dir, e);
	own_strbuf struct strbuf b = {0};
	own_json json_t *j = network_json(n);
	own_mem char *file = xasprintf("%s.json", n->name);

	if (fd < 0)
		return -1;
	json_go(j, INDENT, &b);
	strbuf_addc(&b, '\n');
	return file_write(fd, file, b.s, b.n, 0644, 0, e);
}

int
create_remove(const char *dir, const char *name, struct err *e)
{
	own_fd int fd = open_dir(dir, e);
	own_mem char *file = xasprintf("%s.json", name);

	if (fd < 0)
		return -1;
	if (unlinkat(fd, file, 0) != 0 && errno != ENOENT)
		return err_sys(e, "removing the definition of network %s", name);
	return 0;
}

int
create_lock(const char *dir, struct err *e)
{
	own_fd int fd = open_dir(dir, e);

	if (fd < 0 || lock_take(fd, LOCK_EXCLUSIVE, LOCK_TIME_MS, dir, e) != 0)
		return -1;
	return fd_take(&fd);
}
