/* SPDX-License-Identifier: ISC */
/*
 * The sockets of the DNS server: those of every network's listening addresses, over UDP and TCP.
 */
#ifndef POD_DNS_SERVE_H
#define POD_DNS_SERVE_H

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#include "pod-net/dns/resolvers.h"

struct serve {
	int names; /* the directory of zone.h */
	int ready; /* "ok" is written here and it is closed once all sockets listen; -1: nobody waits */
	uint16_t port;
	struct resolvers *resolvers;
	bool forwards;	    /* asks other servers */
	const char *domain; /* of all names here, with a dot in front; NULL: ZONE_DOMAIN */
	bool stays;	    /* without a network too: who started it will end it */
};

/*
 * Serves until no network is left (unless it stays) or SIGTERM comes; SIGHUP reads the directory again.  An address that
 * cannot be listened on is an error at the start, later a warning.
 */
int serve_run(const struct serve *s, struct err *e);

#endif
