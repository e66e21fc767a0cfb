/* SPDX-License-Identifier: ISC */
/*
 * Which service the command is meant for, if not for this machine: podman-remote(1), "GLOBAL OPTIONS".
 */
#ifndef POD_DEST_H
#define POD_DEST_H

#include <jansson.h>

#include "pod-run/ctx.h"

/* Where a service is; a zeroed one is this machine. */
struct dest {
	char *uri, *identity;
	char *tls_ca, *tls_cert, *tls_key;   /* paths */
	struct rec_tls_details *tls_details; /* of the context, or NULL */
};
void dest_free(struct dest *d);
#define own_dest own(dest_free)

/*
 * By the options of the command line, the environment, the user's connections and containers.conf, in that order.
 * 1: *d is filled; 0: the command is for this machine; -1 with e.
 */
int dest_choose(struct ctx *x, struct dest *d, struct err *e);

/* By the command line and the environment alone: 1 a service, 0 this machine, -1 they do not say. */
int dest_said(const struct ctx *x);

/* The parts of a URI; those that are not there are empty. */
struct dest_uri {
	char *scheme, *user, *host, *port, *path; /* decoded */
};
void dest_uri_free(struct dest_uri *u);
#define own_dest_uri own(dest_uri_free)

/* unix, tcp and ssh alone are understood. */
int dest_uri_parse(const char *text, struct dest_uri *u, struct err *e);

#endif
