/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/policy_conf.h"
#include "common/oci/digest.h"
#include "common/role/spawn.h"
#include "pod-image/attached.h"
#include "pod-image/certs.h"
#include "common/conf/lookaside.h"
#include "pod-image/trust.h"

#define SIGNATURES_MAX 128
#define SIGNATURE_MAX ((uint64_t)1 << 20)
#define DOCUMENT_MAX ((uint64_t)4 << 20)

void
trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->nplaces; i++) {
		peer_free(t->places[i].files);
		peer_free(t->places[i].fetch);
		free(t->places[i].prefix);
		reference_free(&t->places[i].ref);
	}
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

/* A reader of the directory where the repository's signatures lie; none if it does not exist. */
static int
start_files(struct trust_place *p, const char *dir, struct err *e)
{
	own_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), theirs = -1;
	struct spawn s = {.role = ROLE_LAYOUT, .nfds = ROLE_VIEW_FD_NUMBER + 1};
	int pair[2];

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "opening %s", dir);
	if (peer_pair(pair, e) < 0)
		return -1;
	p->files = peer_new(pair[0], ROLE_IMAGE, ROLE_LAYOUT);
	theirs = pair[1];
	s.fds[PEER_FD] = theirs;
	s.fds[ROLE_VIEW_FD_NUMBER] = fd;
	return spawn_start(&s, e) < 0 ? -1 : 0;
}

static int
start_fetch(struct trust_place *p, const char *url, struct err *e)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/"), path = strlen(host + n);
	own_mem char *registry = xstrndup(host, n);
	own_certs struct certs certs = {0};
	struct msg_fetch_setup m = {
	    .registry = registry, .tls = text_has_prefix(url, "http://") ? "plain" : "verify"};

	while (path > 0 && host[n + path - 1] == '/')
		path--;
	p->prefix = xstrndup(host + n, path);
	if (certs_load(&certs, NULL, registry, e) < 0)
		return -1;
	m.ca = (struct bytes){(const uint8_t *)certs.ca.s, certs.ca.n};
	p->fetch = spawn_peer(ROLE_IMAGE, ROLE_FETCH, NULL, e);
	if (p->fetch == NULL)
		return -1;
	p->fetch_setup = peer_next_seq(p->fetch);
	return peer_send(p->fetch, &msg_fetch_setup_desc, p->fetch_setup, &m, e);
}

int
trust_add_place(struct trust *t, const struct reference *physical, struct err *e)
{
	own_lookaside struct lookaside l = {0};
	struct trust_place *p = &t->places[t->nplaces];
	own_mem char *name = NULL;

	if (t->verify == NULL)
		return 0;
	if (t->nplaces == TRUST_PLACES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d registries", TRUST_PLACES_MAX);
	name = reference_string(physical);
	if (reference_parse(name, &p->ref, e) < 0)
		return -1;
	t->nplaces++;
	if (lookaside_find(physical, &l, e) < 0)
		return -1;
	p->attachments = l.attachments;
	if (lookaside_dir(l.read) != NULL)
		return start_files(p, lookaside_dir(l.read), e);
	return start_fetch(p, l.read, e);
}

size_t
trust_fds(const struct trust *t, int *fds, size_t max)
{
	size_t n = 0;

	if (t->verify != NULL && n < max)
		fds[n++] = peer_fd(t->verify);
	for (size_t i = 0; i < t->nplaces; i++) {
		if (t->places[i].files != NULL && n < max)
			fds[n++] = peer_fd(t->places[i].files);
		if (t->places[i].fetch != NULL && n < max)
			fds[n++] = peer_fd(t->places[i].fetch);
	}
	return n;
}

/* --- Collecting signatures -------------------------------------------------------------------- */

struct bag {
	struct arena arena;
	struct rec_verify_signature *v;
	size_t n;
};

static void
bag_free(struct bag *b)
{
	arena_free(&b->arena);
}

static struct bytes
keep(struct bag *b, const struct bytes *data)
{
	uint8_t *copy = arena_alloc(&b->arena, data->n + 1);

	memcpy(copy, data->p, data->n);
	return (struct bytes){copy, data->n};
}

static struct rec_verify_signature *
bag_add(struct bag *b)
{
	if (b->v == NULL)
		b->v = arena_array(&b->arena, SIGNATURES_MAX, sizeof(*b->v));
	return &b->v[b->n++];
}

/* 1: it is there; 0: it is not, which ends the row. */
static int
read_file(struct bag *b, struct peer *worker, const char *name, struct err *e)
{
	struct msg_archive_read m = {.name = name, .max = SIGNATURE_MAX};
	own_peer_in struct peer_in in = {0};

	if (peer_call(worker, &msg_archive_read_desc, &m, &in, NULL, NULL, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return err_wrap(e, "reading signature %s", name);
		err_clear(e);
		return 0;
	}
	bag_add(b)->file = keep(b, &MSG_OF(&in, archive_read_r)->data);
	return 1;
}

static int
fetch_file(struct bag *b, struct peer *worker, const char *path, struct err *e)
{
	struct msg_fetch_file m = {.path = path, .max = SIGNATURE_MAX};
	own_peer_in struct peer_in in = {0};

	if (peer_call(worker, &msg_fetch_file_desc, &m, &in, NULL, NULL, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return err_wrap(e, "reading signature %s", path);
		err_clear(e);
		return 0;
	}
	bag_add(b)->file = keep(b, &MSG_OF(&in, fetch_document_r)->data);
	return 1;
}

static int
answer_setup(struct peer *p, uint32_t *seq, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	uint32_t waited = *seq;

	*seq = 0;
	if (waited == 0)
		return 0;
	return peer_wait(p,
	    peer_role(p) == ROLE_VERIFY ? &msg_verify_setup_desc : &msg_fetch_setup_desc, waited,
	    &in, NULL, NULL, e);
}

static int
read_lookaside(struct bag *b, struct trust_place *p, const char *digest, struct err *e)
{
	int r = p->files != NULL || p->fetch != NULL;

	if (p->fetch != NULL && answer_setup(p->fetch, &p->fetch_setup, e) < 0)
		return -1;
	for (unsigned i = 1; r == 1 && b->n < SIGNATURES_MAX; i++) {
		own_mem char *name = lookaside_name(&p->ref, digest, i), *path = NULL;

		if (p->files != NULL) {
			r = read_file(b, p->files, name, e);
		} else {
			path = xasprintf("%s/%s", p->prefix, name);
			r = fetch_file(b, p->fetch, path, e);
		}
	}
	return r;
}

static int
fetch_document(struct peer *fetch, const char *kind, const char *repository, const char *reference,
    uint64_t max, struct peer_in *in, struct err *e)
{
	struct msg_fetch_document m = {
	    .kind = kind, .repository = repository, .reference = reference, .max = max};

	return peer_call(fetch, &msg_fetch_document_desc, &m, in, NULL, NULL, e);
}

static int
fetch_attached_layer(struct bag *b, const struct attached_layer *layer, struct peer *fetch,
    const char *repository, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct rec_verify_signature *s;
	const struct bytes *data;
	char got[DIGEST_TEXT];

	if (fetch_document(fetch, "blob", repository, layer->digest,
		layer->size > 0 ? layer->size : 1, &in, e) < 0)
		return err_wrap(e, "reading attached signature %s", layer->digest);
	data = &MSG_OF(&in, fetch_document_r)->data;
	digest_of(data->p, data->n, got);
	if (strcmp(got, layer->digest) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", layer->digest, got);
	s = bag_add(b);
	s->payload = keep(b, data);
	s->signature = layer->signature.signature != NULL
			   ? arena_strdup(&b->arena, layer->signature.signature)
			   : NULL;
	s->certificate = layer->signature.certificate != NULL
			     ? arena_strdup(&b->arena, layer->signature.certificate)
			     : NULL;
	s->chain =
	    layer->signature.chain != NULL ? arena_strdup(&b->arena, layer->signature.chain) : NULL;
	s->set =
	    layer->signature.set != NULL ? arena_strdup(&b->arena, layer->signature.set) : NULL;
	return 0;
}

static int
read_attached(
    struct bag *b, struct peer *fetch, const char *repository, const char *digest, struct err *e)
{
	own_mem char *tag = attached_tag(digest);
	own_peer_in struct peer_in in = {0};
	own_attached struct attached a = {0};
	const struct bytes *data;

	if (fetch_document(fetch, "manifest", repository, tag, DOCUMENT_MAX, &in, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return err_wrap(e, "reading attached signatures %s", tag);
		err_clear(e);
		return 0;
	}
	data = &MSG_OF(&in, fetch_document_r)->data;
	if (attached_parse((const char *)data->p, data->n, &a, e) < 0)
		return err_wrap(e, "parsing attached signatures %s", tag);
	for (size_t i = 0; i < a.n && b->n < SIGNATURES_MAX; i++) {
		if (fetch_attached_layer(b, &a.layers[i], fetch, repository, e) < 0)
			return -1;
	}
	return 0;
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

static int
ask(struct trust *t, const struct bag *b, const char *digest, struct err *e)
{
	struct msg_verify_image m = {.reference = t->reference, .digest = digest};
	own_peer_in struct peer_in in = {0};

	m.signatures.v = b->v;
	m.signatures.n = b->n;
	if (answer_setup(t->verify, &t->verify_setup, e) < 0)
		return -1;
	return peer_call(t->verify, &msg_verify_image_desc, &m, &in, NULL, NULL, e);
}

int
trust_check(struct trust *t, size_t place, struct peer *fetch, const char *repository,
    const char *digest, struct err *e)
{
	own(bag_free) struct bag b = {0};
	struct trust_place *p = &t->places[place];

	if (trust_refused(t, e) < 0)
		return -1;
	if (t->verify == NULL)
		return 0;
	if (place >= t->nplaces)
		return err_set(e, ERR_INTERNAL, "no place for signatures was prepared");
	if (read_lookaside(&b, p, digest, e) < 0 ||
	    (p->attachments && read_attached(&b, fetch, repository, digest, e) < 0))
		return -1;
	return ask(t, &b, digest, e);
}

int
trust_check_files(struct trust *t, struct peer *worker, const char *digest, struct err *e)
{
	own(bag_free) struct bag b = {0};
	int r = worker != NULL;

	if (trust_refused(t, e) < 0)
		return -1;
	if (t->verify == NULL)
		return 0;
	for (unsigned i = 1; r == 1 && b.n < SIGNATURES_MAX; i++) {
		own_mem char *name = xasprintf("signature-%u", i);

		r = read_file(&b, worker, name, e);
	}
	return r < 0 ? -1 : ask(t, &b, digest, e);
}
