/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/index.o pod-store/layer/result.o
// libs: -lzstd
/*
 * The index of a layer and a worker's result, both as they might come from somebody hostile.  The
 * first byte chooses; the index's records are compressed here, or no input would come far.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "common/fs/file.h"
#include "pod-store/layer/index.h"
#include "pod-store/layer/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
read_index(int fd)
{
	struct err e = {0};
	struct index_reader *r;
	struct index_record x;

	lseek(fd, 0, SEEK_SET);
	r = index_open(fd, &e);
	while (r != NULL && index_next(r, &x, &e) == 0 && x.kind != INDEX_END)
		if (x.kind == INDEX_FILE && strlen(x.path) > TAR_PATH_MAX)
			abort();
	index_reader_free(&r);
}

static void
fuzz_index(const uint8_t *data, size_t n)
{
	size_t bound = ZSTD_compressBound(n);
	char *packed = xmalloc(bound);
	int fd = memfd_create("index", MFD_CLOEXEC);

	bound = ZSTD_compress(packed, bound, data, n, 1);
	if (fd >= 0 && file_put(fd, "podtar1\n", 8) == 0 && file_put(fd, packed, bound) == 0)
		read_index(fd);
	close(fd);
	free(packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct result r = {0};
	struct err e = {0};
	char *copy;

	if (n == 0)
		return 0;
	if (data[0] & 1) {
		fuzz_index(data + 1, n - 1);
		return 0;
	}
	copy = xmemdup(data + 1, n - 1);
	if (result_parse(copy, n - 1, &r, &e) == -1 && !err_is_set(&e))
		abort();
	result_free(&r);
	free(copy);
	return 0;
}
