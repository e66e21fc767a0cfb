/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"
#include "pod-image/wrapped.h"

#define TEXT_MAX 65536
#define CIPHER "AES_256_CTR_HMAC_SHA256"

void
wrapped_free(struct wrapped *w)
{
	arena_free(&w->arena);
	w->n = w->foreign = 0;
}

/* --- JSON Web Encryption ---------------------------------------------------------------------- */

static bool
is_one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* A member in base64url; absent leaves *out empty. */
static int
read_bytes(
    const json_t *j, const char *key, size_t max, struct bytes *out, struct arena *a, struct err *e)
{
	const char *text = NULL;
	own_mem char *decoded = NULL;
	uint8_t *copy;
	size_t n;

	if (json_want_str(j, key, &text, e) < 0)
		return -1;
	if (text == NULL)
		return 0;
	decoded = base64_url_decode(text, &n);
	if (decoded == NULL || n > max)
		return err_set(
		    e, ERR_FORMAT, "%s is %s", key, decoded == NULL ? "no base64" : "too long");
	copy = arena_alloc(a, n + 1);
	memcpy(copy, decoded, n);
	*out = (struct bytes){copy, n};
	return 0;
}

/* A header parameter, which is in exactly one of three places (RFC 7516, section 4). */
static json_t *
parameter(json_t *const headers[3], const char *name)
{
	for (size_t k = 0; k < 3; k++) {
		json_t *j = headers[k] != NULL ? json_object_get(headers[k], name) : NULL;

		if (j != NULL)
			return j;
	}
	return NULL;
}

static int
take_ephemeral(json_t *const headers[3], struct rec_wrapped_key *k, struct arena *a, struct err *e)
{
	json_t *epk = parameter(headers, "epk"), *u = parameter(headers, "apu"),
	       *v = parameter(headers, "apv");
	own_json json_t *parties = json_obj();
	const char *type, *curve;

	if (!json_is_object(epk))
		return err_set(e, ERR_FORMAT, "there is no ephemeral key");
	if (json_need_str(epk, "kty", &type, e) < 0 || json_need_str(epk, "crv", &curve, e) < 0 ||
	    read_bytes(epk, "x", 66, &k->x, a, e) < 0 || read_bytes(epk, "y", 66, &k->y, a, e) < 0)
		return -1;
	if (strcmp(type, "EC") != 0 ||
	    !is_one_of(curve, (const char *const[]){"P-256", "P-384", "P-521", NULL}) ||
	    k->x.n == 0 || k->y.n == 0)
		return err_set(e, ERR_FORMAT, "unknown kind of ephemeral key");
	k->curve = arena_strdup(a, curve);
	if (u != NULL)
		json_put_take(parties, "apu", json_incref(u));
	if (v != NULL)
		json_put_take(parties, "apv", json_incref(v));
	return read_bytes(parties, "apu", 256, &k->party_u, a, e) < 0 ||
		       read_bytes(parties, "apv", 256, &k->party_v, a, e) < 0
		   ? -1
		   : 0;
}

/* A recipient; one whose algorithm is not known is passed over.  box holds what is common to all. */
static int
take_recipient(struct wrapped *w, const struct rec_wrapped_key *box, json_t *protected,
    json_t *shared, const json_t *j, struct err *e)
{
	static const char *const rsa[] = {"RSA-OAEP", "RSA-OAEP-256", NULL};
	static const char *const ecdh[] = {
	    "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", NULL};
	static const char *const ciphers[] = {"A128GCM", "A192GCM", "A256GCM", NULL};
	json_t *own = NULL, *headers[3] = {protected, shared, NULL};
	struct rec_wrapped_key *k = &w->v[w->n];
	const char *alg, *enc;

	if (json_want_obj(j, "header", &own, e) < 0)
		return -1;
	headers[2] = own;
	alg = json_string_value(parameter(headers, "alg"));
	enc = json_string_value(parameter(headers, "enc"));
	if (alg == NULL || enc == NULL)
		return err_set(e, ERR_FORMAT, "a recipient has no algorithm");
	/* RFC 7516, section 4.1.13: what is critical must be understood, and nothing of that is. */
	if ((!is_one_of(alg, rsa) && !is_one_of(alg, ecdh)) || !is_one_of(enc, ciphers) ||
	    parameter(headers, "crit") != NULL || parameter(headers, "zip") != NULL) {
		w->foreign++;
		return 0;
	}
	if (w->n == WRAPPED_MAX)
		return err_set(e, ERR_LIMIT, "more than %d recipients", WRAPPED_MAX);
	*k = *box;
	k->algorithm = arena_strdup(&w->arena, alg);
	k->cipher = arena_strdup(&w->arena, enc);
	if (read_bytes(j, "encrypted_key", 4096, &k->key, &w->arena, e) < 0 ||
	    (is_one_of(alg, ecdh) && take_ephemeral(headers, k, &w->arena, e) < 0))
		return -1;
	if (k->key.n == 0)
		return err_set(e, ERR_FORMAT, "a recipient has no key");
	w->n++;
	return 0;
}

/* RFC 7516, section 5.1, step 14: the additional data are the header as it is written, and aad. */
static int
take_box(const json_t *j, const char *protected, struct rec_wrapped_key *box, struct arena *a,
    struct err *e)
{
	const char *aad = NULL, *text;

	if (json_want_str(j, "aad", &aad, e) < 0)
		return -1;
	text = aad != NULL ? arena_printf(a, "%s.%s", protected, aad) : arena_strdup(a, protected);
	box->authenticated = (struct bytes){(const uint8_t *)text, strlen(text)};
	if (read_bytes(j, "iv", 16, &box->iv, a, e) < 0 ||
	    read_bytes(j, "tag", 16, &box->tag, a, e) < 0 ||
	    read_bytes(j, "ciphertext", TEXT_MAX, &box->text, a, e) < 0)
		return -1;
	if (box->authenticated.n > TEXT_MAX)
		return err_set(e, ERR_LIMIT, "protected is too long");
	return box->iv.n == 12 && box->tag.n == 16 && box->text.n > 0
		   ? 0
		   : err_set(e, ERR_FORMAT, "it has no nonce, no tag or nothing inside");
}

static json_t *
read_protected(const char *text, struct err *e)
{
	own_mem char *decoded = NULL;
	size_t n;
	json_t *j;

	if (*text == '\0')
		return json_obj();
	decoded = base64_url_decode(text, &n);
	if (decoded == NULL) {
		err_set(e, ERR_FORMAT, "protected is no base64");
		return NULL;
	}
	j = json_read_max(decoded, n, TEXT_MAX, 8, e);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		err_set(e, ERR_FORMAT, "protected is no object");
		return NULL;
	}
	return j;
}

int
wrapped_jwe(struct wrapped *w, const char *json, size_t n, struct err *e)
{
	own_json json_t *j = json_read_max(json, n, (size_t)1 << 20, 8, e), *protected = NULL;
	json_t *shared = NULL, *recipients = NULL;
	struct rec_wrapped_key box = {0};
	const char *text = "";

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "it is no object");
	if (json_want_str(j, "protected", &text, e) < 0 ||
	    json_want_obj(j, "unprotected", &shared, e) < 0 ||
	    json_want_arr(j, "recipients", &recipients, e) < 0 ||
	    (protected = read_protected(text, e)) == NULL ||
	    take_box(j, text, &box, &w->arena, e) < 0)
		return -1;
	if (recipients == NULL)
		return take_recipient(w, &box, protected, shared, j, e);
	for (size_t k = 0; k < json_array_size(recipients); k++) {
		const json_t *r = json_array_get(recipients, k);

		if (!json_is_object(r))
			return err_set(e, ERR_FORMAT, "recipients[%zu] is no object", k);
		if (take_recipient(w, &box, protected, shared, r, e) < 0)
			return err_wrap(e, "recipients[%zu]", k);
	}
	return 0;
}

/* --- Annotations ------------------------------------------------------------------------------ */

static int
parse_jwe(struct wrapped *w, const char *p, size_t n, struct err *e)
{
	return wrapped_jwe(w, p, n, e);
}

static int
parse_pkcs7(struct wrapped *w, const char *p, size_t n, struct err *e)
{
	return wrapped_pkcs7(w, (const uint8_t *)p, n, e);
}

static int
parse_pgp(struct wrapped *w, const char *p, size_t n, struct err *e)
{
	return wrapped_pgp(w, (const uint8_t *)p, n, e);
}

static int
parse_note(struct wrapped *w, const char *note, const char *what,
    int (*parse)(struct wrapped *, const char *, size_t, struct err *), struct err *e)
{
	own_strv struct strv parts = {0};

	if (note == NULL || *note == '\0')
		return 0;
	strv_split(&parts, note, ',');
	for (size_t i = 0; i < parts.n; i++) {
		size_t n;
		own_mem char *box = base64_decode(parts.v[i], &n);

		if (box == NULL)
			return err_set(e, ERR_FORMAT, "keys.%s is no base64", what);
		if (parse(w, box, n, e) < 0)
			return err_wrap(e, "keys.%s", what);
	}
	return 0;
}

int
wrapped_parse(struct wrapped *w, const struct manifest_encrypted *x, struct err *e)
{
	return parse_note(w, x->jwe, "jwe", parse_jwe, e) < 0 ||
		       parse_note(w, x->pkcs7, "pkcs7", parse_pkcs7, e) < 0 ||
		       parse_note(w, x->pgp, "pgp", parse_pgp, e) < 0
		   ? -1
		   : 0;
}

/* --- Options ---------------------------------------------------------------------------------- */

/* Exactly so many bytes, base64. */
static int
need_bytes(const json_t *j, const char *key, uint8_t *out, size_t n, struct err *e)
{
	own_mem char *decoded = NULL;
	const char *text;
	size_t got;

	if (json_need_str(j, key, &text, e) < 0)
		return -1;
	decoded = base64_decode(text, &got);
	if (decoded != NULL && got == n)
		memcpy(out, decoded, n);
	if (decoded != NULL)
		explicit_bzero(decoded, got);
	return decoded != NULL && got == n
		   ? 0
		   : err_set(e, ERR_FORMAT, "%s is not %zu bytes in base64", key, n);
}

static int
read_private(const struct bytes *box, struct wrapped_options *o, struct err *e)
{
	own_json json_t *j = json_read_max((const char *)box->p, box->n, TEXT_MAX, 8, e);
	json_t *options;
	const char *digest = "";

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "they are no object");
	if (need_bytes(j, "symkey", o->key, sizeof(o->key), e) < 0 ||
	    json_want_str(j, "digest", &digest, e) < 0 ||
	    json_need_obj(j, "cipheroptions", &options, e) < 0 ||
	    need_bytes(options, "nonce", o->nonce, sizeof(o->nonce), e) < 0)
		return -1;
	if (!reference_digest_valid(digest))
		return err_set(e, ERR_FORMAT, "they have no digest");
	memcpy(o->digest, digest, strlen(digest) + 1);
	return 0;
}

static int
read_public(const char *text, struct wrapped_options *o, struct err *e)
{
	own_json json_t *j = NULL;
	own_mem char *decoded = NULL;
	const char *cipher;
	size_t n;

	if (text == NULL || (decoded = base64_decode(text, &n)) == NULL)
		return err_set(
		    e, ERR_FORMAT, text == NULL ? "they are missing" : "they are no base64");
	if ((j = json_read_max(decoded, n, TEXT_MAX, 8, e)) == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "they are no object");
	if (json_need_str(j, "cipher", &cipher, e) < 0)
		return -1;
	if (strcmp(cipher, CIPHER) != 0)
		return err_set(e, ERR_UNSUPPORTED, "unsupported cipher type: %.64s", cipher);
	return need_bytes(j, "hmac", o->hmac, sizeof(o->hmac), e);
}

int
wrapped_options(
    const struct bytes *box, const char *public_options, struct wrapped_options *out, struct err *e)
{
	struct wrapped_options o = {0};
	int r = -1;

	if (read_private(box, &o, e) < 0)
		err_wrap(e, "private options");
	else if (read_public(public_options, &o, e) < 0)
		err_wrap(e, "public options");
	else
		r = 0;
	if (r == 0)
		*out = o;
	explicit_bzero(&o, sizeof(o));
	return r;
}

static void
put_bytes(json_t *j, const char *key, const uint8_t *p, size_t n)
{
	own_mem char *text = base64_encode(p, n);

	json_put_str(j, key, text);
	explicit_bzero(text, strlen(text));
}

char *
wrapped_private_text(const struct wrapped_options *o)
{
	own_json json_t *j = json_obj();

	put_bytes(j, "symkey", o->key, sizeof(o->key));
	json_put_str(j, "digest", o->digest);
	put_bytes(json_put_obj(j, "cipheroptions"), "nonce", o->nonce, sizeof(o->nonce));
	return json_text(j);
}

char *
wrapped_public_text(const struct wrapped_options *o)
{
	own_json json_t *j = json_obj();

	json_put_str(j, "cipher", CIPHER);
	put_bytes(j, "hmac", o->hmac, sizeof(o->hmac));
	(void)json_put_obj(j, "cipheroptions");
	return json_text(j);
}
