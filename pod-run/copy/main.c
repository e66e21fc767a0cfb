/* SPDX-License-Identifier: ISC */
/*
 * pod-run-copy: copies files for pod-run, between descriptors it is handed.  It sees no file system of its
 * own, enters no container and loads nothing from one.
 */
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/wire/worker.h"
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

/* Modes are set as they are asked for. */
static void
clear_umask(void)
{
	umask(0);
}

int
main(int argc, char **argv)
{
	const struct worker_face face = {.role = ROLE_COPY,
	    .starter = ROLE_RUN,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .prepare = clear_umask};

	return worker_main(&face, argc, argv);
}
