/* SPDX-License-Identifier: ISC */
/*
 * A manifest list of the store as a source: the index is the store's, its images come from wherever
 * they were when they were added: the store, registries, archives, directories.
 */
#ifndef POD_IMAGE_SOURCE_LIST_H
#define POD_IMAGE_SOURCE_LIST_H

#include "pod-image/source.h"

struct origin { /* a place that images of the list come from */
	char *text;
	struct plan plan;
	struct load load;
	struct source source;
	bool opened;
};

struct source_list {
	struct peer *store;
	struct peer_in record;
	const struct rec_image *image; /* in record */
	struct origin *origins;
	size_t n;
};

/*
 * With the caller's power: asks the store for id and, if that is a list, starts the workers for what
 * it names.  *is_list tells.
 */
int source_list_prepare(struct source_list *l, struct peer *store, const char *id,
    const char *graph_root, const struct rec_registry_access *access, bool *is_list, struct err *e);
/* True if the store keeps signatures of it, or of an image of it that is in the store. */
bool source_list_signed(const struct source_list *l);
void source_list_fds(const struct source_list *l, struct keep *k);

/* Without it; l must stay. */
void source_list(struct source *s, struct source_list *l);
void source_list_free(struct source_list *l);

#endif
