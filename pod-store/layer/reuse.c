/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "pod-store/layer/name.h"
#include "pod-store/layer/reuse.h"

static int
add_file(void *arg, const struct toc_file *f, struct err *e)
{
	struct reuse *r = arg;
	const struct reuse_file *last = r->n > 0 ? &r->files[r->n - 1] : NULL;
	struct reuse_file *x;

	/* Fetched parts come in the order of the tar, once each. */
	if (f->end > r->end || (last != NULL && f->at < last->end))
		return err_set(
		    e, ERR_FORMAT, "the table of contents of the layer names impossible offsets");
	r->files = mem_grow(r->files, &r->cap, r->n + 1, sizeof(*r->files));
	x = &r->files[r->n++];
	*x = (struct reuse_file){.size = f->size, .at = f->at, .end = f->end, .source = -1};
	memcpy(x->digest, f->digest, sizeof(x->digest));
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct reuse_file *const *x = a, *const *y = b;

	return memcmp((*x)->digest, (*y)->digest, SHA256_SIZE);
}

int
reuse_target(struct reuse *r, const char *toc, size_t n, uint64_t end, char split[DIGEST_TEXT],
    struct err *e)
{
	r->end = end;
	if (toc_read(toc, n, add_file, r, split, e) == -1)
		return -1;
	r->sorted = xcalloc(r->n + 1, sizeof(*r->sorted));
	for (size_t i = 0; i < r->n; i++)
		r->sorted[i] = &r->files[i];
	qsort(r->sorted, r->n, sizeof(*r->sorted), compare);
	r->missing = r->n;
	return 0;
}

/* The first of those with that digest, or n. */
static size_t
find(const struct reuse *r, const uint8_t *digest)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(r->sorted[middle]->digest, digest, SHA256_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
match(void *arg, const struct toc_file *f, struct err *e)
{
	struct reuse *r = arg;
	char plain[TAR_PATH_MAX + 1];
	size_t name = r->names.n;
	bool used = false;

	(void)e;
	for (size_t i = find(r, f->digest); i < r->n; i++) {
		struct reuse_file *x = r->sorted[i];

		if (memcmp(x->digest, f->digest, SHA256_SIZE) != 0)
			break;
		if (x->source >= 0 || x->size != f->size)
			continue;
		if (!used && name_plain(f->name, plain) != NAME_ORDINARY)
			break;
		used = true;
		x->source = r->source;
		x->name = name;
		r->missing--;
		r->local += x->size;
	}
	if (used)
		strbuf_addn(&r->names, plain, strlen(plain) + 1);
	return 0;
}

void
reuse_source(struct reuse *r, int source, const char *toc, size_t n)
{
	char split[DIGEST_TEXT];
	struct err ignored = {0};

	r->source = source;
	(void)toc_read(toc, n, match, r, split, &ignored);
}

/* Two ranges with less than gap between them become one. */
static void
make_ranges(struct reuse *r, uint64_t gap)
{
	r->nranges = 0;
	r->fetched = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct reuse_file *x = &r->files[i];
		struct reuse_range *last = r->nranges > 0 ? &r->ranges[r->nranges - 1] : NULL;

		if (x->source >= 0)
			continue;
		if (last != NULL && x->at - (last->at + last->size) <= gap) {
			r->fetched += x->end - (last->at + last->size);
			last->size = x->end - last->at;
			continue;
		}
		r->ranges = mem_grow(r->ranges, &r->ranges_cap, r->nranges + 1, sizeof(*r->ranges));
		r->ranges[r->nranges++] = (struct reuse_range){x->at, x->end - x->at};
		r->fetched += x->end - x->at;
	}
}

void
reuse_plan(struct reuse *r)
{
	uint64_t gap = REUSE_GAP_MIN;

	make_ranges(r, gap);
	while (r->nranges > REUSE_RANGES_MAX) {
		gap *= 2;
		make_ranges(r, gap);
	}
}

void
reuse_free(struct reuse *r)
{
	free(r->files);
	free(r->sorted);
	free(r->ranges);
	strbuf_free(&r->names);
}
