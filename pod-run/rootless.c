/* SPDX-License-Identifier: ISC */
#include "pod-run/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
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

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/role/spawn.h"
#include "pod-run/idmap.h"

#define PAUSE_FILE "pause.pid"
#define PAUSE_LOCK "pause.lock"
#define PAUSE_PROGRAM "pod-run-pause"
/*
 * Tells our own children whose directories to use.  It is believed only if the kernel's map says that id 0
 * here is that very user outside, so setting it by hand gains nothing that the user does not have.
 */
#define MARK "POD_USERNS"

/* --- Looking -------------------------------------------------------------------------------------*/

static bool
mark_says(const char *variable_value, uid_t uid, gid_t *gid)
{
	own_mem char *copy = NULL;
	char *colon;
	uint64_t u, g;

	if (variable_value == NULL)
		return false;
	copy = xstrdup(variable_value);
	colon = strchr(copy, ':');
	if (colon == NULL)
		return false;
	*colon++ = '\0';
	if (text_to_u64(copy, UINT32_MAX, &u) < 0 || text_to_u64(colon, UINT32_MAX, &g) < 0 ||
	    u != uid)
		return false;
	*gid = (gid_t)g;
	return true;
}

/* Root of a namespace that is not ours (a container): may it keep state where root does? */
static bool
owns_system_dirs(void)
{
	return access("/var/lib", W_OK) == 0 && access("/run", W_OK) == 0;
}

int
rootless_look(struct rootless *r, struct err *e)
{
	struct idmap uids = {0}, gids = {0};
	uint32_t outside_uid, outside_gid;

	*r = (struct rootless){.uid = getuid(), .gid = getgid()};
	if (geteuid() != 0) {
		r->needed = r->user = true;
		return 0;
	}
	if (idmap_read("/proc/self/uid_map", &uids, e) < 0 ||
	    idmap_read("/proc/self/gid_map", &gids, e) < 0)
		return -1;
	if (idmap_is_whole(&uids))
		return 0;
	r->userns = true;
	r->single = idmap_count(&uids) == 1;
	outside_uid = idmap_outside(&uids, 0);
	outside_gid = idmap_outside(&gids, 0);
	if (mark_says(getenv(MARK), outside_uid, &outside_gid))
		r->user = true;
	else
		r->user = !owns_system_dirs();
	if (r->user) {
		r->uid = outside_uid;
		r->gid = outside_gid;
	}
	return 0;
}

/* --- The pause process ---------------------------------------------------------------------------*/

/*
 * A descriptor of the pause process named in the run root, or -1 if there is none that lives.  The number
 * alone could have been given to another process meanwhile; with the start time it is the same one.
 */
static int
pause_open(int run_root)
{
	own_mem char *text = NULL;
	own_fd int fd = -1;
	struct err ignored;
	unsigned long long started;
	size_t n;
	int pid;

	if (file_read(run_root, PAUSE_FILE, 128, &text, &n, &ignored) < 0 ||
	    sscanf(text, "%d %llu", &pid, &started) != 2 || pid <= 1)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 || process_start(pid) != started ||
	    syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
		return -1;
	return fd_take(&fd);
}

/* Enters both namespaces; the working directory is found again by its name. */
static int
join(int pidfd, struct err *e)
{
	own_mem char *cwd = getcwd(NULL, 0);

	/*
	 * Safe because the kernel lets us in only if we own the user namespace; whatever process a forged
	 * file named, we could have entered its namespaces anyway.
	 */
	if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_sys(e, "joining the user namespace of the pause process");
	if (cwd == NULL || chdir(cwd) < 0)
		(void)!chdir("/");
	if (geteuid() != 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, "becoming root of the user namespace");
	return 0;
}

/* In the child: new namespaces, then wait until the parent has written the maps. */
static void
child_main(int ready, int go, const char *program)
{
	char byte = 0;
	int null;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		byte = (char)(errno < 127 ? errno : EPERM);
	if (file_put(ready, &byte, 1) < 0 || byte != 0 || file_get(go, &byte, 1) != 1)
		_exit(1);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		_exit(1);
	/* It outlives the command and must hold none of its streams. */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    setsid() < 0 || chdir("/") < 0)
		_exit(1);
	syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	execl(program, PAUSE_PROGRAM, (char *)NULL);
	_exit(1);
}

/* Starts the child and sees it into its namespaces.  *go is the end that releases it. */
static pid_t
pause_fork(int *go, struct err *e)
{
	own_mem char *program = xasprintf("%.*s/libexec/pod/" PAUSE_PROGRAM,
	    (int)(strrchr(spawn_bin_dir(), '/') - spawn_bin_dir()), spawn_bin_dir());
	own_fd int ready_r = -1, ready_w = -1, go_r = -1, go_w = -1;
	int pipe_[2];
	char byte;
	pid_t pid;

	if (access(program, X_OK) < 0)
		return err_sys(e, "%s", program);
	if (pipe2(pipe_, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	ready_r = pipe_[0];
	ready_w = pipe_[1];
	if (pipe2(pipe_, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	go_r = pipe_[0];
	go_w = pipe_[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "starting the pause process");
	if (pid == 0) {
		fd_close(&go_w);
		child_main(ready_w, go_r, program);
	}
	fd_close(&ready_w);
	if (file_get(ready_r, &byte, 1) != 1)
		byte = EIO;
	if (byte != 0) {
		waitpid(pid, NULL, 0);
		errno = byte;
		err_sys(e, "cannot make a user namespace");
		return err_hint(e,
		    "User namespaces may be disabled: see user.max_user_namespaces and "
		    "kernel.unprivileged_userns_clone.");
	}
	*go = fd_take(&go_w);
	return pid;
}

static int
pause_record(int run_root, pid_t pid, struct err *e)
{
	own_mem char *line =
	    xasprintf("%d %llu\n", (int)pid, (unsigned long long)process_start(pid));

	return file_write(run_root, PAUSE_FILE, line, strlen(line), 0600, 0, e);
}

/* Makes the namespaces, gives them their maps and leaves the pause process in them. */
static int
pause_make(struct rootless *r, int run_root, struct err *e)
{
	own_fd int go = -1, pidfd = -1;
	pid_t pid = pause_fork(&go, e);

	if (pid < 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 ? err_sys(e, "opening the pause process") < 0
		      : idmap_install(pid, r->uid, r->gid, &r->single, e) < 0 ||
			    pause_record(run_root, pid, e) < 0)
		goto undo;
	if (file_put(go, "", 1) < 0) {
		err_sys(e, "starting the pause process");
		goto undo;
	}
	if (join(pidfd, e) == 0)
		return 0;
undo:
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlinkat(run_root, PAUSE_FILE, 0);
	return -1;
}

static int
enter_new(struct rootless *r, int run_root, struct err *e)
{
	own_fd int lock = lock_acquire(run_root, PAUSE_LOCK, LOCK_EXCLUSIVE, 30000, e);
	own_fd int pidfd = -1;

	if (lock < 0)
		return -1;
	/* Another command may have been faster. */
	pidfd = pause_open(run_root);
	return pidfd >= 0 ? join(pidfd, e) : pause_make(r, run_root, e);
}

int
rootless_enter(struct rootless *r, const char *run_root, struct err *e)
{
	own_fd int dir = open(run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int pidfd = -1;
	char mark[32];

	if (!r->needed)
		return 0;
	if (dir < 0)
		return err_sys(e, "open %s", run_root);
	pidfd = pause_open(dir);
	if ((pidfd >= 0 ? join(pidfd, e) : enter_new(r, dir, e)) < 0)
		return -1;
	snprintf(mark, sizeof(mark), "%u:%u", (unsigned)r->uid, (unsigned)r->gid);
	if (setenv(MARK, mark, 1) < 0)
		return err_sys(e, "setting " MARK);
	return rootless_look(r, e);
}

int
rootless_end(const char *run_root, struct err *e)
{
	own_fd int dir = open(run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int pidfd = -1;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", run_root);
	pidfd = pause_open(dir);
	if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 &&
	    errno != ESRCH)
		return err_sys(e, "ending the pause process");
	if (unlinkat(dir, PAUSE_FILE, 0) < 0 && errno != ENOENT)
		return err_sys(e, "removing %s/" PAUSE_FILE, run_root);
	return 0;
}
