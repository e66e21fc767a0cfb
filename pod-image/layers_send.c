/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/stream.h"
#include "common/oci/reference.h"
#include "pod-image/layers.h"
#include "pod-image/spool.h"

#define CAUSE_WAIT_MS 3000

enum party {
	PARTY_SOURCE,
	PARTY_OPEN, /* deciphers */
	PARTY_INFLATE,
	PARTY_CODE,
	PARTY_SEAL, /* enciphers */
	PARTY_DEST,
	PARTY_COUNT
};
enum flight_state { FLIGHT_IDLE, FLIGHT_RUNNING, FLIGHT_ENDING };

struct flight { /* a layer on its way */
	enum flight_state state;
	size_t layer;
	unsigned tries;
	struct peer *inflate, *code; /* NULL: none */
	bool waits[PARTY_COUNT];
	uint32_t seq[PARTY_COUNT];
	struct err failure[PARTY_COUNT];
	char in_digest[DIGEST_TEXT], plain[DIGEST_TEXT];
	uint64_t in_size;
	struct wrapped_options sealed; /* how it is encrypted on the way */
	char sealed_digest[DIGEST_TEXT];
	uint64_t sealed_size;
};

struct sender {
	struct transfer *t;
	struct image *i;
	const struct layers_way *ways;
	struct written *out;
	struct flight flights[DEST_SLOTS];
	size_t nflights, next;
};

static struct peer *
party_peer(const struct sender *s, const struct flight *f, enum party p)
{
	size_t slot = (size_t)(f - s->flights);

	switch (p) {
	case PARTY_SOURCE:
		return s->t->from->peer;
	case PARTY_OPEN:
		return s->t->crypt != NULL ? s->t->crypt->coders[CRYPT_OPEN][slot] : NULL;
	case PARTY_SEAL:
		return s->t->crypt != NULL ? s->t->crypt->coders[CRYPT_SEAL][slot] : NULL;
	case PARTY_INFLATE:
		return f->inflate;
	case PARTY_CODE:
		return f->code;
	default:
		return s->t->to->peer;
	}
}

static const char *
piece_name(const struct piece *p)
{
	return p->from.digest[0] != '\0' ? p->from.digest
	       : p->diff_id != NULL	 ? p->diff_id
					 : p->name;
}

static struct peer *
free_coder(const struct sender *s)
{
	for (size_t i = 0; i < s->t->ncoders; i++) {
		struct peer *coder = s->t->coders[i];
		bool taken = false;

		for (size_t k = 0; k < s->nflights && !taken; k++)
			taken = s->flights[k].inflate == coder || s->flights[k].code == coder;
		if (!taken)
			return coder;
	}
	return NULL;
}

/* The workers for a layer; false if there are not enough of them now. */
static bool
take_coders(struct sender *s, struct flight *f)
{
	const struct layers_way *w = &s->ways[f->layer];
	bool two = w->inflate && w->form != LAYERS_TAR;

	f->code = free_coder(s);
	if (two)
		f->inflate = free_coder(s);
	return f->code != NULL && (f->inflate != NULL || !two);
}

static const char *
form_word(enum layers_form form)
{
	static const char *const word[] = {[LAYERS_SAME] = "same",
	    [LAYERS_TAR] = "tar",
	    [LAYERS_GZIP] = "gzip",
	    [LAYERS_ZSTD] = "zstd",
	    [LAYERS_CHUNKED] = "zstd:chunked"};

	return word[form];
}

static int
ask_coder(struct sender *s, struct flight *f, enum party p, enum layers_form form, int in, int out,
    struct err *e)
{
	struct peer *coder = party_peer(s, f, p);
	bool look = form == LAYERS_SAME && s->i->late.config != NULL;
	struct msg_recode m = {
	    .form = look ? "look" : form_word(form), .level = s->t->level, .in = in, .out = out};

	f->seq[p] = peer_next_seq(coder);
	f->waits[p] = true;
	return peer_send(coder, &msg_recode_desc, f->seq[p], &m, e);
}

static int
ask_source(struct sender *s, struct flight *f, int out, struct err *e)
{
	struct piece p = s->i->pieces[f->layer];

	if (p.opened != NULL)
		p.from = p.sealed;
	f->waits[PARTY_SOURCE] = true;
	return s->t->from->ops->ask(
	    s->t->from, &p, s->ways[f->layer].tar_in, out, &f->seq[PARTY_SOURCE], e);
}

/* The source's end, with the worker that deciphers behind it if there is need; out: to which it goes. */
static int
begin_source(struct sender *s, struct flight *f, int out, struct err *e)
{
	const struct piece *p = &s->i->pieces[f->layer];
	own_fd int in = -1, sealed = -1;
	int ends[2];

	if (p->opened == NULL)
		return ask_source(s, f, out, e);
	if (stream_pair(ends, e) < 0)
		return -1;
	in = ends[0];
	sealed = ends[1];
	f->waits[PARTY_OPEN] = true;
	if (crypt_ask(s->t->crypt, CRYPT_OPEN, (size_t)(f - s->flights), p->opened,
		p->sealed.digest, in, out, &f->seq[PARTY_OPEN], e) < 0)
		return -1;
	return ask_source(s, f, sealed, e);
}

/* Puts the worker that enciphers before the end: *out becomes what it reads. */
static int
begin_seal(struct sender *s, struct flight *f, int *out, struct err *e)
{
	own_fd int sealed = fd_take(out), in = -1;
	int ends[2];

	if (crypt_new(&f->sealed, e) < 0 || stream_pair(ends, e) < 0)
		return -1;
	in = ends[0];
	*out = ends[1];
	f->waits[PARTY_SEAL] = true;
	return crypt_ask(s->t->crypt, CRYPT_SEAL, (size_t)(f - s->flights), &f->sealed, NULL, in,
	    sealed, &f->seq[PARTY_SEAL], e);
}

/* The digest and size that the layer will have, if they are known before. */
static const char *
known(const struct sender *s, const struct flight *f, uint64_t *size)
{
	const struct piece *p = &s->i->pieces[f->layer];
	const struct layers_way *w = &s->ways[f->layer];

	*size = w->form == LAYERS_SAME		     ? p->from.size
		: w->form == LAYERS_TAR && w->tar_in ? p->tar_size
						     : 0;
	if (w->seal)
		*size = 0;
	if (*size == 0)
		return NULL;
	return w->form == LAYERS_SAME ? p->from.digest : p->diff_id;
}

static int
ask_dest(struct sender *s, struct flight *f, const char *digest, uint64_t size, int stream,
    struct err *e)
{
	f->waits[PARTY_DEST] = true;
	return s->t->to->ops->put(s->t->to, f->layer, digest, size, stream, &f->seq[PARTY_DEST], e);
}

/* Where the coded layer goes: to the destination, or, if that must know more first, to the spool. */
static int
open_end(struct sender *s, struct flight *f, int *out, struct err *e)
{
	uint64_t size;
	const char *digest = known(s, f, &size);
	own_fd int in = -1;
	int ends[2], r;

	if (s->t->to->needs_size && digest == NULL) {
		if (spool_reset(s->t->spool, e) < 0)
			return -1;
		*out = fcntl(s->t->spool, F_DUPFD_CLOEXEC, 3);
		return *out >= 0 ? 0 : err_sys(e, "using a temporary file");
	}
	if (stream_pair(ends, e) < 0)
		return -1;
	in = ends[0];
	*out = ends[1];
	r = ask_dest(s, f, digest, size, in, e);
	if (r < 0)
		fd_close(out);
	return r;
}

static int
start(struct sender *s, struct flight *f, struct err *e)
{
	const struct layers_way *w = &s->ways[f->layer];
	own_fd int out = -1, a = -1, b = -1, c = -1, d = -1;
	enum layers_form form = w->form;
	int ends[2];

	memset(f->waits, 0, sizeof(f->waits));
	memset(f->failure, 0, sizeof(f->failure));
	f->state = FLIGHT_RUNNING;
	f->tries++;
	if (open_end(s, f, &out, e) < 0 || (w->seal && begin_seal(s, f, &out, e) < 0) ||
	    stream_pair(ends, e) < 0)
		return -1;
	a = ends[0];
	b = ends[1];
	if (f->inflate != NULL) {
		if (stream_pair(ends, e) < 0)
			return -1;
		c = ends[0];
		d = ends[1];
		if (ask_coder(s, f, PARTY_INFLATE, LAYERS_TAR, a, d, e) < 0 ||
		    ask_coder(s, f, PARTY_CODE, form, c, out, e) < 0)
			return -1;
	} else if (ask_coder(s, f, PARTY_CODE, form, a, out, e) < 0) {
		return -1;
	}
	return begin_source(s, f, b, e);
}

/* --- Answers ---------------------------------------------------------------------------------- */

static bool
all_heard(const struct flight *f)
{
	for (size_t p = 0; p < PARTY_COUNT; p++)
		if (f->waits[p])
			return false;
	return true;
}

static bool
failed(const struct flight *f)
{
	for (size_t p = 0; p < PARTY_COUNT; p++)
		if (err_is_set(&f->failure[p]))
			return true;
	return false;
}

/* The failure of which the others are only a consequence. */
static const struct err *
cause(const struct flight *f)
{
	static const enum party order[] = {
	    PARTY_SOURCE, PARTY_OPEN, PARTY_DEST, PARTY_SEAL, PARTY_INFLATE, PARTY_CODE};
	const struct err *any = NULL;

	for (size_t k = 0; k < COUNTOF(order); k++) {
		const struct err *x = &f->failure[order[k]];

		if (!err_is_set(x))
			continue;
		any = x;
		/* A broken pipe, as the workers of pod-store and our own call it. */
		if (x->class != ERR_CANCELLED && x->class != ERR_PEER && x->no != EPIPE)
			return x;
	}
	return any;
}

static char *
annotations_text(const struct msg_recode_r *m)
{
	json_t *o;
	char *text;

	if (m->annotations.n == 0)
		return NULL;
	o = json_obj();
	for (size_t k = 0; k < m->annotations.n; k++)
		json_put_str(o, m->annotations.v[k].key, m->annotations.v[k].value);
	text = json_text(o);
	json_decref(o);
	return text;
}

static void
take_coded(struct sender *s, struct flight *f, enum party p, const struct msg_recode_r *m)
{
	struct written *w = &s->out[f->layer];
	bool first = p == PARTY_INFLATE || f->seq[PARTY_INFLATE] == 0;

	if (p == PARTY_CODE) {
		snprintf(w->digest, sizeof(w->digest), "%s", m->out_digest);
		w->to.size = m->out_size;
		w->to.digest = w->digest;
		free(w->annotations);
		w->annotations = annotations_text(m);
		if (m->plain_digest != NULL)
			snprintf(f->plain, sizeof(f->plain), "%s", m->plain_digest);
	}
	if (first) {
		snprintf(f->in_digest, sizeof(f->in_digest), "%s", m->in_digest);
		f->in_size = m->in_size;
	}
}

static void
take_sealed(struct flight *f, const struct msg_recrypt_r *m)
{
	snprintf(f->sealed.digest, sizeof(f->sealed.digest), "%s", m->in_digest);
	snprintf(f->sealed_digest, sizeof(f->sealed_digest), "%s", m->out_digest);
	f->sealed_size = m->size;
	if (m->hmac.n == sizeof(f->sealed.hmac))
		memcpy(f->sealed.hmac, m->hmac.p, m->hmac.n);
}

/* The layer is what the cipher made of it, and its descriptor says for whom. */
static int
describe_sealed(struct sender *s, struct flight *f, struct err *e)
{
	struct written *w = &s->out[f->layer];
	own_json json_t *notes = json_obj();

	if (!s->ways[f->layer].seal)
		return 0;
	if (crypt_annotate(s->t->crypt, &f->sealed, notes, e) < 0)
		return -1;
	explicit_bzero(&f->sealed, sizeof(f->sealed));
	memcpy(w->digest, f->sealed_digest, sizeof(w->digest));
	w->to.digest = w->digest;
	w->to.size = f->sealed_size;
	free(w->annotations);
	w->annotations = json_text(notes);
	return 0;
}

/* What came must be what was promised: by the manifest, and for tars by the configuration. */
static int
verify(const struct sender *s, const struct flight *f, struct err *e)
{
	struct piece *p = &s->i->pieces[f->layer];
	bool tar = s->ways[f->layer].tar_in;
	const char *want = tar ? p->diff_id : p->from.digest;

	/* A docker-archive may hold its layers compressed. */
	if (want[0] != '\0' && strcmp(want, f->in_digest) != 0 &&
	    (p->diff_id == NULL || strcmp(p->diff_id, want) != 0 || f->plain[0] == '\0'))
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", want, f->in_digest);
	if (!tar && p->from.size > 0 && strcmp(want, f->in_digest) == 0 &&
	    p->from.size != f->in_size)
		return err_set(e, ERR_INTEGRITY, "it has %llu bytes instead of %llu",
		    (unsigned long long)f->in_size, (unsigned long long)p->from.size);
	if (p->diff_id == NULL && s->i->late.config != NULL)
		p->diff_id = arena_strdup(&s->i->arena, f->plain);
	if (p->diff_id != NULL && f->plain[0] != '\0' && strcmp(p->diff_id, f->plain) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "its DiffID is %s instead of %s", f->plain, p->diff_id);
	return 0;
}

/* The spool holds the layer now. */
static int
put_spooled(struct sender *s, struct flight *f, struct err *e)
{
	struct written *w = &s->out[f->layer];
	bool present = false;

	if (s->t->to->ops->has(s->t->to, w->digest, s->i, &present, e) < 0)
		return -1;
	if (present)
		return 0;
	if (lseek(s->t->spool, 0, SEEK_SET) < 0)
		return err_sys(e, "rewinding a temporary file");
	return ask_dest(s, f, w->digest, w->to.size, s->t->spool, e);
}

/* Everything has arrived and is right: the last step. */
static int
end(struct sender *s, struct flight *f, struct err *e)
{
	struct dest *d = s->t->to;
	uint64_t size;
	bool spooled = d->needs_size && known(s, f, &size) == NULL;
	int r;

	if (verify(s, f, e) < 0 || describe_sealed(s, f, e) < 0)
		return -1;
	f->state = FLIGHT_ENDING;
	if (spooled)
		return put_spooled(s, f, e);
	if (d->ops->commit == NULL)
		return 0;
	r = d->ops->commit(d, f->layer, s->out[f->layer].digest, &f->seq[PARTY_DEST], e);
	f->waits[PARTY_DEST] = r == 0;
	return r;
}

static bool
may_pass(const struct err *x)
{
	return x->class == ERR_NETWORK || x->class == ERR_TIMEOUT;
}

static int
give_up(struct sender *s, struct flight *f, struct err *e)
{
	const struct err *x = cause(f);

	/* The last step alone has been tried again already. */
	if (f->state == FLIGHT_RUNNING && may_pass(x) && f->tries < s->t->tries) {
		report_text(&s->t->report, "Copying blob %s again: %s",
		    piece_name(&s->i->pieces[f->layer]), x->text);
		return start(s, f, e);
	}
	*e = *x;
	return err_wrap(e, "copying blob %s", piece_name(&s->i->pieces[f->layer]));
}

/* All parties of the flight have answered. */
static int
advance(struct sender *s, struct flight *f, struct err *e)
{
	const struct piece *p = &s->i->pieces[f->layer];

	if (failed(f))
		return give_up(s, f, e);
	if (f->state == FLIGHT_RUNNING) {
		if (end(s, f, e) < 0)
			return err_wrap(e, "copying blob %s", piece_name(p));
		if (!all_heard(f))
			return 0;
	}
	report_item(
	    &s->t->report, piece_name(p), s->out[f->layer].to.size, s->out[f->layer].to.size);
	*f = (struct flight){.state = FLIGHT_IDLE};
	return 0;
}

static const struct wire_desc *
party_request(const struct sender *s, const struct flight *f, enum party p)
{
	switch (p) {
	case PARTY_SOURCE:
		return s->t->from->request;
	case PARTY_DEST:
		return f->state == FLIGHT_ENDING && s->t->to->ops->commit != NULL
			   ? s->t->to->ops->commit_request
			   : s->t->to->ops->put_request;
	case PARTY_OPEN:
	case PARTY_SEAL:
		return &msg_recrypt_desc;
	default:
		return &msg_recode_desc;
	}
}

static int
take_message(struct sender *s, struct flight *f, enum party p, struct peer_in *in, struct err *e)
{
	if (PEER_IS(in, progress)) {
		struct msg_progress *m = MSG_OF(in, progress);

		report_item(&s->t->report, piece_name(&s->i->pieces[f->layer]), m->done, m->total);
		return 0;
	}
	f->waits[p] = false;
	if (PEER_IS(in, error))
		peer_error(MSG_OF(in, error), &f->failure[p]);
	else if (strcmp(in->desc->name, party_request(s, f, p)->reply) != 0)
		return err_set(e, ERR_PEER, "unexpected message %s", in->desc->name);
	else if (p == PARTY_INFLATE || p == PARTY_CODE)
		take_coded(s, f, p, MSG_OF(in, recode_r));
	else if (p == PARTY_SEAL)
		take_sealed(f, MSG_OF(in, recrypt_r));
	return all_heard(f) ? advance(s, f, e) : 0;
}

/* Messages of one party of a flight; its peer may be that of other flights too. */
static int
read_peer(struct sender *s, struct peer *peer, struct err *e)
{
	for (;;) {
		own_peer_in struct peer_in in = {0};
		int r = peer_recv(peer, &in, 0, e);

		if (r == PEER_NONE)
			return 0;
		if (r == 0)
			return err_set(
			    e, ERR_PEER, "%s went away", role_info(peer_role(peer))->program);
		if (r < 0)
			return -1;
		if (peer == s->t->to->peer && in.seq == s->t->to->config_seq && in.seq != 0) {
			if (peer_keep(peer, &in, e) < 0)
				return -1;
			continue;
		}
		for (size_t k = 0; k < s->nflights * PARTY_COUNT; k++) {
			struct flight *f = &s->flights[k / PARTY_COUNT];
			enum party p = (enum party)(k % PARTY_COUNT);

			if (f->state == FLIGHT_IDLE || !f->waits[p] || f->seq[p] != in.seq ||
			    party_peer(s, f, p) != peer)
				continue;
			if (take_message(s, f, p, &in, e) < 0)
				return -1;
			break;
		}
	}
}

static int
wait_for_messages(struct sender *s, struct err *e)
{
	const struct report *report = &s->t->report;
	struct peer *peers[2 + TRANSFER_CODERS + 2 * CRYPT_SLOTS];
	struct pollfd fds[3 + TRANSFER_CODERS + 2 * CRYPT_SLOTS];
	size_t n = 0;

	peers[n++] = s->t->from->peer;
	if (s->t->to->peer != s->t->from->peer)
		peers[n++] = s->t->to->peer;
	for (size_t k = 0; k < s->t->ncoders; k++)
		peers[n++] = s->t->coders[k];
	for (size_t k = 0; s->t->crypt != NULL && k < 2 * CRYPT_SLOTS; k++)
		if (s->t->crypt->coders[k % 2][k / 2] != NULL)
			peers[n++] = s->t->crypt->coders[k % 2][k / 2];
	for (size_t k = 0; k < n; k++)
		fds[k] = (struct pollfd){.fd = peer_fd(peers[k]), .events = POLLIN};
	fds[n] = (struct pollfd){
	    .fd = report->run != NULL ? peer_fd(report->run) : -1, .events = POLLIN};
	if (poll(fds, n + 1, -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "waiting for messages");
	/* The coordinator sends nothing while we work: it has gone, or wants us to stop. */
	if (fds[n].revents != 0)
		return err_set(e, ERR_CANCELLED, "cancelled");
	for (size_t k = 0; k < n; k++)
		if (fds[k].revents != 0 && read_peer(s, peers[k], e) < 0)
			return -1;
	return 0;
}

/* --- All of them ------------------------------------------------------------------------------ */

static bool
is_settled(const struct layers_way *w)
{
	return w->done || w->twin > 0;
}

/* The next layer takes the flight, unless it must wait for workers that others have. */
static bool
board(struct sender *s, struct flight *f)
{
	*f = (struct flight){.layer = s->next};
	if (!take_coders(s, f)) {
		*f = (struct flight){.state = FLIGHT_IDLE};
		return false;
	}
	s->next++;
	return true;
}

/* Layers that need not be sent, and the flights for those that must; true while any is on its way. */
static bool
fill_flights(struct sender *s, struct err *e)
{
	bool active = false;

	for (size_t k = 0; k < s->nflights && !err_is_set(e); k++) {
		struct flight *f = &s->flights[k];

		while (s->next < s->i->npieces && is_settled(&s->ways[s->next]))
			s->next++;
		if (f->state == FLIGHT_IDLE && s->next < s->i->npieces && board(s, f)) {
			report_text(
			    &s->t->report, "Copying blob %s", piece_name(&s->i->pieces[f->layer]));
			if (start(s, f, e) < 0)
				return false;
		}
		active |= f->state != FLIGHT_IDLE;
	}
	return active;
}

static void
describe_present(struct sender *s, size_t k)
{
	const struct piece *p = &s->i->pieces[k];
	const struct layers_way *w = &s->ways[k];
	struct written *out = &s->out[k];
	const struct manifest_desc tar = {.digest = p->diff_id, .size = p->tar_size};
	const struct manifest_desc *d = &p->from;

	if (w->form == LAYERS_TAR)
		d = &tar;
	else if (w->form != LAYERS_SAME)
		d = &p->packed[p->used].desc;
	snprintf(out->digest, sizeof(out->digest), "%s", d->digest);
	out->to.digest = out->digest;
	out->to.size = d->size;
	report_text(&s->t->report, "Copying blob %s skipped: already exists", piece_name(p));
}

int
layers_send(struct transfer *t, struct image *i, const struct layers_way *ways, struct written *out,
    struct err *e)
{
	struct sender s = {.t = t, .i = i, .ways = ways, .out = out, .nflights = t->to->parallel};

	for (size_t k = 0; k < i->npieces; k++) {
		out[k].to.media_type = ways[k].media_type;
		if (ways[k].done && ways[k].twin == 0)
			describe_present(&s, k);
	}
	while (fill_flights(&s, e))
		if (wait_for_messages(&s, e) < 0)
			return -1;
	if (err_is_set(e))
		return -1;
	for (size_t k = 0; k < i->npieces; k++) {
		if (ways[k].twin == 0)
			continue;
		if (i->pieces[k].diff_id == NULL)
			i->pieces[k].diff_id = i->pieces[ways[k].twin - 1].diff_id;
		out[k] = out[ways[k].twin - 1];
		out[k].to.digest = out[k].digest;
		if (out[k].annotations != NULL)
			out[k].annotations = xstrdup(out[k].annotations);
	}
	for (size_t k = 0; k < i->npieces; k++)
		if (!is_settled(&ways[k]) && !ways[k].seal && ways[k].form >= LAYERS_GZIP &&
		    !ways[k].inflate)
			layers_note(t, &i->pieces[k], ways[k].form, &out[k]);
	return 0;
}
