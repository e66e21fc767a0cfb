/* SPDX-License-Identifier: ISC */
/*
 * Members of a tar archive by name.  The headers are read once; later a member is found again by
 * the offset of its header, so the file must be one that can be read at any place.
 */
#ifndef POD_IMAGE_ARCHIVE_READER_H
#define POD_IMAGE_ARCHIVE_READER_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define READER_MEMBERS_MAX 65536
#define READER_NAME_MAX 4096

struct reader_member {
	char *name, *link; /* clean; link is NULL for a file */
	uint64_t size;
	int64_t offset;
};

struct reader {
	int fd;
	struct reader_member *members;
	size_t n, cap;
};

/*
 * Lists the archive in input.  What cannot be read twice, or is compressed, is first written to
 * spool as a plain tar; spool may be -1 if input is a plain file.  Both are taken over.
 */
int reader_open(struct reader *r, int input, int spool, struct err *e);
void reader_close(struct reader *r);

/* The member of that name, links followed; NULL with e. */
const struct reader_member *reader_find(const struct reader *r, const char *name, struct err *e);

/* Gives the member's content to sink, piece by piece; sink returns -1 with e to stop. */
typedef int reader_sink(void *arg, const void *p, size_t n, struct err *e);
int reader_content(const struct reader *r, const struct reader_member *m, reader_sink *sink,
    void *arg, struct err *e);

/*
 * The clean form of a name as it stands in an archive: relative, without "." parts.  NULL if there is
 * none, as for "..", "/x" or what is not UTF-8.  Links are relative to the directory of base.
 */
char *reader_clean(const char *name, const char *base);

#endif
