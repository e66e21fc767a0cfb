/* SPDX-License-Identifier: ISC */
/*
 * Images made here (import, commit): their configuration and manifest, and their way into the store.
 */
#ifndef POD_IMAGE_MAKE_H
#define POD_IMAGE_MAKE_H

#include "common/wire/msg.h"
#include "pod-run/ctx.h"

struct image_make {
	uint64_t stage;			    /* has the layers that are new */
	struct rec_image_config *config;    /* complete, with history; diff_ids are filled in */
	const struct rec_layer_ref *layers; /* lowest first */
	size_t layers_n;
	bool
	    docker; /* Docker's media types; else OCI's, which have no health check, shell or comment */
	const char *comment;		  /* with docker; or NULL */
	const char *container, *parent;	  /* with docker: IDs of what it was made from; or NULL */
	const char *name;		  /* full or short reference, or NULL */
	const struct rec_kv *annotations; /* of the manifest */
	size_t annotations_n;
};

/* Commits the image.  in holds image_commit_r. */
int image_make(struct ctx *x, struct image_make *m, struct peer_in *in, struct err *e);

/* A fresh staging area of the store. */
int image_make_stage(struct ctx *x, uint64_t *stage, struct err *e);

#endif
