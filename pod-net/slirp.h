/* SPDX-License-Identifier: ISC */
/*
 * slirp4netns: the network of an ordinary user's container where pasta is missing or not wanted.  The
 * container has 10.0.2.100 on tap0, the host is 10.0.2.2, the resolver 10.0.2.3, or the same numbers of another
 * network (cidr).
 */
#ifndef POD_SLIRP_H
#define POD_SLIRP_H

#include "pod-net/helper.h"

#define SLIRP_INTERFACE "tap0"

/* The addresses of its network; the container's with the length of the prefix. */
struct slirp_net {
	char address[ADDR_TEXT], host[ADDR_TEXT], dns[ADDR_TEXT];
};

struct slirp {
	struct helper_job job; /* its options are name=value */
	int holder;	       /* set by slirp_start: it ends when this is closed; the caller's */
	bool maps_host;	      /* set by slirp_start: the host's address leads to its loopback too */
	struct slirp_net net; /* set by slirp_start */
	bool ipv6;	      /* set by slirp_start */
};

/* The command line, for tests too; ready and end are descriptor numbers in the child. */
int slirp_arguments(struct slirp *s, const char *netns_path, const char *socket_path, int ready,
    int end, struct strv *argv, struct err *e);

/* The answer to one request on its socket: {"return": …} or {"error": {"desc": …}}. */
int slirp_answer(const char *bytes, size_t n, struct err *e);

/* Starts it and publishes the ports; on failure nothing stays. */
int slirp_start(struct slirp *s, struct err *e);

#endif
