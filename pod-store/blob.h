/* SPDX-License-Identifier: ISC */
/*
 * What is kept beside a layer for pushing it: layers/LAYER/blob.HEX, the stream it came from, named by
 * its digest; layers/LAYER/packed, lines that say what it became when it was compressed;
 * layers/LAYER/places, the repositories that got it; layers/LAYER/toc, of a layer in the form zstd:chunked that was
 * put together of parts, its table of contents with a footer, as at the end of its blob.  All can be lost without harm, so nobody waits
 * until they are on disk, and whoever reads them checks.
 */
#ifndef POD_BLOB_H
#define POD_BLOB_H

#include "common/base/mem.h"
#include "pod-store/stage.h"

/* A file for the stream of a staged layer, for writing. */
int blob_begin(const struct stage *g, const struct staged *l, struct err *e);

/* The stream has ended and is verified: the file gets its name, or goes if it is only the tar. */
void blob_end(const struct stage *g, const struct staged *l);

/* The digits in the name of a file that is a kept blob; NULL: it is none. */
const char *blob_hex(const char *name);

/* Opens the blob that was kept of the layer in dir under this digest; -1 without an error if there is none. */
int blob_open(int dir, const char *digest);

/* A file for the table of contents of a staged layer, for writing. */
int blob_toc_begin(const struct stage *g, const struct staged *l, struct err *e);

/* Opens what ends in the table of contents of the layer in dir, or -1. */
int blob_toc_open(int dir, const char *digest);

/* Fills kept, packed and places of a layer; what is not there or malformed is left out. */
void blob_describe(struct store *s, const char *layer, struct rec_layer_ref *ref, struct arena *a);

int blob_note(const struct store *s, const struct msg_layer_note *m, struct err *e);

#endif
