/* SPDX-License-Identifier: ISC */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "pod-run/cmd/terms.h"

int
terms_prepare_bool(struct ctx *x, struct term *t, struct err *e)
{
	bool b;

	(void)x;
	if (value_bool(t->value, &b, e) == -1)
		return err_set(e, ERR_INVALID,
		    "non-boolean value \"%s\" for %s filter: invalid argument", t->value,
		    t->key->name);
	t->number = b;
	return 0;
}

int
terms_instant(const char *word, int64_t *out_ns, struct err *e)
{
	/* "0" is the duration, that is now. */
	return value_instant(strcmp(word, "0") == 0 ? "0s" : word, ctx_now_ns(), false, out_ns, e);
}

int
terms_prepare_time(struct ctx *x, struct term *t, struct err *e)
{
	struct err ignored = {0};

	(void)x;
	if (terms_instant(t->value, &t->number, &ignored) == -1)
		return err_set(
		    e, ERR_INVALID, "unable to parse %s value \"%s\"", t->key->name, t->value);
	return 0;
}

int
terms_prepare_name(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	(void)e;
	t->has_regex = regcomp(&t->regex, t->value, REG_EXTENDED | REG_NOSUB) == 0;
	return 0;
}

int
terms_prepare_regex(struct ctx *x, struct term *t, struct err *e)
{
	terms_prepare_name(x, t, e);
	return t->has_regex
		   ? 0
		   : err_set(e, ERR_INVALID, "invalid regular expression \"%s\"", t->value);
}

bool
terms_label(const char *word, const struct rec_kv *labels, size_t n)
{
	const char *eq = strchr(word, '=');
	own_mem char *key = eq != NULL ? xstrndup(word, (size_t)(eq - word)) : xstrdup(word);

	for (size_t i = 0; i < n; i++)
		if (fnmatch(key, labels[i].key, 0) == 0 &&
		    (eq == NULL || fnmatch(eq + 1, labels[i].value, 0) == 0))
			return true;
	return false;
}

const struct terms_key *
terms_key_of(const struct terms_key *keys, const char *word)
{
	size_t n = strcspn(word, "=");

	for (; keys->name != NULL; keys++)
		if (strlen(keys->name) == n && strncmp(keys->name, word, n) == 0)
			return keys;
	return NULL;
}

int
terms_parse(struct ctx *x, const struct terms_key *keys, const struct strv *words,
    struct terms *out, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');
		struct term *t;

		if (eq == NULL)
			return err_set(e, ERR_INVALID,
			    "invalid filter \"%s\" must be in the format \"filter=value\"", word);
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
		t = &out->v[out->n];
		*t = (struct term){.key = terms_key_of(keys, word), .x = x};
		if (t->key == NULL)
			return err_set(
			    e, ERR_INVALID, "invalid filter \"%.*s\"", (int)(eq - word), word);
		t->value = xstrdup(eq + 1);
		out->n++;
		if (t->key->prepare != NULL && t->key->prepare(x, t, e) == -1)
			return -1;
	}
	return 0;
}

void
terms_free(struct terms *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].has_regex)
			regfree(&t->v[i].regex);
		free(t->v[i].value);
	}
	free(t->v);
	*t = (struct terms){0};
}

bool
terms_name(const struct term *t, const char *name)
{
	return strcmp(name, t->value) == 0 ||
	       (t->has_regex && regexec(&t->regex, name, 0, NULL, 0) == 0);
}

bool
terms_match_key(const struct terms *t, const struct terms_key *key, const void *object)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].key == key && key->match(&t->v[i], object) != key->all)
			return !key->all;
	return key->all;
}

bool
terms_match(const struct terms *t, const void *object)
{
	for (size_t i = 0; i < t->n; i++)
		if (!terms_match_key(t, t->v[i].key, object))
			return false;
	return true;
}
