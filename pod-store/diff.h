/* SPDX-License-Identifier: ISC */
/*
 * What a container changed in its image, or an image's top layer in the layers below.
 */
#ifndef POD_DIFF_H
#define POD_DIFF_H

#include "common/fs/walk.h"
#include "pod-store/owners.h"
#include "pod-store/store.h"

/*
 * Writes to fd, NUL-terminated each: A, C or D, a space, the absolute path.  id is a container's or an
 * image's.  Only the upper directory is walked, whatever the size of the image.
 */
int diff_write(struct store *s, const char *id, int fd, struct err *e);

/*
 * The changes that make against into id, two containers or images: names, owners, modes, sizes and times
 * are compared, not contents.
 */
int diff_compare(struct store *s, const char *id, const char *against, int fd, struct err *e);

/* Bytes of what a container that is a whole copy (whole.h) has new or changed. */
int diff_size(struct store *s, const char *id, uint64_t *bytes, struct err *e);

/* Is the entry of a walk new or changed against the tree below?  map: by which the walk's tree is shifted. */
bool diff_is_changed(int below, const struct walk_entry *w, const struct owners *map);

#endif
