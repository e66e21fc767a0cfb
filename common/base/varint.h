/* SPDX-License-Identifier: ISC */
#ifndef POD_VARINT_H
#define POD_VARINT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A number of protocol buffers (Encoding, "Base 128 Varints"): the lowest digits come first.  *p moves behind it.
 * False if it does not end before end.
 */
bool varint_take(const uint8_t **p, const uint8_t *end, uint64_t *out);

#endif
