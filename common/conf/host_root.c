/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/host_root.h"

/* Without /proc nobody is root. */
uid_t
host_uid(void)
{
	own_file FILE *f = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;
	unsigned long inside, outside;

	if (geteuid() != 0)
		return geteuid();
	return f != NULL && fscanf(f, "%lu %lu", &inside, &outside) == 2 ? (uid_t)outside
									 : (uid_t)-1;
}

bool
host_root(void)
{
	return host_uid() == 0;
}

bool
host_userns(void)
{
	own_file FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;

	/* Without /proc nothing is known of another one. */
	return f == NULL || (fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
				inside == 0 && outside == 0 && count == UINT32_MAX);
}
