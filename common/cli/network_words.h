/* SPDX-License-Identifier: ISC */
/*
 * The words that define a network, for "pod network create" and "pod-net create".  Only their shape is checked here;
 * what they may mean together is known to pod-net.
 */
#ifndef POD_NETWORK_WORDS_H
#define POD_NETWORK_WORDS_H

#include "common/base/mem.h"
#include "common/cli/opt.h"
#include "common/wire/msg.h"

struct network_words {
	bool disable_dns, ignore, internal, ipv6;
	const char *driver, *interface_name, *ipam_driver;
	struct strv dns, gateway, ip_range, label, opt, route, subnet;
};

extern const struct opt network_words_rows[];

/* name may be empty: one is chosen.  What *n points to is o's or a's. */
int network_words_read(const struct network_words *o, const char *name, struct rec_network *n,
    struct arena *a, struct err *e);

#endif
