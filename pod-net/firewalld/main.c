/* SPDX-License-Identifier: ISC */
/*
 * pod-net-firewalld: tells firewalld of subnets, or its caller that firewalld has forgotten them (firewalld_trust and
 * firewalld_watch of net.def).
 *
 * The bus knows whom it serves from the moment of the connection, which pod-net made as root; whoever speaks on it
 * and reads what others answer needs no privilege.
 */
#include "common/base/own.h"
#include "common/wire/worker.h"
#include "pod-net/firewalld/watch.h"
#include "pod-net/firewalld/zone.h"

static int
on_trust(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_firewalld_trust *m = MSG_OF(in, firewalld_trust);
	struct msg_firewalld_trusted r = {0};
	int runs = zone_change(fd_take(&m->bus), &m->subnets, m->no_more, e);

	(void)arg;
	if (runs < 0)
		return -1;
	r.runs = runs > 0;
	return peer_send(p, &msg_firewalld_trusted_desc, in->seq, &r, e);
}

static int
on_watch(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)arg;
	return watch_serve(p, in->seq, fd_take(&MSG_OF(in, firewalld_watch)->bus), e);
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {{&msg_firewalld_trust_desc, 1, 0, on_trust},
	    {&msg_firewalld_watch_desc, 1, 0, on_watch}};
	const struct worker_face face = {.role = ROLE_FIREWALLD,
	    .starter = ROLE_NET,
	    .handlers = handlers,
	    .n = COUNTOF(handlers)};

	return worker_main(&face, argc, argv);
}
