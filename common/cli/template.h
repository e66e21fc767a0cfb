/* SPDX-License-Identifier: ISC */
/*
 * Go's text/template over JSON values.  The template comes from the user and the values may come
 * from anywhere, so depth, size of the output and number of steps are bounded.
 */
#ifndef POD_TEMPLATE_H
#define POD_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct template;

/* The parsed form of text, or NULL with Go's message in e.  The text is copied. */
struct template *template_parse(const char *text, struct err *e);
void template_free(struct template **t);
#define own_template own(template_free)

/*
 * Appends the result for dot to out.  type is the name of dot's Go type for "can't evaluate field X
 * in type T", as "define.ListReporter"; the keys of dot itself are its fields, and a missing one is
 * an error; in deeper objects a missing key is "<no value>".
 */
int template_run(const struct template *t, const json_t *dot, const char *type, struct strbuf *out,
    struct err *e);

#endif
