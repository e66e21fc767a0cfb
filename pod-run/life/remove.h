/* SPDX-License-Identifier: ISC */
/*
 * Removing a container whatever its state.
 */
#ifndef POD_REMOVE_H
#define POD_REMOVE_H

#include "pod-run/ctx.h"

struct remove {
	bool force;   /* stop it if it runs */
	bool volumes; /* anonymous volumes too */
	bool depend;  /* those that stand on it, first */
	int64_t timeout_s;
	/* Called after each removal, dependents included; may be NULL. */
	void (*removed)(const char *id, void *arg);
	void *arg;
};

/* A running one without force is ERR_INUSE; one that is gone is ERR_NOTFOUND. */
int remove_ctr(struct ctx *x, const char *id, const struct remove *how, struct err *e);

#endif
