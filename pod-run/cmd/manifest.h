/* SPDX-License-Identifier: ISC */
/* Manifest lists as commands find and change them. */
#ifndef POD_MANIFEST_CMD_H
#define POD_MANIFEST_CMD_H

#include "pod-run/cmd/access.h"
#include "pod-run/ctx.h"

/* What add, annotate and create say of an entry or a list. */
struct manifest_change_opts {
	struct strv annotation, features, os_features;
	const char *arch, *os, *os_version, *variant;
};

struct manifest_change {
	struct rec_list_change rec;
	struct arena arena;
};
void manifest_change_free(struct manifest_change *c);
#define own_manifest_change own(manifest_change_free)

/* Borrows from o. */
int manifest_change_fill(
    const struct manifest_change_opts *o, struct manifest_change *out, struct err *e);

/* The list that word names, in in (image_got); an image that is none is an error of class INVALID. */
int manifest_find(struct ctx *x, const char *word, struct peer_in *in, struct err *e);

/* Sends one list_edit; its store is filled in. */
int manifest_edit(
    struct ctx *x, struct msg_list_edit *m, bool quiet, struct peer_in *in, struct err *e);

extern const struct cmd cmd_manifest_add, cmd_manifest_annotate, cmd_manifest_create,
    cmd_manifest_exists, cmd_manifest_inspect, cmd_manifest_push, cmd_manifest_remove,
    cmd_manifest_rm;

#endif
