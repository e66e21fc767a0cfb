/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/detached.h"
#include "pod-run/remote/archives.h"
#include "pod-run/remote/containers.h"
#include "pod-run/state/event.h"

struct export_opts {
	const char *output;
};

static const struct opt rows[] = {
    {"output", 'o', OPT_STRING(struct export_opts, output), .arg = "file",
	.complete = COMPLETE_FILE,
	.help = "Write to a specified file (default: stdout, which must be redirected)"},
    OPT_END,
};

static int
open_output(const char *path, struct err *e)
{
	int fd;

	if (path == NULL) {
		if (isatty(STDOUT_FILENO))
			return err_set(e, ERR_USAGE,
			    "refusing to export to terminal. Use -o flag or redirect");
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	}
	return fd != -1 ? fd : err_sys(e, "opening \"%s\"", path != NULL ? path : "/dev/stdout");
}

/*
 * The root file system of --rootfs, without what is mounted in it: the directory itself, or what the container sees
 * over it as long as it runs.
 */
static int
open_rootfs(const struct ctr *c, struct err *e)
{
	const struct rec_ctr_config *k = c->config;
	int fd;

	if (k->rootfs_overlay && (c->status == CTR_RUNNING || c->status == CTR_PAUSED))
		return detached_root(c->pid, e);
	fd = open_tree(AT_FDCWD, k->rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd != -1 ? fd : err_sys(e, "open %s", k->rootfs);
}

static int
export_there(struct remote *r, const char *word, const char *output, struct err *e)
{
	own_fd int out = containers_exists(r, word, e) == 0 ? open_output(output, e) : -1;

	return out == -1 ? -1 : archives_export(r, word, out, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct export_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = -1, out = -1, dir = -1;
	struct msg_rootfs_export m = {0};

	(void)argc;
	if (x->remote != NULL)
		return export_there(x->remote, argv[0], o->output, e);
	lock = sync_open_word(x, argv[0], &c, e);
	if (lock == -1 || ctr_config(&c, e) == -1 || ctx_store(x, e) == NULL)
		return -1;
	if (c.config->rootfs != NULL) {
		dir = open_rootfs(&c, e);
		if (dir == -1)
			return -1;
		m.dir = dir;
	}
	out = open_output(o->output, e);
	if (out == -1)
		return -1;
	/* It may take long: the container may be stopped meanwhile. */
	fd_close(&lock);
	m.id = c.id;
	m.stream = out;
	if (peer_call(ctx_store(x, e), &msg_rootfs_export_desc, &m, &in, NULL, NULL, e) == -1)
		return err_wrap(e, "exporting container %s", c.id);
	event_ctr(x, &c, EVENT_EXPORT);
	return 0;
}

const struct cmd cmd_export = {
    .name = "export",
    .synopsis = "[options] CONTAINER",
    .brief = "Export container's filesystem contents as a tar archive",
    .text = "Exports the filesystem contents of a container as a tar archive and saves it on the "
	    "local machine.",
    .examples = "export ctrID > myCtr.tar\nexport --output=\"myCtr.tar\" ctrID",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct export_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
