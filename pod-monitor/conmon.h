/* SPDX-License-Identifier: ISC */
/*
 * The command line of conmon(8), for managers that expect it: Podman, CRI-O.  The same job is done
 * for them as for our own coordinator, but they have the runtime start and forget the container.
 */
#ifndef POD_MONITOR_CONMON_H
#define POD_MONITOR_CONMON_H

#include "common/base/mem.h"
#include "pod-monitor/job.h"

struct conmon_opts {
	const char *cid, *cuuid, *name, *runtime, *bundle, *container_pid_file, *conmon_pid_file;
	const char *persist_dir, *exit_dir, *log_tag, *log_level, *log_allow_dir;
	const char *restore, *process_spec, *exit_command, *socket_dir, *notify_socket;
	struct strv log_paths, log_labels, runtime_args, runtime_opts, exit_args;
	int64_t log_size_max, log_total_max, log_files_max, exit_delay_s, timeout_s;
	bool log_rotate, no_partial_mark, no_sync_log, syslog, terminal, stdin_, leave_stdin_open;
	bool systemd_cgroup, no_pivot, no_new_keyring, exec, exec_attach, api_version, full_attach;
	bool replace_listen_pid, sync, version;
	const char *seccomp_socket, *seccomp_plugins; /* refused: older versions served them */
};

/* What the options come to; everything borrows from them. */
struct conmon {
	struct job job;
	struct rec_log_target logs[8];
	struct strv exit_command;
	char *cwd, *pid_file;
};

/*
 * Checks the options and makes the job out of them.  Errors have conmon's words, and nothing was
 * done then.
 */
int conmon_job(const struct conmon_opts *o, struct conmon *c, struct err *e);

/* "DRIVER:PATH", a bare driver, or a path alone; word is cut up. */
int conmon_log_target(char *word, struct rec_log_target *t, struct err *e);

/* The whole program; returns its exit status. */
int conmon_main(int argc, char **argv);

#endif
