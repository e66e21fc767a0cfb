/* SPDX-License-Identifier: ISC */
/* A registry's answers to a search: of the old interface, and the catalogue. */
// objs: pod-image/search.o pod-image/plan.o pod-image/certs.o pod-image/policy.o pod-image/trust.o pod-image/place.o pod-image/fetcher.o pod-image/keep.o pod-image/extension.o pod-image/signatures.o pod-image/attached.o
#include <stdlib.h>
#include <string.h>

#include "pod-image/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define LIMIT 25

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct search s = {.term = "a", .limit = LIMIT};
	struct err e = {0};
	char *more = NULL;

	if (search_take_v1(&s, "docker.io", (const char *)data, n, &e) == -1 && !err_is_set(&e))
		abort();
	if (s.n > LIMIT)
		abort();
	err_clear(&e);
	if (search_take_catalog(&s, "example.org", (const char *)data, n, s.n, &more, &e) == -1 &&
	    !err_is_set(&e))
		abort();
	for (size_t i = 0; i < s.n; i++)
		if (s.results[i].name[strcspn(s.results[i].name, " \t\n\"\\<>\x1b")] != '\0')
			abort();
	free(more);
	search_free(&s);
	return 0;
}
