/* SPDX-License-Identifier: ISC */
/*
 * Time to measure with, which nobody sets.
 */
#ifndef POD_CLOCK_H
#define POD_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment in the past; the machine's sleep does not count. */
int64_t clock_now_ms(void);

#endif
