/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_list.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The capacity is not stored: it is the power of two from 4 upwards that holds n. */
void *
spec_list_push(struct arena *a, void *v, size_t *n, size_t size)
{
	void *old, *now;

	memcpy(&old, v, sizeof(old));
	now = old;
	if (*n == 0 || (*n >= 4 && (*n & (*n - 1)) == 0)) {
		now = arena_array(a, *n == 0 ? 4 : *n * 2, size);
		if (*n > 0)
			memcpy(now, old, *n * size);
		memcpy(v, &now, sizeof(now));
	}
	return (char *)now + (*n)++ * size;
}

void
spec_list_add(struct arena *a, struct strs *l, const char *s)
{
	*SPEC_PUSH(a, l) = s;
}

void
spec_list_addf(struct arena *a, struct strs *l, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	spec_list_add(a, l, arena_strdup(a, s));
	free(s);
}

void
spec_list_add_all(struct arena *a, struct strs *l, const struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		spec_list_add(a, l, from->v[i]);
}

bool
spec_list_has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
spec_list_sort(struct strs *l)
{
	size_t kept = 0;

	if (l->n < 2)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_text);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || strcmp(l->v[kept - 1], l->v[i]) != 0)
			l->v[kept++] = l->v[i];
	l->n = kept;
}

static size_t
env_find(const struct strs *l, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strncmp(l->v[i], name, n) == 0 && l->v[i][n] == '=')
			break;
	return i;
}

void
spec_list_env_set(struct arena *a, struct strs *l, const char *whole)
{
	size_t i = env_find(l, whole, strcspn(whole, "="));

	if (i < l->n)
		l->v[i] = whole;
	else
		spec_list_add(a, l, whole);
}

const char *
spec_list_env_get(const struct strs *l, const char *name, size_t n)
{
	size_t i = env_find(l, name, n);

	return i < l->n ? l->v[i] + n + 1 : NULL;
}

void
spec_list_env_unset(struct strs *l, const char *name)
{
	size_t i = env_find(l, name, strlen(name));

	if (i == l->n)
		return;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
	l->n--;
}

void
spec_list_kv_set(struct arena *a, struct rec_kv **v, size_t *n, const char *key, const char *value)
{
	size_t i = 0, end = *n;

	while (i < end) {
		size_t middle = i + (end - i) / 2;

		if (strcmp((*v)[middle].key, key) < 0)
			i = middle + 1;
		else
			end = middle;
	}
	if (i == *n || strcmp((*v)[i].key, key) != 0) {
		spec_list_push(a, v, n, sizeof(**v));
		memmove(&(*v)[i + 1], &(*v)[i], (*n - 1 - i) * sizeof(**v));
	}
	(*v)[i].key = key;
	(*v)[i].value = value;
}

const char *
spec_list_kv_get(const struct rec_kv *v, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].key, key) == 0)
			return v[i].value;
	return NULL;
}
