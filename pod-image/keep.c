/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-image/keep.h"

void
keep_free(struct keep *k)
{
	free(k->v);
	memset(k, 0, sizeof(*k));
}

void
keep_fd(struct keep *k, int fd)
{
	if (fd <= 0)
		return;
	k->v = mem_grow(k->v, &k->cap, k->n + 1, sizeof(*k->v));
	k->v[k->n++] = fd;
}

void
keep_peer(struct keep *k, const struct peer *p)
{
	if (p != NULL)
		keep_fd(k, peer_fd(p));
}

static int
compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void
keep_sort(struct keep *k)
{
	if (k->n > 0)
		qsort(k->v, k->n, sizeof(*k->v), compare);
}
