/* SPDX-License-Identifier: ISC */
/* The WWW-Authenticate header (RFC 9110, 11.6.1), as a registry may send it. */
#ifndef POD_IMAGE_FETCH_CHALLENGE_H
#define POD_IMAGE_FETCH_CHALLENGE_H

#include <stddef.h>

#include "common/base/err.h"

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service; /* NULL if absent */
};

/*
 * Parses one header, which may hold several challenges; fills at most max of out and stores their
 * number.  Strict: anything that is not the grammar, and a parameter given twice, is an error.
 */
int challenge_parse(
    const char *header, struct challenge *out, size_t max, size_t *n, struct err *e);
void challenge_free(struct challenge *c);

#endif
