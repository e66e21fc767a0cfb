/* SPDX-License-Identifier: ISC */
/*
 * The table of contents and the tar-split of a layer in the form zstd:chunked (chunked.h), as somebody hostile
 * may have written them.  What they say is believed by nobody: the tar that is made of them must have the DiffID.
 */
#ifndef POD_TOC_H
#define POD_TOC_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/sha256.h"
#include "pod-store/layer/digest.h"
#include "pod-store/layer/tar.h"

#define TOC_MAX (50u << 20)	   /* bytes, decompressed */
#define TOC_FILES_MAX 4194304	   /* of one layer */
#define TOC_SPLIT_MAX (256u << 20) /* bytes of a tar-split, decompressed: some 1 KB an entry */
#define TOC_FOOTER 72u		   /* bytes of the frame that ends a blob */

struct toc_file { /* a file with contents */
	char name[TAR_PATH_MAX + 1];
	uint8_t digest[SHA256_SIZE];
	uint64_t size;
	uint64_t at, end; /* its frames in the blob */
};

/* f is good until it returns. */
typedef int toc_file_fn(void *arg, const struct toc_file *f, struct err *e);

/* Calls fn for each file that has contents.  split: the digest of the compressed tar-split, "" if it says none. */
int toc_read(
    const char *text, size_t n, toc_file_fn *fn, void *arg, char split[DIGEST_TEXT], struct err *e);

/* "sha256:HEX" to bytes; -1 if it is nothing of the kind. */
int toc_digest(const char *text, uint8_t out[SHA256_SIZE]);

/*
 * Where the table of contents is, by the last TOC_FOOTER bytes of a blob of that size.  The frame of writers that
 * knew no tar-split is shorter.
 */
struct toc_place {
	uint64_t at, size, plain;
};
int toc_footer(
    const uint8_t p[TOC_FOOTER], uint64_t blob_size, struct toc_place *out, struct err *e);

/* Decompresses at most max bytes; the caller frees *out, in which a NUL follows. */
int toc_unpack(const void *p, size_t n, size_t max, char **out, size_t *out_n, struct err *e);

/* --- tar-split --------------------------------------------------------------------------------------- */

struct toc_split_ops {
	int (*bytes)(void *arg, const void *p, size_t n, struct err *e); /* a segment of the tar */
	int (*file)(void *arg, uint64_t size, struct err *e);		 /* contents, above 0 */
	void *arg;
};

/* One line without its end. */
int toc_split_line(const char *line, size_t n, const struct toc_split_ops *ops, struct err *e);

/* All of it, compressed; ERR_LIMIT if it is larger than TOC_SPLIT_MAX. */
int toc_split(const void *p, size_t n, const struct toc_split_ops *ops, struct err *e);

#endif
