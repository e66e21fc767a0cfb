/* SPDX-License-Identifier: ISC */
/* Tar archives of images: the listing, and the content of each member. */
// objs: pod-image/archive/reader.o
// libs: -larchive
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-image/archive/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
drop(void *arg, const void *p, size_t n, struct err *e)
{
	(void)p;
	(void)e;
	*(size_t *)arg += n;
	return *(size_t *)arg > 1 << 20 ? -1 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_fd int fd = memfd_create("archive", 0);
	struct reader r = {.fd = -1};
	struct err e = {0};

	if (write(fd, data, n) != (ssize_t)n)
		return 0;
	if (reader_open(&r, fd_take(&fd), -1, &e) == 0) {
		for (size_t i = 0; i < r.n && i < 16; i++) {
			const struct reader_member *m = reader_find(&r, r.members[i].name, &e);
			size_t total = 0;

			if (m != NULL)
				(void)reader_content(&r, m, drop, &total, &e);
		}
	}
	reader_close(&r);
	return 0;
}
