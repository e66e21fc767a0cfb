/* SPDX-License-Identifier: ISC */
#ifndef POD_CONFIRM_H
#define POD_CONFIRM_H

#include "common/base/err.h"

/*
 * Prints the warning and asks on standard output whether to go on.  1 yes, 0 no; -1 with e at the end
 * of standard input, so that a script that forgot --force fails.
 */
int confirm_ask(const char *warning, struct err *e);

#endif
