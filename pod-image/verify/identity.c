/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "pod-image/verify/identity.h"

static bool
has_name_only(const struct reference *r)
{
	return r->tag == NULL && r->digest == NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL && b == NULL) || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_repository(const struct reference *a, const struct reference *b)
{
	return same_text(a->domain, b->domain) && strcmp(a->path, b->path) == 0;
}

/* Names without tag and digest never agree: nobody knows what was meant. */
static bool
match_exact(const struct reference *image, const struct reference *claimed)
{
	return !has_name_only(image) && !has_name_only(claimed) &&
	       same_repository(image, claimed) && same_text(image->tag, claimed->tag) &&
	       same_text(image->digest, claimed->digest);
}

/* With a digest the user has said which bytes are meant, so any tag of the repository will do; but one there must be. */
static bool
match_repo_digest_or_exact(const struct reference *image, const struct reference *claimed)
{
	if (image->digest != NULL)
		return !has_name_only(claimed) && same_repository(image, claimed);
	return match_exact(image, claimed);
}

static bool
prefix_covers(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || strchr(":/@", name[n]) != NULL);
}

static bool
match_remapped(const struct rec_verify_rule *rule, const struct reference *image,
    const struct reference *claimed, struct err *e)
{
	own_mem char *name = reference_string(image), *moved = NULL;
	own_reference struct reference r = {0};

	if (rule->reference == NULL || rule->signed_prefix == NULL ||
	    !prefix_covers(name, rule->reference))
		return match_repo_digest_or_exact(image, claimed);
	moved = xasprintf("%s%s", rule->signed_prefix, name + strlen(rule->reference));
	if (reference_parse_normal(moved, &r, e) < 0)
		return false;
	return match_repo_digest_or_exact(&r, claimed);
}

static bool
match_image(const struct rec_verify_rule *rule, const struct reference *image,
    const struct reference *claimed, struct err *e)
{
	if (strcmp(rule->match, "matchExact") == 0)
		return match_exact(image, claimed);
	if (strcmp(rule->match, "matchRepoDigestOrExact") == 0)
		return match_repo_digest_or_exact(image, claimed);
	if (strcmp(rule->match, "matchRepository") == 0)
		return same_repository(image, claimed);
	if (strcmp(rule->match, "remapIdentity") == 0)
		return match_remapped(rule, image, claimed, e);
	return false;
}

/* exactReference and exactRepository do not look at the image. */
static bool
match_fixed(
    const struct rec_verify_rule *rule, const struct reference *claimed, bool *fixed, struct err *e)
{
	own_reference struct reference want = {0};
	bool repository = strcmp(rule->match, "exactRepository") == 0;

	*fixed = repository || strcmp(rule->match, "exactReference") == 0;
	if (!*fixed || rule->reference == NULL ||
	    reference_parse_normal(rule->reference, &want, e) < 0)
		return false;
	return repository ? same_repository(&want, claimed) : match_exact(&want, claimed);
}

int
identity_check(
    const struct rec_verify_rule *rule, const char *image, const char *claimed, struct err *e)
{
	own_reference struct reference i = {0}, c = {0};
	char shown[512];
	bool fixed, good;

	text_escape(claimed, shown, sizeof(shown));
	if (reference_parse_normal(claimed, &c, e) < 0)
		return err_set(
		    e, ERR_DENIED, "Signature for identity \"%s\" is not accepted", shown);
	good = match_fixed(rule, &c, &fixed, e);
	if (!fixed) {
		if (image == NULL)
			return err_set(e, ERR_DENIED,
			    "Docker reference match attempted on an image with no known Docker "
			    "reference identity");
		if (reference_parse_normal(image, &i, e) < 0)
			return -1;
		good = match_image(rule, &i, &c, e);
	}
	err_clear(e);
	return good
		   ? 0
		   : err_set(e, ERR_DENIED, "Signature for identity \"%s\" is not accepted", shown);
}
