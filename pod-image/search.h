/* SPDX-License-Identifier: ISC */
/*
 * Searching registries: by the old search interface where there is one, else by the catalogue of
 * repositories; and the tags of one repository.  Runs without privilege.
 */
#ifndef POD_IMAGE_SEARCH_H
#define POD_IMAGE_SEARCH_H

#include "pod-image/plan.h"

struct search {
	/* set before search_run */
	struct plan *plan; /* with sources: the first one's tags are wanted */
	const char *term;
	uint64_t limit; /* of each registry */

	struct rec_search_result *results;
	size_t n, cap;
	struct arena arena;
};

int search_run(struct search *s, struct err *e);
void search_free(struct search *s);

/* For tests and fuzzing: appends what an answer holds.  *more: the last name of a catalogue's page. */
int search_take_v1(
    struct search *s, const char *registry, const char *text, size_t n, struct err *e);
int search_take_catalog(struct search *s, const char *registry, const char *text, size_t n,
    size_t first, char **more, struct err *e);

#endif
