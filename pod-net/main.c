/* SPDX-License-Identifier: ISC */
/*
 * pod-net: networks of containers.  Peer face for the coordinator, command face for people.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-net/command.h"
#include "pod-net/connect.h"
#include "pod-net/manage.h"
#include "pod-net/net.h"
#include "pod-net/netavark.h"
#include "pod-net/rootless.h"
#include "pod-net/setup.h"

#define BEFORE_HELLO 1u
#define SERVING 2u
#define BROKEN 4u /* hello could not be carried out: every request is told why */

struct server {
	struct net net;
	unsigned phase;
	struct err why;
	unsigned made; /* namespaces */
};

static int
on_hello(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_hello *m = MSG_OF(in, hello);
	enum log_level level;

	(void)p;
	if (m->log_level != NULL && log_level_parse(m->log_level, &level, e) == 0)
		log_set_level(level);
	err_clear(e);
	/* Nobody waits for an answer to hello. */
	if (net_open(&s->net, m, &s->why) != 0) {
		s->phase = BROKEN;
		return 0;
	}
	s->phase = SERVING;
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i].key, "prepare") == 0 &&
		    strcmp(m->options.v[i].value, "netns") == 0)
			net_prepare(&s->net);
	return 0;
}

/* An answer that cannot be sent is no fault: the coordinator may have gone, the work is done. */
static int
answer(struct peer *p, const struct wire_desc *d, uint32_t seq, const void *m)
{
	struct err gone = {0};

	if (peer_send(p, d, seq, m, &gone) != 0)
		log_debug("%s", gone.text);
	return 0;
}

static int
answer_ok(struct peer *p, uint32_t seq)
{
	const struct msg_ok ok = {0};

	return answer(p, &msg_ok_desc, seq, &ok);
}

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	struct msg_net_setup *m = MSG_OF(in, net_setup);
	struct msg_net_setup_r r = {0};
	own_fd int given = m->netns > 0 ? fd_take(&m->netns) : -1;
	bool more = given < 0 && ++s->made > 1;

	if (setup_container(&s->net, m, given, &r, &in->arena, e) != 0)
		return -1;
	/* It stands in the answer now. */
	(void)fd_take(&given);
	answer(p, &msg_net_setup_r_desc, in->seq, &r);
	wire_close_fds(&msg_net_setup_r_desc, &r);
	/* While the coordinator starts what has it: a command with a second container mostly has a third. */
	if (more)
		net_prepare(&s->net);
	return 0;
}

static int
on_teardown(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;

	if (net_teardown(&s->net, MSG_OF(in, net_teardown)->id, -1, e) != 0)
		return -1;
	answer_ok(p, in->seq);
	net_finish(&s->net);
	return 0;
}

static int
on_list(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_net_list *m = MSG_OF(in, net_list);
	const char *dir = net_config_dir(&s->net, m->network_dir);
	own(network_list_free) struct network_list l = {0};
	struct msg_net_listed r = {0};
	struct rec_network one;

	if (m->name != NULL) {
		if (net_find(&s->net, dir, m->name, &one, &in->arena, e) != 0)
			return -1;
		r.networks.v = &one;
		r.networks.n = 1;
	} else {
		if (s->net.backend->list(&s->net, dir, &l, e) != 0)
			return -1;
		r.networks.v = l.v;
		r.networks.n = l.n;
	}
	return answer(p, &msg_net_listed_desc, in->seq, &r);
}

static int
on_create(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	struct rec_network made;
	struct msg_net_listed r = {.networks = {.v = &made, .n = 1}};

	net_forget(&s->net);
	if (manage_create(&s->net, MSG_OF(in, net_create), &made, &in->arena, e) != 0)
		return -1;
	return answer(p, &msg_net_listed_desc, in->seq, &r);
}

static int
on_remove(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_net_remove *m = MSG_OF(in, net_remove);

	net_forget(&s->net);
	if (manage_remove(&s->net, net_config_dir(&s->net, m->network_dir), m->name, true, e) != 0)
		return -1;
	return answer_ok(p, in->seq);
}

static int
on_update(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	struct rec_network made;
	struct msg_net_listed r = {.networks = {.v = &made, .n = 1}};

	net_forget(&s->net);
	if (manage_update(&s->net, MSG_OF(in, net_update), &made, &in->arena, e) != 0)
		return -1;
	return answer(p, &msg_net_listed_desc, in->seq, &r);
}

static int
on_connect(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	struct msg_net_connected r = {0};

	if (connect_container(&s->net, MSG_OF(in, net_connect), &r, &in->arena, e) != 0)
		return -1;
	return answer(p, &msg_net_connected_desc, in->seq, &r);
}

static int
on_disconnect(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_net_disconnect *m = MSG_OF(in, net_disconnect);
	struct msg_net_connected r = {0};

	if (connect_leave(&s->net, m->id, m->netns, m->network, &r, &in->arena, e) != 0)
		return -1;
	return answer(p, &msg_net_connected_desc, in->seq, &r);
}

static int
on_reload(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;

	if (connect_reload(&s->net, &MSG_OF(in, net_reload)->containers, e) != 0)
		return -1;
	return answer_ok(p, in->seq);
}

static int
on_rename(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_net_rename *m = MSG_OF(in, net_rename);

	if (connect_rename(&s->net, m->id, m->name, e) != 0)
		return -1;
	return answer_ok(p, in->seq);
}

static int
on_shared(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	struct msg_net_shared_r r = {.netns = -1, .life = -1};

	if (rootless_share(&s->net, &r.netns, &r.life, e) != 0)
		return -1;
	answer(p, &msg_net_shared_r_desc, in->seq, &r);
	wire_close_fds(&msg_net_shared_r_desc, &r);
	return 0;
}

static int
on_sweep(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct server *s = arg;
	const struct msg_net_sweep *m = MSG_OF(in, net_sweep);

	if (m->before_ns != 0)
		s->net.started_ns = (int64_t)m->before_ns;
	if (net_sweep(&s->net, &m->containers, e) != 0)
		return -1;
	answer_ok(p, in->seq);
	net_finish(&s->net);
	return 0;
}

static const struct peer_handler handlers[] = {
    {&msg_hello_desc, BEFORE_HELLO, PEER_ONCE, on_hello},
    {&msg_net_setup_desc, SERVING, 0, on_setup},
    {&msg_net_teardown_desc, SERVING, 0, on_teardown},
    {&msg_net_list_desc, SERVING, 0, on_list},
    {&msg_net_shared_desc, SERVING, 0, on_shared},
    {&msg_net_sweep_desc, SERVING, 0, on_sweep},
    {&msg_net_create_desc, SERVING, 0, on_create},
    {&msg_net_remove_desc, SERVING, 0, on_remove},
    {&msg_net_update_desc, SERVING, 0, on_update},
    {&msg_net_connect_desc, SERVING, 0, on_connect},
    {&msg_net_disconnect_desc, SERVING, 0, on_disconnect},
    {&msg_net_reload_desc, SERVING, 0, on_reload},
    {&msg_net_rename_desc, SERVING, 0, on_rename},
};

static int
on_broken(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct server *s = arg;

	(void)p;
	(void)in;
	*e = s->why;
	return -1;
}

static int
serve(struct peer *p, struct server *s, struct err *e)
{
	struct peer_handler broken[COUNTOF(handlers)];
	uint64_t done = 0;

	for (size_t i = 0; i < COUNTOF(handlers); i++)
		broken[i] = (struct peer_handler){handlers[i].desc, BROKEN, 0, on_broken};

	for (;;) {
		struct pollfd pfd = {.fd = peer_fd(p), .events = POLLIN};
		const struct peer_handler *table = s->phase == BROKEN ? broken : handlers;
		int r = peer_serve(p, table, COUNTOF(handlers), s->phase, &done, s, e);

		if (r == 0 || r == -1)
			return r;
		if (r == PEER_NONE && poll(&pfd, 1, -1) < 0 && errno != EINTR)
			return err_sys(e, "waiting for the coordinator");
	}
}

/* Whoever reads our standard streams must not wait for what is left to do. */
static void
leave_streams(void)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
}

static int
peer_face(enum role role, struct err *e)
{
	const int keep[] = {PEER_FD};
	struct server s = {.net = NET_CLOSED, .phase = BEFORE_HELLO};
	struct peer *p;
	int rc;

	/* A program that is started here would hold it when we have gone, and nobody would hear of that. */
	if (fcntl(PEER_FD, F_SETFD, FD_CLOEXEC) == -1)
		return err_sys(e, "taking the connection");
	if (role_enter(role, keep, COUNTOF(keep), e) != 0)
		return -1;
	p = peer_new(PEER_FD, ROLE_NET, ROLE_RUN);
	rc = serve(p, &s, e);
	peer_free(p);
	if (s.phase == SERVING) {
		if (rc == 0)
			leave_streams();
		net_release(&s.net);
		net_tidy(&s.net, false);
		net_close(&s.net);
	}
	return rc;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	struct err e = {0};

	role_start();
	if (strcmp(name != NULL ? name + 1 : argv[0], "netavark") == 0) {
		if (role_enter(ROLE_NET_PLUGIN, NULL, 0, &e) == 0)
			return netavark_main(argc, argv);
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	if (argc == 2 && strcmp(argv[1], "--peer-plugins") == 0) {
		if (peer_face(ROLE_NET_PLUGIN, &e) == 0)
			return 0;
	} else if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		if (spawn_in_userns(argv, &e) == 0)
			return command_main(argc, argv);
	} else if (peer_face(ROLE_NET, &e) == 0) {
		return 0;
	}
	err_print(&e, stderr);
	return err_exit_status(&e);
}
