/* SPDX-License-Identifier: ISC */
/*
 * pod-store-pack: writes the tar stream of the one directory it is given (descriptor 4) to standard
 * output: the exact stream it was unpacked from if its index is descriptor 5, else a fresh one.
 * Descriptor 6, if open, lists opaque directories (opaque_list); the result (result.h) goes to
 * descriptor 7, or to standard error if that is not open.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/pack.h"
#include "pod-store/layer/result.h"

#define INDEX_FD 5
#define OPAQUE_FD 6
#define RESULT_FD 7

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Reads the list, which has no "end" line while it is a file of lines alone. */
static int
read_opaque(struct strbuf *names, struct err *e)
{
	own_result struct result r = {0};
	own_strbuf struct strbuf text = {0};
	own_mem char *s = NULL;
	size_t n;

	if (file_slurp(OPAQUE_FD, RESULT_MAX, "the list of opaque directories", &s, &n, e) == -1)
		return -1;
	strbuf_addn(&text, s, n);
	strbuf_add(&text, "end\n");
	if (result_parse(text.s, text.n, &r, e) == -1)
		return -1;
	for (size_t i = 0; i < r.n; i++)
		if (strcmp(r.v[i].key, "opaque") == 0)
			strbuf_addn(names, r.v[i].value, strlen(r.v[i].value) + 1);
	return 0;
}

static int
run(bool reported, struct strbuf *out, struct err *e)
{
	const bool indexed = is_open(INDEX_FD), listed = is_open(OPAQUE_FD);
	own_strbuf struct strbuf opaque = {0};
	struct pack p = {.out = STDOUT_FILENO};
	own_fd int root = -1;
	int keep[4] = {ROLE_VIEW_FD_NUMBER}, got;
	size_t n = 1;

	if (!is_open(ROLE_VIEW_FD_NUMBER))
		return err_set(e, ERR_USAGE, "descriptor 4 must be the directory to pack");
	if (indexed)
		keep[n++] = INDEX_FD;
	if (listed)
		keep[n++] = OPAQUE_FD;
	if (reported)
		keep[n++] = RESULT_FD;
	if (role_enter(ROLE_PACK, keep, n, e) == -1)
		return -1;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(e, "opening the directory to pack");
	if (listed && read_opaque(&opaque, e) == -1)
		return -1;
	p.root = root;
	p.opaque = opaque.s;
	p.opaque_n = opaque.n;
	got = indexed ? pack_exact(&p, INDEX_FD, e) : pack_fresh(&p, e);
	pack_free(&p);
	if (got == -1)
		return -1;
	result_add_u64(out, "entries", p.entries);
	result_add_u64(out, "bytes", p.bytes);
	result_add_u64(out, "changed", p.changed);
	result_add_u64(out, "sockets_skipped", p.sockets_skipped);
	return 0;
}

int
main(void)
{
	const bool reported = is_open(RESULT_FD);
	own_strbuf struct strbuf out = {0};
	struct err e = {0}, unsent;

	role_start();
	if (run(reported, &out, &e) == -1) {
		err_print(&e, stderr);
		result_add_err(&out, &e);
	}
	if ((reported || !err_is_set(&e)) &&
	    result_send(&out, reported ? RESULT_FD : STDERR_FILENO, &unsent) == -1 &&
	    !err_is_set(&e))
		return err_exit_status(&unsent);
	return err_exit_status(&e);
}
