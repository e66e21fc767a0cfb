/* SPDX-License-Identifier: ISC */
/* Artifacts of the store, as commands and containers reach them; pod-image alone looks into them. */
#ifndef POD_LIFE_ARTIFACT_H
#define POD_LIFE_ARTIFACT_H

#include "pod-run/ctx.h"

/* Their directory, to be sent to pod-image; -1 without an error in e: there are none yet. */
int artifact_open(struct ctx *x, bool write, struct err *e);
/* The same for those that only this manifest list has; made if there are none. */
int artifact_open_list(struct ctx *x, const char *list, struct err *e);

/* Asks for one artifact, or for all if m->name is NULL; the directory is filled in. */
int artifact_look(struct ctx *x, struct msg_artifact_look *m, struct peer_in *in, struct err *e);

/*
 * Replaces each mount of type artifact by binds of its files, which cannot be written: below the
 * target if there are several or if that is a directory of the image, else at the target.  image is
 * its ID, or NULL.  New words live in a.
 */
int artifact_mounts(
    struct ctx *x, const char *image, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
