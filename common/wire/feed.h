/* SPDX-License-Identifier: ISC */
/*
 * A body of unknown length on its way to an HTTP server: in chunks (RFC 9112, section 7.1), as the server takes them,
 * so that its answer can be read meanwhile.
 */
#ifndef POD_FEED_H
#define POD_FEED_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

#define FEED_CHUNK ((size_t)64 << 10)
#define FEED_HEAD 8

struct feed {
	int in;	   /* borrowed */
	bool open; /* in has more; set by who makes it */
	size_t at, n;
	char block[FEED_HEAD + FEED_CHUNK + 2];
};

/* Something is still to be sent. */
bool feed_goes_on(const struct feed *f);

/* What to wait for: adds to server's events, and fills in. */
void feed_wants(const struct feed *f, struct pollfd *server, struct pollfd *in);

/* What can be done is done, without waiting.  A server that hears no more gets no more: that is no error. */
int feed_go(struct feed *f, const struct pollfd *server, const struct pollfd *in, struct err *e);

#endif
