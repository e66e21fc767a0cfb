/* SPDX-License-Identifier: ISC */
/*
 * Certificates of a registry (containers-certs.d(5)): *.crt are CAs to trust, NAME.cert and
 * NAME.key are shown to the registry.
 */
#ifndef POD_IMAGE_CERTS_H
#define POD_IMAGE_CERTS_H

#include "common/base/err.h"
#include "common/base/mem.h"

#define CERTS_PAIRS_MAX 64

/* PEM; empty if there is none. */
struct certs_pair {
	struct strbuf cert, key;
};

struct certs {
	struct strbuf ca;
	struct certs_pair pairs[CERTS_PAIRS_MAX]; /* by their names */
	size_t npairs;
};

/*
 * dir: the directory that was named, or NULL: certs.d/REGISTRY below the user's, the system's and
 * Docker's configuration, the first that exists.
 */
int certs_load(struct certs *c, const char *dir, const char *registry, struct err *e);
void certs_free(struct certs *c); /* overwrites the keys first */
#define own_certs own(certs_free)

#endif
