/* SPDX-License-Identifier: ISC */
/*
 * pod-net-dhcp: gets an address for one interface of a container by DHCP, and keeps it until it is ended.
 *
 * Started by pod-net as "pod-net-dhcp --lease=/helpers/ID.INTERFACE", by which it is found again; descriptor 3 is
 * the connection on which it is asked once (dhcp_get of net.def).  It reads what the network sends, so it holds
 * no privilege: the socket comes from pod-net, which also gives the interface the address.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/worker.h"
#include "pod-net/addr.h"
#include "pod-net/dhcp/client.h"

#define LIMIT_MS 8000 /* as long as netavark's client waits */

static const char *
address_text(const uint8_t a[4], struct arena *arena)
{
	struct addr x = {.family = AF_INET, .len = 4};
	char text[ADDR_TEXT];

	memcpy(x.b, a, 4);
	if (addr_is_any(&x))
		return NULL;
	addr_format(&x, text);
	return arena_strdup(arena, text);
}

static void
fill_answer(const struct dhcp_in *l, struct msg_dhcp_got *r, struct arena *a)
{
	*r = (struct msg_dhcp_got){.seconds = l->lease_s};
	r->ipnet = arena_printf(a, "%s/%d", address_text(l->address, a), dhcp_mask_bits(l->mask));
	r->gateway = address_text(l->router, a);
	r->dns_servers.v = arena_array(a, DHCP_SERVERS_MAX, sizeof *r->dns_servers.v);
	for (size_t i = 0; i < l->nresolvers; i++) {
		const char *s = address_text(l->resolvers[i], a);

		if (s != NULL)
			r->dns_servers.v[r->dns_servers.n++] = s;
	}
}

static int
on_get(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_dhcp_get *m = MSG_OF(in, dhcp_get);
	struct dhcp_client *c = arg;
	struct msg_dhcp_got r;
	struct addr wanted;

	if (addr_parse_mac(m->mac, c->mac) != 0)
		return err_set(e, ERR_INVALID, "invalid mac address %s", m->mac);
	if (m->wanted != NULL && (addr_parse(m->wanted, &wanted) != 0 || wanted.family != AF_INET))
		return err_set(e, ERR_INVALID, "%s is not an IPv4 address", m->wanted);
	if (m->wanted != NULL)
		memcpy(c->wanted, wanted.b, 4);
	if (m->host_name != NULL && strlen(m->host_name) < sizeof c->host_name)
		memcpy(c->host_name, m->host_name, strlen(m->host_name));
	c->index = (int)m->index;
	c->socket = fd_take(&MSG_OF(in, dhcp_get)->socket);
	if (dhcp_client_get(c, LIMIT_MS, e) != 0) {
		fd_close(&c->socket);
		return -1;
	}
	fill_answer(&c->lease, &r, &in->arena);
	return peer_send(p, &msg_dhcp_got_desc, in->seq, &r, e);
}

static const struct peer_handler handlers[] = {{&msg_dhcp_get_desc, 1, PEER_ONCE, on_get}};

static int
run(struct err *e)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct dhcp_client c = {.socket = -1};
	int keep[] = {PEER_FD, -1};
	uint64_t done = 0;
	struct peer *p;
	sigset_t set;
	int rc;

	/* Whoever waits for the end of our caller's output must not wait for us. */
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	setsid();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c.end = keep[1] = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c.end < 0)
		return err_sys(e, "waiting for signals");
	if (role_enter(ROLE_DHCP, keep, COUNTOF(keep), e) != 0)
		return -1;
	p = peer_new(PEER_FD, ROLE_DHCP, ROLE_NET);
	do {
		struct pollfd pfd = {.fd = PEER_FD, .events = POLLIN};

		rc = peer_serve(p, handlers, COUNTOF(handlers), 1, &done, &c, e);
		if (rc == PEER_NONE)
			poll(&pfd, 1, -1);
	} while ((rc == 1 || rc == PEER_NONE) && done == 0);
	peer_free(p);
	if (rc >= 0 && c.socket >= 0)
		dhcp_client_keep(&c);
	return rc < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	struct err e = {0};

	role_start();
	if (argc == 2 && text_has_prefix(argv[1], "--lease=")) {
		if (run(&e) == 0)
			return 0;
	} else {
		err_set(&e, ERR_USAGE, "pod-net-dhcp is started by pod-net");
	}
	err_print(&e, stderr);
	return err_exit_status(&e);
}
