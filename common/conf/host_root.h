/* SPDX-License-Identifier: ISC */
#ifndef POD_HOST_ROOT_H
#define POD_HOST_ROOT_H

#include <stdbool.h>
#include <sys/types.h>

/* Who we are on the host: root of an ordinary user's namespace is that user. */
uid_t host_uid(void);

/* True for root of the host, false for root of an ordinary user's namespace. */
bool host_root(void);

/* True in the first user namespace, whose map of IDs is the identity over all of them. */
bool host_userns(void);

#endif
