/* SPDX-License-Identifier: ISC */
/* EnvelopedData of CMS (RFC 5652, section 6), in the little of BER that its writers use. */
#include <string.h>

#include "common/base/own.h"
#include "pod-image/wrapped.h"

#define TAG_INTEGER 0x02
#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30
#define TAG_BARE_SEQUENCE \
	0x10	       /* as a writer that is wide spread has it for the parameters of GCM */
#define TAG_NONCE 0x84 /* the same writer */
#define TAG_SET 0x31
#define TAG_CONTEXT 0x80
#define TAG_CONTEXT_CONSTRUCTED 0xa0

#define CONTENT_MAX 65536
#define GCM_TAG 16

struct der { /* what is still to be read */
	const uint8_t *p;
	size_t n;
};

/* The next element; false if there is none, or if it is longer than what it is in. */
static bool
next(struct der *from, unsigned *tag, struct der *content)
{
	size_t length, head = 2;

	if (from->n < 2 || (from->p[0] & 0x1f) == 0x1f)
		return false;
	*tag = from->p[0];
	length = from->p[1];
	if (length >= 0x80) {
		size_t count = length & 0x7f;

		/* Zero: the indefinite form, which a document in one piece does not need. */
		if (count == 0 || count > 3 || from->n < 2 + count)
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | from->p[2 + i];
		head += count;
	}
	if (length > from->n - head)
		return false;
	*content = (struct der){from->p + head, length};
	from->p += head + length;
	from->n -= head + length;
	return true;
}

static bool
want(struct der *from, unsigned tag, struct der *content)
{
	unsigned got;

	return next(from, &got, content) && got == tag;
}

struct oid {
	const char *word;
	uint8_t n, bytes[9];
};

static const struct oid ciphers[] = {
    {"A128GCM", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06}},
    {"A192GCM", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x1a}},
    {"A256GCM", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e}},
    {"A128CBC", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02}},
    {"A256CBC", 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a}},
};
static const struct oid key_ciphers[] = {
    {"RSA1_5", 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}},
};
static const struct oid enveloped_data = {
    "", 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03}};

static bool
oid_is(const struct oid *o, const struct der *d)
{
	return d->n == o->n && memcmp(o->bytes, d->p, d->n) == 0;
}

static const char *
oid_word(const struct oid *list, size_t count, const struct der *d)
{
	for (size_t i = 0; i < count; i++)
		if (oid_is(&list[i], d))
			return list[i].word;
	return NULL;
}

/* RFC 5084, section 3.2: nonce and length of the tag; some writers have that once more inside. */
static bool
gcm_nonce(struct der p, unsigned tag, struct bytes *iv)
{
	struct der inner, nonce, length;

	if (tag != TAG_SEQUENCE && tag != TAG_BARE_SEQUENCE)
		return false;
	if (p.n > 0 && p.p[0] == TAG_SEQUENCE) {
		if (!want(&p, TAG_SEQUENCE, &inner))
			return false;
		p = inner;
	}
	if (!next(&p, &tag, &nonce) || (tag != TAG_OCTETS && tag != TAG_NONCE) || nonce.n != 12)
		return false;
	/* Absent means 12. */
	if (!want(&p, TAG_INTEGER, &length) || length.n != 1 || length.p[0] != GCM_TAG)
		return false;
	*iv = (struct bytes){nonce.p, nonce.n};
	return true;
}

/* The content: one string, or a row of them. */
static bool
collect(struct der *from, struct arena *a, struct bytes *out)
{
	struct der whole, part;
	unsigned tag;
	uint8_t *joined;
	size_t n = 0;

	if (!next(from, &tag, &whole) || whole.n > CONTENT_MAX)
		return false;
	joined = arena_alloc(a, whole.n + 1);
	if (tag == TAG_CONTEXT) {
		memcpy(joined, whole.p, whole.n);
		n = whole.n;
	} else if (tag != TAG_CONTEXT_CONSTRUCTED) {
		return false;
	}
	while (tag == TAG_CONTEXT_CONSTRUCTED && whole.n > 0) {
		if (!want(&whole, TAG_OCTETS, &part))
			return false;
		memcpy(joined + n, part.p, part.n);
		n += part.n;
	}
	*out = (struct bytes){joined, n};
	return n > 0;
}

/* EncryptedContentInfo; word stays NULL where the cipher is not known. */
static bool
read_content(struct der *from, struct arena *a, struct rec_wrapped_key *box)
{
	struct der info, type, algorithm, oid, parameters = {0};
	unsigned tag = 0;

	if (!want(from, TAG_SEQUENCE, &info) || !want(&info, TAG_OID, &type) ||
	    !want(&info, TAG_SEQUENCE, &algorithm) || !want(&algorithm, TAG_OID, &oid))
		return false;
	box->cipher = oid_word(ciphers, COUNTOF(ciphers), &oid);
	if (box->cipher == NULL)
		return true;
	if (!next(&algorithm, &tag, &parameters) || !collect(&info, a, &box->text))
		return false;
	if (strstr(box->cipher, "GCM") == NULL) {
		box->iv = (struct bytes){parameters.p, parameters.n};
		return tag == TAG_OCTETS && parameters.n == 16;
	}
	if (!gcm_nonce(parameters, tag, &box->iv) || box->text.n <= GCM_TAG)
		return false;
	box->text.n -= GCM_TAG;
	box->tag = (struct bytes){box->text.p + box->text.n, GCM_TAG};
	return true;
}

static struct bytes
keep(struct arena *a, const struct bytes *b)
{
	uint8_t *copy = arena_alloc(a, b->n + 1);

	if (b->n > 0)
		memcpy(copy, b->p, b->n);
	return (struct bytes){copy, b->n};
}

/* KeyTransRecipientInfo; others are passed over, as are unknown ciphers. */
static int
read_recipient(struct wrapped *w, const struct rec_wrapped_key *box, struct der r, struct err *e)
{
	struct der version, who, algorithm, oid, key;
	struct bytes b;
	unsigned tag;
	const char *word;

	if (!want(&r, TAG_INTEGER, &version) || !next(&r, &tag, &who) ||
	    !want(&r, TAG_SEQUENCE, &algorithm) || !want(&algorithm, TAG_OID, &oid) ||
	    !want(&r, TAG_OCTETS, &key) || key.n == 0 || key.n > 4096)
		return err_set(e, ERR_FORMAT, "a recipient cannot be read");
	word = oid_word(key_ciphers, COUNTOF(key_ciphers), &oid);
	if (word == NULL || box->cipher == NULL) {
		w->foreign++;
		return 0;
	}
	if (w->n == WRAPPED_MAX)
		return err_set(e, ERR_LIMIT, "more than %d recipients", WRAPPED_MAX);
	b = (struct bytes){key.p, key.n};
	w->v[w->n] = *box;
	w->v[w->n].algorithm = word;
	w->v[w->n++].key = keep(&w->arena, &b);
	return 0;
}

int
wrapped_pkcs7(struct wrapped *w, const uint8_t *der, size_t n, struct err *e)
{
	struct der all = {der, n}, outer, oid, explicit, data, version, recipients, one;
	struct rec_wrapped_key box = {0};
	unsigned tag;

	if (!want(&all, TAG_SEQUENCE, &outer) || all.n > 0 || !want(&outer, TAG_OID, &oid) ||
	    !oid_is(&enveloped_data, &oid) || !want(&outer, TAG_CONTEXT_CONSTRUCTED, &explicit) ||
	    !want(&explicit, TAG_SEQUENCE, &data) || !want(&data, TAG_INTEGER, &version) ||
	    !next(&data, &tag, &recipients))
		return err_set(e, ERR_FORMAT, "it is no enveloped data");
	/* OriginatorInfo, which holds certificates and is of no use here. */
	if (tag == TAG_CONTEXT_CONSTRUCTED && !next(&data, &tag, &recipients))
		return err_set(e, ERR_FORMAT, "it is no enveloped data");
	if (tag != TAG_SET || !read_content(&data, &w->arena, &box))
		return err_set(e, ERR_FORMAT, "its content cannot be read");
	box.iv = keep(&w->arena, &box.iv);
	while (recipients.n > 0) {
		if (!next(&recipients, &tag, &one))
			return err_set(e, ERR_FORMAT, "a recipient cannot be read");
		if (tag != TAG_SEQUENCE)
			w->foreign++;
		else if (read_recipient(w, &box, one, e) < 0)
			return -1;
	}
	return 0;
}
