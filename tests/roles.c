/* SPDX-License-Identifier: ISC */
/*
 * roles ROLE ACT: enters the role as its program does and then tries what a program taken over
 * would try.  Prints "refused" or "done"; a kill by the system-call filter is seen by the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/ioctl.h>

#include "common/base/own.h"
#include "common/role/role.h"

static int
act_none(void)
{
	return 0;
}

static int
act_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
act_dotdot(void)
{
	return openat(ROLE_VIEW_FD_NUMBER, "../../../../../../etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
act_write(void)
{
	return open("/planted", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int
act_connect(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9)};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s == -1)
		return -1;
	/* Being told that nobody listens is having got through. */
	return connect(s, (struct sockaddr *)&a, sizeof(a)) == -1 && errno != ECONNREFUSED ? -1 : 0;
}

static int
act_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}

static int
act_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
act_setuid(void)
{
	return getuid() == 0 ? setresuid(1, 1, 1) == 0 && setresuid(0, 0, 0) == 0 ? 0 : -1
			     : setresuid(0, 0, 0);
}

static int
act_userns(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
act_kill(void)
{
	return kill(getppid(), 0);
}

static int
act_signal(void)
{
	return tgkill(getppid(), getppid(), 0);
}

/* Whoever owns a descriptor gets a signal when it becomes ready. */
static int
act_own(void)
{
	return fcntl(STDOUT_FILENO, F_SETOWN, getppid());
}

static int
act_limit(void)
{
	struct rlimit old;

	return prlimit(getppid(), RLIMIT_CORE, NULL, &old);
}

/* What workers do with descriptors must go on. */
static int
act_fcntl(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 5);

	return fd == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_GETFL) == -1 ||
		       fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
		       (fcntl(fd, F_GET_SEALS) == -1 && errno != EINVAL)
		   ? -1
		   : 0;
}

static int
act_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return -1;
}

static int
act_tty(void)
{
	return ioctl(STDERR_FILENO, TIOCSTI, "x");
}

static int
act_mknod(void)
{
	return mknod("/planted", S_IFBLK | 0600, 0x0800);
}

/* The kernel itself refuses none of these three to anybody. */
static int
act_unshare(void)
{
	return unshare(CLONE_FS);
}

static int
act_nice(void)
{
	return setpriority(PRIO_PROCESS, 0, 19);
}

static int
act_fifo(void)
{
	return mknod("/tmp/planted", S_IFIFO | 0600, 0);
}

static const struct {
	const char *name;
	int (*fn)(void);
} acts[] = {{"none", act_none}, {"open", act_open}, {"dotdot", act_dotdot}, {"write", act_write},
    {"connect", act_connect}, {"mount", act_mount}, {"ptrace", act_ptrace}, {"setuid", act_setuid},
    {"userns", act_userns}, {"kill", act_kill}, {"exec", act_exec}, {"tty", act_tty},
    {"mknod", act_mknod}, {"signal", act_signal}, {"own", act_own}, {"limit", act_limit},
    {"fcntl", act_fcntl}, {"unshare", act_unshare}, {"nice", act_nice}, {"fifo", act_fifo}};

static int
find_role(const char *name)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		if (strcmp(role_info((enum role)i)->name, name) == 0)
			return i;
	return -1;
}

int
main(int argc, char **argv)
{
	static const int keep[] = {ROLE_VIEW_FD_NUMBER};
	int role = argc == 3 ? find_role(argv[1]) : -1;
	struct err e = {0};

	role_start();
	if (role == -1)
		return 2;
	if (role_enter((enum role)role, keep, role_info((enum role)role)->view >= ROLE_VIEW_FD,
		&e) == -1) {
		err_print(&e, stderr);
		return 3;
	}
	for (size_t i = 0; i < COUNTOF(acts); i++)
		if (strcmp(acts[i].name, argv[2]) == 0) {
			int r = acts[i].fn();

			(void)!write(
			    STDOUT_FILENO, r == -1 ? "refused\n" : "done\n", r == -1 ? 8 : 5);
			return 0;
		}
	return 2;
}
