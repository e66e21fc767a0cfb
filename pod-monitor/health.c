/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/monitor.h"
#include "pod-monitor/health.h"
#include "pod-monitor/proc.h"

#define FIRST_MS 20   /* the coordinator is about to record the start */
#define AGAIN_MS 1000 /* after the command could not be started */

static void
set(struct health *h, uint64_t ms)
{
	struct itimerspec t = {
	    .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000}};

	timerfd_settime(h->timer, 0, &t, NULL);
}

void
health_begin(struct health *h, const struct job *j, int host_ns)
{
	h->host_ns = host_ns;
	if (j->health_command.n == 0 || j->health_interval_ms == 0)
		return;
	h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->timer >= 0)
		set(h, FIRST_MS);
}

/* "INTERVAL STARTUP".  Memory is not asked for: there may be none. */
static bool
read_times(int bundle, uint64_t *interval, uint64_t *startup)
{
	own_fd int fd = openat(bundle, MONITOR_HEALTH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[64], *space;
	ssize_t n = fd < 0 ? -1 : file_get(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	space = strchr(text, ' ');
	if (space == NULL)
		return false;
	*space = '\0';
	return text_to_u64(text, INT32_MAX, interval) == 0 &&
	       text_to_u64(space + 1, INT32_MAX, startup) == 0;
}

bool
health_reload(struct health *h, struct job *j, int bundle)
{
	uint64_t interval, startup;
	bool was = h->timer >= 0;

	if (j->health_command.n == 0 || !read_times(bundle, &interval, &startup))
		return false;
	j->health_interval_ms = interval;
	j->health_startup_ms = startup;
	if (interval == 0) {
		fd_close(&h->timer);
		return false;
	}
	if (!was)
		h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (h->timer >= 0)
		set(h, FIRST_MS);
	return !was && h->timer >= 0;
}

void
health_due(struct health *h, const struct job *j)
{
	struct proc p = {
	    .argv = (char *const *)(uintptr_t)j->health_command.v,
	    .envp = j->environment.n > 0 ? (char *const *)(uintptr_t)j->environment.v : NULL,
	    .pass = -1,
	    .mount_ns = h->host_ns,
	};
	struct err e = {0};
	uint64_t n;

	if (h->timer < 0 || read(h->timer, &n, sizeof(n)) != (ssize_t)sizeof(n) || h->checker > 0)
		return;
	p.path = p.argv[0];
	h->checker = proc_start(&p, &e);
	if (h->checker > 0)
		return;
	/* Memory or process IDs may be short for a moment. */
	h->checker = 0;
	set(h, AGAIN_MS);
}

void
health_checked(struct health *h, const struct job *j, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	h->checker = 0;
	if (h->timer < 0)
		return;
	if (code == 0 || (code == 1 && j->health_startup_ms == 0))
		set(h, j->health_interval_ms);
	else if (code == 1)
		set(h, j->health_startup_ms);
}

void
health_end(struct health *h)
{
	fd_close(&h->timer);
}
