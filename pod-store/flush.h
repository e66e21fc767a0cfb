/* SPDX-License-Identifier: ISC */
/*
 * Writing back while layers are still on their way: a thread that syncs their file system whenever a good deal has been
 * written, so that the sync before the commit finds little to wait for.  It says nothing about success: whoever
 * needs to know syncs again.
 */
#ifndef POD_STORE_FLUSH_H
#define POD_STORE_FLUSH_H

struct flush;

/* dir may be closed before the end.  NULL if it cannot be done, which does no harm. */
struct flush *flush_begin(int dir);

/* Waits for a sync that is under way.  NULL is allowed. */
void flush_end(struct flush *f);

#endif
