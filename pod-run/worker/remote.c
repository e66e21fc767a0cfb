/* SPDX-License-Identifier: ISC */
/*
 * pod-run-remote: speaks HTTP with a service over a connection that it is handed, and reads what the service says;
 * pod-run gets it in messages.
 */
#include <jansson.h>
#include <signal.h>

#include "common/base/own.h"
#include "common/wire/worker.h"
#include "pod-run/worker/exchange.h"

/* Of the tables of objects: later it would open /dev/urandom. */
static void
seed_json(void)
{
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {
	    {&msg_remote_ask_desc, 1, 0, exchange_on_ask}};
	struct service s = {.h = xcalloc(1, sizeof(*s.h)), .fd = -1};
	const struct worker_face face = {.role = ROLE_REMOTE,
	    .starter = ROLE_RUN,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .arg = &s,
	    .prepare = seed_json};

	/* The terminal's are for who started us: with the connection to it we end. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	return worker_main(&face, argc, argv);
}
