/* SPDX-License-Identifier: ISC */
/*
 * pod-store-unpack: reads a layer's tar stream (descriptor 0) and writes its files below the one
 * directory it is given (4); an index for the exact stream goes to descriptor 5 if that is open.
 * The result (result.h) goes to descriptor 1.  By hand: pod-store-unpack 4<DIRECTORY <layer.tar
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/extract.h"
#include "pod-store/layer/index.h"
#include "pod-store/layer/opaque.h"
#include "pod-store/layer/result.h"

#define INDEX_FD 5
#define READ_SIZE (256u << 10)

struct unpack {
	struct tar *tar;
	struct extract x;
	struct index_writer *index; /* NULL: none wanted */
	char *buf;
};

static int
on_raw(struct unpack *u, struct err *e)
{
	size_t n;
	const void *p = tar_data(u->tar, &n, NULL);

	return u->index != NULL ? index_raw(u->index, p, n, e) : 0;
}

static int
on_data(struct unpack *u, struct err *e)
{
	uint64_t offset;
	size_t n;
	const void *p = tar_data(u->tar, &n, &offset);

	if (u->index != NULL && (u->x.fd >= 0 ? index_file(u->index, u->x.path, offset, n, e)
					      : index_raw(u->index, p, n, e)) == -1)
		return -1;
	return extract_data(&u->x, p, n, offset, e);
}

static int
feed(struct unpack *u, struct err *e)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, u->buf, READ_SIZE);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_sys(e, "reading the layer");
	tar_feed(u->tar, u->buf, (size_t)n);
	return 0;
}

/* 1: the stream has ended. */
static int
one_event(struct unpack *u, struct err *e)
{
	switch (tar_next(u->tar, e)) {
	case TAR_MORE:
		return feed(u, e);
	case TAR_RAW:
		return on_raw(u, e);
	case TAR_ENTRY:
		return extract_begin(&u->x, tar_entry(u->tar), e);
	case TAR_DATA:
		return on_data(u, e);
	case TAR_ENTRY_END:
		return extract_end(&u->x, e);
	case TAR_END:
		return 1;
	default:
		return -1;
	}
}

static int
unpack(struct unpack *u, struct strbuf *out, struct err *e)
{
	int got;

	while ((got = one_event(u, e)) == 0)
		;
	if (got == -1 || (u->index != NULL && index_finish(u->index, !u->x.replaced, e) == -1))
		return -1;
	if (u->x.devices_skipped > 0)
		log_warn("%llu device nodes were left out: only root can make them",
		    (unsigned long long)u->x.devices_skipped);
	if (u->x.ids_squashed > 0)
		log_warn("%llu files belong to root instead of their owners, who have no place in "
			 "the user namespace",
		    (unsigned long long)u->x.ids_squashed);
	result_add_u64(out, "entries", u->x.entries);
	result_add_u64(out, "bytes", u->x.bytes);
	result_add_u64(out, "exact", u->index != NULL && !u->x.replaced);
	result_add_u64(out, "ids_squashed", u->x.ids_squashed);
	result_add_u64(out, "devices_skipped", u->x.devices_skipped);
	result_add_u64(out, "xattrs_skipped", u->x.xattrs_skipped);
	strbuf_addn(out, u->x.opaque.s, u->x.opaque.n);
	return 0;
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	/* Asked while /proc is still there.  Without privilege role_enter makes a namespace. */
	const bool user = geteuid() != 0 || opaque_in_user();
	const bool indexed = fcntl(INDEX_FD, F_GETFD) != -1;
	const int keep[] = {ROLE_VIEW_FD_NUMBER, INDEX_FD};
	own_fd int root = -1;
	struct unpack u = {0};
	int got = -1;

	if (fcntl(ROLE_VIEW_FD_NUMBER, F_GETFD) == -1)
		return err_set(e, ERR_USAGE, "descriptor 4 must be the directory to unpack into");
	if (role_enter(ROLE_UNPACK, keep, indexed ? 2 : 1, e) == -1)
		return -1;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(e, "opening the directory to unpack into");
	extract_init(&u.x, root);
	u.x.user_xattrs = user;
	/* With a single mapped id there is no other owner (storage.conf: ignore_chown_errors). */
	u.x.squash_ids = argc == 2 && strcmp(argv[1], "squash-ids") == 0;
	u.tar = tar_new();
	u.buf = xmalloc_pages(READ_SIZE);
	if (!indexed || (u.index = index_create(INDEX_FD, e)) != NULL)
		got = unpack(&u, out, e);
	extract_finish(&u.x);
	index_writer_free(&u.index);
	tar_free(&u.tar);
	free(u.buf);
	return got;
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, STDOUT_FILENO);
}
