/* SPDX-License-Identifier: ISC */
/* Packets of OpenPGP (RFC 4880, section 4), which may be foreign. */
#ifndef POD_IMAGE_OPENPGP_H
#define POD_IMAGE_OPENPGP_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

enum { /* tags */
	OPENPGP_SESSION_KEY = 1,
	OPENPGP_SECRET_KEY = 5,
	OPENPGP_SECRET_SUBKEY = 7,
	OPENPGP_LITERAL = 11,
	OPENPGP_ENCIPHERED = 18,
};

#define OPENPGP_RSA 1		      /* the algorithm, to sign and to encipher */
#define OPENPGP_RSA_ENCIPHER 2	      /* only the latter */
#define OPENPGP_MAX ((size_t)1 << 20) /* bytes of a packet's body */

struct openpgp_packet { /* zero-initialise; openpgp_free, which overwrites it */
	unsigned tag;
	struct strbuf body;
};

/* Takes the next packet off in.  1; 0: there is none; -1: malformed. */
int openpgp_next(struct bytes *in, struct openpgp_packet *out, struct err *e);

/* Takes the next number (section 3.2) off in, without the zeros before it; -1: malformed. */
int openpgp_number(struct bytes *in, struct bytes *out);
void openpgp_free(struct openpgp_packet *p);
#define own_openpgp own(openpgp_free)

#endif
