/* SPDX-License-Identifier: ISC */
/* What Docker's engine says to an image that was sent to it (Engine API, "POST /images/load"). */
#ifndef POD_DAEMON_ANSWER_H
#define POD_DAEMON_ANSWER_H

#include <stddef.h>

#include "common/base/err.h"

#define ANSWER_MAX ((size_t)1 << 20)

/* Objects one after the other; -1 with the first error that one of them holds.  Others are passed over. */
int answer_check(const char *text, size_t n, struct err *e);

/* The body of an answer that is not 2xx: an object with a message, or anything at all. */
void answer_refusal(long status, const char *text, size_t n, struct err *e);

#endif
