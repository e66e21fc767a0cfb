/* SPDX-License-Identifier: ISC */
/*
 * Additional stores that are a graph root of containers/storage, the store of Podman and Buildah:
 *	overlay-images/images.json, overlay-images/IMAGE/	documents
 *	overlay-layers/layers.json, overlay-layers/LAYER.tar-split.gz
 *	overlay/LAYER/diff/					as in a layer of our own
 * An index of our form is made of the documents, which a worker reads, and kept until they change; layers are
 * used where they lie.
 */
#ifndef POD_THEIRS_H
#define POD_THEIRS_H

#include "pod-store/store.h"

/* Does the directory look like one, of any driver? */
bool theirs_is(int dir);

/*
 * Writes stage/store.db, whose path is index, for the store at, which has no index open; that is kept below run_root.
 * anew: the one that is kept is no good.
 * An image that cannot be used is passed over with a warning.
 */
int theirs_index(
    struct store *at, const char *run_root, bool anew, int stage, const char *index, struct err *e);

/* Opens what tells how the files of a layer stood in its tar, for pod-store-split. */
int theirs_split(const struct store *at, const char *layer, struct err *e);

#endif
