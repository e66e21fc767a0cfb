/* SPDX-License-Identifier: ISC */
/*
 * Where one registry's signatures lie: with itself if it has the extension for that, else in a lookaside
 * (registries.d), which is a directory or a web server; and images beside the image.
 */
#ifndef POD_IMAGE_PLACE_H
#define POD_IMAGE_PLACE_H

#include "common/oci/reference.h"
#include "pod-image/keep.h"
#include "pod-image/signatures.h"

struct place {
	struct peer *files;   /* pod-image-layout in the directory of a file: URL, or NULL */
	struct peer *fetch;   /* pod-image-fetch for a http(s): URL, or NULL */
	uint32_t fetch_setup; /* its setup, 0 once that has been answered */
	char *prefix;	      /* of the URL's path, for fetch */
	bool attachments;     /* images beside the image */
	struct reference ref; /* as that registry has it */
};

/* With the caller's power: starts the readers.  Of a directory without the repository there is none. */
int place_prepare(struct place *p, const struct reference *physical, struct err *e);
void place_fds(const struct place *p, struct keep *k);

/* True if it may hold signatures that are no attached images. */
bool place_has_lookaside(const struct place *p);

/*
 * Appends the signatures of the manifest with that digest.  fetch and repository: the registry it came from, for
 * attached ones.
 */
int place_read(struct place *p, struct peer *fetch, const char *repository, const char *digest,
    struct signatures *out, struct err *e);

void place_free(struct place *p);

#endif
