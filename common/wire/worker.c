/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/log.h"
#include "common/wire/worker.h"

static int
serve(const struct worker_face *w, struct peer *p, struct err *e)
{
	uint64_t done = 0;

	for (;;) {
		struct pollfd pfd = {.fd = peer_fd(p), .events = POLLIN};
		int r = peer_serve(
		    p, w->handlers, w->n, w->phase != NULL ? *w->phase : 1, &done, w->arg, e);

		if (r == PEER_NONE)
			poll(&pfd, 1, -1);
		else if (r != 1)
			return r;
	}
}

/* Safe before the role is entered because nothing is read: the kernel only says whether something has come. */
static bool
is_asked(void)
{
	struct pollfd pfd = {.fd = PEER_FD, .events = POLLIN};
	int n = 0;

	while (poll(&pfd, 1, -1) == -1 && errno == EINTR)
		;
	return ioctl(PEER_FD, FIONREAD, &n) == 0 && n > 0;
}

int
worker_main(const struct worker_face *w, int argc, char **argv)
{
	static const int keep[] = {PEER_FD, ROLE_VIEW_FD_NUMBER};
	const char *program = role_info(w->role)->program;
	struct err e = {0};
	struct peer *p;

	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		err_set(
		    &e, ERR_USAGE, "%s is started by %s", program, role_info(w->starter)->program);
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	if (w->late && !is_asked())
		return 0;
	if (w->prepare != NULL)
		w->prepare();
	if (role_enter(w->role, keep, w->view ? 2 : 1, &e) == -1) {
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	p = peer_new(PEER_FD, w->role, w->starter);
	if ((w->serve != NULL ? w->serve(p, w->arg, &e) : serve(w, p, &e)) == -1) {
		log_error("%s: %s", program, e.text);
		return 1;
	}
	return 0;
}
