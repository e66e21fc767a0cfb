/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/base64.h"
#include "common/role/spawn.h"
#include "pod-image/crypt.h"

#define FILE_MAX ((size_t)1 << 20)
#define LAYER_HINT "give the key with --decryption-key"

void
crypt_free(struct crypt *c)
{
	peer_free(c->keys);
	peer_free(c->gpg);
	for (size_t i = 0; i < CRYPT_SLOTS; i++) {
		peer_free(c->coders[CRYPT_OPEN][i]);
		peer_free(c->coders[CRYPT_SEAL][i]);
	}
	memset(c, 0, sizeof(*c));
}

/* --- Preparing -------------------------------------------------------------------------------- */

struct files { /* contents, overwritten in the end */
	struct strbuf v[128];
	size_t n;
};

static void
files_free(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].s != NULL)
			explicit_bzero(f->v[i].s, f->v[i].n);
		strbuf_free(&f->v[i]);
	}
}

static int
read_key(struct files *f, const char *path, struct bytes *out, struct err *e)
{
	struct strbuf *b = &f->v[f->n];
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, "reading the key %s", path);
	if (file_slurp(fd, FILE_MAX, path, &b->s, &b->n, e) < 0)
		return -1;
	f->n++;
	*out = (struct bytes){(const uint8_t *)b->s, b->n};
	return b->n > 0 ? 0 : err_set(e, ERR_FORMAT, "the key %s is empty", path);
}

static int
fill_private(
    struct rec_private_key *out, const struct rec_decryption_key *k, struct files *f, struct err *e)
{
	*out = (struct rec_private_key){.name = k->path, .passphrase = k->passphrase};
	return read_key(f, k->path, &out->data, e);
}

/* For the worker with keys; *pgp: it is for gpg instead. */
static int
fill_recipient(
    struct rec_recipient *out, const char *word, struct files *f, bool *pgp, struct err *e)
{
	*out = (struct rec_recipient){.name = word};
	*pgp = text_has_prefix(word, "pgp:");
	if (*pgp)
		return word[4] != '\0'
			   ? 0
			   : err_set(e, ERR_USAGE,
				 "Invalid encryption keys: %s: expected pgp:ADDRESS", word);
	if (text_has_prefix(word, "jwe:"))
		out->scheme = "jwe";
	else if (text_has_prefix(word, "pkcs7:"))
		out->scheme = "pkcs7";
	else if (text_has_prefix(word, "pkcs11:") || text_has_prefix(word, "provider:"))
		return err_set(e, ERR_UNSUPPORTED,
		    "Invalid encryption keys: %.300s: only jwe:, pgp: and pkcs7: are supported",
		    word);
	else
		return err_set(e, ERR_USAGE,
		    "Invalid encryption keys: %.300s: expected jwe:PATH, pgp:ADDRESS or pkcs7:PATH",
		    word);
	return read_key(f, strchr(word, ':') + 1, &out->data, e);
}

static int
start_keys(struct crypt *c, const struct msg_keys_setup *setup, struct err *e)
{
	c->keys = spawn_peer(ROLE_IMAGE, ROLE_KEYS, NULL, e);
	if (c->keys == NULL)
		return -1;
	c->opens = setup->private_keys.n > 0;
	c->boxes = setup->recipients.n > 0;
	c->setup = peer_next_seq(c->keys);
	return peer_send(c->keys, &msg_keys_setup_desc, c->setup, setup, e);
}

static int
start_gpg(struct crypt *c, const struct msg_sign_recipients *m, struct err *e)
{
	c->gpg = spawn_peer(ROLE_IMAGE, ROLE_SIGN, NULL, e);
	if (c->gpg == NULL)
		return -1;
	c->gpg_setup = peer_next_seq(c->gpg);
	return peer_send(c->gpg, &msg_sign_recipients_desc, c->gpg_setup, m, e);
}

static int
start_holders(struct crypt *c, const struct rec_registry_access *access,
    const struct rec_encryption *wish, struct err *e)
{
	size_t n = access != NULL ? access->decryption_keys.n : 0;
	size_t m = wish != NULL ? wish->recipients.n : 0;
	struct rec_private_key private[64];
	struct rec_recipient recipients[64];
	const char *names[64];
	struct msg_keys_setup setup = {.private_keys = {private, n}, .recipients = {recipients, 0}};
	struct msg_sign_recipients gpg = {.names = {names, 0}};
	own(files_free) struct files files = {0};

	if (n > COUNTOF(private) || m > COUNTOF(recipients))
		return err_set(e, ERR_LIMIT, "too many keys");
	for (size_t i = 0; i < n; i++)
		if (fill_private(&private[i], &access -> decryption_keys.v[i], &files, e) < 0)
			return err_wrap(e, "Invalid decryption keys");
	for (size_t i = 0; i < m; i++) {
		const char *word = wish->recipients.v[i];
		bool pgp;

		if (fill_recipient(&recipients[setup.recipients.n], word, &files, &pgp, e) < 0)
			return -1;
		if (pgp)
			names[gpg.names.n++] = word + strlen("pgp:");
		else
			setup.recipients.n++;
	}
	c->seals = m > 0;
	c->wish = wish;
	if (n + setup.recipients.n > 0 && start_keys(c, &setup, e) < 0)
		return -1;
	return gpg.names.n > 0 ? start_gpg(c, &gpg, e) : 0;
}

static int
start_coders(struct crypt *c, enum crypt_way way, struct err *e)
{
	for (size_t i = 0; i < CRYPT_SLOTS; i++) {
		c->coders[way][i] = spawn_peer(ROLE_IMAGE, ROLE_RECODE, NULL, e);
		if (c->coders[way][i] == NULL)
			return -1;
	}
	return 0;
}

static void
wipe(struct rec_registry_access *access)
{
	for (size_t i = 0; access != NULL && i < access->decryption_keys.n; i++) {
		const char *s = access->decryption_keys.v[i].passphrase;

		if (s != NULL)
			explicit_bzero((char *)(uintptr_t)s, strlen(s));
	}
}

int
crypt_prepare(struct crypt *c, struct rec_registry_access *access,
    const struct rec_encryption *wish, struct err *e)
{
	int r;

	if (wish != NULL && wish->recipients.n == 0)
		return wish->layers.n == 0
			   ? 0
			   : err_set(e, ERR_USAGE,
				 "--encrypt-layer needs a key to encrypt with: --encryption-key");
	if (wish == NULL && (access == NULL || access->decryption_keys.n == 0))
		return 0;
	r = start_holders(c, access, wish, e);
	wipe(access);
	if (r < 0 || (c->opens && start_coders(c, CRYPT_OPEN, e) < 0) ||
	    (c->seals && start_coders(c, CRYPT_SEAL, e) < 0))
		return -1;
	return 0;
}

void
crypt_fds(const struct crypt *c, struct keep *k)
{
	keep_peer(k, c->keys);
	keep_peer(k, c->gpg);
	for (size_t i = 0; i < CRYPT_SLOTS; i++)
		for (size_t way = 0; way < 2; way++)
			keep_peer(k, c->coders[way][i]);
}

/* --- The worker with the keys ----------------------------------------------------------------- */

static int
open_box(struct crypt *c, const struct manifest_desc *d, struct wrapped_options *out, struct err *e)
{
	struct wrapped *w = xcalloc(1, sizeof(*w));
	struct msg_keys_open m = {0};
	own_peer_in struct peer_in in = {0};
	int r = wrapped_parse(w, d->encrypted, e);

	if (r == 0 && w->n == 0)
		r = err_set(e, ERR_UNSUPPORTED,
		    w->foreign > 0 ? "it is encrypted in a way that is not supported"
				   : "it is encrypted for nobody");
	m.ways.v = w->v;
	m.ways.n = w->n;
	if (r == 0)
		r = peer_call(c->keys, &msg_keys_open_desc, &m, &in, NULL, NULL, e);
	if (r == 0) {
		r = wrapped_options(&MSG_OF(&in, keys_opened)->data, d->encrypted->options, out, e);
		arena_wipe(&in.arena);
		in.msg = NULL;
	}
	wrapped_free(w);
	free(w);
	return r;
}

int
crypt_open(
    struct crypt *c, const struct manifest_desc *d, struct wrapped_options *out, struct err *e)
{
	if (c == NULL || !c->opens) {
		err_set(e, ERR_AUTH,
		    "decrypting layer %s: missing private key needed for decryption", d->digest);
		return err_hint(e, "%s", LAYER_HINT);
	}
	if (manifest_layer_form(d->encrypted->plain_type) == MANIFEST_LAYER_UNKNOWN) {
		char shown[200];

		text_escape(d->media_type, shown, sizeof(shown));
		return err_set(e, ERR_UNSUPPORTED, "unsupported layer media type \"%s\"", shown);
	}
	if (peer_settle(c->keys, &msg_keys_setup_desc, &c->setup, e) < 0)
		return -1;
	return open_box(c, d, out, e) < 0 ? err_wrap(e, "decrypting layer %s", d->digest) : 0;
}

int
crypt_new(struct wrapped_options *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (getrandom(out->key, sizeof(out->key), 0) != sizeof(out->key) ||
	    getrandom(out->nonce, sizeof(out->nonce), 0) != sizeof(out->nonce))
		return err_sys(e, "making a random key");
	return 0;
}

static void
put_base64(json_t *j, const char *key, const void *p, size_t n)
{
	own_mem char *text = base64_encode(p, n);

	json_put_str(j, key, text);
}

/* By the worker with keys. */
static int
seal_boxes(struct crypt *c, const struct bytes *secret, json_t *annotations, struct err *e)
{
	struct msg_keys_seal m = {.data = *secret};
	own_peer_in struct peer_in in = {0};
	const struct msg_keys_sealed *boxes;

	if (peer_call(c->keys, &msg_keys_seal_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	boxes = MSG_OF(&in, keys_sealed);
	if (boxes->jwe.n > 0)
		put_base64(annotations, MANIFEST_ENCRYPTED_ANNOTATION "keys.jwe", boxes->jwe.p,
		    boxes->jwe.n);
	if (boxes->pkcs7.n > 0)
		put_base64(annotations, MANIFEST_ENCRYPTED_ANNOTATION "keys.pkcs7", boxes->pkcs7.p,
		    boxes->pkcs7.n);
	return 0;
}

/* A newer gpg may encipher in a way that others do not read: we find out by reading it as they would. */
static int
check_message(const struct bytes *pgp, struct err *e)
{
	struct wrapped *w = xcalloc(1, sizeof(*w));
	int r = wrapped_pgp(w, pgp->p, pgp->n, e);

	if (r == 0 && (w->n == 0 || w->foreign > 0))
		r = err_set(e, ERR_UNSUPPORTED,
		    "gpg encrypts for these keys in a way that is not supported");
	wrapped_free(w);
	free(w);
	return r;
}

static int
seal_message(struct crypt *c, const struct bytes *secret, json_t *annotations, struct err *e)
{
	struct msg_sign_seal m = {.data = *secret};
	own_peer_in struct peer_in setup = {0}, in = {0};
	uint32_t waited = c->gpg_setup;
	const struct bytes *pgp;

	c->gpg_setup = 0;
	if ((waited != 0 &&
		peer_wait(c->gpg, &msg_sign_recipients_desc, waited, &setup, NULL, NULL, e) < 0) ||
	    peer_call(c->gpg, &msg_sign_seal_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	pgp = &MSG_OF(&in, sign_sealed)->pgp;
	if (check_message(pgp, e) < 0)
		return -1;
	put_base64(annotations, MANIFEST_ENCRYPTED_ANNOTATION "keys.pgp", pgp->p, pgp->n);
	return 0;
}

int
crypt_annotate(struct crypt *c, const struct wrapped_options *o, json_t *annotations, struct err *e)
{
	own_mem char *private = wrapped_private_text(o), *public = wrapped_public_text(o);
	struct bytes secret = {(const uint8_t *)private, strlen(private)};
	int r = c->boxes ? seal_boxes(c, &secret, annotations, e) : 0;

	if (r == 0 && c->gpg != NULL)
		r = seal_message(c, &secret, annotations, e);
	explicit_bzero(private, strlen(private));
	if (r < 0)
		return err_wrap(e, "encrypting a layer");
	put_base64(annotations, MANIFEST_ENCRYPTED_ANNOTATION "pubopts", public, strlen(public));
	return 0;
}

/* --- Layers ----------------------------------------------------------------------------------- */

static int
layer_number(const char *word, size_t n, size_t *out)
{
	bool from_end = word[0] == '-';
	uint64_t number;

	if (text_to_u64(word + from_end, MANIFEST_LAYERS_MAX, &number) < 0)
		return -1;
	if (from_end ? number == 0 || number > n : number >= n)
		return -1;
	*out = from_end ? n - number : number;
	return 0;
}

bool
crypt_seals(const struct crypt *c, size_t k, size_t n)
{
	if (c == NULL || !c->seals)
		return false;
	for (size_t i = 0; i < c->wish->layers.n; i++) {
		size_t number;

		if (layer_number(c->wish->layers.v[i], n, &number) == 0 && number == k)
			return true;
	}
	return c->wish->layers.n == 0;
}

int
crypt_check(struct crypt *c, size_t n, struct err *e)
{
	if (c == NULL || !c->seals)
		return 0;
	for (size_t i = 0; i < c->wish->layers.n; i++) {
		size_t number;

		if (layer_number(c->wish->layers.v[i], n, &number) < 0)
			return err_set(e, ERR_USAGE,
			    "there is no layer %.32s to encrypt: the image has %zu",
			    c->wish->layers.v[i], n);
	}
	return peer_settle(c->keys, &msg_keys_setup_desc, &c->setup, e) < 0
		   ? -1
		   : peer_settle(c->gpg, &msg_sign_recipients_desc, &c->gpg_setup, e);
}

int
crypt_ask(struct crypt *c, enum crypt_way way, size_t slot, const struct wrapped_options *o,
    const char *digest, int in, int out, uint32_t *seq, struct err *e)
{
	struct peer *coder = c->coders[way][slot];
	struct msg_recrypt m = {.seal = way == CRYPT_SEAL,
	    .key = {o->key, sizeof(o->key)},
	    .nonce = {o->nonce, sizeof(o->nonce)},
	    .digest = digest,
	    .in = in,
	    .out = out};

	if (way == CRYPT_OPEN)
		m.hmac = (struct bytes){o->hmac, sizeof(o->hmac)};
	*seq = peer_next_seq(coder);
	return peer_send(coder, &msg_recrypt_desc, *seq, &m, e);
}

/* --- Manifests -------------------------------------------------------------------------------- */

void
crypt_strip(json_t *layer)
{
	json_t *notes = json_object_get(layer, "annotations"), *value;
	const char *key;
	void *next;

	json_object_foreach_safe (notes, next, key, value) {
		if (text_has_prefix(key, MANIFEST_ENCRYPTED_ANNOTATION))
			json_object_del(notes, key);
	}
	if (notes != NULL && json_object_size(notes) == 0)
		json_object_del(layer, "annotations");
}

char *
crypt_plain_manifest(const struct bytes *manifest, const struct manifest_desc *layers,
    struct wrapped_options *const *options, size_t n, struct err *e)
{
	own_json json_t *j = json_read((const char *)manifest->p, manifest->n, e);
	json_t *list = json_object_get(j, "layers");

	if (j == NULL)
		return NULL;
	for (size_t k = 0; k < n; k++) {
		json_t *l = json_array_get(list, k);

		if (options[k] == NULL)
			continue;
		json_put_str(l, "mediaType", layers[k].encrypted->plain_type);
		json_put_str(l, "digest", options[k]->digest);
		crypt_strip(l);
	}
	return json_text(j);
}
