/* SPDX-License-Identifier: ISC */
/* References: what is accepted must come out the same when it is parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_mem char *text = xstrndup((const char *)data, n), *once = NULL, *twice = NULL;
	own_reference struct reference r = {0}, again = {0};
	struct err e = {0};

	if (reference_parse_normal(text, &r, &e) < 0)
		return 0;
	once = reference_string(&r);
	/* A tag may hold "..", what becomes a path may not. */
	if (strstr(r.path, "..") != NULL || strstr(r.path, "//") != NULL ||
	    reference_parse_normal(once, &again, &e) < 0)
		abort();
	twice = reference_string(&again);
	if (strcmp(once, twice) != 0)
		abort();
	return 0;
}
