/* SPDX-License-Identifier: ISC */
#include "pod-net/blame.h"

#include <stdlib.h>
#include <string.h>

#include "common/role/program.h"

#define HUNG_TIME_MS 3000

void
blame_put(struct net *n, const char *path, const struct err *e)
{
	blame_clear(n);
	n->blamed.path = xstrdup(path);
	n->blamed.hung = e->class == ERR_TIMEOUT;
}

bool
blame_is(const struct net *n, const char *path)
{
	return n->blamed.path != NULL && strcmp(n->blamed.path, path) == 0;
}

int
blame_time_ms(const struct net *n, const char *path)
{
	return blame_is(n, path) && n->blamed.hung ? HUNG_TIME_MS : PROGRAM_TIME_MS;
}

void
blame_clear(struct net *n)
{
	free(n->blamed.path);
	n->blamed.path = NULL;
}
