/* SPDX-License-Identifier: ISC */
/*
 * The fields of tar headers: numbers, names, checksums, and the records of pax extended headers.
 */
#ifndef POD_TARHDR_H
#define POD_TARHDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* POSIX.1-1988 (ustar), with what GNU tar puts in place of the prefix. */
struct tarhdr {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	union {
		char prefix[155];
		struct {
			char times[24];
			char unused[17];
			char sparse[4][24];
			char extended;
			char real_size[12];
		} gnu;
	};
	char end[12];
};

_Static_assert(sizeof(struct tarhdr) == 512, "a tar header is one block");

enum tarhdr_format { TARHDR_V7, TARHDR_USTAR, TARHDR_STAR, TARHDR_GNU };

enum tarhdr_format tarhdr_format(const struct tarhdr *h);

/* Both ways of adding up bytes that were ever in use are accepted. */
bool tarhdr_checksum_ok(const struct tarhdr *h);
void tarhdr_set_checksum(struct tarhdr *h);

/* Octal, or base 256 when the top bit is set.  An empty field is 0. */
int tarhdr_number(const char *field, size_t n, int64_t *out);

/* Octal with a NUL at the end if it fits, else base 256. */
void tarhdr_put_number(char *field, size_t n, uint64_t value);

/*
 * One record "LENGTH KEY=VALUE\n" of the n bytes at *p, which are changed (a NUL after the key) and
 * stepped over.  1: got one; 0: the end; -1: malformed.  The value is not terminated.
 */
int tarhdr_pax_next(char **p, size_t *n, char **key, char **value, size_t *value_n);

/* Decimal seconds with an optional sign and fraction. */
int tarhdr_pax_time(const char *s, size_t n, int64_t *sec, uint32_t *nsec);

/* Decimal digits only. */
int tarhdr_pax_number(const char *s, size_t n, uint64_t max, uint64_t *out);

#endif
