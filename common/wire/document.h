/* SPDX-License-Identifier: ISC */
/*
 * A JSON value as bytes of a message, in a form that whoever gets it need not parse as text: what a worker read within
 * bounds is passed on, whatever keys it has.
 *
 * A value is a letter and what follows it: n, t, f; i and d with 8 bytes, lowest first (an integer, an IEEE double); s
 * with a length and UTF-8 without NUL; [ with a count and as many values; { with a count and as many lengths, keys and
 * values.  Lengths and counts have 4 bytes.
 */
#ifndef POD_DOCUMENT_WIRE_H
#define POD_DOCUMENT_WIRE_H

#include <jansson.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/wire.h"

#define DOCUMENT_MAX ((size_t)15 << 20)
#define DOCUMENT_DEPTH_MAX 64

/* Appends the value; -1 with e if it has more than DOCUMENT_MAX bytes or DOCUMENT_DEPTH_MAX levels. */
int document_pack(const json_t *j, struct strbuf *out, struct err *e);

/* The value, of which all bytes are part, with JSON_NODES_MAX lists and objects; a new reference, or NULL with e. */
json_t *document_unpack(const struct bytes *b, struct err *e);

#endif
