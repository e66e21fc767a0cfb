/* SPDX-License-Identifier: ISC */
/*
 * Streams of layers, compressed and plain: from one descriptor to another, with the digests of both
 * sides.  Inflating is strict: check sums and lengths must agree, and nothing may follow the last
 * member or frame.
 */
#ifndef POD_INFLATE_H
#define POD_INFLATE_H

#include <stdbool.h>

#include "common/base/err.h"
#include "pod-store/layer/behind.h"
#include "pod-store/layer/digest.h"

enum inflate_format { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZSTD };

/*
 * A bomb is refused: the plain stream may be this long whatever it comes from, and beyond that only
 * as many times as long as the compressed one; and never longer than the last.
 */
#define INFLATE_FREE (1ull << 30)
#define INFLATE_RATIO 200
#define INFLATE_MAX (1ull << 40)

#define INFLATE_ZSTD_WINDOW_LOG 27 /* 128 MiB, what zstd --long=27 and all peers use at most */
#define INFLATE_BUFFER (256u << 10)

struct inflate {
	int in, out;		    /* out -1: to nowhere, only digested */
	int copy;		    /* above 0: what is read is written there too */
	enum inflate_format format; /* found (inflate_stream) or wished (deflate_stream) */
	int level;		    /* of deflate_stream: 0 the default, else as gzip's or zstd's */
	bool threaded;		    /* the role lets a thread digest and write the copy */
	struct digest packed, plain;
	/* Inside. */
	unsigned char *inputs, *outputs; /* the pieces that are filled in turn */
	unsigned char *input, *output;	 /* the ones at hand, INFLATE_BUFFER each */
	struct behind *behind;
	size_t have; /* bytes of input not yet consumed */
	unsigned char *next;
};

/* in and out set; afterwards inflate_free. */
int inflate_stream(struct inflate *s, struct err *e);
int deflate_stream(struct inflate *s, struct err *e);
void inflate_free(struct inflate *s);
const char *inflate_format_name(enum inflate_format f);

/* For the two above: buffers and digests; reading and writing with them. */
int inflate_begin(struct inflate *s, struct err *e);
/* If the stream is threaded, once there is something to read. */
void inflate_go(struct inflate *s);
/* After that the digests are whole.  rc: of what was done, and to be returned. */
int inflate_settle(struct inflate *s, int rc, struct err *e);
/* The input, which is empty, gets what there is.  1: the end. */
int inflate_read(struct inflate *s, struct digest *d, struct err *e);
/*
 * The same, but it is full unless the stream ends: what a compressor makes of a layer must not depend on the
 * pieces in which it arrives, or its digest would be another each time.
 */
int inflate_fill(struct inflate *s, struct digest *d, struct err *e);
/* Where the next piece of output goes. */
unsigned char *inflate_output(struct inflate *s);
/* Of the output; d may be NULL. */
int inflate_write(struct inflate *s, const void *p, size_t n, struct digest *d, struct err *e);

#endif
