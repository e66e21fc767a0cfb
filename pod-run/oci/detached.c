/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/detached.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/path.h"
#include "common/wire/peer.h"

/* What a child is to make; both return a mount or -1 with errno. */
struct request {
	int (*make)(const struct request *r);
	int from; /* a mount namespace, or the root of a mount */
	const char *path;
};

/*
 * Safe because once we are in the container's mount namespace, "/" is the container's own root: whatever links lie
 * in the way lead to places in the container.
 */
static int
make_inside(const struct request *r)
{
	if (setns(r->from, CLONE_NEWNS) < 0)
		return -1;
	return open_tree(
	    AT_FDCWD, r->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

/* Safe because the path is walked once, below the root; the mount is that of the file found. */
static int
make_part(const struct request *r)
{
	struct err ignored;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    move_mount(r->from, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	fd = path_open(r->from, r->path, PATH_IN_ROOT, O_PATH, 0, &ignored);
	if (fd < 0) {
		errno = ignored.no != 0 ? ignored.no : EIO;
		return -1;
	}
	return open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* In a child, which ends with errno. */
static int
child_main(const struct request *r, int sock)
{
	struct err ignored;
	int tree = r->make(r);

	if (tree < 0)
		return errno;
	return peer_queue_fds(sock, &tree, 1, &ignored) < 0 ? EIO : 0;
}

/* The mount that a child makes; what it is called in errors. */
static int
by_child(const struct request *r, const char *what, struct err *e)
{
	own_fd int near = -1, far = -1;
	int pair[2], status = 0, fd = -1;
	pid_t child;

	if (peer_pair(pair, e) < 0)
		return -1;
	near = pair[0];
	far = pair[1];
	child = fork();
	if (child < 0)
		return err_sys(e, "starting a child");
	if (child == 0)
		_exit(child_main(r, far));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
		return err_sys(e, "%s", what);
	}
	if (peer_unqueue_fds(near, &fd, 1) != 1)
		return err_set(e, ERR_INTERNAL, "%s", what);
	return fd;
}

static int
clone_path(pid_t pid, const char *path, struct err *e)
{
	own_mem char *name = xasprintf("/proc/%d/ns/mnt", (int)pid);
	own_mem char *what = xasprintf("sharing %s of process %d", path, (int)pid);
	own_fd int ns = open(name, O_RDONLY | O_CLOEXEC);
	const struct request r = {.make = make_inside, .from = ns, .path = path};

	return ns < 0 ? err_sys(e, "open %s", name) : by_child(&r, what, e);
}

int
detached_shm(pid_t pid, struct err *e)
{
	return clone_path(pid, "/dev/shm", e);
}

int
detached_root(pid_t pid, struct err *e)
{
	return clone_path(pid, "/", e);
}

int
detached_part(int root, const char *path, struct err *e)
{
	const struct request r = {.make = make_part, .from = root, .path = path};

	return by_child(&r, path, e);
}

int
detached_new_shm(int64_t size, struct err *e)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	char text[32];
	int m;

	snprintf(text, sizeof(text), "%lld", (long long)size);
	if (fs == -1 || (size > 0 && fsconfig(fs, FSCONFIG_SET_STRING, "size", text, 0) == -1) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "1777", 0) == -1 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return err_sys(e, "making /dev/shm");
	m = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return m != -1 ? m : err_sys(e, "mounting /dev/shm");
}
