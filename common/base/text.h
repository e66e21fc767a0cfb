/* SPDX-License-Identifier: ISC */
/*
 * Text that came from somewhere else: bounded checks and escaping.  Nothing here allocates.
 */
#ifndef POD_TEXT_H
#define POD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies src to dst (size bytes, always terminated, cut if too small) with control characters, DEL
 * and bytes that are not UTF-8 written as \n, \t, \r or \xHH, so that it can go to a terminal.
 */
void text_escape(const char *src, char *dst, size_t size);

/* True if the n bytes at s are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(const char *s, size_t n);

/* Length of the well-formed UTF-8 sequence at s (1..4), or 0; at most n bytes are looked at. */
size_t text_utf8_len(const char *s, size_t n);

/* Writes the code point c, at most 0x10ffff and no surrogate, as UTF-8; returns how many bytes it took (1..4). */
size_t text_put_utf8(uint32_t c, char out[4]);

/*
 * Strict numbers: the whole string must be decimal digits (a leading '-' for the signed form), no
 * space, no plus sign, within min..max.  Return 0, or -1 with *out untouched.
 */
int text_to_u64(const char *s, uint64_t max, uint64_t *out);
int text_to_i64(const char *s, int64_t min, int64_t max, int64_t *out);

bool text_has_prefix(const char *s, const char *prefix);
bool text_has_suffix(const char *s, const char *suffix);
bool text_is_hex(const char *s, size_t n); /* exactly n lower-case hexadecimal digits and the end */

/* The value of n hexadecimal digits (at most 8) of either case.  Returns 0, or -1 with *out untouched. */
int text_from_hex(const char *s, size_t n, uint32_t *out);

/* Writes 2n lower-case digits and a NUL; dst holds 2n + 1 bytes. */
void text_hex(const uint8_t *src, size_t n, char *dst);

#endif
