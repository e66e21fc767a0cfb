/* SPDX-License-Identifier: ISC */
/*
 * pod-store-inflate [inflate | keep | compress-gzip | compress-zstd | digest | pass]: from standard input to
 * standard output; the result (result.h: digests and sizes of both sides) goes to descriptor 4, or
 * to standard error if that is not open.  "keep" is "inflate" that also writes what it reads to descriptor 5, "digest"
 * passes the stream on unchanged, and so does "pass" with a file, at which it does not look: its result is empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/stream.h"
#include "common/role/role.h"
#include "pod-store/layer/inflate.h"
#include "pod-store/layer/result.h"

#define RESULT_FD 4
#define COPY_FD 5
#define PASS_SIZE (1u << 20)

/* Of a file, for a reader that digests what it gets: nothing is copied. */
static int
pass(struct inflate *s, struct err *e)
{
	ssize_t n;

	do
		n = stream_send(s->out, s->in, NULL, PASS_SIZE);
	while (n > 0 || (n == -1 && errno == EINTR));
	return n == 0 ? 0 : err_sys(e, "passing the layer on");
}

static const struct {
	const char *word;
	int (*run)(struct inflate *, struct err *);
	enum inflate_format format;
} modes[] = {
    {"inflate", inflate_stream, INFLATE_NONE},
    {"keep", inflate_stream, INFLATE_NONE},
    {"compress-gzip", deflate_stream, INFLATE_GZIP},
    {"compress-zstd", deflate_stream, INFLATE_ZSTD},
    {"digest", deflate_stream, INFLATE_NONE},
    {"pass", pass, INFLATE_NONE},
};

static void
describe(struct inflate *s, struct strbuf *out)
{
	char plain[DIGEST_TEXT], packed[DIGEST_TEXT];

	digest_text(&s->plain, plain);
	digest_text(&s->packed, packed);
	result_add(out, "format", inflate_format_name(s->format));
	result_add(out, "plain_digest", plain);
	result_add_u64(out, "plain_size", s->plain.size);
	result_add(out, "packed_digest", packed);
	result_add_u64(out, "packed_size", s->packed.size);
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	struct inflate s = {.in = STDIN_FILENO, .out = STDOUT_FILENO, .threaded = true};
	const char *word = argc > 1 ? argv[1] : "inflate";
	const bool reported = fcntl(RESULT_FD, F_GETFD) != -1;
	const bool copies = strcmp(word, "keep") == 0;
	const int keep[] = {RESULT_FD, COPY_FD};
	size_t i;
	int got;

	for (i = 0; i < COUNTOF(modes) && strcmp(modes[i].word, word) != 0; i++)
		;
	if (i == COUNTOF(modes))
		return err_set(e, ERR_USAGE, "unknown mode \"%s\"", word);
	if (role_enter(ROLE_INFLATE, keep, copies ? 2 : reported, e) == -1)
		return -1;
	s.format = modes[i].format;
	s.copy = copies ? COPY_FD : 0;
	got = modes[i].run(&s, e);
	if (got == 0 && s.plain.state != NULL)
		describe(&s, out);
	inflate_free(&s);
	return got;
}

int
main(int argc, char **argv)
{
	return result_main(
	    run, argc, argv, fcntl(RESULT_FD, F_GETFD) != -1 ? RESULT_FD : STDERR_FILENO);
}
