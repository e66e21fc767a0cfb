/* SPDX-License-Identifier: ISC */
/*
 * Documents that came with an archive or an image, read by a worker without privilege (pod-run-document): here arrive
 * messages.
 */
#ifndef POD_DOCUMENT_H
#define POD_DOCUMENT_H

#include "common/base/mem.h"
#include "common/wire/peer.h"

/* config.dump, spec.dump and network.status in the directory dir; *out becomes a dump_got. */
int document_dump(int dir, struct peer_in *out, struct err *e);

/* The strings of the JSON array in the file list, in order. */
int document_list(int list, struct strv *out, struct err *e);

/*
 * Writes CRIU's image into the empty file changed as it becomes without the mode of the root (see
 * worker/criu_files.h); nothing if that is not in it.
 */
int document_criu(int image, int changed, struct err *e);

/* The annotations of a manifest; *out becomes an annotations_got.  Of one without any no worker is asked. */
int document_annotations(const struct bytes *manifest, struct peer_in *out, struct err *e);

#endif
