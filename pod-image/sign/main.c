/* SPDX-License-Identifier: ISC */
#include "common/role/role.h"
int
main(void)
{
	role_start();
	return 0;
}
