/* SPDX-License-Identifier: ISC */
/*
 * What a transfer tells while it is under way, on standard error: lines, and on a terminal a bar
 * for the object that moves.
 */
#ifndef POD_PROGRESS_H
#define POD_PROGRESS_H

#include "common/wire/peer.h"

struct progress {
	bool quiet;
	bool bar; /* one stands in the terminal's last line */
};

/* For peer_call; arg is a struct progress. */
int progress_show(struct peer *p, struct peer_in *in, void *arg, struct err *e);

/* Takes the bar away, before anything else is printed. */
void progress_end(struct progress *g);

/*
 * "Copying blob 0123456789ab [====>     ] 1.5MB / 3MB" without its end, at most size bytes; a total
 * of 0 is unknown.
 */
void progress_bar(
    const char *item, uint64_t done, uint64_t total, unsigned columns, char *out, size_t size);

#endif
