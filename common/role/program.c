/* SPDX-License-Identifier: ISC */
#include "common/base/clock.h"
#include "common/role/program.h"

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

/* Our ends in *x, theirs in theirs[]; all are -1 before. */
static int
make_pipes(const struct program_run *r, struct running *x, int theirs[3], struct err *e)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	theirs[0] = p[0];
	x->in = p[1];
	if (pipe2(p, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	x->out = p[0];
	theirs[1] = p[1];
	if (r->interactive || r->same_stderr)
		return 0;
	if (pipe2(p, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	x->err = p[0];
	theirs[2] = p[1];
	return 0;
}

static int
spawn_it(const struct program_run *r, struct running *x, const int theirs[3], struct err *e)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	own_strv struct strv argv = {0};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	char *nothing[] = {NULL};
	sigset_t none, all;
	int rc;

	strv_add(&argv, r->name != NULL ? r->name : r->path);
	if (r->arguments != NULL)
		strv_add_all(&argv, (const char *const *)r->arguments->v, r->arguments->n);
	posix_spawn_file_actions_init(&fa);
	for (int i = 0; i < 3; i++)
		if (theirs[i] >= 0)
			posix_spawn_file_actions_adddup2(&fa, theirs[i], i);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	/* A group of its own, so that all it starts can be ended with it. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, r->interactive ? flags : flags | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawnp(&x->pid, r->path, &fa, &attr, argv.v,
	    r->environment->v != NULL ? r->environment->v : nothing);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	errno = rc;
	return rc == 0 ? 0 : err_sys(e, "starting %s", r->path);
}

static int
start(const struct program_run *r, struct running *x, struct err *e)
{
	int theirs[3] = {-1, -1, -1}, rc;

	rc = make_pipes(r, x, theirs, e);
	if (rc == 0)
		rc = spawn_it(r, x, theirs, e);
	for (int i = 0; i < 3; i++)
		fd_close(&theirs[i]);
	return rc;
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
take(int *fd, size_t max, struct strbuf *to)
{
	char buffer[16384];
	ssize_t n = read(*fd, buffer, sizeof buffer);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		fd_close(fd);
		return 0;
	}
	if (to->n + (size_t)n > max)
		return -1;
	strbuf_addn(to, buffer, (size_t)n);
	return 0;
}

static int
time_of(const struct program_run *r)
{
	return r->time_ms > 0 ? r->time_ms : PROGRAM_TIME_MS;
}

/* Until both streams have ended; until, the time limit, is -1 if there is none. */
static int
talk(const struct program_run *r, struct running *x, int64_t until, struct program_result *out,
    struct err *e)
{
	size_t max = r->output_max > 0 ? r->output_max : PROGRAM_OUTPUT_MAX;

	while (x->out >= 0 || x->err >= 0) {
		struct pollfd p[] = {{x->in, POLLOUT, 0}, {x->out, POLLIN, 0}, {x->err, POLLIN, 0}};
		int64_t left = until < 0 ? -1 : until - clock_now_ms();

		if (until >= 0 && left <= 0)
			return err_set(e, ERR_TIMEOUT, "%s did not end within %d seconds", r->path,
			    time_of(r) / 1000);
		if (poll(p, COUNTOF(p), (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "waiting for %s", r->path);
		}
		if (p[0].revents != 0)
			feed(x);
		if ((p[1].revents != 0 && take(&x->out, max, &out->out) != 0) ||
		    (p[2].revents != 0 && take(&x->err, max, &out->err) != 0))
			return err_set(e, ERR_LIMIT, "%s said more than %zu bytes", r->path, max);
	}
	return 0;
}

/* Its exit status, once it has ended or been ended. */
static int
reap(const struct program_run *r, struct running *x, bool failed, int64_t until)
{
	struct timespec wait = {.tv_nsec = 2000000};
	int status = 0;

	while (!failed) {
		pid_t got = waitpid(x->pid, &status, until < 0 ? 0 : WNOHANG);

		if (got == x->pid)
			goto done;
		failed = (got < 0 && errno != EINTR) ||
			 (until >= 0 && clock_now_ms() > until + GRACE_MS);
		nanosleep(&wait, NULL);
	}
	kill(r->interactive ? x->pid : -x->pid, SIGKILL);
	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
done:
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
program_ended(pid_t *pid, const char *name, bool wait, struct err *e)
{
	int status;
	pid_t got;

	if (*pid <= 0)
		return 0;
	do
		got = waitpid(*pid, &status, wait ? 0 : WNOHANG);
	while (got == -1 && errno == EINTR);
	if (got == 0)
		return 0;
	*pid = 0;
	if (got == -1)
		return err_sys(e, "waiting for %s", name);
	if (WIFSIGNALED(status))
		return err_set(e, ERR_STATE, "%s was killed by signal %d", name, WTERMSIG(status));
	return WEXITSTATUS(status) == 0
		   ? 0
		   : err_set(e, ERR_STATE, "%s failed with status %d", name, WEXITSTATUS(status));
}

int
program_run(const struct program_run *r, struct program_result *out, struct err *e)
{
	struct running x = {
	    .in = -1, .out = -1, .err = -1, .rest = r->input, .left = r->input_size};
	int64_t until = r->interactive ? -1 : clock_now_ms() + time_of(r);
	void (*pipe_was)(int) = signal(SIGPIPE, SIG_IGN);
	int rc;

	*out = (struct program_result){0};
	rc = start(r, &x, e);
	if (rc == 0) {
		/* A program that answers before it has read all would else wait for us, and we for it. */
		(void)fcntl(x.in, F_SETFL, O_NONBLOCK);
		if (x.left == 0)
			fd_close(&x.in);
		rc = talk(r, &x, until, out, e);
		/* What it has not read by now it does not want. */
		fd_close(&x.in);
		out->status = reap(r, &x, rc != 0, until);
	}
	fd_close(&x.in);
	fd_close(&x.out);
	fd_close(&x.err);
	signal(SIGPIPE, pipe_was);
	if (rc != 0)
		program_free(out);
	return rc;
}
