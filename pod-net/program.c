/* SPDX-License-Identifier: ISC */
#include "pod-net/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"

#define GRACE_MS 1000 /* for the end of a program that has closed its output */

struct running {
	pid_t pid;
	int in, out, err; /* our ends; -1 when done */
	const char *rest; /* of the input */
	size_t left;
};

char *
program_find(const struct strv *dirs, const char *name)
{
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return NULL;
	for (size_t i = 0; i < dirs->n; i++) {
		own_mem char *path = xasprintf("%s/%s", dirs->v[i], name);

		if (access(path, X_OK) == 0)
			return ptr_take(&path);
	}
	return NULL;
}

void
program_free(struct program_result *r)
{
	strbuf_free(&r->out);
	strbuf_free(&r->err);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
start(const struct program_run *r, struct running *x, struct err *e)
{
	own_strv struct strv argv = {0};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int in[2], out[2], err[2], rc;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	strv_add(&argv, r->path);
	for (size_t i = 0; r->arguments != NULL && i < r->arguments->n; i++)
		strv_add(&argv, r->arguments->v[i]);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	posix_spawn_file_actions_adddup2(&fa, err[1], 2);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	/* A group of its own, so that all it starts can be ended with it. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&x->pid, r->path, &fa, &attr, argv.v, r->environment->v);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	fd_close(&in[0]);
	fd_close(&out[1]);
	fd_close(&err[1]);
	x->in = in[1];
	x->out = out[0];
	x->err = err[0];
	errno = rc;
	return rc == 0 ? 0 : err_sys(e, "starting %s", r->path);
}

static void
feed(struct running *x)
{
	ssize_t n = write(x->in, x->rest, x->left);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		x->rest += n;
		x->left -= (size_t)n;
	}
	if (n < 0 || x->left == 0)
		fd_close(&x->in);
}

/* 0, or -1 if it said too much. */
static int
take(int *fd, struct strbuf *to)
{
	char buffer[16384];
	ssize_t n = read(*fd, buffer, sizeof buffer);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		fd_close(fd);
		return 0;
	}
	if (to->n + (size_t)n > PROGRAM_OUTPUT_MAX)
		return -1;
	strbuf_addn(to, buffer, (size_t)n);
	return 0;
}

/* Until both streams have ended. */
static int
talk(struct running *x, const char *path, int64_t until, struct program_result *out, struct err *e)
{
	while (x->out >= 0 || x->err >= 0) {
		struct pollfd p[] = {{x->in, POLLOUT, 0}, {x->out, POLLIN, 0}, {x->err, POLLIN, 0}};
		int64_t left = until - now_ms();

		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "%s did not end within %d seconds", path,
			    PROGRAM_TIME_MS / 1000);
		if (poll(p, COUNTOF(p), (int)left) < 0 && errno != EINTR)
			return err_sys(e, "waiting for %s", path);
		if (p[0].revents != 0)
			feed(x);
		if ((p[1].revents != 0 && take(&x->out, &out->out) != 0) ||
		    (p[2].revents != 0 && take(&x->err, &out->err) != 0))
			return err_set(
			    e, ERR_LIMIT, "%s said more than %zu bytes", path, PROGRAM_OUTPUT_MAX);
	}
	return 0;
}

/* Its exit status, once it has ended or been ended. */
static int
reap(struct running *x, bool failed, int64_t until)
{
	struct timespec wait = {.tv_nsec = 2000000};
	int status = 0;

	while (!failed) {
		pid_t r = waitpid(x->pid, &status, WNOHANG);

		if (r == x->pid)
			goto done;
		failed = (r < 0 && errno != EINTR) || now_ms() > until + GRACE_MS;
		nanosleep(&wait, NULL);
	}
	kill(-x->pid, SIGKILL);
	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
done:
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
program_run(const struct program_run *r, struct program_result *out, struct err *e)
{
	struct running x = {.in = -1, .out = -1, .err = -1, .rest = r->input};
	int64_t until = now_ms() + PROGRAM_TIME_MS;
	void (*pipe_was)(int) = signal(SIGPIPE, SIG_IGN);
	int rc;

	*out = (struct program_result){0};
	x.left = strlen(r->input);
	rc = start(r, &x, e);
	if (rc == 0) {
		(void)fcntl(x.in, F_SETFL, O_NONBLOCK);
		rc = talk(&x, r->path, until, out, e);
		out->status = reap(&x, rc != 0, until);
	}
	fd_close(&x.in);
	fd_close(&x.out);
	fd_close(&x.err);
	signal(SIGPIPE, pipe_was);
	if (rc != 0)
		program_free(out);
	return rc;
}
