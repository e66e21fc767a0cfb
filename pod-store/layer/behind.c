/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/fs/file.h"
#include "pod-store/layer/behind.h"

#define JOBS 16
#define STACK ((size_t)64 << 10)

struct job {
	struct digest *digest;
	const void *p;
	size_t n;
	int copy;
};

struct behind {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t added, done;
	struct job jobs[JOBS]; /* a ring */
	size_t first, count;   /* the first one may be at work */
	bool ends;
	int failed; /* errno of a copy */
};

/* Nothing here allocates: the stack is small. */
static void *
run(void *arg)
{
	struct behind *b = arg;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		struct job *j = &b->jobs[b->first];
		int failed;

		while (b->count == 0 && !b->ends)
			pthread_cond_wait(&b->added, &b->lock);
		if (b->count == 0)
			break;
		pthread_mutex_unlock(&b->lock);
		digest_hash(j->digest, j->p, j->n);
		failed = j->copy >= 0 && file_put(j->copy, j->p, j->n) == -1 ? errno : 0;
		pthread_mutex_lock(&b->lock);
		if (b->failed == 0)
			b->failed = failed;
		b->first = (b->first + 1) % JOBS;
		b->count--;
		pthread_cond_signal(&b->done);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

struct behind *
behind_begin(void)
{
	struct behind *b = xcalloc(1, sizeof(*b));
	pthread_attr_t attr;
	sigset_t all, old;
	int code;

	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->added, NULL);
	pthread_cond_init(&b->done, NULL);
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&b->thread, &attr, run, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (code == 0)
		return b;
	free(b);
	return NULL;
}

static int
not_written(int failed, struct err *e)
{
	errno = failed;
	return err_sys(e, "keeping the layer's blob");
}

int
behind_add(struct behind *b, struct digest *d, int copy, const void *p, size_t n, struct err *e)
{
	int failed;

	pthread_mutex_lock(&b->lock);
	while (b->count == JOBS)
		pthread_cond_wait(&b->done, &b->lock);
	b->jobs[(b->first + b->count) % JOBS] = (struct job){d, p, n, copy};
	b->count++;
	failed = b->failed;
	pthread_cond_signal(&b->added);
	pthread_mutex_unlock(&b->lock);
	return failed == 0 ? 0 : not_written(failed, e);
}

static bool
needs(const struct behind *b, const void *p)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->jobs[(b->first + i) % JOBS].p == p)
			return true;
	return false;
}

void
behind_release(struct behind *b, const void *p)
{
	pthread_mutex_lock(&b->lock);
	while (needs(b, p))
		pthread_cond_wait(&b->done, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

int
behind_end(struct behind *b, struct err *e)
{
	int failed;

	if (b == NULL)
		return 0;
	pthread_mutex_lock(&b->lock);
	b->ends = true;
	pthread_cond_signal(&b->added);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	failed = b->failed;
	free(b);
	return failed == 0 ? 0 : not_written(failed, e);
}
