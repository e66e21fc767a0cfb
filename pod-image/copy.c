/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/stream.h"
#include "common/oci/digest.h"
#include "pod-image/copy.h"

#define PARALLEL_MAX CRYPT_SLOTS
#define CAUSE_WAIT_MS 3000
#define OPEN_WAIT_MS 20000 /* the rest of the layer must arrive before its HMAC is known */

enum party { GET, OPEN, PUT, PARTIES }; /* from, through the cipher, into the store */

struct flight { /* a layer on its way */
	size_t layer;
	bool active, sealed;
	bool done[PARTIES];
	uint32_t seq[PARTIES];
	struct partial partial; /* it comes in parts, if desc is set */
};

struct job {
	struct copy *c;
	const struct copy_from *from;
	uint64_t stage;
	size_t next;
	size_t parallel; /* layers at once */
	bool sources;	 /* the store has layers that others may be put together of */
	struct wrapped_options **options; /* of layers that are encrypted, else NULL */
	char *manifest;			  /* of the image with plain layers, or NULL */
	struct flight flights[PARALLEL_MAX];
};

/* As many as there are processors to unpack them, but two even on one: one of them waits for the network. */
static size_t
parallel_layers(size_t wanted)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted > 0)
		return wanted > PARALLEL_MAX ? PARALLEL_MAX : wanted;
	return n < 2 ? 2 : n > PARALLEL_MAX ? PARALLEL_MAX : (size_t)n;
}

static const char *
layer_name(const struct copy *c, size_t i)
{
	if (c->descs != NULL && c->descs[i].encrypted != NULL)
		return c->descs[i].digest;
	if (c->layers[i].digest != NULL)
		return c->layers[i].digest;
	return c->labels != NULL ? c->labels[i] : c->layers[i].diff_id;
}

static bool
any_suits(const struct job *j)
{
	for (size_t i = 0; j->c->descs != NULL && j->from->ask_parts != NULL && i < j->c->nlayers;
	     i++)
		if (partial_suits(&j->c->descs[i]))
			return true;
	return false;
}

/* Opens a staging area and asks what is there already; both at once. */
static int
begin_stage(struct job *j, size_t *present, struct err *e)
{
	own_peer_in struct peer_in stage = {0}, layers = {0};
	struct peer *store = j->c->store;
	struct msg_stage_begin begin = {0};
	struct msg_layer_query query = {.diff_ids = j->c->config.diff_ids, .sources = any_suits(j)};
	uint32_t a = peer_next_seq(store), b = peer_next_seq(store);
	bool ask = query.diff_ids.n > 0; /* not if they are not known yet */

	*present = 0;
	if (peer_send(store, &msg_stage_begin_desc, a, &begin, e) < 0 ||
	    (ask && peer_send(store, &msg_layer_query_desc, b, &query, e) < 0) ||
	    peer_wait(store, &msg_stage_begin_desc, a, &stage, NULL, NULL, e) < 0)
		return -1;
	j->stage = MSG_OF(&stage, stage_begun)->stage;
	if (!ask)
		return 0;
	if (peer_wait(store, &msg_layer_query_desc, b, &layers, NULL, NULL, e) < 0)
		return -1;
	*present = MSG_OF(&layers, layer_query_r)->present;
	j->sources = MSG_OF(&layers, layer_query_r)->sources;
	return *present <= j->c->nlayers ? 0
					 : err_set(e, ERR_PEER, "pod-store counts too many layers");
}

static int
make_pipe(int *read_end, int *write_end, struct err *e)
{
	int ends[2];

	if (stream_pair(ends, e) < 0)
		return -1;
	*read_end = ends[0];
	*write_end = ends[1];
	return 0;
}

/* Puts the worker with the cipher in between: *out becomes what it writes. */
static int
start_opening(struct job *j, struct flight *f, int *out, struct err *e)
{
	own_fd int sealed = fd_take(out), plain = -1;

	if (make_pipe(out, &plain, e) < 0)
		return -1;
	f->sealed = true;
	return crypt_ask(j->c->crypt, CRYPT_OPEN, (size_t)(f - j->flights), j->options[f->layer],
	    j->c->descs[f->layer].digest, sealed, plain, &f->seq[OPEN], e);
}

static int
start_whole(struct job *j, struct flight *f, struct err *e)
{
	struct copy *c = j->c;
	struct rec_layer_ref layer = c->layers[f->layer];
	struct msg_layer_put put = {.stage = j->stage, .layer = &layer};
	own_fd int in = -1, out = -1;

	if (make_pipe(&out, &in, e) < 0)
		return -1;
	*f = (struct flight){.layer = f->layer, .active = true};
	if (j->from->ask(j->from->arg, f->layer, in, &f->seq[GET], e) < 0 ||
	    (j->options[f->layer] != NULL && start_opening(j, f, &out, e) < 0))
		return -1;
	/* Pushing it elsewhere under the same digest takes the blob as it came. */
	if (c->tars && layer.digest != NULL && strcmp(layer.digest, layer.diff_id) != 0) {
		layer.digest = NULL;
		layer.size = 0;
	}
	layer.kept = layer.digest != NULL && strcmp(layer.digest, layer.diff_id) != 0;
	put.stream = out;
	f->seq[PUT] = peer_next_seq(c->store);
	return peer_send(c->store, &msg_layer_put_desc, f->seq[PUT], &put, e);
}

static int
start_layer(struct job *j, struct flight *f, struct err *e)
{
	struct copy *c = j->c;
	const struct manifest_desc *d = c->descs != NULL ? &c->descs[j->next] : NULL;

	*f = (struct flight){.layer = j->next++, .active = true};
	report_text(&c->report, "Copying blob %s", layer_name(c, f->layer));
	if (!j->sources || !partial_suits(d) || j->options[f->layer] != NULL)
		return start_whole(j, f, e);
	f->partial = (struct partial){
	    .desc = d, .ask = j->from->ask_parts, .arg = j->from->arg, .layer = f->layer};
	return partial_start(
	    &f->partial, c->store, j->stage, &c->layers[f->layer], &f->seq[PUT], e);
}

static struct flight *
find_flight(struct job *j, const struct peer *from, uint32_t seq, enum party who)
{
	for (size_t i = 0; i < j->parallel; i++) {
		struct flight *f = &j->flights[i];

		if (!f->active ||
		    (who == OPEN && (!f->sealed || j->c->crypt->coders[CRYPT_OPEN][i] != from)))
			continue;
		if (f->seq[who] == seq || (who == GET && partial_owns(&f->partial, seq)))
			return f;
	}
	return NULL;
}

static int
layer_stored(struct job *j, const struct flight *f, const struct msg_layer_put_r *m, struct err *e)
{
	struct rec_layer_ref *layer = &j->c->layers[f->layer];

	if (layer->diff_id[0] == '\0')
		layer->diff_id = xstrdup(m->diff_id); /* for the life of this process */
	else if (strcmp(m->diff_id, layer->diff_id) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "layer %s has DiffID %s", layer->diff_id, m->diff_id);
	if (layer->digest == NULL) {
		layer->digest = xstrdup(m->digest);
		layer->size = m->size;
	}
	if (layer->size == 0)
		layer->size = m->size;
	report_item(&j->c->report, layer_name(j->c, f->layer), m->size, m->size);
	return 0;
}

static struct peer *
party_peer(const struct job *j, const struct flight *f, enum party who)
{
	return who == GET    ? j->from->peer
	       : who == OPEN ? j->c->crypt->coders[CRYPT_OPEN][f - j->flights]
			     : j->c->store;
}

/* Waits a moment for what that party says; true if it is an error of its own, which is in *e then. */
static bool
explains(struct job *j, const struct flight *f, enum party who, struct err *e)
{
	while (!f->done[who] && (who != OPEN || f->sealed)) {
		own_peer_in struct peer_in in = {0};
		struct err ignored = {0}, cause = {0};

		if (peer_recv(party_peer(j, f, who), &in,
			who == OPEN ? OPEN_WAIT_MS : CAUSE_WAIT_MS, &ignored) != 1)
			return false;
		if (in.seq != f->seq[who] || PEER_IS(&in, progress))
			continue;
		if (!PEER_IS(&in, error))
			return false;
		peer_error(MSG_OF(&in, error), &cause);
		if (cause.class != ERR_CANCELLED)
			*e = cause;
		return cause.class != ERR_CANCELLED;
	}
	return false;
}

/* The error of one side may only follow from that of another, which counts then: the nearest to the source. */
static void
find_cause(struct job *j, const struct flight *f, enum party who, struct err *e)
{
	if (who == GET && e->class != ERR_CANCELLED)
		return;
	if ((who != GET && explains(j, f, GET, e)) || (who != OPEN && explains(j, f, OPEN, e)))
		return;
	if (who != PUT && e->class == ERR_CANCELLED)
		(void)explains(j, f, PUT, e);
}

/* All answers for a layer that comes in parts are there. */
static int
end_partial(struct job *j, struct flight *f, struct err *e)
{
	const struct partial *p = &f->partial;
	uint64_t size = p->desc->size;
	bool failed = p->failed;

	if (!failed && p->fetched < size)
		report_text(&j->c->report, "Copying blob %s: skipped %.1f of %.1f MB (%.2f%%)",
		    layer_name(j->c, f->layer), (double)(size - p->fetched) / 1e6,
		    (double)size / 1e6, 100 * (double)(size - p->fetched) / (double)size);
	partial_free(&f->partial);
	f->active = failed;
	return failed ? start_whole(j, f, e) : 0;
}

/* An answer about a layer that comes in parts; a failure means that it must come whole. */
static int
take_part(struct job *j, struct flight *f, struct peer_in *in, enum party who, struct err *e)
{
	struct partial *p = &f->partial;
	bool ok = !PEER_IS(in, error);

	if (!ok) {
		struct err why = {0};

		peer_error(MSG_OF(in, error), &why);
		log_debug("layer %s cannot be put together of parts: %s",
		    layer_name(j->c, f->layer), why.text);
	}
	if (who == GET) {
		partial_answered(p, in->seq, ok);
	} else {
		f->done[PUT] = true;
		if (!ok)
			partial_fail(p);
		else if (layer_stored(j, f, MSG_OF(in, layer_put_r), e) < 0)
			return -1;
	}
	return f->done[PUT] && partial_is_done(p) ? end_partial(j, f, e) : 0;
}

static const struct wire_desc *
party_request(const struct job *j, enum party who)
{
	return who == GET    ? j->from->request
	       : who == OPEN ? &msg_recrypt_desc
			     : &msg_layer_put_desc;
}

static int
take_message(struct job *j, struct flight *f, struct peer_in *in, enum party who, struct err *e)
{
	if (PEER_IS(in, progress)) {
		struct msg_progress *m = MSG_OF(in, progress);

		report_item(&j->c->report, layer_name(j->c, f->layer), m->done, m->total);
		return 0;
	}
	if (!PEER_IS(in, error) && strcmp(in->desc->name, party_request(j, who)->reply) != 0)
		return err_set(e, ERR_PEER, "unexpected message %s", in->desc->name);
	if (f->partial.desc != NULL)
		return take_part(j, f, in, who, e);
	if (PEER_IS(in, error)) {
		peer_error(MSG_OF(in, error), e);
		find_cause(j, f, who, e);
		return err_wrap(e, "copying blob %s", layer_name(j->c, f->layer));
	}
	if (who == PUT && layer_stored(j, f, MSG_OF(in, layer_put_r), e) < 0)
		return -1;
	f->done[who] = true;
	f->active = !(f->done[PUT] && f->done[GET] && (f->done[OPEN] || !f->sealed));
	return 0;
}

static int
read_peer(struct job *j, struct peer *p, enum party who, struct err *e)
{
	for (;;) {
		own_peer_in struct peer_in in = {0};
		int r = peer_recv(p, &in, 0, e);
		struct flight *f;

		if (r == PEER_NONE)
			return 0;
		if (r == 0)
			return err_set(
			    e, ERR_PEER, "%s went away", role_info(peer_role(p))->program);
		if (r < 0)
			return -1;
		f = find_flight(j, p, in.seq, who);
		if (f != NULL && take_message(j, f, &in, who, e) < 0)
			return -1;
	}
}

static int
read_plan(struct job *j, struct flight *f, struct err *e)
{
	if (partial_read(&f->partial, e) < 0)
		return -1;
	return f->done[PUT] && partial_is_done(&f->partial) ? end_partial(j, f, e) : 0;
}

/* Partial plans, and answers about what passes the cipher. */
static int
read_slots(struct job *j, const struct pollfd *plans, const struct pollfd *coders, struct err *e)
{
	for (size_t i = 0; i < PARALLEL_MAX; i++) {
		if (plans[i].revents != 0 && read_plan(j, &j->flights[i], e) < 0)
			return -1;
		if (coders[i].revents != 0 &&
		    read_peer(j, party_peer(j, &j->flights[i], OPEN), OPEN, e) < 0)
			return -1;
	}
	return 0;
}

static int
wait_for_messages(struct job *j, struct err *e)
{
	const struct report *report = &j->c->report;
	struct pollfd fds[3 + 2 * PARALLEL_MAX] = {
	    {.fd = peer_fd(j->c->store), .events = POLLIN},
	    {.fd = peer_fd(j->from->peer), .events = POLLIN},
	    {.fd = report->run != NULL ? peer_fd(report->run) : -1, .events = POLLIN},
	};
	struct pollfd *plans = &fds[3], *coders = &fds[3 + PARALLEL_MAX];

	for (size_t i = 0; i < PARALLEL_MAX; i++) {
		const struct flight *f = &j->flights[i];

		plans[i] = (struct pollfd){
		    .fd = f->active ? partial_fd(&f->partial) : -1, .events = POLLIN};
		coders[i] = (struct pollfd){
		    .fd = f->active && f->sealed ? peer_fd(party_peer(j, f, OPEN)) : -1,
		    .events = POLLIN};
	}
	if (poll(fds, COUNTOF(fds), -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "waiting for messages");
	/* The coordinator sends nothing while we work: it has gone, or wants us to stop. */
	if (fds[2].revents != 0)
		return err_set(e, ERR_CANCELLED, "cancelled");
	if (read_slots(j, plans, coders, e) < 0)
		return -1;
	if (fds[1].revents != 0 && read_peer(j, j->from->peer, GET, e) < 0)
		return -1;
	return fds[0].revents != 0 ? read_peer(j, j->c->store, PUT, e) : 0;
}

static int
copy_layers(struct job *j, struct err *e)
{
	for (;;) {
		size_t active = 0;

		for (size_t i = 0; i < j->parallel; i++) {
			struct flight *f = &j->flights[i];

			if (!f->active && j->next < j->c->nlayers && start_layer(j, f, e) < 0)
				return -1;
			active += f->active;
		}
		if (active == 0)
			return 0;
		if (wait_for_messages(j, e) < 0)
			return -1;
	}
}

static int
commit(struct job *j, char id[65], struct err *e)
{
	struct copy *c = j->c;
	own_peer_in struct peer_in in = {0};
	char digest[DIGEST_TEXT];
	struct msg_image_commit m = {.stage = j->stage,
	    .names = c->names,
	    .repo_digests = c->repo_digests,
	    .manifest = c->manifest_bytes,
	    .media_type = c->manifest_type,
	    .config = c->config_bytes,
	    .parsed = &c->config};

	if (c->signatures != NULL && j->manifest == NULL && c->settle == NULL) {
		m.signatures.v = c->signatures->v;
		m.signatures.n = c->signatures->n;
	}
	m.layers.v = c->layers;
	m.layers.n = c->nlayers;
	if (peer_call(c->store, &msg_image_commit_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	digest_of(c->config_bytes.p, c->config_bytes.n, digest);
	if (strcmp(MSG_OF(&in, image_commit_r)->id, digest + 7) != 0)
		return err_set(e, ERR_PEER, "pod-store gave the image another ID");
	memcpy(id, digest + 7, 65);
	return 0;
}

int
copy_write_manifest(struct copy *c, struct strbuf *b, struct err *e)
{
	bool docker = strcmp(c->manifest_type, MANIFEST_TYPE_DOCKER) == 0;
	char digest[DIGEST_TEXT];

	digest_of(c->config_bytes.p, c->config_bytes.n, digest);
	strbuf_addf(b,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\",\"size\":%"
	    "zu,"
	    "\"digest\":\"%s\"},\"layers\":[",
	    c->manifest_type, docker ? MANIFEST_TYPE_DOCKER_CONFIG : MANIFEST_TYPE_OCI_CONFIG,
	    c->config_bytes.n, digest);
	for (size_t k = 0; k < c->nlayers; k++)
		strbuf_addf(b, "%s{\"mediaType\":\"%s\",\"size\":%llu,\"digest\":\"%s\"}",
		    k > 0 ? "," : "", c->layers[k].media_type,
		    (unsigned long long)c->layers[k].size, c->layers[k].digest);
	strbuf_add(b, "]}");
	if (b->n > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "the manifest is too large");
	c->manifest_bytes = (struct bytes){(const uint8_t *)b->s, b->n};
	return 0;
}

int
copy_settle_late(struct copy *c, const struct late *l, struct strbuf *config,
    struct strbuf *manifest, struct arena *a, struct err *e)
{
	const char **ids = arena_array(a, c->nlayers + 1, sizeof(*ids));
	own_mem char *text = NULL;

	for (size_t k = 0; k < c->nlayers; k++)
		ids[k] = c->layers[k].diff_id;
	text = late_config(l, ids, c->nlayers);
	strbuf_add(config, text);
	if (manifest_config(config->s, config->n, c->nlayers, &c->config, a, e) < 0)
		return -1;
	c->config_bytes = (struct bytes){(const uint8_t *)config->s, config->n};
	return copy_write_manifest(c, manifest, e);
}

/* --- Encrypted layers ------------------------------------------------------------------------- */

/* All keys are found before anything is fetched, of layers that the store has too: who has no key has no image. */
static int
open_layers(struct job *j, struct err *e)
{
	struct copy *c = j->c;
	bool any = false;

	j->options = xcalloc(c->nlayers + 1, sizeof(struct wrapped_options *));
	for (size_t k = 0; c->descs != NULL && k < c->nlayers; k++) {
		if (c->descs[k].encrypted == NULL)
			continue;
		j->options[k] = xcalloc(1, sizeof(**j->options));
		if (crypt_open(c->crypt, &c->descs[k], j->options[k], e) < 0)
			return -1;
		c->layers[k].digest = j->options[k]->digest;
		c->layers[k].media_type = c->descs[k].encrypted->plain_type;
		any = true;
	}
	if (!any)
		return 0;
	j->manifest = crypt_plain_manifest(&c->manifest_bytes, c->descs, j->options, c->nlayers, e);
	if (j->manifest == NULL)
		return -1;
	c->manifest_bytes = (struct bytes){(const uint8_t *)j->manifest, strlen(j->manifest)};
	return 0;
}

static void
job_free(struct job *j)
{
	for (size_t k = 0; j->options != NULL && k < j->c->nlayers; k++) {
		if (j->options[k] != NULL)
			explicit_bzero(j->options[k], sizeof(*j->options[k]));
		free(j->options[k]);
	}
	free(j->options);
	free(j->manifest);
}

static int
copy_all(struct job *j, char id[65], struct err *e)
{
	struct copy *c = j->c;
	char digest[DIGEST_TEXT];
	size_t present;

	report_text(&c->report, "Getting image source signatures");
	if (open_layers(j, e) < 0 || begin_stage(j, &present, e) < 0)
		return -1;
	for (; j->next < present; j->next++)
		report_text(
		    &c->report, "Copying blob %s skipped: already exists", layer_name(c, j->next));
	if (copy_layers(j, e) < 0)
		return -1;
	if (c->settle != NULL && c->settle(c, e) < 0)
		return -1;
	digest_of(c->config_bytes.p, c->config_bytes.n, digest);
	report_text(&c->report, "Copying config %s", digest);
	report_text(&c->report, "Writing manifest to image destination");
	return commit(j, id, e);
}

int
copy_image(struct copy *c, const struct copy_from *from, char id[65], struct err *e)
{
	struct job j = {.c = c, .from = from, .parallel = parallel_layers(c->parallel)};
	int r = copy_all(&j, id, e);

	job_free(&j);
	return r;
}
