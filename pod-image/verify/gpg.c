/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gpgme.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/verify/gpg.h"
#include "pod-image/verify/payload.h"

#define PROGRAM "/usr/bin/gpg"

struct gpg {
	gpgme_ctx_t ctx;
	char home[64];
};

static int
fail(gpgme_error_t code, struct err *e, const char *what)
{
	char said[128];

	gpgme_strerror_r(code, said, sizeof(said));
	if (gpgme_err_code(code) == GPG_ERR_INV_ENGINE)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s is missing; install gpg", what, PROGRAM);
	return err_set(e, ERR_DENIED, "%s: %s", what, said);
}

void
gpg_free(struct gpg *g)
{
	if (g == NULL)
		return;
	if (g->ctx != NULL)
		gpgme_release(g->ctx);
	free(g);
}

static int
import(struct gpg *g, const struct bytes *key, int *found, struct err *e)
{
	gpgme_data_t data;
	gpgme_import_result_t r;
	gpgme_error_t code = gpgme_data_new_from_mem(&data, (const char *)key->p, key->n, 0);

	if (code != 0)
		return fail(code, e, "importing keys");
	code = gpgme_op_import(g->ctx, data);
	gpgme_data_release(data);
	if (code != 0)
		return fail(code, e, "importing keys");
	r = gpgme_op_import_result(g->ctx);
	for (gpgme_import_status_t i = r->imports; i != NULL; i = i->next)
		*found += i->result == 0;
	return 0;
}

static int
start(struct gpg *g, struct err *e)
{
	static unsigned homes;
	gpgme_error_t code;

	if (homes == 0) {
		gpgme_set_global_flag("disable-gpgconf", "1");
		gpgme_check_version(NULL);
	}
	snprintf(g->home, sizeof(g->home), "/tmp/%u", homes++);
	if (mkdir(g->home, 0700) == -1)
		return err_sys(e, "making a home for gpg");
	code = gpgme_new(&g->ctx);
	if (code == 0)
		code = gpgme_ctx_set_engine_info(g->ctx, GPGME_PROTOCOL_OpenPGP, PROGRAM, g->home);
	return code != 0 ? fail(code, e, "starting gpg") : 0;
}

struct gpg *
gpg_new(const struct rec_verify_key *keys, size_t n, struct err *e)
{
	struct gpg *g = xcalloc(1, sizeof(*g));
	int found = 0;

	if (start(g, e) < 0)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		if (import(g, &keys[i].data, &found, e) < 0)
			goto fail;
	}
	if (found > 0)
		return g;
	err_set(e, ERR_DENIED, "No public keys imported");
fail:
	gpg_free(g);
	return NULL;
}

/* A small message can be the compressed form of a large one: what is too much ends gpg. */
static ssize_t
take_content(void *arg, const void *p, size_t n)
{
	struct strbuf *content = arg;

	if (n > PAYLOAD_MAX - content->n) {
		errno = EFBIG;
		return -1;
	}
	strbuf_addn(content, p, n);
	return (ssize_t)n;
}

static int
check_result(const struct _gpgme_op_verify_result *r, struct err *e)
{
	const struct _gpgme_signature *s = r != NULL ? r->signatures : NULL;

	if (s == NULL || s->next != NULL)
		return err_set(e, ERR_DENIED, "Unexpected GPG signature count: %s",
		    s == NULL ? "none" : "more than one");
	if (gpgme_err_code(s->status) == GPG_ERR_NO_PUBKEY)
		return err_set(
		    e, ERR_DENIED, "Signature by key %.64s is not accepted", s->fpr ? s->fpr : "");
	if (s->status != 0 || s->validity == GPGME_VALIDITY_NEVER || s->wrong_key_usage) {
		char said[128];

		gpgme_strerror_r(s->status, said, sizeof(said));
		return err_set(e, ERR_DENIED, "Invalid GPG signature: %s",
		    s->status != 0 ? said : "the key is not to be trusted");
	}
	return 0;
}

int
gpg_open_message(struct gpg *g, const struct bytes *message, struct strbuf *content, struct err *e)
{
	struct gpgme_data_cbs sink = {.write = take_content};
	gpgme_data_t in = NULL, out = NULL;
	gpgme_error_t code = gpgme_data_new_from_mem(&in, (const char *)message->p, message->n, 0);
	int r = -1;

	if (code == 0)
		code = gpgme_data_new_from_cbs(&out, &sink, content);
	if (code == 0)
		code = gpgme_op_verify(g->ctx, in, NULL, out);
	/* Safe because only keys that were imported here can make the one signature a good one. */
	if (code != 0)
		fail(code, e, "Invalid GPG signature");
	else
		r = check_result(gpgme_op_verify_result(g->ctx), e);
	if (in != NULL)
		gpgme_data_release(in);
	if (out != NULL)
		gpgme_data_release(out);
	return r;
}

int
gpg_owners(struct gpg *g, struct strv *out, struct err *e)
{
	gpgme_error_t code = gpgme_op_keylist_start(g->ctx, NULL, 0);
	gpgme_key_t key;

	if (code != 0)
		return fail(code, e, "listing keys");
	while (gpgme_op_keylist_next(g->ctx, &key) == 0) {
		for (gpgme_user_id_t u = key->uids; u != NULL; u = u->next) {
			const char *id = u->email != NULL && *u->email ? u->email : u->uid;

			if (id != NULL && text_is_utf8(id, strlen(id)))
				strv_add(out, id);
		}
		gpgme_key_unref(key);
	}
	return 0;
}
