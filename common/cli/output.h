/* SPDX-License-Identifier: ISC */
/*
 * What --format does: a list of objects becomes a table, JSON or the result of a Go template.
 */
#ifndef POD_OUTPUT_H
#define POD_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/* A column heading that is not the field's name in upper case with spaces between the words. */
struct output_heading {
	const char *field, *heading;
};

struct output {
	const char *format; /* the user's --format; NULL: table */
	const char *table;  /* the default row, without the word "table": "{{.ID}}\t{{.Names}}" */
	const char *quiet;  /* the row for --quiet, or NULL when it was not asked for */
	const char *type;   /* Go type of a row, for messages */
	const struct output_heading *headings; /* ended by {NULL}; may be NULL */
	bool noheading;
};

/*
 * Prints the rows (an array of objects) to f.  told: what JSON has of each, where the rows have more
 * or other fields for templates; NULL: the rows themselves.
 */
int output_list(const struct output *o, json_t *rows, json_t *told, FILE *f, struct err *e);

/*
 * Rows that are made when they are printed, so that none is held and what the format leaves out is not
 * made at all.
 */
struct output_rows {
	size_t n;
	/* Told once before the first row: the keys that the format takes; NULL: all. */
	void (*want)(void *arg, const struct strv *keys);
	/* What the template's json makes of the row, asked for before it; NULL: of the row itself. */
	json_t *(*tell)(void *arg, size_t i, struct err *e); /* a new reference */
	json_t *(*make)(void *arg, size_t i, struct err *e); /* a new reference */
	void *arg;
};
int output_made(const struct output *o, const struct output_rows *rows, FILE *f, struct err *e);

/*
 * For inspect: without a format (or with "json") the array indented by 4 spaces; with a template
 * each element on a line of its own, in columns without a heading if it begins with "table ".
 */
int output_inspect(
    const char *format, const json_t *array, const char *type, FILE *f, struct err *e);

/* The value as Go's MarshalIndent with 4 spaces, and a newline. */
int output_json(const json_t *j, FILE *f, struct err *e);

/* True if a --format value asks for JSON: "json", "{{json .}}" and so on. */
bool output_is_json(const char *format);

#endif
