/* SPDX-License-Identifier: ISC */
/*
 * Aligned columns, as Go's tabwriter with Podman's settings makes them: a column is as wide as its
 * widest cell plus 2, at least 12; the last one is not padded.
 */
#ifndef POD_TABLE_H
#define POD_TABLE_H

#include "common/base/mem.h"

/*
 * Aligns text whose cells are ended by tabs and whose rows are ended by newlines.  As in tabwriter,
 * a column is a block of consecutive rows that have a cell there.  Wide characters count as one.  A table is for
 * people, and what is in it may come from a registry or an image: control characters are escaped (text_escape).
 */
void table_align(const char *text, struct strbuf *out);

#endif
