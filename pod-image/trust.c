/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/conf/policy_conf.h"
#include "common/role/spawn.h"
#include "pod-image/trust.h"

void
trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->nplaces; i++)
		place_free(&t->places[i]);
	peer_free(t->verify);
	policy_free(&t->policy);
	free(t->reference);
	memset(t, 0, sizeof(*t));
}

/* --- Preparing -------------------------------------------------------------------------------- */

static int
prepare(struct trust *t, const struct policy_file *f, const char *transport,
    const struct strv *scopes, const char *what, struct err *e)
{
	struct msg_verify_setup m = {0};

	if (policy_select(f, transport, scopes, what, &t->policy, e) < 0)
		return -1;
	if (t->policy.nrules == 0 || err_is_set(&t->policy.refusal))
		return 0;
	m.rules.v = t->policy.rules;
	m.rules.n = t->policy.nrules;
	t->verify = spawn_peer(ROLE_IMAGE, ROLE_VERIFY, NULL, e);
	if (t->verify == NULL)
		return -1;
	t->verify_setup = peer_next_seq(t->verify);
	return peer_send(t->verify, &msg_verify_setup_desc, t->verify_setup, &m, e);
}

int
trust_prepare(
    struct trust *t, const struct policy_file *f, const struct reference *r, struct err *e)
{
	own_strv struct strv scopes = {0};
	own_mem char *what = NULL;

	t->reference = reference_string(r);
	what = xasprintf("docker://%s", t->reference);
	policy_conf_scopes_docker(r, &scopes);
	return prepare(t, f, "docker", &scopes, what, e);
}

int
trust_prepare_path(struct trust *t, const struct policy_file *f, const char *transport,
    const char *path, const char *image, struct err *e)
{
	own_strv struct strv scopes = {0};
	own_mem char *what = xasprintf("%s:%s", transport, path != NULL ? path : "");

	/* Archives of docker have no scopes: their names mean nothing. */
	if (path != NULL && path[0] == '/' && strcmp(transport, "docker-archive") != 0)
		policy_conf_scopes_path(path, image, &scopes);
	return prepare(t, f, transport, &scopes, what, e);
}

/* The scopes of containers-policy.json(5), "containers-storage:". */
int
trust_prepare_graph(struct trust *t, const struct policy_file *f, const char *driver,
    const char *root, const char *image, struct err *e)
{
	own_mem char *what = xasprintf("containers-storage:[%s@%s]%s", driver, root, image);
	own_strv struct strv scopes = {0}, names = {0};
	own_reference struct reference r = {0};
	struct err ignored = {0};

	if (reference_parse_normal(image, &r, &ignored) == 0) {
		reference_complete(&r);
		policy_conf_scopes_docker(&r, &names);
	}
	for (size_t i = 0; i < names.n && names.v[i][0] != '*'; i++)
		strv_addf(&scopes, "[%s@%s]%s", driver, root, names.v[i]);
	strv_addf(&scopes, "[%s@%s]", driver, root);
	strv_addf(&scopes, "[%s]", root);
	return prepare(t, f, "containers-storage", &scopes, what, e);
}

int
trust_prepare_daemon(
    struct trust *t, const struct policy_file *f, const struct reference *r, struct err *e)
{
	own_strv struct strv scopes = {0};
	own_mem char *name = r->path != NULL ? reference_string(r) : xstrdup("");
	own_mem char *what = xasprintf("docker-daemon:%s", name);

	if (r->path != NULL)
		policy_conf_scopes_docker(r, &scopes);
	return prepare(t, f, "docker-daemon", &scopes, what, e);
}

int
trust_add_place(struct trust *t, const struct reference *physical, struct err *e)
{
	if (t->nplaces == TRUST_PLACES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d registries", TRUST_PLACES_MAX);
	return place_prepare(&t->places[t->nplaces++], physical, e);
}

void
trust_fds(const struct trust *t, struct keep *k)
{
	keep_peer(k, t->verify);
	for (size_t i = 0; i < t->nplaces; i++)
		place_fds(&t->places[i], k);
}

/* --- Applying --------------------------------------------------------------------------------- */

int
trust_refused(const struct trust *t, struct err *e)
{
	if (!err_is_set(&t->policy.refusal))
		return 0;
	*e = t->policy.refusal;
	return -1;
}

int
trust_signatures(struct trust *t, size_t place, struct peer *fetch, const char *repository,
    const char *digest, struct signatures *out, struct err *e)
{
	if (place >= t->nplaces)
		return err_set(e, ERR_INTERNAL, "no place for signatures was prepared");
	return place_read(&t->places[place], fetch, repository, digest, out, e);
}

int
trust_check(struct trust *t, const char *digest, const struct signatures *s, struct err *e)
{
	struct msg_verify_image m = {.reference = t->reference, .digest = digest};
	own_peer_in struct peer_in in = {0};

	if (trust_refused(t, e) < 0)
		return -1;
	if (t->verify == NULL)
		return 0;
	m.signatures.v = s->v;
	m.signatures.n = s->n;
	if (peer_settle(t->verify, &msg_verify_setup_desc, &t->verify_setup, e) < 0)
		return -1;
	return peer_call(t->verify, &msg_verify_image_desc, &m, &in, NULL, NULL, e);
}
