/* SPDX-License-Identifier: ISC */
/*
 * Maps of sparse files in tar streams: which stretches of the file are stored, one after the other.
 */
#ifndef POD_SPARSE_H
#define POD_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct sparse_segment {
	uint64_t offset, n;
};

struct sparse {
	struct sparse_segment *v;
	size_t n, cap;
	uint64_t stored; /* sum of all n */
	/* Reading of numbers, as GNU.sparse.offset and .numbytes or the lines of format 1.0. */
	uint64_t offset;
	bool have_offset;
};

/* Segments must ascend without overlap.  Empty ones are dropped. */
int sparse_add(struct sparse *s, uint64_t offset, uint64_t n, struct err *e);

/* The next number of a list "offset, length, offset, length, …". */
int sparse_add_number(struct sparse *s, uint64_t number, struct err *e);

/* GNU.sparse.map of format 0.1: numbers with commas. */
int sparse_parse_list(struct sparse *s, const char *text, size_t n, struct err *e);

/* Checks the finished map against the size of the file and the bytes stored in the stream. */
int sparse_check(const struct sparse *s, uint64_t size, uint64_t stored, struct err *e);

void sparse_clear(struct sparse *s); /* empties it, memory is kept */
void sparse_free(struct sparse *s);

#endif
