/* SPDX-License-Identifier: ISC */
/*
 * Options of commands that talk to a registry.
 */
#ifndef POD_ACCESS_H
#define POD_ACCESS_H

#include "common/cli/opt.h"
#include "common/wire/msg.h"

struct access_opts {
	const char *authfile, *cert_dir, *creds, *signature_policy, *retry_delay;
	int tls_verify;
	int64_t retry;
};

/* authfile, cert-dir, tls-verify: for login too. */
extern const struct opt access_rows_basic[];
/* creds, retry, retry-delay, signature-policy: for transfers. */
extern const struct opt access_rows_transfer[];

/* out borrows from o.  Whether the file of credentials is there is for the caller to ask. */
int access_fill(const struct access_opts *o, struct rec_registry_access *out, struct err *e);

#endif
