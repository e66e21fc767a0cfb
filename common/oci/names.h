/* SPDX-License-Identifier: ISC */
/*
 * Identifiers and names of containers, pods and volumes.
 */
#ifndef POD_NAMES_H
#define POD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAMES_ID_LEN 64
#define NAMES_SHORT_LEN 12

/*
 * 32 random bytes in lower-case hexadecimal.  The first 12 digits serve as a host name, so they are
 * never all decimal.  Aborts if the kernel gives no random bytes.
 */
void names_id(char id[NAMES_ID_LEN + 1]);

/* adjective_surname, chosen at random.  Whether it is free, the caller finds out. */
#define NAMES_GENERATED_MAX 64
void names_generate(char name[NAMES_GENERATED_MAX]);

/* ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ */
bool names_is_valid(const char *name);
#define NAMES_RULE "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"

/* True for 64 lower-case hexadecimal digits. */
bool names_is_id(const char *s);

/* The first 12 digits of an identifier. */
#define NAMES_SHORT_FMT "%.12s"

#endif
