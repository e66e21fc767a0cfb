/* SPDX-License-Identifier: ISC */
/*
 * Copying an image from a source to a destination that is not the store.  Layers go from the worker
 * that reads, through a worker that digests (and compresses, if need be), to the worker that writes,
 * several at a time; what is there already is not sent.  Nothing is changed that need not be: then the
 * manifest stays what it was, to the byte.  Its signatures go with it; what would make them worthless is an error.
 */
#ifndef POD_IMAGE_TRANSFER_H
#define POD_IMAGE_TRANSFER_H

#include "pod-image/crypt.h"
#include "pod-image/dest.h"
#include "pod-image/report.h"
#include "pod-image/source.h"

/* A layer takes one, or two if it is compressed anew; who must wait for a second one goes later. */
#define TRANSFER_CODERS 4

struct transfer {
	/* set before transfer_prepare */
	struct report report;
	const char *format;	 /* oci, v2s2; NULL: as it is */
	const char *compression; /* gzip, zstd; NULL: as it is */
	uint64_t level;		 /* plus one; 0: the default */
	bool force;	 /* compression holds for layers that are compressed otherwise too */
	bool compress;	 /* also where tars would do */
	bool all;	 /* every image of an index */
	bool only_index; /* with all: and yet none of them */
	struct strs add_compression; /* with all: forms that each image is to be had in too */
	bool preserve;		     /* fail rather than change a digest */
	bool remove_signatures;	     /* those of the source are left, and forbid no change */
	struct manifest_platform platform;
	unsigned tries; /* of a layer, at least 1 */
	const char *graph_root,
	    *beside; /* where large files may be spooled: the store, else beside a file */
	/* set before transfer_run */
	struct source *from;
	struct dest *to;
	struct strs names;   /* for the destination to record */
	struct peer *store;  /* or NULL: is told what its layers became */
	struct crypt *crypt; /* keys to open layers, or to seal them; or NULL */

	struct peer *coders[TRANSFER_CODERS];
	size_t ncoders;
	int spool;
	/* the result */
	char digest[DIGEST_TEXT]; /* of the manifest or index under the name */
	const char *media_type;
	uint64_t size;
};

/* With the caller's power: starts the workers between. */
int transfer_prepare(struct transfer *t, struct err *e);
void transfer_fds(const struct transfer *t, struct keep *k);

/* One image, or all of an index.  dest_ops.finish is left to the caller, who may have further images. */
int transfer_run(struct transfer *t, struct err *e);

/* Follows an index once: the manifest for that platform; doc itself (moved) if it is none. */
int transfer_choose(struct source *s, const struct manifest_platform *platform,
    struct document *doc, struct document *out, struct err *e);

void transfer_free(struct transfer *t);

#endif
