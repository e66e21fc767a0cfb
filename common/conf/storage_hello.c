/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/conf/storage_hello.h"

struct rec_kv *
storage_hello_options(const struct strv *words, size_t more, struct arena *a, struct err *e)
{
	struct rec_kv *out = arena_array(a, words->n + more + 1, sizeof(*out));

	for (size_t i = 0; i < words->n; i++) {
		const char *eq = strchr(words->v[i], '=');

		if (eq == NULL) {
			err_set(e, ERR_USAGE, "invalid storage option \"%s\"", words->v[i]);
			return NULL;
		}
		out[i].key = arena_strndup(a, words->v[i], (size_t)(eq - words->v[i]));
		out[i].value = arena_strdup(a, eq + 1);
	}
	return out;
}
