/* SPDX-License-Identifier: ISC */
/*
 * Files of layers in the store, for one that is put together of them: pod-store-assemble asks for files by layer and
 * path, and gets them open.
 */
#ifndef POD_PARTIAL_H
#define POD_PARTIAL_H

#include "pod-store/job.h"
#include "pod-store/layer/assemble.h"
#include "pod-store/stage.h"

/* Are there layers that may be used? */
int partial_possible(struct store *s, bool *yes, struct err *e);

struct partial;

/* What m asks for; takes its descriptors.  NULL on failure. */
struct partial *partial_new(struct store *s, struct msg_layer_assemble *m, struct err *e);

/* Starts the worker, which writes the tar of the staged layer to out. */
int partial_start(struct partial *p, struct job *j, const struct stage *g, const struct staged *l,
    int out, struct err *e);

void partial_free(struct partial *p); /* NULL is fine */

#endif
