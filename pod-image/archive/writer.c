/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-image/archive/writer.h"

struct writer {
	struct archive *a;
	int fd;
};

static int
fault(struct writer *w, struct err *e)
{
	const char *why = archive_error_string(w->a);

	errno = archive_errno(w->a);
	/* As a system error this would mean that pod-image has gone. */
	if (errno == EPIPE)
		return err_set(e, ERR_CANCELLED, "the reader of the archive has gone");
	if (errno > 0)
		return err_sys(e, "writing the archive");
	return err_set(e, ERR_INTERNAL, "writing the archive: %s", why != NULL ? why : "failed");
}

struct writer *
writer_new(int fd, struct err *e)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->a = archive_write_new();
	if (w->a != NULL && archive_write_set_format_gnutar(w->a) == ARCHIVE_OK &&
	    archive_write_set_bytes_in_last_block(w->a, 1) == ARCHIVE_OK &&
	    archive_write_open_fd(w->a, fd) == ARCHIVE_OK)
		return w;
	err_set(e, ERR_INTERNAL, "starting an archive");
	archive_write_free(w->a);
	fd_close(&w->fd);
	free(w);
	return NULL;
}

int
writer_file(struct writer *w, const char *name, uint64_t size, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (int64_t)size);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0444);
	archive_entry_set_mtime(entry, 0, 0); /* so that equal images make equal archives */
	r = archive_write_header(w->a, entry);
	archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : fault(w, e);
}

int
writer_data(struct writer *w, const void *p, size_t n, struct err *e)
{
	ssize_t done = archive_write_data(w->a, p, n);

	if (done < 0)
		return fault(w, e);
	return (size_t)done == n
		   ? 0
		   : err_set(e, ERR_INTERNAL, "writing the archive: more data than was announced");
}

int
writer_end(struct writer *w, struct err *e)
{
	int r = archive_write_close(w->a) == ARCHIVE_OK ? 0 : fault(w, e);

	archive_write_free(w->a);
	fd_close(&w->fd);
	free(w);
	return r;
}
