/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/policy_conf.h"
#include "common/oci/auth.h"
#include "pod-image/certs.h"
#include "pod-image/fetcher.h"
#include "pod-image/plan.h"

static const struct rec_registry_access no_access;

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->nsources; i++) {
		struct plan_source *s = &p->sources[i];

		for (size_t k = 0; k < s->nendpoints; k++)
			reference_free(&s->endpoints[k].ref);
		free(s->endpoints);
		reference_free(&s->ref);
		free(s->name);
		trust_free(&s->trust);
	}
	free(p->sources);
	policy_close(p->policy);
	strv_free(&p->helpers);
	peer_free(p->ready);
	for (size_t i = 0; i < p->nworkers; i++) {
		free(p->workers[i].registry);
		free(p->workers[i].repository);
		peer_free(p->workers[i].peer);
	}
	free(p->notice);
	free((char *)(uintptr_t)p->alias.key);
	free((char *)(uintptr_t)p->alias.value);
	memset(p, 0, sizeof(*p));
}

void
plan_fds(const struct plan *p, struct keep *k)
{
	keep_peer(k, p->ready);
	for (size_t i = 0; i < p->nworkers; i++)
		keep_peer(k, p->workers[i].peer);
	for (size_t i = 0; i < p->nsources; i++)
		trust_fds(&p->sources[i].trust, k);
}

/* --- Workers ---------------------------------------------------------------------------------- */

static int
find_credential(const struct plan *p, const struct plan_worker *w,
    const struct rec_registry_access *access, bool named, struct auth *out, struct err *e)
{
	own_mem char *key = w->repository != NULL ? xasprintf("%s/%s", w->registry, w->repository)
						  : xstrdup(w->registry);

	if (access->anonymous)
		return access->creds == NULL
			   ? 0
			   : err_set(e, ERR_USAGE,
				 "creds and no-creds cannot be specified at the same time");
	/* Credentials from the command line are meant for the registry that was named, for no mirror of another host. */
	if (access->creds != NULL && named)
		return auth_from_creds(access->creds, out, e);
	return auth_find(&p->helpers, access->auth_file, key, out, e) < 0 ? -1 : 0;
}

void
plan_take_worker(struct plan *p, int fd)
{
	p->ready = peer_new(fd, ROLE_IMAGE, ROLE_FETCH);
}

static int
start_worker(struct plan *p, struct plan_worker *w, const struct rec_registry_access *access,
    const struct auth *auth, struct err *e)
{
	own_certs struct certs certs = {0};
	struct rec_client_pair pairs[CERTS_PAIRS_MAX];
	struct msg_fetch_setup m = {.registry = w->registry,
	    .tls = w->insecure ? "insecure" : "verify",
	    .username = auth->username,
	    .password = auth->password,
	    .identity_token = auth->identity_token,
	    .retries = access->retries,
	    .retry_delay_ms = access->retry_delay_ms};

	if (certs_load(&certs, access->cert_dir, w->registry, e) < 0)
		return -1;
	m.ca = (struct bytes){(const uint8_t *)certs.ca.s, certs.ca.n};
	for (size_t i = 0; i < certs.npairs; i++) {
		const struct certs_pair *c = &certs.pairs[i];

		pairs[i].cert = (struct bytes){(const uint8_t *)c->cert.s, c->cert.n};
		pairs[i].key = (struct bytes){(const uint8_t *)c->key.s, c->key.n};
	}
	m.clients.v = pairs;
	m.clients.n = certs.npairs;
	w->peer = fetcher_start(&p->ready, &m, &w->setup_seq, e);
	return w->peer != NULL ? 0 : -1;
}

static bool
wants_insecure(const struct rec_registry_access *access, bool configured)
{
	if (access->tls_verify == NULL)
		return configured;
	return strcmp(access->tls_verify, "false") == 0;
}

/* The number of the worker for this registry and repository; one is started if there is none.  named: by the caller. */
static int
need_worker(struct plan *p, const struct reference *r, bool insecure, bool named,
    const struct rec_registry_access *access, size_t *out, struct err *e)
{
	own_auth struct auth auth = {0};
	struct plan_worker *w;

	for (size_t i = 0; i < p->nworkers; i++) {
		if (strcmp(p->workers[i].registry, r->domain) == 0 &&
		    strcmp(p->workers[i].repository, r->path) == 0 &&
		    p->workers[i].insecure == insecure) {
			*out = i;
			return 0;
		}
	}
	if (p->nworkers == PLAN_WORKERS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d registries to ask", PLAN_WORKERS_MAX);
	w = &p->workers[p->nworkers];
	*w = (struct plan_worker){
	    .registry = xstrdup(r->domain), .repository = xstrdup(r->path), .insecure = insecure};
	*out = p->nworkers++;
	if (find_credential(p, w, access, named, &auth, e) < 0)
		return -1;
	return start_worker(p, w, access, &auth, e);
}

struct peer *
plan_worker_peer(struct plan *p, size_t worker, struct err *e)
{
	struct plan_worker *w = &p->workers[worker];
	own_peer_in struct peer_in in = {0};

	if (w->setup_seq != 0 &&
	    peer_wait(w->peer, &msg_fetch_setup_desc, w->setup_seq, &in, NULL, NULL, e) < 0)
		return NULL;
	w->setup_seq = 0;
	return w->peer;
}

#define FAILURES_MAX 512 /* bytes of what mirrors said */

void
plan_failed(const struct plan_source *s, size_t endpoint, struct strbuf *said, struct err *e)
{
	own_mem char *name = reference_string(&s->endpoints[endpoint].ref);

	if (endpoint + 1 < s->nendpoints) {
		if (said->n < FAILURES_MAX)
			strbuf_addf(said, "%s[%s: %s]", said->n > 0 ? " " : "", name, e->text);
	} else if (said->n > 0) {
		err_wrap(e, "(Mirrors also failed: %.*s): %s", FAILURES_MAX, said->s, name);
	}
}

int
plan_login(struct plan *p, const char *registry, const char *username, const char *password,
    const struct rec_registry_access *access, struct err *e)
{
	own_mem char *key = auth_key(registry, e), *probe = NULL;
	own_registries_conf struct registries_conf conf = {0};
	own_reference struct reference r = {0};
	const struct registries_entry *entry;
	struct auth auth = {
	    .username = (char *)(uintptr_t)username, .password = (char *)(uintptr_t)password};
	struct plan_worker *w = &p->workers[0];

	if (access == NULL)
		access = &no_access;
	if (key == NULL || registries_conf_load(&conf, access->registries_conf, e) < 0)
		return -1;
	probe = xasprintf("%.*s/probe", (int)strcspn(key, "/"), key);
	if (reference_parse(probe, &r, e) < 0)
		return -1;
	if (r.domain == NULL) /* a host without a dot, as in a local network */
		r.domain = xstrndup(key, strcspn(key, "/"));
	entry = registries_conf_find_name(&conf, r.domain);
	*w = (struct plan_worker){.registry = xstrdup(r.domain),
	    .insecure = wants_insecure(access, entry != NULL && entry->primary.insecure)};
	p->nworkers = 1;
	return start_worker(p, w, access, &auth, e);
}

/* --- Searching -------------------------------------------------------------------------------- */

static int
add_registry(struct plan *p, const struct registries_conf *conf, const char *name,
    const struct rec_registry_access *access, struct err *e)
{
	own_mem char *probe = xasprintf("%s/probe", name);
	own_reference struct reference r = {0};
	own_auth struct auth auth = {0};
	const struct registries_entry *entry;
	struct plan_worker *w = &p->workers[p->nworkers];

	if (p->nworkers == PLAN_WORKERS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d registries to ask", PLAN_WORKERS_MAX);
	if (reference_parse(probe, &r, e) < 0)
		return -1;
	if (r.domain == NULL)
		return err_set(e, ERR_INVALID, "%s is no registry", name);
	entry = registries_conf_find_name(conf, strchr(name, '/') != NULL ? name : r.domain);
	if (entry != NULL && entry->blocked)
		return err_set(
		    e, ERR_DENIED, "registry %s is blocked in %s", entry->prefix, conf->file);
	/* Docker's hub answers searches elsewhere. */
	*w = (struct plan_worker){
	    .registry = xstrdup(strcmp(r.domain, "docker.io") == 0 ? "index.docker.io" : r.domain),
	    .insecure = wants_insecure(access, entry != NULL && entry->primary.insecure)};
	p->nworkers++;
	if (access->creds != NULL
		? auth_from_creds(access->creds, &auth, e) < 0
		: auth_find(&p->helpers, access->auth_file, r.domain, &auth, e) < 0)
		return -1;
	return start_worker(p, w, access, &auth, e);
}

int
plan_search(struct plan *p, const char *text, const struct rec_registry_access *access,
    const char **term, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	size_t n = strcspn(text, "/");
	own_mem char *first = xstrndup(text, n);

	if (access == NULL)
		access = &no_access;
	if (registries_conf_load(&conf, access->registries_conf, e) < 0)
		return -1;
	strv_add_all(&p->helpers, (const char *const *)conf.cred_helpers.v, conf.cred_helpers.n);
	if (text[n] == '/' && (strpbrk(first, ".:") != NULL || strcmp(first, "localhost") == 0)) {
		*term = text + n + 1;
		return add_registry(p, &conf, first, access, e);
	}
	*term = text;
	for (size_t i = 0; i < conf.search.n; i++) {
		if (add_registry(p, &conf, conf.search.v[i], access, e) < 0)
			return -1;
	}
	return 0;
}

/* --- Names ------------------------------------------------------------------------------------ */

static int
add_endpoint(struct plan *p, struct plan_source *s, const struct registries_entry *entry,
    const struct registries_endpoint *at, const struct rec_registry_access *access, struct err *e)
{
	struct plan_endpoint *out = &s->endpoints[s->nendpoints];

	if (entry != NULL && at != NULL) {
		if (registries_conf_rewrite(entry, at, &s->ref, &out->ref, e) < 0)
			return -1;
	} else if (reference_parse(s->name, &out->ref, e) < 0) {
		return -1;
	}
	s->nendpoints++;
	if (trust_add_place(&s->trust, &out->ref, e) < 0)
		return -1;
	return need_worker(p, &out->ref, wants_insecure(access, at != NULL && at->insecure),
	    strcmp(out->ref.domain, s->ref.domain) == 0, access, &out->worker, e);
}

static bool
mirror_counts(const struct registries_entry *entry, const struct registries_endpoint *m,
    const struct reference *r)
{
	if (r->digest == NULL &&
	    (entry->mirror_by_digest_only || m->use == REGISTRIES_MIRROR_DIGEST))
		return false;
	return r->digest == NULL || m->use != REGISTRIES_MIRROR_TAG;
}

static int
add_source(struct plan *p, const struct registries_conf *conf, const char *name,
    const struct rec_registry_access *access, struct err *e)
{
	struct plan_source *s = &p->sources[p->nsources];
	const struct registries_entry *entry;

	if (reference_parse(name, &s->ref, e) < 0)
		return -1;
	p->nsources++;
	s->name = xstrdup(name);
	entry = registries_conf_find(conf, &s->ref);
	if (entry != NULL && entry->blocked)
		return err_set(
		    e, ERR_DENIED, "registry %s is blocked in %s", entry->prefix, conf->file);
	if (trust_prepare(&s->trust, p->policy, &s->ref, e) < 0)
		return -1;
	s->endpoints = xcalloc(1 + (entry != NULL ? entry->nmirrors : 0), sizeof(*s->endpoints));
	for (size_t i = 0; entry != NULL && i < entry->nmirrors; i++) {
		const struct registries_endpoint *m = &entry->mirrors[i];

		if (mirror_counts(entry, m, &s->ref) && add_endpoint(p, s, entry, m, access, e) < 0)
			return -1;
	}
	return add_endpoint(p, s, entry, entry != NULL ? &entry->primary : NULL, access, e);
}

/* Asks the person at the terminal which of the names is meant; the others go. */
static int
ask_name(struct plan *p, const char *path, struct strv *names, struct err *e)
{
	own_mem char *line = NULL;
	own_reference struct reference r = {0};
	size_t size = 0;
	uint64_t number;

	fprintf(stderr, "? Please select an image:\n");
	for (size_t i = 0; i < names->n; i++)
		fprintf(stderr, "  %zu) %s\n", i + 1, names->v[i]);
	fprintf(stderr, "Number [1]: ");
	if (getline(&line, &size, stdin) == -1)
		return err_set(e, ERR_CANCELLED, "short-name resolution: no image was selected");
	line[strcspn(line, "\r\n")] = '\0';
	if (text_to_u64(*line != '\0' ? line : "1", names->n, &number) < 0 || number == 0)
		return err_set(e, ERR_USAGE, "short-name resolution: there is no image %s", line);
	for (size_t i = names->n; i > 0; i--) {
		if (i != number)
			strv_remove(names, i - 1);
	}
	if (reference_parse(names->v[0], &r, e) < 0)
		return -1;
	p->alias.key = xstrdup(path);
	p->alias.value = reference_repository(&r);
	return 0;
}

static bool
can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int
short_name_fault(const struct registries_conf *conf, const char *text, struct err *e)
{
	if (conf->search.n == 0)
		return err_set(e, ERR_INVALID,
		    "short-name \"%s\" did not resolve to an alias and no unqualified-search "
		    "registries are defined in \"%s\"",
		    text, conf->file);
	if (conf->mode == REGISTRIES_ENFORCING && conf->search.n > 1 && !can_ask())
		return err_set(e, ERR_INVALID,
		    "short-name resolution enforced but cannot prompt without a TTY");
	return 0;
}

/* The full names that a short one may mean when it is pulled; here localhost/ is none of them. */
static int
list_names(struct plan *p, const struct registries_conf *conf, const char *text, bool normal,
    struct strv *out, struct err *e)
{
	own_reference struct reference r = {0};
	const char *file = NULL;

	if ((normal ? reference_parse_normal : reference_parse)(text, &r, e) < 0)
		return -1;
	if (r.domain != NULL) {
		reference_complete(&r);
		strv_take(out, reference_string(&r));
		return 0;
	}
	if (registries_conf_candidates(conf, text, out, e) < 0)
		return -1;
	free(out->v[0]); /* localhost/NAME */
	memmove(out->v, out->v + 1, out->n-- * sizeof(*out->v));
	if (registries_conf_alias(conf, r.path, &file) != NULL) {
		p->notice = xasprintf("Resolved \"%s\" as an alias (%s)", r.path, file);
		return 0;
	}
	p->notice = xasprintf(
	    "Resolving \"%s\" using unqualified-search registries (%s)", r.path, conf->file);
	if (short_name_fault(conf, text, e) < 0)
		return -1;
	if (conf->mode != REGISTRIES_DISABLED && out->n > 1 && can_ask())
		return ask_name(p, r.path, out, e);
	return 0;
}

static int
add_sources(struct plan *p, const struct registries_conf *conf, const struct strv *names,
    const struct rec_registry_access *access, struct err *e)
{
	if ((p->policy = policy_open(access->policy_file, e)) == NULL)
		return -1;
	strv_add_all(&p->helpers, (const char *const *)conf->cred_helpers.v, conf->cred_helpers.n);
	p->sources = xcalloc(names->n, sizeof(*p->sources));
	for (size_t i = 0; i < names->n; i++) {
		if (add_source(p, conf, names->v[i], access, e) < 0)
			return -1;
	}
	return 0;
}

int
plan_pull(struct plan *p, const char *text, bool normal, const struct rec_registry_access *access,
    struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	own_strv struct strv names = {0};

	if (access == NULL)
		access = &no_access;
	return registries_conf_load(&conf, access->registries_conf, e) < 0 ||
		       list_names(p, &conf, text, normal, &names, e) < 0
		   ? -1
		   : add_sources(p, &conf, &names, access, e);
}

int
plan_tags(struct plan *p, const char *text, const struct rec_registry_access *access, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	own_strv struct strv names = {0};

	if (access == NULL)
		access = &no_access;
	if (registries_conf_load(&conf, access->registries_conf, e) < 0)
		return -1;
	for (size_t i = 0; strchr(text, '/') == NULL && i < conf.search.n; i++) {
		own_mem char *name = xasprintf("%s/%s", conf.search.v[i], text);

		if (list_names(p, &conf, name, true, &names, e) < 0)
			return -1;
	}
	if (names.n == 0 && list_names(p, &conf, text, true, &names, e) < 0)
		return -1;
	return add_sources(p, &conf, &names, access, e);
}

int
plan_retag(struct plan *p, struct plan_source *s, const char *tag, struct err *e)
{
	own_policy struct policy policy = {0};
	own_strv struct strv scopes = {0};
	own_mem char *what = NULL;

	free(s->ref.tag);
	s->ref.tag = xstrdup(tag);
	free(s->name);
	s->name = reference_string(&s->ref);
	free(s->trust.reference);
	s->trust.reference = xstrdup(s->name);
	what = xasprintf("docker://%s", s->name);
	policy_conf_scopes_docker(&s->ref, &scopes);
	if (policy_select(p->policy, "docker", &scopes, what, &policy, e) < 0)
		return -1;
	if (err_is_set(&policy.refusal)) {
		*e = policy.refusal;
		return -1;
	}
	if (policy.nrules > 0 && policy.from != s->trust.policy.from)
		return err_set(e, ERR_UNSUPPORTED,
		    "policy.json has rules for single tags of %s, which all tags at once cannot "
		    "meet",
		    s->ref.path);
	return 0;
}

int
plan_push(struct plan *p, const char *text, const struct rec_registry_access *access, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	own_reference struct reference r = {0};
	const struct registries_entry *entry;
	struct plan_source *s;

	if (access == NULL)
		access = &no_access;
	if (registries_conf_load(&conf, access->registries_conf, e) < 0 ||
	    reference_parse_normal(text, &r, e) < 0)
		return -1;
	strv_add_all(&p->helpers, (const char *const *)conf.cred_helpers.v, conf.cred_helpers.n);
	reference_complete(&r);
	p->sources = xcalloc(1, sizeof(*p->sources));
	s = &p->sources[p->nsources++];
	s->name = reference_string(&r);
	if (reference_parse(s->name, &s->ref, e) < 0)
		return -1;
	entry = registries_conf_find(&conf, &s->ref);
	if (entry != NULL && entry->blocked)
		return err_set(
		    e, ERR_DENIED, "registry %s is blocked in %s", entry->prefix, conf.file);
	s->endpoints = xcalloc(1, sizeof(*s->endpoints));
	/* Only what is read may come from another location: an image goes where it was told to go. */
	return add_endpoint(p, s, NULL, entry != NULL ? &entry->primary : NULL, access, e);
}
