/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "pod-run/cmd/removal.h"

void
removal_refused(struct err *e, bool force, int *status)
{
	int one = e->class == ERR_NOTFOUND ? 1 : e->class == ERR_INUSE ? 2 : 125;

	if (!(force && one == 1)) {
		*status = one > *status ? one : *status;
		fflush(stdout);
		err_print(e, stderr);
	}
	err_clear(e);
}
