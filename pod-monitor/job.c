/* SPDX-License-Identifier: ISC */
#include "pod-monitor/job.h"
#include "common/base/own.h"

static int
take(int *fd)
{
	return *fd > 0 ? fd_take(fd) : -1;
}

void
job_from_start(struct job *j, struct msg_monitor_start *m)
{
	*j = (struct job){
	    .id = m->id,
	    .name = m->name,
	    .exit_name = m->id,
	    .bundle = m->bundle,
	    .rootfs = m->rootfs,
	    .runtime = m->runtime,
	    .state_dir = m->state_dir,
	    .cgroup = m->cgroup,
	    .own_cgroup = m->own_cgroup,
	    .runtime_args = m->runtime_args,
	    .runtime_opts = m->runtime_opts,
	    .restore = m->restore,
	    .create_only = m->create_only,
	    .no_pivot = m->no_pivot,
	    .no_new_keyring = m->no_new_keyring,
	    .systemd_cgroup = m->systemd_cgroup,
	    .terminal = m->terminal,
	    .stdin_ = m->stdin_,
	    .leave_stdin_open = m->leave_stdin_open,
	    .logs = m->logs.v,
	    .logs_n = m->logs.n,
	    .exit_dir = m->exit_dir,
	    .persist_dir = m->persist_dir,
	    .pid_file = m->pid_file,
	    .monitor_pid_file = m->monitor_pid_file,
	    .exit_command = m->exit_command,
	    .environment = m->environment,
	    .timeout_s = m->timeout_s,
	    .notify_socket = m->notify_socket,
	    .health_command = m->health_command,
	    .health_interval_ms = m->health_interval_ms,
	    .health_startup_ms = m->health_startup_ms,
	    .rows = (unsigned)m->rows,
	    .columns = (unsigned)m->columns,
	    .preserve_fds = (unsigned)m->preserve_fds,
	    .preserved_as = m->preserved_as,
	    .mounts = m->mounts,
	    .mount_queue = take(&m->mount_queue),
	    .root = take(&m->root),
	    .shm = take(&m->shm),
	    .netns = take(&m->netns),
	    .holder = take(&m->holder),
	    .attach = take(&m->attach),
	    .lock = take(&m->lock),
	    .preserved = take(&m->preserved),
	};
}

void
job_from_exec(struct job *j, struct msg_monitor_exec *m)
{
	*j = (struct job){
	    .exec = true,
	    .id = m->id,
	    .exit_name = m->session,
	    .bundle = m->bundle,
	    .runtime = m->runtime,
	    .process_file = m->process_file,
	    .own_cgroup = m->own_cgroup,
	    .runtime_args = m->runtime_args,
	    .terminal = m->terminal,
	    .stdin_ = m->stdin_,
	    .exit_dir = m->exit_dir,
	    .exit_command = m->exit_command,
	    .environment = m->environment,
	    .rows = (unsigned)m->rows,
	    .columns = (unsigned)m->columns,
	    .preserve_fds = (unsigned)m->preserve_fds,
	    .preserved_as = m->preserved_as,
	    .root = -1,
	    .shm = -1,
	    .mount_queue = -1,
	    .netns = -1,
	    .holder = -1,
	    .attach = take(&m->attach),
	    .lock = -1,
	    .preserved = take(&m->preserved),
	};
}

void
job_close_start(struct job *j)
{
	fd_close(&j->root);
	fd_close(&j->shm);
	fd_close(&j->mount_queue);
	/* The runtime looks at the namespace again when it makes a checkpoint. */
	if (j->foreign)
		fd_close(&j->netns);
	fd_close(&j->attach);
	fd_close(&j->preserved);
}
