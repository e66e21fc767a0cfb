/* SPDX-License-Identifier: ISC */
/*
 * pod-image-sign: the worker that holds a signing key, or knows whom to encrypt for.  It keeps the caller's
 * power, because the caller's gpg and its keyring need that; what it sees of an image is its name and its digest,
 * and those are checked before they are signed, and the keys that were made for its layers.
 */
#include <gpgme.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"
#include "common/wire/worker.h"
#include "pod-image/sign/key.h"
#include "pod-image/sign/recipient.h"

#define KEY_ID_LEN 8
#define TYPE_SIMPLE "atomic container signature"
#define TYPE_SIGSTORE "cosign container image signature"
#define SIGNATURE_MAX 65536

enum { PHASE_SETUP = 1, PHASE_WORK = 2 };

struct signer {
	unsigned phase;
	gpgme_ctx_t gpg;  /* or NULL */
	EVP_PKEY *key;	  /* or NULL */
	char *passphrase; /* or NULL */
	struct recipients recipients;
};

static char *
payload(const char *type, const char *reference, const char *digest)
{
	own_json json_t *j = json_obj();
	json_t *critical = json_put_obj(j, "critical"), *optional;

	json_put_str(json_put_obj(critical, "identity"), "docker-reference", reference);
	json_put_str(json_put_obj(critical, "image"), "docker-manifest-digest", digest);
	json_put_str(critical, "type", type);
	optional = json_put_obj(j, "optional");
	json_put_str(optional, "creator", "pod " POD_VERSION);
	json_put_int(optional, "timestamp", (int64_t)time(NULL));
	return json_text(j);
}

/* --- OpenPGP ---------------------------------------------------------------------------------- */

static int
gpg_fail(gpgme_error_t code, const char *what, struct err *e)
{
	char said[128];

	gpgme_strerror_r(code, said, sizeof(said));
	return err_set(e, gpgme_err_code(code) == GPG_ERR_BAD_PASSPHRASE ? ERR_AUTH : ERR_NOTFOUND,
	    "%s: %s", what, said);
}

static gpgme_error_t
give_passphrase(void *arg, const char *hint, const char *info, int again, int fd)
{
	const struct signer *s = arg;

	(void)hint;
	(void)info;
	if (again || gpgme_io_writen(fd, s->passphrase, strlen(s->passphrase)) != 0 ||
	    gpgme_io_writen(fd, "\n", 1) != 0)
		return gpgme_error(GPG_ERR_CANCELED);
	return 0;
}

/*
 * gpgme_get_key takes nothing shorter than a key's ID: the one secret key that the keyring finds for the word.
 */
static gpgme_error_t
find_short(gpgme_ctx_t gpg, const char *id, gpgme_key_t *out)
{
	gpgme_key_t more = NULL;
	gpgme_error_t code = gpgme_op_keylist_start(gpg, id, 1);

	if (code != 0)
		return code;
	code = gpgme_op_keylist_next(gpg, out);
	if (code == 0 && gpgme_op_keylist_next(gpg, &more) == 0) {
		gpgme_key_unref(more);
		code = gpgme_error(GPG_ERR_AMBIGUOUS_NAME);
	}
	gpgme_op_keylist_end(gpg);
	return code;
}

static int
open_gpg(struct signer *s, const char *id, struct err *e)
{
	gpgme_key_t key = NULL;
	gpgme_error_t code;

	gpgme_check_version(NULL);
	code = gpgme_new(&s->gpg);
	if (code == 0)
		code = strlen(id) < KEY_ID_LEN ? find_short(s->gpg, id, &key)
					       : gpgme_get_key(s->gpg, id, &key, 1);
	if (code == 0)
		code = gpgme_signers_add(s->gpg, key);
	if (key != NULL)
		gpgme_key_unref(key);
	if (code != 0)
		return err_set(e, ERR_NOTFOUND,
		    "Error creating signature: no secret key \"%s\": %s", id, gpgme_strerror(code));
	if (s->passphrase != NULL) {
		gpgme_set_pinentry_mode(s->gpg, GPGME_PINENTRY_MODE_LOOPBACK);
		gpgme_set_passphrase_cb(s->gpg, give_passphrase, s);
	}
	return 0;
}

static int
sign_gpg(struct signer *s, const char *text, struct arena *a, struct bytes *out, struct err *e)
{
	gpgme_data_t in = NULL, made = NULL;
	gpgme_error_t code = gpgme_data_new_from_mem(&in, text, strlen(text), 0);
	char *bytes = NULL;
	size_t n = 0;

	if (code == 0)
		code = gpgme_data_new(&made);
	if (code == 0)
		code = gpgme_op_sign(s->gpg, in, made, GPGME_SIG_MODE_NORMAL);
	if (in != NULL)
		gpgme_data_release(in);
	if (code != 0) {
		if (made != NULL)
			gpgme_data_release(made);
		return gpg_fail(code, "Error creating signature", e);
	}
	bytes = gpgme_data_release_and_get_mem(made, &n);
	*out = (struct bytes){memcpy(arena_alloc(a, n + 1), bytes, n), n};
	gpgme_free(bytes);
	return 0;
}

/* --- Sigstore --------------------------------------------------------------------------------- */

static int
sign_sigstore(struct signer *s, const char *text, struct arena *a, const char **out, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_PKEY_is_a(s->key, "ED25519") ? NULL : EVP_sha256();
	uint8_t sig[2048];
	size_t n = sizeof(sig);
	bool made = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, s->key) == 1 &&
		    EVP_DigestSign(ctx, sig, &n, (const uint8_t *)text, strlen(text)) == 1;

	EVP_MD_CTX_free(ctx);
	if (!made)
		return err_set(e, ERR_INTERNAL, "Error creating signature");
	{
		own_mem char *base64 = base64_encode(sig, n);

		*out = arena_strdup(a, base64);
	}
	return 0;
}

/* --- Requests --------------------------------------------------------------------------------- */

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_sign_setup *m = MSG_OF(in, sign_setup);
	struct signer *s = arg;

	s->phase = PHASE_WORK;
	if (m->passphrase != NULL)
		s->passphrase = xstrdup(m->passphrase);
	if (m->gpg_key != NULL && open_gpg(s, m->gpg_key, e) < 0)
		return -1;
	if (m->private_key.n > 0 && (s->key = key_open(&m->private_key, m->passphrase, e)) == NULL)
		return -1;
	arena_wipe(&in->arena);
	in->msg = NULL;
	return peer_send_ok(p, in->seq, e);
}

static int
check_image(const struct msg_sign_image *m, struct err *e)
{
	own_reference struct reference r = {0};

	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	if (reference_parse(m->reference, &r, e) < 0)
		return -1;
	if (r.domain == NULL || (r.tag == NULL && r.digest == NULL))
		return err_set(e, ERR_INVALID,
		    "Sign identity must be a fully specified reference %s", m->reference);
	return 0;
}

static int
on_image(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_sign_image *m = MSG_OF(in, sign_image);
	struct signer *s = arg;
	struct msg_sign_image_r out = {0};
	own_mem char *simple = NULL, *sigstore = NULL;

	if (check_image(m, e) < 0)
		return -1;
	simple = payload(TYPE_SIMPLE, m->reference, m->digest);
	sigstore = payload(TYPE_SIGSTORE, m->reference, m->digest);
	if (s->gpg != NULL && sign_gpg(s, simple, &in->arena, &out.simple, e) < 0)
		return -1;
	if (s->key != NULL) {
		if (sign_sigstore(s, sigstore, &in->arena, &out.signature, e) < 0)
			return -1;
		out.payload = (struct bytes){(const uint8_t *)sigstore, strlen(sigstore)};
	}
	return peer_send(p, &msg_sign_image_r_desc, in->seq, &out, e);
}

static int
on_generate(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_sign_generate *m = MSG_OF(in, sign_generate);
	own_mem char *private = NULL, *public = NULL;
	struct msg_sign_generate_r out;

	(void)arg;
	if (key_generate(m->passphrase, &private, &public, e) < 0)
		return -1;
	arena_wipe(&in->arena);
	in->msg = NULL;
	out = (struct msg_sign_generate_r){.private_key = private, .public_key = public};
	return peer_send(p, &msg_sign_generate_r_desc, in->seq, &out, e);
}

static int
on_recipients(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct strs *names = &MSG_OF(in, sign_recipients)->names;
	struct signer *s = arg;

	s->phase = PHASE_WORK;
	for (size_t i = 0; i < names->n; i++)
		if (recipient_add(&s->recipients, names->v[i], e) < 0)
			return -1;
	return peer_send_ok(p, in->seq, e);
}

static int
on_seal(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct signer *s = arg;
	struct msg_sign_sealed out = {0};

	if (s->recipients.keys.n == 0)
		return err_set(e, ERR_INVALID, "there is nobody to encrypt for");
	if (recipient_seal(&s->recipients, &MSG_OF(in, sign_seal)->data, &out.pgp, &in->arena, e) <
	    0)
		return -1;
	return peer_send(p, &msg_sign_sealed_desc, in->seq, &out, e);
}

static const struct peer_handler handlers[] = {
    {&msg_sign_setup_desc, PHASE_SETUP, PEER_ONCE, on_setup},
    {&msg_sign_recipients_desc, PHASE_SETUP, PEER_ONCE, on_recipients},
    {&msg_sign_seal_desc, PHASE_WORK, 0, on_seal},
    {&msg_sign_generate_desc, PHASE_SETUP, PEER_ONCE, on_generate},
    {&msg_sign_image_desc, PHASE_WORK, 0, on_image},
};

int
main(int argc, char **argv)
{
	struct signer s = {.phase = PHASE_SETUP};
	const struct worker_face face = {.role = ROLE_SIGN,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .phase = &s.phase,
	    .arg = &s};

	return worker_main(&face, argc, argv);
}
