/* SPDX-License-Identifier: ISC */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

#define PAGE 4096

static void *
checked(void *p)
{
	static const char word[] = "Error: out of memory\n";

	if (p == NULL) {
		(void)!write(STDERR_FILENO, word, sizeof(word) - 1);
		abort();
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return checked(malloc(n > 0 ? n : 1));
}

void *
xmalloc_pages(size_t n)
{
	void *p = NULL;

	return checked(posix_memalign(&p, PAGE, n > 0 ? n : 1) == 0 ? p : NULL);
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *
xreallocarray(void *p, size_t count, size_t size)
{
	return checked(reallocarray(p, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *
xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

void *
xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) == -1)
		s = NULL;
	return checked(s);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void *
mem_grow(void *list, size_t *cap, size_t want, size_t size)
{
	size_t next = *cap > 0 ? *cap : 8;

	if (want <= *cap)
		return list;
	while (next < want)
		if (__builtin_mul_overflow(next, 2, &next))
			checked(NULL);
	*cap = next;
	return xreallocarray(list, next, size);
}

void
strv_take(struct strv *l, char *s)
{
	l->v = mem_grow(l->v, &l->cap, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void
strv_add(struct strv *l, const char *s)
{
	strv_take(l, xstrdup(s));
}

void
strv_addf(struct strv *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strv_take(l, xvasprintf(fmt, ap));
	va_end(ap);
}

void
strv_add_all(struct strv *l, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strv_add(l, v[i]);
}

size_t
strv_find(const struct strv *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			break;
	return i;
}

void
strv_remove(struct strv *l, size_t i)
{
	free(l->v[i]);
	memmove(l->v + i, l->v + i + 1, (l->n - i) * sizeof(*l->v));
	l->n--;
}

void
strv_split(struct strv *l, const char *s, char sep)
{
	for (;;) {
		const char *end = strchrnul(s, sep);

		strv_take(l, xstrndup(s, (size_t)(end - s)));
		if (*end == '\0')
			return;
		s = end + 1;
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
strv_sort(struct strv *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

void
strv_free(struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strv){0};
}

void
strbuf_addn(struct strbuf *b, const char *s, size_t n)
{
	b->s = mem_grow(b->s, &b->cap, b->n + n + 1, 1);
	if (n > 0)
		memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void
strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_addn(b, &c, 1);
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		checked(NULL);
	b->s = mem_grow(b->s, &b->cap, b->n + (size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(b->s + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
strbuf_add_quoted(struct strbuf *b, const char *s)
{
	strbuf_addc(b, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			strbuf_add(b, "'\\''");
		else
			strbuf_addc(b, *s);
	strbuf_addc(b, '\'');
}

void
strbuf_free(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){0};
}

char *
strbuf_take(struct strbuf *b)
{
	char *s = b->s != NULL ? b->s : xstrdup("");

	*b = (struct strbuf){0};
	return s;
}

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->head;
	void *p;

	if (n > SIZE_MAX / 2)
		checked(NULL);
	n = (n + align - 1) / align * align;
	if (b == NULL || b->size - b->used < n) {
		/* Many arenas hold one small row: the first block is small. */
		size_t least = b == NULL ? 500 : 4000, size = n > least ? n : least;

		b = xcalloc(1, sizeof(*b) + size);
		b->size = size;
		b->next = a->head;
		a->head = b;
	}
	p = (char *)b->data + b->used;
	b->used += n;
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		checked(NULL);
	return arena_alloc(a, n);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s, *p;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	p = arena_strdup(a, s);
	free(s);
	return p;
}

void
arena_free(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
	a->head = NULL;
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_block *b = a->head; b != NULL; b = b->next)
		explicit_bzero(b->data, b->used);
	arena_free(a);
}

void
mem_short_life(void)
{
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
}
