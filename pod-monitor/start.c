/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/monitor.h"
#include "pod-monitor/mountns.h"
#include "pod-monitor/ocierr.h"
#include "pod-monitor/proc.h"
#include "pod-monitor/start.h"

#define CONSOLE "console"

extern char **environ;

/* --- Sockets and FIFOs of the bundle ------------------------------------------------------------
 */

/* Listens on bundle/name, by way of /proc/self so that the bundle's path may be of any length. */
static int
listen_in_bundle(struct start *s, const char *name, int type, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", s->bundle, name);
	unlinkat(s->bundle, name, 0);
	/* The mode has to be right from the first moment. */
	mode_t mask = umask(077);
	int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));

	umask(mask);
	if (r != 0 || listen(fd, 10) != 0)
		return err_sys(e, "listening on %s", name);
	return fd_take(&fd);
}

static int
open_fifo(struct start *s, const char *name, struct err *e)
{
	/* What lies there may have another mode, or be no FIFO at all. */
	unlinkat(s->bundle, name, 0);
	if (mkfifoat(s->bundle, name, 0660) != 0)
		return err_sys(e, "making FIFO %s", name);

	/* Open for writing too, so that it never ends. */
	int fd = openat(s->bundle, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 ? fd : err_sys(e, "opening FIFO %s", name);
}

/*
 * The path by which the runtime, another process, finds the socket: short enough for a socket
 * address even if the bundle's path is not.
 */
static int
listen_console(struct start *s, const char *bundle, struct err *e)
{
	int n = snprintf(s->console_path, sizeof(s->console_path), "%s/%s",
	    bundle != NULL ? bundle : "", CONSOLE);

	s->console = listen_in_bundle(s, CONSOLE, SOCK_STREAM, e);
	if (s->console < 0)
		return -1;
	if (bundle == NULL || n >= (int)sizeof(s->console_path))
		snprintf(s->console_path, sizeof(s->console_path), "/proc/%d/fd/%d/%s",
		    (int)getpid(), s->bundle, CONSOLE);
	return 0;
}

/* A directory for the console's socket, where there is no bundle; gone from its place at once. */
static int
temporary_dir(struct start *s, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	own_mem char *path = xasprintf("%s/conmon-term.XXXXXX", tmp != NULL ? tmp : "/tmp");

	if (mkdtemp(path) == NULL)
		return err_sys(e, "making a directory in %s", tmp != NULL ? tmp : "/tmp");
	s->temporary = path;
	path = NULL;
	s->bundle = open(s->temporary, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->bundle >= 0 ? 0 : err_sys(e, "opening directory %s", s->temporary);
}

/* The socket on which the container says that it is ready, and the host's. */
static int
open_notify(struct start *s, struct job *j, struct msg_stdio_setup *m, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX}, host = {.sun_family = AF_UNIX};
	size_t n = strlen(j->notify_socket);
	int r;

	if (mkdirat(s->bundle, MONITOR_NOTIFY_DIR, 0755) != 0 && errno != EEXIST)
		return err_sys(e, "making directory " MONITOR_NOTIFY_DIR);
	unlinkat(s->bundle, MONITOR_NOTIFY, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" MONITOR_NOTIFY, s->bundle);
	m->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = m->notify < 0 ? -1 : bind(m->notify, (struct sockaddr *)&a, sizeof(a));
	/* Whatever user the container runs as; the bundle is seen by nobody else. */
	if (r != 0 || fchmodat(s->bundle, MONITOR_NOTIFY, 0777, 0) != 0)
		return err_sys(e, "listening on " MONITOR_NOTIFY);
	if (n >= sizeof(host.sun_path))
		return err_set(e, ERR_INVALID, "%s is too long for a socket", j->notify_socket);
	memcpy(host.sun_path, j->notify_socket, n);
	/* An abstract name has no NUL at its end. */
	if (host.sun_path[0] == '@')
		host.sun_path[0] = '\0';
	/* One that nobody listens on any more is no reason not to start. */
	m->notify_host = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->notify_host < 0 ||
	    (connect(m->notify_host, (struct sockaddr *)&host,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0 &&
		errno != ENOENT && errno != ECONNREFUSED))
		return err_sys(e, "connecting to %s", j->notify_socket);
	return 0;
}

/* --- Streams -----------------------------------------------------------------------------------
 */

/*
 * Makes a pipe whose end ours (0: reading, 1: writing) does not block.  A container's user who is
 * not root may reopen /dev/stdout, so the mode lets everybody who finds the pipe use it.
 */
static int
make_pipe(int *ours_fd, int *theirs_fd, int ours, struct err *e)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return err_sys(e, "making a pipe");
	fchmod(p[!ours], 0777);
	fcntl(p[ours], F_SETFL, O_NONBLOCK);
	*ours_fd = p[ours];
	*theirs_fd = p[!ours];
	return 0;
}

static void
setup_close(struct msg_stdio_setup *m)
{
	wire_close_fds(&msg_stdio_setup_desc, m);
}

/* The container gets the streams that we were given. */
static int
own_streams(struct start *s, struct job *j, struct err *e)
{
	for (int i = 0; i < 3; i++) {
		s->stdio[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
		if (s->stdio[i] < 0)
			return err_sys(e, "passing descriptor %d through", i);
	}
	/* With a terminal of its own only what the runtime says comes here. */
	return j->terminal ? listen_console(s, j->bundle, e) : 0;
}

/* Makes the streams, gives our ends to the worker and theirs to the caller. */
static int
make_streams(struct start *s, struct job *j, struct peer *worker, struct err *e)
{
	__attribute__((cleanup(setup_close))) struct msg_stdio_setup m = {
	    .terminal = j->terminal,
	    .leave_stdin_open = j->leave_stdin_open,
	    .in = -1,
	    .out = -1,
	    .err = -1,
	    .listen = -1,
	    .attach = -1,
	    .ctl = -1,
	    .winsz = -1,
	    .notify = -1,
	    .notify_host = -1,
	};

	if (j->passthrough)
		return own_streams(s, j, e);
	if (j->stdin_ && !j->terminal && make_pipe(&m.in, &s->stdio[0], 1, e) != 0)
		return -1;
	if (!j->terminal && make_pipe(&m.out, &s->stdio[1], 0, e) != 0)
		return -1;
	if (make_pipe(&m.err, &s->stdio[2], 0, e) != 0)
		return -1;
	if (j->terminal && listen_console(s, j->bundle, e) != 0)
		return -1;
	if (j->bundle != NULL &&
	    ((m.listen = listen_in_bundle(s, MONITOR_ATTACH, SOCK_SEQPACKET, e)) < 0 ||
		(m.ctl = open_fifo(s, MONITOR_CTL, e)) < 0))
		return -1;
	if (j->foreign && j->bundle != NULL && (m.winsz = open_fifo(s, MONITOR_WINSZ, e)) < 0)
		return -1;
	if (j->notify_socket != NULL && j->bundle != NULL && open_notify(s, j, &m, e) != 0)
		return -1;
	m.attach = fd_take(&j->attach);
	return peer_send(worker, &msg_stdio_setup_desc, 0, &m, e);
}

/* --- Command lines ------------------------------------------------------------------------------
 */

static void
add_common(struct strv *v, struct job *j, bool log)
{
	strv_add(v, j->runtime);
	if (j->systemd_cgroup && !j->exec)
		strv_add(v, "--systemd-cgroup");
	strv_add_all(v, j->runtime_args.v, j->runtime_args.n);
	if (!log || j->foreign)
		return;
	strv_add(v, "--log");
	strv_addf(v, "%s/" MONITOR_OCI_LOG, j->bundle);
	strv_add(v, "--log-format");
	strv_add(v, "json");
}

static void
add_option(struct strv *v, const char *name, const char *value)
{
	strv_add(v, name);
	strv_add(v, value);
}

static const char *
command_of(const struct job *j)
{
	if (j->exec)
		return "exec";
	if (j->restore != NULL)
		return "restore";
	return j->foreign || j->create_only ? "create" : "run";
}

static void
make_argv(struct start *s, struct job *j)
{
	struct strv *v = &s->argv;

	add_common(v, j, true);
	strv_add(v, command_of(j));
	if (!j->exec)
		add_option(v, "--bundle", j->bundle);
	strv_add(v, "--pid-file");
	if (j->container_pid_file != NULL)
		strv_add(v, j->container_pid_file);
	else
		strv_addf(v, "%s/" MONITOR_PIDFILE, j->bundle);
	if (j->exec)
		add_option(v, "--process", j->process_file);
	if (j->no_pivot && !j->exec)
		strv_add(v, "--no-pivot");
	if (j->no_new_keyring && !j->exec)
		strv_add(v, "--no-new-keyring");
	if (strcmp(command_of(j), "create") != 0)
		strv_add(v, "--detach");
	if (j->restore != NULL) {
		add_option(v, "--image-path", j->restore);
		add_option(v, "--work-path", j->bundle);
	}
	strv_add_all(v, j->runtime_opts.v, j->runtime_opts.n);
	if (j->preserve_fds > 0) {
		strv_add(v, "--preserve-fds");
		strv_addf(v, "%u", j->preserve_fds);
	}
	if (j->terminal)
		add_option(v, "--console-socket", s->console_path);
	strv_add(v, j->id);
	add_common(&s->delete, j, false);
	strv_add(&s->delete, "delete");
	strv_add(&s->delete, "--force");
	strv_add(&s->delete, j->id);
}

/* --- Starting ----------------------------------------------------------------------------------
 */

static void
prepare_environment(struct start *s, struct job *j)
{
	const char *slash = strrchr(j->runtime, '/');

	/* A foreign manager's is passed on as it is, and its mounts are nobody's to cover. */
	if (j->foreign)
		return;

	const char *const *from =
	    j->environment.n > 0 ? j->environment.v : (const char *const *)environ;
	size_t n = j->environment.n;

	/* The service manager's socket is not for the runtime, which would serve the container by it. */
	for (size_t i = 0; n > 0 ? i < n : from[i] != NULL; i++)
		if (!text_has_prefix(from[i], "NOTIFY_SOCKET="))
			strv_add(&s->env, from[i]);
	if (text_has_prefix(slash != NULL ? slash + 1 : j->runtime, "crun")) {
		mountns_seal(j->runtime);
		strv_add(&s->env, CRUN_SEALED);
	}
}

/* Puts the namespace under the number that config.json names. */
static int
place_netns(struct job *j, struct err *e)
{
	if (j->netns < 0)
		return 0;
	if (dup3(j->netns, MONITOR_NETNS_FD, O_CLOEXEC) < 0)
		return err_sys(
		    e, "keeping the network namespace as descriptor %d", MONITOR_NETNS_FD);
	fd_close(&j->netns);
	j->netns = MONITOR_NETNS_FD;
	return 0;
}

pid_t
start_runtime(struct start *s, struct job *j, struct err *e)
{
	struct proc p = {.path = j->runtime,
	    .argv = s->argv.v,
	    .envp = s->env.v,
	    .extra = s->extra,
	    .extra_n = s->extra_n,
	    .pass = j->netns,
	    .inherited = j->inherited,
	    .inherited_n = j->inherited_n,
	    .listen_pid = j->listen_pid,
	    .mount_ns = -1,
	    .die_with_us = true};

	memcpy(p.stdio, s->stdio, sizeof(p.stdio));
	if (j->container_pid_file != NULL)
		unlink(j->container_pid_file);
	else
		unlinkat(s->bundle, MONITOR_PIDFILE, 0);
	if (!j->foreign)
		unlinkat(s->bundle, MONITOR_OCI_LOG, 0);
	return proc_start(&p, e);
}

/* The memory that is shared with another container; gone with our mount namespace. */
static int
attach_shm(struct start *s, struct job *j, struct err *e)
{
	own_mem char *path = xasprintf("%s/" MONITOR_SHM, j->bundle);

	if (mkdirat(s->bundle, MONITOR_SHM, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "making %s", path);
	return mountns_attach(j->shm, path, e);
}

/* Detached mounts of the coordinator, on places it made in the bundle; gone with our mount namespace. */
static int
attach_mounts(struct job *j, struct err *e)
{
	int fds[PROC_EXTRA_MAX], n, r = 0;

	if (j->mount_queue < 0)
		return 0;
	n = peer_unqueue_fds(j->mount_queue, fds, COUNTOF(fds));
	if ((size_t)n != j->mounts.n)
		r = err_set(e, ERR_PEER, "%d mounts for %zu places", n, j->mounts.n);
	for (int i = 0; i < n; i++) {
		own_mem char *path = NULL;

		if (r == 0) {
			path = xasprintf("%s/%s", j->bundle, j->mounts.v[i]);
			r = mountns_attach(fds[i], path, e);
		}
		fd_close(&fds[i]);
	}
	return r;
}

/*
 * Puts the preserved descriptors at the numbers they had.  What lies between becomes /dev/null: a number
 * left free would be one that the runtime gives to something of its own and then hands to the container.
 */
static void
spread_extra(struct start *s, const struct job *j)
{
	for (size_t i = s->extra_n; i-- > 0;) {
		uint64_t number = 0;

		if (i >= j->preserved_as.n ||
		    text_to_u64(j->preserved_as.v[i], PROC_EXTRA_MAX + 2, &number) != 0 ||
		    number < 3 + i || number == 3 + i)
			continue;
		s->extra[number - 3] = s->extra[i];
		s->extra[i] = -1;
		if (s->extra_n < number - 2)
			s->extra_n = number - 2;
	}
}

int
start_prepare(struct start *s, struct job *j, struct peer *worker, struct err *e)
{
	s->console = s->stdio[0] = s->stdio[1] = s->stdio[2] = -1;
	if (j->bundle == NULL) {
		if (j->terminal && temporary_dir(s, e) != 0)
			return -1;
	} else if ((s->bundle = open(j->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
		return err_sys(e, "opening bundle %s", j->bundle);
	}
	if (j->root >= 0 && mountns_attach(j->root, j->rootfs, e) != 0)
		return -1;
	if ((j->shm >= 0 && attach_shm(s, j, e) != 0) || attach_mounts(j, e) != 0)
		return -1;
	for (size_t i = 0; i < COUNTOF(s->extra); i++)
		s->extra[i] = -1;
	if (place_netns(j, e) != 0 || make_streams(s, j, worker, e) != 0)
		return -1;
	if (j->preserved >= 0 && j->preserve_fds > 0)
		s->extra_n = (size_t)peer_unqueue_fds(j->preserved, s->extra, j->preserve_fds);
	spread_extra(s, j);
	make_argv(s, j);
	prepare_environment(s, j);
	return 0;
}

void
start_close(struct start *s, struct job *j)
{
	for (int i = 0; i < 3; i++)
		fd_close(&s->stdio[i]);
	while (s->extra_n > 0)
		fd_close(&s->extra[--s->extra_n]);
	job_close_start(j);
}

pid_t
start_delete(struct start *s, struct job *j, struct err *e)
{
	struct proc p = {
	    .path = j->runtime,
	    .argv = s->delete.v,
	    .envp = s->env.v,
	    .pass = -1,
	    .mount_ns = -1,
	};

	return proc_start(&p, e);
}

/* --- After it ----------------------------------------------------------------------------------
 */

/* Nobody hands over a terminal any more. */
static void
drop_console(struct start *s)
{
	if (s->console < 0)
		return;
	fd_close(&s->console);
	unlinkat(s->bundle, CONSOLE, 0);
	if (s->temporary != NULL)
		rmdir(s->temporary);
}

int
start_take_console(struct start *s, struct err *e)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char name[256];
	struct iovec iov = {name, sizeof(name)};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	own_fd int conn = accept4(s->console, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int fd;

	drop_console(s);
	if (conn < 0 || recvmsg(conn, &m, MSG_CMSG_CLOEXEC) < 0)
		return err_set(e, ERR_RUNTIME, "Runtime did not set up terminal");

	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return err_set(e, ERR_RUNTIME, "Runtime did not set up terminal");
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

pid_t
start_read_pid(struct start *s, struct job *j, struct err *e)
{
	own_fd int fd = j->container_pid_file != NULL
			    ? open(j->container_pid_file, O_RDONLY | O_CLOEXEC)
			    : openat(s->bundle, MONITOR_PIDFILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[32];
	uint64_t pid;
	ssize_t n = fd < 0 ? -1 : file_get(fd, text, sizeof(text) - 1);

	if (n < 0 && errno != ENOENT) {
		err_sys(e, "reading the process ID of the container");
		return -1;
	}
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (text_to_u64(text, INT32_MAX, &pid) != 0 || pid < 2) {
		err_set(e, ERR_RUNTIME, "the runtime wrote no process ID");
		return -1;
	}
	return (pid_t)pid;
}

/* The runtime's last error message. */
static int
read_error(struct start *s, char *message, size_t size)
{
	own_fd int fd = openat(s->bundle, MONITOR_OCI_LOG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char log[8192];
	off_t at, n = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	/* The last lines say why it gave up. */
	at = n > (off_t)sizeof(log) ? n - (off_t)sizeof(log) : 0;
	n = n > 0 ? pread(fd, log, sizeof(log), at) : 0;
	return n > 0 ? ocierr_find(log, (size_t)n, message, size) : -1;
}

bool
start_exists_already(struct start *s)
{
	char message[1024];

	return read_error(s, message, sizeof(message)) == 0 &&
	       strstr(message, "already exists") != NULL && strstr(message, "ontainer") != NULL;
}

int
start_error(struct start *s, struct job *j, const char *fallback, struct err *e)
{
	char message[1024];

	if (read_error(s, message, sizeof(message)) == 0)
		return ocierr_set(e, j->runtime, message);
	return ocierr_set(
	    e, j->runtime, fallback != NULL && fallback[0] != '\0' ? fallback : "failed");
}

void
start_forget(struct start *s)
{
	drop_console(s);
	unlinkat(s->bundle, MONITOR_ATTACH, 0);
}
