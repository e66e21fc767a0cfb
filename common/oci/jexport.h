/* SPDX-License-Identifier: ISC */
/*
 * The journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS), as far as the output of a container
 * needs it: entries of "NAME=value" lines, or of NAME, a newline, a length of 8 bytes, and data that
 * may hold newlines; an empty line ends an entry.
 */
#ifndef POD_JEXPORT_H
#define POD_JEXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JEXPORT_ENTRY_MAX (1u << 20) /* longer ones are refused */

struct jexport_entry {
	int64_t time_ns;     /* since 1970 */
	bool error, partial; /* of standard error; a piece of a line */
	const char *text;    /* in the buffer; NULL: the entry is no output */
	size_t n;
	const char *cursor; /* the entry's place in the journal; NULL: it has none */
	size_t cursor_n;
};

/*
 * Takes one entry out of n bytes.  Returns 1 with *used, the bytes it took; 0 if it is not complete
 * yet; -1 if this is not the format.
 */
int jexport_next(const char *p, size_t n, struct jexport_entry *out, size_t *used);

#endif
