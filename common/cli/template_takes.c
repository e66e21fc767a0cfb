/* SPDX-License-Identifier: ISC */
/*
 * What a template takes of its values, so that no more of them is made.
 */
#include "common/base/own.h"
#include "common/cli/template.h"
#include "common/cli/template_int.h"

static void
take_chain(const struct template_operand *o, bool whole, struct strv *out)
{
	own_strbuf struct strbuf chain = {0};

	for (size_t i = 0; i < (whole ? o->chain_n : 1); i++)
		strbuf_addf(&chain, "%s%s", i > 0 ? "." : "", o->chain[i]);
	if (strv_find(out, chain.s) == out->n)
		strv_add(out, chain.s);
}

static void
chains_of_pipe(const struct template_pipe *p, bool whole, struct strv *out)
{
	for (const struct template_command *c = p->commands; c != NULL; c = c->next)
		for (const struct template_operand *o = c->operands; o != NULL; o = o->next) {
			if (o->kind == OPERAND_PIPE)
				chains_of_pipe(o->pipe, whole, out);
			else if (o->chain_n > 0)
				take_chain(o, whole, out);
		}
}

static void
chains_of_nodes(const struct template_node *n, bool whole, struct strv *out)
{
	for (; n != NULL; n = n->next) {
		if (n->pipe != NULL)
			chains_of_pipe(n->pipe, whole, out);
		chains_of_nodes(n->body, whole, out);
		chains_of_nodes(n->otherwise, whole, out);
	}
}

static void
chains_of(const struct template *t, bool whole, struct strv *out)
{
	chains_of_nodes(t->nodes, whole, out);
	for (const struct template_named *n = t->named; n != NULL; n = n->next)
		chains_of_nodes(n->nodes, whole, out);
}

void
template_fields(const struct template *t, struct strv *out)
{
	chains_of(t, false, out);
}

void
template_chains(const struct template *t, struct strv *out)
{
	chains_of(t, true, out);
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
