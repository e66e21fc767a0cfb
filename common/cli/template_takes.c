/* SPDX-License-Identifier: ISC */
/*
 * What a template takes of its values, so that no more of them is made.
 */
#include "common/base/own.h"
#include "common/cli/template.h"
#include "common/cli/template_int.h"

static void fields_of_nodes(const struct template_node *n, struct strv *out);

static void
fields_of_pipe(const struct template_pipe *p, struct strv *out)
{
	for (const struct template_command *c = p->commands; c != NULL; c = c->next) {
		for (const struct template_operand *o = c->operands; o != NULL; o = o->next) {
			if (o->kind == OPERAND_PIPE)
				fields_of_pipe(o->pipe, out);
			else if (o->chain_n > 0 && strv_find(out, o->chain[0]) == out->n)
				strv_add(out, o->chain[0]);
		}
	}
}

static void
fields_of_nodes(const struct template_node *n, struct strv *out)
{
	for (; n != NULL; n = n->next) {
		if (n->pipe != NULL)
			fields_of_pipe(n->pipe, out);
		fields_of_nodes(n->body, out);
		fields_of_nodes(n->otherwise, out);
	}
}

void
template_fields(const struct template *t, struct strv *out)
{
	fields_of_nodes(t->nodes, out);
	for (const struct template_named *n = t->named; n != NULL; n = n->next)
		fields_of_nodes(n->nodes, out);
}

static bool takes_dot(const struct template_node *n);

static bool
pipe_takes_dot(const struct template_pipe *p)
{
	for (const struct template_command *c = p->commands; c != NULL; c = c->next)
		for (const struct template_operand *o = c->operands; o != NULL; o = o->next)
			if (o->kind == OPERAND_PIPE
				? pipe_takes_dot(o->pipe)
				: o->chain_n == 0 &&
				      (o->kind == OPERAND_DOT || o->kind == OPERAND_VARIABLE))
				return true;
	return false;
}

static bool
takes_dot(const struct template_node *n)
{
	for (; n != NULL; n = n->next)
		if ((n->pipe != NULL && pipe_takes_dot(n->pipe)) || takes_dot(n->body) ||
		    takes_dot(n->otherwise))
			return true;
	return false;
}

bool
template_takes_dot(const struct template *t)
{
	/* What a named template is given is a value of the one that names it. */
	return takes_dot(t->nodes);
}

bool
template_takes_whole(const struct template *t, const char *type)
{
	own_strv struct strv fields = {0};
	int levels = 0;

	if (template_takes_dot(t))
		return true;
	template_fields(t, &fields);
	for (size_t i = 0; i < fields.n && type != NULL; i++)
		if (template_type_of_field(type, fields.v[i], &levels) != NULL &&
		    levels == TEMPLATE_EMBEDDED)
			return true;
	return false;
}
