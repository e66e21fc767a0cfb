/* SPDX-License-Identifier: ISC */
/*
 * A strict reader of tar streams, without any I/O: bytes are fed in, events come out.
 *
 * Understood: v7, POSIX ustar, pax extended headers (path, linkpath, size, uid, gid, mtime,
 * SCHILY.xattr.*, GNU.sparse.*), GNU long names, GNU sparse files (old format, 0.0, 0.1, 1.0), star
 * prefixes.  Like the peers (Go's archive/tar) global pax headers change nothing, and types without
 * contents have none whatever their size field says.  Everything that cannot be right is an error,
 * never a guess: checksums, numbers, NUL in names, sizes that contradict each other, unknown types.
 *
 * Every byte of the stream comes out once, in order, as TAR_RAW or TAR_DATA, so that the exact
 *stream can be put together again (index.h).
 *
 *	for (;;)
 *		switch (tar_next(t, &e)) {
 *		case TAR_MORE: n = read(…); tar_feed(t, buf, n); break;	(n = 0 at the end)
 *		…
 */
#ifndef POD_TAR_H
#define POD_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

#define TAR_BLOCK 512u
#define TAR_PATH_MAX 4095u		/* bytes of a name or link target */
#define TAR_META_MAX (1u << 20)		/* bytes of one extended header */
#define TAR_XATTR_MAX 65536u		/* bytes of one extended attribute, as the kernel's limit */
#define TAR_XATTRS_MAX 256u		/* extended attributes of one entry */
#define TAR_SEGMENTS_MAX 262144u	/* pieces of a sparse file */
#define TAR_ENTRIES_MAX 16777216u	/* entries of one stream */
#define TAR_TRAILER_MAX (64ull << 20)	/* bytes after the end-of-archive blocks */
#define TAR_SIZE_MAX (INT64_MAX - 1024) /* bytes of one entry */

enum tar_event {
	TAR_MORE,      /* everything fed is consumed: feed more */
	TAR_RAW,       /* data, data_n: headers, padding, trailer, as they stood in the stream */
	TAR_ENTRY,     /* entry is valid until the event after TAR_ENTRY_END */
	TAR_DATA,      /* data, data_n: contents of the entry at data_offset */
	TAR_ENTRY_END, /* all contents were given */
	TAR_END,       /* the stream ended properly */
	TAR_BAD,       /* e says what is wrong; the reader is of no further use */
};

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCKDEV, TAR_DIR, TAR_FIFO };

struct tar_xattr {
	const char *name;
	const char *value;
	size_t n;
};

struct tar_entry {
	enum tar_type type;
	const char *name; /* as it stood there: may be absolute, hold "..", end in "/" */
	const char *link; /* target of TAR_HARDLINK and TAR_SYMLINK */
	mode_t mode;	  /* permission, set-id and sticky bits only */
	uid_t uid;
	gid_t gid;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size; /* of the file, holes included */
	bool sparse;   /* TAR_DATA has gaps */
	unsigned major, minor;
	const struct tar_xattr *xattrs;
	size_t nxattrs;
};

struct tar;

struct tar *tar_new(void);
void tar_free(struct tar **t);
#define own_tar own(tar_free)

/* Gives n bytes, which stay the caller's and must live until TAR_MORE; n = 0 is the end of input.
 */
void tar_feed(struct tar *t, const void *p, size_t n);

enum tar_event tar_next(struct tar *t, struct err *e);

/* What the last event was about. */
const struct tar_entry *tar_entry(const struct tar *t);

/* An error of who unpacks: what the system did not do with the entry (errno), or why it may not be.  Return -1. */
int tar_entry_failed(const struct tar_entry *x, const char *what, struct err *e);
int tar_entry_refused(const struct tar_entry *x, const char *why, struct err *e);
const void *tar_data(const struct tar *t, size_t *n, uint64_t *offset);

#endif
