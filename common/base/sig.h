/* SPDX-License-Identifier: ISC */
/*
 * Signals by name.
 */
#ifndef POD_SIG_H
#define POD_SIG_H

#include "common/base/err.h"

/* "TERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1" to the number; an error has Podman's words. */
int sig_parse(const char *s, int *out, struct err *e);

/* "SIGTERM"; a number without a name is written in digits.  Size at least 16. */
void sig_name(int number, char *out, unsigned size);

#endif
