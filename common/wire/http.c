/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/http.h"

#define LINE_MAX_BYTES 4096
#define INTERIM_MAX 8

/* 1: there is something to read; 0: some of what is fed was sent.  Nobody waits for it once the reader has gone. */
static int
step(const struct http *h, struct err *e)
{
	struct pollfd p[] = {
	    {.fd = h->fd, .events = POLLIN}, {.fd = h->reader, .events = POLLRDHUP}, {.fd = -1}};
	int n;

	if (h->feed != NULL)
		feed_wants(h->feed, &p[0], &p[2]);
	n = poll(p, COUNTOF(p), h->patience_ms > 0 ? h->patience_ms : -1);
	if (n == -1)
		return errno == EINTR ? 0 : err_sys(e, "waiting for %s", h->who);
	if (n == 0)
		return err_set(e, ERR_TIMEOUT, "%s does not answer", h->who);
	if (p[1].revents != 0 && p[0].revents == 0)
		return err_set(e, ERR_CANCELLED, "nobody waits for the answer of %s", h->who);
	if (h->feed != NULL && feed_go(h->feed, &p[0], &p[2], e) == -1)
		return -1;
	return (p[0].revents & ~POLLOUT) != 0;
}

static int
await(const struct http *h, struct err *e)
{
	int r;

	while ((r = step(h, e)) == 0)
		;
	return r;
}

int
http_fed(struct http *h, struct err *e)
{
	int r = 0;

	while (r == 0 && feed_goes_on(h->feed))
		r = step(h, e);
	return r == -1 ? -1 : 0;
}

/* More bytes of the connection: 1, or 0 at its end. */
static int
fill(struct http *h, struct err *e)
{
	ssize_t n;

	if (h->reader > 0 && await(h, e) == -1)
		return -1;
	do
		n = read(h->fd, h->block, sizeof(h->block));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "reading the answer of %s", h->who);
	h->at = 0;
	h->have = (size_t)n;
	return n > 0;
}

static int
get(struct http *h, char *c, struct err *e)
{
	int r = h->at < h->have ? 1 : fill(h, e);

	if (r == 1)
		*c = h->block[h->at++];
	if (r == 0)
		err_set(e, ERR_NETWORK, "%s ended its answer too early", h->who);
	return r == 1 ? 0 : -1;
}

/* One line without its end. */
static int
get_line(struct http *h, char line[LINE_MAX_BYTES], size_t *budget, struct err *e)
{
	size_t n = 0;
	char c;

	for (;;) {
		if (get(h, &c, e) < 0)
			return -1;
		if ((*budget)-- == 0 || n + 1 == LINE_MAX_BYTES)
			return err_set(
			    e, ERR_LIMIT, "the head of the answer of %s is too long", h->who);
		if (c == '\n')
			break;
		if (c == '\0')
			return err_set(e, ERR_FORMAT, "%s sends no HTTP", h->who);
		line[n++] = c;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return 0;
}

static int
take_status(struct http *h, const char *line, struct err *e)
{
	if (!text_has_prefix(line, "HTTP/1.") || strlen(line) < 12 ||
	    strspn(line + 9, "0123456789") != 3)
		return err_set(e, ERR_FORMAT, "%s sends no HTTP", h->who);
	h->again = line[7] != '0';
	h->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	return 0;
}

static int
take_field(struct http *h, char *line, struct err *e)
{
	char *colon = strchr(line, ':'), *value;

	if (colon == NULL)
		return err_set(e, ERR_FORMAT, "%s sends no HTTP", h->who);
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strcasecmp(line, "transfer-encoding") == 0)
		h->chunked = strcasecmp(value, "chunked") == 0;
	if (strcasecmp(line, "content-length") == 0) {
		if (text_to_u64(value, INT64_MAX, &h->length) != 0)
			return err_set(e, ERR_FORMAT, "the length of the answer is no number");
		h->sized = true;
	}
	if (strcasecmp(line, "connection") == 0 && strcasecmp(value, "close") == 0)
		h->again = false;
	if (h->field != NULL)
		h->field(h->arg, line, value);
	return 0;
}

static int
one_head(struct http *h, size_t *budget, struct err *e)
{
	char line[LINE_MAX_BYTES];

	h->chunked = h->sized = false;
	if (get_line(h, line, budget, e) < 0 || take_status(h, line, e) < 0)
		return -1;
	for (;;) {
		if (get_line(h, line, budget, e) < 0)
			return -1;
		if (line[0] == '\0')
			return 0;
		if (take_field(h, line, e) < 0)
			return -1;
	}
}

int
http_head(struct http *h, struct err *e)
{
	size_t budget = HTTP_HEAD_MAX;

	for (int i = 0; i < INTERIM_MAX; i++) {
		if (one_head(h, &budget, e) < 0)
			return -1;
		if (h->status / 100 != 1 || h->status == 101)
			return 0;
	}
	return err_set(e, ERR_FORMAT, "%s never comes to its answer", h->who);
}

/* n bytes; all there are if n is UINT64_MAX. */
static int
pass(struct http *h, uint64_t n, int (*sink)(void *, const char *, size_t, struct err *), void *arg,
    struct err *e)
{
	while (n > 0) {
		size_t part;

		if (h->at == h->have) {
			int r = fill(h, e);

			if (r < 0)
				return -1;
			if (r == 0)
				return n == UINT64_MAX
					   ? 0
					   : err_set(e, ERR_NETWORK,
						 "%s ended its answer too early", h->who);
		}
		part = h->have - h->at < n ? h->have - h->at : (size_t)n;
		if (sink(arg, h->block + h->at, part, e) < 0)
			return -1;
		h->at += part;
		if (n != UINT64_MAX)
			n -= part;
	}
	return 0;
}

/* RFC 9112, section 7.1; extensions and trailers mean nothing here. */
static int
chunk_size(struct http *h, uint64_t *size, struct err *e)
{
	char line[LINE_MAX_BYTES], *end;
	size_t budget = LINE_MAX_BYTES, digits;

	if (get_line(h, line, &budget, e) < 0)
		return -1;
	digits = strspn(line, "0123456789abcdefABCDEF");
	if (digits == 0 || digits > 15)
		return err_set(e, ERR_FORMAT, "the answer holds a malformed chunk");
	*size = strtoull(line, &end, 16);
	return 0;
}

static int
empty_line(struct http *h, struct err *e)
{
	char line[LINE_MAX_BYTES];
	size_t budget = LINE_MAX_BYTES;

	if (get_line(h, line, &budget, e) < 0)
		return -1;
	return line[0] == '\0' ? 0 : err_set(e, ERR_FORMAT, "the answer holds a malformed chunk");
}

int
http_body(struct http *h, int (*sink)(void *arg, const char *p, size_t n, struct err *e), void *arg,
    struct err *e)
{
	uint64_t size;

	if (!h->chunked)
		return pass(h, h->sized ? h->length : UINT64_MAX, sink, arg, e);
	for (;;) {
		if (chunk_size(h, &size, e) < 0)
			return -1;
		if (size == 0)
			return 0;
		if (pass(h, size, sink, arg, e) < 0 || empty_line(h, e) < 0)
			return -1;
	}
}

int
http_end(struct http *h, struct err *e)
{
	char line[LINE_MAX_BYTES];
	size_t budget = HTTP_HEAD_MAX;

	while (h->chunked) {
		if (get_line(h, line, &budget, e) < 0)
			return -1;
		if (line[0] == '\0')
			break;
	}
	return 0;
}
