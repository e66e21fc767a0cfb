/* SPDX-License-Identifier: ISC */
/*
 * Which of a container's words about its readiness (sd_notify(3)) reach the host: those that speak
 * of the service's state, none that name processes, descriptors or time limits.
 */
#ifndef POD_STDIO_NOTIFY_H
#define POD_STDIO_NOTIFY_H

#include <stddef.h>

#define NOTIFY_MAX 4096
#define NOTIFY_TURN 8 /* messages, after which others have their turn */

/*
 * Copies the lines of n bytes in that may pass to out (at least n + 1 bytes), each with its newline.
 * Returns their length.
 */
size_t notify_filter(const char *in, size_t n, char *out);

/* Reads what waits in from, NOTIFY_TURN messages at most, and passes it on to to.  Best effort. */
void notify_relay(int from, int to);

#endif
