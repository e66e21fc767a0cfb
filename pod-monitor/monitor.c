/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/own.h"
#include "pod-monitor/forget.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/mountns.h"
#include "pod-monitor/oom.h"
#include "pod-monitor/record.h"
#include "pod-monitor/start.h"
#include "pod-monitor/warm.h"

enum phase {
	IDLE = 1,
	STARTING = 2,
	RUNNING = 4,
	DRAINING = 8,
	DELETING = 16,
	LINGERING = 32,
	CLEANING = 64,
	GONE = 128,
};
#define ANY 255u

enum event_of { OF_COORDINATOR, OF_WORKER, OF_SIGNAL, OF_TIMER, OF_OOM };

struct monitor {
	enum phase phase;
	struct peer *coordinator; /* NULL: went away */
	struct peer *worker;	  /* NULL: ended */
	uint64_t coordinator_done, worker_done;
	uint32_t seq; /* of the request to start */
	struct peer_in in;
	struct job job;
	struct start start;
	struct logs logs;
	struct record record;
	struct oom oom;
	int epoll, signals, timer, host_ns;
	pid_t runtime, container, helper; /* helper: delete or the exit command */
	bool released, cleaned, retried, timed_out, told, trim;
	int code; /* of the container */
	int64_t ended_ns;
};

static struct monitor the_monitor;

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
watch(struct monitor *m, int fd, enum event_of of, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u32 = of};

	if (fd >= 0)
		epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/*
 * A connection that has ended.  It is taken out by hand: closing does not, as long as a child has a
 * copy, and then it would report its end for ever.
 */
static void
hang_up(struct monitor *m, struct peer **p)
{
	epoll_ctl(m->epoll, EPOLL_CTL_DEL, peer_fd(*p), NULL);
	peer_free(*p);
	*p = NULL;
}

static void
set_timer(struct monitor *m, uint64_t seconds)
{
	struct itimerspec t = {.it_value.tv_sec = (time_t)seconds};

	timerfd_settime(m->timer, 0, &t, NULL);
}

/* Nobody is left to read diagnostics, and the coordinator's own stream is not ours to keep open. */
static void
leave_stderr(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	fd_close(&null);
}

/* --- The end -----------------------------------------------------------------------------------
 */

static void clean_up(struct monitor *m);

/*
 * Somebody must clean up: the coordinator if it is still there, else the exit command.  It is run
 * only once the coordinator is gone, because that one may just be recording the start.
 */
static void
linger(struct monitor *m)
{
	m->phase = LINGERING;
	if (m->cleaned)
		m->phase = GONE;
	else if (m->coordinator == NULL || m->released)
		clean_up(m);
}

static void
clean_up(struct monitor *m)
{
	struct proc p = {
	    .argv = (char *const *)(uintptr_t)m->job.exit_command.v,
	    .envp =
		m->job.environment.n > 0 ? (char *const *)(uintptr_t)m->job.environment.v : NULL,
	    .pass = -1,
	    .mount_ns = m->host_ns,
	};
	struct err e = {0};

	m->phase = GONE;
	if (m->job.exit_command.n == 0)
		return;
	p.path = p.argv[0];
	/* Memory or process IDs may be short for a moment, and there is no second chance. */
	for (int i = 0; i < 50; i++) {
		m->helper = proc_start(&p, &e);
		if (m->helper > 0) {
			m->phase = CLEANING;
			return;
		}
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
}

/* The runtime has forgotten the container, which can be started again from here on. */
static void
deleted(struct monitor *m)
{
	if (m->job.rootfs != NULL)
		mountns_detach(m->job.rootfs);
	fd_close(&m->job.lock);
	linger(m);
}

/* All output is with the attached clients too. */
static void
tell(struct monitor *m)
{
	struct msg_monitor_exited x = {
	    .code = m->code, .oom = m->oom.seen, .exited_ns = (uint64_t)m->ended_ns};
	struct err e = {0};

	if (m->told)
		return;
	m->told = true;
	if (m->coordinator != NULL)
		peer_send(m->coordinator, &msg_monitor_exited_desc, 0, &x, &e);
}

/* All output is in the logs: the end becomes visible. */
static void
record(struct monitor *m)
{
	struct err e = {0};

	if (m->phase != DRAINING)
		return;
	/* Ports that were held must be free before the end is seen. */
	fd_close(&m->job.holder);
	if (oom_check(&m->oom))
		record_oom(&m->record, &e);
	oom_close(&m->oom);
	record_exit(&m->record, m->job.exit_name, m->code, &e);
	start_forget(&m->start);
	m->phase = DELETING;
	m->helper = 0;
}

static void
finish(struct monitor *m)
{
	struct err e = {0};

	if (m->phase != DELETING || m->helper != 0)
		return;
	m->helper =
	    m->job.exec || forget_container(&m->job) ? -1 : start_delete(&m->start, &m->job, &e);
	if (m->helper < 0) {
		m->helper = 0;
		deleted(m);
	}
}

/* The worker has finished, in one way or another. */
static void
drained(struct monitor *m)
{
	record(m);
	if (m->phase >= DELETING)
		tell(m);
	finish(m);
}

static void
ended(struct monitor *m, int status)
{
	struct msg_stdio_drain d = {0};
	struct err e = {0};

	m->ended_ns = now_ns();
	m->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (m->timed_out)
		m->code = -1;
	m->container = 0;
	m->phase = DRAINING;
	set_timer(m, 0);
	if (m->worker == NULL || peer_send(m->worker, &msg_stdio_drain_desc, 0, &d, &e) != 0)
		drained(m);
}

/* --- The start ---------------------------------------------------------------------------------
 */

static void
answer_error(struct monitor *m, const struct err *what)
{
	struct err e = {0};

	if (m->coordinator != NULL)
		peer_send_error(m->coordinator, m->seq, what, &e);
	if (m->job.rootfs != NULL)
		mountns_detach(m->job.rootfs);
	start_forget(&m->start);
	m->phase = GONE;
}

/* What the runtime printed, out of the worker's hands; NULL if there is none. */
static const char *
abort_worker(struct monitor *m, bool again, struct peer_in *in)
{
	struct msg_stdio_abort a = {.again = again};
	struct err e = {0};

	if (m->worker == NULL ||
	    peer_call(m->worker, &msg_stdio_abort_desc, &a, in, NULL, NULL, &e) != 0)
		return NULL;
	return MSG_OF(in, stdio_done)->text;
}

/* The runtime failed. */
static void
start_failed(struct monitor *m, const struct err *why)
{
	own_peer_in struct peer_in in = {0};
	struct err what = {0};
	const char *text = abort_worker(m, false, &in);

	if (why != NULL)
		what = *why;
	else
		start_error(&m->start, &m->job, text, &what);
	answer_error(m, &what);
}

/* Sends the worker on its way.  Returns -1 with e if the runtime made no terminal. */
static int
run_worker(struct monitor *m, struct err *e)
{
	struct msg_stdio_terminal t = {
	    .rows = m->job.rows, .columns = m->job.columns, .master = -1};
	struct msg_stdio_run r = {0};
	struct err ignored = {0};

	if (m->job.terminal && (t.master = start_take_console(&m->start, e)) < 0)
		return -1;
	if (m->worker != NULL && m->job.terminal)
		peer_send(m->worker, &msg_stdio_terminal_desc, 0, &t, &ignored);
	if (m->worker != NULL)
		peer_send(m->worker, &msg_stdio_run_desc, 0, &r, &ignored);
	fd_close(&t.master);
	return 0;
}

static void
answer_started(struct monitor *m)
{
	struct msg_monitor_started s = {.pid = (uint64_t)m->container,
	    .start_time = start_time_of(m->container),
	    .monitor_pid = (uint64_t)getpid(),
	    .started_ns = (uint64_t)now_ns()};
	struct err e = {0};

	if (m->job.pid_file != NULL)
		record_pid(m->job.pid_file, m->container, &e);
	/* Nobody would know of a container whose start was not heard. */
	if (m->coordinator == NULL ||
	    peer_send(m->coordinator, &msg_monitor_started_desc, m->seq, &s, &e) != 0)
		kill(m->container, SIGKILL);
}

/* The container runs. */
static void
started(struct monitor *m)
{
	struct err e = {0};

	m->container = start_read_pid(&m->start, &e);
	if (m->container < 0 || run_worker(m, &e) != 0) {
		if (m->container > 0)
			kill(m->container, SIGKILL);
		start_failed(m, &e);
		return;
	}
	m->phase = RUNNING;
	answer_started(m);
	start_close(&m->start, &m->job);
	leave_stderr();
	if (m->job.timeout_s > 0)
		set_timer(m, m->job.timeout_s);
	if (!m->job.exec) {
		oom_watch(&m->oom, m->container);
		watch(m, m->oom.event, OF_OOM, m->oom.events);
	}
	m->trim = true;
}

/*
 * Removes what a monitor left behind that was killed together with its container, and starts anew.
 * Safe because the coordinator has made sure, under the container's lock, that it does not run.
 */
static bool
start_retry(struct monitor *m)
{
	own_peer_in struct peer_in answer = {0};
	struct err e = {0};
	pid_t pid;

	if (m->retried || m->job.exec || !start_exists_already(&m->start))
		return false;
	m->retried = true;
	abort_worker(m, true, &answer);
	pid = start_delete(&m->start, &m->job, &e);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return false;
	m->runtime = start_again(&m->start, &m->job, &e);
	return m->runtime > 0;
}

static void
runtime_ended(struct monitor *m, int status)
{
	m->runtime = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		started(m);
	else if (!start_retry(m))
		start_failed(m, NULL);
}

/* Takes over the request, starts the runtime. */
static int
begin(struct monitor *m, struct peer_in *in, struct err *e)
{
	m->seq = in->seq;
	m->in = *in;
	*in = (struct peer_in){.desc = m->in.desc, .seq = m->in.seq};
	m->phase = STARTING;
	if (record_open(&m->record, &m->job, e) != 0)
		return -1;
	if (m->job.monitor_pid_file != NULL &&
	    record_pid(m->job.monitor_pid_file, getpid(), e) != 0)
		return -1;
	m->runtime = start_runtime(&m->start, &m->job, &m->logs, m->worker, e);
	return m->runtime > 0 ? 0 : -1;
}

static int
begin_or_fail(struct monitor *m, struct peer_in *in)
{
	struct err e = {0};

	if (begin(m, in, &e) != 0)
		start_failed(m, &e);
	return 0;
}

/* --- Messages of the coordinator -----------------------------------------------------------------
 */

static int
on_hello(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)arg;
	(void)e;
	return 0;
}

static int
on_start(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)e;
	warm_start();
	job_from_start(&m->job, MSG_OF(in, monitor_start));
	return begin_or_fail(m, in);
}

static int
on_exec(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)e;
	warm_start();
	job_from_exec(&m->job, MSG_OF(in, monitor_exec));
	return begin_or_fail(m, in);
}

static int
on_adopt(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)e;
	((struct monitor *)arg)->released = false;
	return 0;
}

static int
on_release(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)in;
	(void)e;
	m->released = true;
	if (m->phase == LINGERING)
		clean_up(m);
	return 0;
}

static int
on_cleaned(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)in;
	(void)e;
	m->cleaned = true;
	if (m->phase == LINGERING)
		m->phase = GONE;
	return 0;
}

static const struct peer_handler coordinator_table[] = {
    {&msg_hello_desc, IDLE, PEER_ONCE, on_hello},
    {&msg_monitor_start_desc, IDLE, PEER_ONCE, on_start},
    {&msg_monitor_exec_desc, IDLE, PEER_ONCE, on_exec},
    {&msg_monitor_adopt_desc, ANY, 0, on_adopt},
    {&msg_monitor_release_desc, ANY, 0, on_release},
    {&msg_monitor_cleaned_desc, ANY, PEER_ONCE, on_cleaned},
};

static void
coordinator_event(struct monitor *m)
{
	struct err e = {0};
	int r = 1;

	while (r == 1 && m->phase != GONE)
		r = peer_serve(m->coordinator, coordinator_table, COUNTOF(coordinator_table),
		    m->phase, &m->coordinator_done, m, &e);
	if (r == PEER_NONE || r == 1)
		return;
	hang_up(m, &m->coordinator);
	if (m->phase == IDLE)
		m->phase = GONE;
	else if (m->phase == LINGERING)
		clean_up(m);
}

/* --- Messages of the worker ----------------------------------------------------------------------
 */

static int
on_rotate(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;
	struct msg_stdio_log l = {.index = MSG_OF(in, stdio_rotate)->index};
	struct err ignored = {0};

	l.file = logs_renew(&m->logs, l.index, &ignored);

	int r = peer_send(p, &msg_stdio_log_desc, in->seq, &l, e);

	fd_close(&l.file);
	return r;
}

static int
on_logged(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)in;
	(void)e;
	record(m);
	finish(m);
	return 0;
}

static int
on_done(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)e;
	drained(arg);
	return 0;
}

static const struct peer_handler worker_table[] = {
    {&msg_stdio_rotate_desc, RUNNING | DRAINING, 0, on_rotate},
    {&msg_stdio_logged_desc, DRAINING, PEER_ONCE, on_logged},
    {&msg_stdio_done_desc, (ANY & ~(IDLE | STARTING | RUNNING)), PEER_ONCE, on_done},
};

static void
worker_event(struct monitor *m)
{
	struct err e = {0};
	int r = 1;

	while (r == 1)
		r = peer_serve(m->worker, worker_table, COUNTOF(worker_table), m->phase,
		    &m->worker_done, m, &e);
	if (r == PEER_NONE)
		return;
	hang_up(m, &m->worker);
	if (m->phase >= DRAINING)
		drained(m);
}

/* --- Signals -----------------------------------------------------------------------------------
 */

static void
helper_ended(struct monitor *m)
{
	m->helper = 0;
	if (m->phase == DELETING)
		deleted(m);
	else if (m->phase == CLEANING)
		m->phase = GONE;
}

/*
 * While the runtime works nobody else is reaped: the container's process ID is not known yet, and
 * its status must not be lost.
 */
static void
reap(struct monitor *m)
{
	int status;
	pid_t pid;

	while (m->phase == STARTING && m->runtime > 0) {
		if (waitpid(m->runtime, &status, WNOHANG) <= 0)
			return;
		runtime_ended(m, status);
	}
	while (m->phase != GONE && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == m->container)
			ended(m, status);
		else if (pid == m->helper)
			helper_ended(m);
	}
}

static void
signal_event(struct monitor *m)
{
	struct signalfd_siginfo s;

	while (read(m->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		pid_t to = m->container > 0 ? m->container : m->runtime;

		if (s.ssi_signo == SIGCHLD)
			reap(m);
		else if (to > 0)
			kill(to, (int)s.ssi_signo);
		else if (m->phase == IDLE)
			m->phase = GONE;
	}
}

static void
timer_event(struct monitor *m)
{
	uint64_t n;
	pid_t group;

	if (read(m->timer, &n, sizeof(n)) != (ssize_t)sizeof(n) || m->container <= 0)
		return;
	m->timed_out = true;
	group = getpgid(m->container);
	/* Never our own group nor that of init. */
	if (group > 1 && group != getpgrp())
		kill(-group, SIGKILL);
	kill(m->container, SIGKILL);
}

static void
oom_event(struct monitor *m)
{
	struct err e = {0};

	if (oom_check(&m->oom))
		record_oom(&m->record, &e);
	/* One is enough, and a removed cgroup would report for ever. */
	epoll_ctl(m->epoll, EPOLL_CTL_DEL, m->oom.event, NULL);
}

/* --- The loop ----------------------------------------------------------------------------------
 */

static void
handle(struct monitor *m, enum event_of of)
{
	switch (of) {
	case OF_COORDINATOR:
		if (m->coordinator != NULL)
			coordinator_event(m);
		break;
	case OF_WORKER:
		if (m->worker != NULL)
			worker_event(m);
		break;
	case OF_SIGNAL:
		signal_event(m);
		break;
	case OF_TIMER:
		timer_event(m);
		break;
	case OF_OOM:
		oom_event(m);
		break;
	}
}

static void
init(struct monitor *m, struct peer *coordinator, struct peer *worker, int host_ns)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGHUP);
	m->phase = IDLE;
	m->coordinator = coordinator;
	m->worker = worker;
	m->host_ns = host_ns;
	m->oom.counter = m->oom.event = -1;
	m->start.bundle = -1;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	watch(m, m->signals, OF_SIGNAL, EPOLLIN);
	watch(m, m->timer, OF_TIMER, EPOLLIN);
	watch(m, peer_fd(coordinator), OF_COORDINATOR, EPOLLIN);
	watch(m, peer_fd(worker), OF_WORKER, EPOLLIN);
}

int
monitor_run(struct peer *coordinator, struct peer *worker, int host_ns)
{
	struct monitor *m = &the_monitor;
	struct epoll_event ev[8];

	init(m, coordinator, worker, host_ns);
	while (m->phase != GONE) {
		int n = epoll_wait(m->epoll, ev, COUNTOF(ev), -1);

		for (int i = 0; i < n && m->phase != GONE; i++)
			handle(m, ev[i].data.u32);
		/* From here, where the stack is shallow. */
		if (m->trim)
			trim_now();
		m->trim = false;
	}
	return 0;
}
