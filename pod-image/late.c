/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/late.h"

void
late_free(struct late *l)
{
	json_decref(l->config);
	json_decref(l->history);
	memset(l, 0, sizeof(*l));
}

/* The history with what its steps tell of their layers. */
static json_t *
history_of(const struct late *l, const char *const *diff_ids, size_t n)
{
	json_t *h = json_deep_copy(l->history), *step;
	size_t k, layer = 0;

	json_array_foreach (h, k, step) {
		own_mem char *text = NULL;

		if (!l->tells_diff_id || json_is_true(json_object_get(step, "empty_layer")) ||
		    layer == n)
			continue;
		text = xasprintf(
		    "/bin/sh -c #(nop) ADD file:%s in /", diff_ids[layer++] + strlen("sha256:"));
		json_put_str(step, "created_by", text);
	}
	return h;
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
sort_keys(json_t *j)
{
	size_t n = 0;
	own_mem const char **keys = xcalloc(json_object_size(j) + 1, sizeof(*keys));
	const char *key;
	json_t *value, *out = json_obj();

	json_object_foreach (j, key, value)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), compare_words);
	for (size_t k = 0; k < n; k++)
		json_put_take(out, keys[k], json_incref(json_object_get(j, keys[k])));
	json_decref(j);
	return out;
}

/* Go escapes what HTML would take for its own; such bytes stand in strings only. */
static char *
escape(const char *text)
{
	struct strbuf out = {0};

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '<' || *p == '>' || *p == '&')
			strbuf_addf(&out, "\\u00%02x", (unsigned)*p);
		else
			strbuf_addc(&out, *p);
	}
	return strbuf_take(&out);
}

char *
late_config(const struct late *l, const char *const *diff_ids, size_t n)
{
	json_t *j = json_deep_copy(l->config), *rootfs = json_put_obj(j, "rootfs"), *ids;
	own_mem char *text = NULL;

	json_put_str(rootfs, "type", "layers");
	ids = json_put_arr(rootfs, "diff_ids");
	for (size_t k = 0; k < n; k++)
		json_add_str(ids, diff_ids[k]);
	json_put_take(j, "history", history_of(l, diff_ids, n));
	if (l->sorted)
		j = sort_keys(j);
	text = json_text(j);
	json_decref(j);
	return escape(text);
}
