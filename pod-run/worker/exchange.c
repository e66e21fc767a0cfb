/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/attach.h"
#include "common/oci/base64.h"
#include "common/wire/document.h"
#include "common/wire/http.h"
#include "pod-run/worker/exchange.h"

#define TEXT_MAX ((size_t)12 << 20) /* of a document */
#define LINE_MAX_BYTES ((size_t)1 << 20)
#define REFUSAL_MAX ((size_t)1 << 20)
#define SAID_MAX 8191u
#define CHUNK ((size_t)64 << 10)
#define FRAME_HEAD 8
#define UTF8_MAX 4 /* bytes of a character */

/* One answer. */
struct answer {
	struct peer *p;
	uint32_t seq;
	const struct msg_remote_ask *m;
	struct strbuf text;
	char *path_stat; /* the header of that name, or NULL */
	size_t max;
	uint8_t frame[FRAME_HEAD];
	size_t frame_n;
	uint32_t left; /* of the frame's bytes */
	struct arena a;
	struct msg_remote_r r;
};

static void
answer_free(struct answer *w)
{
	strbuf_free(&w->text);
	free(w->path_stat);
	arena_free(&w->a);
}

/* --- The question -------------------------------------------------------------------------------*/

static int
lost(struct err *e)
{
	return err_sys(e, "asking the service");
}

static int
send_head(int fd, const struct msg_remote_ask *m, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	strbuf_addf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pod/" POD_VERSION "\r\n",
	    m->method, m->target, m->host);
	if (strcmp(m->answer, "upgrade") == 0)
		strbuf_add(&b, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
	if (m->type != NULL)
		strbuf_addf(&b, "Content-Type: %s\r\n", m->type);
	if (m->auth != NULL)
		strbuf_addf(&b, "X-Registry-Auth: %s\r\n", m->auth);
	if (m->feed)
		strbuf_add(&b, "Transfer-Encoding: chunked\r\n");
	else if (m->body.n > 0 || strcmp(m->method, "GET") != 0)
		strbuf_addf(&b, "Content-Length: %zu\r\n", m->body.n);
	strbuf_add(&b, "\r\n");
	if (file_put(fd, b.s, b.n) == -1 || file_put(fd, m->body.p, m->body.n) == -1)
		return lost(e);
	return 0;
}

/* --- What becomes of the body --------------------------------------------------------------------*/

static int
take_text(void *arg, const char *p, size_t n, struct err *e)
{
	struct answer *w = arg;

	if (n > w->max - w->text.n)
		return err_set(e, ERR_LIMIT, "the answer of the service is too long");
	strbuf_addn(&w->text, p, n);
	return 0;
}

static int
pass(int fd, const char *p, size_t n, struct err *e)
{
	if (file_put(fd, p, n) == 0)
		return 0;
	if (errno != EPIPE)
		return err_sys(e, "writing what the service sends");
	err_set(e, ERR_CANCELLED, "the reader has gone");
	e->no = EPIPE;
	return -1;
}

static int
take_raw(void *arg, const char *p, size_t n, struct err *e)
{
	const struct answer *w = arg;

	return pass(w->m->out, p, n, e);
}

static int
item(struct answer *w, const char *text, size_t n, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, LINE_MAX_BYTES, JSON_DEPTH_DEFAULT, e);
	own_strbuf struct strbuf b = {0};
	struct msg_remote_item m = {0};

	if (j == NULL || document_pack(j, &b, e) == -1)
		return -1;
	m.document = (struct bytes){(const uint8_t *)b.s, b.n};
	return peer_send(w->p, &msg_remote_item_desc, w->seq, &m, e);
}

/* Values, each ended by the end of a line, which stands in none of them. */
static int
take_lines(void *arg, const char *p, size_t n, struct err *e)
{
	struct answer *w = arg;
	const char *end;

	while ((end = memchr(p, '\n', n)) != NULL) {
		size_t part = (size_t)(end - p);

		if (take_text(w, p, part, e) == -1 ||
		    (w->text.n > strspn(w->text.s != NULL ? w->text.s : "", " \r\t") &&
			item(w, w->text.s, w->text.n, e) == -1))
			return -1;
		strbuf_free(&w->text);
		p = end + 1;
		n -= part + 1;
	}
	return take_text(w, p, n, e);
}

/* Docker's frames: {stream, 0, 0, 0, length} with the highest byte first, and as many bytes. */
static int
take_frames(void *arg, const char *p, size_t n, struct err *e)
{
	struct answer *w = arg;

	if (w->m->tty)
		return pass(w->m->out, p, n, e);
	while (n > 0) {
		size_t part;

		if (w->left == 0) {
			w->frame[w->frame_n++] = (uint8_t)*p++;
			n--;
			if (w->frame_n < FRAME_HEAD)
				continue;
			w->frame_n = 0;
			w->left = (uint32_t)w->frame[4] << 24 | (uint32_t)w->frame[5] << 16 |
				  (uint32_t)w->frame[6] << 8 | w->frame[7];
			if (w->frame[0] > 3 || w->frame[1] != 0 || w->frame[2] != 0 ||
			    w->frame[3] != 0)
				return err_set(
				    e, ERR_FORMAT, "the stream of the service is malformed");
			continue;
		}
		part = n < w->left ? n : w->left;
		if (pass(w->frame[0] < 2 || w->m->err <= 0 ? w->m->out : w->m->err, p, part, e) ==
		    -1)
			return -1;
		w->left -= (uint32_t)part;
		p += part;
		n -= part;
	}
	return 0;
}

/* --- After an upgrade ----------------------------------------------------------------------------*/

/* What was typed and the service has not taken yet.  Neither direction waits for the other. */
struct typed {
	bool open, detached;
	size_t at, n;
	struct detach keys;
	char block[CHUNK + DETACH_KEYS_MAX];
};

static int
send_input(int fd, struct typed *t, struct err *e)
{
	while (t->at < t->n) {
		ssize_t n = send(fd, t->block + t->at, t->n - t->at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			return 0;
		/* Its last words are read still. */
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			t->at = t->n;
		else if (n == -1)
			return lost(e);
		else
			t->at += (size_t)n;
	}
	return 0;
}

/* What the user types goes out; its end is told. */
static int
take_input(int fd, int in, struct typed *t, struct err *e)
{
	char raw[CHUNK];
	ssize_t n = read(in, raw, sizeof(raw));

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 0;
	t->at = t->n = 0;
	if (n > 0) {
		t->detached = detach_feed(
		    &t->keys, (const uint8_t *)raw, (size_t)n, (uint8_t *)t->block, &t->n);
		return send_input(fd, t, e);
	}
	t->open = false;
	shutdown(fd, SHUT_WR);
	return 0;
}

/* 1: the service has ended it. */
static int
get_output(struct http *h, struct answer *w, struct err *e)
{
	ssize_t n = read(h->fd, h->block, sizeof(h->block));

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return n == 0 || errno == ECONNRESET ? 1
						     : err_sys(e, "reading what the service sends");
	return take_frames(w, h->block, (size_t)n, e);
}

static int
carry(struct http *h, struct answer *w, struct err *e)
{
	own_mem struct typed *t = xcalloc(1, sizeof(*t));
	size_t have = h->have - h->at;

	if (peer_send(w->p, &msg_remote_opened_desc, w->seq, &(struct msg_remote_opened){0}, e) ==
	    -1)
		return -1;
	if (w->m->detach_keys != NULL && detach_parse(&t->keys, w->m->detach_keys, e) == -1)
		return -1;
	t->open = w->m->in > 0;
	h->have = 0;
	if (have > 0 && take_frames(w, h->block + h->at, have, e) == -1)
		return -1;
	for (;;) {
		bool waits = t->at < t->n;
		struct pollfd p[] = {{.fd = h->fd, .events = POLLIN | (waits ? POLLOUT : 0)},
		    {.fd = t->open && !waits ? w->m->in : -1, .events = POLLIN},
		    {.fd = h->reader, .events = POLLRDHUP}};

		if (poll(p, COUNTOF(p), -1) == -1 && errno != EINTR)
			return err_sys(e, "waiting for the service");
		if (p[0].revents & POLLOUT && send_input(h->fd, t, e) == -1)
			return -1;
		if (p[0].revents & ~POLLOUT) {
			int r = get_output(h, w, e);

			if (r != 0)
				return r == 1 ? 0 : -1;
		}
		if (p[1].revents != 0 && take_input(h->fd, w->m->in, t, e) == -1)
			return -1;
		if (p[2].revents != 0)
			return err_set(e, ERR_CANCELLED, "nobody waits for the service");
		if (t->detached) {
			w->r.detached = true;
			return 0;
		}
	}
}

/* --- The answer ----------------------------------------------------------------------------------*/

/* At most max bytes, whole characters. */
static const char *
cut(struct arena *a, const char *s, size_t max)
{
	size_t n = 0, step;

	while (s[n] != '\0' && (step = text_utf8_len(s + n, strnlen(s + n, UTF8_MAX))) > 0 &&
	       n + step <= max)
		n += step;
	return arena_strndup(a, s, n);
}

static void
take_field(void *arg, const char *name, const char *value)
{
	struct answer *w = arg;

	if (strcasecmp(name, "libpod-api-version") == 0)
		w->r.api = cut(&w->a, value, 63);
	if (strcasecmp(name, "x-docker-container-path-stat") == 0 && w->path_stat == NULL)
		w->path_stat = xstrdup(value);
}

static void
take_words(const json_t *j, const char *key, struct arena *a, const char **out)
{
	const char *s = json_string_value(json_object_get(j, key));

	if (s != NULL && *s != '\0')
		*out = cut(a, s, SAID_MAX);
}

/* {"cause", "message", "response"}, or just a text. */
static void
take_refusal(struct answer *w)
{
	const char *text = w->text.s != NULL ? w->text.s : "";
	struct err ignored = {0};
	own_json json_t *j = json_read_max(text, w->text.n, REFUSAL_MAX, 8, &ignored);

	if (!json_is_object(j)) {
		own_mem char *line = xstrndup(text, strcspn(text, "\r\n"));

		if (*line != '\0')
			w->r.message = cut(&w->a, line, SAID_MAX);
		return;
	}
	take_words(j, "message", &w->a, &w->r.message);
	take_words(j, "cause", &w->a, &w->r.cause);
}

static int
take_json(struct answer *w, const char *text, size_t n, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_json json_t *j = NULL;

	j = json_read_max(text, n, TEXT_MAX, DOCUMENT_DEPTH_MAX - 1, e);
	if (j == NULL || document_pack(j, &b, e) == -1)
		return err_wrap(e, "reading the answer of the service");
	w->r.document.n = b.n;
	w->r.document.p = memcpy(arena_alloc(&w->a, b.n), b.s, b.n);
	return 0;
}

static int
take_path_stat(struct answer *w, struct err *e)
{
	own_mem char *text = NULL;
	size_t n;

	if (w->path_stat == NULL)
		return 0;
	text = base64_decode(w->path_stat, &n);
	if (text == NULL)
		return err_set(e, ERR_FORMAT, "what the service says of a path is malformed");
	return take_json(w, text, n, e);
}

static bool
asked(const struct answer *w, const char *kind)
{
	return strcmp(w->m->answer, kind) == 0;
}

/* From then on it is no HTTP. */
static bool
upgraded(const struct http *h, const struct answer *w)
{
	return h->status == 101 || (h->status == 200 && asked(w, "upgrade"));
}

static int
take_body(struct http *h, struct answer *w, struct err *e)
{
	bool failed = h->status >= 400;

	if (upgraded(h, w))
		return carry(h, w, e);
	if (strcmp(w->m->method, "HEAD") == 0)
		return failed ? 0 : take_path_stat(w, e);
	if (h->status == 204 || h->status == 304)
		return 0;
	w->max = failed ? REFUSAL_MAX : TEXT_MAX;
	if (failed || asked(w, "document") || asked(w, "none")) {
		if (http_body(h, take_text, w, e) == -1)
			return -1;
		if (failed)
			take_refusal(w);
		return !failed && asked(w, "document") && w->text.n > 0
			   ? take_json(w, w->text.s, w->text.n, e)
			   : 0;
	}
	w->max = LINE_MAX_BYTES;
	if (asked(w, "lines"))
		return http_body(h, take_lines, w, e) == -1 ||
			       (w->text.n > 0 && item(w, w->text.s, w->text.n, e) == -1)
			   ? -1
			   : 0;
	return http_body(h, asked(w, "frames") ? take_frames : take_raw, w, e);
}

static int
check(const struct service *s, const struct msg_remote_ask *m, struct err *e)
{
	bool streams = strcmp(m->answer, "raw") == 0 || strcmp(m->answer, "frames") == 0 ||
		       strcmp(m->answer, "upgrade") == 0;

	if (s->fd == -1 && m->connection <= 0)
		return err_set(e, ERR_INVALID, "a question without a connection");
	if ((streams && m->out <= 0) || (m->feed && m->in <= 0))
		return err_set(e, ERR_INVALID, "a question without its streams");
	return 0;
}

/* The connection takes another question: all of this one was sent, and its answer has an end. */
static bool
goes_on(struct http *h, const struct answer *w, struct err *e)
{
	return h->again && !upgraded(h, w) && strcmp(w->m->method, "HEAD") != 0 &&
	       (h->feed == NULL || !feed_goes_on(h->feed)) &&
	       (h->sized || h->chunked || h->status == 204 || h->status == 304) &&
	       http_end(h, e) == 0;
}

int
exchange_on_ask(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_remote_ask *m = MSG_OF(in, remote_ask);
	struct service *s = arg;
	own(answer_free) struct answer w = {.p = p, .seq = in->seq, .m = m};
	own_mem struct feed *feed = m->feed ? xcalloc(1, sizeof(*feed)) : NULL;
	struct http *h = s->h;

	if (check(s, m, e) == -1)
		return -1;
	if (m->connection > 0) {
		fd_close(&s->fd);
		s->fd = fd_take(&m->connection);
		h->have = h->at = 0;
	}
	h->fd = s->fd;
	h->who = "the service";
	h->reader = peer_fd(p);
	h->patience_ms = (int)m->patience_ms;
	h->field = take_field;
	h->arg = &w;
	h->feed = feed;
	if (feed != NULL) {
		feed->in = m->in;
		feed->open = true;
	}
	if (send_head(s->fd, m, e) == -1 || http_head(h, e) == -1)
		return -1;
	w.r.status = (uint64_t)h->status;
	if (take_body(h, &w, e) == -1)
		return -1;
	/* A service that has done it may not have read what is behind the end of an archive. */
	if (feed != NULL && h->status < 400 && http_fed(h, e) == -1)
		return -1;
	w.r.again = goes_on(h, &w, e);
	/* Whoever waits for the end of a stream gets it before the answer. */
	fd_close(&m->out);
	fd_close(&m->err);
	return peer_send(p, &msg_remote_r_desc, in->seq, &w.r, e);
}
