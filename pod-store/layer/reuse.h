/* SPDX-License-Identifier: ISC */
/*
 * Which files of a zstd:chunked layer that is to come are in layers of the store already, and which parts of its
 * blob are still to be fetched.
 */
#ifndef POD_REUSE_H
#define POD_REUSE_H

#include "common/base/mem.h"
#include "pod-store/layer/toc.h"

#define REUSE_RANGES_MAX 16384 /* of one layer */
/* What lies between two wanted parts is fetched too if it is no more. */
#define REUSE_GAP_MIN (4u << 10)

struct reuse_file { /* a file of the layer that has contents, in the order of the tar */
	uint8_t digest[SHA256_SIZE];
	uint64_t size, at, end;
	int source;  /* -1: must be fetched */
	size_t name; /* in names: as the source has it, plain */
};

struct reuse_range {
	uint64_t at, size;
};

struct reuse {
	struct reuse_file *files;
	size_t n, cap, missing;
	struct strbuf names;
	struct reuse_range *ranges;
	size_t nranges, ranges_cap;
	uint64_t fetched, local; /* bytes of the ranges; of the files that need not be fetched */
	/* Inside. */
	struct reuse_file **sorted; /* by digest */
	uint64_t end;
	int source;
};

/* The layer's own table of contents; frames must end before end.  split: as of toc_read. */
int reuse_target(struct reuse *r, const char *toc, size_t n, uint64_t end, char split[DIGEST_TEXT],
    struct err *e);

/* The table of contents of a layer in the store.  One that is malformed helps only as far as it goes. */
void reuse_source(struct reuse *r, int source, const char *toc, size_t n);

/* Fills ranges. */
void reuse_plan(struct reuse *r);

void reuse_free(struct reuse *r);

#endif
