/* SPDX-License-Identifier: ISC */
/*
 * A layer through its cipher: AES-256-CTR, with HMAC-SHA256 of the enciphered side under the same key, as
 * containers/ocicrypt has it.
 */
#ifndef POD_IMAGE_RECODE_RECRYPT_H
#define POD_IMAGE_RECODE_RECRYPT_H

#include "common/wire/msg.h"
#include "pod-store/layer/digest.h"

#define RECRYPT_HMAC 32

struct recrypt { /* zero-initialise; recrypt_free */
	int in, out;
	bool seal;
	const uint8_t *key, *nonce; /* 32 and 16 bytes */
	const struct bytes
	    *want_hmac; /* deciphering: both are checked before the end is given, or NULL */
	const char *want_digest;
	/* the result */
	char in_digest[DIGEST_TEXT], out_digest[DIGEST_TEXT];
	uint8_t hmac[RECRYPT_HMAC];
	uint64_t size;
	/* inside */
	void *cipher, *mac;
	struct digest before, after;
	uint8_t *buffer, *held;
	size_t nheld;
	bool reader_gone;
};

int recrypt_stream(struct recrypt *s, struct err *e);
void recrypt_free(struct recrypt *s);

#endif
