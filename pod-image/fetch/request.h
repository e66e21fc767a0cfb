/* SPDX-License-Identifier: ISC */
/*
 * A request to the registry that is seen through: authorization, redirects, further tries, and
 * going on where a broken connection ended.  Driven by the caller's loop.
 */
#ifndef POD_IMAGE_FETCH_REQUEST_H
#define POD_IMAGE_FETCH_REQUEST_H

#include "pod-image/fetch/registry.h"

#define REQUEST_REDIRECTS_MAX 10

enum request_state { REQUEST_IDLE, REQUEST_RUNNING, REQUEST_WAITING, REQUEST_DONE };

struct request {
	/* set by the caller before request_start */
	struct registry *reg;
	char *path; /* "/v2/…"; owned by the request */
	char *at;   /* or a whole URL that the registry gave; owned by the request */
	char
	    *scope; /* for the token, or NULL; several with a space between; owned by the request */
	const char *accept;
	size_t body_max;
	/* takes the body, as of http_exchange; on FAIL it has set failure */
	enum http_sink_result (*sink)(void *arg, const char *p, size_t n, struct err *e);
	void *sink_arg;
	/* Ranges to ask for, or NULL: begin is told of each answer whose body comes, and the sink gets all of it. */
	const char *wanted;
	int (*begin)(void *sink_arg, const struct http_exchange *x, struct err *e);
	const char *method; /* and what is sent, as of http_exchange */
	const char *body_type;
	struct bytes send;
	bool sends_nothing;
	ssize_t (*feed)(void *arg, char *p, size_t n);
	void *feed_arg;
	int64_t feed_size;
	bool any_answer; /* it is only looked at: whatever the registry answers is good */
	bool fed;	 /* feed has given something, which cannot be had again: no further try */

	enum request_state state;
	struct err failure; /* of a request that is DONE; else x holds the 2xx answer */
	struct http_exchange x;
	uint64_t offset; /* bytes given to sink */

	char *url, *range, *bearer;
	uint64_t skip; /* bytes to pass over, for a server that ignores Range */
	bool begun;    /* this exchange's body has begun */
	bool foreign;  /* url is another host's: no credentials */
	unsigned redirects, failures, authorized;
	int64_t due_ms; /* when WAITING: when to try again */
};

void request_start(struct request *r);

/* To be called after http_step, for each request: moves it on if it can be. */
void request_step(struct request *r);

/* Releases everything but failure. */
void request_free(struct request *r);

#endif
