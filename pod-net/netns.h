/* SPDX-License-Identifier: ISC */
/*
 * Network namespaces, as descriptors.  pod-net has one thread, so it may enter a namespace and come
 * back.
 */
#ifndef POD_NETNS_H
#define POD_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/* The namespace the process is in. */
int netns_current(struct err *e);

/* Makes a namespace and leaves the process inside.  Returns its descriptor; on failure nothing changed. */
int netns_make(struct err *e);

/* Enters the namespace. */
int netns_enter(int fd, struct err *e);

/* A number that tells this boot's namespaces apart. */
uint64_t netns_number(int fd);

/*
 * Sets a value of /proc/sys/net of the namespace the process is in.  An equal value is not written
 * again, so that a read-only /proc does no harm; a key that this kernel lacks is no error if optional.
 */
int netns_sysctl(const char *key, const char *value, bool optional, struct err *e);

#endif
