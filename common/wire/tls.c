/* SPDX-License-Identifier: ISC */
/* OpenSSL has a type of this name, and we a class of errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/tls.h"

/* --- Versions -----------------------------------------------------------------------------------*/

static int
find_version(const char *text, int *out, struct err *e)
{
	static const struct {
		const char *text;
		int version;
	} known[] = {{"", TLS1_2_VERSION}, {"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION},
	    {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION}};

	for (size_t i = 0; i < COUNTOF(known); i++)
		if (strcmp(known[i].text, text != NULL ? text : "") == 0) {
			*out = known[i].version;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unrecognized TLS minimum version \"%s\"", text);
}

typedef int security_fn(const SSL *, const SSL_CTX *, int, int, int, void *, void *);

/*
 * Above its security level 0 OpenSSL speaks nothing before TLS 1.2, which signs nothing with MD5 and SHA-1.  Whoever
 * asks for the old versions gets these, and otherwise the level still counts: of certificates, say.
 */
static int
allow_old(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid, void *other, void *arg)
{
	security_fn *usual = (security_fn *)(uintptr_t)arg;

	if (op == SSL_SECOP_VERSION && nid >= TLS1_VERSION)
		return 1;
	if (op == SSL_SECOP_SIGALG_SUPPORTED && ssl != NULL && SSL_version(ssl) < TLS1_2_VERSION &&
	    (nid == NID_md5_sha1 || nid == NID_sha1))
		return 1;
	return usual(ssl, ctx, op, bits, nid, other, NULL);
}

static void
set_version(SSL_CTX *ctx, int version)
{
	security_fn *usual = SSL_CTX_get_security_callback(ctx);

	if (version < TLS1_2_VERSION) {
		SSL_CTX_set0_security_ex_data(ctx, (void *)(uintptr_t)usual);
		SSL_CTX_set_security_callback(ctx, allow_old);
	}
	SSL_CTX_set_min_proto_version(ctx, version);
}

/* --- Cipher suites ------------------------------------------------------------------------------*/

/* OpenSSL's name of a suite, NULL if it knows none.  Values that only signal something are no suites. */
static const char *
suite_name(const char *iana)
{
	const char *name = OPENSSL_cipher_name(iana);

	return strcmp(name, "(NONE)") != 0 && !text_has_suffix(iana, "_SCSV") ? name : NULL;
}

/* min_version: what is set; raised where no suite is left for what is older than TLS 1.3. */
static int
set_suites(SSL_CTX *ctx, const struct strs *names, int min_version, struct err *e)
{
	own_strbuf struct strbuf old = {0}, now = {0};

	for (size_t i = 0; i < names->n; i++) {
		const char *name = suite_name(names->v[i]);
		struct strbuf *to;

		if (name == NULL)
			return err_set(
			    e, ERR_INVALID, "unrecognized TLS cipher suite \"%s\"", names->v[i]);
		/* Only those of TLS 1.3 have the same name with OpenSSL as with IANA. */
		to = strcmp(name, names->v[i]) == 0 ? &now : &old;
		strbuf_addf(to, "%s%s", to->n > 0 ? ":" : "", name);
	}
	SSL_CTX_set_ciphersuites(ctx, now.n > 0 ? now.s : "");
	if (now.n == 0 && old.n > 0)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	if ((old.n == 0 || SSL_CTX_set_cipher_list(ctx, old.s) != 1) &&
	    min_version < TLS1_3_VERSION)
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	return 0;
}

/* --- Groups -------------------------------------------------------------------------------------*/

/* Those that Go's library knows too; of IANA's names OpenSSL has more, and takes other words as well. */
static bool
is_group(const char *name)
{
	static const char *const known[] = {
	    "secp256r1", "secp384r1", "secp521r1", "x25519", "X25519MLKEM768"};

	for (size_t i = 0; i < COUNTOF(known); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

static bool
stands_before(const struct strs *names, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(names->v[i], names->v[at]) == 0)
			return true;
	return false;
}

static int
set_groups(SSL_CTX *ctx, const struct strs *names, struct err *e)
{
	own_strbuf struct strbuf list = {0};

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];

		if (!is_group(name))
			return err_set(e, ERR_INVALID, "unrecognized TLS named group \"%s\"", name);
		if (SSL_CTX_set1_groups_list(ctx, name) != 1)
			return err_set(e, ERR_UNSUPPORTED,
			    "the TLS named group \"%s\" is not known to OpenSSL %s", name,
			    OpenSSL_version(OPENSSL_VERSION_STRING));
		/* OpenSSL refuses lists with a name that stands there twice. */
		if (!stands_before(names, i))
			strbuf_addf(&list, "%s%s", i > 0 ? ":" : "", name);
	}
	return list.n == 0 || SSL_CTX_set1_groups_list(ctx, list.s) == 1
		   ? 0
		   : err_set(e, ERR_UNSUPPORTED, "the TLS named groups cannot be used together");
}

int
tls_limit(void *ssl_ctx, const struct rec_tls_details *d, struct err *e)
{
	static const struct rec_tls_details nothing;
	int version, r;

	if (d == NULL)
		d = &nothing;
	if (find_version(d->min_version, &version, e) == -1)
		return -1;
	set_version(ssl_ctx, version);
	r = (d->only_suites && set_suites(ssl_ctx, &d->cipher_suites, version, e) == -1) ||
		    set_groups(ssl_ctx, &d->named_groups, e) == -1
		? -1
		: 0;
	ERR_clear_error();
	return r;
}

int
tls_check(const struct rec_tls_details *d, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int r = ctx == NULL ? err_set(e, ERR_INTERNAL, "starting TLS") : tls_limit(ctx, d, e);

	SSL_CTX_free(ctx);
	return r;
}
