/* SPDX-License-Identifier: ISC */
/*
 * Inside of the tar reader, shared by tar.c (the machine) and tarpax.c (extended headers).
 */
#ifndef POD_TAR_STATE_H
#define POD_TAR_STATE_H

#include "common/base/mem.h"
#include "pod-store/layer/sparse.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tarhdr.h"

enum tar_state {
	HEADER,	    /* gathering a header block */
	GOT_HEADER, /* block is complete and was given out as raw */
	META,	    /* contents and padding of an extended header */
	GOT_META,
	OLD_SPARSE, /* gathering a further block of an old GNU sparse map */
	GOT_OLD_SPARSE,
	MAP, /* gathering a block of a sparse map in the contents (format 1.0) */
	GOT_MAP,
	START, /* the entry is complete */
	DATA,
	FINISH,
	PADDING,
	ZERO, /* after one zero block, gathering the second */
	GOT_ZERO,
	TRAILER,
	DONE
};

/* What extended headers said about the entry to come. */
struct pending {
	bool path, link, size, uid, gid, mtime, pax, sparse_size;
	uint64_t size_value, real_size;
	uint64_t uid_value, gid_value;
	int64_t mtime_value;
	uint32_t mtime_ns;
	unsigned sparse_major, sparse_minor;
	bool sparse_map, sparse_version, sparse_name;
};

struct tar {
	const uint8_t *p; /* input not yet consumed */
	size_t n;
	bool eof;

	enum tar_state state;
	union {
		uint8_t block[TAR_BLOCK];
		struct tarhdr h;
	};
	size_t fill;	  /* bytes of block */
	uint64_t left;	  /* bytes of contents still to come */
	unsigned padding; /* and of padding after them */
	uint64_t entries, trailer;

	char meta_type;
	char *meta;
	size_t meta_n, meta_cap;
	uint64_t meta_size;

	struct pending pend;
	struct tar_entry entry;
	char name[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	struct arena xattr_mem;

	struct sparse sparse;
	size_t segment;	 /* of sparse, where contents stand */
	uint64_t within; /* bytes of it that were given out */
	uint64_t
	    map_left; /* numbers of a 1.0 map still to read; UINT64_MAX: their count comes first */
	uint64_t number;
	unsigned digits;

	const uint8_t *data;
	size_t data_n;
	uint64_t data_offset;
};

/* Set an error about the entry under way, whose name is foreign text; -1. */
int tar_bad(const struct tar *t, struct err *e, enum err_class class, const char *what);
int tar_malformed(const struct tar *t, struct err *e, const char *what); /* ERR_FORMAT */

/* Takes the extended header in t->meta (of type t->meta_type) into t->pend. */
int tarpax_read(struct tar *t, struct err *e);

#endif
