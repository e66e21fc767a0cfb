/* SPDX-License-Identifier: ISC */
/* Those whom a layer is encrypted for by OpenPGP, as the caller's gpg knows them. */
#ifndef POD_IMAGE_SIGN_RECIPIENT_H
#define POD_IMAGE_SIGN_RECIPIENT_H

#include <gpgme.h>

#include "common/base/mem.h"
#include "common/wire/msg.h"

struct recipients { /* zero-initialise; lives as long as the program */
	gpgme_ctx_t gpg;
	struct strbuf keys; /* fingerprints, a line each */
};

/*
 * All keys of that address, or of that name.  Only RSA keys are taken: what is encrypted for others can be read
 * neither here nor by other engines.
 */
int recipient_add(struct recipients *r, const char *name, struct err *e);

/* One message for all of them, whether gpg trusts their keys or not. */
int recipient_seal(struct recipients *r, const struct bytes *data, struct bytes *out,
    struct arena *a, struct err *e);

#endif
