/* SPDX-License-Identifier: ISC */
/* OpenPGP signatures, by way of gpgme and gpg, each set of keys in a home of its own below /tmp. */
#ifndef POD_IMAGE_VERIFY_GPG_H
#define POD_IMAGE_VERIFY_GPG_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

struct gpg;

/* Imports the keys of all files; an error if there is none in them. */
struct gpg *gpg_new(const struct rec_verify_key *keys, size_t n, struct err *e);
void gpg_free(struct gpg *g);

/* The content of a signed message, if one of the keys made its one signature and that is good. */
int gpg_open_message(
    struct gpg *g, const struct bytes *message, struct strbuf *content, struct err *e);

/* Mail addresses of the owners of the keys. */
int gpg_owners(struct gpg *g, struct strv *out, struct err *e);

#endif
