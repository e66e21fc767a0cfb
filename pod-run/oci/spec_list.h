/* SPDX-License-Identifier: ISC */
/*
 * Building the lists of a record in an arena.
 */
#ifndef POD_SPEC_LIST_H
#define POD_SPEC_LIST_H

#include "common/wire/msg.h"

/* Appends a zeroed element to a list of a record and returns it: SPEC_PUSH(a, &c->mounts)->type = …
 */
#define SPEC_PUSH(a, list) \
	((__typeof__((list)->v))spec_list_push((a), &(list)->v, &(list)->n, sizeof(*(list)->v)))

/* What SPEC_PUSH expands to; v points to the list's pointer. */
void *spec_list_push(struct arena *a, void *v, size_t *n, size_t size);

/* Appends a string: borrowed, copied, or formatted. */
void spec_list_add(struct arena *a, struct strs *l, const char *s);
void spec_list_addf(struct arena *a, struct strs *l, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void spec_list_add_all(struct arena *a, struct strs *l, const struct strv *from); /* borrowed */

bool spec_list_has(const struct strs *l, const char *s);
void spec_list_sort(struct strs *l); /* also drops what is doubled */

/*
 * NAME=value lists: sets or replaces, keeping the order of the first occurrence.  name has n bytes;
 * whole is the complete NAME=value, borrowed.
 */
void spec_list_env_set(struct arena *a, struct strs *l, const char *whole);
const char *spec_list_env_get(const struct strs *l, const char *name, size_t n); /* value or NULL */
void spec_list_env_unset(struct strs *l, const char *name);

/* Sorted lists of names and values.  */
void spec_list_kv_set(
    struct arena *a, struct rec_kv **v, size_t *n, const char *key, const char *value);
const char *spec_list_kv_get(const struct rec_kv *v, size_t n, const char *key);

#endif
