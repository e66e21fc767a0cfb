/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1 exchanges over libcurl, several at a time in one loop.  Redirects, authorization and
 * retries are not decided here: libcurl is told to follow nothing and to keep no cookies.
 */
#ifndef POD_IMAGE_FETCH_HTTP_H
#define POD_IMAGE_FETCH_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/wire.h"

#define HTTP_ERROR_BODY_MAX 65536u /* of an answer that is not 2xx */
#define HTTP_CHALLENGES_MAX 8
#define HTTP_HEADER_MAX 8192u	 /* bytes of a header that is kept */
#define HTTP_HEADERS_MAX 262144u /* of all headers of one exchange together */

struct http;

/* What applies to all exchanges; the bytes are borrowed for the life of struct http. */
struct http_setup {
	bool insecure; /* certificates are not checked, plain HTTP is allowed */
	struct bytes ca;
	const struct rec_client_pair *clients;
	size_t nclients;
	const struct rec_tls_details *details; /* or NULL */
};

#define HTTP_FEED_PAUSE (-1) /* nothing now: call http_resume */
#define HTTP_FEED_FAIL (-2)

enum http_sink_result { HTTP_SINK_OK, HTTP_SINK_PAUSE, HTTP_SINK_FAIL };

/* One request and its answer.  Zero-initialise, set the first part, http_start. */
struct http_exchange {
	const char *url;
	const char *accept, *range;	 /* values of headers, or NULL */
	const char *bearer;		 /* token, or NULL */
	const char *username, *password; /* for Basic, or NULL */
	const char *form;		 /* body of a POST, or NULL for GET */
	const char *method;		 /* NULL: GET, or POST of a form */
	const char *body_type;		 /* Content-Type of what is sent, or NULL */
	struct bytes send;		 /* sent as it is, without feed */
	bool sends_nothing;		 /* a request with a body of no bytes */
	/* Gives the bytes to send: their number, 0 at the end, or one of HTTP_FEED_x. */
	ssize_t (*feed)(void *arg, char *p, size_t n);
	void *feed_arg;
	int64_t feed_size; /* bytes that feed will give; -1: not known */
	bool own_host;	   /* the registry itself: the client certificate may be shown */
	size_t body_max;   /* bytes of a 2xx body kept in body, without a sink */
	/* Takes the body of a 2xx answer instead; PAUSE means: nothing was taken, call http_resume.
	 */
	enum http_sink_result (*sink)(void *arg, const char *p, size_t n);
	void *sink_arg;

	bool active, done;
	CURLcode code;
	long status;
	struct strbuf body;
	bool body_too_long;
	size_t header_bytes;
	char *content_type, *content_range, *link, *redirect;
	char *location, *answered_range, *content_digest;
	uint64_t content_length;
	uint64_t retry_after_s;
	struct strv challenges; /* values of WWW-Authenticate */
	bool keeps_signatures;	/* X-Registry-Supports-Signatures */
	long os_errno, verify_result;
	char error[CURL_ERROR_SIZE];

	CURL *easy;
	struct curl_slist *headers;
};

/*
 * POD_REGISTRY_TIMEOUT in the environment: seconds after which a transfer that does not move is given up.  A
 * server may take five times as long to answer what was sent to it, and a document as long to arrive in full.
 */
struct http *http_new(const struct http_setup *setup, struct err *e);
void http_free(struct http *h);

/* Begins the exchange; x must stay where it is until it is done or stopped. */
void http_start(struct http *h, struct http_exchange *x);

/* Releases what http_start made and the answer; an unfinished exchange is broken off. */
void http_stop(struct http *h, struct http_exchange *x);

/* Lets a paused body flow again, in or out. */
void http_resume(struct http_exchange *x);

/*
 * Moves all exchanges on, waiting at most timeout_ms for them or for the descriptors in extra.
 * Exchanges that ended have done set.
 */
void http_step(struct http *h, struct curl_waitfd *extra, unsigned n, int timeout_ms);

/* http_start, and http_step until this exchange is done.  Others move on meanwhile. */
void http_perform(struct http *h, struct http_exchange *x);

/* The exchange got no answer: says why, in Go's words where a script may look for them. */
void http_explain(const struct http_exchange *x, struct err *e);

/* True if the failure may pass: the connection broke, or the server is overloaded. */
bool http_may_pass(const struct http_exchange *x);

/* to, which may be relative to base, in full; NULL if that is no URL.  The caller frees it. */
char *http_url_join(const char *base, const char *to);

/* True if the two URLs have the same scheme, host and port. */
bool http_same_origin(const char *a, const char *b);

/* Checks that url is absolute, without user or password, and https, or http if that is allowed. */
bool http_url_allowed(const char *url, bool plain);

#endif
