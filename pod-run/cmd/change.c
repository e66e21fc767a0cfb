/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "pod-run/cmd/change.h"

void
change_free(struct change *c)
{
	struct strv *lists[] = {
	    &c->env, &c->entrypoint, &c->cmd, &c->volumes, &c->ports, &c->labels, &c->on_build};

	for (size_t i = 0; i < COUNTOF(lists); i++)
		strv_free(lists[i]);
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	*c = (struct change){0};
}

/* --- Values -------------------------------------------------------------------------------------*/

/* A JSON array of strings; false if the value is none. */
static bool
read_array(const char *value, struct strv *out)
{
	struct err ignored = {0};
	own_json json_t *j = *value == '[' ? json_read(value, strlen(value), &ignored) : NULL;
	size_t i;
	const json_t *one;

	if (!json_is_array(j))
		return false;
	json_array_foreach (j, i, one)
		if (!json_is_string(one))
			return false;
	json_array_foreach (j, i, one)
		strv_add(out, json_string_value(one));
	return true;
}

static char *
unquote(const char *s, size_t n)
{
	if (n >= 2 && s[0] == s[n - 1] && (s[0] == '"' || s[0] == '\''))
		return xstrndup(s + 1, n - 2);
	return xstrndup(s, n);
}

/* In the place of an entry with the same key, else at the end. */
static void
put_pair(struct strv *l, const char *key, const char *value)
{
	char *pair = xasprintf("%s=%s", key, value);

	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->v[i], pair, strlen(key) + 1) == 0) {
			free(l->v[i]);
			l->v[i] = pair;
			return;
		}
	strv_take(l, pair);
}

static void
add_once(struct strv *l, const char *s)
{
	if (strv_find(l, s) == l->n)
		strv_add(l, s);
}

/* The next word, in which quotes group; NULL at the end. */
static const char *
next_word(const char *s, size_t *n)
{
	char quote = '\0';

	while (isspace((unsigned char)*s))
		s++;
	for (*n = 0; s[*n] != '\0'; ++*n) {
		if (quote != '\0')
			quote = s[*n] == quote ? '\0' : quote;
		else if (s[*n] == '"' || s[*n] == '\'')
			quote = s[*n];
		else if (isspace((unsigned char)s[*n]))
			break;
	}
	return *n > 0 ? s : NULL;
}

/* --- Instructions -------------------------------------------------------------------------------*/

static int
set_command(struct strv *l, const char *value)
{
	strv_free(l);
	if (read_array(value, l))
		return 0;
	strv_add(l, "/bin/sh");
	strv_add(l, "-c");
	strv_add(l, value);
	return 0;
}

static int
apply_cmd(struct change *c, const char *value, struct err *e)
{
	(void)e;
	return set_command(&c->cmd, value);
}

static int
apply_entrypoint(struct change *c, const char *value, struct err *e)
{
	(void)e;
	return set_command(&c->entrypoint, value);
}

/* One variable; its value may hold blanks. */
static int
apply_env(struct change *c, const char *value, struct err *e)
{
	const char *eq = strchr(value, '=');
	own_mem char *key = NULL, *text = NULL;

	key = unquote(value, eq != NULL ? (size_t)(eq - value) : strlen(value));
	text = unquote(eq != NULL ? eq + 1 : "", eq != NULL ? strlen(eq + 1) : 0);
	if (*key == '\0')
		return err_set(e, ERR_INVALID,
		    "invalid change \"ENV %s\" - ENV must have at least one argument", value);
	put_pair(&c->env, key, text);
	return 0;
}

static int
apply_expose(struct change *c, const char *value, struct err *e)
{
	const char *slash = strchr(value, '/'), *protocol = slash != NULL ? slash + 1 : "tcp";
	own_mem char *number =
	    slash != NULL ? xstrndup(value, (size_t)(slash - value)) : xstrdup(value);
	own_mem char *port = NULL;
	uint64_t n;

	if (text_to_u64(number, 65535, &n) == -1 || n == 0 ||
	    (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
		strcmp(protocol, "sctp") != 0))
		return err_set(
		    e, ERR_INVALID, "invalid change \"EXPOSE %s\" - invalid port", value);
	port = xasprintf("%s/%s", number, protocol);
	add_once(&c->ports, port);
	return 0;
}

/* One label: key=value with quotes around the key, the value or both together. */
static int
put_label(struct change *c, const char *s, size_t n, struct err *e)
{
	const char *eq = memchr(s, '=', n);
	size_t key_n = eq != NULL ? (size_t)(eq - s) : n;
	own_mem char *key = NULL, *text = NULL;

	if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s && (eq == NULL || eq[-1] != *s))
		return put_label(c, s + 1, n - 2, e);
	key = unquote(s, key_n);
	text = unquote(eq != NULL ? eq + 1 : "", eq != NULL ? n - key_n - 1 : 0);
	if (*key == '\0')
		return err_set(
		    e, ERR_INVALID, "invalid label \"%.*s\": a label must have a name", (int)n, s);
	put_pair(&c->labels, key, text);
	return 0;
}

/* Several labels if each word is one; else a single one, whose value holds blanks. */
static int
apply_label(struct change *c, const char *value, struct err *e)
{
	size_t n;
	const char *first = next_word(value, &n);
	bool pairs = true;

	if (first == NULL || memchr(first, '=', n) == NULL)
		return err_set(e, ERR_INVALID,
		    "invalid change \"LABEL %s\" - LABEL must be formatted key=value", value);
	for (const char *s = first; s != NULL; s = next_word(s + n, &n))
		pairs = pairs && memchr(s, '=', n) != NULL;
	if (!pairs)
		return put_label(c, first, strlen(first), e);
	for (const char *s = next_word(value, &n); s != NULL; s = next_word(s + n, &n))
		if (put_label(c, s, n, e) == -1)
			return -1;
	return 0;
}

static int
apply_on_build(struct change *c, const char *value, struct err *e)
{
	(void)e;
	strv_add(&c->on_build, value);
	return 0;
}

static int
set_word(char **at, const char *value)
{
	free(*at);
	*at = unquote(value, strlen(value));
	return 0;
}

static int
apply_stop_signal(struct change *c, const char *value, struct err *e)
{
	int ignored;

	if (sig_parse(value, &ignored, e) == -1)
		return err_wrap(e,
		    "invalid change \"STOPSIGNAL %s\" - KILLSIGNAL must be given a valid signal",
		    value);
	return set_word(&c->stop_signal, value);
}

static int
apply_user(struct change *c, const char *value, struct err *e)
{
	(void)e;
	return set_word(&c->user, value);
}

static int
apply_workdir(struct change *c, const char *value, struct err *e)
{
	(void)e;
	return set_word(&c->working_dir, value);
}

static int
apply_volume(struct change *c, const char *value, struct err *e)
{
	own_strv struct strv paths = {0};
	size_t n;

	(void)e;
	if (!read_array(value, &paths))
		for (const char *s = next_word(value, &n); s != NULL; s = next_word(s + n, &n))
			strv_take(&paths, unquote(s, n));
	for (size_t i = 0; i < paths.n; i++)
		add_once(&c->volumes, paths.v[i]);
	return 0;
}

static const struct {
	const char *word;
	int (*apply)(struct change *c, const char *value, struct err *e);
} instructions[] = {
    {"CMD", apply_cmd},
    {"ENTRYPOINT", apply_entrypoint},
    {"ENV", apply_env},
    {"EXPOSE", apply_expose},
    {"LABEL", apply_label},
    {"ONBUILD", apply_on_build},
    {"STOPSIGNAL", apply_stop_signal},
    {"USER", apply_user},
    {"VOLUME", apply_volume},
    {"WORKDIR", apply_workdir},
};

int
change_apply(struct change *c, const char *line, struct err *e)
{
	size_t n = strcspn(line, " ");
	own_mem char *value = NULL;
	const char *from;
	size_t len;

	if (line[n] == '\0')
		n = strcspn(line, "=");
	if (line[n] == '\0')
		return err_set(
		    e, ERR_INVALID, "invalid change \"%s\" - must be formatted as KEY VALUE", line);
	from = line + n + 1;
	while (isspace((unsigned char)*from))
		from++;
	len = strlen(from);
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	value = xstrndup(from, len);
	for (size_t i = 0; i < COUNTOF(instructions); i++)
		if (strlen(instructions[i].word) == n &&
		    strncasecmp(instructions[i].word, line, n) == 0)
			return instructions[i].apply(c, value, e);
	return err_set(
	    e, ERR_INVALID, "invalid change \"%s\" - invalid instruction %.*s", line, (int)n, line);
}

/* --- Results ------------------------------------------------------------------------------------*/

void
change_label(struct change *c, const char *pair)
{
	size_t n = strcspn(pair, "=");
	own_mem char *key = xstrndup(pair, n);

	put_pair(&c->labels, key, pair[n] == '=' ? pair + n + 1 : "");
}

static struct strs
borrow(const struct strv *l)
{
	return (struct strs){(const char **)l->v, l->n};
}

void
change_record(const struct change *c, struct rec_image_config *out, struct arena *a)
{
	out->user = c->user;
	out->env = borrow(&c->env);
	out->entrypoint = borrow(&c->entrypoint);
	out->cmd = borrow(&c->cmd);
	out->volumes = borrow(&c->volumes);
	out->exposed_ports = borrow(&c->ports);
	out->working_dir = c->working_dir;
	out->stop_signal = c->stop_signal;
	out->on_build = borrow(&c->on_build);
	out->labels.v = arena_array(a, c->labels.n + 1, sizeof(*out->labels.v));
	out->labels.n = c->labels.n;
	for (size_t i = 0; i < c->labels.n; i++) {
		const char *eq = strchr(c->labels.v[i], '=');

		out->labels.v[i].key =
		    arena_strndup(a, c->labels.v[i], (size_t)(eq - c->labels.v[i]));
		out->labels.v[i].value = eq + 1;
	}
}
