/* SPDX-License-Identifier: ISC */
/*
 * What the parts of one monitor's life share: monitor.c (events and messages), begin.c (until the
 * container runs), end.c (from its end on).
 */
#ifndef POD_MONITOR_INT_H
#define POD_MONITOR_INT_H

#include "common/wire/peer.h"
#include "pod-monitor/health.h"
#include "pod-monitor/job.h"
#include "pod-monitor/logs.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/oom.h"
#include "pod-monitor/record.h"
#include "pod-monitor/report.h"
#include "pod-monitor/start.h"

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

#define DRAIN_S 10 /* for the worker, which only copies what is in pipes to the logs by then */

enum event_of { OF_COORDINATOR, OF_WORKER, OF_SIGNAL, OF_TIMER, OF_OOM, OF_PROCESS, OF_HEALTH };

struct monitor {
	enum phase phase;
	struct peer *coordinator; /* NULL: went away, or there is none */
	struct peer *worker;	  /* NULL: ended, or the streams are passed through */
	pid_t worker_pid;
	uint64_t coordinator_done, worker_done;
	uint32_t seq; /* of the request to start */
	struct peer_in in;
	struct job job;
	struct start start;
	struct logs logs;
	struct record record;
	struct oom oom;
	struct report report; /* to a foreign manager */
	int epoll, signals, timer, host_ns;
	struct health health;
	int process;			  /* of a container that is not our child, -1: it is */
	unsigned waited_ms;		  /* for its parent, after its end */
	pid_t runtime, container, helper; /* helper: delete or the exit command */
	bool released, cleaned, retried, timed_out, told, trim, failed, ran;
	unsigned renewed, extended; /* logs in this DRAIN_S; more of them given */
	int code;		    /* of the container */
	int64_t ended_ns;
};

/* Nanoseconds since 1970. */
int64_t monitor_now_ns(void);
void monitor_watch(struct monitor *m, int fd, enum event_of of, uint32_t events);
void monitor_set_timer(struct monitor *m, uint64_t seconds);

/* Does the job that is filled in: prepares and starts the runtime; on failure says so. */
void begin_job(struct monitor *m, int attach_pipe, int start_pipe);

/* The runtime has ended with that status. */
void begin_runtime_ended(struct monitor *m, int status);

/* The container has ended with that status, as of waitpid; peak_kib as for oom_ended. */
void end_container(struct monitor *m, int status, long peak_kib);

/* All output is in the logs. */
void end_logged(struct monitor *m);

/* The worker has finished, in one way or another. */
void end_drained(struct monitor *m);

/* The helper has ended. */
void end_helper(struct monitor *m);

/* Nobody else will clean up: the exit command does. */
void end_clean_up(struct monitor *m);

#endif
