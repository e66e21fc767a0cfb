/* SPDX-License-Identifier: ISC */
#include "pod-net/helper.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/group.h"
#include "common/role/program.h"

#define SAID_MAX 4096
#define END_WAIT_MS 500
#define LOOKS_MAX 16   /* at the processes */
#define START_MS 20000 /* a helper that does not come up must not hold the lock of the others */

char *
helper_find(const struct strv *said, const char *name)
{
	static const char *const ours[] = {"/usr/local/libexec/podman", "/usr/local/lib/podman",
	    "/usr/libexec/podman", "/usr/lib/podman"};
	static const char *const system[] = {
	    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
	own_strv struct strv dirs = {0};

	if (said->n > 0)
		strv_add_all(&dirs, (const char *const *)said->v, said->n);
	else
		strv_add_all(&dirs, ours, COUNTOF(ours));
	strv_add_all(&dirs, system, COUNTOF(system));
	return program_find(&dirs, name);
}

/* --- The anchor ----------------------------------------------------------------------------------- */

/* Only calls that are safe in a child; never returns. */
static void
anchor(int netns, int ready, int end)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	char byte = 0;

	if (setns(netns, CLONE_NEWNET) != 0 || syscall(SYS_capset, &h, none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || write(ready, &byte, 1) != 1)
		_exit(1);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int
helper_anchor_start(struct helper_anchor *a, int netns, struct err *e)
{
	int ready[2], end[2];
	char byte;
	ssize_t n;

	*a = (struct helper_anchor){-1, -1};
	if (pipe2(ready, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	if (pipe2(end, O_CLOEXEC) != 0) {
		fd_close(&ready[0]);
		fd_close(&ready[1]);
		return err_sys(e, "making a pipe");
	}
	a->pid = fork();
	if (a->pid == 0) {
		/* Its own copy must go, or it would wait for itself. */
		fd_close(&end[1]);
		anchor(netns, ready[1], end[0]);
	}
	fd_close(&ready[1]);
	fd_close(&end[0]);
	a->pipe = end[1];
	n = a->pid > 0 ? read(ready[0], &byte, 1) : 0;
	fd_close(&ready[0]);
	if (n == 1)
		return 0;
	helper_anchor_end(a);
	return err_set(e, ERR_INTERNAL, "placing a process in the network namespace failed");
}

void
helper_anchor_end(struct helper_anchor *a)
{
	fd_close(&a->pipe);
	if (a->pid > 0)
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	a->pid = -1;
}

static int
helper_dir(int dir, struct err *e)
{
	int fd;

	if (mkdirat(dir, "helpers", 0700) != 0 && errno != EEXIST)
		return err_sys(e, "making the directory of helpers");
	fd = openat(dir, "helpers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "opening the directory of helpers");
}

int
helper_place(struct helper_anchor *a, int dir, const char *id, int netns, struct err *e)
{
	own_fd int helpers = helper_dir(dir, e);
	char target[64];

	if (helpers < 0 || helper_anchor_start(a, netns, e) != 0)
		return -1;
	snprintf(target, sizeof target, "/proc/%d/ns/net", (int)a->pid);
	helper_end(dir, id);
	if (symlinkat(target, helpers, id) == 0)
		return 0;
	err_sys(e, "making the link of a network helper");
	helper_anchor_end(a);
	return -1;
}

/* --- Starting ------------------------------------------------------------------------------------- */

/* Only calls that are safe in a child; never returns.  more: descriptors that become 3 and 4, or NULL. */
static void
become(const struct strv *argv, pid_t starter, int said, const int more[2])
{
	static const char *const env[] = {
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
	    NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	/* Until it has gone to the background, where it sees to its own end; one with more does so at once. */
	if (more == NULL &&
	    (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != starter))
		_exit(127);
	/* An old pasta takes an ignored SIGPIPE for an error. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null, 0) != 0 || dup2(said, 1) != 1 || dup2(said, 2) != 2)
		_exit(127);
	for (int i = 0; more != NULL && i < 2; i++)
		if (dup2(more[i], 3 + i) != 3 + i)
			_exit(127);
	execve(argv->v[0], argv->v, (char *const *)(uintptr_t)env);
	_exit(127);
}

static pid_t
spawn(const struct strv *argv, int said, const int more[2], struct err *e)
{
	pid_t starter = getpid(), pid;

	if (access(argv->v[0], X_OK) != 0)
		return err_sys(e, "starting %s", argv->v[0]);
	group_leave_caller();
	pid = fork();
	if (pid == 0)
		become(argv, starter, said, more);
	return pid > 0 ? pid : err_sys(e, "starting %s", argv->v[0]);
}

/* What it said, without lines about a missing system logger and all its options, as one line. */
static void
read_said(int fd, char *text, size_t size)
{
	char raw[SAID_MAX];
	ssize_t n = read(fd, raw, sizeof raw - 1);
	size_t at = 0;
	char *save = NULL;

	text[0] = '\0';
	if (n <= 0)
		return;
	raw[n] = '\0';
	for (char *l = strtok_r(raw, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		if (text_has_prefix(l, "Failed to send"))
			continue;
		if (text_has_prefix(l, "Usage:"))
			break;
		if (at + strlen(l) + 3 >= size)
			break;
		at += (size_t)snprintf(text + at, size - at, "%s%s", at > 0 ? "; " : "", l);
	}
}

int
helper_await(int fd, pid_t pid, const char *name, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc;

	do
		rc = poll(&p, 1, START_MS);
	while (rc < 0 && errno == EINTR);
	if (rc > 0)
		return 0;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err_set(e, ERR_TIMEOUT, "%s did not start within %d seconds", name, START_MS / 1000);
}

int
helper_run(const struct strv *argv, struct err *e)
{
	own_fd int from = -1, to = -1, process = -1;
	char said[SAID_MAX];
	const char *name = strrchr(argv->v[0], '/') + 1;
	int pair[2], status;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(e, "making a pipe");
	from = pair[0];
	to = pair[1];
	pid = spawn(argv, to, NULL, e);
	if (pid < 0)
		return -1;
	process = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process >= 0 && helper_await(process, pid, name, e) != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for %s", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	read_said(from, said, sizeof said);
	if (WIFSIGNALED(status))
		return err_set(
		    e, ERR_NETWORK, "%s was killed by signal %d: %s", name, WTERMSIG(status), said);
	return err_set(
	    e, ERR_NETWORK, "%s failed with exit code %d: %s", name, WEXITSTATUS(status), said);
}

int
helper_note(int dir, const char *id, pid_t pid, struct err *e)
{
	own_fd int helpers = helper_dir(dir, e);
	own_mem char *name = xasprintf("%s.pid", id), *text = xasprintf("%d\n", (int)pid);

	return helpers < 0 ? -1 : file_write(helpers, name, text, strlen(text), 0600, 0, e);
}

int
helper_run_on(const struct strv *argv, int end, int dir, const char *id, struct err *e)
{
	own_fd int from = -1, to = -1, ready_from = -1, ready_to = -1, high_end = -1;
	const char *name = strrchr(argv->v[0], '/') + 1;
	int said[2], ready[2], more[2];
	char text[SAID_MAX], byte;
	pid_t pid;

	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(e, "making a pipe");
	from = said[0];
	to = said[1];
	if (pipe2(ready, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	ready_from = ready[0];
	ready_to = ready[1];
	/* Above the numbers they get, so that one does not overwrite the other. */
	more[0] = fcntl(ready_to, F_DUPFD_CLOEXEC, 10);
	more[1] = high_end = fcntl(end, F_DUPFD_CLOEXEC, 10);
	fd_close(&ready_to);
	ready_to = more[0];
	pid = spawn(argv, to, more, e);
	fd_close(&ready_to);
	if (pid < 0)
		return -1;
	/* The end of the child alone closes the other end. */
	if (helper_await(ready_from, pid, name, e) != 0)
		return -1;
	if (read(ready_from, &byte, 1) == 1)
		return helper_note(dir, id, pid, e);
	read_said(from, text, sizeof text);
	return err_set(e, ERR_NETWORK, "%s failed: %s", name, text);
}

/* --- Ending --------------------------------------------------------------------------------------- */

/* True if path is that of a file in the directory; the file itself may be gone. */
static bool
lies_in(const char *path, const struct stat *dir)
{
	const char *end = strrchr(path, '/');
	own_mem char *parent = xasprintf("%.*s", (int)(end - path), path);
	struct stat st;

	return stat(parent, &st) == 0 && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino;
}

/*
 * True if the process has "/helpers/ID" at the end of one of its arguments, and, unless it is NULL, below that
 * directory.  Safe because the descriptor of the process was taken before: if it still refers to a living process
 * afterwards, the arguments read were that process's.
 */
static bool
is_ours(pid_t pid, const char *id, const struct stat *dir)
{
	char path[64], args[8192];
	own_mem char *wanted = xasprintf("/helpers/%s", id);
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, args, sizeof args - 1) : -1;
	if (n <= 0)
		return false;
	args[n] = '\0';
	for (const char *a = args; a < args + n; a += strlen(a) + 1)
		if (text_has_suffix(a, wanted) && (dir == NULL || lies_in(a, dir)))
			return true;
	return false;
}

/* True if there was such a process. */
static bool
end_process(pid_t pid, const char *id, const struct stat *dir)
{
	own_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd < 0 || !is_ours(pid, id, dir))
		return false;
	if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0 &&
	    poll(&p, 1, END_WAIT_MS) == 0)
		(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	return true;
}

/*
 * A helper whose starter was killed before its process ID was written down.  It may have the namespace open, but not
 * watch its link yet, so that it would never miss it.  As the link is gone, one that is seen nowhere yet will not find
 * the namespace; one that has just forked is found by looking again.
 */
static void
end_unnoted(int helpers, const char *id)
{
	struct stat st;
	bool found = fstat(helpers, &st) == 0;

	for (int i = 0; found && i < LOOKS_MAX; i++) {
		own_dir DIR *d = opendir("/proc");
		const struct dirent *de;
		uint64_t pid;

		found = false;
		while (d != NULL && (de = readdir(d)) != NULL)
			if (text_to_u64(de->d_name, INT32_MAX, &pid) == 0 &&
			    end_process((pid_t)pid, id, &st))
				found = true;
	}
}

/* The process ID in ID.pid, or 0. */
static pid_t
helper_pid(int helpers, const char *id)
{
	own_mem char *pid_file = xasprintf("%s.pid", id), *text = NULL;
	struct err e = {0};
	uint64_t pid;
	size_t n;

	if (file_read(helpers, pid_file, 64, &text, &n, &e) != 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return text_to_u64(text, INT32_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

bool
helper_runs(int dir, const char *id)
{
	own_fd int helpers = openat(dir, "helpers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = helpers >= 0 ? helper_pid(helpers, id) : 0;

	return pid > 0 && is_ours(pid, id, NULL);
}

void
helper_end(int dir, const char *id)
{
	own_fd int helpers = openat(dir, "helpers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_mem char *pid_file = xasprintf("%s.pid", id);
	own_mem char *socket_name = xasprintf("%.12s.sock", id);
	own_fd int note = -1;
	bool placed;
	pid_t pid;

	if (helpers < 0)
		return;
	pid = helper_pid(helpers, id);
	placed = faccessat(helpers, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		 faccessat(helpers, pid_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (pid > 0)
		end_process(pid, id, NULL);
	else if (placed)
		/* It says to those who come after a kill that there is still something to end. */
		note = openat(helpers, pid_file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	(void)unlinkat(helpers, id, 0);
	if (pid <= 0 && placed)
		end_unnoted(helpers, id);
	(void)unlinkat(helpers, pid_file, 0);
	(void)unlinkat(helpers, socket_name, 0);
}

int
helper_missing(const char *name, const char *package, struct err *e)
{
	err_set(e, ERR_UNSUPPORTED,
	    "could not find %s, the network namespace can't be configured: "
	    "exec: \"%s\": executable file not found in $PATH",
	    name, name);
	return err_hint(e, "Package %s has it.", package);
}

int
helper_check_tun(struct err *e)
{
	own_fd int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	err_sys(e, "opening /dev/net/tun");
	return err_hint(e, "An ordinary user's container needs this device for its network; "
			   "--network=none and --network=host work without it.");
}
