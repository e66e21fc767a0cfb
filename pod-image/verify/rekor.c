/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "common/oci/digest.h"
#include "pod-image/verify/rekor.h"
#include "pod-image/verify/sigstore.h"

#define SET_MAX 262144
#define DEPTH_MAX 16

/* The one block of a PEM text, as DER. */
static uint8_t *
der_of(const uint8_t *pem, size_t n, long *size)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;

	if (bio == NULL || PEM_read_bio(bio, &name, &header, &data, size) != 1)
		data = NULL;
	OPENSSL_free(name);
	OPENSSL_free(header);
	BIO_free(bio);
	return data;
}

static bool
same_pem(const uint8_t *a, size_t an, const struct bytes *b)
{
	long asize = 0, bsize = 0;
	uint8_t *x = der_of(a, an, &asize), *y = der_of(b->p, b->n, &bsize);
	bool same = x != NULL && y != NULL && asize == bsize && memcmp(x, y, (size_t)asize) == 0;

	OPENSSL_free(x);
	OPENSSL_free(y);
	return same;
}

static int
check_promise(
    const struct rec_verify_rule *rule, json_t *payload, const char *promise, struct err *e)
{
	size_t n = 0;
	own_mem char *sig = base64_decode(promise, &n);
	/* RFC 8785 for the members there are: ASCII strings and integers. */
	own_mem char *canonical = json_dumps(payload, JSON_SORT_KEYS | JSON_COMPACT);

	if (sig == NULL || canonical == NULL)
		return err_set(e, ERR_DENIED, "the SignedEntryTimestamp is no base64");
	for (size_t i = 0; i < rule->rekor.n; i++) {
		own_evp_pkey EVP_PKEY *key = sigstore_key(&rule->rekor.v[i].data, e);

		if (key == NULL)
			return err_wrap(e, "Rekor public key");
		if (sigstore_signed(key, canonical, strlen(canonical), (const uint8_t *)sig, n))
			return 0;
	}
	return err_set(e, ERR_DENIED, "cryptographic signature verification of Rekor SET failed");
}

static int
check_signature(
    const json_t *spec, const struct signature *s, const struct bytes *key, struct err *e)
{
	json_t *signature = NULL, *public = NULL;
	const char *content, *key_content;
	own_mem char *got = NULL, *want = NULL, *pem = NULL;
	size_t got_n = 0, want_n = 0, pem_n = 0;

	if (json_need_obj(spec, "signature", &signature, e) < 0 ||
	    json_need_str(signature, "content", &content, e) < 0 ||
	    json_need_obj(signature, "publicKey", &public, e) < 0 ||
	    json_need_str(public, "content", &key_content, e) < 0)
		return -1;
	got = base64_decode(content, &got_n);
	want = base64_decode(s->base64, &want_n);
	pem = base64_decode(key_content, &pem_n);
	if (got == NULL || want == NULL || got_n != want_n || memcmp(got, want, got_n) != 0)
		return err_set(e, ERR_DENIED, "signature in Rekor SET does not match");
	if (pem == NULL || !same_pem((const uint8_t *)pem, pem_n, key))
		return err_set(e, ERR_DENIED, "publicKey in Rekor SET does not match");
	return 0;
}

static int
check_body(const char *text, const struct signature *s, const struct bytes *key, struct err *e)
{
	size_t n = 0;
	own_mem char *plain = base64_decode(text, &n);
	own_json json_t *j = plain != NULL ? json_read_max(plain, n, SET_MAX, DEPTH_MAX, e) : NULL;
	json_t *spec = NULL, *data = NULL, *hash = NULL;
	const char *version, *kind, *algorithm, *value;
	char digest[DIGEST_TEXT];

	if (j == NULL)
		return err_set(e, ERR_DENIED, "the body of the Rekor SET is no JSON");
	if (!json_is_object(j) || json_need_str(j, "apiVersion", &version, e) < 0 ||
	    json_need_str(j, "kind", &kind, e) < 0 || json_need_obj(j, "spec", &spec, e) < 0 ||
	    json_need_obj(spec, "data", &data, e) < 0 ||
	    json_need_obj(data, "hash", &hash, e) < 0 ||
	    json_need_str(hash, "algorithm", &algorithm, e) < 0 ||
	    json_need_str(hash, "value", &value, e) < 0)
		return err_set(e, ERR_DENIED, "the body of the Rekor SET has another form");
	if (strcmp(kind, "hashedrekord") != 0 || strcmp(version, "0.0.1") != 0)
		return err_set(e, ERR_DENIED, "unsupported Rekor entry %.32s %.32s", kind, version);
	if (check_signature(spec, s, key, e) < 0)
		return -1;
	digest_of(s->payload.p, s->payload.n, digest);
	if (strcmp(algorithm, "sha256") != 0 || strcmp(value, digest + strlen("sha256:")) != 0)
		return err_set(e, ERR_DENIED, "digest in Rekor SET does not match");
	return 0;
}

int
rekor_check(const struct rec_verify_rule *rule, const struct signature *s, const struct bytes *key,
    int64_t *time, struct err *e)
{
	static const char *const keys[] = {"SignedEntryTimestamp", "Payload", NULL};
	static const char *const payload_keys[] = {
	    "body", "integratedTime", "logIndex", "logID", NULL};
	own_json json_t *j = NULL;
	json_t *payload = NULL;
	const char *promise, *body, *id;
	int64_t when, number;

	if (s->set == NULL)
		return err_set(e, ERR_DENIED, "missing dev.sigstore.cosign/bundle annotation");
	j = json_read_max(s->set, strlen(s->set), SET_MAX, DEPTH_MAX, e);
	if (j == NULL || json_only_keys(j, keys, e) < 0 ||
	    json_need_str(j, keys[0], &promise, e) < 0 ||
	    json_need_obj(j, keys[1], &payload, e) < 0 ||
	    json_only_keys(payload, payload_keys, e) < 0 ||
	    json_need_str(payload, "body", &body, e) < 0 ||
	    json_need_int(payload, "integratedTime", 0, INT64_MAX, &when, e) < 0 ||
	    json_need_int(payload, "logIndex", 0, INT64_MAX, &number, e) < 0 ||
	    json_need_str(payload, "logID", &id, e) < 0)
		return err_wrap(e, "parsing Rekor SET");
	if (check_promise(rule, payload, promise, e) < 0 || check_body(body, s, key, e) < 0)
		return -1;
	if (time != NULL)
		*time = when;
	return 0;
}
