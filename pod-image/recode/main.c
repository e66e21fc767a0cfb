/* SPDX-License-Identifier: ISC */
/*
 * pod-image-recode: the worker through which layers go from one place to another.  It digests what
 * comes in and what goes out, and compresses or decompresses if that is asked for; one stream after
 * the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/own.h"
#include "common/wire/worker.h"
#include "pod-store/layer/inflate.h"

static const struct form {
	const char *word;
	int (*run)(struct inflate *, struct err *);
	enum inflate_format format;
	bool inflates;	 /* what comes in is the compressed side */
	bool sees_plain; /* one of the sides is the tar */
} forms[] = {
    {"same", deflate_stream, INFLATE_NONE, false, false},
    {"tar", inflate_stream, INFLATE_NONE, true, true},
    {"gzip", deflate_stream, INFLATE_GZIP, false, true},
    {"zstd", deflate_stream, INFLATE_ZSTD, false, true},
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

static int
answer(struct peer *p, uint32_t seq, const struct form *f, struct inflate *s, struct err *e)
{
	struct digest *in = f->inflates ? &s->packed : &s->plain;
	struct digest *out = f->inflates ? &s->plain : &s->packed;
	char in_text[DIGEST_TEXT], out_text[DIGEST_TEXT];
	struct msg_recode_r m = {.in_digest = in_text,
	    .in_size = in->size,
	    .out_digest = out_text,
	    .out_size = out->size};

	digest_text(in, in_text);
	digest_text(out, out_text);
	if (f->sees_plain) {
		m.plain_digest = f->inflates ? out_text : in_text;
		m.plain_size = s->plain.size;
	}
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
	struct inflate s = {.in = from, .out = to, .level = level_of(m->level)};
	int r;

	(void)arg;
	if (f == NULL)
		return -1;
	s.format = f->format;
	r = f->run(&s, e);
	if (r < 0 && e->no == EPIPE)
		err_set(e, ERR_CANCELLED, "the reader of the layer has gone");
	/* The reader must see the end before the answer is waited for. */
	fd_close(&to);
	fd_close(&from);
	if (r == 0)
		r = answer(p, in->seq, f, &s, e);
	inflate_free(&s);
	return r;
}

static const struct peer_handler handlers[] = {
    {&msg_recode_desc, 1, 0, on_recode},
};

int
main(int argc, char **argv)
{
	const struct worker_face face = {.role = ROLE_RECODE,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers)};

	return worker_main(&face, argc, argv);
}
