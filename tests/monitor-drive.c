/* SPDX-License-Identifier: ISC */
/*
 * Stands in for pod-run in the tests of pod-monitor: speaks its messages, and is the first attached
 * client.
 *
 *	monitor-drive [options] BUNDLE ID
 *
 *	-m PATH  pod-monitor		-r PATH  OCI runtime
 *	-a ARG   argument of the runtime, before the subcommand; repeatable
 *	-R DIR   root file system, handed over as a detached mount
 *	-N       in a network namespace made here
 *	-l FILE  k8s-file log		-s N     its size limit
 *	-x DIR   exit directory		-p DIR   persist directory
 *	-c CMD   exit command (sh -c)	-T SEC   time limit
 *	-i       standard input is open	-t       terminal
 *	-d       do not stay		-k       leave by SIGKILL once it has started
 *	-e FILE  exec this process in the container; ID becomes ID, session "s-ID"
 *	-n       do not say monitor_cleaned
 *	-L FD    pass this descriptor on as preserved 3
 *	-o       input stays open	-A       attach to the bundle's running container
 *	-v       print what the monitor says on standard error
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/attach.h"
#include "common/oci/monitor.h"
#include "common/wire/peer.h"

struct drive {
	const char *monitor, *runtime, *root, *log, *exit_dir, *persist, *command, *exec;
	const char *bundle, *id;
	struct strv args;
	int64_t log_max, timeout, preserve;
	bool netns, in, tty, detach, kill, keep, verbose, attach, open;
};

static const char *const shell[] = {"/bin/sh", "-c", NULL, NULL};

static int
fail(const struct err *e)
{
	err_print(e, stderr);
	return err_exit_status(e);
}

static int64_t
number(const char *s)
{
	int64_t v = 0;

	if (text_to_i64(s, 0, INT64_MAX, &v) != 0)
		exit(125);
	return v;
}

static void
options(struct drive *d, int argc, char **argv)
{
	int c;

	*d = (struct drive){.monitor = "build/bin/pod-monitor", .runtime = "/usr/bin/crun"};
	while ((c = getopt(argc, argv, "m:r:a:R:Nl:s:x:p:c:T:itdke:nL:voA")) != -1) {
		switch (c) {
		case 'm':
			d->monitor = optarg;
			break;
		case 'r':
			d->runtime = optarg;
			break;
		case 'a':
			strv_add(&d->args, optarg);
			break;
		case 'R':
			d->root = optarg;
			break;
		case 'N':
			d->netns = true;
			break;
		case 'l':
			d->log = optarg;
			break;
		case 's':
			d->log_max = number(optarg);
			break;
		case 'x':
			d->exit_dir = optarg;
			break;
		case 'p':
			d->persist = optarg;
			break;
		case 'c':
			d->command = optarg;
			break;
		case 'T':
			d->timeout = number(optarg);
			break;
		case 'i':
			d->in = true;
			break;
		case 't':
			d->tty = true;
			break;
		case 'd':
			d->detach = true;
			break;
		case 'k':
			d->kill = true;
			break;
		case 'e':
			d->exec = optarg;
			break;
		case 'n':
			d->keep = true;
			break;
		case 'L':
			d->preserve = number(optarg);
			break;
		case 'o':
			d->open = true;
			break;
		case 'A':
			d->attach = true;
			break;
		case 'v':
			d->verbose = true;
			break;
		default:
			exit(125);
		}
	}
	if (argc - optind != 2 || (d->bundle = realpath(argv[optind], NULL)) == NULL)
		exit(125);
	d->id = argv[optind + 1];
}

static struct peer *
start_monitor(struct drive *d, pid_t *pid)
{
	struct err e = {0};
	int pair[2];

	if (peer_pair(pair, &e) != 0)
		return NULL;
	*pid = fork();
	if (*pid == 0) {
		dup2(pair[1], PEER_FD);
		execl(d->monitor, "pod-monitor", "--peer", NULL);
		_exit(127);
	}
	close(pair[1]);
	return peer_new(pair[0], ROLE_RUN, ROLE_MONITOR);
}

/* A namespace that nobody is in. */
static int
make_netns(void)
{
	int pair[2], fd;
	char c, path[64];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		c = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
		if (write(pair[1], &c, 1) != 1)
			_exit(1);
		pause();
	}
	fd = read(pair[0], &c, 1) == 1 && c == 'y' ? 0 : -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (fd == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pair[0]);
	close(pair[1]);
	return fd;
}

/* A socket in whose queue one descriptor waits. */
static int
make_queue(int fd)
{
	struct err e = {0};
	int pair[2];

	if (peer_pair(pair, &e) != 0 || peer_queue_fds(pair[0], &fd, 1, &e) != 0)
		return -1;
	close(pair[0]);
	return pair[1];
}

static uint32_t
send_start(struct drive *d, struct peer *p, int attach, struct err *e)
{
	const char *command[] = {shell[0], shell[1], d->command};
	char rootfs[4096];
	struct rec_log_target log = {.driver = "k8s-file", .path = d->log, .size_max = d->log_max};
	struct msg_monitor_start m = {.id = d->id,
	    .bundle = d->bundle,
	    .runtime = d->runtime,
	    .runtime_args = {(const char **)d->args.v, d->args.n},
	    .terminal = d->tty,
	    .stdin_ = d->in,
	    .leave_stdin_open = d->open,
	    .exit_dir = d->exit_dir,
	    .persist_dir = d->persist,
	    .exit_command = {command, d->command != NULL ? 3 : 0},
	    .timeout_s = (uint64_t)d->timeout,
	    .rows = d->tty ? 33 : 0,
	    .columns = d->tty ? 77 : 0,
	    .preserve_fds = d->preserve != 0,
	    .attach = attach};
	uint32_t seq = peer_next_seq(p);

	if (d->log != NULL) {
		m.logs.v = &log;
		m.logs.n = 1;
	}
	if (d->root != NULL) {
		snprintf(rootfs, sizeof(rootfs), "%s/rootfs", d->bundle);
		m.rootfs = rootfs;
		m.root = open_tree(AT_FDCWD, d->root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	}
	if (d->netns)
		m.netns = make_netns();
	if (d->preserve != 0)
		m.preserved = make_queue((int)d->preserve);
	peer_send(p, &msg_monitor_start_desc, seq, &m, e);
	m.attach = -1;
	wire_close_fds(&msg_monitor_start_desc, &m);
	return seq;
}

static uint32_t
send_exec(struct drive *d, struct peer *p, int attach, struct err *e)
{
	const char *command[] = {shell[0], shell[1], d->command};
	struct msg_monitor_exec m = {.id = d->id,
	    .session = "session",
	    .bundle = d->bundle,
	    .runtime = d->runtime,
	    .runtime_args = {(const char **)d->args.v, d->args.n},
	    .process_file = d->exec,
	    .terminal = d->tty,
	    .stdin_ = d->in,
	    .exit_dir = d->exit_dir,
	    .exit_command = {command, d->command != NULL ? 3 : 0},
	    .attach = attach};
	uint32_t seq = peer_next_seq(p);

	peer_send(p, &msg_monitor_exec_desc, seq, &m, e);
	return seq;
}

/* A client without a monitor of its own. */
static int
attach_only(struct drive *d)
{
	struct attach a;
	enum attach_end end;
	struct err e = {0};

	attach_init(&a);
	a.sock = attach_connect(d->bundle, &e);
	a.in = d->in ? 0 : -1;
	a.out = 1;
	a.err = 2;
	a.tty = d->tty;
	a.dir = d->bundle;
	if (a.sock < 0 || attach_run(&a, &end, &e) != 0)
		return fail(&e);
	return 0;
}

static int
attached(struct drive *d, struct peer *p, int sock)
{
	struct attach a;
	enum attach_end end;
	own_peer_in struct peer_in in = {0};
	struct msg_monitor_cleaned cleaned = {0};
	struct err e = {0};

	attach_init(&a);
	a.sock = sock;
	a.in = d->in ? 0 : -1;
	a.out = 1;
	a.err = 2;
	a.tty = d->tty;
	a.dir = d->bundle;
	if (attach_run(&a, &end, &e) != 0)
		return fail(&e);
	if (end == ATTACH_DETACHED)
		return 0;
	if (peer_recv(p, &in, 10000, &e) != 1 || !PEER_IS(&in, monitor_exited))
		return fail(&e);
	if (d->verbose)
		fprintf(stderr, "exited %d oom %d\n", (int)MSG_OF(&in, monitor_exited)->code,
		    MSG_OF(&in, monitor_exited)->oom);
	if (!d->keep)
		peer_send(p, &msg_monitor_cleaned_desc, 0, &cleaned, &e);
	return (int)MSG_OF(&in, monitor_exited)->code & 255;
}

int
main(int argc, char **argv)
{
	struct drive d;
	struct err e = {0};
	int pair[2] = {-1, -1};
	struct timespec t0, t1;
	own_peer_in struct peer_in in = {0};
	pid_t monitor = -1;
	uint32_t seq;

	role_start();
	options(&d, argc, argv);
	if (d.attach)
		return attach_only(&d);
	clock_gettime(CLOCK_MONOTONIC, &t0);

	struct peer *p = start_monitor(&d, &monitor);

	if (!d.detach && attach_pair(pair, &e) != 0)
		return fail(&e);
	seq = d.exec != NULL ? send_exec(&d, p, pair[1], &e) : send_start(&d, p, pair[1], &e);
	fd_close(&pair[1]);
	if (peer_wait(p, &msg_monitor_start_desc, seq, &in, NULL, NULL, &e) != 0)
		return fail(&e);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	if (d.verbose)
		fprintf(stderr, "started pid %d monitor %d after %.2f ms\n",
		    (int)MSG_OF(&in, monitor_started)->pid, (int)monitor,
		    (double)(t1.tv_sec - t0.tv_sec) * 1e3 +
			(double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
	if (d.kill)
		kill(getpid(), SIGKILL);
	return d.detach ? 0 : attached(&d, p, pair[0]);
}
