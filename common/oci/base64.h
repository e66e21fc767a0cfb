/* SPDX-License-Identifier: ISC */
/* Base64 (RFC 4648, section 4), strict: padding is required, nothing else may stand in the text. */
#ifndef POD_BASE64_H
#define POD_BASE64_H

#include <stddef.h>

/* The caller frees the result, which is NUL-terminated. */
char *base64_encode(const void *p, size_t n);

/* NULL if s is no base64; *n is the number of bytes, a NUL follows them. */
char *base64_decode(const char *s, size_t *n);
char *base64_decode_n(const char *s, size_t len, size_t *n); /* of len characters */

/* The alphabet for URLs and names of files, without padding (section 5; RFC 7515, appendix C). */
char *base64_url_encode(const void *p, size_t n);
char *base64_url_decode(const char *s, size_t *n);

#endif
