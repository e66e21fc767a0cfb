/* SPDX-License-Identifier: ISC */
// objs: pod-image/daemon/answer.o
/* What a Docker daemon answers: HTTP, and the words in it. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/fs/file.h"
#include "common/wire/http.h"
#include "pod-image/daemon/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
take(void *arg, const char *p, size_t n, struct err *e)
{
	size_t *left = arg;

	(void)p;
	if (n > *left)
		abort(); /* more than came in */
	*left -= n;
	return n > 0 ? 0 : err_set(e, ERR_INTERNAL, "nothing");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http *h = xcalloc(1, sizeof(*h));
	char *copy = xmemdup(data, n);
	struct err e = {0};
	size_t left = n;

	h->fd = memfd_create("answer", MFD_CLOEXEC);
	h->who = "the server";
	if (file_put(h->fd, data, n) == 0 && lseek(h->fd, 0, SEEK_SET) == 0 &&
	    http_head(h, &e) == 0)
		(void)(http_body(h, take, &left, &e) == 0 && http_end(h, &e));
	close(h->fd);
	free(h);
	err_clear(&e);
	if (answer_check(copy, n, &e) == -1 && !err_is_set(&e))
		abort();
	err_clear(&e);
	answer_refusal(500, copy, n, &e);
	if (!err_is_set(&e))
		abort();
	free(copy);
	return 0;
}
