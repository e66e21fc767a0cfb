/* SPDX-License-Identifier: ISC */
/* Artifacts of the store as commands reach them. */
#ifndef POD_ARTIFACT_CMD_H
#define POD_ARTIFACT_CMD_H

#include "common/wire/peer.h"
#include "pod-run/ctx.h"

/* The directory of artifacts, to be sent to pod-image; -1 without an error in e: there are none yet. */
int artifact_open(struct ctx *x, bool write, struct err *e);

/* Asks for one artifact, or for all if m->name is NULL; the directory is filled in. */
int artifact_look(struct ctx *x, struct msg_artifact_look *m, struct peer_in *in, struct err *e);

#endif
