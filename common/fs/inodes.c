/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>

#include "common/fs/inodes.h"

struct inodes_place {
	dev_t dev;
	ino_t ino;
	const char *name; /* NULL: free */
};

static struct inodes_place *
find(const struct inodes *s, dev_t dev, ino_t ino)
{
	/* Fibonacci hashing; cap is a power of two and never full. */
	size_t i = (ino * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);

	while (s->v[i].name != NULL && (s->v[i].ino != ino || s->v[i].dev != dev))
		i = (i + 1) & (s->cap - 1);
	return &s->v[i];
}

static void
grow(struct inodes *s)
{
	struct inodes old = *s;

	s->cap = old.cap > 0 ? old.cap * 2 : 256;
	s->v = xcalloc(s->cap, sizeof(*s->v));
	for (size_t i = 0; i < old.cap; i++)
		if (old.v[i].name != NULL)
			*find(s, old.v[i].dev, old.v[i].ino) = old.v[i];
	free(old.v);
}

const char *
inodes_add(struct inodes *s, const struct stat *st, const char *name)
{
	struct inodes_place *p;

	if (s->n * 2 >= s->cap)
		grow(s);
	p = find(s, st->st_dev, st->st_ino);
	if (p->name != NULL)
		return p->name;
	*p = (struct inodes_place){
	    st->st_dev, st->st_ino, *name != '\0' ? arena_strdup(&s->names, name) : ""};
	s->n++;
	return NULL;
}

void
inodes_free(struct inodes *s)
{
	free(s->v);
	arena_free(&s->names);
	*s = (struct inodes){0};
}
