/* SPDX-License-Identifier: ISC */
/*
 * The answer of an HTTP/1.1 server on a connection that carries one exchange (RFC 9112): read from a
 * descriptor, the head within bounds, the body handed on as it comes.
 */
#ifndef POD_DAEMON_HTTP_H
#define POD_DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define HTTP_BLOCK ((size_t)128 << 10)
#define HTTP_HEAD_MAX ((size_t)32 << 10)

struct http {
	int fd;
	int status;
	bool chunked, sized;
	uint64_t length; /* of the body, if sized */
	/* inside */
	size_t have, at;
	char block[HTTP_BLOCK];
};

/* Reads the head of the final answer; interim ones (1xx) are passed over. */
int http_head(struct http *h, struct err *e);

/* Hands the body on; sink gives -1 with e to end it. */
int http_body(struct http *h, int (*sink)(void *arg, const char *p, size_t n, struct err *e),
    void *arg, struct err *e);

#endif
