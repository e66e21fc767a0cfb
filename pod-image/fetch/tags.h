/* SPDX-License-Identifier: ISC */
/* Lists of tags (distribution specification, "Listing Tags"), a page at a time. */
#ifndef POD_IMAGE_FETCH_TAGS_H
#define POD_IMAGE_FETCH_TAGS_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define TAGS_PAGE_MAX ((size_t)4 << 20) /* bytes of a page */

/* Appends what a page holds. */
int tags_take(const struct strbuf *page, struct strv *tags, struct err *e);

/*
 * The path of the page after that of path, as the header Link of its answer has it: </v2/…>; rel="next".  Only one
 * below the same repository counts; else NULL.  The caller frees it.
 */
char *tags_next_page(const char *link, const char *path);

/*
 * Whether the tags from before on, a page's, say anything: one that ends with what an earlier one said goes in a
 * circle.
 */
bool tags_new(const struct strv *tags, size_t before);

#endif
