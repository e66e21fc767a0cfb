/* SPDX-License-Identifier: ISC */
#include "pod-net/slirp.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-net/helper.h"

#define ANSWER_MAX 4096
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
};

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
	if (strcmp(name, "port_handler") == 0 && strcmp(value, "slirp4netns") == 0)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "option %s for slirp4netns is not supported", option);
}

int
slirp_arguments(struct slirp *s, const char *netns_path, const char *socket_path, int ready,
    int end, struct strv *argv, struct err *e)
{
	struct chosen c = {.mtu = 65520};

	for (size_t i = 0; i < s->options->n; i++)
		if (read_option(s->options->v[i], &c, e) != 0)
			return -1;
	s->maps_host = c.host_loopback;
	strv_add(argv, s->path);
	strv_add(argv, "-c");
	strv_addf(argv, "--mtu=%llu", (unsigned long long)c.mtu);
	if (!c.host_loopback)
		strv_add(argv, "--disable-host-loopback");
	if (c.ipv6)
		strv_add(argv, "--enable-ipv6");
	strv_addf(argv, "--ready-fd=%d", ready);
	strv_addf(argv, "--exit-fd=%d", end);
	if (s->ports->n > 0)
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

/* One request per connection; the answer is {"return": …} or {"error": {"desc": …}}. */
static int
ask(const char *path, const json_t *request, struct err *e)
{
	own_mem char *text = json_text(request);
	own_fd int fd = connect_to(path, e);
	own_json json_t *answer = NULL;
	json_t *error = NULL;
	const char *what = "no reason given";

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || shutdown(fd, SHUT_WR) != 0)
		return err_sys(e, "asking slirp4netns");
	answer = json_read_fd(fd, ANSWER_MAX, "answer of slirp4netns", e);
	if (answer == NULL || json_want_obj(answer, "error", &error, e) != 0)
		return -1;
	if (error == NULL)
		return 0;
	if (json_want_str(error, "desc", &what, e) != 0)
		return -1;
	return err_set(e, ERR_EXISTS, "slirp4netns cannot publish a port: %s", what);
}

static int
publish(const char *socket_path, const struct port *p, unsigned i, struct err *e)
{
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
	json_put_str(a, "guest_addr", "10.0.2.100");
	json_put_int(a, "guest_port", p->container_port + i);
	return ask(socket_path, request, e);
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
	    helper_run_on(&argv, theirs, s->dir, s->id, e) != 0)
		return -1;
	for (size_t i = 0; i < s->ports->n; i++)
		for (unsigned k = 0; k < s->ports->v[i].count; k++)
			if (publish(socket_path, &s->ports->v[i], k, e) != 0)
				return -1;
	s->holder = fd_take(&ours);
	return 0;
}

int
slirp_start(struct slirp *s, struct err *e)
{
	own_mem char *link = xasprintf("%s/net/helpers/%s", s->run_root, s->id);
	own_mem char *socket_path = xasprintf("%s/net/helpers/%.12s.sock", s->run_root, s->id);
	struct helper_anchor anchor;
	int rc;

	if (helper_place(&anchor, s->dir, s->id, s->netns, e) != 0)
		return -1;
	rc = start_at(s, link, socket_path, e);
	helper_anchor_end(&anchor);
	if (rc != 0)
		helper_end(s->dir, s->id);
	return rc;
}
