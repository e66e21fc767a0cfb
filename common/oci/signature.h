/* SPDX-License-Identifier: ISC */
/*
 * A signature as lookasides, "dir:" images and stores keep it: an OpenPGP message (simple signing), or a zero byte,
 * the name of a form, a newline and the rest, which for a sigstore signature is JSON with its payload and annotations.
 */
#ifndef POD_SIGNATURE_H
#define POD_SIGNATURE_H

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

#define SIGNATURES_MAX 128		       /* of one manifest */
#define SIGNATURES_BYTES_MAX ((size_t)4 << 20) /* all of them */

struct signature_file {
	struct bytes simple;  /* an OpenPGP message in the file, or */
	struct bytes payload; /* what is signed, of the media type, with what belongs to it */
	const char *media_type;
	const json_t *annotations; /* an object, or NULL */
	json_t *root;
	char *plain;
};

/* What out borrows of file must stay. */
int signature_parse(const struct bytes *file, struct signature_file *out, struct err *e);

bool signature_is_sigstore(const struct bytes *file);

/* Appends the file of a sigstore signature; annotations may be NULL. */
void signature_write(const char *media_type, const struct bytes *payload, const json_t *annotations,
    struct strbuf *out);

void signature_free(struct signature_file *s);
#define own_signature own(signature_free)

#endif
