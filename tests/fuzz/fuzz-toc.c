/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/toc.o pod-store/layer/jscan.o
// libs: -lzstd
/*
 * The table of contents and the tar-split of a zstd:chunked layer, which the first byte chooses: as text, and as
 * the compressed stream.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-store/layer/toc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
take_file(void *arg, const struct toc_file *f, struct err *e)
{
	(void)arg;
	(void)e;
	if (f->size == 0 || f->at >= f->end || strlen(f->name) > TAR_PATH_MAX)
		abort();
	return 0;
}

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
take_contents(void *arg, uint64_t size, struct err *e)
{
	(void)arg;
	(void)e;
	if (size == 0 || size > INT64_MAX)
		abort();
	return 0;
}

static void
read_table(const char *p, size_t n, struct err *e)
{
	char split[DIGEST_TEXT];

	if (toc_read(p, n, take_file, NULL, split, e) == -1 && !err_is_set(e))
		abort();
}

static void
read_packed(const uint8_t *p, size_t n, struct err *e)
{
	struct toc_place place;
	char *text;
	size_t len;

	if (n >= TOC_FOOTER && toc_footer(p, n, &place, e) == 0 && place.at + place.size > n)
		abort();
	err_clear(e);
	if (toc_unpack(p, n, 1 << 20, &text, &len, e) == -1)
		return;
	if (len > 1 << 20)
		abort();
	read_table(text, len, e);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned sum = 0;
	const struct toc_split_ops ops = {take_bytes, take_contents, &sum};
	struct err e = {0};
	char *copy;

	if (n == 0)
		return 0;
	copy = xmemdup(data + 1, n - 1);
	switch (data[0] % 4) {
	case 0:
		read_table(copy, n - 1, &e);
		break;
	case 1:
		read_packed((uint8_t *)copy, n - 1, &e);
		break;
	case 2:
		if (toc_split_line(copy, n - 1, &ops, &e) == -1 && !err_is_set(&e))
			abort();
		break;
	default:
		if (toc_split(copy, n - 1, &ops, &e) == -1 && !err_is_set(&e))
			abort();
	}
	free(copy);
	return 0;
}
