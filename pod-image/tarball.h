/* SPDX-License-Identifier: ISC */
/*
 * "tarball:PATH[:PATH...]": an image made of tars of files, one for each layer, the lowest first; - is the
 * standard input.  Its configuration tells nothing but where the layers come from.
 */
#ifndef POD_IMAGE_TARBALL_H
#define POD_IMAGE_TARBALL_H

#include "common/wire/peer.h"
#include "pod-image/late.h"

#define TARBALL_MAX 32

struct tarball {
	struct tarball_file {
		int fd;
		char *name; /* for messages: the path, or what the standard input is called */
		int64_t modified_ns;
		const char *media_type; /* by its first bytes */
	} v[TARBALL_MAX];
	size_t n;
};

/*
 * With the caller's power: opens the files.  The standard input is written to a file below graph_root,
 * which may be NULL.
 */
int tarball_open(struct tarball *t, const char *paths, const char *graph_root, struct err *e);
void tarball_free(struct tarball *t);

/* What becomes its configuration. */
void tarball_describe(const struct tarball *t, struct late *out);

/* Asks the worker recode for the file as it is. */
int tarball_ask(
    struct tarball *t, size_t file, struct peer *recode, int stream, uint32_t *seq, struct err *e);

#endif
