/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/base/own.h"
#include "common/base/process.h"
#include "common/fs/group.h"
#include "common/oci/monitor.h"
#include "pod-monitor/monitor_int.h"
#include "pod-monitor/mountns.h"

/* printed: the runtime's own words, which a foreign manager gets as they are. */
static void
answer_error(struct monitor *m, const struct err *what, const char *printed)
{
	struct err e = {0};

	m->failed = true;
	if (m->job.foreign) {
		report_send(&m->report, -1, printed != NULL ? printed : what->text);
		/* The manager cleans up what the runtime may have left. */
		start_forget(&m->start);
		m->phase = GONE;
		if (m->ran)
			end_clean_up(m);
		return;
	}
	if (m->coordinator != NULL)
		peer_send_error(m->coordinator, m->seq, what, &e);
	if (m->job.rootfs != NULL)
		mountns_detach(m->job.rootfs);
	start_forget(&m->start);
	m->phase = GONE;
}

/* What the runtime printed, out of the worker's hands; empty if there is none. */
static void
abort_worker(struct monitor *m, bool again, char *printed, size_t size)
{
	own_peer_in struct peer_in in = {0};
	struct msg_stdio_abort a = {.again = again};
	struct err e = {0};
	size_t n = 0;

	if (m->worker != NULL &&
	    peer_call(m->worker, &msg_stdio_abort_desc, &a, &in, NULL, NULL, &e) == 0) {
		const struct bytes *b = &MSG_OF(&in, stdio_done)->text;

		n = b->n < size ? b->n : size - 1;
		if (n > 0)
			memcpy(printed, b->p, n);
	}
	/* One that does not answer would not see our end either. */
	if (e.class == ERR_TIMEOUT && m->worker_pid > 0)
		kill(m->worker_pid, SIGKILL);
	printed[n] = '\0';
}

/* The runtime failed. */
static void
start_failed(struct monitor *m, const struct err *why)
{
	struct err what = {0};
	char printed[MONITOR_CHUNK];

	abort_worker(m, false, printed, sizeof(printed));
	if (why != NULL)
		what = *why;
	else if (!m->job.foreign)
		start_error(&m->start, &m->job, printed, &what);
	answer_error(m, &what, why == NULL ? printed : NULL);
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
	    .start_time = process_start(m->container),
	    .monitor_pid = (uint64_t)getpid(),
	    .worker_pid = (uint64_t)m->worker_pid,
	    .started_ns = (uint64_t)monitor_now_ns()};
	struct err e = {0};

	if (m->job.pid_file != NULL)
		record_pid(m->job.pid_file, m->container, &e);
	if (m->job.foreign) {
		if (!m->job.exec || m->report.api)
			report_send(&m->report, m->container, NULL);
		return;
	}
	/* Nobody would know of a container whose start was not heard. */
	if (m->coordinator == NULL ||
	    peer_send(m->coordinator, &msg_monitor_started_desc, m->seq, &s, &e) != 0)
		kill(m->container, SIGKILL);
}

/*
 * A container that is not our child, or not yet because a process of the runtime is still between,
 * has to be watched in another way.
 */
static void
watch_container(struct monitor *m)
{
	siginfo_t info;

	if (waitid(P_PID, (id_t)m->container, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
	    errno != ECHILD)
		return;
	m->process = (int)syscall(SYS_pidfd_open, m->container, 0);
	if (m->process < 0)
		end_container(m, 0, 0);
	else
		monitor_watch(m, m->process, OF_PROCESS, EPOLLIN);
}

/* The container runs. */
static void
started(struct monitor *m)
{
	struct err e = {0};

	m->container = start_read_pid(&m->start, &m->job, &e);
	if (m->container < 0 || run_worker(m, &e) != 0) {
		if (m->container > 0)
			kill(m->container, SIGKILL);
		start_failed(m, &e);
		return;
	}
	m->phase = RUNNING;
	answer_started(m);
	start_close(&m->start, &m->job);
	monitor_leave_streams();
	monitor_leave_stderr();
	if (m->job.timeout_s > 0)
		monitor_set_timer(m, m->job.timeout_s);
	if (!m->job.exec) {
		oom_watch(&m->oom, m->container);
		monitor_watch(m, m->oom.event, OF_OOM, m->oom.events);
	}
	health_begin(&m->health, &m->job, m->host_ns);
	monitor_watch(m, m->health.timer, OF_HEALTH, EPOLLIN);
	m->trim = true;
	watch_container(m);
}

/*
 * Removes what a monitor left behind that was killed together with its container, and starts anew.
 * Safe because the coordinator has made sure, under the container's lock, that it does not run.
 */
static bool
start_retry(struct monitor *m)
{
	struct err e = {0};
	char printed[1];
	pid_t pid;

	if (m->retried || m->job.exec || m->job.foreign || !start_exists_already(&m->start))
		return false;
	m->retried = true;
	abort_worker(m, true, printed, sizeof(printed));
	pid = start_delete(&m->start, &m->job, &e);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return false;
	m->runtime = start_runtime(&m->start, &m->job, &e);
	return m->runtime > 0;
}

void
begin_runtime_ended(struct monitor *m, int status)
{
	m->runtime = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		started(m);
	else if (!start_retry(m))
		start_failed(m, NULL);
}

/* Everything that can fail before the runtime is there. */
static int
prepare(struct monitor *m, struct err *e)
{
	const struct logs_owner owner = {.id = m->job.id, .name = m->job.name};

	if (record_open(&m->record, &m->job, e) != 0)
		return -1;
	if (m->job.monitor_pid_file != NULL &&
	    record_pid(m->job.monitor_pid_file, getpid(), e) != 0)
		return -1;
	/* A foreign manager's logs were opened while it still read our standard error. */
	if (!m->job.foreign && logs_open(&m->logs, m->job.logs, m->job.logs_n, &owner, e) != 0)
		return -1;
	m->job.passthrough = m->logs.passthrough;
	if (m->job.passthrough && m->job.terminal)
		return err_set(e, ERR_INVALID, "a terminal cannot be passed through");
	if (!m->job.passthrough)
		monitor_leave_streams();
	if (start_prepare(&m->start, &m->job, m->worker, e) != 0)
		return -1;
	return logs_send(&m->logs, m->worker, e);
}

/* The manager attaches while we wait, so that no output is lost. */
static void
let_attach(int attach_pipe, int start_pipe)
{
	struct report r = {.fd = attach_pipe, .api = true};
	char c;

	if (attach_pipe < 0)
		return;
	report_send(&r, 0, NULL);
	while (read(start_pipe, &c, 1) < 0 && errno == EINTR)
		;
}

void
begin_job(struct monitor *m, int attach_pipe, int start_pipe)
{
	struct err e = {0};

	m->phase = STARTING;
	if (prepare(m, &e) == 0) {
		let_attach(attach_pipe, start_pipe);
		m->runtime = start_runtime(&m->start, &m->job, &e);
		m->ran = m->runtime > 0;
	}
	/* The kernel lets that wait for a while, which the runtime needs anyhow. */
	if (m->ran && m->job.own_cgroup != NULL) {
		group_join(m->job.own_cgroup, 0);
		if (m->worker_pid > 0)
			group_join(m->job.own_cgroup, m->worker_pid);
	}
	if (m->runtime <= 0)
		start_failed(m, &e);
}
