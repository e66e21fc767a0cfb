/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/base/own.h"
#include "common/oci/monitor.h"
#include "pod-monitor/job.h"
#include "pod-monitor/proc.h"

#define HIGH (MONITOR_NETNS_FD + 1) /* first number no descriptor of the program will have */

extern char **environ;

#define OOM_SCORE "/proc/self/oom_score_adj"

/* What the file held, to be given to children; empty if it was not changed. */
static char oom_score[16];

static int
write_score(const char *text)
{
	own_fd int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0 ? 0 : -1;
}

void
proc_protect(void)
{
	own_fd int fd = open(OOM_SCORE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, oom_score, sizeof(oom_score) - 1);

	oom_score[n > 0 && write_score("-1000") == 0 ? n : 0] = '\0';
}

/* Makes fd the child's descriptor number to, open across execve. */
static int
place(int fd, int to)
{
	if (fd == to)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, to) < 0 ? -1 : 0;
}

/* Gives the child its descriptors.  Every source was moved above HIGH first. */
static int
child_fds(const struct proc *p)
{
	int stdio[3], extra[PROC_EXTRA_MAX], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++) {
		stdio[i] = fcntl(p->stdio[i] > 0 ? p->stdio[i] : null, F_DUPFD_CLOEXEC, HIGH);
		if (stdio[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < p->extra_n; i++)
		if ((extra[i] = fcntl(
			 p->extra[i] >= 0 ? p->extra[i] : null, F_DUPFD_CLOEXEC, HIGH)) < 0)
			return -1;
	for (int i = 0; i < 3; i++)
		if (place(stdio[i], i) != 0)
			return -1;
	for (size_t i = 0; i < p->extra_n; i++)
		if (place(extra[i], 3 + (int)i) != 0)
			return -1;
	if (p->pass >= 0 && fcntl(p->pass, F_SETFD, 0) != 0)
		return -1;
	for (size_t i = 0; i < p->inherited_n; i++)
		fcntl(p->inherited[i], F_SETFD, 0);
	return 0;
}

/* Decimal, and what is left of the old digits is cut off. */
static void
put_pid(char *at)
{
	char digits[JOB_LISTEN_PID_DIGITS + 1];
	int n = JOB_LISTEN_PID_DIGITS;

	digits[n] = '\0';
	for (pid_t pid = getpid(); pid > 0; pid /= 10)
		digits[--n] = (char)('0' + pid % 10);
	memcpy(at, digits + n, sizeof(digits) - (size_t)n);
}

/*
 * In the child, which shares our memory until execve: only system calls.  The signal table is its
 * own.  Returns errno.
 */
static int
child(const struct proc *p, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	if (p->die_with_us) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
	} else {
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	}
	if (oom_score[0] != '\0')
		write_score(oom_score);
	if (p->mount_ns >= 0 && setns(p->mount_ns, CLONE_NEWNS) != 0)
		return errno;
	if (child_fds(p) != 0)
		return errno;
	if (p->listen_pid != NULL)
		put_pid(p->listen_pid);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(p->path, p->argv, p->envp != NULL ? p->envp : environ);
	return errno;
}

static pid_t
start(const struct proc *p, volatile int *no)
{
	pid_t parent = getpid(), pid = vfork();

	if (pid == 0) {
		*no = child(p, parent);
		_exit(127);
	}
	return pid;
}

pid_t
proc_start(const struct proc *p, struct err *e)
{
	volatile int no = 0;
	sigset_t all, old;

	/* A handler must not run on the shared stack. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);

	pid_t pid = start(p, &no);
	int saved = errno;

	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		errno = saved;
		err_sys(e, "starting %s", p->path);
		return -1;
	}
	if (no != 0) {
		errno = no;
		err_sys(e, "executing %s", p->path);
		return -1;
	}
	return pid;
}
