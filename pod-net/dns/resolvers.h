/* SPDX-License-Identifier: ISC */
/*
 * The host's resolvers, from resolv.conf(5), which may change or be replaced at any time.
 */
#ifndef POD_DNS_RESOLVERS_H
#define POD_DNS_RESOLVERS_H

#include <time.h>

#include "pod-net/dns/zone.h"

#define RESOLVERS_MAX 3 /* as the C library */

struct resolvers {
	int dir; /* where the file lies */
	char name[64];
	time_t looked; /* monotonic second of the last look */
	struct timespec changed;
	struct addr loopback; /* stands for those on the host's own loopback, if given */
	struct addr addr[RESOLVERS_MAX];
	size_t n;
};

/* Finds the file, behind a link too.  Without one there are no resolvers.  r is as set up by the caller. */
void resolvers_open(struct resolvers *r);

/* Looks again, at most once a second. */
struct zone_addrs resolvers_now(struct resolvers *r);

/* Reads the text of such a file, which is changed; for resolvers_now and tests. */
void resolvers_parse(struct resolvers *r, char *text);

#endif
