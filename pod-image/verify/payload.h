/* SPDX-License-Identifier: ISC */
/*
 * What is signed: the JSON of containers-signature(5), which both kinds of signatures share, and
 * the files that lookasides and directories keep them in.
 */
#ifndef POD_IMAGE_VERIFY_PAYLOAD_H
#define POD_IMAGE_VERIFY_PAYLOAD_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

#define PAYLOAD_MAX ((size_t)1 << 20)
#define PAYLOAD_TYPE_SIMPLE "atomic container signature"
#define PAYLOAD_TYPE_SIGSTORE "cosign container image signature"

struct payload {
	const char *reference, *digest; /* in arena */
	struct arena arena;
};
void payload_free(struct payload *p);
#define own_payload own(payload_free)

/* Strict: no other keys but those of the format where the format names them all. */
int payload_parse(
    const char *bytes, size_t n, const char *type, struct payload *out, struct err *e);

/*
 * A signature as one of two: simple is set, or payload with what belongs to it; parts are borrowed
 * from s or live in a.  A sigstore signature of another media type gives neither.
 */
struct signature {
	struct bytes simple;
	struct bytes payload;
	const char *base64, *certificate, *chain, *set;
};
int payload_signature(
    const struct rec_signature *s, struct signature *out, struct arena *a, struct err *e);

#endif
