/* SPDX-License-Identifier: ISC */
#ifndef POD_HOST_ROOT_H
#define POD_HOST_ROOT_H

#include <stdbool.h>

/* True for root of the host, false for root of an ordinary user's namespace. */
bool host_root(void);

#endif
