/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o
// objs: pod-store/layer/sparse.o pod-store/layer/name.o
/*
 * A tar stream in pieces, the first byte says how large.  Checked: all bytes come out once and in
 * order, contents stay within the size promised and ascend, plain names stay plain.  Check sums are
 * put right first, or no input would come far.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-store/layer/name.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tarhdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_name(const char *name)
{
	char out[TAR_PATH_MAX + 1], again[TAR_PATH_MAX + 1];

	if (name_plain(name, out) != NAME_ORDINARY)
		return;
	if (out[0] == '\0' || out[0] == '/' || strstr(out, "//") != NULL)
		abort();
	if (name_plain(out, again) != NAME_ORDINARY || strcmp(out, again) != 0)
		abort();
}

struct watch {
	const struct tar_entry *x;
	uint64_t at;
	bool inside;
};

static void
check_event(struct watch *w, struct tar *t, enum tar_event ev)
{
	uint64_t offset;
	size_t n;

	tar_data(t, &n, &offset);
	if (ev == TAR_ENTRY) {
		if (w->inside)
			abort();
		*w = (struct watch){.x = tar_entry(t), .inside = true};
		check_name(w->x->name);
	}
	if (ev == TAR_DATA) {
		if (!w->inside || offset < w->at || offset + n > w->x->size ||
		    (!w->x->sparse && offset != w->at))
			abort();
		w->at = offset + n;
	}
	if (ev == TAR_ENTRY_END) {
		if (!w->inside || (!w->x->sparse && w->at != w->x->size))
			abort();
		w->inside = false;
	}
}

static void
run(const uint8_t *data, size_t n, size_t step)
{
	struct tar *t = tar_new();
	struct watch w = {0};
	struct err e = {0};
	size_t fed = 0, back = 0;

	for (;;) {
		enum tar_event ev = tar_next(t, &e);
		size_t got;
		const void *p = tar_data(t, &got, NULL);

		check_event(&w, t, ev);
		if (ev == TAR_RAW || ev == TAR_DATA) {
			if (back + got > n || memcmp(data + back, p, got) != 0)
				abort();
			back += got;
		}
		if (ev == TAR_MORE) {
			size_t some = n - fed < step ? n - fed : step;

			tar_feed(t, data + fed, some);
			fed += some;
		}
		if (ev == TAR_END && back != n)
			abort();
		if (ev == TAR_BAD && !err_is_set(&e))
			abort();
		if (ev == TAR_END || ev == TAR_BAD)
			break;
	}
	tar_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t steps[] = {1, 100, 512, 513, 65536};
	uint8_t *copy;

	if (n < 1)
		return 0;
	copy = xmemdup(data + 1, n - 1);
	for (size_t i = 0; i + TAR_BLOCK <= n - 1; i += TAR_BLOCK)
		if (memcmp(copy + i + 257, "ustar", 5) == 0)
			tarhdr_set_checksum((struct tarhdr *)(copy + i));
	run(copy, n - 1, steps[data[0] % 5]);
	free(copy);
	return 0;
}
