/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "pod-run/cmd/confirm.h"

int
confirm_ask(const char *warning, struct err *e)
{
	char answer[16];

	printf("%s\nAre you sure you want to continue? [y/N] ", warning);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return err_set(e, ERR_CANCELLED, "EOF");
	return answer[0] == 'y' || answer[0] == 'Y';
}
