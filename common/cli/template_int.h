/* SPDX-License-Identifier: ISC */
/*
 * The parts of the template engine among themselves: parser, interpreter, functions, printing.
 */
#ifndef POD_TEMPLATE_INT_H
#define POD_TEMPLATE_INT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define TEMPLATE_TEXT_MAX 65536
#define TEMPLATE_NEST_MAX 64
#define TEMPLATE_CHAIN_MAX 64
#define TEMPLATE_STEPS_MAX 2000000
#define TEMPLATE_OUT_MAX ((size_t)64 << 20)

struct template_pipe;

/* A value of that Go struct, or lists and maps of them; it is held, so that no other gets its address. */
struct template_typed {
	json_t *v;
	const char *type;
	int levels;
};

struct template_typed_set {
	struct template_typed *slots;
	size_t n, slot_n;
};

const struct template_typed *template_typed_find(
    const struct template_typed_set *s, const json_t *v); /* NULL: not known */
/* v is not known yet. */
void template_typed_add(struct template_typed_set *s, json_t *v, const char *type, int levels);
void template_typed_free(struct template_typed_set *s);

enum template_operand_kind {
	OPERAND_DOT,
	OPERAND_VARIABLE, /* name */
	OPERAND_FUNCTION, /* name */
	OPERAND_LITERAL,  /* literal; NULL for nil */
	OPERAND_PIPE
};

struct template_operand {
	enum template_operand_kind kind;
	const char *name;
	const json_t *literal;
	const struct template_pipe *pipe;
	const char *const *chain; /* .A.B behind it */
	size_t chain_n;
	unsigned line, column;
	const char *source; /* as written, for messages */
	struct template_operand *next;
};

struct template_command {
	struct template_operand *operands;
	struct template_command *next;
};

struct template_pipe {
	const char *names[2]; /* variables that are declared or assigned to */
	unsigned name_n;
	bool declare;
	struct template_command *commands;
};

enum template_node_kind {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_WITH,
	NODE_RANGE,
	NODE_TEMPLATE, /* text is its name */
	NODE_BREAK,
	NODE_CONTINUE
};

struct template_node {
	enum template_node_kind kind;
	const char *text;
	size_t text_n;
	struct template_pipe *pipe;
	struct template_node *body, *otherwise, *next;
	unsigned line, column; /* of a template's name */
};

/* {{define "name"}} */
struct template_named {
	const char *name;
	struct template_node *nodes;
	struct template_named *next;
};

struct template
{
	struct arena arena;
	const char *name;
	struct template_node *nodes;
	struct template_named *named;
	json_t *literals; /* owns them */
};

const struct template_named *template_named_find(const struct template *t, const char *name);

/*
 * A function of templates.  args are borrowed, NULL stands for "no value".  *out is a new
 * reference, or NULL for no value.  The error is what follows "error calling NAME: ".
 */
typedef int template_function(json_t *const *args, size_t n, json_t **out, struct err *e);
struct template_function_info {
	const char *name;
	size_t min, max;
	template_function *call;
};
const struct template_function_info *template_function_find(const char *name);

/* The Go struct is a part of the other, which has its fields. */
#define TEMPLATE_EMBEDDED (-1)

/*
 * The Go type of what the field of that struct holds, or, with *levels above 0, of the elements of that many lists or
 * maps in each other; NULL if nothing is known of their fields.
 */
const char *template_type_of_field(const char *type, const char *field, int *levels);

/* The names of the struct's fields as Go orders them, blanks between; NULL: as they stand in JSON. */
const char *template_type_order(const char *type);

/* The field of v, a struct of that type or NULL, by one of the names that Podman takes: borrowed, or NULL. */
json_t *template_field(const json_t *v, const char *type, const char *name);

/* In JSON it is a number, of nanoseconds. */
bool template_is_duration(const char *type, const char *field);

/* What Go prints for a time of that name, which is a string in JSON, in text; false: it is none. */
bool template_time(const char *name, const json_t *v, char *text, size_t size);

/* What a field holds that JSON leaves out or has as null: a new reference.  NULL: the struct has no such field. */
json_t *template_zero_field(const char *type, const char *field);

/* Go's truth: not false, zero, empty or nil. */
bool template_truth(const json_t *v);

/* Name of the Go type for messages. */
const char *template_type(const json_t *v);

/* Go's %v, and "<no value>" for NULL. */
void template_print(const json_t *v, struct strbuf *out);
/* The same of a struct of that type, or with levels above 0 of that many lists or maps of them in each other. */
void template_print_typed(const json_t *v, const char *type, int levels, struct strbuf *out);

/* fmt.Sprintf; args[0] is the format. */
void template_printf(json_t *const *args, size_t n, struct strbuf *out);

/* fmt.Sprint and Sprintln: blanks between operands when neither is a string, or always. */
void template_sprint(json_t *const *args, size_t n, bool line, struct strbuf *out);

#endif
