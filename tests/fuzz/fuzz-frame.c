/* SPDX-License-Identifier: ISC */
/*
 * Feeds bytes to the decoder of every message.  What is accepted must encode and decode to the same
 * bytes again.  The first byte chooses the message, the rest is the body.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static size_t count;
	const struct wire_desc *d;
	struct arena a = {0};
	struct strbuf once = {0}, twice = {0};
	struct err e = {0};
	void *rec, *back;

	if (n == 0)
		return 0;
	while (msg_all[count] != NULL)
		count++;
	d = msg_all[data[0] % count];
	rec = arena_alloc(&a, d->size);
	back = arena_alloc(&a, d->size);
	if (wire_unpack(d, data + 1, n - 1, rec, &a, &e) == 0) {
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
