/* SPDX-License-Identifier: ISC */
/* Images of a service, as records like those of ours, so that they are shown alike. */
#ifndef POD_REMOTE_IMAGES_H
#define POD_REMOTE_IMAGES_H

#include "common/wire/peer.h"
#include "pod-run/remote/remote.h"

/*
 * In in->msg (image_listed), newest first; reference may be NULL.  *told: what the service says of each, by its ID; a
 * new reference.
 */
int images_list(struct remote *r, bool all, const struct strv *filters, const char *reference,
    struct peer_in *in, json_t **told, struct err *e);

/* The steps an image was made in, the last first, as an array; each taken apart by the other. */
json_t *images_history(struct remote *r, const char *word, struct err *e);
/* True if the step made an image, which *im then has ID and names of.  What they point to lives in a. */
bool images_step(
    const json_t *o, struct rec_history *h, struct rec_image *im, uint64_t *size, struct arena *a);

/* An ID without "sha256:" before it; NULL if s, which may be NULL, is none. */
const char *images_plain_id(const char *s);

/* A new name, as the query takes it. */
int images_put_name(struct question *q, const char *word, struct err *e);

/* ERR_NOTFOUND if there is none. */
int images_exists(struct remote *r, const char *word, struct err *e);

/* Brings an image there, with the options of create that a has, and what q asks of it. */
struct args;
int images_pull(
    struct remote *r, const struct args *a, struct question *q, const char *word, struct err *e);

#endif
