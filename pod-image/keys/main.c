/* SPDX-License-Identifier: ISC */
/*
 * pod-image-keys: the worker that holds the caller's keys for encrypted layers.  It opens and seals boxes with
 * the key of a layer; what comes from elsewhere has been taken apart before, by who asks: it gets numbers and
 * strings of bytes, none of which it parses.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/wire/worker.h"
#include "pod-image/keys/box.h"
#include "pod-image/keys/pgp.h"
#include "pod-image/keys/seal.h"

#define KEYS_MAX 64

enum { PHASE_SETUP = 1, PHASE_WORK = 2 };

struct keys {
	unsigned phase;
	EVP_PKEY *private[KEYS_MAX];
	size_t nprivate;
	struct seal_recipient recipients[KEYS_MAX];
	size_t nrecipients;
};

/* --- Keys ------------------------------------------------------------------------------------- */

struct asked { /* for a passphrase */
	const char *passphrase;
	bool any;
};

static int
give_passphrase(char *buffer, int size, int writing, void *arg)
{
	struct asked *asked = arg;
	size_t n = asked->passphrase != NULL ? strlen(asked->passphrase) : 0;

	(void)writing;
	asked->any = true;
	if (asked->passphrase == NULL || n > (size_t)size)
		return -1;
	memcpy(buffer, asked->passphrase, n);
	return (int)n;
}

static BIO *
open_bytes(const struct bytes *b)
{
	BIO *bio = BIO_new_mem_buf(b->p, (int)b->n);

	if (bio == NULL)
		abort();
	return bio;
}

static EVP_PKEY *
read_private(const struct rec_private_key *k, struct asked *asked)
{
	BIO *bio = open_bytes(&k->data);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, asked);

	BIO_free(bio);
	if (key == NULL && !asked->any) {
		bio = open_bytes(&k->data);
		key = d2i_PrivateKey_bio(bio, NULL);
		BIO_free(bio);
	}
	if (key == NULL && !asked->any) {
		bio = open_bytes(&k->data);
		key = d2i_PKCS8PrivateKey_bio(bio, NULL, give_passphrase, asked);
		BIO_free(bio);
	}
	ERR_clear_error();
	return key;
}

static X509 *
read_certificate(const struct bytes *data)
{
	BIO *bio = open_bytes(data);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (certificate == NULL) {
		bio = open_bytes(data);
		certificate = d2i_X509_bio(bio, NULL);
		BIO_free(bio);
	}
	ERR_clear_error();
	return certificate;
}

static EVP_PKEY *
read_public(const struct bytes *data)
{
	BIO *bio = open_bytes(data);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (key == NULL) {
		bio = open_bytes(data);
		key = d2i_PUBKEY_bio(bio, NULL);
		BIO_free(bio);
	}
	ERR_clear_error();
	return key;
}

static int
locked(const struct rec_private_key *k, struct err *e)
{
	return err_set(e, ERR_AUTH, "private key %s: %s", k->name,
	    k->passphrase != NULL ? "wrong passphrase"
				  : "it is encrypted, and no passphrase was given");
}

static int
add_pgp(struct keys *s, const struct rec_private_key *k, struct err *e)
{
	bool shut;
	size_t n = pgp_read_keys(
	    &k->data, k->passphrase, s->private + s->nprivate, KEYS_MAX - s->nprivate, &shut);

	ERR_clear_error();
	s->nprivate += n;
	if (n > 0)
		return 0;
	return shut ? locked(k, e)
		    : err_set(e, ERR_UNSUPPORTED, "%s holds no RSA key for OpenPGP", k->name);
}

/* Certificates may be given beside their keys, as other engines want them; here they are not needed. */
static int
add_private(struct keys *s, const struct rec_private_key *k, struct err *e)
{
	struct asked asked = {.passphrase = k->passphrase};
	EVP_PKEY *key;
	X509 *certificate;

	if (pgp_is_key(&k->data))
		return add_pgp(s, k, e);
	key = read_private(k, &asked);
	if (key != NULL && s->nprivate == KEYS_MAX) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_LIMIT, "too many keys");
	}
	if (key != NULL) {
		s->private[s->nprivate++] = key;
		return 0;
	}
	if (asked.any)
		return locked(k, e);
	certificate = read_certificate(&k->data);
	if (certificate == NULL)
		return err_set(e, ERR_FORMAT, "%s is no private key and no certificate", k->name);
	X509_free(certificate);
	return 0;
}

static int
add_recipient(struct keys *s, const struct rec_recipient *k, struct err *e)
{
	struct seal_recipient *r = &s->recipients[s->nrecipients];

	*r = (struct seal_recipient){.name = xstrdup(k->name)};
	if (strcmp(k->scheme, "pkcs7") == 0) {
		r->scheme = "pkcs7";
		r->certificate = read_certificate(&k->data);
		r->key = r->certificate != NULL ? X509_get_pubkey(r->certificate) : NULL;
	} else if (strcmp(k->scheme, "jwe") == 0) {
		r->scheme = "jwe";
		r->key = read_public(&k->data);
	} else {
		return err_set(e, ERR_INVALID, "unknown scheme of a recipient");
	}
	if (r->key == NULL)
		return err_set(e, ERR_FORMAT, "%s is no %s", k->name,
		    r->scheme[0] == 'p' ? "certificate" : "public key");
	s->nrecipients++;
	return 0;
}

/* --- Requests --------------------------------------------------------------------------------- */

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_keys_setup *m = MSG_OF(in, keys_setup);
	struct keys *s = arg;
	int r = 0;

	s->phase = PHASE_WORK;
	for (size_t i = 0; i < m->private_keys.n && r == 0; i++)
		r = add_private(s, &m->private_keys.v[i], e);
	for (size_t i = 0; i < m->recipients.n && r == 0; i++)
		r = add_recipient(s, &m->recipients.v[i], e);
	arena_wipe(&in->arena);
	in->msg = NULL;
	return r < 0 ? -1 : peer_send_ok(p, in->seq, e);
}

static int
on_open(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_keys_open *m = MSG_OF(in, keys_open);
	const struct keys *s = arg;
	struct msg_keys_opened out = {0};
	int r = 0;

	if (s->nprivate == 0)
		return err_set(e, ERR_AUTH, "missing private key needed for decryption");
	for (size_t i = 0; i < m->ways.n * s->nprivate && r == 0; i++)
		r = box_open(s->private[i % s->nprivate], &m -> ways.v[i / s->nprivate], &out.data);
	if (r == 0)
		return err_set(
		    e, ERR_AUTH, "none of the private keys could be used for decryption");
	r = peer_send(p, &msg_keys_opened_desc, in->seq, &out, e);
	explicit_bzero((void *)(uintptr_t)out.data.p, out.data.n);
	free((void *)(uintptr_t)out.data.p);
	return r;
}

static int
on_seal(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct bytes *data = &MSG_OF(in, keys_seal)->data;
	const struct keys *s = arg;
	struct msg_keys_sealed out = {0};

	if (s->nrecipients == 0)
		return err_set(e, ERR_INVALID, "there is nobody to encrypt for");
	if (seal_count(s->recipients, s->nrecipients, "jwe") > 0 &&
	    seal_jwe(s->recipients, s->nrecipients, data, &out.jwe, &in->arena, e) < 0)
		return -1;
	if (seal_count(s->recipients, s->nrecipients, "pkcs7") > 0 &&
	    seal_pkcs7(s->recipients, s->nrecipients, data, &out.pkcs7, &in->arena, e) < 0)
		return -1;
	return peer_send(p, &msg_keys_sealed_desc, in->seq, &out, e);
}

static const struct peer_handler handlers[] = {
    {&msg_keys_setup_desc, PHASE_SETUP, PEER_ONCE, on_setup},
    {&msg_keys_open_desc, PHASE_WORK, 0, on_open},
    {&msg_keys_seal_desc, PHASE_WORK, 0, on_seal},
};

/* The caller's openssl.cnf has no say here, nor could it be read later, nor /dev/urandom. */
static void
start_libraries(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	struct keys s = {.phase = PHASE_SETUP};
	const struct worker_face face = {.role = ROLE_KEYS,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .phase = &s.phase,
	    .arg = &s,
	    .prepare = start_libraries};

	return worker_main(&face, argc, argv);
}
