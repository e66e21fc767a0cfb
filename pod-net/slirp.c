/* SPDX-License-Identifier: ISC */
#include "pod-net/slirp.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-net/helper.h"
#include "pod-net/netns.h"

#define ANSWER_MAX 4096
#define ANSWER_S 10
#define READY_FD 3
#define END_FD 4

static int
bool_option(const char *name, const char *value, bool *out, struct err *e)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
		*out = value[0] == 't';
		return 0;
	}
	return err_set(e, ERR_INVALID, "invalid value of %s for slirp4netns: \"%s\"", name, value);
}

/* The user's options, as Podman names them. */
struct chosen {
	bool host_loopback, ipv6;
	uint64_t mtu;
	const char *outbound, *outbound6; /* an address or, for IPv4, an interface */
	struct prefix cidr;
};

/* The numbers that slirp4netns gives to itself and to the container: cidr must have room for 100. */
#define CIDR_MAX_LENGTH 25
#define HOST_NUMBER 2
#define DNS_NUMBER 3
#define GUEST_NUMBER 100

static int
cidr_option(const char *value, struct prefix *out, struct err *e)
{
	if (addr_parse_prefix(value, out) != 0 || out->addr.len != 4 || out->bits == 0 ||
	    out->bits > CIDR_MAX_LENGTH)
		return err_set(e, ERR_INVALID, "invalid cidr %s", value);
	out->addr = addr_first(out);
	return 0;
}

static int
outbound_option(const char *value, uint8_t length, const char **out, struct err *e)
{
	struct addr a;

	if (addr_parse(value, &a) == 0 ? a.len != length : length != 4 || *value == '\0')
		return err_set(e, ERR_INVALID, "invalid outbound address %s", value);
	*out = value;
	return 0;
}

static void
number_of(const struct prefix *cidr, unsigned number, struct addr *out)
{
	*out = cidr->addr;
	out->b[3] = (uint8_t)(out->b[3] + number);
}

static void
set_net(const struct prefix *cidr, struct slirp_net *net)
{
	struct prefix guest = *cidr;
	struct addr a;

	number_of(cidr, GUEST_NUMBER, &guest.addr);
	addr_format_prefix(&guest, net->address);
	number_of(cidr, HOST_NUMBER, &a);
	addr_format(&a, net->host);
	number_of(cidr, DNS_NUMBER, &a);
	addr_format(&a, net->dns);
}

static int
read_option(const char *option, struct chosen *c, struct err *e)
{
	const char *value = strchr(option, '=');
	int n = value != NULL ? (int)(value - option) : (int)strlen(option);
	own_mem char *name = xstrndup(option, (size_t)n);

	value = value != NULL ? value + 1 : "";
	if (strcmp(name, "allow_host_loopback") == 0)
		return bool_option(name, value, &c->host_loopback, e);
	if (strcmp(name, "enable_ipv6") == 0)
		return bool_option(name, value, &c->ipv6, e);
	if (strcmp(name, "mtu") == 0)
		return text_to_u64(value, 65521, &c->mtu) == 0
			   ? 0
			   : err_set(e, ERR_INVALID, "invalid mtu \"%s\"", value);
	if (strcmp(name, "cidr") == 0)
		return cidr_option(value, &c->cidr, e);
	if (strcmp(name, "outbound_addr") == 0)
		return outbound_option(value, 4, &c->outbound, e);
	if (strcmp(name, "outbound_addr6") == 0)
		return outbound_option(value, 16, &c->outbound6, e);
	if (strcmp(name, "port_handler") == 0) {
		if (strcmp(value, "slirp4netns") == 0 || strcmp(value, "rootlesskit") == 0)
			return 0;
		return err_set(
		    e, ERR_INVALID, "unknown port_handler for slirp4netns: \"%s\"", value);
	}
	return err_set(e, ERR_UNSUPPORTED, "option %s for slirp4netns is not supported", option);
}

int
slirp_arguments(struct slirp *s, const char *netns_path, const char *socket_path, int ready,
    int end, struct strv *argv, struct err *e)
{
	struct chosen c = {.mtu = 65520};
	char cidr[ADDR_TEXT];

	(void)addr_parse_prefix("10.0.2.0/24", &c.cidr);
	for (size_t i = 0; i < s->job.options->n; i++)
		if (read_option(s->job.options->v[i], &c, e) != 0)
			return -1;
	s->maps_host = c.host_loopback;
	s->ipv6 = c.ipv6;
	set_net(&c.cidr, &s->net);
	strv_add(argv, s->job.path);
	strv_add(argv, "-c");
	strv_addf(argv, "--mtu=%llu", (unsigned long long)c.mtu);
	if (!c.host_loopback)
		strv_add(argv, "--disable-host-loopback");
	if (c.ipv6)
		strv_add(argv, "--enable-ipv6");
	addr_format_prefix(&c.cidr, cidr);
	strv_addf(argv, "--cidr=%s", cidr);
	if (c.outbound != NULL)
		strv_addf(argv, "--outbound-addr=%s", c.outbound);
	if (c.outbound6 != NULL)
		strv_addf(argv, "--outbound-addr6=%s", c.outbound6);
	strv_addf(argv, "--ready-fd=%d", ready);
	strv_addf(argv, "--exit-fd=%d", end);
	if (s->job.ports->n > 0)
		strv_addf(argv, "--api-socket=%s", socket_path);
	strv_add(argv, "--netns-type=path");
	strv_add(argv, netns_path);
	strv_add(argv, SLIRP_INTERFACE);
	return 0;
}

static int
connect_to(const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_LIMIT, "path of a socket is too long: %s", path);
	memcpy(a.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		return err_sys(e, "connecting to slirp4netns");
	return fd_take(&fd);
}

int
slirp_answer(const char *bytes, size_t n, struct err *e)
{
	own_json json_t *answer = json_read(bytes, n, e);
	json_t *error = NULL;
	const char *what = "no reason given";
	char text[256];

	if (answer == NULL || json_want_obj(answer, "error", &error, e) != 0)
		return err_wrap(e, "answer of slirp4netns");
	if (error == NULL)
		return 0;
	if (json_want_str(error, "desc", &what, e) != 0)
		return err_wrap(e, "answer of slirp4netns");
	text_escape(what != NULL ? what : "no reason given", text, sizeof text);
	return err_set(e, ERR_EXISTS, "slirp4netns cannot publish a port: %s", text);
}

static int
ask(const char *path, const json_t *request, struct err *e)
{
	const struct timeval limit = {.tv_sec = ANSWER_S};
	own_mem char *text = json_text(request), *answer = NULL;
	own_fd int fd = connect_to(path, e);
	size_t n;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
	    write(fd, text, strlen(text)) != (ssize_t)strlen(text) || shutdown(fd, SHUT_WR) != 0)
		return err_sys(e, "asking slirp4netns");
	if (file_slurp(fd, ANSWER_MAX, "answer of slirp4netns", &answer, &n, e) != 0)
		return -1;
	return slirp_answer(answer, n, e);
}

static int
publish(
    const struct slirp *s, const char *socket_path, const struct port *p, unsigned i, struct err *e)
{
	own_mem char *guest = xstrndup(s->net.address, strcspn(s->net.address, "/"));
	own_json json_t *request = json_obj();
	char host[ADDR_TEXT] = "0.0.0.0";
	json_t *a;

	if (!p->ipv4)
		return err_set(e, ERR_UNSUPPORTED, "slirp4netns publishes ports by IPv4 only");
	if (p->host.len != 0)
		addr_format(&p->host, host);
	json_put_str(request, "execute", "add_hostfwd");
	a = json_put_obj(request, "arguments");
	json_put_str(a, "proto", port_protocol_name(p->protocol));
	json_put_str(a, "host_addr", host);
	json_put_int(a, "host_port", p->host_port + i);
	json_put_str(a, "guest_addr", guest);
	json_put_int(a, "guest_port", p->container_port + i);
	return ask(socket_path, request, e);
}

/*
 * The address of IPv6 is of use at once if nobody looks for others that have it, and there is nobody else: tap0
 * is made as the default says, which is put back afterwards.  Returns -1 where there is nothing to put back.
 */
static int
skip_dad(const struct slirp *s, char *had)
{
	struct err e = {0};
	own_fd int fd = s->ipv6 ? netns_open_dad(s->job.netns, &e) : -1;

	if (fd < 0 || pread(fd, had, 1, 0) != 1 || pwrite(fd, "0", 1, 0) != 1)
		return -1;
	return fd_take(&fd);
}

static int
run(struct slirp *s, const struct strv *argv, int end, struct err *e)
{
	char had = '1';
	own_fd int dad = skip_dad(s, &had);
	int rc = helper_run_on(argv, end, s->job.dir, s->job.id, e);

	/* Left as it is, the value harms nobody. */
	if (dad >= 0)
		(void)!pwrite(dad, &had, 1, 0);
	return rc;
}

static int
start_at(struct slirp *s, const char *link, const char *socket_path, struct err *e)
{
	own_strv struct strv argv = {0};
	own_fd int ours = -1, theirs = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_sys(e, "making a socket pair");
	ours = pair[0];
	theirs = pair[1];
	if (slirp_arguments(s, link, socket_path, READY_FD, END_FD, &argv, e) != 0 ||
	    run(s, &argv, theirs, e) != 0)
		return -1;
	for (size_t i = 0; i < s->job.ports->n; i++)
		for (unsigned k = 0; k < s->job.ports->v[i].count; k++)
			if (publish(s, socket_path, &s->job.ports->v[i], k, e) != 0)
				return -1;
	s->holder = fd_take(&ours);
	return 0;
}

int
slirp_start(struct slirp *s, struct err *e)
{
	own_mem char *link = xasprintf("%s/net/helpers/%s", s->job.run_root, s->job.id);
	own_mem char *socket_path =
	    xasprintf("%s/net/helpers/%.12s.sock", s->job.run_root, s->job.id);
	struct helper_anchor anchor;
	int rc;

	if (helper_place(&anchor, s->job.dir, s->job.id, s->job.netns, e) != 0)
		return -1;
	rc = start_at(s, link, socket_path, e);
	helper_anchor_end(&anchor);
	if (rc != 0)
		helper_end(s->job.dir, s->job.id);
	return rc;
}
