/* SPDX-License-Identifier: ISC */
/*
 * Images as the index holds them.
 */
#ifndef POD_IMAGE_H
#define POD_IMAGE_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

#define IMAGE_CONFIG 1u /* the parsed configuration */
#define IMAGE_LAYERS 2u /* identifiers of the layers */
#define IMAGE_USERS 4u	/* how many root file systems stand on it */
#define IMAGE_PAST 8u	/* the names it ever had */

/* Fills out from arena memory.  1 found, 0 no such image, -1 failed. */
int image_load(struct store *s, const char *id, unsigned what, struct rec_image *out,
    struct arena *a, struct err *e);

/* All images, newest first.  all: also those without a name that others stand on. */
int image_list(struct store *s, bool all, unsigned what, struct msg_image_listed *out,
    struct arena *a, struct err *e);

/* Layers of an image, lowest first; none is no error. */
int image_layers(struct store *s, const char *id, struct strv *out, struct err *e);

/* The parsed configuration.  1 found, 0 no such image, -1 failed. */
int image_config(
    struct store *s, const char *id, struct rec_image_config *out, struct arena *a, struct err *e);

/* Image IDs the root file systems of containers stand on, one entry for each, sorted. */
int image_users(struct store *s, struct strv *out, struct err *e);

/* IDs of images that were made from id (children) or that it was made from (parents, at most one). */
int image_children(struct store *s, const char *id, struct strv *out, struct err *e);
int image_parents(struct store *s, const char *id, struct strv *out, struct err *e);

/* Names with a tag, and repository@digest; both may be the same list. */
int image_names(
    struct store *s, const char *id, struct strv *names, struct strv *digests, struct err *e);

/* Within a transaction: gives the image a full reference, which is taken from another that has it. */
int image_add_name(struct store *s, const char *id, const char *name, struct err *e);

/* Only what stands in the rows of images: no names, layers, users. */
int image_rows(struct store *s, struct msg_image_listed *out, struct arena *a, struct err *e);

/* ID of one container that stands on the image; NULL with e set if none is found. */
char *image_user(struct store *s, const char *id, struct err *e);

#endif
