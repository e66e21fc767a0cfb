/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_ports.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_list.h"

#define EXPOSE_MAX 65536

static int
parse_port(const char *s, uint64_t *out, struct err *e)
{
	int64_t n;

	if (text_to_i64(s, INT32_MIN, INT32_MAX, &n) < 0)
		return err_set(e, ERR_INVALID,
		    "invalid port number: strconv.Atoi: parsing \"%s\": invalid syntax", s);
	if (n < 1 || n > 65535)
		return err_set(e, ERR_INVALID,
		    "port numbers must be between 1 and 65535 (inclusive), got %lld", (long long)n);
	*out = (uint64_t)n;
	return 0;
}

/* FIRST or FIRST-LAST; s is cut. */
static int
parse_range(char *s, uint64_t *first, uint64_t *count, struct err *e)
{
	char *last = strchr(s, '-');
	uint64_t end;

	if (last == s)
		return err_set(e, ERR_INVALID, "port numbers cannot be negative");
	if (last != NULL)
		*last++ = '\0';
	if (parse_port(s, first, e) < 0)
		return -1;
	*count = 1;
	if (last == NULL)
		return 0;
	if (*last == '\0')
		return err_set(e, ERR_INVALID, "must provide ending number for port range");
	if (strchr(last, '-') != NULL)
		return err_set(e, ERR_INVALID,
		    "invalid port format - port ranges are formatted as startPort-stopPort");
	if (parse_port(last, &end, e) < 0)
		return -1;
	if (end <= *first)
		return err_set(e, ERR_INVALID,
		    "the end port of a range must be higher than the start port - %llu is not "
		    "higher "
		    "than %llu",
		    (unsigned long long)end, (unsigned long long)*first);
	*count = end - *first + 1;
	return 0;
}

static int
parse_protocol(const char *s, struct arena *a, const char **out, struct err *e)
{
	static const char *const known[] = {"tcp", "udp", "sctp"};

	(void)a;
	if (*s == '\0')
		return err_set(e, ERR_INVALID, "must provide a non-empty protocol to publish");
	for (size_t i = 0; i < COUNTOF(known); i++)
		if (strcasecmp(known[i], s) == 0) {
			*out = known[i];
			return 0;
		}
	return err_set(
	    e, ERR_INVALID, "unrecognized protocol \"%s\" in port mapping: invalid argument", s);
}

/* The canonical text of an address; the wildcard of IPv4 is the same as none. */
static int
parse_address(const char *s, struct arena *a, const char **out, struct err *e)
{
	uint8_t raw[16];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;

	if (*s == '\0')
		return err_set(
		    e, ERR_INVALID, "must provide a non-empty container host IP to publish");
	if (inet_pton(family, s, raw) != 1)
		return err_set(e, ERR_INVALID, "cannot parse \"%s\" as an IP address", s);
	inet_ntop(family, raw, text, sizeof(text));
	if (strcmp(text, "0.0.0.0") != 0)
		*out = arena_strdup(a, text);
	return 0;
}

/* Takes "[v6]:" off the front of *rest into *address. */
static int
take_bracketed(char **rest, char **address, struct err *e)
{
	char *end = strchr(*rest, ']');

	*address = NULL;
	if (end == NULL)
		return 0;
	if (**rest != '[')
		return err_set(
		    e, ERR_INVALID, "invalid port format - IPv6 addresses must be enclosed by []");
	if (end[1] != ':')
		return err_set(e, ERR_INVALID,
		    "invalid port format - IPv6 address must be followed by a colon (':')");
	*end = '\0';
	*address = *rest + 1;
	*rest = end + 2;
	return 0;
}

/* Splits the rest of "[hostIP:][hostPort:]containerPort". */
static int
split_ports(char *rest, char **address, char **host, char **container, struct err *e)
{
	char *part[3] = {0};
	size_t n = 0;

	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, ":");
	if (rest != NULL)
		return err_set(e, ERR_INVALID,
		    "invalid port format - format is [[hostIP:]hostPort:]containerPort");
	if (*address != NULL && n != 2)
		return err_set(e, ERR_INVALID,
		    n == 1 ? "invalid port format - must provide host and destination port if "
			     "specifying an IP"
			   : "invalid port format - when v6 address specified, must be "
			     "[ipv6]:hostPort:ctrPort");
	if (n == 3)
		*address = part[0];
	*host = n == 1 ? NULL : part[n - 2];
	*container = part[n - 1];
	return 0;
}

int
spec_ports_parse(const char *word, struct arena *a, struct rec_port_map *out, struct err *e)
{
	char *rest = arena_strdup(a, word), *slash = strchr(rest, '/');
	char *address = NULL, *host = NULL, *container = NULL;
	uint64_t host_count;

	memset(out, 0, sizeof(*out));
	out->protocol = "tcp";
	if (slash != NULL) {
		*slash++ = '\0';
		if (strchr(slash, '/') != NULL)
			return err_set(e, ERR_INVALID,
			    "invalid port format - protocol can only be specified once");
		if (parse_protocol(slash, a, &out->protocol, e) < 0)
			return -1;
	}
	if (take_bracketed(&rest, &address, e) < 0 ||
	    split_ports(rest, &address, &host, &container, e) < 0)
		return -1;
	if (*container == '\0')
		return err_set(
		    e, ERR_INVALID, "must provide a non-empty container port to publish");
	if (parse_range(container, &out->container_port, &out->range, e) < 0)
		return err_wrap(e, "parsing container port");
	if (address != NULL && parse_address(address, a, &out->host_ip, e) < 0)
		return -1;
	if (host == NULL || *host == '\0')
		return 0;
	if (parse_range(host, &out->host_port, &host_count, e) < 0)
		return err_wrap(e, "parsing host port");
	if (host_count != out->range)
		return err_set(e, ERR_INVALID,
		    "host and container port ranges have different lengths: %llu vs %llu",
		    (unsigned long long)host_count, (unsigned long long)out->range);
	return 0;
}

static bool
same_address(const struct rec_port_map *a, const struct rec_port_map *b)
{
	return a->host_ip == NULL || b->host_ip == NULL || strcmp(a->host_ip, b->host_ip) == 0;
}

static bool
overlap(const struct rec_port_map *a, const struct rec_port_map *b)
{
	return a->host_port < b->host_port + b->range && b->host_port < a->host_port + a->range;
}

static bool
is_general(const char *host_ip)
{
	return host_ip == NULL || strcmp(host_ip, "0.0.0.0") == 0;
}

/* Grows p over q if they lead the same ports to the same place, as Podman does with what is said twice. */
static bool
absorb(struct rec_port_map *p, const struct rec_port_map *q)
{
	uint64_t end = p->host_port + p->range, other = q->host_port + q->range;
	bool general = is_general(p->host_ip) && is_general(q->host_ip);

	if (strcmp(p->protocol, q->protocol) != 0 ||
	    p->host_port - p->container_port != q->host_port - q->container_port ||
	    !(general ||
		(p->host_ip != NULL && q->host_ip != NULL && strcmp(p->host_ip, q->host_ip) == 0)))
		return false;
	if (p->host_port == 0 || q->host_port == 0
		? p->host_port != q->host_port || p->range != q->range
		: !overlap(p, q))
		return false;
	if (p->host_port > q->host_port) {
		p->host_port = q->host_port;
		p->container_port = q->container_port;
	}
	p->range = (end > other ? end : other) - p->host_port;
	if (general && (p->host_ip == NULL || q->host_ip == NULL))
		p->host_ip = NULL;
	return true;
}

static void
absorb_all(struct rec_ctr_config *c, struct rec_port_map *p)
{
	for (size_t i = 0; i < c->ports.n;) {
		struct rec_port_map *q = &c->ports.v[i];

		if (!absorb(p, q)) {
			i++;
			continue;
		}
		memmove(q, q + 1, (--c->ports.n - i) * sizeof(*q));
		/* It may have grown into others. */
		i = 0;
	}
}

/* Two mappings that claim one port of the host cannot both work. */
static int
check_conflicts(const struct rec_ctr_config *c, const struct rec_port_map *p, struct err *e)
{
	for (size_t i = 0; i < c->ports.n; i++) {
		const struct rec_port_map *q = &c->ports.v[i];

		if (p->host_port != 0 && q->host_port != 0 &&
		    strcmp(p->protocol, q->protocol) == 0 && same_address(p, q) && overlap(p, q))
			return err_set(e, ERR_INVALID,
			    "conflicting port mappings for host port %llu (protocol %s)",
			    (unsigned long long)(p->host_port > q->host_port ? p->host_port
									     : q->host_port),
			    p->protocol);
	}
	return 0;
}

/* PORT[-PORT][/protocol] into the list of exposed ports. */
static int
expose(const char *word, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	char *s = arena_strdup(a, word), *slash = strchr(s, '/');
	const char *protocol = "tcp";
	uint64_t first, count;

	if (slash != NULL) {
		*slash++ = '\0';
		if (strchr(slash, '/') != NULL)
			return err_set(e, ERR_INVALID,
			    "invalid expose format - protocol can only be specified once");
		if (parse_protocol(slash, a, &protocol, e) < 0)
			return -1;
	}
	if (parse_range(s, &first, &count, e) < 0)
		return -1;
	if (c->expose.n + count > EXPOSE_MAX)
		return err_set(e, ERR_LIMIT, "more than %d exposed ports", EXPOSE_MAX);
	for (uint64_t i = 0; i < count; i++)
		spec_list_addf(a, &c->expose, "%llu/%s", (unsigned long long)(first + i), protocol);
	return 0;
}

static bool
has_own_ports(const char *mode)
{
	return strcmp(mode, "none") != 0 && strcmp(mode, "host") != 0 &&
	       !text_has_prefix(mode, "container:");
}

int
spec_ports_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;

	for (size_t i = 0; i < o->publish.n; i++) {
		struct rec_port_map p;

		if (spec_ports_parse(o->publish.v[i], a, &p, e) < 0)
			return -1;
		absorb_all(c, &p);
		if (check_conflicts(c, &p, e) < 0)
			return -1;
		*SPEC_PUSH(a, &c->ports) = p;
	}
	for (size_t i = 0; i < o->expose.n; i++)
		if (expose(o->expose.v[i], c, a, e) < 0)
			return -1;
	c->publish_all = o->publish_all;
	if ((c->ports.n > 0 || c->publish_all) && !has_own_ports(c->network_mode)) {
		log_warn("Port mappings have been discarded as one of the Host, Container, Pod, "
			 "and None network modes are in use");
		c->ports.n = 0;
		c->publish_all = false;
	}
	return 0;
}

static bool
is_published(const struct rec_ctr_config *c, uint64_t port, const char *protocol)
{
	for (size_t i = 0; i < c->ports.n; i++) {
		const struct rec_port_map *p = &c->ports.v[i];

		if (strcmp(p->protocol, protocol) == 0 && port >= p->container_port &&
		    port < p->container_port + p->range)
			return true;
	}
	return false;
}

int
spec_ports_merge(
    const struct rec_image_config *image, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	for (size_t i = 0; image != NULL && i < image->exposed_ports.n; i++)
		if (expose(image->exposed_ports.v[i], c, a, e) < 0)
			return err_wrap(e, "exposed port of the image");
	spec_list_sort(&c->expose);
	for (size_t i = 0; c->publish_all && i < c->expose.n; i++) {
		struct rec_port_map p;

		if (spec_ports_parse(c->expose.v[i], a, &p, e) < 0)
			return -1;
		if (!is_published(c, p.container_port, p.protocol))
			*SPEC_PUSH(a, &c->ports) = p;
	}
	return 0;
}
