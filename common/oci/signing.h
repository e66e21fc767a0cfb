/* SPDX-License-Identifier: ISC */
/* Options of commands that sign what they write. */
#ifndef POD_SIGNING_H
#define POD_SIGNING_H

#include "common/cli/opt.h"
#include "common/wire/msg.h"

struct signing_opts {
	const char *by, *sigstore, *private_key, *passphrase_file;
};

extern const struct opt signing_rows[];

/* What the command's text goes into; the passphrase is overwritten on free. */
struct signing {
	struct rec_signing rec;
	char *passphrase, *key_file;
};

/* Reads the files that were named and asks for a passphrase at a terminal. */
int signing_fill(const struct signing_opts *o, struct signing *out, struct err *e);
void signing_free(struct signing *s);
#define own_signing own(signing_free)

#endif
