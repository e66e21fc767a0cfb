/* SPDX-License-Identifier: ISC */
/*
 * The secrets of a container: files are copied when it is made, so that it keeps them when the secret goes;
 * variables are read at each start.
 */
#ifndef POD_LIFE_SECRETS_H
#define POD_LIFE_SECRETS_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

/* Finds the IDs; a secret that is missing is the error. */
int secrets_resolve(struct ctx *x, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* Copies those that are files to the directory of the container, which has its row. */
int secrets_copy(struct ctx *x, struct ctr *c, struct err *e);

/* Writes them into its bundle, with owner and mode, for a start. */
int secrets_write(struct ctx *x, struct ctr *c, int bundle, struct err *e);

/* Appends NAME=value of those that are variables. */
int secrets_env(struct ctx *x, const struct rec_ctr_config *c, struct strv *out, struct err *e);

#endif
