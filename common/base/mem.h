/* SPDX-License-Identifier: ISC */
/*
 * Allocation for short-lived programs: on failure they print and abort.  pod-monitor, which
 * outlives its caller, uses none of this after the container has started.
 */
#ifndef POD_MEM_H
#define POD_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t n);
void *xmalloc_pages(
    size_t n); /* on a page boundary: the kernel copies twice as fast; for free(3) */
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Grows a list geometrically: afterwards list[*cap - 1] exists for want <= *cap. */
void *mem_grow(void *list, size_t *cap, size_t want, size_t size);

/*
 * A list of strings.  v is NULL or NULL-terminated at v[n]; strings and v are owned by the list.
 */
struct strv {
	char **v;
	size_t n, cap;
};

void strv_add(struct strv *l, const char *s); /* copies s */
void strv_addf(struct strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_take(struct strv *l, char *s); /* s is owned by l afterwards */
void strv_add_all(struct strv *l, const char *const *v, size_t n);
size_t strv_find(const struct strv *l, const char *s); /* index, or n if absent */
void strv_remove(struct strv *l, size_t i);
void strv_split(
    struct strv *l, const char *s, char sep); /* appends the parts; "" gives one empty part */
void strv_sort(struct strv *l);
void strv_free(struct strv *l);
#define own_strv own(strv_free)

/* A growing string; s is NULL until the first addition, and NUL-terminated afterwards. */
struct strbuf {
	char *s;
	size_t n, cap;
};

void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const char *s, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_add_quoted(struct strbuf *b, const char *s); /* one word of sh, whatever is in it */
void strbuf_free(struct strbuf *b);
char *strbuf_take(
    struct strbuf *b); /* the string ("" if nothing was added); b is empty afterwards */
#define own_strbuf own(strbuf_free)

/*
 * An arena: many small allocations, released at once.  Zero-initialised means empty.
 */
struct arena_block;
struct arena {
	struct arena_block *head;
};

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);
void arena_wipe(struct arena *a); /* as arena_free, after overwriting what was stored */
#define own_arena own(arena_free)

/*
 * For programs that end soon: freed memory is kept and the heap grows in large steps, since giving pages back and
 * taking them again costs more than all the work of a short command.
 */
void mem_short_life(void);

#endif
