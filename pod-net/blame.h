/* SPDX-License-Identifier: ISC */
/*
 * Whose fault it is that a set-up failed.  What has been done of it is undone, and the program of others that failed is
 * asked for that as well; but that it fails again is no news, and one that hung is not waited for as long.
 */
#ifndef POD_BLAME_H
#define POD_BLAME_H

#include "pod-net/net.h"

/* The program at path has failed, and e says how. */
void blame_put(struct net *n, const char *path, const struct err *e);

/* True if it is that program. */
bool blame_is(const struct net *n, const char *path);

/* How long to wait for it, for program_run. */
int blame_time_ms(const struct net *n, const char *path);

/* All is undone. */
void blame_clear(struct net *n);

#endif
