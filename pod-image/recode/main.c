/* SPDX-License-Identifier: ISC */
/*
 * pod-image-recode: the worker through which layers go from one place to another.  It digests what
 * comes in and what goes out, and compresses or decompresses, enciphers or deciphers if that is asked
 * for; one stream after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/wire/worker.h"
#include "pod-image/recode/recrypt.h"
#include "pod-store/layer/chunked.h"
#include "pod-store/layer/inflate.h"

static const struct form {
	const char *word;
	int (*run)(struct inflate *, struct err *);
	enum inflate_format format;
	bool inflates;	 /* what comes in is the compressed side */
	bool sees_plain; /* one of the sides is the tar */
	bool chunked;	 /* the descriptor says where the parts are */
	bool copies; /* what goes out is what comes in, though it is decompressed to be looked at */
} forms[] = {
    {"same", deflate_stream, INFLATE_NONE, false, false, false, false},
    {"look", inflate_stream, INFLATE_NONE, true, true, false, true},
    {"tar", inflate_stream, INFLATE_NONE, true, true, false, false},
    {"gzip", deflate_stream, INFLATE_GZIP, false, true, false, false},
    {"zstd", deflate_stream, INFLATE_ZSTD, false, true, false, false},
    {"zstd:chunked", NULL, INFLATE_ZSTD, false, true, true, false},
};

static const struct form *
find_form(const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(forms); i++)
		if (strcmp(forms[i].word, word) == 0)
			return &forms[i];
	err_set(e, ERR_INVALID, "unknown form of a layer");
	return NULL;
}

static void
annotate(const struct chunked *c, struct msg_recode_r *m, struct rec_kv v[3], struct arena *a)
{
	const struct chunked_part *t = &c->contents, *s = &c->split;

	v[0] = (struct rec_kv){.key = CHUNKED_CHECKSUM, .value = c->checksum};
	v[1] = (struct rec_kv){.key = CHUNKED_CONTENTS,
	    .value = arena_printf(a, "%llu:%llu:%llu:1", (unsigned long long)t->at,
		(unsigned long long)t->size, (unsigned long long)t->plain)};
	v[2] = (struct rec_kv){.key = CHUNKED_SPLIT,
	    .value = arena_printf(a, "%llu:%llu:%llu", (unsigned long long)s->at,
		(unsigned long long)s->size, (unsigned long long)s->plain)};
	m->annotations.v = v;
	m->annotations.n = 3;
}

static int
answer(struct peer *p, uint32_t seq, const struct form *f, struct inflate *s,
    const struct chunked *c, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_kv notes[3];
	struct digest *in = f->inflates ? &s->packed : &s->plain;
	struct digest *out = f->inflates && !f->copies ? &s->plain : &s->packed;
	char in_text[DIGEST_TEXT], plain_text[DIGEST_TEXT], out_text[DIGEST_TEXT];
	struct msg_recode_r m = {.in_digest = in_text,
	    .in_size = in->size,
	    .out_digest = out_text,
	    .out_size = out->size};

	/* A digest is told once. */
	digest_text(&s->plain, plain_text);
	digest_text(&s->packed, f->inflates ? in_text : out_text);
	memcpy(f->inflates ? out_text : in_text, f->copies ? in_text : plain_text, DIGEST_TEXT);
	if (f->sees_plain) {
		m.plain_digest = plain_text;
		m.plain_size = s->plain.size;
	}
	if (f->chunked)
		annotate(c, &m, notes, &a);
	return peer_send(p, &msg_recode_r_desc, seq, &m, e);
}

/* "No compression" is not known here: the least. */
static int
level_of(uint64_t wire)
{
	return wire == 0 ? 0 : wire == 1 ? 1 : (int)wire - 1;
}

static int
on_recode(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_recode *m = MSG_OF(in, recode);
	const struct form *f = find_form(m->form, e);
	own_fd int from = fd_take(&m->in), to = fd_take(&m->out);
	struct inflate s = {.in = from, .out = to, .level = level_of(m->level), .threaded = true};
	struct chunked c;
	int r;

	(void)arg;
	if (f == NULL)
		return -1;
	s.format = f->format;
	if (f->copies) {
		s.copy = to;
		s.out = -1;
	}
	r = f->chunked ? chunked_stream(&s, &c, e) : f->run(&s, e);
	if (r < 0 && e->no == EPIPE)
		err_set(e, ERR_CANCELLED, "the reader of the layer has gone");
	/* The reader must see the end before the answer is waited for. */
	fd_close(&to);
	fd_close(&from);
	if (r == 0)
		r = answer(p, in->seq, f, &s, &c, e);
	inflate_free(&s);
	return r;
}

static int
on_recrypt(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_recrypt *m = MSG_OF(in, recrypt);
	own_fd int from = fd_take(&m->in), to = fd_take(&m->out);
	own(recrypt_free) struct recrypt s = {.in = from,
	    .out = to,
	    .seal = m->seal,
	    .key = m->key.p,
	    .nonce = m->nonce.p,
	    .want_hmac = m->seal ? NULL : &m->hmac,
	    .want_digest = m->digest};
	struct msg_recrypt_r r = {.in_digest = s.in_digest, .out_digest = s.out_digest};
	int rc;

	(void)arg;
	if (m->key.n != 32 || m->nonce.n != 16)
		return err_set(e, ERR_INVALID, "a key or a nonce has the wrong length");
	rc = recrypt_stream(&s, e);
	if (rc < 0 && e->no == EPIPE)
		err_set(e, ERR_CANCELLED, "the reader of the layer has gone");
	/* The reader must see the end before the answer is waited for. */
	fd_close(&to);
	fd_close(&from);
	arena_wipe(&in->arena);
	in->msg = NULL;
	r.size = s.size;
	r.hmac = (struct bytes){s.hmac, sizeof(s.hmac)};
	return rc < 0 ? -1 : peer_send(p, &msg_recrypt_r_desc, in->seq, &r, e);
}

static const struct peer_handler handlers[] = {
    {&msg_recode_desc, 1, 0, on_recode},
    {&msg_recrypt_desc, 1, 0, on_recrypt},
};

int
main(int argc, char **argv)
{
	const struct worker_face face = {.role = ROLE_RECODE,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .late = true};

	return worker_main(&face, argc, argv);
}
