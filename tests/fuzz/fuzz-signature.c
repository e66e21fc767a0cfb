/* SPDX-License-Identifier: ISC */
/* What a signature holds: files, payloads, attached images, log entries, certificates. */
// objs: pod-image/verify/payload.o pod-image/verify/identity.o pod-image/verify/rekor.o pod-image/verify/sigstore.o pod-image/verify/certificate.o pod-image/attached.o
// libs: -ljansson -lcrypto
#include <stdint.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/attached.h"
#include "pod-image/verify/identity.h"
#include "pod-image/verify/sigstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
try_payload(const struct rec_verify_rule *rule, const char *text, size_t n, const char *type)
{
	own_payload struct payload p = {0};
	struct err e = {0};

	if (payload_parse(text, n, type, &p, &e) == 0)
		(void)identity_check(rule, "registry.io/ns/app:1", p.reference, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_mem char *text = xstrndup((const char *)data, n);
	static uint8_t key[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVPJMiKGYTAD4NZ5iQ8NQpCb9VxdZ\n"
			       "hIPcIvBFq9mDjFXsBxXF8qgM0gG8mSCk6tyvA5J7vwBQhfJ/KTHTCnEJ8w==\n"
			       "-----END PUBLIC KEY-----\n";
	struct rec_verify_key keys[] = {{.data = {key, sizeof(key) - 1}}};
	struct rec_verify_rule rule = {.type = "sigstoreSigned",
	    .match = "remapIdentity",
	    .reference = "registry.io/ns",
	    .signed_prefix = "q.io",
	    .oidc_issuer = "i",
	    .subject_email = "s",
	    .fulcio_ca = {data, n}};
	struct rec_signature file = {.file = {data, n}};
	own_attached struct attached attached = {0};
	own_arena struct arena a = {0};
	struct signature s = {0};
	struct err e = {0};

	rule.rekor.v = keys;
	rule.rekor.n = 1;
	try_payload(&rule, (const char *)data, n, PAYLOAD_TYPE_SIMPLE);
	try_payload(&rule, (const char *)data, n, PAYLOAD_TYPE_SIGSTORE);
	(void)attached_parse((const char *)data, n, &attached, &e);
	if (payload_signature(&file, &s, &a, &e) < 0 || s.payload.p == NULL)
		s = (struct signature){.payload = {data, n},
		    .base64 = "c2ln",
		    .certificate = text,
		    .chain = text,
		    .set = text};
	(void)sigstore_check(&rule, &s, &e);
	rule.keys.v = keys;
	rule.keys.n = 1;
	(void)sigstore_check(&rule, &s, &e);
	return 0;
}
