/* SPDX-License-Identifier: ISC */
/*
 * The tar of a zstd:chunked layer, put together of what is in the store and of what is fetched: the segments of its
 * tar-split, files of other layers, frames of its blob.  Each file must have the digest that the table of contents
 * says; whether the whole is the layer, another process finds out by the DiffID.
 */
#ifndef POD_ASSEMBLE_H
#define POD_ASSEMBLE_H

#include "pod-store/layer/reuse.h"

#define ASSEMBLE_SOURCES_MAX 16 /* layers that files may come from */
#define ASSEMBLE_BATCH 64	/* files asked for at once */
#define ASSEMBLE_PACKET 32768	/* bytes of a question */
#define ASSEMBLE_TAIL_MAX (64u << 20)

/* The first packet, from pod-store. */
struct assemble_job {
	uint64_t blob_size;
	struct toc_place toc, split; /* of split plain does not count */
	uint32_t nsources;
	char checksum[DIGEST_TEXT]; /* of the compressed table of contents */
};

/*
 * Then questions, records of this and a plain path with its NUL; the answer to each is a byte for each record, 1
 * where its file comes with it as a descriptor.
 */
struct assemble_ask {
	uint32_t source, path_n;
};

#define ASSEMBLE_PLAN "ranges1\n" /* stands before the ranges, pairs of numbers as of fetch_parts */

struct assemble {
	/* set before: descriptors */
	int tail, out, plan, frames, files, keep;
	int sources[ASSEMBLE_SOURCES_MAX]; /* files that end in a footer of zstd:chunked */
	struct assemble_job job;
	/* what was done */
	struct reuse reuse;
	uint64_t written;
	/* Inside. */
	char *tail_bytes, *split, *buffer;
	size_t tail_n;
	size_t next;		 /* file of the tar */
	size_t range;		 /* frames: under way */
	uint64_t pos;		 /* and where in the blob */
	int fds[ASSEMBLE_BATCH]; /* of files [asked, asked_end), -1 once used */
	size_t fds_n, fds_at;
	size_t asked; /* first file not asked for yet */
	void *zstd;
};

int assemble_run(struct assemble *a, struct err *e);
void assemble_free(struct assemble *a);

#endif
