/* SPDX-License-Identifier: ISC */
// objs: pod-image/fetch/ranges.o
/*
 * The answer of a registry to a request for ranges: the first line is its Content-Type or, with a '#' before it, its
 * Content-Range; an empty one stands for the whole blob.  What is given must be what was asked for, in its order.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-image/fetch/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
read_body(struct ranges *r, const char *p, size_t n, struct err *e)
{
	size_t total = 0;

	while (n > 0) {
		size_t skip, give;

		if (ranges_take(r, p, n, &skip, &give, e) == -1) {
			if (!err_is_set(e))
				abort();
			return;
		}
		if (skip + give == 0 || skip + give > n || r->done > r->n)
			abort();
		total += give;
		p += skip + give;
		n -= skip + give;
	}
	if (total > 15)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct range asked[] = {{5, 3}, {10, 10}, {30, 2}};
	struct ranges r = {.v = asked, .n = 3, .total = 40};
	struct err e = {0};
	const uint8_t *line = n > 0 ? memchr(data, '\n', n) : NULL;
	char *head, *body;
	size_t len;
	long status;

	if (line == NULL)
		return 0;
	head = xstrndup((const char *)data, (size_t)(line - data));
	len = n - (size_t)(line - data) - 1;
	body = xmemdup(line + 1, len);
	status = head[0] != '\0' ? 206 : 200;
	if (head[0] == '#' && head[1] == '1')
		r.n = 1;
	if (ranges_begin(&r, status, head[0] == '#' ? NULL : head,
		head[0] == '#' && head[1] != '\0' ? head + 2 : NULL, &e) == 0)
		read_body(&r, body, len, &e);
	free(head);
	free(body);
	return 0;
}
