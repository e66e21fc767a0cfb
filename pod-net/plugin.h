/* SPDX-License-Identifier: ISC */
/*
 * Network drivers that are programs of others, in netavark's protocol: "PROGRAM create", "setup NETNS",
 * "teardown NETNS" and "info", with JSON on standard input and output; a failure is {"error": "…"}.
 *
 * What a plug-in says is believed in no more than addresses, names of interfaces and resolvers.
 */
#ifndef POD_PLUGIN_H
#define POD_PLUGIN_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

struct net;

/* The names of all programs in the directories. */
void plugin_names(const struct strv *dirs, struct strv *out);

/*
 * Lets the driver of x, which is called as x->driver says, fill in the definition.  It may change neither name,
 * ID nor driver.
 */
int plugin_create(const struct strv *dirs, struct rec_network *x, struct arena *a, struct err *e);

/* What a set-up is about; all borrowed. */
struct plugin_join {
	const char *id, *name; /* of the container; name may be NULL */
	const struct rec_network *network;
	const struct rec_net_attach *asked;
	const char *mac; /* or NULL, if none was asked for */
	const struct rec_port_map *ports;
	size_t nports;
};

/*
 * Enters into h, which tells interface and addresses, what the plug-in will be asked, so that it can be asked
 * to undo it whatever has become of the definition.
 */
int plugin_plan(const struct strv *dirs, const struct plugin_join *j, struct rec_net_hold *h,
    struct arena *a, struct err *e);

/* Asks it; h gets the addresses, resolvers and domains it answers with. */
int plugin_setup(struct net *n, int netns, struct rec_net_hold *h, struct arena *a, struct err *e);

/* netns may be -1: the namespace has gone, and an empty one stands in for it. */
int plugin_teardown(struct net *n, int netns, const struct rec_net_hold *h, struct err *e);

#endif
