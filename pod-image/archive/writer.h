/* SPDX-License-Identifier: ISC */
/* A new tar archive, written member by member to a descriptor. */
#ifndef POD_IMAGE_ARCHIVE_WRITER_H
#define POD_IMAGE_ARCHIVE_WRITER_H

#include <stdint.h>

#include "common/base/err.h"

struct writer;

/* fd is taken over. */
struct writer *writer_new(int fd, struct err *e);

/* Begins a file of size bytes; writer_data must then give exactly as many. */
int writer_file(struct writer *w, const char *name, uint64_t size, struct err *e);
int writer_data(struct writer *w, const void *p, size_t n, struct err *e);

/* Completes the archive and frees w, on failure too. */
int writer_end(struct writer *w, struct err *e);

#endif
