/* SPDX-License-Identifier: ISC */
#include "pod-image/fetch/tags.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/reference.h"

#define TAGS_MAX 65536

int
tags_take(const struct strbuf *page, struct strv *tags, struct err *e)
{
	own_json json_t *j =
	    json_read_max(page->s != NULL ? page->s : "", page->n, TAGS_PAGE_MAX, 8, e);
	json_t *list = NULL;

	if (j == NULL)
		return err_wrap(e, "parsing the list of tags");
	if (!json_is_object(j) || json_want_arr(j, "tags", &list, e) < 0)
		return err_set(e, ERR_FORMAT, "parsing the list of tags: wrong form");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *tag = json_string_value(json_array_get(list, i));

		if (tag == NULL || !reference_tag_valid(tag))
			return err_set(e, ERR_FORMAT, "parsing the list of tags: invalid tag");
		if (tags->n >= TAGS_MAX)
			return err_set(
			    e, ERR_LIMIT, "the repository has more than %d tags", TAGS_MAX);
		strv_add(tags, tag);
	}
	return 0;
}

char *
tags_next_page(const char *link, const char *path)
{
	size_t base = strcspn(path, "?");
	const char *end;

	if (link == NULL || link[0] != '<' || (end = strchr(link, '>')) == NULL ||
	    strstr(end, "rel=\"next\"") == NULL)
		return NULL;
	if (strncmp(link + 1, path, base) != 0 || link[1 + base] != '?')
		return NULL;
	for (const char *p = link + 1; p < end; p++) {
		if (*p <= ' ' || *p >= 0x7f)
			return NULL;
	}
	return xstrndup(link + 1, (size_t)(end - link - 1));
}

bool
tags_new(const struct strv *tags, size_t before)
{
	for (size_t i = 0; i < before && tags->n > before; i++) {
		if (strcmp(tags->v[i], tags->v[tags->n - 1]) == 0)
			return false;
	}
	return tags->n > before;
}
