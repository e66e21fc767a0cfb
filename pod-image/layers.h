/* SPDX-License-Identifier: ISC */
/* The layers of a transfer: which way each goes, and all of them going it. */
#ifndef POD_IMAGE_LAYERS_H
#define POD_IMAGE_LAYERS_H

#include "pod-image/transfer.h"

/* The last is a kind of zstd that only is a wish: what is there counts as zstd. */
enum layers_form { LAYERS_SAME, LAYERS_TAR, LAYERS_GZIP, LAYERS_ZSTD, LAYERS_CHUNKED };

struct layers_way {
	enum layers_form form;	/* what becomes of it */
	bool tar_in;		/* the source gives the tar, not what its manifest says */
	bool inflate;		/* it must be decompressed first */
	bool done;		/* nothing is to be sent */
	bool seal;		/* it is encrypted in the end */
	size_t twin;		/* the same as an earlier one, whose number is this minus one */
	const char *media_type; /* in the terms of the manifest to be written */
};

/* "tar", "gzip", "zstd", "zstd:chunked" */
enum layers_form layers_form_parse(const char *word);

/* Finds the keys of encrypted layers, if there are any to open them with: pieces are then what is inside. */
int layers_open(struct transfer *t, struct image *i, struct err *e);

/* What becomes of each layer; docker: in Docker's manifest.  out has room for all of them. */
int layers_decide(
    struct transfer *t, struct image *i, bool docker, struct layers_way *out, struct err *e);

/* Tells the store what a layer became. */
void layers_note(
    struct transfer *t, const struct piece *p, enum layers_form form, const struct written *w);

/* Tells the store that the destination, a registry, holds all layers now. */
void layers_note_place(struct transfer *t, const struct image *i);

/* Sends what is to be sent; out describes all layers afterwards. */
int layers_send(struct transfer *t, struct image *i, const struct layers_way *ways,
    struct written *out, struct err *e);

#endif
