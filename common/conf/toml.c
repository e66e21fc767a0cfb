/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/toml.h"
#include "common/conf/toml_scalar.h"

/*
 * What TOML says about each table and array beyond its content: which of the ways of defining it
 * has been used, since most may be used only once.  Kept beside the tree, in a hash by address.
 */
#define MARK_HEADER 1u /* [table] */
#define MARK_DOTTED 2u /* made by a dotted key */
#define MARK_INLINE 4u /* { … }: complete */
#define MARK_TABLES 8u /* [[array of tables]] */

struct mark {
	const json_t *of;
	unsigned flags;
};

struct parser {
	const char *s, *end;
	const char *name;
	unsigned line, depth;
	json_t *table; /* where keys go now; borrowed from the root */
	struct mark *marks;
	size_t mark_n, mark_cap; /* cap is a power of two */
	struct err *e;
};

static int
bad(struct parser *p, const char *what)
{
	return err_set(p->e, ERR_FORMAT, "%s:%u: %s", p->name, p->line, what);
}

static struct mark *
mark_slot(struct mark *marks, size_t cap, const json_t *of)
{
	size_t i = ((uintptr_t)of >> 4) * 0x9e3779b97f4a7c15u >> 20;

	for (;; i++) {
		struct mark *m = &marks[i & (cap - 1)];

		if (m->of == of || m->of == NULL)
			return m;
	}
}

static unsigned
mark_get(const struct parser *p, const json_t *of)
{
	return p->mark_cap > 0 ? mark_slot(p->marks, p->mark_cap, of)->flags : 0;
}

static void
mark_set(struct parser *p, const json_t *of, unsigned flags)
{
	struct mark *m;

	if (2 * (p->mark_n + 1) > p->mark_cap) {
		size_t cap = p->mark_cap > 0 ? 2 * p->mark_cap : 64;
		struct mark *grown = xcalloc(cap, sizeof(*grown));

		for (size_t i = 0; i < p->mark_cap; i++)
			if (p->marks[i].of != NULL)
				*mark_slot(grown, cap, p->marks[i].of) = p->marks[i];
		free(p->marks);
		p->marks = grown;
		p->mark_cap = cap;
	}
	m = mark_slot(p->marks, p->mark_cap, of);
	p->mark_n += m->of == NULL;
	*m = (struct mark){of, flags};
}

static bool
at_end(const struct parser *p)
{
	return p->s == p->end;
}

static char
peek(const struct parser *p)
{
	return at_end(p) ? '\0' : *p->s;
}

static bool
starts(const struct parser *p, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(p->end - p->s) >= n && memcmp(p->s, with, n) == 0;
}

static void
skip_blanks(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		p->s++;
}

static bool
take_newline(struct parser *p)
{
	if (starts(p, "\r\n"))
		p->s++;
	else if (peek(p) != '\n')
		return false;
	p->s++;
	p->line++;
	return true;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* True if none of eight bytes is a control character: below 0x20, or 0x7f. */
static bool
are_plain(const char *s)
{
	uint64_t w, del, top = EACH(0x80);

	memcpy(&w, s, sizeof(w));
	del = w ^ EACH(0x7f);
	/* A byte that is less than n borrows into its highest bit, which was clear (n at most 0x80). */
	return (((w - EACH(0x20)) & ~w & top) | ((del - EACH(1)) & ~del & top)) == 0;
}

static int
skip_comment(struct parser *p)
{
	if (peek(p) != '#')
		return 0;
	/* Installed configuration files are comments for the most part. */
	while (p->end - p->s >= 8 && are_plain(p->s))
		p->s += 8;
	for (; !at_end(p) && *p->s != '\n'; p->s++) {
		unsigned char c = (unsigned char)*p->s;

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		return c == '\r' && starts(p, "\r\n") ? 0
						      : bad(p, "control character in a comment");
	}
	return 0;
}

/* Blanks, comments and newlines, as between the elements of an array. */
static int
skip_space(struct parser *p)
{
	do {
		skip_blanks(p);
		if (skip_comment(p) == -1)
			return -1;
	} while (take_newline(p));
	return 0;
}

static int
line_end(struct parser *p)
{
	skip_blanks(p);
	if (skip_comment(p) == -1)
		return -1;
	return at_end(p) || take_newline(p) ? 0 : bad(p, "unexpected text behind the value");
}

static int
unicode_escape(struct parser *p, size_t digits, struct strbuf *b)
{
	char utf8[4];
	uint32_t c;

	if ((size_t)(p->end - p->s) < digits || text_from_hex(p->s, digits, &c) == -1)
		return bad(p, "malformed \\u escape");
	p->s += digits;
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return bad(p, "\\u escape is no character");
	strbuf_addn(b, utf8, text_put_utf8(c, utf8));
	return 0;
}

/* p->s stands behind the backslash. */
static int
escape(struct parser *p, bool multi, struct strbuf *b)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *at;

	if (at_end(p))
		return bad(p, "unterminated string");
	if (multi && (*p->s == ' ' || *p->s == '\t' || *p->s == '\n' || *p->s == '\r')) {
		skip_blanks(p);
		if (!take_newline(p))
			return bad(p, "backslash before blanks");
		do
			skip_blanks(p);
		while (take_newline(p));
		return 0;
	}
	if (*p->s == 'u' || *p->s == 'U')
		return unicode_escape(p, *p->s++ == 'u' ? 4 : 8, b);
	at = *p->s != '\0' ? strchr(from, *p->s) : NULL;
	if (at == NULL)
		return bad(p, "unknown escape in a string");
	strbuf_addc(b, to[at - from]);
	p->s++;
	return 0;
}

/* A closing run of quotes in a multi-line string: up to two more than three belong to the text. */
static bool
close_multi(struct parser *p, const char *three, struct strbuf *b)
{
	if (!starts(p, three))
		return false;
	while (p->end - p->s > 3 && p->s[3] == three[0] && starts(p, three))
		strbuf_addc(b, *p->s++);
	p->s += 3;
	return true;
}

/* How many characters from here on mean themselves in a string of either kind. */
static size_t
plain_run(const struct parser *p, char quote)
{
	const char *s = p->s;

	while (s < p->end && (unsigned char)*s >= 0x20 && *s != 0x7f && *s != quote && *s != '\\')
		s++;
	return (size_t)(s - p->s);
}

/* Any of the four kinds of strings; p->s stands at the opening quote. */
static int
parse_string(struct parser *p, bool allow_multi, struct strbuf *b)
{
	char quote = *p->s;
	const char *three = quote == '"' ? "\"\"\"" : "'''";
	bool multi = starts(p, three);

	if (multi && !allow_multi)
		return bad(p, "a key cannot be a multi-line string");
	p->s += multi ? 3 : 1;
	strbuf_add(b, "");
	if (multi)
		take_newline(p);
	while (!at_end(p)) {
		unsigned char c = (unsigned char)*p->s;
		size_t plain;

		if (multi ? close_multi(p, three, b) : *p->s == quote) {
			p->s += multi ? 0 : 1;
			return 0;
		}
		if (multi && take_newline(p)) {
			strbuf_addc(b, '\n');
			continue;
		}
		plain = plain_run(p, quote);
		if (plain > 0) {
			strbuf_addn(b, p->s, plain);
			p->s += plain;
			continue;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return bad(p, "control character in a string");
		p->s++;
		if (c != '\\' || quote == '\'')
			strbuf_addc(b, (char)c);
		else if (escape(p, multi, b) == -1)
			return -1;
	}
	return bad(p, "unterminated string");
}

static int
parse_key_part(struct parser *p, struct strv *keys)
{
	own_strbuf struct strbuf b = {0};
	char c = peek(p);

	if (keys->n >= TOML_DEPTH_MAX)
		return bad(p, "key has too many parts");
	if (c == '"' || c == '\'') {
		if (parse_string(p, false, &b) == -1)
			return -1;
	} else {
		while (
		    !at_end(p) && (c = *p->s, (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
						  (c >= '0' && c <= '9') || c == '_' || c == '-'))
			strbuf_addc(&b, *p->s++);
		if (b.n == 0)
			return bad(p, "a key is expected");
	}
	strv_take(keys, strbuf_take(&b));
	return 0;
}

static int
parse_key(struct parser *p, struct strv *keys)
{
	for (;;) {
		skip_blanks(p);
		if (parse_key_part(p, keys) == -1)
			return -1;
		skip_blanks(p);
		if (peek(p) != '.')
			return 0;
		p->s++;
	}
}

static int parse_value(struct parser *p, json_t **out);

/* "key = value" into table; p->s stands at the key. */
static int
parse_pair(struct parser *p, json_t *table)
{
	own_strv struct strv keys = {0};
	json_t *v = NULL;

	if (parse_key(p, &keys) == -1)
		return -1;
	if (peek(p) != '=')
		return bad(p, "'=' is expected behind the key");
	p->s++;
	skip_blanks(p);
	for (size_t i = 0; i + 1 < keys.n; i++) {
		json_t *next = json_object_get(table, keys.v[i]);

		if (next == NULL) {
			next = json_put_obj(table, keys.v[i]);
			mark_set(p, next, MARK_DOTTED);
		} else if (!json_is_object(next) || mark_get(p, next) != MARK_DOTTED) {
			return bad(p, "a dotted key cannot add to what was defined elsewhere");
		}
		table = next;
	}
	if (json_object_get(table, keys.v[keys.n - 1]) != NULL)
		return err_set(p->e, ERR_FORMAT, "%s:%u: key %s is there twice", p->name, p->line,
		    keys.v[keys.n - 1]);
	if (parse_value(p, &v) == -1)
		return -1;
	json_put_take(table, keys.v[keys.n - 1], v);
	return 0;
}

static int
parse_inline(struct parser *p, json_t *table)
{
	p->s++;
	skip_blanks(p);
	if (peek(p) == '}') {
		p->s++;
		return 0;
	}
	for (;;) {
		skip_blanks(p);
		if (parse_pair(p, table) == -1)
			return -1;
		skip_blanks(p);
		if (peek(p) == '}') {
			p->s++;
			return 0;
		}
		if (peek(p) != ',')
			return bad(p, "',' or '}' is expected");
		p->s++;
	}
}

static int
parse_array(struct parser *p, json_t *array)
{
	p->s++;
	for (;;) {
		json_t *v = NULL;

		if (skip_space(p) == -1)
			return -1;
		if (peek(p) == ']') {
			p->s++;
			return 0;
		}
		if (parse_value(p, &v) == -1)
			return -1;
		json_add_take(array, v);
		if (skip_space(p) == -1)
			return -1;
		if (peek(p) == ',')
			p->s++;
		else if (peek(p) != ']')
			return bad(p, "',' or ']' is expected");
	}
}

/* A word that is no string, array or table: number, boolean, date or time. */
static int
parse_scalar(struct parser *p, json_t **out)
{
	char word[64];
	size_t n = 0;

	while (n + 1 < sizeof(word) && !at_end(p)) {
		char c = *p->s;
		/* A date and a time may stand apart by one space. */
		bool joint = c == ' ' && n == 10 && word[4] == '-' && p->end - p->s > 1 &&
			     p->s[1] >= '0' && p->s[1] <= '9';

		if (!joint && (c == '\0' || strchr(" \t\r\n,]}#=", c) != NULL))
			break;
		word[n++] = c;
		p->s++;
	}
	word[n] = '\0';
	*out = toml_scalar(word);
	return *out != NULL ? 0 : bad(p, n == 0 ? "a value is expected" : "malformed value");
}

static int
parse_nested(struct parser *p, json_t **out)
{
	bool array = *p->s == '[';
	json_t *made = array ? json_arr() : json_obj();
	int r;

	if (++p->depth > TOML_DEPTH_MAX)
		r = bad(p, "nested too deeply");
	else
		r = array ? parse_array(p, made) : parse_inline(p, made);
	p->depth--;
	if (r == -1) {
		json_decref(made);
		return -1;
	}
	mark_set(p, made, MARK_INLINE);
	*out = made;
	return 0;
}

static int
parse_value(struct parser *p, json_t **out)
{
	char c = peek(p);

	if (c == '"' || c == '\'') {
		own_strbuf struct strbuf b = {0};

		if (parse_string(p, true, &b) == -1)
			return -1;
		*out = json_strn(b.s, b.n);
		return 0;
	}
	if (c == '[' || c == '{')
		return parse_nested(p, out);
	return parse_scalar(p, out);
}

/* The table that a header names on its way to the last part. */
static json_t *
descend(struct parser *p, json_t *table, const char *key)
{
	json_t *next = json_object_get(table, key);

	if (next == NULL)
		return json_put_obj(table, key);
	if (json_is_array(next) && mark_get(p, next) == MARK_TABLES)
		return json_array_get(next, json_array_size(next) - 1);
	if (json_is_object(next) && (mark_get(p, next) & MARK_INLINE) == 0)
		return next;
	bad(p, "the header adds to a value that is complete");
	return NULL;
}

static int
open_tables(struct parser *p, json_t *table, const char *key)
{
	json_t *array = json_object_get(table, key);

	if (array == NULL) {
		array = json_put_arr(table, key);
		mark_set(p, array, MARK_TABLES);
	} else if (mark_get(p, array) != MARK_TABLES) {
		return bad(p, "the array was defined elsewhere");
	}
	p->table = json_add_obj(array);
	mark_set(p, p->table, MARK_HEADER);
	return 0;
}

static int
open_table(struct parser *p, json_t *table, const char *key)
{
	json_t *there = json_object_get(table, key);

	if (there == NULL)
		there = json_put_obj(table, key);
	else if (!json_is_object(there) || mark_get(p, there) != 0)
		return err_set(
		    p->e, ERR_FORMAT, "%s:%u: table %s is there twice", p->name, p->line, key);
	mark_set(p, there, MARK_HEADER);
	p->table = there;
	return 0;
}

/* "[a.b]" or "[[a.b]]" */
static int
parse_header(struct parser *p, json_t *root)
{
	own_strv struct strv keys = {0};
	bool tables = starts(p, "[[");
	json_t *table = root;

	p->s += tables ? 2 : 1;
	if (parse_key(p, &keys) == -1)
		return -1;
	if (!starts(p, tables ? "]]" : "]"))
		return bad(p, "']' is expected");
	p->s += tables ? 2 : 1;
	for (size_t i = 0; i + 1 < keys.n; i++) {
		table = descend(p, table, keys.v[i]);
		if (table == NULL)
			return -1;
	}
	return tables ? open_tables(p, table, keys.v[keys.n - 1])
		      : open_table(p, table, keys.v[keys.n - 1]);
}

static int
parse_document(struct parser *p, json_t *root)
{
	p->table = root;
	for (;;) {
		if (skip_space(p) == -1)
			return -1;
		if (at_end(p))
			return 0;
		if (peek(p) == '[' ? parse_header(p, root) == -1 : parse_pair(p, p->table) == -1)
			return -1;
		if (line_end(p) == -1)
			return -1;
	}
}

json_t *
toml_read(const char *text, size_t n, const char *name, struct err *e)
{
	struct parser p = {.s = text, .end = text + n, .name = name, .line = 1, .e = e};
	json_t *root;
	int r;

	if (n > TOML_SIZE_MAX) {
		err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", name, TOML_SIZE_MAX);
		return NULL;
	}
	if (!text_is_utf8(text, n)) {
		err_set(e, ERR_FORMAT, "%s is not UTF-8", name);
		return NULL;
	}
	if (starts(&p, "\xef\xbb\xbf"))
		p.s += 3;
	root = json_obj();
	r = parse_document(&p, root);
	free(p.marks);
	if (r == 0)
		return root;
	json_decref(root);
	return NULL;
}

json_t *
toml_read_file(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_strbuf struct strbuf b = {0};
	char chunk[8192];
	ssize_t n;

	if (fd == -1) {
		err_sys(e, "opening %s", path);
		return NULL;
	}
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && b.n <= TOML_SIZE_MAX)
		strbuf_addn(&b, chunk, (size_t)n);
	if (n == -1) {
		err_sys(e, "reading %s", path);
		return NULL;
	}
	return toml_read(b.s != NULL ? b.s : "", b.n, path, e);
}
