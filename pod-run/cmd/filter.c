/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/life/health.h"

/* What of a container must be decoded. */
enum filter_need { NEED_ROW, NEED_SUMMARY, NEED_CONFIG };

/* --- Preparation --------------------------------------------------------------------------------*/

static int
prepare_status(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	for (unsigned i = 0; i < CTR_STATUS_COUNT; i++)
		if (strcmp(ctr_status_name((enum ctr_status)i), t->value) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "unknown container state: %s: invalid argument", t->value);
}

static int
prepare_restart(struct ctx *x, struct term *t, struct err *e)
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
prepare_number(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	if (text_to_i64(t->value, INT32_MIN, INT32_MAX, &t->number) == -1)
		return err_set(e, ERR_INVALID, "exited code out of range \"%s\"", t->value);
	return 0;
}

static int
prepare_bool(struct ctx *x, struct term *t, struct err *e)
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
prepare_container(struct ctx *x, struct term *t, struct err *e)
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
prepare_until(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	if (terms_instant(t->value, &t->number, e) == 0)
		return 0;
	return err_set(
	    e, ERR_INVALID, "failed to parse value as time or duration: \"%s\"", t->value);
}

/* --- Matching -----------------------------------------------------------------------------------*/

static bool
match_id(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return text_has_prefix(c->id, t->value);
}

static bool
match_name(const struct term *t, const void *object)
{
	const struct ctr *c = object;
	const char *name = *t->value == '/' ? t->value + 1 : t->value;

	return strcmp(name, c->name) == 0 || regexec(&t->regex, c->name, 0, NULL, 0) == 0;
}

static bool
match_status(const struct term *t, const void *object)
{
	const struct ctr *c = object;
	const char *shown = ctr_status_name(c->status);

	/* "stopped" is what users call the pause between the end and its cleanup, too. */
	return strcmp(shown, t->value) == 0 ||
	       (c->status == CTR_STOPPED && strcmp(t->value, "exited") == 0);
}

static bool
match_exited(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return (c->status == CTR_EXITED || c->status == CTR_STOPPED) && c->finished_ns != 0 &&
	       c->exit_code == t->number;
}

static bool
match_label(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return terms_label(t->value, c->summary->labels.v, c->summary->labels.n);
}

static bool
match_label_not(const struct term *t, const void *object)
{
	return !match_label(t, object);
}

static bool
match_before(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return c->created_ns < t->number;
}

static bool
match_since(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return c->created_ns > t->number;
}

/* ID or prefix of it, whole reference, reference without tag, or its last component. */
static bool
match_ancestor(const struct term *t, const void *object)
{
	const struct ctr *c = object;
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
match_volume(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	for (size_t i = 0; i < c->config->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->config->mounts.v[i];

		if (strcmp(m->target, t->value) == 0 ||
		    (m->source != NULL && strcmp(m->source, t->value) == 0))
			return true;
	}
	return false;
}

static bool
match_network(const struct term *t, const void *object)
{
	const struct ctr *c = object;
	const char *mode = c->config->network_mode != NULL ? c->config->network_mode : "bridge";

	for (size_t i = 0; i < c->config->networks.n; i++)
		if (strcmp(c->config->networks.v[i].network, t->value) == 0)
			return true;
	return strcmp(mode, t->value) == 0;
}

static bool
match_restart(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return strcmp(c->config->restart != NULL ? c->config->restart : "no", t->value) == 0;
}

static bool
match_boot(const struct term *t, const void *object)
{
	const struct ctr *c = object;
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
match_command(const struct term *t, const void *object)
{
	const struct ctr *c = object;

	return regexec(&t->regex, filter_command(c), 0, NULL, 0) == 0;
}

static bool
match_health(const struct term *t, const void *object)
{
	const struct ctr *c = object;
	char status[32] = "";

	if (c->status == CTR_RUNNING)
		health_status(t->x, c, status, sizeof(status));
	return strcmp(*status != '\0' ? status : "none", t->value) == 0;
}

static const struct terms_key keys[] = {
    {"health", false, NULL, match_health, NEED_CONFIG},
    {"id", false, NULL, match_id},
    {"name", false, terms_prepare_regex, match_name},
    {"status", false, prepare_status, match_status},
    {"exited", false, prepare_number, match_exited},
    {"label", true, NULL, match_label, NEED_SUMMARY},
    {"label!", true, NULL, match_label_not, NEED_SUMMARY},
    {"before", false, prepare_container, match_before},
    {"since", false, prepare_container, match_since},
    {"until", false, prepare_until, match_before},
    {"ancestor", false, NULL, match_ancestor, NEED_SUMMARY},
    {"volume", false, NULL, match_volume, NEED_CONFIG},
    {"network", false, NULL, match_network, NEED_CONFIG},
    {"restart-policy", false, prepare_restart, match_restart, NEED_CONFIG},
    {"should-start-on-boot", false, prepare_bool, match_boot, NEED_CONFIG},
    {"command", false, terms_prepare_regex, match_command, NEED_SUMMARY},
    {0},
};

/* --- Whole --------------------------------------------------------------------------------------*/

/* The words of this refusal are not those of the other commands. */
int
filter_parse(struct ctx *x, const struct strv *words, struct filter *out, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');

		if (eq == NULL)
			return err_set(e, ERR_INVALID, "invalid filter \"%s\"", word);
		if (terms_key_of(keys, word) == NULL)
			return err_set(
			    e, ERR_INVALID, "%.*s is an invalid filter", (int)(eq - word), word);
	}
	return terms_parse(x, keys, words, &out->terms, e);
}

void
filter_free(struct filter *f)
{
	terms_free(&f->terms);
}

bool
filter_has(const struct filter *f, const char *key)
{
	for (size_t i = 0; i < f->terms.n; i++)
		if (strcmp(f->terms.v[i].key->name, key) == 0)
			return true;
	return false;
}

bool
filter_needs_config(const struct filter *f)
{
	for (size_t i = 0; i < f->terms.n; i++)
		if (f->terms.v[i].key->need == NEED_CONFIG)
			return true;
	return false;
}

int
filter_match(const struct filter *f, struct ctr *c, bool *match, struct err *e)
{
	*match = true;
	for (size_t i = 0; i < f->terms.n && *match; i++) {
		const struct terms_key *key = f->terms.v[i].key;

		if ((key->need == NEED_SUMMARY && ctr_summary(c, e) == -1) ||
		    (key->need == NEED_CONFIG && ctr_config(c, e) == -1))
			return -1;
		*match = terms_match_key(&f->terms, key, c);
	}
	return 0;
}
