/* SPDX-License-Identifier: ISC */
/*
 * What commands that remove several things by name have in common.
 */
#ifndef POD_REMOVAL_H
#define POD_REMOVAL_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * One of them could not be removed: says why, clears e, and makes *status the exit status so far, which is 0 if
 * all were removed, 1 if some were missing, 2 if some are in use, else 125.  force: what is missing is no failure.
 */
void removal_refused(struct err *e, bool force, int *status);

#endif
