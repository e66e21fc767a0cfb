/* SPDX-License-Identifier: ISC */
/*
 * First look at foreign msgpack.  msgpack-c allocates what a length field says, so nothing of a
 * peer is given to it before this scan has found the frame bounded and complete.
 */
#ifndef POD_SCAN_H
#define POD_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define SCAN_DEPTH_MAX 12      /* nesting of arrays and maps */
#define SCAN_ITEMS_MAX 262144u /* values of all kinds in one frame */

/*
 * Accepts exactly one value that fills all n bytes: nil, bool, integers, str, bin, array and map
 * only (no float, no ext, no 0xc1), every count and length within the bytes that remain.  Returns
 * NULL, or a constant text that says what is wrong.
 */
const char *scan_check(const uint8_t *b, size_t n);

#endif
