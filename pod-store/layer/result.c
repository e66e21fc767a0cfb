/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/result.h"

void
result_add(struct strbuf *b, const char *key, const char *value)
{
	strbuf_add(b, key);
	strbuf_addc(b, ' ');
	if (*value == '\0')
		strbuf_addc(b, '%');
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c >= 0x20 && c < 0x7f && c != '%')
			strbuf_addc(b, *value);
		else
			strbuf_addf(b, "%%%02x", c);
	}
	strbuf_addc(b, '\n');
}

void
result_add_u64(struct strbuf *b, const char *key, uint64_t value)
{
	strbuf_addf(b, "%s %llu\n", key, (unsigned long long)value);
}

void
result_add_err(struct strbuf *b, const struct err *failure)
{
	result_add(b, "error", err_class_name(failure->class));
	result_add(b, "text", failure->text);
	if (failure->hint[0] != '\0')
		result_add(b, "hint", failure->hint);
}

int
result_send(struct strbuf *b, int fd, struct err *e)
{
	strbuf_add(b, "end\n");
	if (file_put(fd, b->s, b->n) == -1)
		return err_sys(e, "sending the result");
	return 0;
}

int
result_main(int (*run)(int argc, char **argv, struct strbuf *out, struct err *e), int argc,
    char **argv, int fd)
{
	own_strbuf struct strbuf out = {0};
	struct err e = {0}, unsent = {0};

	role_start();
	if (run(argc, argv, &out, &e) == -1) {
		err_print(&e, stderr);
		if (fd == STDERR_FILENO)
			return err_exit_status(&e);
		strbuf_free(&out);
		result_add_err(&out, &e);
	}
	/* Whoever reads our output must not take its end for success before the result is known. */
	if (result_send(&out, fd, &unsent) == -1 && !err_is_set(&e)) {
		err_print(&unsent, stderr);
		return err_exit_status(&unsent);
	}
	return err_exit_status(&e);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place.  A NUL cannot come out. */
static int
unescape(char *s)
{
	char *to = s;

	if (strcmp(s, "%") == 0) {
		*s = '\0';
		return 0;
	}
	for (; *s != '\0'; s++) {
		int high, low;

		if (*s != '%') {
			if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
				return -1;
			*to++ = *s;
			continue;
		}
		high = hex_value(s[1]);
		low = high == -1 ? -1 : hex_value(s[2]);
		if (low == -1 || (high | low) == 0)
			return -1;
		*to++ = (char)(high << 4 | low);
		s += 2;
	}
	*to = '\0';
	return 0;
}

static int
broken(struct result *r, struct err *e, const char *what)
{
	result_free(r);
	return err_set(e, ERR_PEER, "the worker's result %s", what);
}

static int
reported_error(struct result *r, struct err *e)
{
	const char *text = result_get(r, "text"), *hint = result_get(r, "hint");
	enum err_class class = err_class_from_name(result_get(r, "error"));
	char safe[sizeof(e->text)];

	text_escape(text != NULL ? text : "a worker failed", safe, sizeof(safe));
	err_set(e, class != ERR_NONE ? class : ERR_INTERNAL, "%s", safe);
	if (hint != NULL) {
		text_escape(hint, safe, sizeof(safe));
		err_hint(e, "%s", safe);
	}
	result_free(r);
	return -1;
}

int
result_parse(char *p, size_t n, struct result *r, struct err *e)
{
	char *end = p + n;

	*r = (struct result){0};
	if (n < 4 || memcmp(end - 4, "end\n", 4) != 0 || (n > 4 && end[-5] != '\n') ||
	    memchr(p, '\0', n) != NULL)
		return broken(r, e, "is incomplete");
	for (end -= 4; p < end;) {
		char *line_end = memchr(p, '\n', (size_t)(end - p));
		char *space = memchr(p, ' ', (size_t)(line_end - p));

		*line_end = '\0';
		if (space == NULL || space == p || unescape(space + 1) == -1)
			return broken(r, e, "is malformed");
		*space = '\0';
		r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
		r->v[r->n++] = (struct result_field){
		    .key = arena_strdup(&r->mem, p), .value = arena_strdup(&r->mem, space + 1)};
		p = line_end + 1;
	}
	return result_get(r, "error") != NULL ? reported_error(r, e) : 0;
}

/* 1: there is something to read, or the end. */
static int
await(int fd, int64_t until, struct err *e)
{
	for (;;) {
		int64_t left = until - clock_now_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n == 1)
			return 1;
		if (n == 0)
			return err_set(
			    e, ERR_TIMEOUT, "the worker's result has not come in the time it has");
		if (errno != EINTR)
			return err_sys(e, "waiting for the worker's result");
	}
}

int
result_read(int fd, int within_ms, struct result *r, struct err *e)
{
	int64_t until = clock_now_ms() + within_ms;
	own_strbuf struct strbuf text = {0};
	char buf[4096];
	ssize_t n;

	*r = (struct result){0};
	do {
		if (await(fd, until, e) == -1)
			return -1;
		n = read(fd, buf, sizeof(buf));
		if (n == -1 && errno != EINTR)
			return err_sys(e, "reading the worker's result");
		if (n > 0 && text.n + (size_t)n > RESULT_MAX)
			return err_set(e, ERR_LIMIT, "the worker's result is larger than %u bytes",
			    RESULT_MAX);
		if (n > 0)
			strbuf_addn(&text, buf, (size_t)n);
	} while (n != 0);
	return result_parse(text.n > 0 ? text.s : (char[]){""}, text.n, r, e);
}

const char *
result_get(const struct result *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].key, key) == 0)
			return r->v[i].value;
	return NULL;
}

int
result_u64(const struct result *r, const char *key, uint64_t *out, struct err *e)
{
	const char *s = result_get(r, key);

	if (s == NULL || text_to_u64(s, UINT64_MAX, out) == -1)
		return err_set(e, ERR_PEER, "the worker's result has no valid %s", key);
	return 0;
}

void
result_free(struct result *r)
{
	arena_free(&r->mem);
	free(r->v);
	*r = (struct result){0};
}
