/* SPDX-License-Identifier: ISC */
/*
 * The tar stream of a directory: the exact one it was unpacked from, with the help of its index, or
 * a fresh one, in which overlay's whiteouts and opaque directories have their names of the image
 * format again (.wh.NAME, .wh..wh..opq).
 */
#ifndef POD_PACK_H
#define POD_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/fs/inodes.h"

#define PACK_BUFFER (256u << 10)

/* A line of a user namespace's map: files owned by "outside" are packed as owned by "inside". */
struct pack_ids {
	uint64_t inside, outside, count;
};

struct pack {
	/* Set before. */
	int root, out;
	const struct pack_ids *uids, *gids;
	size_t uids_n, gids_n; /* 0: owners stay */
	char *skip; /* NUL-separated names of files that are left out if they are empty, or NULL */
	size_t skip_n; /* bytes */
	char *opaque;  /* NUL-separated names of opaque directories, sorted as they came, or NULL */
	size_t opaque_n; /* bytes */
	bool plain;	 /* no whiteouts, no marks */

	/* What was done. */
	uint64_t entries, bytes, changed, sockets_skipped;

	/* Inside. */
	struct strbuf head;
	struct inodes links;
	char *buf;
};

/* Exactly the stream that index (a descriptor) describes. */
int pack_exact(struct pack *p, int index, struct err *e);

/* A fresh stream of all below root, in order of names; root itself is left out. */
int pack_fresh(struct pack *p, struct err *e);

/* Does the directory path below root, open as fd, hide what is below it? */
bool pack_is_opaque(const struct pack *p, int fd, const char *path);

void pack_free(struct pack *p);

#endif
