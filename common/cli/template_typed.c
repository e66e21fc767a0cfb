/* SPDX-License-Identifier: ISC */
/* A table by address, with open addressing; never more than half full. */
#include <stdint.h>
#include <stdlib.h>

#include "common/cli/template_int.h"

#define SLOTS_MIN 64

static size_t
slot_of(const struct template_typed_set *s, const json_t *v)
{
	size_t at = (size_t)(((uint64_t)(uintptr_t)v >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (at &= s->slot_n - 1; s->slots[at].v != NULL && s->slots[at].v != v;)
		at = (at + 1) & (s->slot_n - 1);
	return at;
}

const struct template_typed *
template_typed_find(const struct template_typed_set *s, const json_t *v)
{
	const struct template_typed *t = s->n > 0 ? &s->slots[slot_of(s, v)] : NULL;

	return t != NULL && t->v != NULL ? t : NULL;
}

static void
grow(struct template_typed_set *s)
{
	struct template_typed_set wide = {.n = s->n};

	wide.slot_n = s->slot_n > 0 ? 2 * s->slot_n : SLOTS_MIN;
	wide.slots = xcalloc(wide.slot_n, sizeof(*wide.slots));
	for (size_t i = 0; i < s->slot_n; i++)
		if (s->slots[i].v != NULL)
			wide.slots[slot_of(&wide, s->slots[i].v)] = s->slots[i];
	free(s->slots);
	*s = wide;
}

void
template_typed_add(struct template_typed_set *s, json_t *v, const char *type, int levels)
{
	if (2 * (s->n + 1) > s->slot_n)
		grow(s);
	s->slots[slot_of(s, v)] = (struct template_typed){json_incref(v), type, levels};
	s->n++;
}

void
template_typed_free(struct template_typed_set *s)
{
	for (size_t i = 0; i < s->slot_n; i++)
		json_decref(s->slots[i].v);
	free(s->slots);
	*s = (struct template_typed_set){0};
}
