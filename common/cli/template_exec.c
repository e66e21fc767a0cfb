/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/template.h"
#include "common/cli/template_int.h"

/* How a list of nodes ended. */
enum flow { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE, FLOW_FAILED };

struct variable {
	const char *name;
	json_t *v; /* owned; NULL: no value */
};

struct run {
	const struct template *t;
	const json_t *root;
	const json_t *told; /* of root, or of its elements, for json; may be NULL */
	const char *type;
	struct strbuf *out;
	size_t out_start;
	struct variable *variables;
	size_t variable_n, variable_cap;
	struct template_typed_set typed;
	unsigned steps, depth;
	bool as_json; /* the value is for json, which has it as it stands */
	struct err *e;
};

/* An error at an operand; why holds the message. */
static int
bad(struct run *r, const struct template_operand *o, const char *why)
{
	return err_set(r->e, ERR_USAGE, "template: %s:%u:%u: executing \"%s\" at <%s>: %s",
	    r->t->name, o->line, o->column, r->t->name, o->source, why);
}

static void
variable_push(struct run *r, const char *name, json_t *v)
{
	r->variables =
	    mem_grow(r->variables, &r->variable_cap, r->variable_n + 1, sizeof(*r->variables));
	r->variables[r->variable_n++] = (struct variable){name, json_incref(v)};
}

static struct variable *
variable_find(struct run *r, const char *name)
{
	for (size_t i = r->variable_n; i-- > 0;)
		if (strcmp(r->variables[i].name, name) == 0)
			return &r->variables[i];
	return NULL;
}

static void
variable_pop_to(struct run *r, size_t n)
{
	while (r->variable_n > n)
		json_decref(r->variables[--r->variable_n].v);
}

static void
set_names(struct run *r, const struct template_pipe *p, unsigned i, json_t *v)
{
	struct variable *old;

	if (p->declare) {
		variable_push(r, p->names[i], v);
		return;
	}
	/* The parser saw the declaration, so it is on the stack. */
	old = variable_find(r, p->names[i]);
	if (old != NULL) {
		json_decref(old->v);
		old->v = json_incref(v);
	}
}

/* Only the count of references is changed through such values. */
static json_t *
borrow(const json_t *v)
{
	union {
		const json_t *in;
		json_t *out;
	} u = {v};

	return json_incref(u.out);
}

/* The Go struct that v is, or that are the elements of so many levels of lists and maps; NULL: not known. */
static const char *
find_type(const struct run *r, const json_t *v, int *levels)
{
	const struct template_typed *known;

	*levels = 0;
	if (r->type == NULL)
		return NULL;
	if (v == r->root) {
		*levels = json_is_array(v);
		return r->type;
	}
	known = template_typed_find(&r->typed, v);
	if (known == NULL)
		return NULL;
	*levels = known->levels;
	return known->type;
}

/* The Go struct whose fields the keys of v are, or NULL. */
static const char *
type_of(const struct run *r, const json_t *v)
{
	int levels;
	const char *type = find_type(r, v, &levels);

	return levels == 0 || v == r->root ? type : NULL;
}

static void
note_type(struct run *r, json_t *v, const char *type, int levels)
{
	const char *key;
	json_t *element;
	size_t i;
	int known;

	if ((!json_is_object(v) && !json_is_array(v)) || find_type(r, v, &known) != NULL)
		return;
	template_typed_add(&r->typed, v, type, levels);
	if (levels == 0)
		return;
	json_array_foreach (v, i, element)
		note_type(r, element, type, levels - 1);
	json_object_foreach (v, key, element)
		note_type(r, element, type, levels - 1);
}

/* What JSON has of a row that templates see with other fields, or NULL. */
static const json_t *
told_of(const struct run *r, const json_t *v)
{
	const json_t *row;
	size_t i;

	if (r->told == NULL || v == r->root)
		return r->told;
	if (json_is_array(r->root))
		json_array_foreach (r->root, i, row)
			if (row == v)
				return json_array_get(r->told, i);
	return NULL;
}

/* v was found in that field of a struct of that type. */
static void
note_field(struct run *r, const char *type, const char *field, json_t *v)
{
	bool composed = json_is_object(v) || json_is_array(v);
	int levels = 0;
	const char *of = composed ? template_type_of_field(type, field, &levels) : NULL;

	if (of != NULL && levels != TEMPLATE_EMBEDDED)
		note_type(r, v, of, levels);
}

/* The struct of that name whose fields v, a struct of that type, has for its own: a new reference, or NULL. */
static json_t *
embedded(struct run *r, const char *type, const char *name, const json_t *v)
{
	int levels = 0;
	const char *of = template_type_of_field(type, name, &levels);
	const json_t *told = told_of(r, v);
	own_json json_t *whole = borrow(told != NULL ? told : v);
	json_t *part;

	if (of == NULL || levels != TEMPLATE_EMBEDDED)
		return NULL;
	part = json_copy(whole);
	note_type(r, part, of, 0);
	return part;
}

/* --- What JSON has no kind for, told by the field's name ----------------------------------------
 */

static bool
is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name != NULL && strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* Maps, which Go writes as null if they are nil, but takes for empty ones. */
static bool
is_map(const char *name)
{
	static const char *const list[] = {"Annotations", "Attributes", "ExposedPorts", "Labels",
	    "Networks", "Options", "Ports", "Volumes"};

	return is_one_of(name, list, COUNTOF(list));
}

/* Times, which what is inspected holds as such: they print in Go's way, and have methods. */
static bool
is_time(const struct run *r, const char *name, const json_t *v, char *text, size_t size)
{
	static const char *const list[] = {"containers.psReporter", "entities.SecretInfoReport",
	    "entities.VolumeListReport", "events.Event", "inspect.ImageData",
	    "networks.ListPrintReports", "types.Network", "v1.Image"};

	return r->type != NULL &&
	       (text_has_prefix(r->type, "define.Inspect") ||
		   is_one_of(r->type, list, COUNTOF(list))) &&
	       template_time(name, v, text, size);
}

/* The field of that name of a struct of that type, or NULL, as Go has it: v is taken. */
static json_t *
as_go(const struct run *r, const char *type, const char *name, json_t *v)
{
	json_t *zero = type != NULL && json_is_null(v) ? template_zero_field(type, name) : NULL;
	char text[80];

	if (zero == NULL && json_is_null(v) && is_map(name))
		zero = json_object();
	if (zero != NULL)
		;
	else if (type != NULL && json_is_integer(v) && template_is_duration(type, name))
		zero = json_string(human_go_duration(json_integer_value(v), text, sizeof(text)));
	else if (is_time(r, name, v, text, sizeof(text)))
		zero = json_string(text);
	else
		return v;
	json_decref(v);
	return zero;
}

/* The result of a method without arguments of a time, or NULL. */
static json_t *
time_method(const char *name, const json_t *v)
{
	int64_t ns;

	if (human_parse_rfc3339(json_string_value(v), &ns) != 0)
		return NULL;
	if (strcmp(name, "Unix") == 0)
		return json_integer(ns / 1000000000);
	if (strcmp(name, "UnixMilli") == 0)
		return json_integer(ns / 1000000);
	if (strcmp(name, "UnixNano") == 0)
		return json_integer(ns);
	return NULL;
}

/* A part of "10.88.0.0/16" where Go has an IPNet, the mask in its digits, or NULL. */
static json_t *
net_field(const struct run *r, const char *from, const char *name, const json_t *v)
{
	static const char *const types[] = {"networks.ListPrintReports", "types.Network"};
	static const char *const fields[] = {"IPNet", "Subnet"};
	const char *s = json_string_value(v), *slash = s != NULL ? strchr(s, '/') : NULL;
	uint64_t bits, width = s != NULL && strchr(s, ':') != NULL ? 128 : 32;
	char mask[33] = "";

	if (slash == NULL || !is_one_of(r->type, types, COUNTOF(types)) ||
	    !is_one_of(from, fields, COUNTOF(fields)) || text_to_u64(slash + 1, width, &bits) != 0)
		return NULL;
	if (strcmp(name, "IP") == 0)
		return json_strn(s, (size_t)(slash - s));
	for (uint64_t i = 0; i < width; i += 4)
		mask[i / 4] = "08cef"[bits < i ? 0 : bits - i > 4 ? 4 : bits - i];
	return strcmp(name, "Mask") == 0 ? json_str(mask) : NULL;
}

/*
 * *v (an own reference, or NULL), which the field from gave if not NULL, becomes its field; *type becomes the Go struct
 * that had it, or NULL.
 */
static int
step_field(struct run *r, const struct template_operand *o, const char *from, const char *name,
    const char **type, json_t **v)
{
	const char *of = type_of(r, *v);
	own_json json_t *next = json_incref(template_field(*v, of, name));
	char why[512], text[80];

	*type = of;
	if (next == NULL && is_time(r, from, *v, text, sizeof(text)))
		next = time_method(name, *v);
	if (next == NULL)
		next = net_field(r, from, name, *v);
	if (next == NULL && of != NULL && (next = embedded(r, of, name, *v)) == NULL)
		next = template_zero_field(of, name);
	if (next == NULL && of == NULL &&
	    (json_is_object(*v) || (json_is_null(*v) && is_map(from)))) {
		json_decref(*v);
		*v = NULL;
		return 0;
	}
	if (*v == NULL || json_is_null(*v)) {
		snprintf(why, sizeof(why), "nil pointer evaluating interface {}.%s", name);
		return bad(r, o, why);
	}
	if (next == NULL) {
		snprintf(why, sizeof(why), "can't evaluate field %s in type %s", name,
		    of != NULL ? of : template_type(*v));
		return bad(r, o, why);
	}
	if (of != NULL)
		note_field(r, of, name, next);
	json_decref(*v);
	*v = ptr_take(&next);
	return 0;
}

static int eval_pipe(struct run *r, const struct template_pipe *p, const json_t *dot, json_t **out);
static int eval_call(struct run *r, const struct template_operand *o, const json_t *dot,
    json_t *final, bool has_final, json_t **out);

/* The value of one operand without arguments: a new reference. */
static int
eval_operand(struct run *r, const struct template_operand *o, const json_t *dot, json_t **out)
{
	own_json json_t *v = NULL;
	struct variable *var;
	const char *type = NULL;

	switch (o->kind) {
	case OPERAND_DOT:
		v = borrow(dot);
		break;
	case OPERAND_LITERAL:
		v = borrow(o->literal);
		break;
	case OPERAND_VARIABLE:
		var = variable_find(r, o->name);
		v = var != NULL ? json_incref(var->v) : NULL;
		break;
	case OPERAND_FUNCTION:
		if (eval_call(r, o, dot, NULL, false, &v) == -1)
			return -1;
		break;
	case OPERAND_PIPE:
		if (eval_pipe(r, o->pipe, dot, &v) == -1)
			return -1;
		break;
	}
	for (size_t i = 0; i < o->chain_n; i++)
		if (step_field(r, o, i > 0 ? o->chain[i - 1] : NULL, o->chain[i], &type, &v) == -1)
			return -1;
	if (o->chain_n > 0 && !r->as_json)
		v = as_go(r, type, o->chain[o->chain_n - 1], v);
	*out = ptr_take(&v);
	return 0;
}

/* "and" and "or" stop at the first argument that decides. */
static int
eval_logic(struct run *r, const struct template_operand *o, const json_t *dot, json_t *final,
    bool has_final, bool stop_at, json_t **out)
{
	own_json json_t *v = NULL;
	bool any = false;

	for (const struct template_operand *arg = o->next; arg != NULL; arg = arg->next) {
		json_decref(v);
		v = NULL;
		if (eval_operand(r, arg, dot, &v) == -1)
			return -1;
		any = true;
		if (template_truth(v) == stop_at) {
			*out = ptr_take(&v);
			return 0;
		}
	}
	if (has_final) {
		json_decref(v);
		v = json_incref(final);
		any = true;
	}
	if (!any)
		return bad(r, o, "wrong number of args: want at least 1 got 0");
	*out = ptr_take(&v);
	return 0;
}

static int
check_args(struct run *r, const struct template_operand *o, const struct template_function_info *f,
    size_t n)
{
	char why[128];

	if (n >= f->min && n <= f->max)
		return 0;
	snprintf(why, sizeof(why), "wrong number of args for %s: want %s%zu got %zu", f->name,
	    f->min != f->max ? "at least " : "", f->min, n);
	return bad(r, o, why);
}

/* For json a row of a list is what it is told as: it has methods beside its fields. */
static void
tell(const struct run *r, json_t **v)
{
	const json_t *told = told_of(r, *v);

	if (told == NULL || *v == NULL)
		return;
	json_decref(*v);
	*v = borrow(told);
}

/* As Go does if it is of a known type, into out. */
static bool
print_typed(const struct run *r, const json_t *v, struct strbuf *out)
{
	int levels = 0;
	const char *type = json_is_object(v) || json_is_array(v) ? find_type(r, v, &levels) : NULL;

	if (type != NULL)
		template_print_typed(v, type, levels, out);
	return type != NULL;
}

/* For what makes text of anything, a value of a known type is the text that it prints as. */
static void
put_text(const struct run *r, const char *function, json_t **args, size_t n)
{
	static const char *const list[] = {"html", "js", "print", "printf", "println", "urlquery"};

	for (size_t i = 0; i < n && is_one_of(function, list, COUNTOF(list)); i++) {
		own_strbuf struct strbuf b = {0};

		if (!print_typed(r, args[i], &b))
			continue;
		json_decref(args[i]);
		args[i] = json_strn(b.s, b.n);
	}
}

static int
eval_call(struct run *r, const struct template_operand *o, const json_t *dot, json_t *final,
    bool has_final, json_t **out)
{
	const struct template_function_info *f = template_function_find(o->name);
	json_t **args = NULL;
	size_t n = 0, cap = 0;
	struct err why = {0};
	bool outer = r->as_json, json = strcmp(o->name, "json") == 0;
	int status = 0;

	if (f->call == NULL)
		return eval_logic(r, o, dot, final, has_final, strcmp(f->name, "or") == 0, out);
	r->as_json = json;
	for (const struct template_operand *arg = o->next; arg != NULL && status == 0;
	     arg = arg->next) {
		args = mem_grow(args, &cap, n + 1, sizeof(json_t *));
		args[n] = NULL;
		status = eval_operand(r, arg, dot, &args[n]);
		n++;
	}
	r->as_json = outer;
	if (has_final) {
		args = mem_grow(args, &cap, n + 1, sizeof(json_t *));
		args[n++] = json_incref(final);
	}
	if (status == 0)
		status = check_args(r, o, f, n);
	if (status == 0 && json)
		tell(r, &args[0]);
	if (status == 0)
		put_text(r, o->name, args, n);
	if (status == 0 && f->call(args, n, out, &why) == -1) {
		err_wrap(&why, "error calling %s", f->name);
		status = bad(r, o, why.text);
	}
	while (n > 0)
		json_decref(args[--n]);
	free(args);
	return status;
}

/* .Label "name": the value of that key, and nothing if there is none. */
static int
eval_method(struct run *r, const struct template_operand *o, const json_t *dot, json_t **out)
{
	own_json json_t *map = NULL, *key = NULL;
	json_t *value;

	if (eval_operand(r, o, dot, &map) == -1 || eval_operand(r, o->next, dot, &key) == -1)
		return -1;
	if (!json_is_string(key))
		return bad(r, o->next, "expected string");
	value = json_object_get(map, json_string_value(key));
	*out = value != NULL ? json_incref(value) : json_string("");
	return 0;
}

static int
eval_pipe(struct run *r, const struct template_pipe *p, const json_t *dot, json_t **out)
{
	own_json json_t *v = NULL;
	bool first = true;

	if (r->steps++ > TEMPLATE_STEPS_MAX)
		return err_set(r->e, ERR_LIMIT, "template: %s: too many steps", r->t->name);
	for (const struct template_command *c = p->commands; c != NULL; c = c->next) {
		const struct template_operand *o = c->operands;
		own_json json_t *next = NULL;
		bool call = o->kind == OPERAND_FUNCTION && o->chain_n == 0;

		if (call	      ? eval_call(r, o, dot, v, !first, &next) == -1
		    : o->next != NULL ? eval_method(r, o, dot, &next) == -1
				      : eval_operand(r, o, dot, &next) == -1)
			return -1;
		json_decref(v);
		v = ptr_take(&next);
		first = false;
	}
	for (unsigned i = 0; i < p->name_n; i++)
		set_names(r, p, i, v);
	*out = ptr_take(&v);
	return 0;
}

static enum flow run_list(struct run *r, const struct template_node *n, const json_t *dot);

/* One round of a range. */
static enum flow
run_round(struct run *r, const struct template_node *n, json_t *key, json_t *v)
{
	const struct template_pipe *p = n->pipe;
	size_t scope = r->variable_n;
	enum flow flow;

	if (p->name_n == 2)
		set_names(r, p, 0, key);
	if (p->name_n > 0)
		set_names(r, p, p->name_n - 1, v);
	flow = run_list(r, n->body, v);
	variable_pop_to(r, scope);
	return flow == FLOW_CONTINUE ? FLOW_NEXT : flow;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object in order, as Go ranges over maps; *n of them, to be freed. */
static const char **
sorted_keys(const json_t *obj, size_t *n)
{
	const char **keys = xcalloc(json_object_size(obj) + 1, sizeof(*keys)), *key;
	json_t *v, *o = borrow(obj);

	*n = 0;
	json_object_foreach (o, key, v)
		keys[(*n)++] = key;
	json_decref(o);
	qsort(keys, *n, sizeof(*keys), by_text);
	return keys;
}

static enum flow
range_object(struct run *r, const struct template_node *n, json_t *v)
{
	size_t count;
	const char **keys = sorted_keys(v, &count);
	enum flow flow = FLOW_NEXT;

	for (size_t i = 0; i < count && flow == FLOW_NEXT; i++) {
		own_json json_t *key = json_str(keys[i]);

		flow = run_round(r, n, key, json_object_get(v, keys[i]));
	}
	free(keys);
	return flow;
}

static enum flow
range_count(struct run *r, const struct template_node *n, json_int_t count)
{
	enum flow flow = FLOW_NEXT;

	for (json_int_t i = 0; i < count && flow == FLOW_NEXT; i++) {
		own_json json_t *index = json_integer(i);

		if (r->steps++ > TEMPLATE_STEPS_MAX) {
			err_set(r->e, ERR_LIMIT, "template: %s: too many steps", r->t->name);
			return FLOW_FAILED;
		}
		flow = run_round(r, n, index, index);
	}
	return flow;
}

static enum flow
run_range(struct run *r, const struct template_node *n, const json_t *dot)
{
	struct template_pipe bare = *n->pipe;
	own_json json_t *v = NULL;
	enum flow flow = FLOW_NEXT;
	char why[128];

	/* The names are set for each round, not by the pipeline. */
	bare.name_n = 0;
	if (eval_pipe(r, &bare, dot, &v) == -1)
		return FLOW_FAILED;
	if (!template_truth(v) && (v == NULL || !json_is_string(v)))
		return run_list(r, n->otherwise, dot);
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v) && flow == FLOW_NEXT; i++) {
			own_json json_t *index = json_integer((json_int_t)i);

			flow = run_round(r, n, index, json_array_get(v, i));
		}
	} else if (json_is_object(v)) {
		flow = range_object(r, n, v);
	} else if (json_is_integer(v)) {
		flow = range_count(r, n, json_integer_value(v));
	} else {
		snprintf(why, sizeof(why), "range can't iterate over a %s", template_type(v));
		bad(r, n->pipe->commands->operands, why);
		return FLOW_FAILED;
	}
	return flow == FLOW_BREAK ? FLOW_NEXT : flow;
}

static enum flow
run_branch(struct run *r, const struct template_node *n, const json_t *dot)
{
	size_t scope = r->variable_n;
	own_json json_t *v = NULL;
	enum flow flow;

	if (eval_pipe(r, n->pipe, dot, &v) == -1)
		return FLOW_FAILED;
	if (template_truth(v))
		flow = run_list(r, n->body, n->kind == NODE_WITH ? v : dot);
	else
		flow = run_list(r, n->otherwise, dot);
	variable_pop_to(r, scope);
	return flow;
}

static enum flow
run_action(struct run *r, const struct template_node *n, const json_t *dot)
{
	own_json json_t *v = NULL;

	if (eval_pipe(r, n->pipe, dot, &v) == -1)
		return FLOW_FAILED;
	if (n->pipe->name_n == 0 && !print_typed(r, v, r->out))
		template_print(v, r->out);
	return FLOW_NEXT;
}

/* A named template sees its argument and no variable but $. */
static enum flow
run_named(struct run *r, const struct template_node *n, const json_t *dot)
{
	const struct template_named *named = template_named_find(r->t, n->text);
	size_t scope = r->variable_n;
	own_json json_t *v = NULL;
	enum flow flow;

	if (named == NULL) {
		err_set(r->e, ERR_USAGE,
		    "template: %s:%u:%u: executing \"%s\" at <{{template \"%s\"}}>: template "
		    "\"%s\" not defined",
		    r->t->name, n->line, n->column, r->t->name, n->text, n->text);
		return FLOW_FAILED;
	}
	if (r->depth == TEMPLATE_NEST_MAX || r->steps++ > TEMPLATE_STEPS_MAX) {
		err_set(
		    r->e, ERR_LIMIT, "template: %s: exceeded maximum template depth", r->t->name);
		return FLOW_FAILED;
	}
	if (n->pipe != NULL && eval_pipe(r, n->pipe, dot, &v) == -1)
		return FLOW_FAILED;
	r->depth++;
	variable_push(r, "", v);
	flow = run_list(r, named->nodes, v);
	variable_pop_to(r, scope);
	r->depth--;
	return flow;
}

static enum flow
run_list(struct run *r, const struct template_node *n, const json_t *dot)
{
	enum flow flow = FLOW_NEXT;

	for (; n != NULL && flow == FLOW_NEXT; n = n->next) {
		if (r->out->n - r->out_start > TEMPLATE_OUT_MAX) {
			err_set(r->e, ERR_LIMIT, "template: %s: too much output", r->t->name);
			return FLOW_FAILED;
		}
		switch (n->kind) {
		case NODE_TEXT:
			strbuf_addn(r->out, n->text, n->text_n);
			break;
		case NODE_ACTION:
			flow = run_action(r, n, dot);
			break;
		case NODE_IF:
		case NODE_WITH:
			flow = run_branch(r, n, dot);
			break;
		case NODE_RANGE:
			flow = run_range(r, n, dot);
			break;
		case NODE_TEMPLATE:
			flow = run_named(r, n, dot);
			break;
		case NODE_BREAK:
			return FLOW_BREAK;
		case NODE_CONTINUE:
			return FLOW_CONTINUE;
		}
	}
	return flow;
}

int
template_run(const struct template *t, const json_t *dot, const json_t *told, const char *type,
    struct strbuf *out, struct err *e)
{
	struct run r = {.t = t,
	    .root = dot,
	    .told = told,
	    .type = type,
	    .out = out,
	    .out_start = out->n,
	    .e = e};
	json_t *top = borrow(dot), *row;
	enum flow flow;
	size_t i;

	if (type != NULL && json_is_array(top))
		json_array_foreach (top, i, row)
			note_type(&r, row, type, 0);
	variable_push(&r, "", top);
	flow = run_list(&r, t->nodes, dot);
	variable_pop_to(&r, 0);
	free(r.variables);
	template_typed_free(&r.typed);
	json_decref(top);
	return flow == FLOW_FAILED ? -1 : 0;
}
