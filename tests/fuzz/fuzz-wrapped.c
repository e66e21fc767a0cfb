/* SPDX-License-Identifier: ISC */
/* What annotations say of encrypted layers: JSON Web Encryption, EnvelopedData of CMS, and what these hold. */
// objs: pod-image/wrapped.o pod-image/wrapped_pgp.o pod-image/openpgp.o pod-image/wrapped_pkcs7.o
// libs: -ljansson -lcrypto
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/oci/base64.h"
#include "pod-image/wrapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What comes out must fit the message to the worker that holds the keys. */
static void
check(const struct wrapped *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct rec_wrapped_key *k = &w->v[i];

		if (k->algorithm == NULL || k->cipher == NULL || k->key.n == 0 || k->key.n > 4096 ||
		    k->x.n > 66 || k->y.n > 66 || k->party_u.n > 256 || k->party_v.n > 256 ||
		    k->iv.n > 16 || k->tag.n > 16 || k->text.n > 65536 ||
		    k->authenticated.n > 65536 ||
		    (k->curve == NULL) != (strncmp(k->algorithm, "ECDH", 4) != 0))
			abort();
	}
}

static void
try_boxes(const uint8_t *data, size_t n, const char *text)
{
	static struct wrapped w;
	struct manifest_encrypted x = {.jwe = text, .pkcs7 = text, .pgp = text, .options = text};
	struct err e = {0};

	(void)wrapped_jwe(&w, (const char *)data, n, &e);
	check(&w);
	(void)wrapped_pkcs7(&w, data, n, &e);
	check(&w);
	(void)wrapped_pgp(&w, data, n, &e);
	check(&w);
	(void)wrapped_parse(&w, &x, &e);
	check(&w);
	wrapped_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct bytes box = {data, n};
	struct wrapped_options o;
	struct err e = {0};
	char *text = xstrndup((const char *)data, n), *base64 = base64_encode(data, n);
	size_t got;

	try_boxes(data, n, text);
	try_boxes(data, n, base64);
	(void)wrapped_options(&box, text, &o, &e);
	(void)wrapped_options(&box, base64, &o, &e);
	free(base64_url_decode(text, &got));
	free(text);
	free(base64);
	return 0;
}
