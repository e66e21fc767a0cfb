/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/fs/lock.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"

#define KILL_WAIT_MS 60000   /* for the process to be gone after SIGKILL */
#define REPORT_WAIT_MS 10000 /* for the monitor to write the exit file after the process has gone */

/* A descriptor for the container's process, or -1 if it is gone; never one for another process. */
static int
open_process(const struct ctr *c)
{
	own_fd int fd = c->pid > 0 ? (int)syscall(SYS_pidfd_open, c->pid, 0) : -1;

	if (fd == -1 || !sync_process_lives(c->pid, c->pid_start))
		return -1;
	return fd_take(&fd);
}

int
stop_signal(const struct ctr *c, int signal, struct err *e)
{
	own_fd int fd = open_process(c);

	if (fd == -1 || syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0 || errno == ESRCH)
		return 0;
	return err_sys(e, "sending signal %d to container %s", signal, c->id);
}

static bool
poll_process(int fd, int64_t timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = timeout_ms < 0 ? INT64_MAX : clock_now_ms() + timeout_ms;

	for (;;) {
		int64_t left = end == INT64_MAX ? 1000000 : end - clock_now_ms();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
		if (n == 1)
			return true;
		if (n == 0 && end != INT64_MAX && clock_now_ms() >= end)
			return false;
	}
}

/* The exit file appears soon after; a monitor that is gone writes none. */
static void
wait_report(struct ctx *x, const char *id)
{
	int64_t end = clock_now_ms() + REPORT_WAIT_MS, when;
	struct timespec pause = {.tv_nsec = 500000};
	int code;

	while (sync_exit_file(x, id, &code, &when) == -1 && sync_monitor_lives(x, id) &&
	       clock_now_ms() < end) {
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
}

bool
stop_wait(struct ctx *x, const struct ctr *c, int64_t timeout_ms)
{
	own_fd int fd = open_process(c);

	if (fd != -1 && !poll_process(fd, timeout_ms))
		return false;
	wait_report(x, c->id);
	return true;
}

static int
kill_and_wait(struct ctx *x, const struct ctr *c, struct err *e)
{
	if (stop_signal(c, SIGKILL, e) == -1)
		return -1;
	if (!stop_wait(x, c, KILL_WAIT_MS))
		return err_set(e, ERR_TIMEOUT, "container %s did not end after SIGKILL", c->id);
	return 0;
}

static int
send_stop_signal(const struct ctr *c, int *signal, struct err *e)
{
	const char *name = c->config->stop_signal;

	*signal = SIGTERM;
	if (name != NULL && *name != '\0' && sig_parse(name, signal, e) == -1)
		return -1;
	return stop_signal(c, *signal, e);
}

/* When the container got its signal, or -1 if it did not get one yet. */
static int64_t
announced_ms(const struct ctx *x, const char *id)
{
	for (size_t i = 0; i < x->announced_n; i++)
		if (strcmp(x->announced[i].id, id) == 0)
			return x->announced[i].at_ms;
	return -1;
}

bool
stop_announced(const struct ctx *x, const char *id)
{
	return announced_ms(x, id) != -1;
}

static int
signal_and_wait(struct ctx *x, const struct ctr *c, int64_t timeout_s, struct err *e)
{
	int64_t since = announced_ms(x, c->id), left_ms = -1;
	char shown[32];
	int signal = SIGTERM;

	if (timeout_s == 0)
		return kill_and_wait(x, c, e);
	if (since == -1 && send_stop_signal(c, &signal, e) == -1)
		return -1;
	if (timeout_s > 0) {
		left_ms = timeout_s * 1000 - (since == -1 ? 0 : clock_now_ms() - since);
		left_ms = left_ms > 0 ? left_ms : 0;
	}
	if (stop_wait(x, c, left_ms))
		return 0;
	sig_name(signal, shown, sizeof(shown));
	log_warn("StopSignal %s failed to stop container %s in %lld seconds, resorting to SIGKILL",
	    shown, c->name, (long long)timeout_s);
	return kill_and_wait(x, c, e);
}

int
stop_announce(struct ctx *x, const char *id, int64_t timeout_s, bool by_user, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);
	struct ctx_announced *a;
	int signal;

	if (lock == -1 || ctr_config(&c, e) == -1)
		return -1;
	if (timeout_s == STOP_TIMEOUT_OWN)
		timeout_s = (int64_t)c.config->stop_timeout_s;
	if (c.status != CTR_RUNNING || timeout_s == 0)
		return 0;
	c.status = CTR_STOPPING;
	c.stopped_by_user = c.stopped_by_user || by_user;
	if (ctr_save(ctx_db(x, e), &c, e) == -1 || send_stop_signal(&c, &signal, e) == -1)
		return -1;
	x->announced =
	    mem_grow(x->announced, &x->announced_cap, x->announced_n + 1, sizeof(*x->announced));
	a = &x->announced[x->announced_n++];
	memcpy(a->id, c.id, sizeof(a->id));
	a->at_ms = clock_now_ms();
	return 0;
}

static int
check_state(const struct ctr *c, bool *nothing, struct err *e)
{
	*nothing = !ctr_has_process(c) && (c->status == CTR_CONFIGURED || c->status == CTR_EXITED ||
					      c->status == CTR_CREATED);
	if (*nothing || c->status == CTR_CREATED || c->status == CTR_RUNNING ||
	    c->status == CTR_STOPPING || c->status == CTR_STOPPED)
		return 0;
	return err_set(e, ERR_STATE,
	    "can only stop created or running containers. %s is in state %s: container state "
	    "improper",
	    c->id, ctr_status_name(c->status));
}

/* Takes the lock and the truth again.  Gone meanwhile: removed. */
static int
take_again(struct ctx *x, struct ctr *c, int *lock, struct end *how, struct err *e)
{
	char id[NAMES_ID_LEN + 1];

	memcpy(id, c->id, sizeof(id));
	ctr_free(c);
	*lock = sync_open(x, id, c, e);
	if (*lock != -1)
		return 0;
	if (e->class != ERR_NOTFOUND)
		return -1;
	snprintf(c->id, sizeof(c->id), "%s", id);
	err_clear(e);
	how->removed = true;
	return 0;
}

int
stop_ctr(struct ctx *x, struct ctr *c, int *lock, int64_t timeout_s, bool by_user, struct end *how,
    struct err *e)
{
	struct db *db = ctx_db(x, e);
	bool nothing;

	if (db == NULL || check_state(c, &nothing, e) == -1 || ctr_config(c, e) == -1)
		return -1;
	if (nothing)
		return 0;
	/* One that has just ended by itself would be restarted by its policy. */
	c->stopped_by_user = c->stopped_by_user || by_user;
	if (c->status != CTR_STOPPED) {
		if (timeout_s == STOP_TIMEOUT_OWN)
			timeout_s = (int64_t)c->config->stop_timeout_s;
		/* The first process of a container heeds no signal before its program runs. */
		if (c->status == CTR_CREATED)
			timeout_s = 0;
		c->status = CTR_STOPPING;
		if (ctr_save(db, c, e) == -1)
			return -1;
		lock_drop(*lock);
		fd_close(lock);
		if (signal_and_wait(x, c, timeout_s, e) == -1 ||
		    take_again(x, c, lock, how, e) == -1)
			return -1;
	}
	return how->removed ? 0 : end_ctr(x, c, how, e);
}
