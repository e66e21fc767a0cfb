/* SPDX-License-Identifier: ISC */
/*
 * The answer of an HTTP/1.1 server (RFC 9112): read from a descriptor, the head within bounds, the body handed on as it
 * comes.
 */
#ifndef POD_HTTP_H
#define POD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/wire/feed.h"

#define HTTP_BLOCK ((size_t)128 << 10)
#define HTTP_HEAD_MAX ((size_t)32 << 10)

struct http {
	int fd;
	const char *who;   /* the server, in errors */
	int reader;	   /* a socket whose other end is who waits for the answer, or 0 */
	int patience_ms;   /* with reader: how long nothing may come, or 0 */
	struct feed *feed; /* with reader: goes on being sent while we wait; or NULL */
	/* Told of each field of each head, or NULL. */
	void (*field)(void *arg, const char *name, const char *value);
	void *arg;
	int status;
	bool again; /* the server keeps the connection for another exchange */
	bool chunked, sized;
	uint64_t length; /* of the body, if sized */
	/* inside */
	size_t have, at;
	char block[HTTP_BLOCK];
};

/* Reads the head of the final answer; interim ones (1xx but 101) are passed over. */
int http_head(struct http *h, struct err *e);

/* Hands the body on; sink gives -1 with e to end it. */
int http_body(struct http *h, int (*sink)(void *arg, const char *p, size_t n, struct err *e),
    void *arg, struct err *e);

/* After the body: what is fed still goes on until all of it is sent, or the server says more, or hangs up. */
int http_fed(struct http *h, struct err *e);

/* After the body, where the connection is used again: reads what ends it. */
int http_end(struct http *h, struct err *e);

#endif
