/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/attach.h"
#include "pod-run/life/session.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_list.h"

struct running {
	struct session *s;
	struct err *e;
	int pidfd;
	bool broken; /* the monitor broke the protocol, or went away */
};

int
session_pair(int *ours, int *theirs, struct err *e)
{
	int fd[2];

	if (attach_pair(fd, e) == -1)
		return -1;
	*ours = fd[0];
	*theirs = fd[1];
	return 0;
}

void
session_size(uint64_t *rows, uint64_t *columns)
{
	struct winsize w;

	*rows = *columns = 0;
	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_row != 0) {
			*rows = w.ws_row;
			*columns = w.ws_col;
			return;
		}
}

int
session_preserved(uint64_t n, const uint64_t *numbers, struct err *e)
{
	int fds[SESSION_PRESERVE_MAX];
	own_fd int ours = -1, theirs = -1;
	int pair[2], flags;

	if (n > SESSION_PRESERVE_MAX) {
		err_set(
		    e, ERR_LIMIT, "at most %d descriptors can be preserved", SESSION_PRESERVE_MAX);
		return -1;
	}
	if (peer_pair(pair, e) == -1)
		return -1;
	ours = pair[0];
	theirs = pair[1];
	for (uint64_t i = 0; i < n; i++) {
		fds[i] = numbers != NULL ? (int)numbers[i] : 3 + (int)i;
		flags = fcntl(fds[i], F_GETFD);
		/* Ours are closed on exec: they are not the caller's, and nothing for a container. */
		if (flags == -1 || (flags & FD_CLOEXEC) != 0)
			return err_set(e, ERR_INVALID,
			    "file descriptor %d is not available - the preserve-fds option "
			    "requires "
			    "that file descriptors must be passed",
			    fds[i]);
	}
	if (peer_queue_fds(ours, fds, (size_t)n, e) == -1)
		return -1;
	return fd_take(&theirs);
}

static int
by_number(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

int
session_preserved_numbers(
    const struct strv *words, struct arena *a, struct strs *as, uint64_t *count, struct err *e)
{
	uint64_t numbers[SESSION_PRESERVE_MAX] = {0};
	size_t n = 0;

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		uint64_t v;

		if (text_to_u64(word, UINT32_MAX, &v) == -1)
			return err_set(e, ERR_USAGE,
			    "invalid argument \"%s\" for \"--preserve-fd\" flag: "
			    "strconv.ParseUint: "
			    "parsing \"%s\": invalid syntax",
			    word, word);
		if (v < 3 || v >= SESSION_PRESERVE_MAX || n == SESSION_PRESERVE_MAX)
			return err_set(e, ERR_INVALID,
			    "--preserve-fd: descriptors are numbered from 3 to %d, not %llu",
			    SESSION_PRESERVE_MAX - 1, (unsigned long long)v);
		numbers[n++] = v;
	}
	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++)
		spec_list_addf(a, as, "%llu", (unsigned long long)numbers[i]);
	*count = n > 0 ? numbers[n - 1] - 2 : 0;
	return session_preserved(n, numbers, e);
}

int
session_status(int code)
{
	return code < 0 ? 255 : code;
}

/* --- While it runs ------------------------------------------------------------------------------*/

static void
take_exited(struct session *s, const struct msg_monitor_exited *m)
{
	s->exited = true;
	s->code = (int)m->code;
	s->oom = m->oom;
	s->exited_ns = (int64_t)m->exited_ns;
}

/* Takes one message; false when nothing more can come. */
static bool
take_message(struct running *r, int timeout_ms)
{
	own_peer_in struct peer_in in = {0};
	int n = peer_recv(r->s->monitor, &in, timeout_ms, r->e);

	if (n == PEER_NONE)
		return true;
	if (n != 1) {
		r->broken = true;
		return false;
	}
	if (PEER_IS(&in, monitor_exited))
		take_exited(r->s, MSG_OF(&in, monitor_exited));
	return true;
}

/* What is left of the output is still read, so the news alone do not end the loop. */
static bool
on_ready(void *arg)
{
	return take_message(arg, 0);
}

static bool
on_signal(int sig, void *arg)
{
	struct running *r = arg;

	if (r->pidfd != -1)
		syscall(SYS_pidfd_send_signal, r->pidfd, sig, NULL, 0);
	return true;
}

void
session_proxied(sigset_t *set)
{
	/* The loop's own, those nobody can catch, and those that are our own faults. */
	static const int ours[] = {SIGWINCH, SIGCHLD, SIGPIPE, SIGURG, SIGKILL, SIGSTOP, SIGSEGV,
	    SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU};

	sigfillset(set);
	for (size_t i = 0; i < COUNTOF(ours); i++)
		sigdelset(set, ours[i]);
}

static void
describe(struct session *s, struct running *r, const char *keys, struct attach *a)
{
	attach_init(a);
	a->sock = s->sock;
	a->in = s->in ? STDIN_FILENO : -1;
	a->out = s->out ? STDOUT_FILENO : -1;
	a->err = s->err ? STDERR_FILENO : -1;
	a->tty = s->tty;
	a->dir = s->tty ? s->dir : NULL;
	a->detach_keys = keys;
	a->arg = r;
	a->extra = s->monitor != NULL ? peer_fd(s->monitor) : -1;
	a->on_ready = on_ready;
	if (s->sig_proxy) {
		session_proxied(&a->signals);
		a->on_signal = on_signal;
	}
}

int
session_choose(const struct strv *names, struct session *s, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcasecmp(names->v[i], "stdin") == 0)
			s->in = true;
		else if (strcasecmp(names->v[i], "stdout") == 0)
			s->out = true;
		else if (strcasecmp(names->v[i], "stderr") == 0)
			s->err = true;
		else
			return err_set(e, ERR_INVALID,
			    "invalid stream \"%s\" for --attach - must be one of stdin, stdout, or "
			    "stderr: invalid argument",
			    names->v[i]);
	}
	return 0;
}

int
session_run(struct ctx *x, struct session *s, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	own_fd int pidfd = -1;
	struct err ignored = {0};
	struct running r = {.s = s, .e = &ignored};
	enum attach_end end = ATTACH_ENDED;
	struct attach a;

	if (conf == NULL)
		return -1;
	if (s->pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	r.pidfd = pidfd != -1 && sync_process_lives(s->pid, s->pid_start) ? pidfd : -1;
	describe(s, &r, s->detach_keys != NULL ? s->detach_keys : conf->engine_detach_keys, &a);
	if (attach_run(&a, &end, e) == -1)
		return -1;
	s->unread = end == ATTACH_UNREAD ? a.lost : 0;
	s->detached = end == ATTACH_DETACHED || s->unread != 0;
	while (s->monitor != NULL && !s->detached && !s->exited && !r.broken)
		take_message(&r, -1);
	return 0;
}

int
session_left(const struct session *s, const char *id, struct err *e)
{
	if (s->unread == 0)
		return 0;
	errno = s->unread;
	return err_sys(e, "attaching to container %s: write /dev/stdout", id);
}

int
session_exit_status(struct ctx *x, const struct ctr *seen, struct err *e)
{
	own_ctr struct ctr c = {0};
	struct db *db = ctx_db(x, e);
	int code;

	stop_wait(x, seen, -1);
	if (ctr_load(db, seen->id, &c, e) == 0) {
		sync_look(x, &c);
		return session_status(c.exit_code);
	}
	if (e->class != ERR_NOTFOUND || ctr_exit_code_get(db, seen->id, &code, e) == -1)
		return -1;
	err_clear(e);
	return session_status(code);
}
