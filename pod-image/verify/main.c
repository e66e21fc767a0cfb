/* SPDX-License-Identifier: ISC */
/*
 * pod-image-verify: the worker that looks at signatures.  It is told the rules of policy.json first
 * and asked about images afterwards; it has no network, no store, and no file but the programs of
 * the host.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "common/wire/worker.h"
#include "pod-image/verify/gpg.h"
#include "pod-image/verify/identity.h"
#include "pod-image/verify/sigstore.h"

#define RULES_MAX 64
#define SECONDS_MAX 60
#define MEMORY_MAX ((rlim_t)1 << 30)

enum { PHASE_SETUP = 1, PHASE_WORK = 2 };

struct verifier {
	unsigned phase;
	struct arena arena;
	struct msg_verify_setup setup;
	struct gpg *gpg[RULES_MAX]; /* one for each rule that needs it */
};

struct reasons {
	struct strv list;
	size_t others; /* signatures of the kind that the rule does not ask for */
};

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct verifier *v = arg;

	wire_copy(&msg_verify_setup_desc, in->msg, &v->setup, &v->arena);
	v->phase = PHASE_WORK;
	return peer_send_ok(p, in->seq, e);
}

/* --- One signature by one rule ---------------------------------------------------------------- */

static int
check_payload(const struct rec_verify_rule *rule, const struct msg_verify_image *m,
    const char *bytes, size_t n, const char *type, struct err *e)
{
	own_payload struct payload p = {0};

	if (payload_parse(bytes, n, type, &p, e) < 0 ||
	    identity_check(rule, m->reference, p.reference, e) < 0)
		return -1;
	if (strcmp(p.digest, m->digest) != 0)
		return err_set(
		    e, ERR_DENIED, "Signature for digest %.100s does not match", p.digest);
	return 0;
}

static int
check_simple(struct verifier *v, size_t rule, const struct msg_verify_image *m,
    const struct signature *s, struct err *e)
{
	const struct rec_verify_rule *r = &v->setup.rules.v[rule];
	own_strbuf struct strbuf content = {0};

	if (v->gpg[rule] == NULL)
		v->gpg[rule] = gpg_new(r->keys.v, r->keys.n, e);
	if (v->gpg[rule] == NULL || gpg_open_message(v->gpg[rule], &s->simple, &content, e) < 0)
		return -1;
	return check_payload(
	    r, m, content.s != NULL ? content.s : "", content.n, PAYLOAD_TYPE_SIMPLE, e);
}

static int
check_sigstore(const struct rec_verify_rule *rule, const struct msg_verify_image *m,
    const struct signature *s, struct err *e)
{
	if (sigstore_check(rule, s, e) < 0)
		return -1;
	return check_payload(
	    rule, m, (const char *)s->payload.p, s->payload.n, PAYLOAD_TYPE_SIGSTORE, e);
}

/* True if the signature satisfies the rule; otherwise the reason is noted. */
static bool
satisfies(struct verifier *v, size_t rule, const struct msg_verify_image *m,
    const struct rec_signature *file, struct reasons *why)
{
	const struct rec_verify_rule *r = &v->setup.rules.v[rule];
	bool simple = strcmp(r->type, "signedBy") == 0;
	own_arena struct arena a = {0};
	struct signature s = {0};
	struct err e = {0};

	if (payload_signature(file, &s, &a, &e) == 0) {
		if ((simple ? s.simple.p : s.payload.p) == NULL) {
			why->others++;
			return false;
		}
		if ((simple ? check_simple(v, rule, m, &s, &e) : check_sigstore(r, m, &s, &e)) == 0)
			return true;
	}
	strv_add(&why->list, e.text);
	return false;
}

/* --- One image -------------------------------------------------------------------------------- */

static int
refuse(const struct rec_verify_rule *rule, const struct reasons *why, struct err *e)
{
	own_strbuf struct strbuf all = {0};

	if (why->list.n == 0 && why->others > 0 && strcmp(rule->type, "sigstoreSigned") == 0)
		return err_set(e, ERR_DENIED,
		    "A signature was required, but no sigstore signature exists (%zu other)",
		    why->others);
	if (why->list.n == 0)
		return err_set(e, ERR_DENIED, "A signature was required, but no signature exists");
	if (why->list.n == 1)
		return err_set(e, ERR_DENIED, "%s", why->list.v[0]);
	for (size_t i = 0; i < why->list.n; i++)
		strbuf_addf(&all, "%s%s", i > 0 ? "; " : "", why->list.v[i]);
	return err_set(e, ERR_DENIED, "None of the signatures were accepted, reasons: %s", all.s);
}

static int
check_rule(struct verifier *v, size_t rule, const struct msg_verify_image *m, struct err *e)
{
	struct reasons why = {0};
	bool good = false;

	for (size_t i = 0; !good && i < m->signatures.n; i++)
		good = satisfies(v, rule, m, &m->signatures.v[i], &why);
	if (!good)
		refuse(&v->setup.rules.v[rule], &why, e);
	strv_free(&why.list);
	return good ? 0 : -1;
}

static int
on_image(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_verify_image *m = MSG_OF(in, verify_image);
	struct verifier *v = arg;

	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	for (size_t i = 0; i < v->setup.rules.n; i++) {
		if (check_rule(v, i, m, e) < 0)
			return err_wrap(e, "Source image rejected");
	}
	return peer_send_ok(p, in->seq, e);
}

static int
on_keys(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_verify_keys *m = MSG_OF(in, verify_keys);
	struct rec_verify_key key = {.data = m->data};
	own_strv struct strv ids = {0};
	struct msg_verify_keys_r out = {0};
	struct gpg *g = gpg_new(&key, 1, e);
	int r;

	(void)arg;
	if (g == NULL)
		return -1;
	r = gpg_owners(g, &ids, e);
	gpg_free(g);
	out.ids = (struct strs){(const char **)ids.v, ids.n < 1024 ? ids.n : 1024};
	return r < 0 ? -1 : peer_send(p, &msg_verify_keys_r_desc, in->seq, &out, e);
}

static const struct peer_handler handlers[] = {
    {&msg_verify_setup_desc, PHASE_SETUP, PEER_ONCE, on_setup},
    {&msg_verify_image_desc, PHASE_WORK, 0, on_image},
    {&msg_verify_keys_desc, PHASE_SETUP | PHASE_WORK, 0, on_keys},
};

/* What a hostile signature may cost, in this process and in each gpg. */
static void
set_bounds(void)
{
	struct rlimit cpu = {SECONDS_MAX, SECONDS_MAX}, memory = {MEMORY_MAX, MEMORY_MAX};

	setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &memory);
#endif
	(void)memory;
}

int
main(int argc, char **argv)
{
	struct verifier v = {.phase = PHASE_SETUP};
	const struct worker_face face = {.role = ROLE_VERIFY,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .phase = &v.phase,
	    .arg = &v,
	    .prepare = set_bounds};

	return worker_main(&face, argc, argv);
}
