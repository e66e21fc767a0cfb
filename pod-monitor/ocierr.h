/* SPDX-License-Identifier: ISC */
/*
 * Why an OCI runtime failed, out of what it logged.
 */
#ifndef POD_MONITOR_OCIERR_H
#define POD_MONITOR_OCIERR_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * Copies the message of the last error that has one, in n bytes of a runtime's JSON log (one object per
 * line with "level" and "msg"), to out.  Returns 0, or -1 if there is none.
 */
int ocierr_find(const char *log, size_t n, char *out, size_t size);

/*
 * Makes e from the message, in Podman's words.  The class gives the exit status: 127 if something
 * was not found, else 126.
 */
int ocierr_set(struct err *e, const char *runtime, const char *message);

#endif
