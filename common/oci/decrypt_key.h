/* SPDX-License-Identifier: ISC */
/* The words of --decryption-key: PATH[:PASSPHRASE], the latter also as pass=WORD, file=PATH or fd=NUMBER. */
#ifndef POD_DECRYPT_KEY_H
#define POD_DECRYPT_KEY_H

#include "common/wire/msg.h"

/*
 * Puts what the words say into access; it lives in a.  Passphrases are read here, with the caller's descriptors;
 * the keys themselves must be there, but are read by pod-image.
 */
int decrypt_key_fill(
    const struct strv *words, struct rec_registry_access *access, struct arena *a, struct err *e);

#endif
