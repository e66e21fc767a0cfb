/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-store/flush.h"

#define LOOK_MS 100
#define ENOUGH (16u << 20) /* bytes */
#define STACK ((size_t)64 << 10)

struct flush {
	pthread_t thread;
	int dir, stop;
};

/* What others write counts too: at worst there is a sync more. */
static uint64_t
free_bytes(int dir)
{
	struct statfs st;

	return fstatfs(dir, &st) == 0 ? (uint64_t)st.f_bfree * (uint64_t)st.f_bsize : 0;
}

/* Nothing here allocates, so the other thread may fork at any moment. */
static void *
run(void *arg)
{
	const struct flush *f = arg;
	struct pollfd stop = {.fd = f->stop, .events = POLLIN};
	uint64_t before = free_bytes(f->dir);

	while (poll(&stop, 1, LOOK_MS) == 0) {
		uint64_t now = free_bytes(f->dir);

		/* Something was removed meanwhile. */
		if (now > before)
			before = now;
		if (before - now < ENOUGH)
			continue;
		(void)syncfs(f->dir);
		before = free_bytes(f->dir);
	}
	return NULL;
}

static bool
start(struct flush *f)
{
	pthread_attr_t attr;
	sigset_t all, old;
	bool ok;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	/* Signals are for the loop. */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = pthread_create(&f->thread, &attr, run, f) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ok;
}

struct flush *
flush_begin(int dir)
{
	struct flush *f = xcalloc(1, sizeof(*f));

	/* Opened anew: an error of writing is told once to each open file, and is not for us. */
	f->dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->stop = eventfd(0, EFD_CLOEXEC);
	if (f->dir >= 0 && f->stop >= 0 && start(f))
		return f;
	fd_close(&f->dir);
	fd_close(&f->stop);
	free(f);
	return NULL;
}

void
flush_end(struct flush *f)
{
	if (f == NULL)
		return;
	(void)eventfd_write(f->stop, 1);
	pthread_join(f->thread, NULL);
	fd_close(&f->dir);
	fd_close(&f->stop);
	free(f);
}
