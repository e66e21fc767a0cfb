/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-image/sign/recipient.h"

static int
fail(gpgme_error_t code, const char *what, struct err *e)
{
	char said[128];

	gpgme_strerror_r(code, said, sizeof(said));
	return err_set(e, ERR_INTERNAL, "%s: %s", what, said);
}

static bool
is_of(const struct _gpgme_key *key, const char *name)
{
	for (const struct _gpgme_user_id *u = key->uids; u != NULL; u = u->next)
		if (!u->revoked && !u->invalid &&
		    ((u->email != NULL && strcmp(u->email, name) == 0) ||
			(u->name != NULL && strcmp(u->name, name) == 0)))
			return true;
	return false;
}

/* The newest part of the key that gpg would encrypt for, if we and others can read that. */
static const struct _gpgme_subkey *
choose(const struct _gpgme_key *key)
{
	const struct _gpgme_subkey *best = NULL;

	if (key->revoked || key->expired || key->disabled || key->invalid)
		return NULL;
	for (const struct _gpgme_subkey *s = key->subkeys; s != NULL; s = s->next)
		if (s->can_encrypt && !s->revoked && !s->expired && !s->disabled && !s->invalid &&
		    (s->pubkey_algo == GPGME_PK_RSA || s->pubkey_algo == GPGME_PK_RSA_E) &&
		    (best == NULL || s->timestamp > best->timestamp))
			best = s;
	return best;
}

static int
start(struct recipients *r, struct err *e)
{
	gpgme_error_t code;

	gpgme_check_version(NULL);
	code = gpgme_new(&r->gpg);
	if (code != 0)
		return fail(code, "starting gpg", e);
	/* No key is looked for elsewhere. */
	gpgme_set_offline(r->gpg, 1);
	return 0;
}

int
recipient_add(struct recipients *r, const char *name, struct err *e)
{
	bool known = false, usable = false;
	gpgme_key_t key;
	gpgme_error_t code;

	if (r->gpg == NULL && start(r, e) < 0)
		return -1;
	code = gpgme_op_keylist_start(r->gpg, name, 0);
	while (code == 0 && (code = gpgme_op_keylist_next(r->gpg, &key)) == 0) {
		const struct _gpgme_subkey *s = is_of(key, name) ? choose(key) : NULL;

		known |= is_of(key, name);
		if (s != NULL) {
			usable = true;
			/* The mark keeps gpg from choosing another part. */
			strbuf_addf(&r->keys, "%s!\n", s->fpr);
		}
		gpgme_key_unref(key);
	}
	(void)gpgme_op_keylist_end(r->gpg);
	if (code != 0 && gpgme_err_code(code) != GPG_ERR_EOF)
		return fail(code, "listing OpenPGP keys", e);
	if (usable)
		return 0;
	return known ? err_set(e, ERR_UNSUPPORTED,
			   "encrypting for pgp:%s: no RSA key of it can be used", name)
		     : err_set(e, ERR_NOTFOUND,
			   "encrypting for pgp:%s: the keyring has no key of that address", name);
}

int
recipient_seal(struct recipients *r, const struct bytes *data, struct bytes *out, struct arena *a,
    struct err *e)
{
	gpgme_data_t in = NULL, made = NULL;
	gpgme_error_t code = gpgme_data_new_from_mem(&in, (const char *)data->p, data->n, 0);
	char *bytes;
	size_t n = 0;

	if (code == 0)
		code = gpgme_data_new(&made);
	if (code == 0)
		code = gpgme_op_encrypt_ext(r->gpg, NULL, r->keys.s,
		    GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS, in, made);
	gpgme_data_release(in);
	if (code != 0) {
		gpgme_data_release(made);
		return fail(code, "encrypting by gpg", e);
	}
	bytes = gpgme_data_release_and_get_mem(made, &n);
	*out = (struct bytes){memcpy(arena_alloc(a, n + 1), bytes, n), n};
	gpgme_free(bytes);
	return 0;
}
