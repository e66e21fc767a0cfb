/* SPDX-License-Identifier: ISC */
/*
 * policy.json(5): which images may be used, and which signatures they need.  The file that was
 * named; else $XDG_CONFIG_HOME/containers/policy.json, else /etc/containers/policy.json, else
 * /usr/share/containers/policy.json, else the one that comes with these programs and accepts
 * everything, as that of distributions does; without any of them no image may be used.
 *
 * The file is the administrator's and is read with the caller's power, keys included; what is
 * signed is looked at by pod-image-verify.
 */
#ifndef POD_IMAGE_POLICY_H
#define POD_IMAGE_POLICY_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/oci/reference.h"
#include "common/wire/msg.h"

struct policy_file; /* read and found to be right in all its parts */

struct policy_file *policy_open(const char *named, struct err *e);
void policy_close(struct policy_file *f);
static inline void
policy_close_(struct policy_file **f)
{
	policy_close(*f);
}
#define own_policy_file own(policy_close_)

/* What applies to one image: a refusal, or rules that it must meet, or nothing at all. */
struct policy {
	struct err refusal;
	struct rec_verify_rule *rules;
	size_t nrules;
	const void *from; /* which list of rules that was, to be compared only */
	struct arena arena;
};
void policy_free(struct policy *p);
#define own_policy own(policy_free)

/*
 * Selects by the scopes, the most specific first (the transport's own "" and the default come after
 * them by themselves), and reads the keys.  what names the image in messages.
 */
int policy_select(const struct policy_file *f, const char *transport, const struct strv *scopes,
    const char *what, struct policy *out, struct err *e);

/* For tests: the same with the text of a file. */
struct policy_file *policy_open_text(const char *text, size_t n, const char *name, struct err *e);

#endif
