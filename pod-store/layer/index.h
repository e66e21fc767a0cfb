/* SPDX-License-Identifier: ISC */
/*
 * The index beside an unpacked layer, from which and from the layer's files the exact tar stream
 *can be put together again: "podtar1\n" and one zstd stream of records,
 *
 *	'r' length:u32 bytes			bytes of the stream as they are
 *	'f' length:u16 path offset:u64 n:u64	n bytes of that file (a plain name, see name.h)
 *	'e' size:u64				the end; bytes of the whole stream
 *
 * numbers little-endian.  The reader trusts nothing: the file may have been changed.
 */
#ifndef POD_INDEX_H
#define POD_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "pod-store/layer/tar.h"

struct index_writer;

struct index_writer *index_create(int fd, struct err *e); /* borrows fd */
int index_raw(struct index_writer *w, const void *p, size_t n, struct err *e);
int index_file(struct index_writer *w, const char *path, uint64_t offset, size_t n, struct err *e);
/*
 * exact: every file referred to still has the contents it was given.  If not, the index becomes one that
 * index_open refuses with a clear error (fd must be a file for that).
 */
int index_finish(struct index_writer *w, bool exact, struct err *e);
void index_writer_free(struct index_writer **w);

enum index_kind { INDEX_RAW, INDEX_FILE, INDEX_END };

struct index_record {
	enum index_kind kind;
	const void *raw; /* INDEX_RAW: n bytes, valid until the next call */
	const char *path;
	uint64_t offset;
	uint64_t n; /* INDEX_END: bytes of the stream */
};

struct index_reader;

struct index_reader *index_open(int fd, struct err *e); /* borrows fd */
int index_next(struct index_reader *r, struct index_record *out, struct err *e);
void index_reader_free(struct index_reader **r);

#endif
