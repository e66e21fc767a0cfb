/* SPDX-License-Identifier: ISC */
/*
 * A layer in the form zstd:chunked of which the store has files already.  The index at the end of its blob goes from
 * the registry to pod-store, which answers with the ranges that it lacks; they are fetched, and it puts the layer
 * together.  Whatever goes wrong, the layer can still be fetched whole.
 */
#ifndef POD_IMAGE_PARTIAL_H
#define POD_IMAGE_PARTIAL_H

#include "common/oci/manifest.h"
#include "common/wire/peer.h"

#define PARTIAL_BLOB_MIN (128u << 10) /* less is fetched faster than thought about */

/* Asks for ranges (as of fetch_parts) of a layer's blob to be written to stream. */
typedef int partial_ask_fn(void *arg, size_t layer, struct bytes ranges, bool exact, int stream,
    uint32_t *seq, struct err *e);

/* One layer under way.  Zero-initialise. */
struct partial {
	const struct manifest_desc *desc;
	partial_ask_fn *ask;
	void *arg;
	size_t layer;
	bool failed; /* when all answers are there, it is to be fetched whole */
	uint64_t fetched;
	/* Inside: descriptors are 0 when closed. */
	int plan, frames;
	struct strbuf text; /* of the plan */
	uint32_t tail_seq, frames_seq;
	bool tail_done, frames_done;
};

/* Is it of the form, and large enough to be worth it? */
bool partial_suits(const struct manifest_desc *d);

/* Starts it: asks the registry and pod-store, whose answer to *put_seq is the caller's to wait for. */
int partial_start(struct partial *p, struct peer *store, uint64_t stage,
    const struct rec_layer_ref *layer, uint32_t *put_seq, struct err *e);

/* The descriptor to be polled for reading, or -1; and what to do then. */
int partial_fd(const struct partial *p);
int partial_read(struct partial *p, struct err *e);

/* Is this the answer to one of its requests to the registry? */
bool partial_owns(const struct partial *p, uint32_t seq);
void partial_answered(struct partial *p, uint32_t seq, bool ok);

/* Nothing more is to be expected from the registry. */
bool partial_is_done(const struct partial *p);

/* Gives up what is under way: the answers still come. */
void partial_fail(struct partial *p);

void partial_free(struct partial *p);

#endif
