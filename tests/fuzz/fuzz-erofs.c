/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o pod-store/layer/sparse.o
// objs: pod-store/layer/name.o pod-store/layer/nodes.o pod-store/layer/erofs.o pod-store/layer/acl.o
// objs: pod-store/layer/xattr.o
/*
 * A tar stream becomes an EROFS image.  Checked: the same stream gives the same image, of whole blocks.  Check sums
 * of headers are put right first.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-store/layer/erofs.h"
#include "pod-store/layer/nodes.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tarhdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
mend(uint8_t *p, size_t n)
{
	for (size_t at = 0; at + TAR_BLOCK <= n; at += TAR_BLOCK) {
		unsigned sum = 8 * ' ';

		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += i >= 148 && i < 156 ? 0 : p[at + i];
		snprintf((char *)p + at + 148, 8, "%06o", sum & 0777777);
	}
}

/* 1: the whole stream was taken. */
static int
read_tree(struct nodes *t, const uint8_t *p, size_t n, struct err *e)
{
	own_tar struct tar *tar = tar_new();
	uint64_t at = 0, offset;
	size_t len;
	bool fed = false;

	for (;;) {
		switch (tar_next(tar, e)) {
		case TAR_MORE:
			tar_feed(tar, p, fed ? 0 : n);
			fed = true;
			break;
		case TAR_RAW:
			tar_data(tar, &len, &offset);
			at += len;
			break;
		case TAR_ENTRY:
			if (nodes_begin(t, tar_entry(tar), e) == -1)
				return 0;
			break;
		case TAR_DATA:
			tar_data(tar, &len, &offset);
			if (nodes_data(t, offset, at, len, e) == -1)
				return 0;
			at += len;
			break;
		case TAR_ENTRY_END:
			break;
		case TAR_END:
			return 1;
		default:
			return 0;
		}
	}
}

static int
make_image(const uint8_t *p, size_t n, off_t *size)
{
	own_fd int tar = memfd_create("tar", MFD_CLOEXEC),
		   image = memfd_create("image", MFD_CLOEXEC);
	struct nodes t;
	struct err e = {0};
	int r;

	if (write(tar, p, n) != (ssize_t)n)
		abort();
	nodes_init(&t);
	r = read_tree(&t, p, n, &e) == 1 && erofs_write(&t, tar, n, image, &e) == 0;
	nodes_free(&t);
	*size = lseek(image, 0, SEEK_END);
	return r ? fd_take(&image) : -1;
}

static void
check_same(int a, int b, off_t size)
{
	/* Large ones are mostly holes. */
	size_t n = size < (1 << 20) ? (size_t)size : 1 << 20;
	own_mem char *x = xmalloc(n), *y = xmalloc(n);

	if (pread(a, x, n, 0) != (ssize_t)n || pread(b, y, n, 0) != (ssize_t)n ||
	    memcmp(x, y, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_mem uint8_t *copy = xmalloc(n + 1);
	off_t size, again;
	own_fd int a = -1, b = -1;

	memcpy(copy, data, n);
	mend(copy, n);
	a = make_image(copy, n, &size);
	if (a == -1)
		return 0;
	b = make_image(copy, n, &again);
	if (b == -1 || size != again || size % TAR_BLOCK != 0 || size < 1536)
		abort();
	check_same(a, b, size);
	return 0;
}
