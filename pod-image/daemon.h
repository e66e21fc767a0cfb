/* SPDX-License-Identifier: ISC */
/*
 * docker-daemon: images of Docker's engine, or of what speaks its API, over its socket.  It gives and
 * takes docker-archives; a worker speaks HTTP with it.
 */
#ifndef POD_IMAGE_DAEMON_H
#define POD_IMAGE_DAEMON_H

#include "common/oci/reference.h"
#include "common/wire/peer.h"

struct daemon {
	struct peer *peer; /* of the worker */
	const struct wire_desc *request;
	uint32_t seq;
};

/* "NAME:TAG" or, to read, an image ID as "sha256:…".  *name is what to ask for; r is empty for an ID. */
int daemon_name(const char *text, bool to_read, char **name, struct reference *r, struct err *e);

/*
 * With the caller's power: connects to host (NULL: $DOCKER_HOST, else Docker's own socket) and starts
 * the worker.  *pipe is where the image comes from, or goes to: then daemon_commit once it is whole.
 */
int daemon_get(struct daemon *d, const char *host, const char *name, int *pipe, struct err *e);
int daemon_put(struct daemon *d, const char *host, int *pipe, struct err *e);

/* All has been written and the pipe is closed: the daemon may believe it. */
int daemon_commit(struct daemon *d, struct err *e);

/* Waits for the end of what daemon_get or daemon_put began. */
int daemon_wait(struct daemon *d, struct err *e);

/* After a failure that may only follow from that of the daemon: its words instead, if it has any. */
void daemon_explain(struct daemon *d, struct err *e);

void daemon_free(struct daemon *d);

#endif
