/* SPDX-License-Identifier: ISC */
/*
 * What a monitor is asked to do, whoever asked: monitor_start, monitor_exec, or a command line.
 */
#ifndef POD_MONITOR_JOB_H
#define POD_MONITOR_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/msg.h"

struct job {
	bool exec;	       /* a process in a running container rather than a container */
	const char *id, *name; /* of the container */
	const char *exit_name; /* file in exit_dir: container or exec session ID */
	const char *bundle, *rootfs, *runtime, *process_file;
	const char *state_dir, *cgroup; /* see forget.h; or NULL */
	const char *own_cgroup;		/* see common/fs/group.h; or NULL */
	struct strs runtime_args;
	bool systemd_cgroup, terminal, stdin_, leave_stdin_open;
	const struct rec_log_target *logs;
	size_t logs_n;
	const char *exit_dir, *persist_dir, *pid_file, *monitor_pid_file;
	struct strs exit_command, environment, mounts, preserved_as;
	uint64_t timeout_s;
	unsigned rows, columns, preserve_fds;
	/* Descriptors, -1 if absent; owned. */
	int root, shm, mount_queue, netns, holder, attach, lock, preserved;

	struct strs health_command;
	uint64_t health_interval_ms, health_startup_ms;
	bool passthrough; /* the container gets our own streams */
	const char
	    *notify_socket; /* of the host: what the container says of its readiness goes there */

	/*
	 * In the service of another manager (conmon.h): the runtime only creates the container, and
	 * forgetting it is the manager's business.
	 */
	bool foreign, no_pivot, no_new_keyring;
	bool create_only;			  /* the start comes later, from somebody else */
	const char *restore, *container_pid_file; /* checkpoint; NULL: pidfile in the bundle */
	struct strs runtime_opts;		  /* after the subcommand's own options */
	uint64_t exit_delay_s;
	const int *inherited; /* descriptors the runtime gets under their own numbers */
	size_t inherited_n;
	char *listen_pid; /* where the runtime's process ID goes in the environment */
};

#define JOB_LISTEN_PID_DIGITS 10

/* Take the descriptors of the message; the texts stay the message's. */
void job_from_start(struct job *j, struct msg_monitor_start *m);
void job_from_exec(struct job *j, struct msg_monitor_exec *m);

/* Closes what the runtime needed and a running container does not. */
void job_close_start(struct job *j);

#endif
