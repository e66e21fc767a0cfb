/* SPDX-License-Identifier: ISC */
/*
 * pod-store-fuse: starts a program of the host that lays directories over each other (fuse.h), and waits until it
 * answers.  Descriptor 3 is an opened /dev/fuse, 4 the mount that stands on it.  Standard input holds words, each
 * ended by a NUL: the directory to start in; the images below it that are to be attached there, to the directories
 * they lie in; an empty one; the program and its words.  The result (result.h) goes to standard output.
 *
 * The mount namespace is the program's alone, so that nobody else sees the images.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mount.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/erofs_mount.h"
#include "pod-store/layer/result.h"

#define DEVICE_FD 3
#define MOUNT_FD 4
#define REQUEST_MAX (1u << 20)
#define ANSWER_MS 10000
#define SAID_MAX 2048 /* of what the program wrote to standard error */

struct words {
	char *text;
	char **v; /* ended by NULL */
	size_t n;
};

static void
words_free(struct words *w)
{
	free(w->text);
	free(w->v);
}

static int
read_words(struct words *w, struct err *e)
{
	size_t n, cap = 0;

	if (file_slurp(STDIN_FILENO, REQUEST_MAX, "the request", &w->text, &n, e) == -1)
		return -1;
	for (char *p = w->text; p < w->text + n; p += strlen(p) + 1) {
		w->v = mem_grow(w->v, &cap, w->n + 2, sizeof(*w->v));
		w->v[w->n++] = p;
		w->v[w->n] = NULL;
	}
	return w->n > 0 ? 0 : err_set(e, ERR_INVALID, "the request is empty");
}

/* The images; returns the program's first word. */
static char **
attach(char **image, struct err *e)
{
	for (; *image != NULL && **image != '\0'; image++) {
		char *slash = strrchr(*image, '/');
		own_fd int m = erofs_mount(AT_FDCWD, *image, 0, e);

		if (m == -1)
			return NULL;
		*slash = '\0';
		if (syscall(SYS_move_mount, m, "", AT_FDCWD, *image, MOVE_MOUNT_F_EMPTY_PATH) ==
		    -1) {
			err_sys(e, "attaching %s", *image);
			return NULL;
		}
	}
	if (*image != NULL && image[1] != NULL)
		return image + 1;
	err_set(e, ERR_INVALID, "the request names no program");
	return NULL;
}

/* Becomes the program.  No terminal's signals reach it, and what it says once we are gone must not end it. */
static _Noreturn void
become(char **argv, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct rlimit files;

	setsid();
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 || dup2(said, 2) == -1 ||
	    fcntl(DEVICE_FD, F_SETFD, 0) == -1 || fcntl(MOUNT_FD, F_SETFD, FD_CLOEXEC) == -1)
		_exit(125);
	execv(argv[0], argv);
	dprintf(2, "%s\n", strerror(errno));
	_exit(127);
}

/* In a process of its own, since nothing but a kill ends a wait for a program that does not answer. */
static _Noreturn void
look(void)
{
	struct statx sx;

	fd_close(&(int){DEVICE_FD});
	_exit(statx(MOUNT_FD, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &sx) == 0
		  ? 0
		  : 1);
}

/* 1: the mount can be looked at; 0: it is broken; -1: nobody answers. */
static int
wait_answer(pid_t looker)
{
	own_fd int fd = (int)syscall(SYS_pidfd_open, looker, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n, status = 1;

	while ((n = poll(&p, 1, ANSWER_MS)) == -1 && errno == EINTR)
		;
	if (fd == -1 || n <= 0)
		return -1;
	while (waitpid(looker, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The last line of what it wrote, or what there is to say without it. */
static int
complain(int said, int answer, struct err *e)
{
	char text[SAID_MAX + 1], *line;
	ssize_t n = read(said, text, SAID_MAX);

	if (answer == -1)
		return err_set(
		    e, ERR_TIMEOUT, "it did not answer within %d seconds", ANSWER_MS / 1000);
	text[n > 0 ? n : 0] = '\0';
	for (size_t len = strlen(text); len > 0 && strchr("\r\n ", text[len - 1]) != NULL; len--)
		text[len - 1] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	return err_set(e, ERR_PEER, "%s", *line != '\0' ? line : "it ended at once");
}

static int
start(char **argv, struct err *e)
{
	own_fd int said = -1;
	int fds[2], answer;
	pid_t program, looker;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return err_sys(e, "making a pipe");
	said = fds[0];
	program = fork();
	if (program == 0)
		become(argv, fds[1]);
	looker = program == -1 ? -1 : fork();
	if (looker == 0)
		look();
	fd_close(&fds[1]);
	/* From here on the device is the program's: with its last descriptor the mount breaks. */
	fd_close(&(int){DEVICE_FD});
	if (looker == -1) {
		err_sys(e, "starting a process");
		answer = 0;
	} else {
		answer = wait_answer(looker);
	}
	if (answer == 1)
		return 0;
	if (program > 0 && kill(-program, SIGKILL) == -1)
		kill(program, SIGKILL);
	return looker == -1 ? -1 : complain(said, answer, e);
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	const int keep[] = {DEVICE_FD, MOUNT_FD};
	own(words_free) struct words w = {0};
	char **words;

	(void)argc;
	(void)argv;
	(void)out;
	if (role_enter(ROLE_FUSE, keep, COUNTOF(keep), e) == -1 || read_words(&w, e) == -1)
		return -1;
	if (chdir(w.v[0]) == -1)
		return err_sys(e, "entering %s", w.v[0]);
	words = attach(w.v + 1, e);
	return words != NULL ? start(words, e) : -1;
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, STDOUT_FILENO);
}
