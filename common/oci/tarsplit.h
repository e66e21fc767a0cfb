/* SPDX-License-Identifier: ISC */
/*
 * tar-split: what containers/storage keeps of a layer's tar beside the unpacked files.  A gzip stream
 * of JSON objects, one a line: segments of the tar, byte for byte (headers, padding), and files, whose
 * bytes are in the unpacked directory.  Put together in their order they are the tar again.
 */
#ifndef POD_TARSPLIT_H
#define POD_TARSPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define SPLIT_FILE_MAX ((int64_t)1 << 30) /* bytes of the stream as it is kept */
#define SPLIT_LINE_MAX ((size_t)4 << 20)
#define SPLIT_MAX ((uint64_t)4 << 30) /* bytes, decompressed: some 1 KB an entry */

struct split_ops {
	/* A segment of the tar. */
	int (*bytes)(void *arg, const void *p, size_t n, struct err *e);
	/* A file of size bytes, above 0, with that CRC-64 (ISO); crc NULL: it is not known. */
	int (*file)(void *arg, const char *name, uint64_t size, const uint64_t *crc, struct err *e);
	void *arg;
};

/* One line without its end. */
int split_line(const char *line, size_t n, const struct split_ops *ops, struct err *e);

/* Reads the compressed stream to its end; ERR_LIMIT if it is larger than SPLIT_MAX. */
int split_read(int fd, const struct split_ops *ops, struct err *e);

/* Writes the tar of a layer to stream.  split: that stream; diff: the directory of its files. */
int split_tar(int split, int diff, int stream, struct err *e);

#endif
