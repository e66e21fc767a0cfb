/* SPDX-License-Identifier: ISC */
/*
 * pod-image-daemon: the worker that speaks HTTP with Docker's engine over a connection that it is
 * handed; it can make none itself.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/wire/http.h"
#include "common/wire/worker.h"
#include "pod-image/daemon/answer.h"

#define CHUNK ((size_t)64 << 10)

/* --- What is said ----------------------------------------------------------------------------- */

struct taker {
	int stream;	    /* of the image */
	struct strbuf said; /* what is no image */
};

static int
take_image(void *arg, const char *p, size_t n, struct err *e)
{
	const struct taker *t = arg;

	if (file_put(t->stream, p, n) == 0)
		return 0;
	return errno == EPIPE ? err_set(e, ERR_CANCELLED, "the reader of the image has gone")
			      : err_sys(e, "writing the image");
}

static int
take_words(void *arg, const char *p, size_t n, struct err *e)
{
	struct taker *t = arg;
	size_t room = ANSWER_MAX - t->said.n;

	(void)e;
	strbuf_addn(&t->said, p, n < room ? n : room);
	return 0;
}

/* The head has been read: refusals end it. */
static int
check_status(struct http *h, struct err *e)
{
	struct taker t = {0};
	struct err ignored = {0};

	if (h->status / 100 == 2)
		return 0;
	(void)http_body(h, take_words, &t, &ignored);
	answer_refusal(h->status, t.said.s != NULL ? t.said.s : "", t.said.n, e);
	strbuf_free(&t.said);
	return -1;
}

/* Slashes and colons of the name stand for themselves in the path. */
static void
add_escaped(struct strbuf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			     (*name >= '0' && *name <= '9') || strchr("/:._-", *name) != NULL;

		if (plain)
			strbuf_addc(b, *name);
		else
			strbuf_addf(b, "%%%02X", (unsigned char)*name);
	}
}

#define COMMON_FIELDS \
	" HTTP/1.1\r\nHost: docker\r\nUser-Agent: pod/" POD_VERSION "\r\nConnection: close\r\n"

static int
on_save(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_daemon_save *m = MSG_OF(in, daemon_save);
	own_fd int fd = fd_take(&m->socket), stream = fd_take(&m->stream);
	own_mem struct http *h = xcalloc(1, sizeof(*h));
	own_strbuf struct strbuf head = {0};
	struct taker t = {.stream = stream};

	(void)arg;
	h->fd = fd;
	h->who = "the Docker daemon";
	strbuf_add(&head, "GET /images/");
	add_escaped(&head, m->name);
	strbuf_add(&head, "/get" COMMON_FIELDS "\r\n");
	if (file_put(fd, head.s, head.n) < 0)
		return err_sys(e, "asking the Docker daemon");
	if (http_head(h, e) < 0 || check_status(h, e) < 0 || http_body(h, take_image, &t, e) < 0)
		return -1;
	fd_close(&stream);
	return peer_send_ok(p, in->seq, e);
}

/* --- What is sent ----------------------------------------------------------------------------- */

/*
 * The end of the pipe may be that of a worker that failed: only the word of pod-image makes it the
 * end of the image.
 */
static int
wait_for_commit(struct peer *p, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0};

	if (peer_recv(p, &in, -1, &ignored) == 1 && PEER_IS(&in, daemon_commit))
		return 0;
	return err_set(e, ERR_CANCELLED, "the image was not completed");
}

/* 1: the daemon has heard enough, its answer says why. */
static int
send_image(struct peer *p, int fd, int stream, struct err *e)
{
	own_mem char *block = xmalloc(CHUNK);
	char size[32];
	ssize_t n;

	while ((n = file_get(stream, block, CHUNK)) > 0) {
		snprintf(size, sizeof(size), "%zx\r\n", (size_t)n);
		if (file_put(fd, size, strlen(size)) < 0 || file_put(fd, block, (size_t)n) < 0 ||
		    file_put(fd, "\r\n", 2) < 0)
			return errno == EPIPE || errno == ECONNRESET
				   ? 1
				   : err_sys(e, "sending the image");
	}
	if (n < 0)
		return err_sys(e, "reading the image");
	if (wait_for_commit(p, e) < 0)
		return -1;
	return file_put(fd, "0\r\n\r\n", 5) < 0 ? err_sys(e, "sending the image") : 0;
}

static int
on_load(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	static const char head[] =
	    "POST /images/load?quiet=1" COMMON_FIELDS "Content-Type: application/x-tar\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n";
	struct msg_daemon_load *m = MSG_OF(in, daemon_load);
	own_fd int fd = fd_take(&m->socket), stream = fd_take(&m->stream);
	own_mem struct http *h = xcalloc(1, sizeof(*h));
	struct taker t = {0};
	int r;

	(void)arg;
	h->fd = fd;
	h->who = "the Docker daemon";
	if (file_put(fd, head, sizeof(head) - 1) < 0)
		return err_sys(e, "asking the Docker daemon");
	r = send_image(p, fd, stream, e);
	fd_close(&stream);
	if (r < 0 || http_head(h, e) < 0 || check_status(h, e) < 0)
		return -1;
	r = http_body(h, take_words, &t, e);
	if (r == 0)
		r = answer_check(t.said.s != NULL ? t.said.s : "", t.said.n, e);
	strbuf_free(&t.said);
	return r < 0 ? -1 : peer_send_ok(p, in->seq, e);
}

/* Where the exchange ended early, the word that all has been written comes too late. */
static int
on_commit(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)arg;
	(void)e;
	return 0;
}

static const struct peer_handler handlers[] = {
    {&msg_daemon_save_desc, 1, PEER_ONCE, on_save},
    {&msg_daemon_load_desc, 1, PEER_ONCE, on_load},
    {&msg_daemon_commit_desc, 1, PEER_ONCE, on_commit},
};

/* jansson reads its random seed from a file: so it does that now. */
static void
seed_json(void)
{
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	const struct worker_face face = {.role = ROLE_DAEMON,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .prepare = seed_json};

	return worker_main(&face, argc, argv);
}
