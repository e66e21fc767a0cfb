/* SPDX-License-Identifier: ISC */
/*
 * pod-store-erofs: reads a layer's tar stream (descriptor 0), keeps it as it is in the file on descriptor 4
 * and writes an EROFS image that shows what is in it to the file on descriptor 5.  Mode "index": the tar is
 * the file on descriptor 0 itself, and is not copied.  The result (result.h) goes to descriptor 1.
 * By hand: pod-store-erofs index 5<>layer.erofs <layer.tar
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/erofs.h"
#include "pod-store/layer/nodes.h"
#include "pod-store/layer/result.h"
#include "pod-store/layer/tar.h"

#define TAR_FD 4
#define IMAGE_FD 5
#define READ_SIZE (256u << 10)

struct index {
	struct tar *tar;
	struct nodes nodes;
	uint64_t at; /* bytes of the stream that came out */
	char *buf;
	bool copy;
};

static int
feed(struct index *x, struct err *e)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, x->buf, READ_SIZE);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_sys(e, "reading the layer");
	if (x->copy && file_put(TAR_FD, x->buf, (size_t)n) == -1)
		return err_sys(e, "writing the layer's tar");
	tar_feed(x->tar, x->buf, (size_t)n);
	return 0;
}

static int
on_bytes(struct index *x, bool contents, struct err *e)
{
	uint64_t offset = 0;
	size_t n;
	int r = 0;

	tar_data(x->tar, &n, &offset);
	if (contents)
		r = nodes_data(&x->nodes, offset, x->at, n, e);
	x->at += n;
	return r;
}

/* 1: the stream has ended. */
static int
one_event(struct index *x, struct err *e)
{
	switch (tar_next(x->tar, e)) {
	case TAR_MORE:
		return feed(x, e);
	case TAR_RAW:
		return on_bytes(x, false, e);
	case TAR_ENTRY:
		return nodes_begin(&x->nodes, tar_entry(x->tar), e);
	case TAR_DATA:
		return on_bytes(x, true, e);
	case TAR_ENTRY_END:
		return 0;
	case TAR_END:
		return 1;
	default:
		return -1;
	}
}

static int
index_stream(struct index *x, struct strbuf *out, struct err *e)
{
	int got;

	while ((got = one_event(x, e)) == 0)
		;
	if (got == -1 ||
	    erofs_write(&x->nodes, x->copy ? TAR_FD : STDIN_FILENO, x->at, IMAGE_FD, e) == -1)
		return -1;
	result_add_u64(out, "entries", x->nodes.entries);
	result_add_u64(out, "bytes", x->nodes.bytes);
	result_add_u64(out, "exact", 1);
	result_add_u64(out, "xattrs_skipped", x->nodes.xattrs_skipped);
	return 0;
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	const bool copy = argc != 2 || strcmp(argv[1], "index") != 0;
	const int keep[] = {TAR_FD, IMAGE_FD};
	struct index x = {.copy = copy};
	int got;

	if ((copy && fcntl(TAR_FD, F_GETFD) == -1) || fcntl(IMAGE_FD, F_GETFD) == -1)
		return err_set(
		    e, ERR_USAGE, "descriptors 4 and 5 must be files for the tar and the image");
	if (role_enter(ROLE_EROFS, copy ? keep : keep + 1, copy ? 2 : 1, e) == -1)
		return -1;
	nodes_init(&x.nodes);
	x.tar = tar_new();
	x.buf = xmalloc_pages(READ_SIZE);
	got = index_stream(&x, out, e);
	nodes_free(&x.nodes);
	tar_free(&x.tar);
	free(x.buf);
	return got;
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, STDOUT_FILENO);
}
