/* SPDX-License-Identifier: ISC */
/*
 * pod-store-assemble: makes the tar of a zstd:chunked layer (assemble.h) on standard output; its index, the end of
 * the blob, comes on standard input.  Descriptors:
 *	4	the result (result.h)
 *	5	what parts of the blob are wanted goes there, before
 *	6	they come from there
 *	7	the socket by which files of the store are asked for; the first packet says what is to be done
 *	8	the table of contents is kept there
 *	9 …	tables of contents of layers in the store
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/role/role.h"
#include "pod-store/layer/assemble.h"
#include "pod-store/layer/result.h"

enum { RESULT_FD = 4, PLAN_FD, FRAMES_FD, FILES_FD, KEEP_FD, SOURCES_FD };

static int
read_job(struct assemble *a, struct err *e)
{
	ssize_t n;

	do
		n = recv(FILES_FD, &a->job, sizeof(a->job), 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_sys(e, "reading what is to be done");
	if (n != (ssize_t)sizeof(a->job) || a->job.nsources > ASSEMBLE_SOURCES_MAX)
		return err_set(e, ERR_USAGE, "this program is started by pod-store");
	return 0;
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	struct assemble a = {.tail = STDIN_FILENO,
	    .out = STDOUT_FILENO,
	    .plan = PLAN_FD,
	    .frames = FRAMES_FD,
	    .files = FILES_FD,
	    .keep = KEEP_FD};
	int keep[SOURCES_FD - RESULT_FD + ASSEMBLE_SOURCES_MAX], got;
	size_t n = 0;

	(void)argc;
	(void)argv;
	for (int fd = RESULT_FD; fd < SOURCES_FD + ASSEMBLE_SOURCES_MAX; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			keep[n++] = fd;
	if (n < SOURCES_FD - RESULT_FD)
		return err_set(e, ERR_USAGE, "this program is started by pod-store");
	for (size_t k = 0; k < ASSEMBLE_SOURCES_MAX; k++)
		a.sources[k] = SOURCES_FD + (int)k;
	if (role_enter(ROLE_ASSEMBLE, keep, n, e) == -1)
		return -1;
	got = read_job(&a, e);
	if (got == 0)
		got = assemble_run(&a, e);
	if (got == 0) {
		result_add_u64(out, "fetched", a.reuse.fetched + a.tail_n);
		result_add_u64(out, "local", a.reuse.local);
	}
	assemble_free(&a);
	return got;
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, RESULT_FD);
}
