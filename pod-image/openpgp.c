/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "pod-image/openpgp.h"

void
openpgp_free(struct openpgp_packet *p)
{
	if (p->body.s != NULL)
		explicit_bzero(p->body.s, p->body.n);
	strbuf_free(&p->body);
}

static int
bad(struct err *e)
{
	return err_set(e, ERR_FORMAT, "it is no sequence of OpenPGP packets");
}

/* A number of n octets, off in. */
static bool
take(struct bytes *in, size_t n, size_t *out)
{
	if (in->n < n)
		return false;
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out = *out << 8 | in->p[i];
	in->p += n;
	in->n -= n;
	return true;
}

static int
take_body(struct bytes *in, size_t n, struct strbuf *body)
{
	if (n > in->n || n > OPENPGP_MAX - body->n)
		return -1;
	strbuf_addn(body, (const char *)in->p, n);
	in->p += n;
	in->n -= n;
	return 0;
}

/* Section 4.2.1. */
static int
old_body(struct bytes *in, unsigned kind, struct strbuf *body)
{
	size_t n = in->n;

	if (kind < 3 && !take(in, (size_t)1 << kind, &n))
		return -1;
	return take_body(in, n, body);
}

/* Section 4.2.2: in one piece, or in several of powers of two and a last one. */
static int
new_body(struct bytes *in, struct strbuf *body)
{
	size_t first, more, n;

	for (;;) {
		bool part = false;

		if (!take(in, 1, &first))
			return -1;
		if (first < 192) {
			n = first;
		} else if (first < 224) {
			if (!take(in, 1, &more))
				return -1;
			n = ((first - 192) << 8) + more + 192;
		} else if (first == 255) {
			if (!take(in, 4, &n))
				return -1;
		} else {
			part = true;
			n = (size_t)1 << (first & 31);
		}
		if (take_body(in, n, body) == -1)
			return -1;
		if (!part)
			return 0;
	}
}

int
openpgp_next(struct bytes *in, struct openpgp_packet *out, struct err *e)
{
	size_t head;
	int r;

	openpgp_free(out);
	if (in->n == 0)
		return 0;
	take(in, 1, &head);
	if ((head & 0x80) == 0)
		return bad(e);
	if (head & 0x40) {
		out->tag = head & 63;
		r = new_body(in, &out->body);
	} else {
		out->tag = head >> 2 & 15;
		r = old_body(in, head & 3, &out->body);
	}
	return r == 0 ? 1 : bad(e);
}

int
openpgp_number(struct bytes *in, struct bytes *out)
{
	size_t bits, n;

	if (!take(in, 2, &bits))
		return -1;
	n = (bits + 7) / 8;
	if (n > in->n)
		return -1;
	*out = (struct bytes){in->p, n};
	in->p += n;
	in->n -= n;
	while (out->n > 0 && out->p[0] == 0) {
		out->p++;
		out->n--;
	}
	return 0;
}
