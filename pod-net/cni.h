/* SPDX-License-Identifier: ISC */
/*
 * The CNI backend: what the plug-ins of a list are asked, and what becomes of their answers
 * (Container Network Interface Specification 0.3.0 to 1.0.0).
 */
#ifndef POD_CNI_H
#define POD_CNI_H

#include "pod-net/net.h"

struct cni_join {
	struct net *n;
	const char *id, *name; /* container */
	int netns;
	const char *dir; /* definitions */
	const struct rec_net_attach *attach;
	size_t nattach;
	const struct port_list *ports;
	struct rec_net_state *state; /* gets what is held */
	struct arena *a;
};

/* Finds the lists, chooses interface names and enters them into the state; nothing is asked of anyone. */
int cni_plan(struct cni_join *j, struct err *e);

/*
 * Asks the plug-ins of the networks from number first of the state on and fills in what they answer.  On failure
 * those that have been asked are asked to undo it.
 */
int cni_add(struct cni_join *j, size_t first, struct err *e);

/* Asks them to undo it; netns may be -1.  Goes on after failures, of which the first is reported. */
int cni_delete(
    struct net *n, const char *id, int netns, const struct rec_net_hold *h, struct err *e);

#endif
