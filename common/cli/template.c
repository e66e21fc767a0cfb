/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/template.h"
#include "common/cli/template_int.h"

/*
 * Where a list of nodes ended.
 */
enum end { END_TEXT, END_END, END_ELSE, END_FAILED };

struct parser {
	struct template *t;
	const char *start, *s; /* the whole text, and where we are */
	unsigned depth, loops;
	struct strv variables;
	bool trim; /* the action before ended with a trim marker */
	struct err *e;
};

static unsigned
line_at(const struct parser *p, const char *at)
{
	unsigned line = 1;

	for (const char *s = p->start; s < at; s++)
		line += *s == '\n';
	return line;
}

static unsigned
column_at(const struct parser *p, const char *at)
{
	const char *s = at;

	while (s > p->start && s[-1] != '\n')
		s--;
	return (unsigned)(at - s);
}

static int __attribute__((format(printf, 2, 3))) bad(struct parser *p, const char *fmt, ...)
{
	va_list ap;
	own_mem char *what = NULL;

	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(p->e, ERR_USAGE, "template: %s:%u: %s", p->t->name, line_at(p, p->s), what);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void
skip_space(struct parser *p)
{
	while (is_space(*p->s))
		p->s++;
}

/* At "}}" or, behind a blank, "-}}". */
static bool
at_close(const struct parser *p)
{
	return text_has_prefix(p->s, "}}") ||
	       (text_has_prefix(p->s, "-}}") && p->s > p->start && is_space(p->s[-1]));
}

static void
take_close(struct parser *p)
{
	p->trim = *p->s == '-';
	p->s += p->trim ? 3 : 2;
}

static int
need_close(struct parser *p, const char *context)
{
	skip_space(p);
	if (*p->s == '\0')
		return bad(p, "unclosed action");
	if (!at_close(p))
		return bad(p, "unexpected \"%.1s\" in %s", p->s, context);
	take_close(p);
	return 0;
}

static const char *
take_word(struct parser *p)
{
	const char *from = p->s;

	while (is_word(*p->s))
		p->s++;
	return arena_strndup(&p->t->arena, from, (size_t)(p->s - from));
}

static bool
take_keyword(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	if (!text_has_prefix(p->s, word) || is_word(p->s[n]))
		return false;
	p->s += n;
	return true;
}

static void
keep_literal(struct parser *p, struct template_operand *o, json_t *v)
{
	o->kind = OPERAND_LITERAL;
	o->literal = v;
	json_add_take(p->t->literals, v);
}

/* The escapes of Go's strings and characters; p->s stands behind the backslash. */
static int
take_escape(struct parser *p, struct strbuf *b)
{
	static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
	const char *at = *p->s != '\0' ? strchr(from, *p->s) : NULL;
	size_t digits = *p->s == 'x' ? 2 : *p->s == 'u' ? 4 : *p->s == 'U' ? 8 : 0;
	char utf8[4];
	uint32_t c;

	if (at != NULL) {
		strbuf_addc(b, to[at - from]);
		p->s++;
		return 0;
	}
	if (digits == 0)
		return bad(p, "unknown escape sequence in a constant");
	p->s++;
	if (text_from_hex(p->s, digits, &c) == -1 || c == 0 || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return bad(p, "malformed escape sequence in a constant");
	p->s += digits;
	/* \xHH is a byte in Go, but what we make has to be UTF-8. */
	strbuf_addn(b, utf8, text_put_utf8(c, utf8));
	return 0;
}

static int
parse_string(struct parser *p, struct template_operand *o)
{
	own_strbuf struct strbuf b = {0};
	char quote = *p->s++;

	strbuf_add(&b, "");
	while (*p->s != quote) {
		if (*p->s == '\0' || (*p->s == '\n' && quote != '`'))
			return bad(p, quote == '`'    ? "unterminated raw quoted string"
				      : quote == '\'' ? "unterminated character constant"
						      : "unterminated quoted string");
		if (*p->s != '\\' || quote == '`') {
			strbuf_addc(&b, *p->s++);
			continue;
		}
		p->s++;
		if (take_escape(p, &b) == -1)
			return -1;
	}
	p->s++;
	if (quote == '\'') {
		if (b.n != 1)
			return bad(p, "malformed character constant");
		keep_literal(p, o, json_integer(b.s[0]));
	} else {
		keep_literal(p, o, json_strn(b.s, b.n));
	}
	return 0;
}

static int
parse_number(struct parser *p, struct template_operand *o)
{
	const char *from = p->s;
	char *end_int, *end_real, word[64];
	long long i;
	double d;
	size_t n;

	p->s += *p->s == '+' || *p->s == '-';
	while (is_word(*p->s) || *p->s == '.' ||
	       ((*p->s == '+' || *p->s == '-') && (p->s[-1] == 'e' || p->s[-1] == 'E')))
		p->s++;
	n = (size_t)(p->s - from);
	if (n >= sizeof(word))
		return bad(p, "bad number syntax");
	memcpy(word, from, n);
	word[n] = '\0';
	i = strtoll(word, &end_int, 0);
	d = strtod(word, &end_real);
	if (*end_int == '\0')
		keep_literal(p, o, json_integer(i));
	else if (*end_real == '\0' && isfinite(d))
		keep_literal(p, o, json_real(d));
	else
		return bad(p, "bad number syntax: \"%s\"", word);
	return 0;
}

static int parse_pipe(struct parser *p, bool inner, struct template_pipe **out);

static int
parse_word(struct parser *p, struct template_operand *o)
{
	o->name = take_word(p);
	if (strcmp(o->name, "true") == 0 || strcmp(o->name, "false") == 0) {
		keep_literal(p, o, json_boolean(o->name[0] == 't'));
	} else if (strcmp(o->name, "nil") == 0) {
		o->kind = OPERAND_LITERAL;
	} else {
		o->kind = OPERAND_FUNCTION;
		if (template_function_find(o->name) == NULL)
			return bad(p, "function \"%s\" not defined", o->name);
	}
	return 0;
}

static int
parse_variable(struct parser *p, struct template_operand *o)
{
	p->s++;
	o->kind = OPERAND_VARIABLE;
	o->name = take_word(p);
	if (*o->name != '\0' && strv_find(&p->variables, o->name) == p->variables.n)
		return bad(p, "undefined variable \"$%s\"", o->name);
	return 0;
}

/* .A.B behind an operand, or alone. */
static int
parse_chain(struct parser *p, struct template_operand *o)
{
	const char *names[TEMPLATE_CHAIN_MAX];

	while (*p->s == '.' && is_word(p->s[1])) {
		if (o->chain_n == TEMPLATE_CHAIN_MAX)
			return bad(p, "too many fields in a row");
		p->s++;
		names[o->chain_n++] = take_word(p);
	}
	if (o->chain_n > 0) {
		const char **copy = arena_array(&p->t->arena, o->chain_n, sizeof(*copy));

		memcpy(copy, names, o->chain_n * sizeof(*copy));
		o->chain = copy;
	}
	return 0;
}

static int
parse_inner(struct parser *p, struct template_operand *o)
{
	struct template_pipe *pipe = NULL;

	p->s++;
	if (++p->depth > TEMPLATE_NEST_MAX)
		return bad(p, "nested too deeply");
	if (parse_pipe(p, true, &pipe) == -1)
		return -1;
	p->depth--;
	if (*p->s != ')')
		return bad(p, "unclosed left paren");
	p->s++;
	o->kind = OPERAND_PIPE;
	o->pipe = pipe;
	return 0;
}

static int
parse_operand(struct parser *p, struct template_operand **out)
{
	struct template_operand *o = arena_alloc(&p->t->arena, sizeof(*o));
	const char *from = p->s;
	char c = *from;
	int r = 0;

	o->line = line_at(p, from);
	o->column = column_at(p, from);
	if (c == '.' && !isdigit((unsigned char)from[1])) {
		o->kind = OPERAND_DOT;
		p->s += is_word(from[1]) ? 0 : 1;
	} else if (c == '$') {
		r = parse_variable(p, o);
	} else if (c == '"' || c == '`' || c == '\'') {
		r = parse_string(p, o);
	} else if (isdigit((unsigned char)c) || c == '.' ||
		   ((c == '+' || c == '-') && isdigit((unsigned char)from[1]))) {
		r = parse_number(p, o);
	} else if (c == '(') {
		r = parse_inner(p, o);
	} else if (is_word(c)) {
		r = parse_word(p, o);
	} else if (c == '\0') {
		return bad(p, "unclosed action");
	} else {
		return bad(p, "unexpected \"%.*s\" in operand", at_close(p) ? 2 : 1, p->s);
	}
	if (r == -1 || parse_chain(p, o) == -1)
		return -1;
	o->source = arena_strndup(&p->t->arena, from, (size_t)(p->s - from));
	*out = o;
	return 0;
}

/* .Label "name": the one method of Podman's that takes an argument. */
static bool
is_method(const struct template_operand *o)
{
	return o->chain_n > 0 && strcmp(o->chain[o->chain_n - 1], "Label") == 0 &&
	       o->next->next == NULL;
}

/* Operands separated by blanks, up to '|', ')' or the end of the action. */
static int
parse_command(struct parser *p, struct template_command **out)
{
	struct template_command *c = arena_alloc(&p->t->arena, sizeof(*c));
	struct template_operand **last = &c->operands;

	for (;;) {
		skip_space(p);
		if (c->operands != NULL && (*p->s == '|' || *p->s == ')' || at_close(p)))
			break;
		if (parse_operand(p, last) == -1)
			return -1;
		last = &(*last)->next;
		if (!is_space(*p->s) && *p->s != '|' && *p->s != ')' && !at_close(p))
			return bad(p,
			    *p->s == '\0' ? "unclosed action" : "unexpected \"%.1s\" in operand",
			    p->s);
	}
	if (c->operands->next != NULL && c->operands->kind != OPERAND_FUNCTION &&
	    !is_method(c->operands))
		return bad(p, "can't give argument to non-function %s", c->operands->source);
	*out = c;
	return 0;
}

/* "$x :=", "$x =", "$i, $x :="; nothing is taken if there is none. */
static int
parse_names(struct parser *p, struct template_pipe *pipe)
{
	const char *from = p->s;

	for (;;) {
		if (*p->s != '$' || pipe->name_n == 2)
			break;
		p->s++;
		pipe->names[pipe->name_n++] = take_word(p);
		skip_space(p);
		if (text_has_prefix(p->s, ":=") || *p->s == '=') {
			pipe->declare = *p->s == ':';
			p->s += pipe->declare ? 2 : 1;
			for (unsigned i = 0; i < pipe->name_n; i++) {
				if (pipe->declare)
					strv_add(&p->variables, pipe->names[i]);
				else if (strv_find(&p->variables, pipe->names[i]) == p->variables.n)
					return bad(p, "undefined variable \"$%s\"", pipe->names[i]);
			}
			return 0;
		}
		if (*p->s != ',')
			break;
		p->s++;
		skip_space(p);
	}
	p->s = from;
	pipe->name_n = 0;
	return 0;
}

static int
parse_pipe(struct parser *p, bool inner, struct template_pipe **out)
{
	struct template_pipe *pipe = arena_alloc(&p->t->arena, sizeof(*pipe));
	struct template_command **last = &pipe->commands;

	skip_space(p);
	if (parse_names(p, pipe) == -1)
		return -1;
	for (;;) {
		skip_space(p);
		if (at_close(p) || *p->s == '|' || *p->s == ')')
			return bad(p, "missing value for %s",
			    inner ? "parenthesized pipeline" : "command");
		if (parse_command(p, last) == -1)
			return -1;
		if (last != &pipe->commands && (*last)->operands->kind != OPERAND_FUNCTION)
			return bad(p, "non executable command in pipeline stage 2");
		last = &(*last)->next;
		if (*p->s != '|')
			break;
		p->s++;
	}
	*out = pipe;
	return 0;
}

static enum end parse_list(struct parser *p, struct template_node **out);

/*
 * if, with and range: p->s stands behind the word.  "else if" and "else with" are a nested node,
 * which takes the "end" with it.
 */
static int
parse_block(struct parser *p, struct template_node *n)
{
	size_t scope = p->variables.n;
	enum end end = END_FAILED;

	if (++p->depth > TEMPLATE_NEST_MAX)
		return bad(p, "nested too deeply");
	if (parse_pipe(p, false, &n->pipe) == -1 || need_close(p, "command") == -1)
		return -1;
	p->loops += n->kind == NODE_RANGE;
	end = parse_list(p, &n->body);
	p->loops -= n->kind == NODE_RANGE;
	if (end == END_ELSE) {
		skip_space(p);
		if (n->kind != NODE_RANGE && (take_keyword(p, "if") || take_keyword(p, "with"))) {
			n->otherwise = arena_alloc(&p->t->arena, sizeof(*n));
			n->otherwise->kind = p->s[-1] == 'f' ? NODE_IF : NODE_WITH;
			if (parse_block(p, n->otherwise) == -1)
				return -1;
			end = END_END;
		} else {
			if (need_close(p, "else") == -1)
				return -1;
			end = parse_list(p, &n->otherwise);
			if (end == END_ELSE)
				return bad(p, "expected end; found {{else}}");
		}
	}
	if (end == END_TEXT)
		return bad(p, "unexpected EOF");
	while (p->variables.n > scope)
		strv_remove(&p->variables, p->variables.n - 1);
	p->depth--;
	return end == END_END ? 0 : -1;
}

const struct template_named *
template_named_find(const struct template *t, const char *name)
{
	const struct template_named *n = t->named;

	while (n != NULL && strcmp(n->name, name) != 0)
		n = n->next;
	return n;
}

/* The name behind define, block and template, which becomes n's text. */
static int
parse_name(struct parser *p, struct template_node *n, const char *context)
{
	struct template_operand name = {0};

	skip_space(p);
	n->line = line_at(p, p->s);
	n->column = column_at(p, p->s);
	if (*p->s != '"' && *p->s != '`')
		return bad(p, "unexpected \"%.1s\" in %s clause", p->s, context);
	if (parse_string(p, &name) == -1)
		return -1;
	n->text = json_string_value(name.literal);
	return 0;
}

/* The nodes of the template n->text, to the "end".  It has no variables but $. */
static int
parse_named(struct parser *p, const struct template_node *n)
{
	struct template_named *named = arena_alloc(&p->t->arena, sizeof(*named));
	struct strv outer = p->variables;
	unsigned loops = p->loops;
	enum end end;

	if (template_named_find(p->t, n->text) != NULL)
		return bad(p, "multiple definition of template \"%s\"", n->text);
	if (++p->depth > TEMPLATE_NEST_MAX)
		return bad(p, "nested too deeply");
	p->variables = (struct strv){0};
	p->loops = 0;
	end = parse_list(p, &named->nodes);
	strv_free(&p->variables);
	p->variables = outer;
	p->loops = loops;
	p->depth--;
	if (end == END_TEXT || end == END_ELSE)
		return bad(p, end == END_TEXT ? "unexpected EOF" : "unexpected {{else}}");
	named->name = n->text;
	named->next = p->t->named;
	p->t->named = named;
	return end == END_END ? 0 : -1;
}

/* define, block and template; *taken says whether it was one of them. */
static int
parse_template(struct parser *p, struct template_node *n, bool *taken)
{
	static const char *const words[] = {"define", "block", "template"};
	size_t i = 0;

	while (i < COUNTOF(words) && !take_keyword(p, words[i]))
		i++;
	*taken = i < COUNTOF(words);
	if (!*taken)
		return 0;
	if (i == 0 && p->depth > 0)
		return bad(p, "unexpected {{define}}");
	if (parse_name(p, n, words[i]) == -1)
		return -1;
	skip_space(p);
	if (i == 1 || (i == 2 && !at_close(p))) {
		if (parse_pipe(p, false, &n->pipe) == -1)
			return -1;
	}
	if (need_close(p, words[i]) == -1 || (i < 2 && parse_named(p, n) == -1))
		return -1;
	/* A definition is nothing where it stands. */
	n->kind = i == 0 ? NODE_TEXT : NODE_TEMPLATE;
	return 0;
}

static int
parse_action(struct parser *p, struct template_node *n)
{
	static const struct {
		const char *word;
		enum template_node_kind kind;
	} blocks[] = {{"if", NODE_IF}, {"with", NODE_WITH}, {"range", NODE_RANGE}};
	static const struct {
		const char *word;
		enum template_node_kind kind;
	} jumps[] = {{"break", NODE_BREAK}, {"continue", NODE_CONTINUE}};
	bool taken;

	for (size_t i = 0; i < COUNTOF(blocks); i++) {
		if (take_keyword(p, blocks[i].word)) {
			n->kind = blocks[i].kind;
			return parse_block(p, n);
		}
	}
	for (size_t i = 0; i < COUNTOF(jumps); i++) {
		if (!take_keyword(p, jumps[i].word))
			continue;
		if (p->loops == 0)
			return bad(p, "{{%s}} outside {{range}}", jumps[i].word);
		n->kind = jumps[i].kind;
		return need_close(p, jumps[i].word);
	}
	if (parse_template(p, n, &taken) == -1)
		return -1;
	if (taken)
		return 0;
	n->kind = NODE_ACTION;
	if (parse_pipe(p, false, &n->pipe) == -1)
		return -1;
	return need_close(p, "command");
}

/* A comment, "{{/" having been seen. */
static int
skip_comment(struct parser *p)
{
	const char *end = strstr(p->s + 2, "*/");

	if (end == NULL)
		return bad(p, "unclosed comment");
	p->s = end + 2;
	if (!text_has_prefix(p->s, "}}") && !text_has_prefix(p->s, " -}}"))
		return bad(p, "comment ends before closing delimiter");
	p->s += *p->s == ' ';
	take_close(p);
	return 0;
}

/* The text up to the next action, with what the trim markers on both sides take away. */
static struct template_node *
take_text(struct parser *p)
{
	const char *from = p->s, *end = strstr(p->s, "{{"), *to;
	struct template_node *n;

	end = end != NULL ? end : p->s + strlen(p->s);
	to = end;
	if (p->trim)
		while (from < to && is_space(*from))
			from++;
	if (text_has_prefix(end, "{{-") && is_space(end[3]))
		while (to > from && is_space(to[-1]))
			to--;
	p->trim = false;
	p->s = end;
	if (from == to)
		return NULL;
	n = arena_alloc(&p->t->arena, sizeof(*n));
	n->kind = NODE_TEXT;
	n->text = arena_strndup(&p->t->arena, from, (size_t)(to - from));
	n->text_n = (size_t)(to - from);
	return n;
}

/* Takes "{{" with its trim marker and the blanks behind. */
static void
take_open(struct parser *p)
{
	p->s += 2;
	if (*p->s == '-' && is_space(p->s[1]))
		p->s += 2;
	skip_space(p);
}

static enum end
parse_list(struct parser *p, struct template_node **out)
{
	for (;;) {
		struct template_node *n = take_text(p);

		if (n != NULL) {
			*out = n;
			out = &n->next;
		}
		if (*p->s == '\0')
			return END_TEXT;
		take_open(p);
		if (text_has_prefix(p->s, "/*")) {
			if (skip_comment(p) == -1)
				return END_FAILED;
			continue;
		}
		if (take_keyword(p, "end"))
			return need_close(p, "end") == -1 ? END_FAILED : END_END;
		if (take_keyword(p, "else"))
			return END_ELSE;
		n = arena_alloc(&p->t->arena, sizeof(*n));
		if (parse_action(p, n) == -1)
			return END_FAILED;
		*out = n;
		out = &n->next;
	}
}

struct template *
template_parse(const char *name, const char *text, struct err *e)
{
	struct template *t = xcalloc(1, sizeof(*t));
	struct parser p = {.t = t, .start = text, .s = text, .e = e};
	enum end end = END_FAILED;

	t->name = arena_strdup(&t->arena, name);
	t->literals = json_arr();
	if (strlen(text) > TEMPLATE_TEXT_MAX)
		bad(&p, "the text is longer than %d bytes", TEMPLATE_TEXT_MAX);
	else
		end = parse_list(&p, &t->nodes);
	if (end == END_END || end == END_ELSE)
		bad(&p, "unexpected {{%s}}", end == END_END ? "end" : "else");
	strv_free(&p.variables);
	if (end != END_TEXT)
		template_free(&t);
	return t;
}

void
template_free(struct template **t)
{
	if (*t == NULL)
		return;
	json_decref((*t)->literals);
	arena_free(&(*t)->arena);
	free(*t);
	*t = NULL;
}
