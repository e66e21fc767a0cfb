/* SPDX-License-Identifier: ISC */
/*
 * Tells the DNS server (pod-net-dns) what containers are called, and starts and ends it.
 *
 * The directory holds a file for each network with names (its format: dns/zone.h), and there is one server
 * for each directory: all run roots of the superuser share one, as they share bridges.  Changes are made
 * under a lock beside the directory; a server that is started by others under the name aardvark-dns reads the
 * same files.
 */
#ifndef POD_NAMES_H
#define POD_NAMES_H

#include "common/wire/msg.h"

struct names {
	char *dir;	     /* owned; made when it is needed */
	char *lock;	     /* owned: the lock file */
	const char *program; /* started as aardvark-dns is; NULL: pod-net-dns */
	uint16_t port;	     /* 0: 53 */

	const char *
	    loopback; /* leads to a resolver on the host's loopback from inside; NULL: nothing does */
	/* Calls fn where the bridges are, if that is not here; where there are none it need not call it. */
	int (*inside)(void *arg, int (*fn)(void *, struct err *), void *of_fn, struct err *e);
	void *arg;
};

#define NAMES_DOMAIN "dns.podman"

/* True if the network's names are answered: the host has an address on it to listen on. */
bool names_answered(const struct rec_net_hold *h);

/*
 * Enters the container on those of its networks v from first on that have names; dns_servers are its own.
 * The server runs and has been told when this returns.  On failure nothing is entered.
 */
int names_enter(const struct names *names, const char *id, const struct rec_net_state *st,
    size_t first, struct err *e);

/* Enters the container anew on all its networks that have names, as it is called otherwise now. */
int names_again(
    const struct names *names, const char *id, const struct rec_net_state *st, struct err *e);

/* Takes the container off one network, or off all (NULL).  Without networks left the server ends. */
void names_leave(const struct names *names, const char *id, const char *network);

/* Ends a server that somebody who was killed has left without networks. */
void names_sweep(const struct names *names);

/* The network's own resolvers have changed; no error if nothing is entered on it. */
int names_servers(
    const struct names *names, const char *network, const struct strs *servers, struct err *e);

void names_close(struct names *names);

#endif
