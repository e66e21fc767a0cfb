/* SPDX-License-Identifier: ISC */
#ifndef POD_HOST_ROOT_H
#define POD_HOST_ROOT_H

#include <stdbool.h>

/* True for root of the host, false for root of an ordinary user's namespace. */
bool host_root(void);

/* True in the first user namespace, whose map of IDs is the identity over all of them. */
bool host_userns(void);

#endif
