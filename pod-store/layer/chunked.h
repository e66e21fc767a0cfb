/* SPDX-License-Identifier: ISC */
/*
 * zstd:chunked (containers-storage-zstd-chunked(5)): a layer as a zstd stream like any other, in which the contents
 * of each file are a frame of their own.  Frames that decompressors skip follow:
 *
 *	table of contents	JSON, compressed: each entry of the tar, and where its frame is
 *	tar-split		JSON lines, compressed: all bytes of the tar but the contents
 *	footer			where those two are
 *
 * Annotations of the layer's descriptor say where they are, too, so that a reader who has some of the files need
 * not fetch them.
 */
#ifndef POD_CHUNKED_H
#define POD_CHUNKED_H

#include "pod-store/layer/inflate.h"

struct chunked_part {
	uint64_t at, size, plain; /* offset and bytes in the stream; bytes when decompressed */
};

struct chunked {
	struct chunked_part contents, split;
	char checksum[DIGEST_TEXT]; /* of the compressed table of contents */
};

#define CHUNKED_CHECKSUM "io.github.containers.zstd-chunked.manifest-checksum"
#define CHUNKED_CONTENTS "io.github.containers.zstd-chunked.manifest-position"
#define CHUNKED_SPLIT "io.github.containers.zstd-chunked.tarsplit-position"

/*
 * As deflate_stream, from a tar; refuses sparse files, whose contents do not stand in the stream as they are.
 * s->level as zstd's.
 */
int chunked_stream(struct inflate *s, struct chunked *out, struct err *e);

#endif
