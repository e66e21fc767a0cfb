/* SPDX-License-Identifier: ISC */
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/life/health.h"

struct filter_key;

/* What of a container must be decoded. */
enum filter_need { NEED_ROW, NEED_SUMMARY, NEED_CONFIG };

struct filter_term {
	const struct filter_key *key;
	char *value;
	regex_t regex;
	bool has_regex;
	int64_t number;
	struct ctx *x;
};

struct filter_key {
	const char *name;
	bool all; /* all values must match, not any */
	enum filter_need need;
	int (*prepare)(struct ctx *x, struct filter_term *t, struct err *e);
	bool (*match)(const struct filter_term *t, const struct ctr *c);
};

/* --- Preparation --------------------------------------------------------------------------------*/

static int
prepare_regex(struct ctx *x, struct filter_term *t, struct err *e)
{
	(void)x;
	if (regcomp(&t->regex, t->value, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(e, ERR_INVALID, "invalid regular expression \"%s\"", t->value);
	t->has_regex = true;
	return 0;
}

static int
prepare_status(struct ctx *x, struct filter_term *t, struct err *e)
{
	(void)x;
	for (unsigned i = 0; i < CTR_STATUS_COUNT; i++)
		if (strcmp(ctr_status_name((enum ctr_status)i), t->value) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "unknown container state: %s: invalid argument", t->value);
}

static int
prepare_restart(struct ctx *x, struct filter_term *t, struct err *e)
{
	static const char *const policies[] = {
	    "no", "never", "on-failure", "always", "unless-stopped"};

	(void)x;
	for (size_t i = 0; i < COUNTOF(policies); i++)
		if (strcmp(t->value, policies[i]) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "%s invalid restart policy", t->value);
}

static int
prepare_number(struct ctx *x, struct filter_term *t, struct err *e)
{
	(void)x;
	if (text_to_i64(t->value, INT32_MIN, INT32_MAX, &t->number) == -1)
		return err_set(e, ERR_INVALID, "exited code out of range \"%s\"", t->value);
	return 0;
}

static int
prepare_bool(struct ctx *x, struct filter_term *t, struct err *e)
{
	bool b;

	(void)x;
	if (value_bool(t->value, &b, e) == -1)
		return err_wrap(e, "filter value \"%s\"", t->value);
	t->number = b;
	return 0;
}

/* before=CONTAINER and since=CONTAINER compare times of creation. */
static int
prepare_container(struct ctx *x, struct filter_term *t, struct err *e)
{
	struct db *db = ctx_db(x, e);
	char id[NAMES_ID_LEN + 1];
	own_ctr struct ctr c = {0};

	if (db == NULL || ctr_find(db, t->value, id, e) == -1 || ctr_load(db, id, &c, e) == -1)
		return -1;
	t->number = c.created_ns;
	return 0;
}

static int
prepare_until(struct ctx *x, struct filter_term *t, struct err *e)
{
	(void)x;
	if (terms_instant(t->value, &t->number, e) == 0)
		return 0;
	return err_set(
	    e, ERR_INVALID, "failed to parse value as time or duration: \"%s\"", t->value);
}

/* --- Matching -----------------------------------------------------------------------------------*/

static bool
match_id(const struct filter_term *t, const struct ctr *c)
{
	return text_has_prefix(c->id, t->value);
}

static bool
match_name(const struct filter_term *t, const struct ctr *c)
{
	const char *name = *t->value == '/' ? t->value + 1 : t->value;

	return strcmp(name, c->name) == 0 || regexec(&t->regex, c->name, 0, NULL, 0) == 0;
}

static bool
match_status(const struct filter_term *t, const struct ctr *c)
{
	const char *shown = ctr_status_name(c->status);

	/* "stopped" is what users call the pause between the end and its cleanup, too. */
	return strcmp(shown, t->value) == 0 ||
	       (c->status == CTR_STOPPED && strcmp(t->value, "exited") == 0);
}

static bool
match_exited(const struct filter_term *t, const struct ctr *c)
{
	return (c->status == CTR_EXITED || c->status == CTR_STOPPED) && c->finished_ns != 0 &&
	       c->exit_code == t->number;
}

/* key, key=value, with * and ? in both. */
static bool
match_label(const struct filter_term *t, const struct ctr *c)
{
	const char *eq = strchr(t->value, '=');
	own_mem char *key =
	    eq != NULL ? xstrndup(t->value, (size_t)(eq - t->value)) : xstrdup(t->value);

	for (size_t i = 0; i < c->summary->labels.n; i++) {
		const struct rec_kv *l = &c->summary->labels.v[i];

		if (fnmatch(key, l->key, 0) == 0 &&
		    (eq == NULL || fnmatch(eq + 1, l->value, 0) == 0))
			return true;
	}
	return false;
}

static bool
match_label_not(const struct filter_term *t, const struct ctr *c)
{
	return !match_label(t, c);
}

static bool
match_before(const struct filter_term *t, const struct ctr *c)
{
	return c->created_ns < t->number;
}

static bool
match_since(const struct filter_term *t, const struct ctr *c)
{
	return c->created_ns > t->number;
}

/* ID or prefix of it, whole reference, reference without tag, or its last component. */
static bool
match_ancestor(const struct filter_term *t, const struct ctr *c)
{
	const char *name = c->summary->image_name != NULL ? c->summary->image_name : "";
	const char *v = text_has_prefix(t->value, "sha256:") ? t->value + 7 : t->value;
	size_t n = strlen(v), len = strlen(name);
	const char *colon = strrchr(name, ':'), *at;

	if (*c->image != '\0' && n >= 3 && text_has_prefix(c->image, v))
		return true;
	if (colon != NULL && strchr(colon, '/') == NULL && strchr(v, ':') == NULL)
		len = (size_t)(colon - name);
	if (n > len)
		return false;
	at = name + len - n;
	return strncmp(at, v, n) == 0 && (at == name || at[-1] == '/');
}

static bool
match_volume(const struct filter_term *t, const struct ctr *c)
{
	for (size_t i = 0; i < c->config->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->config->mounts.v[i];

		if (strcmp(m->target, t->value) == 0 ||
		    (m->source != NULL && strcmp(m->source, t->value) == 0))
			return true;
	}
	return false;
}

static bool
match_network(const struct filter_term *t, const struct ctr *c)
{
	const char *mode = c->config->network_mode != NULL ? c->config->network_mode : "bridge";

	for (size_t i = 0; i < c->config->networks.n; i++)
		if (strcmp(c->config->networks.v[i].network, t->value) == 0)
			return true;
	return strcmp(mode, t->value) == 0;
}

static bool
match_restart(const struct filter_term *t, const struct ctr *c)
{
	return strcmp(c->config->restart != NULL ? c->config->restart : "no", t->value) == 0;
}

static bool
match_boot(const struct filter_term *t, const struct ctr *c)
{
	const char *policy = c->config->restart != NULL ? c->config->restart : "no";
	bool start = (strcmp(policy, "always") == 0 ||
			 (strcmp(policy, "unless-stopped") == 0 && !c->stopped_by_user)) &&
		     c->started_ns != 0;

	return start == (t->number != 0);
}

const char *
filter_command(const struct ctr *c)
{
	size_t first = c->summary->init ? 2 : 0;

	return c->summary->args.n > first ? c->summary->args.v[first] : "";
}

static bool
match_command(const struct filter_term *t, const struct ctr *c)
{
	return regexec(&t->regex, filter_command(c), 0, NULL, 0) == 0;
}

static int
prepare_ctx(struct ctx *x, struct filter_term *t, struct err *e)
{
	(void)e;
	t->x = x;
	return 0;
}

static bool
match_health(const struct filter_term *t, const struct ctr *c)
{
	char status[32] = "";

	if (c->status == CTR_RUNNING)
		health_status(t->x, c, status, sizeof(status));
	return strcmp(*status != '\0' ? status : "none", t->value) == 0;
}

static const struct filter_key keys[] = {
    {"health", false, NEED_CONFIG, prepare_ctx, match_health},
    {"id", false, NEED_ROW, NULL, match_id},
    {"name", false, NEED_ROW, prepare_regex, match_name},
    {"status", false, NEED_ROW, prepare_status, match_status},
    {"exited", false, NEED_ROW, prepare_number, match_exited},
    {"label", true, NEED_SUMMARY, NULL, match_label},
    {"label!", true, NEED_SUMMARY, NULL, match_label_not},
    {"before", false, NEED_ROW, prepare_container, match_before},
    {"since", false, NEED_ROW, prepare_container, match_since},
    {"until", false, NEED_ROW, prepare_until, match_before},
    {"ancestor", false, NEED_SUMMARY, NULL, match_ancestor},
    {"volume", false, NEED_CONFIG, NULL, match_volume},
    {"network", false, NEED_CONFIG, NULL, match_network},
    {"restart-policy", false, NEED_CONFIG, prepare_restart, match_restart},
    {"should-start-on-boot", false, NEED_CONFIG, prepare_bool, match_boot},
    {"command", false, NEED_SUMMARY, prepare_regex, match_command},
};

/* --- Whole --------------------------------------------------------------------------------------*/

static const struct filter_key *
find_key(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNTOF(keys); i++)
		if (strlen(keys[i].name) == n && strncmp(keys[i].name, name, n) == 0)
			return &keys[i];
	return NULL;
}

int
filter_parse(struct ctx *x, const struct strv *words, struct filter *out, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');
		struct filter_term *t;

		if (eq == NULL)
			return err_set(e, ERR_INVALID, "invalid filter \"%s\"", word);
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
		t = &out->v[out->n];
		*t = (struct filter_term){.key = find_key(word, (size_t)(eq - word))};
		if (t->key == NULL)
			return err_set(
			    e, ERR_INVALID, "%.*s is an invalid filter", (int)(eq - word), word);
		t->value = xstrdup(eq + 1);
		out->n++;
		if (t->key->prepare != NULL && t->key->prepare(x, t, e) == -1)
			return -1;
	}
	return 0;
}

void
filter_free(struct filter *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].has_regex)
			regfree(&f->v[i].regex);
		free(f->v[i].value);
	}
	free(f->v);
	*f = (struct filter){0};
}

bool
filter_has(const struct filter *f, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].key->name, key) == 0)
			return true;
	return false;
}

bool
filter_needs_config(const struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].key->need == NEED_CONFIG)
			return true;
	return false;
}

/* Does the key of term i match, by one of its values or by all of them? */
static bool
match_key(const struct filter *f, size_t i, const struct ctr *c)
{
	const struct filter_key *key = f->v[i].key;

	for (size_t j = i; j < f->n; j++)
		if (f->v[j].key == key && key->match(&f->v[j], c) != key->all)
			return !key->all;
	return key->all;
}

int
filter_match(const struct filter *f, struct ctr *c, bool *match, struct err *e)
{
	*match = true;
	for (size_t i = 0; i < f->n && *match; i++) {
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen = seen || f->v[j].key == f->v[i].key;
		if (seen)
			continue;
		if ((f->v[i].key->need == NEED_SUMMARY && ctr_summary(c, e) == -1) ||
		    (f->v[i].key->need == NEED_CONFIG && ctr_config(c, e) == -1))
			return -1;
		*match = match_key(f, i, c);
	}
	return 0;
}
