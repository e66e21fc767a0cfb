/* SPDX-License-Identifier: ISC */
/* Entries of the journal. */
#include <stdint.h>
#include <stdlib.h>

#include "common/oci/jexport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct jexport_entry entry;
	const char *p = (const char *)data;
	size_t used;

	while (n > 0 && jexport_next(p, n, &entry, &used) == 1) {
		if (used == 0 || used > n ||
		    (entry.text != NULL && (entry.text < p || entry.text + entry.n > p + used)))
			abort();
		p += used;
		n -= used;
	}
	return 0;
}
