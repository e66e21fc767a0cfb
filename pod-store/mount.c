/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "pod-store/client.h"
#include "pod-store/mount.h"

#define ID_MAX 64

struct mount_opts {
	const char *at;
};

static const struct opt mount_rows[] = {
    {"at", 0, OPT_STRING(struct mount_opts, at), .arg = "directory", .complete = COMPLETE_DIR,
	.help = "Attach the tree to a directory for all to see, until it is unmounted"},
    OPT_END,
};

static int
attach(int root, const char *dir, struct err *e)
{
	if (syscall(SYS_move_mount, root, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH) == -1)
		return err_sys(e, "attaching the tree to %s", dir);
	return 0;
}

/* In a mount namespace of our own, so that nobody else sees it. */
static int
attach_privately(int root, const char *dir, struct err *e)
{
	if (unshare(CLONE_NEWNS) == -1)
		return err_sys(e, "entering a mount namespace");
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return err_sys(e, "making mounts private");
	if (attach(root, dir, e) == -1)
		return -1;
	return chdir(dir) == 0 ? 0 : err_sys(e, "entering %s", dir);
}

static int
run_below(int root, const char *dir, char **argv, struct err *e)
{
	int status;
	pid_t pid;

	if (attach_privately(root, dir, e) == -1)
		return -1;
	setenv("POD_STORE_MOUNT", dir, 1);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		execvp(argv[0], argv);
		fprintf(stderr, "Error: %s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (pid == -1)
		return err_sys(e, "starting %s", argv[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The directory itself tells which read-write layer is attached to it. */
static int
id_at(const char *dir, char id[ID_MAX], struct err *e)
{
	struct stat st;

	if (stat(dir, &st) == -1)
		return err_sys(e, "looking at %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a directory", dir);
	snprintf(id, ID_MAX, MOUNT_AT_PREFIX "%llx-%llx", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	return 0;
}

/* 0: opened answers; -1. */
static int
open_tree_of(struct peer *p, const char *image, const char *id, bool volatile_,
    struct peer_in *opened, struct err *e)
{
	own(peer_in_free) struct peer_in got = {0};
	struct msg_rootfs_open m = {.id = id, .volatile_ = volatile_};

	if (client_image(p, image, &got, e) == -1)
		return -1;
	m.image = MSG_OF(&got, image_got)->image->id;
	return CLIENT_CALL(p, rootfs_open, &m, opened);
}

static void
remove_tree(struct peer *p, const char *id)
{
	own(peer_in_free) struct peer_in gone = {0};
	struct msg_rootfs_remove m = {.id = id};
	struct err ignored;

	peer_call(p, &msg_rootfs_remove_desc, &m, &gone, NULL, NULL, &ignored);
}

static int
mount_at(struct peer *p, const char *image, const char *dir, struct err *e)
{
	own(peer_in_free) struct peer_in opened = {0};
	char id[ID_MAX];

	if (id_at(dir, id, e) == -1 || open_tree_of(p, image, id, false, &opened, e) == -1)
		return -1;
	if (attach(MSG_OF(&opened, rootfs_opened)->root, dir, e) == -1) {
		remove_tree(p, id);
		return -1;
	}
	puts(dir);
	return 0;
}

/* The tree may be written to; what was written goes with the command. */
static int
mount_for(struct peer *p, const char *dir, char **argv, struct err *e)
{
	own(peer_in_free) struct peer_in opened = {0};
	char id[ID_MAX];
	int rc;

	snprintf(id, sizeof(id), MOUNT_PREFIX "%ld", (long)getpid());
	if (open_tree_of(p, argv[0], id, true, &opened, e) == -1)
		return -1;
	rc = run_below(MSG_OF(&opened, rootfs_opened)->root, dir, argv + 1, e);
	remove_tree(p, id);
	return rc;
}

static int
run_mount(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct mount_opts *o = opts;
	own_mem char *root = client_root(ctx, e), *dir = NULL;
	own_peer struct peer *p = NULL;

	if ((o->at != NULL) != (argc == 1))
		return err_set(e, ERR_USAGE,
		    o->at != NULL ? "a tree that is attached to a directory takes no command"
				  : "a command is needed, or a directory (--at)");
	if (root == NULL || (p = client_connect(ctx, e)) == NULL)
		return -1;
	dir = xasprintf("%s/empty", root);
	return o->at != NULL ? mount_at(p, argv[0], o->at, e) : mount_for(p, dir, argv, e);
}

static int
run_unmount(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = client_connect(ctx, e);

	(void)opts;
	if (p == NULL)
		return -1;
	for (int i = 0; i < argc; i++) {
		char id[ID_MAX];

		/* After a reboot only the layer is left. */
		if (umount2(argv[i], UMOUNT_NOFOLLOW) == -1 && errno != EINVAL)
			return err_sys(e, "unmounting %s", argv[i]);
		if (id_at(argv[i], id, e) == -1)
			return -1;
		remove_tree(p, id);
	}
	return 0;
}

const struct cmd mount_cmd = {
    .name = "mount",
    .synopsis = "[options] IMAGE [COMMAND [ARG...]]",
    .brief = "Run a command in the tree of an image, which nobody else sees",
    .examples = "mount alpine ls -l etc\nmount --at /mnt alpine",
    .opts = {{mount_rows}},
    .opts_size = sizeof(struct mount_opts),
    .min = 1,
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_IMAGE,
    .run = run_mount,
};

const struct cmd mount_unmount_cmd = {
    .name = "unmount",
    .aliases = "umount",
    .synopsis = "DIRECTORY [DIRECTORY...]",
    .brief = "Take a tree away from a directory, and what was written to it",
    .examples = "unmount /mnt",
    .min = 1,
    .max = CMD_ANY,
    .run = run_unmount,
};
