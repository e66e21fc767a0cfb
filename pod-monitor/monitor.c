/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/own.h"
#include "common/base/warm.h"
#include "common/role/spawn.h"
#include "common/wire/trace.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/monitor_int.h"

#define HAND_OVER_MS 2000
#define DRAIN_EXTENDED 6 /* times DRAIN_S for a worker that goes on */
#define TURN 8		 /* messages of the worker between two looks at other events */

static struct monitor the_monitor;

int64_t
monitor_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
monitor_watch(struct monitor *m, int fd, enum event_of of, uint32_t events)
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

void
monitor_set_timer(struct monitor *m, uint64_t seconds)
{
	struct itimerspec t = {.it_value.tv_sec = (time_t)seconds};

	timerfd_settime(m->timer, 0, &t, NULL);
}

void
monitor_leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	fd_close(&null);
}

void
monitor_leave_stderr(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	fd_close(&null);
}

int
monitor_start_worker(struct monitor_half *out, struct err *e)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct spawn s = {.role = ROLE_STDIO,
	    .fds = {null, null},
	    .nfds = PEER_FD + 1,
	    .discard_stderr = !trace_on()};
	int pair[2];
	pid_t pid;

	if (peer_pair(pair, e) != 0)
		return -1;
	s.fds[PEER_FD] = pair[1];
	pid = spawn_start(&s, e);
	if (pid > 0)
		*out = (struct monitor_half){
		    peer_new(fd_take(&pair[0]), ROLE_MONITOR, ROLE_STDIO), pid};
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return pid > 0 ? 0 : -1;
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

/* Takes over the request, whose texts the job points to. */
static int
begin(struct monitor *m, struct peer_in *in)
{
	m->seq = in->seq;
	m->in = *in;
	*in = (struct peer_in){.desc = m->in.desc, .seq = m->in.seq};
	begin_job(m, -1, -1);
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
	return begin(m, in);
}

static int
on_exec(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct monitor *m = arg;

	(void)p;
	(void)e;
	warm_start();
	job_from_exec(&m->job, MSG_OF(in, monitor_exec));
	return begin(m, in);
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
		end_clean_up(m);
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
		end_clean_up(m);
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
	m->renewed++;

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
	end_logged(m);
	return 0;
}

static int
on_done(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)e;
	end_drained(arg);
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

	/* The rest is reported again: one that has been taken over, and never stops, must not hide the end. */
	for (unsigned i = 0; i < TURN && r == 1; i++)
		r = peer_serve(m->worker, worker_table, COUNTOF(worker_table), m->phase,
		    &m->worker_done, m, &e);
	if (r == PEER_NONE || r == 1)
		return;
	hang_up(m, &m->worker);
	if (m->phase >= DRAINING)
		end_drained(m);
}

/* --- Signals -----------------------------------------------------------------------------------
 */

/*
 * While the runtime works nobody else is reaped: the container's process ID is not known yet, and
 * its status must not be lost.
 */
static void
reap(struct monitor *m)
{
	struct rusage used;
	int status;
	pid_t pid;

	while (m->phase == STARTING && m->runtime > 0) {
		if (waitpid(m->runtime, &status, WNOHANG) <= 0)
			return;
		begin_runtime_ended(m, status);
	}
	while (m->phase != GONE && (pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
		if (pid == m->container)
			end_container(m, status, used.ru_maxrss);
		else if (pid == m->helper)
			end_helper(m);
		else if (pid == m->worker_pid)
			m->worker_pid = 0;
		else if (pid == m->health.checker)
			health_checked(&m->health, &m->job, status);
	}
}

/* A foreign manager keeps the timers itself. */
static void
health_changed(struct monitor *m)
{
	if (m->phase == RUNNING && !m->job.foreign && !m->job.exec &&
	    health_reload(&m->health, &m->job, m->start.bundle))
		monitor_watch(m, m->health.timer, OF_HEALTH, EPOLLIN);
}

static void
signal_event(struct monitor *m)
{
	struct signalfd_siginfo s;

	while (read(m->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		pid_t to = m->container > 0 ? m->container : m->runtime;

		if (s.ssi_signo == SIGCHLD)
			reap(m);
		else if (s.ssi_signo == SIGUSR1)
			health_changed(m);
		else if (to > 0)
			kill(to, (int)s.ssi_signo);
		else if (m->phase == IDLE)
			m->phase = GONE;
	}
}

/* The worker does not say that it has copied what was left: it ends, and some of that is lost. */
static void
drop_worker(struct monitor *m)
{
	if (m->worker_pid > 0)
		kill(m->worker_pid, SIGKILL);
	hang_up(m, &m->worker);
	end_drained(m);
}

/* Many small logs on a busy disk take long: as long as new ones are asked for, output is still coming. */
static void
drain_late(struct monitor *m)
{
	if (m->renewed == 0 || m->extended == DRAIN_EXTENDED) {
		drop_worker(m);
		return;
	}
	m->renewed = 0;
	m->extended++;
	monitor_set_timer(m, DRAIN_S);
}

static void
timer_event(struct monitor *m)
{
	uint64_t n;
	pid_t group;

	if (read(m->timer, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return;
	if (m->phase == DRAINING && m->worker != NULL)
		drain_late(m);
	if (m->container <= 0)
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
	/* A removed cgroup would report for ever. */
	if (m->oom.over)
		epoll_ctl(m->epoll, EPOLL_CTL_DEL, m->oom.event, NULL);
}

/*
 * A container that was not our child has ended.  It may have become ours by now; or its parent is
 * about to hand it over, for which it has HAND_OVER_MS; or it takes the status with it.
 */
static void
process_event(struct monitor *m)
{
	struct rusage used = {0};
	int status = 0;
	pid_t pid = m->container > 0 ? wait4(m->container, &status, WNOHANG, &used) : 0;

	if (pid < 0 && m->waited_ms < HAND_OVER_MS && kill(m->container, 0) == 0) {
		m->waited_ms++;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		return;
	}
	epoll_ctl(m->epoll, EPOLL_CTL_DEL, m->process, NULL);
	fd_close(&m->process);
	if (m->phase == RUNNING)
		end_container(m, status, used.ru_maxrss);
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
	case OF_HEALTH:
		health_due(&m->health, &m->job);
		break;
	case OF_PROCESS:
		process_event(m);
		break;
	}
}

static void
init(struct monitor *m, const struct monitor_half *worker)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGHUP);
	m->phase = IDLE;
	m->worker = worker->peer;
	m->worker_pid = worker->pid;
	m->oom.counter = m->oom.event = m->oom.above = -1;
	m->start.bundle = m->start.console = m->process = m->health.timer = -1;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	monitor_watch(m, m->signals, OF_SIGNAL, EPOLLIN);
	monitor_watch(m, m->timer, OF_TIMER, EPOLLIN);
	monitor_watch(m, peer_fd(m->worker), OF_WORKER, EPOLLIN);
}

static void
loop(struct monitor *m)
{
	struct epoll_event ev[8];

	while (m->phase != GONE) {
		int n = epoll_wait(m->epoll, ev, COUNTOF(ev), m->trim ? TRIM_QUIET_MS : -1);

		for (int i = 0; i < n && m->phase != GONE; i++)
			handle(m, ev[i].data.u32);
		/* From here, where the stack is shallow. */
		if (n == 0 && m->trim) {
			trim_now();
			m->trim = false;
		}
	}
}

int
monitor_serve(struct peer *coordinator, const struct monitor_half *worker, int host_ns)
{
	struct monitor *m = &the_monitor;

	init(m, worker);
	m->coordinator = coordinator;
	m->host_ns = host_ns;
	m->report.fd = -1;
	monitor_watch(m, peer_fd(coordinator), OF_COORDINATOR, EPOLLIN);
	loop(m);
	return 0;
}

int
monitor_do(const struct job *job, const struct logs *logs, const struct monitor_pipes *pipes,
    const struct monitor_half *worker)
{
	struct monitor *m = &the_monitor;

	init(m, worker);
	m->host_ns = -1;
	m->job = *job;
	m->logs = *logs;
	m->report = pipes->sync;
	begin_job(m, pipes->attach, pipes->start);
	loop(m);
	return m->failed ? 1 : m->code & 255;
}
