/* SPDX-License-Identifier: ISC */
/*
 * Values as users write them, with the rules and the words of Go's parsers, which Podman's users
 * know. Each returns 0, or -1 with *out untouched and e holding the text that follows "invalid
 * argument …: ".
 */
#ifndef POD_VALUE_H
#define POD_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/* 1 t T TRUE true True, 0 f F FALSE false False. */
int value_bool(const char *s, bool *out, struct err *e);

/* Decimal, 0x, 0o, 0b or a leading 0 for octal; bits is 32 or 64. */
int value_int(const char *s, int bits, int64_t *out, struct err *e);
int value_uint(const char *s, int bits, uint64_t *out, struct err *e);

int value_float(const char *s, double *out, struct err *e);

/* "64m", "1.5g", "100", "10 KiB": bytes, factors of 1024, suffix b k m g t p with optional
 * "b"/"ib". */
int value_size(const char *s, int64_t *out, struct err *e);

/* As value_size with factors of 1000, as for disk quantities. */
int value_size_decimal(const char *s, int64_t *out, struct err *e);

/* Go durations: "300ms", "1.5h", "2h45m", "-1s", "0"; nanoseconds. */
int value_duration(const char *s, int64_t *out_ns, struct err *e);

/*
 * An instant, nanoseconds since 1970: a date with or without time and zone, seconds since 1970 with or
 * without fraction, or a duration, which counts back from now_ns, or on from it if ahead.  Never 0, which stands
 * for none: the first instant of 1970 is the one before it.
 */
int value_instant(const char *s, int64_t now_ns, bool ahead, int64_t *out_ns, struct err *e);

#endif
