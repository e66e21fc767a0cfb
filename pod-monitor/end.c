/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-monitor/forget.h"
#include "pod-monitor/monitor_int.h"
#include "pod-monitor/mountns.h"

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
		end_clean_up(m);
}

void
end_clean_up(struct monitor *m)
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
	if (m->job.exit_delay_s > 0)
		nanosleep(&(struct timespec){.tv_sec = (time_t)m->job.exit_delay_s}, NULL);
	/* Memory or process IDs may be short for a moment, and there is no second chance. */
	for (int i = 0; i < 50; i++) {
		m->helper = proc_start(&p, &e);
		if (m->helper > 0) {
			m->phase = CLEANING;
			return;
		}
		if (e.no == ENOENT || e.no == EACCES || e.no == ENOEXEC)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
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

/* The runtime has forgotten the container, which can be started again from here on. */
static void
deleted(struct monitor *m)
{
	if (m->job.rootfs != NULL)
		mountns_detach(m->job.rootfs);
	fd_close(&m->job.lock);
	tell(m);
	linger(m);
}

/* All output is in the logs: the end becomes visible. */
static void
record(struct monitor *m)
{
	struct err e = {0};

	if (m->phase != DRAINING)
		return;
	/* Ports that were held must be free before the end is seen, and so must addresses. */
	fd_close(&m->job.holder);
	fd_close(&m->job.netns);
	for (size_t i = 0; i < m->job.inherited_n; i++)
		close(m->job.inherited[i]);
	m->job.inherited_n = 0;
	if (oom_check(&m->oom))
		record_oom(&m->record, &e);
	oom_close(&m->oom);
	record_exit(&m->record, m->job.exit_name, m->code, &e);
	if (m->job.foreign && m->job.exec)
		report_send(&m->report, m->code, m->timed_out ? "command timed out" : NULL);
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
	m->helper = m->job.exec || m->job.foreign || forget_container(&m->job)
			? -1
			: start_delete(&m->start, &m->job, &e);
	if (m->helper < 0) {
		m->helper = 0;
		deleted(m);
	}
}

void
end_logged(struct monitor *m)
{
	record(m);
	finish(m);
}

/* The runtime's delete may run hooks, which want the bundle; who is told takes it away. */
static bool
needs_bundle(const struct job *j)
{
	return !j->exec && !j->foreign && j->state_dir == NULL;
}

void
end_drained(struct monitor *m)
{
	record(m);
	if (m->phase >= DELETING && !needs_bundle(&m->job))
		tell(m);
	finish(m);
}

void
end_container(struct monitor *m, int status, long peak_kib)
{
	struct msg_stdio_drain d = {0};
	struct err e = {0};

	m->ended_ns = monitor_now_ns();
	/* Before the output: systemd removes an empty cgroup, and the counter with it. */
	oom_ended(&m->oom, peak_kib);
	health_end(&m->health);
	m->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (m->timed_out)
		m->code = -1;
	m->container = 0;
	m->phase = DRAINING;
	/* One that has been taken over, or waits for a log that takes nothing, must not hide the end. */
	m->renewed = 0;
	monitor_set_timer(m, DRAIN_S);
	if (m->worker == NULL || peer_send(m->worker, &msg_stdio_drain_desc, 0, &d, &e) != 0)
		end_drained(m);
}

void
end_helper(struct monitor *m)
{
	m->helper = 0;
	if (m->phase == DELETING)
		deleted(m);
	else if (m->phase == CLEANING)
		m->phase = GONE;
}
