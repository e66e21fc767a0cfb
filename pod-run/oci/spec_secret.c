/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_secret.h"

#define MODE 0444

static int
invalid(const char *what, const char *value, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s %s invalid: parsing secret", what, value);
}

static int
read_mode(const char *value, uint64_t *out, struct err *e)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (*value < '0' || *value > '7' || *end != '\0' || mode > 07777)
		return invalid("mode", value, e);
	*out = mode;
	return 0;
}

struct parsed {
	struct rec_ctr_secret *s;
	bool file_only; /* an option that only files have */
};

static int
read_option(const char *key, const char *value, struct parsed *p, struct err *e)
{
	struct rec_ctr_secret *s = p->s;

	if (strcmp(key, "source") == 0) {
		s->name = value;
	} else if (strcmp(key, "type") == 0) {
		s->env = strcmp(value, "env") == 0;
		if (!s->env && strcmp(value, "mount") != 0)
			return err_set(e, ERR_INVALID, "type %s is invalid: parsing secret", value);
	} else if (strcmp(key, "target") == 0) {
		s->target = value;
	} else if (strcmp(key, "mode") == 0) {
		p->file_only = true;
		return read_mode(value, &s->mode, e);
	} else if (strcmp(key, "uid") == 0 || strcmp(key, "UID") == 0) {
		p->file_only = true;
		return text_to_u64(value, UINT32_MAX - 1, &s->uid) == -1 ? invalid("UID", value, e)
									 : 0;
	} else if (strcmp(key, "gid") == 0 || strcmp(key, "GID") == 0) {
		p->file_only = true;
		return text_to_u64(value, UINT32_MAX - 1, &s->gid) == -1 ? invalid("GID", value, e)
									 : 0;
	} else {
		return err_set(e, ERR_INVALID, "option %s=%s invalid: parsing secret", key, value);
	}
	return 0;
}

static int
check(const struct parsed *p, const char *word, struct err *e)
{
	const struct rec_ctr_secret *s = p->s;

	if (s->name == NULL || *s->name == '\0')
		return err_set(e, ERR_INVALID, "no source found %s: parsing secret", word);
	if (s->env && p->file_only)
		return err_set(e, ERR_INVALID,
		    "UID, GID, Mode options cannot be set with secret type env: parsing secret");
	if (*s->target == '\0' || (s->env && strchr(s->target, '=') != NULL))
		return invalid("target", s->target, e);
	/* A file below /run/secrets, or one with a whole path. */
	if (!s->env && (strstr(s->target, "/../") != NULL || text_has_prefix(s->target, "../") ||
			   text_has_suffix(s->target, "/..")))
		return invalid("target", s->target, e);
	return 0;
}

static int
read_one(const char *word, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	own_strv struct strv parts = {0};
	struct rec_ctr_secret *s = SPEC_PUSH(a, &c->secrets);
	struct parsed p = {.s = s};

	*s = (struct rec_ctr_secret){.mode = MODE};
	strv_split(&parts, word, ',');
	for (size_t i = 0; i < parts.n; i++) {
		char *eq = strchr(parts.v[i], '=');

		if (eq == NULL) {
			if (i > 0)
				return err_set(e, ERR_INVALID,
				    "option %s must be in form option=value: parsing secret",
				    parts.v[i]);
			s->name = arena_strdup(a, parts.v[i]);
			continue;
		}
		*eq = '\0';
		if (read_option(parts.v[i], arena_strdup(a, eq + 1), &p, e) == -1)
			return -1;
	}
	if (s->target == NULL)
		s->target = s->name != NULL ? s->name : "";
	return check(&p, word, e);
}

int
spec_secret_read(const struct strv *words, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < words->n; i++)
		if (read_one(words->v[i], c, a, e) == -1)
			return -1;
	return 0;
}
