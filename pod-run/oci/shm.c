/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/wire/peer.h"

/*
 * In a child, which ends with errno.  Safe because once it is in the container's mount namespace, "/" is the
 * container's own root: whatever links lie in the way lead to places in the container.
 */
static int
child_main(int ns, const char *path, int sock)
{
	struct err ignored;
	int tree;

	if (setns(ns, CLONE_NEWNS) < 0)
		return errno;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return errno;
	return peer_queue_fds(sock, &tree, 1, &ignored) < 0 ? EIO : 0;
}

static int
clone_path(pid_t pid, const char *what, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/ns/mnt", (int)pid);
	own_fd int ns = open(path, O_RDONLY | O_CLOEXEC), near = -1, far = -1;
	int pair[2], status = 0, fd = -1;
	pid_t child;

	if (ns < 0)
		return err_sys(e, "open %s", path);
	if (peer_pair(pair, e) < 0)
		return -1;
	near = pair[0];
	far = pair[1];
	child = fork();
	if (child < 0)
		return err_sys(e, "starting a child");
	if (child == 0)
		_exit(child_main(ns, what, far));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
		return err_sys(e, "sharing %s of process %d", what, (int)pid);
	}
	if (peer_unqueue_fds(near, &fd, 1) != 1)
		return err_set(e, ERR_INTERNAL, "sharing %s of process %d", what, (int)pid);
	return fd;
}

int
shm_clone(pid_t pid, struct err *e)
{
	return clone_path(pid, "/dev/shm", e);
}

int
shm_clone_root(pid_t pid, struct err *e)
{
	return clone_path(pid, "/", e);
}

int
shm_make(int64_t size, struct err *e)
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
