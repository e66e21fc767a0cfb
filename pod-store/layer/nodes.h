/* SPDX-License-Identifier: ISC */
/*
 * The tree of a layer in memory, built from its tar stream by the rules of extract.h, for layouts that
 * describe a layer instead of writing its files.  Contents are not kept: pieces tell where they stand in the
 * stream.
 *
 * Directories that no entry described have mode 0755 and the time of the entry that needed them, so that the
 * same stream always gives the same tree.
 */
#ifndef POD_NODES_H
#define POD_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "pod-store/layer/tar.h"

#define NODES_MAX 4194304u /* files of one layer, and entries: all of them are in memory */
#define NODES_XATTRS_MAX ((uint64_t)256 << 20) /* bytes of their extended attributes, as well */

struct node_xattr {
	struct node_xattr *next;
	const char *name;
	const char *value;
	size_t n;
};

struct node_piece {
	uint64_t at;   /* offset in the file */
	uint64_t from; /* offset in the stream */
	uint64_t n;
};

struct node;

/* A name in a directory.  Files with several names have several of these. */
struct node_name {
	struct node_name *hashed;
	struct node_name *prev, *next; /* in the directory */
	struct node *dir, *node;
	bool seen; /* for the reader */
	uint16_t len;
	char text[];
};

struct node {
	enum tar_type type;
	bool implied; /* no entry described it: a directory, a whiteout */
	bool seen;    /* for the reader, of a directory */
	mode_t mode;
	uint32_t uid, gid, mtime_ns;
	int64_t mtime;
	uint32_t links; /* names; of a directory: directories in it */
	uint32_t major, minor;
	const char *target;    /* of a symbolic link */
	uint64_t size;	       /* of a file */
	size_t piece, npieces; /* in nodes.pieces, ascending; what is between them is zero */
	struct node_xattr *xattrs;
	struct node *parent; /* of a directory; the root's is the root */
	struct node_name *names;
	size_t nnames;

	/* For the writer. */
	struct node *next;
	uint64_t place, data;
};

struct nodes {
	struct node *root;
	struct node_piece *pieces;
	size_t npieces, pieces_cap;
	uint64_t made, entries, bytes, xattrs_bytes, xattrs_skipped;

	struct arena mem;
	struct node_name **table;
	size_t slots, used;
	const struct tar_entry *entry;
	char path[TAR_PATH_MAX + 1];
	struct node *file; /* that the contents of the entry belong to */
};

void nodes_init(struct nodes *t);
void nodes_free(struct nodes *t);

/* Steps through an entry: its contents stand at offset from of the stream, offset at of the file. */
int nodes_begin(struct nodes *t, const struct tar_entry *entry, struct err *e);
int nodes_data(struct nodes *t, uint64_t at, uint64_t from, size_t n, struct err *e);

/* The name at a plain path (name.h), reached without any symbolic link; NULL, also for "". */
struct node_name *nodes_find(const struct nodes *t, const char *path);

/* As st_mode. */
mode_t nodes_mode(const struct node *n);

#endif
