/* SPDX-License-Identifier: ISC */
/*
 * The main function of workers that do nothing but answer one peer's requests, one after the other.
 */
#ifndef POD_WORKER_H
#define POD_WORKER_H

#include "common/role/role.h"
#include "common/wire/peer.h"

struct worker_face {
	enum role role, starter;
	const struct peer_handler *handlers;
	size_t n;
	const unsigned *phase; /* the present one, which handlers change; NULL: always 1 */
	void *arg;	       /* of the handlers */
	bool view;	       /* keeps ROLE_VIEW_FD_NUMBER */
	bool late;	       /* one of several of which some are never asked: see worker_main */
	void (*prepare)(void); /* before the role is entered, or NULL */
	/* Serves until the end of file instead of the usual loop, or NULL. */
	int (*serve)(struct peer *p, void *arg, struct err *e);
};

/*
 * Enters the role and serves the peer on descriptor PEER_FD.  Returns the exit status.
 * With late, the role is entered (which costs 2 ms) when the first message has come, and never if none comes.
 */
int worker_main(const struct worker_face *w, int argc, char **argv);

#endif
