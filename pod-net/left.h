/* SPDX-License-Identifier: ISC */
/*
 * Bridges that are to go when they have been unused for a moment, one file each: RUNROOT/net/left-INTERFACE.  Written
 * before the last that is known of the container that was on it goes, and removed with the bridge: whoever was to wait
 * may be killed, and a sweep finds it.
 */
#ifndef POD_LEFT_H
#define POD_LEFT_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

/* dir: RUNROOT/net.  A file that is there stays as it is. */
void left_note(int dir, const struct rec_net_hold *h);
void left_forget(int dir, const char *interface);

/* Names of the files. */
int left_all(int dir, struct strv *out, struct err *e);
/* 1: read, 0: it has gone or cannot be read.  Memory is a's. */
int left_read(int dir, const char *name, struct rec_net_hold *h, struct arena *a);

#endif
