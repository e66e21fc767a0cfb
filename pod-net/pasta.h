/* SPDX-License-Identifier: ISC */
/*
 * pasta: the network of an ordinary user's container, which gets the host's addresses and routes.
 */
#ifndef POD_PASTA_H
#define POD_PASTA_H

#include "pod-net/helper.h"

#define PASTA_DNS "169.254.1.1"	 /* queries sent here go to the host's resolver */
#define PASTA_HOST "169.254.1.2" /* leads to the host, where pasta knows how */

struct pasta {
	struct helper_job job;
	/* Set by pasta_start: PASTA_HOST and PASTA_DNS work. */
	bool maps_host, forwards_dns;
};

/* The command line, for tests too; help is what "pasta --help" prints. */
void pasta_arguments(struct pasta *p, const char *help, const char *netns_path,
    const char *pid_path, struct strv *argv);

/* True if this program can lead queries for PASTA_DNS to the host's resolver; dir as above. */
bool pasta_forwards_dns(const char *path, int dir);

/* Starts it; on failure nothing stays. */
int pasta_start(struct pasta *p, struct err *e);

#endif
