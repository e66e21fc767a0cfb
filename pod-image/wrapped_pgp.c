/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-image/openpgp.h"
#include "pod-image/wrapped.h"

#define KEY_MAX 4096
#define TEXT_MAX 65536

/* RFC 4880, section 5.1: version 3, the key's number, which is not needed, an algorithm. */
static int
add_recipient(struct wrapped *w, const struct strbuf *body, struct err *e)
{
	struct bytes in = {(const uint8_t *)body->s, body->n}, number;
	struct rec_wrapped_key *k;
	uint8_t *copy;

	if (in.n < 10 || in.p[0] != 3)
		return err_set(e, ERR_FORMAT, "a recipient is malformed");
	if (in.p[9] != OPENPGP_RSA && in.p[9] != OPENPGP_RSA_ENCIPHER) {
		w->foreign++;
		return 0;
	}
	in.p += 10;
	in.n -= 10;
	if (openpgp_number(&in, &number) < 0 || number.n == 0 || number.n > KEY_MAX)
		return err_set(e, ERR_FORMAT, "a recipient is malformed");
	if (w->n == WRAPPED_MAX)
		return err_set(e, ERR_LIMIT, "there are too many recipients");
	k = &w->v[w->n++];
	copy = arena_alloc(&w->arena, number.n);
	memcpy(copy, number.p, number.n);
	*k = (struct rec_wrapped_key){.algorithm = "RSA-PGP",
	    .key = {copy, number.n},
	    .cipher = "PGP",
	    /* Section 5.13: all zero. */
	    .iv = {arena_alloc(&w->arena, 16), 16}};
	memset((uint8_t *)(uintptr_t)k->iv.p, 0, 16);
	return 0;
}

/* Section 5.13: version 1, then what is enciphered. */
static int
add_text(struct wrapped *w, size_t from, const struct strbuf *body, struct err *e)
{
	uint8_t *copy;

	if (body->n < 2 || body->n > TEXT_MAX || body->s[0] != 1)
		return err_set(e, ERR_FORMAT, "what is enciphered is malformed");
	copy = arena_alloc(&w->arena, body->n - 1);
	memcpy(copy, body->s + 1, body->n - 1);
	for (size_t i = from; i < w->n; i++)
		w->v[i].text = (struct bytes){copy, body->n - 1};
	return 0;
}

int
wrapped_pgp(struct wrapped *w, const uint8_t *p, size_t n, struct err *e)
{
	own_openpgp struct openpgp_packet packet = {0};
	struct bytes in = {p, n};
	size_t from = w->n;
	int r;

	while ((r = openpgp_next(&in, &packet, e)) == 1) {
		if (packet.tag == OPENPGP_ENCIPHERED)
			r = add_text(w, from, &packet.body, e);
		else if (packet.tag == OPENPGP_SESSION_KEY)
			r = add_recipient(w, &packet.body, e);
		if (r < 0)
			break;
		if (packet.tag == OPENPGP_ENCIPHERED)
			return 0;
	}
	/* Recipients of what is enciphered in another way. */
	w->foreign += w->n - from;
	w->n = from;
	return r < 0 ? -1 : 0;
}
