/* SPDX-License-Identifier: ISC */
// libs: -lisal
/* tar-split data out of another engine's store: lines, and the compressed stream. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/fs/file.h"
#include "common/oci/tarsplit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
take_bytes(void *arg, const void *p, size_t n, struct err *e)
{
	const unsigned char *b = p;
	unsigned *sum = arg;

	(void)e;
	for (size_t i = 0; i < n; i++)
		*sum += b[i];
	return 0;
}

static int
take_file(void *arg, const char *name, uint64_t size, const uint64_t *crc, struct err *e)
{
	unsigned *sum = arg;

	(void)e;
	*sum += (unsigned)strlen(name) + (crc != NULL ? (unsigned)*crc : 0);
	if (size == 0)
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned sum = 0;
	const struct split_ops ops = {.bytes = take_bytes, .file = take_file, .arg = &sum};
	struct err e = {0};
	char *copy = xmemdup(data, n);
	int fd = memfd_create("split", MFD_CLOEXEC);

	if (split_line(copy, n, &ops, &e) == -1 && !err_is_set(&e))
		abort();
	free(copy);
	err_clear(&e);
	if (fd >= 0 && file_put(fd, data, n) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    split_read(fd, &ops, &e) == -1 && !err_is_set(&e))
		abort();
	close(fd);
	return 0;
}
