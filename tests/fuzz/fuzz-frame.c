/* SPDX-License-Identifier: ISC */
/*
 * Feeds bytes to the decoder of every message.  What is accepted must encode and decode to the same
 * bytes again.  The first two bytes choose the message, the rest is the body.
 *
 * A mutated frame seldom has every required field, so now and then the mutator starts again from a
 * well-formed one, made from the table of the message: no message needs seeds of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

static size_t
count_messages(void)
{
	static size_t count;

	while (msg_all[count] != NULL)
		count++;
	return count;
}

static unsigned
next(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static void fill(const struct wire_desc *d, void *rec, struct arena *a, unsigned *state, int depth);

static const char *
some_text(unsigned *state)
{
	static const char *const texts[] = {
	    "", "a", "bridge", "10.88.0.2", "/", "../..", "\xc3\xa4"};

	return texts[next(state) % (sizeof(texts) / sizeof(texts[0]))];
}

static void
fill_records(const struct wire_field *f, void *at, struct arena *a, unsigned *state, int depth)
{
	struct {
		void *v;
		size_t n;
	} list = {NULL, depth < 4 ? next(state) % 3 : 0};

	list.v = arena_alloc(a, (list.n + 1) * f->rec->size);
	for (size_t i = 0; i < list.n; i++)
		fill(f->rec, (char *)list.v + i * f->rec->size, a, state, depth + 1);
	memcpy(at, &list, sizeof(list));
}

static void
fill_field(const struct wire_field *f, void *at, struct arena *a, unsigned *state, int depth)
{
	switch (f->type) {
	case WIRE_STR:
		*(const char **)at = some_text(state);
		break;
	case WIRE_BIN:
		*(struct bytes *)at = (struct bytes){(const uint8_t *)"\0\xff\1", next(state) % 4};
		break;
	case WIRE_U64:
		*(uint64_t *)at = f->max == 0 ? 0 : next(state) % f->max;
		break;
	case WIRE_I64:
		*(int64_t *)at = (int64_t)next(state) - 100;
		break;
	case WIRE_BOOL:
		*(bool *)at = next(state) & 1;
		break;
	case WIRE_STRS: {
		struct strs *l = at;

		l->n = next(state) % 4;
		l->v = arena_alloc(a, (l->n + 1) * sizeof(*l->v));
		for (size_t i = 0; i < l->n; i++)
			l->v[i] = some_text(state);
		break;
	}
	case WIRE_REC:
		*(void **)at = depth < 4 ? arena_alloc(a, f->rec->size) : NULL;
		if (depth < 4)
			fill(f->rec, *(void **)at, a, state, depth + 1);
		break;
	case WIRE_RECS:
		fill_records(f, at, a, state, depth);
		break;
	case WIRE_FD:
		break;
	}
}

/* Required fields always, the others half of the time. */
static void
fill(const struct wire_desc *d, void *rec, struct arena *a, unsigned *state, int depth)
{
	for (size_t i = 0; i < d->nfields; i++)
		if ((d->fields[i].attr & REQ) || (next(state) & 1))
			fill_field(
			    &d->fields[i], (char *)rec + d->fields[i].offset, a, state, depth);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	unsigned state = seed;
	const struct wire_desc *d;
	struct arena a = {0};
	struct strbuf s = {0};
	uint16_t which;

	if (next(&state) % 8 != 0)
		return LLVMFuzzerMutate(data, n, max);
	which = (uint16_t)(next(&state) % count_messages());
	d = msg_all[which];
	void *rec = arena_alloc(&a, d->size);
	fill(d, rec, &a, &state, 0);
	wire_pack(d, rec, &s);
	if (s.n + sizeof(which) <= max) {
		memcpy(data, &which, sizeof(which));
		memcpy(data + sizeof(which), s.s, s.n);
		n = s.n + sizeof(which);
	}
	strbuf_free(&s);
	arena_free(&a);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct wire_desc *d;
	struct arena a = {0};
	struct strbuf once = {0}, twice = {0};
	struct err e = {0};
	void *rec, *back;
	uint16_t which;

	if (n < sizeof(which))
		return 0;
	memcpy(&which, data, sizeof(which));
	d = msg_all[which % count_messages()];
	rec = arena_alloc(&a, d->size);
	back = arena_alloc(&a, d->size);
	if (wire_unpack(d, data + sizeof(which), n - sizeof(which), rec, &a, &e) == 0) {
		wire_pack(d, rec, &once);
		if (wire_unpack(d, once.s, once.n, back, &a, &e) == -1)
			abort();
		wire_pack(d, back, &twice);
		if (once.n != twice.n || memcmp(once.s, twice.s, once.n) != 0)
			abort();
	}
	strbuf_free(&once);
	strbuf_free(&twice);
	arena_free(&a);
	return 0;
}
