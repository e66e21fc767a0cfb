/* SPDX-License-Identifier: ISC */
/*
 * pod-run-copy: copies files for pod-run, between descriptors it is handed.  It sees no file system of its
 * own, enters no container and loads nothing from one.
 */
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/wire/peer.h"
#include "pod-run/copy/trees.h"

static const struct {
	const char *word;
	int (*run)(const struct msg_copy *m, struct err *e);
} forms[] = {
    {"tree", copy_tree},
    {"pack", copy_pack},
    {"unpack", copy_unpack},
};

/* A single component that stays where it is made. */
static bool
name_is_plain(const char *name)
{
	return name == NULL ||
	       (strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

static int
on_copy(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_copy *m = MSG_OF(in, copy);

	(void)arg;
	if (!name_is_plain(m->name))
		return err_set(e, ERR_INVALID, "\"%s\" is no name of a file", m->name);
	for (size_t i = 0; i < COUNTOF(forms); i++)
		if (strcmp(forms[i].word, m->form) == 0)
			return forms[i].run(m, e) == -1 ? -1 : peer_send_ok(p, in->seq, e);
	return err_set(e, ERR_INVALID, "unknown form \"%s\"", m->form);
}

static const struct peer_handler handlers[] = {
    {&msg_copy_desc, 1, 0, on_copy},
};

static int
work(struct peer *p, struct err *e)
{
	uint64_t done = 0;

	for (;;) {
		struct pollfd pfd = {.fd = peer_fd(p), .events = POLLIN};
		int r = peer_serve(p, handlers, COUNTOF(handlers), 1, &done, NULL, e);

		if (r == PEER_NONE)
			poll(&pfd, 1, -1);
		else if (r != 1)
			return r;
	}
}

int
main(int argc, char **argv)
{
	static const int keep[] = {PEER_FD};
	struct err e = {0};

	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0) {
		err_set(&e, ERR_USAGE, "pod-run-copy is started by pod-run");
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	/* Modes are set as they are asked for. */
	umask(0);
	if (role_enter(ROLE_COPY, keep, COUNTOF(keep), &e) == -1) {
		err_print(&e, stderr);
		return err_exit_status(&e);
	}
	if (work(peer_new(PEER_FD, ROLE_COPY, ROLE_RUN), &e) == -1) {
		log_error("pod-run-copy: %s", e.text);
		return 1;
	}
	return 0;
}
