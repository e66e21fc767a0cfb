/* SPDX-License-Identifier: ISC */
/*
 * Names of users and passwords that are asked for.
 */
#ifndef POD_CREDS_H
#define POD_CREDS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/err.h"

/*
 * A line of standard input without its end; the question goes to to.  What is typed does not show if it is a secret,
 * and a signal that ends us leaves the terminal as it was.  NULL at the end of the input.  Caller frees.
 */
char *creds_ask(FILE *to, const char *question, bool secret);

/*
 * "user:password" of --creds with what it lacks asked for: the name on standard input, the password on a terminal that
 * this must be.  Nothing is asked, and *out stays NULL, where given is whole.  Caller wipes and frees.
 */
int creds_complete(const char *given, char **out, struct err *e);

void creds_wipe(char **secret); /* overwrites it first */

#endif
