/* SPDX-License-Identifier: ISC */
/*
 * What a registry answers, from the status line on: headers, tokens, refusals, pages of tags, redirects, and ranges
 * of a broken download.  Answers are parted by a line "----"; each connection gets the next one.
 */
// objs: pod-image/fetch/request.o pod-image/fetch/registry.o pod-image/fetch/http.o pod-image/fetch/proxy.o pod-image/fetch/client.o
// objs: pod-image/fetch/challenge.o pod-image/fetch/tags.o pod-image/fetch/roots.o
// libs: -lcurl -lssl
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-image/fetch/request.h"
#include "pod-image/fetch/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define PART "\n----\n"
#define STEPS 64
#define STEP_MS 20

struct server {
	int listener, client;
	const uint8_t *at, *end;
};

static int
listen_somewhere(char host[32])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		abort();
	snprintf(host, 32, "127.0.0.1:%d", ntohs(a.sin_port));
	return fd;
}

/* Nothing lingers: thousands of connections a second would use up the ports. */
static void
hang_up(struct server *s)
{
	const struct linger at_once = {1, 0};

	if (s->client != -1) {
		setsockopt(s->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(s->client);
	}
	s->client = -1;
}

/* Whoever calls is given the next part, without a look at what he wants, and the line is closed behind it. */
static void
serve(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const uint8_t *part;

	if (fd == -1)
		return;
	hang_up(s);
	s->client = fd;
	part = memmem(s->at, (size_t)(s->end - s->at), PART, strlen(PART));
	if (part == NULL)
		part = s->end;
	if (send(fd, s->at, (size_t)(part - s->at), MSG_NOSIGNAL) >= 0)
		shutdown(fd, SHUT_WR);
	s->at = part == s->end ? part : part + strlen(PART);
}

static enum http_sink_result
drop(void *arg, const char *p, size_t n, struct err *e)
{
	size_t *sum = arg;

	(void)p;
	(void)e;
	*sum += n;
	return HTTP_SINK_OK;
}

/* A request that waits for its next try is given up: delays are not what is tested. */
static void
run(struct request *r, struct server *s)
{
	request_start(r);
	for (int i = 0; i < STEPS && r->state == REQUEST_RUNNING; i++) {
		struct curl_waitfd extra = {.fd = s->listener, .events = CURL_WAIT_POLLIN};

		http_step(r->reg->http, &extra, 1, STEP_MS);
		serve(s);
		request_step(r);
	}
}

static void
look(struct request *r)
{
	own_strv struct strv tags = {0};
	own_mem char *next = NULL;
	struct err e = {0};

	if (err_is_set(&r->failure) || r->state != REQUEST_DONE)
		return;
	if (tags_take(&r->x.body, &tags, &e) == -1 && !err_is_set(&e))
		abort();
	next = tags_next_page(r->x.link, r->path);
	if (next != NULL && strncmp(next, r->path, strlen(r->path)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char host[32];
	static struct server server = {.listener = -1, .client = -1};
	static struct registry reg;
	struct msg_fetch_setup setup = {
	    .registry = host, .tls = "plain", .retries = 2, .retry_delay_ms = 1};
	struct request r = {.reg = &reg, .body_max = 65536};
	size_t sum = 0;
	struct err e = {0};

	if (n == 0 || n > 32768)
		return 0;
	if (server.listener == -1) {
		server.listener = listen_somewhere(host);
		if (registry_init(&reg, &setup, &e) == -1)
			abort();
	}
	reg.auth = CHALLENGE_OTHER;
	server.at = data + 1;
	server.end = data + n;
	r.path = xstrdup("/v2/a/tags/list");
	r.scope = xstrdup("repository:a:pull");
	if ((data[0] & 1) != 0) {
		r.sink = drop;
		r.sink_arg = &sum;
	}
	run(&r, &server);
	look(&r);
	request_free(&r);
	hang_up(&server);
	for (size_t i = 0; i < reg.ntokens; i++) {
		free(reg.tokens[i].scope);
		free(reg.tokens[i].value);
	}
	reg.ntokens = 0;
	free(reg.realm);
	free(reg.service);
	reg.realm = reg.service = NULL;
	return 0;
}
