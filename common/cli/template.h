/* SPDX-License-Identifier: ISC */
/*
 * Go's text/template over JSON values.  The template comes from the user and the values may come
 * from anywhere, so depth, size of the output and number of steps are bounded.
 *
 * Understood: fields and map keys, pipelines, variables, if, with, range, break, continue, define,
 * block, template, trim markers, comments; the built-in functions and json, join, lower, pad, split, title, truncate,
 * upper.
 */
#ifndef POD_TEMPLATE_H
#define POD_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct template;

/*
 * The parsed form of text, or NULL with Go's message in e.  name is the template's name in
 * messages: "template: NAME:LINE: …".  Both are copied.
 */
struct template *template_parse(const char *name, const char *text, struct err *e);
void template_free(struct template **t);
#define own_template own(template_free)

/*
 * Appends the result for dot to out.  If type is not NULL, it is the name of the Go type of dot, or
 * of its elements if dot is an array, whose keys are its fields: a missing one is "can't evaluate
 * field X in type T", as in those deeper ones whose types are known (template_types.c).  In other
 * objects, and everywhere if type is NULL, a missing key is "<no value>".
 * Labels and other maps that are null are empty ones, and times of the types of inspect print as Go's
 * and have Unix, UnixMilli and UnixNano; json has both as they are.
 * told is what json makes of dot as a whole, or the list of what it makes of dot's elements; NULL: of
 * dot itself.
 */
int template_run(const struct template *t, const json_t *dot, const json_t *told, const char *type,
    struct strbuf *out, struct err *e);

/* Appends the names of the fields that the template takes from dot, each once. */
void template_fields(const struct template *t, struct strv *out);

/* The same with the fields of those that it goes on to, as in "Namespaces.MNT". */
void template_chains(const struct template *t, struct strv *out);

/* True if it takes dot itself as a value, so that those fields are not all it may see. */
bool template_takes_dot(const struct template *t);

/* True if it takes that, or a struct out of which one of that type is made: what is told of a row. */
bool template_takes_whole(const struct template *t, const char *type);

#endif
