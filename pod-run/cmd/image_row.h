/* SPDX-License-Identifier: ISC */
/*
 * Images of the store as commands list them.
 */
#ifndef POD_IMAGE_ROW_H
#define POD_IMAGE_ROW_H

#include "common/base/json.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/ctx.h"

#define IMAGE_ROW_CONFIGS 1u /* with their configurations */
#define IMAGE_ROW_USES 2u    /* with the number of containers on each */

/* All images, newest first, in in->msg (image_listed).  Intermediate ones only with all. */
int image_row_list(struct ctx *x, bool all, unsigned what, struct peer_in *in, struct err *e);

/* A word looked up as pull, run and inspect do; in holds image_got. */
int image_row_find(struct ctx *x, const char *word, struct peer_in *in, struct err *e);

/* The same, but a manifest list is found itself, not its image for this machine. */
int image_row_find_list(struct ctx *x, const char *word, struct peer_in *in, struct err *e);

/*
 * After a word was looked up in vain: one that no image can have, for it is neither a reference nor
 * an ID, is a mistake (ERR_INVALID), not an image that is missing (ERR_NOTFOUND).
 */
void image_row_doubt(const char *word, struct err *e);

/* The filters of images and image prune; objects are struct image_row_object. */
extern const struct terms_key image_row_keys[];

struct image_row_object {
	const struct rec_image *image;
	const struct msg_image_listed *all; /* with configurations */
};

/* True if the name matches a pattern of --filter reference=…: whole, without tag, or last components. */
bool image_row_reference(const char *name, const char *pattern);

/* The image it was made from by one more step, or NULL. */
const struct rec_image *image_row_parent(
    const struct msg_image_listed *all, const struct rec_image *child);

/* One image as an element of "images --format json". */
json_t *image_row_json(const struct msg_image_listed *all, const struct rec_image *im);

/* "repository" and "tag" of a full reference; digests give tag NULL.  The caller frees both. */
void image_row_split(const char *name, char **repository, char **tag);

#endif
