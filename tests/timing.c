/* SPDX-License-Identifier: ISC */
/*
 * timing [-n RUNS] [-g GAP_MS] [-p PARALLEL] COMMAND...: runs the command and prints
 * "MEDIAN_MS P10_MS P90_MS CPU_MS PER_SECOND".  Between runs there is an idle gap, because runs
 * back to back hide the kernel's grace periods.  A run ends with the command, but its CPU time is also
 * that of helpers which outlive it by up to two seconds.  With -p so many are started at once (RUNS in
 * all), and only what the command itself waited for counts.  Output of the command is discarded.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

#define STRAGGLERS_MS 2000

extern char **environ;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
cpu_ms(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

static pid_t
start(char **argv)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) != 0) {
		perror(argv[0]);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&fa);
	return pid;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
must_succeed(int status, char **argv)
{
	if (status != 0) {
		fprintf(stderr, "timing: %s failed (status 0x%x)\n", argv[0], (unsigned)status);
		exit(1);
	}
}

/* Helpers whose starter has ended are our children now.  What stays for good is left alone. */
static void
reap_stragglers(void)
{
	double t = now_ms();
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) != -1 && now_ms() - t < STRAGGLERS_MS)
		if (pid == 0)
			usleep(1000);
}

static void
one_by_one(char **argv, size_t runs, unsigned gap_ms, double *took)
{
	for (size_t i = 0; i < runs; i++) {
		int status;
		double t;

		usleep(gap_ms * 1000);
		t = now_ms();
		waitpid(start(argv), &status, 0);
		took[i] = now_ms() - t;
		must_succeed(status, argv);
		reap_stragglers();
	}
}

/* Keeps so many running until all are done. */
static void
at_once(char **argv, size_t runs, size_t parallel, double *took)
{
	size_t started = 0, ended = 0;
	double t = now_ms();

	while (ended < runs) {
		int status;

		while (started < runs && started - ended < parallel) {
			start(argv);
			started++;
		}
		wait(&status);
		took[ended++] = now_ms() - t;
		must_succeed(status, argv);
	}
}

int
main(int argc, char **argv)
{
	uint64_t runs = 20, gap = 100, parallel = 0;
	double *took, begin, cpu;
	int c;

	while ((c = getopt(argc, argv, "+n:g:p:")) != -1)
		if (c == '?' || text_to_u64(optarg, 100000,
				    c == 'n'   ? &runs
				    : c == 'g' ? &gap
					       : &parallel) == -1)
			return 2;
	argv += optind;
	if (argv[0] == NULL || runs == 0)
		return 2;
	took = xcalloc(runs, sizeof(*took));
	begin = now_ms();
	cpu = cpu_ms();
	if (parallel > 0) {
		at_once(argv, runs, parallel, took);
	} else {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		one_by_one(argv, runs, (unsigned)gap, took);
	}
	cpu = (cpu_ms() - cpu) / (double)runs;
	begin = now_ms() - begin;
	qsort(took, runs, sizeof(*took), by_value);
	printf("%.1f %.1f %.1f %.1f %.1f\n", took[runs / 2], took[runs / 10], took[runs * 9 / 10],
	    cpu, (double)runs * 1e3 / begin);
	free(took);
	return 0;
}
