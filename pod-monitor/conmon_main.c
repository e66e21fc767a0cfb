/* SPDX-License-Identifier: ISC */
/*
 * Becoming the daemon that a manager expects of its conmon: descriptors, pipes, PID file, fork.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/cmd.h"
#include "common/role/role.h"
#include "common/wire/trace.h"
#include "pod-monitor/conmon.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/proc.h"
#include "pod-monitor/record.h"

#define OPTS struct conmon_opts
#define CONMON_VERSION "2.2.1" /* the contract that is kept; managers compare it */

/*
 * Without pointers, so that the table takes no memory of its own in processes that never look at it:
 * those are the many.  The rows become options at run time.
 */
static const struct row {
	char name[32], letter, alias[16], def[16];
	unsigned char type, flags;
	unsigned at;
	char help[96];
} rows[] = {
    {"api-version", 0, OPT_BOOL(OPTS, api_version), .help = "Conmon API version to use"},
    {"bundle", 'b', OPT_STRING(OPTS, bundle), .help = "Location of the OCI Bundle path"},
    {"cid", 'c', OPT_STRING(OPTS, cid), .help = "Identification of Container"},
    {"conmon-pidfile", 'P', OPT_STRING(OPTS, conmon_pid_file),
	.help = "Path to the PID file for the monitor"},
    {"container-pidfile", 'p', OPT_STRING(OPTS, container_pid_file), .alias = "pidfile",
	.help = "Path to the PID file for the initial process inside of the container"},
    {"cuuid", 'u', OPT_STRING(OPTS, cuuid), .help = "Container UUID"},
    {"exec", 'e', OPT_BOOL(OPTS, exec), .help = "Exec a command into a running container"},
    {"exec-attach", 0, OPT_BOOL(OPTS, exec_attach), .help = "Attach to an exec session"},
    {"exec-process-spec", 0, OPT_STRING(OPTS, process_spec),
	.help = "Path to the process spec for execution"},
    {"exit-command", 0, OPT_STRING(OPTS, exit_command),
	.help = "Path to the program to execute when the container terminates its execution"},
    {"exit-command-arg", 0, OPT_LIST(OPTS, exit_args),
	.help = "Additional arg to pass to the exit command.  Can be specified multiple times"},
    {"exit-delay", 0, OPT_INT(OPTS, exit_delay_s),
	.help = "Delay before invoking the exit command (in seconds)"},
    {"exit-dir", 0, OPT_STRING(OPTS, exit_dir),
	.help = "Path to the directory where exit files are written"},
    {"full-attach", 0, OPT_BOOL(OPTS, full_attach),
	.help = "Don't truncate the path to the attach socket"},
    {"leave-stdin-open", 0, OPT_BOOL(OPTS, leave_stdin_open),
	.help = "Leave stdin open when the attached client disconnects"},
    {"log-allowlist-dir", 0, OPT_STRING(OPTS, log_allow_dir),
	.help = "Directory below which logs may be rotated"},
    {"log-global-size-max", 0, OPT_INT(OPTS, log_total_max),
	.help = "Maximum size of all log output"},
    {"log-label", 0, OPT_LIST(OPTS, log_labels),
	.help = "Additional label to include in logs. Can be specified multiple times"},
    {"log-level", 0, OPT_STRING(OPTS, log_level), .help = "Print debug logs based on log level"},
    {"log-max-files", 0, OPT_INT(OPTS, log_files_max), .def = "1",
	.help = "Number of rotated log files that are kept"},
    {"log-path", 'l', OPT_LIST(OPTS, log_paths), .help = "Log file path: k8s-file, journald, none"},
    {"log-rotate", 0, OPT_BOOL(OPTS, log_rotate), .help = "Rotate logs instead of truncating them"},
    {"log-size-max", 0, OPT_INT(OPTS, log_size_max), .help = "Maximum size of log file"},
    {"log-tag", 0, OPT_STRING(OPTS, log_tag), .help = "Additional tag to use for logging"},
    {"name", 'n', OPT_STRING(OPTS, name), .help = "Container name"},
    {"no-container-partial-message", 0, OPT_BOOL(OPTS, no_partial_mark),
	.help = "Do not set CONTAINER_PARTIAL_MESSAGE=true for partial lines"},
    {"no-new-keyring", 0, OPT_BOOL(OPTS, no_new_keyring),
	.help = "Do not create a new session keyring for the container"},
    {"no-pivot", 0, OPT_BOOL(OPTS, no_pivot), .help = "Do not use pivot_root"},
    {"no-sync-log", 0, OPT_BOOL(OPTS, no_sync_log),
	.help = "Do not manually call sync on logs after container shutdown"},
    {"persist-dir", '0', OPT_STRING(OPTS, persist_dir),
	.help = "Persistent directory for a container that can be used for storing container data"},
    {"replace-listen-pid", 0, OPT_BOOL(OPTS, replace_listen_pid),
	.help = "Replace listen pid if set for oci-runtime pid"},
    {"restore", 0, OPT_STRING(OPTS, restore), .help = "Restore a container from a checkpoint"},
    {"runtime", 'r', OPT_STRING(OPTS, runtime),
	.help = "Path to store runtime data for the container"},
    {"runtime-arg", 0, OPT_LIST(OPTS, runtime_args),
	.help = "Additional arg to pass to the runtime. Can be specified multiple times"},
    {"runtime-opt", 0, OPT_LIST(OPTS, runtime_opts), .alias = "restore-arg",
	.help = "Additional opts to pass to the restore or exec command. Can be specified multiple "
		"times"},
    {"sdnotify-socket", 0, OPT_STRING(OPTS, notify_socket),
	.help = "Path to the host's sd-notify socket to relay messages to"},
    {"seccomp-notify-plugins", 0, OPT_STRING(OPTS, seccomp_plugins), .flags = OPT_HIDDEN,
	.help = "Refused"},
    {"seccomp-notify-socket", 0, OPT_STRING(OPTS, seccomp_socket), .flags = OPT_HIDDEN,
	.help = "Refused"},
    {"socket-dir-path", 0, OPT_STRING(OPTS, socket_dir), .def = "/var/run/crio",
	.help = "Location of container attach sockets"},
    {"stdin", 'i', OPT_BOOL(OPTS, stdin_), .help = "Open up a pipe to pass stdin to the container"},
    {"sync", 0, OPT_BOOL(OPTS, sync), .help = "Keep the main conmon process as its child"},
    {"syslog", 0, OPT_BOOL(OPTS, syslog), .help = "Log to syslog (no effect)"},
    {"systemd-cgroup", 's', OPT_BOOL(OPTS, systemd_cgroup),
	.help = "Enable systemd cgroup manager, rather then use the cgroupfs directly"},
    {"terminal", 't', OPT_BOOL(OPTS, terminal), .help = "Allocate a pseudo-TTY"},
    {"timeout", 'T', OPT_INT(OPTS, timeout_s),
	.help = "Kill container after specified timeout in seconds"},
    {"version", 0, OPT_BOOL(OPTS, version), .help = "Print the version and exit"},
};

/* --- Descriptors -------------------------------------------------------------------------------
 */

struct fds {
	int *v;
	size_t n, cap;
};

static int
by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Those that are open now above 2, ascending. */
static int
list_fds(struct fds *l, struct err *e)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	uint64_t n;

	if (d == NULL)
		return err_sys(e, "listing open descriptors");
	while ((entry = readdir(d)) != NULL) {
		if (text_to_u64(entry->d_name, INT32_MAX, &n) != 0 || n < 3 || (int)n == dirfd(d))
			continue;
		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = (int)n;
	}
	closedir(d);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_number);
	return 0;
}

static void
drop_fd(struct fds *l, int fd)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] != fd)
			l->v[kept++] = l->v[i];
	l->n = kept;
}

/* The descriptor that the variable names; -1 in *fd if it is not set. */
static int
pipe_of(const char *variable, struct fds *inherited, int *fd, struct err *e)
{
	const char *text = getenv(variable);
	uint64_t n;

	*fd = -1;
	if (text == NULL)
		return 0;
	if (text_to_u64(text, INT32_MAX, &n) != 0 || n < 3)
		return err_set(e, ERR_INVALID, "unable to parse %s", variable);
	*fd = (int)n;
	if (fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_sys(e, "unable to make %s CLOEXEC", variable);
	drop_fd(inherited, *fd);
	return 0;
}

struct daemon {
	struct monitor_pipes pipes;
	struct fds inherited;
	struct logs logs;
};

static int
take_pipes(struct daemon *d, const struct conmon_opts *o, struct err *e)
{
	if (pipe_of("_OCI_SYNCPIPE", &d->inherited, &d->pipes.sync.fd, e) != 0 ||
	    pipe_of("_OCI_STARTPIPE", &d->inherited, &d->pipes.start, e) != 0 ||
	    pipe_of("_OCI_ATTACHPIPE", &d->inherited, &d->pipes.attach, e) != 0)
		return -1;
	if (o->exec_attach && d->pipes.attach < 0)
		return err_set(e, ERR_INVALID, "--attach specified but _OCI_ATTACHPIPE was not");
	d->pipes.sync.api = o->api_version;
	d->pipes.sync.exec = o->exec;
	for (size_t i = 0; i < d->inherited.n; i++)
		fcntl(d->inherited.v[i], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* The manager moves us into a cgroup meanwhile. */
static void
wait_for_start(struct daemon *d, bool again)
{
	char c;

	while (d->pipes.start >= 0 && read(d->pipes.start, &c, 1) < 0 && errno == EINTR)
		;
	if (!again)
		fd_close(&d->pipes.start);
}

/* --- The daemon --------------------------------------------------------------------------------
 */

/* The runtime's process ID goes where the one who activates sockets put ours. */
static void
prepare_listen_pid(struct job *j, bool always)
{
	const char *text = getenv("LISTEN_PID");
	uint64_t pid;

	if (text == NULL ||
	    (!always && (text_to_u64(text, INT32_MAX, &pid) != 0 || (pid_t)pid != getpid())))
		return;
	setenv("LISTEN_PID", "0000000000", 1);
	j->listen_pid = getenv("LISTEN_PID");
}

/* Managers that are not content with the bundle's path find the attach socket by this link. */
static void
link_sockets(const struct conmon_opts *o, const char *bundle)
{
	own_mem char *path = NULL;

	if (o->full_attach || o->cuuid == NULL || bundle == NULL)
		return;
	path = xasprintf("%s/%s", o->socket_dir, o->cuuid);
	unlink(path);
	if (symlink(bundle, path) != 0)
		log_debug("%s: %s", path, strerror(errno));
}

static void
unlink_sockets(const struct conmon_opts *o, const char *bundle)
{
	own_mem char *path = NULL;

	if (o->full_attach || o->cuuid == NULL || bundle == NULL)
		return;
	path = xasprintf("%s/%s", o->socket_dir, o->cuuid);
	unlink(path);
}

static int
serve(struct daemon *d, const struct conmon_opts *o, struct job *j, struct err *e)
{
	own_mem int *keep = NULL;
	struct fds open = {0};
	struct monitor_half worker;
	int status;

	/* Who waits for the end of our output must not wait for the runtime. */
	if (!d->logs.passthrough) {
		monitor_leave_streams();
		if (!trace_on())
			monitor_leave_stderr();
	}
	setsid();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_sys(e, "becoming the reaper of orphans");
	if (list_fds(&open, e) != 0)
		return -1;
	keep = open.v;
	if (role_enter(ROLE_MONITOR, keep, open.n, e) != 0 || monitor_start_worker(&worker, e) != 0)
		return -1;
	j->inherited = d->inherited.v;
	j->inherited_n = d->inherited.n;
	link_sockets(o, j->bundle);
	status = monitor_do(j, &d->logs, &d->pipes, &worker);
	unlink_sockets(o, j->bundle);
	return status;
}

/* Returns in the daemon; the first process writes its PID file and ends. */
static int
daemonize(const struct conmon_opts *o, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "Failed to fork the daemon");
	if (pid == 0)
		return 0;
	if (o->conmon_pid_file != NULL && record_pid(o->conmon_pid_file, pid, e) != 0) {
		err_print(e, stderr);
		_exit(1);
	}
	_exit(0);
}

static int
work(struct daemon *d, const struct conmon_opts *o, struct err *e)
{
	struct conmon c = {0};
	const struct logs_owner owner = {.id = o->cid, .name = o->name};

	if (conmon_job(o, &c, e) != 0 || list_fds(&d->inherited, e) != 0 ||
	    take_pipes(d, o, e) != 0 ||
	    logs_open(&d->logs, c.job.logs, c.job.logs_n, &owner, e) != 0)
		return -1;
	prepare_listen_pid(&c.job, o->replace_listen_pid);
	trim_init();
	proc_protect();
	wait_for_start(d, o->exec_attach);
	if (!o->sync && daemonize(o, e) != 0)
		return -1;
	return serve(d, o, &c.job, e);
}

static int
run(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	static struct daemon d = {.pipes = {.sync.fd = -1, .attach = -1, .start = -1}};
	const struct conmon_opts *o = opts;
	enum log_level level = LOG_LEVEL_WARN;
	int r;

	/* Words that are no options are passed over: "--api-version 1" is a flag and a stray word. */
	(void)ctx;
	(void)argc;
	(void)argv;
	if (o->version) {
		printf("conmon version " CONMON_VERSION "\ncommit: pod-monitor " POD_VERSION "\n");
		return 0;
	}
	r = o->log_level != NULL ? log_level_parse(o->log_level, &level, e) : 0;
	if (r == 0) {
		log_set_level(level);
		r = work(&d, o, e);
	}
	if (r < 0) {
		fprintf(stderr, "[conmon:e]: %s\n", e->text);
		report_send(&d.pipes.sync, -1, e->text);
		r = 1;
	}
	/* What the process returned is no error of the command line. */
	fflush(stdout);
	_exit(r);
}

static const char *
given(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

int
conmon_main(int argc, char **argv)
{
	struct opt *opts = xcalloc(COUNTOF(rows) + 1, sizeof(*opts));
	struct cmd root = {.name = "pod-monitor",
	    .synopsis = "[options]",
	    .brief = "Run one container for Podman or CRI-O, as conmon does",
	    .opts = {{opts, 0}},
	    .opts_size = sizeof(OPTS),
	    .max = CMD_ANY,
	    .run = run};
	struct cli cli = {.names = "pod-monitor,conmon", .root = &root};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		opts[i] = (struct opt){.name = rows[i].name,
		    .letter = rows[i].letter,
		    .alias = given(rows[i].alias),
		    .def = given(rows[i].def),
		    .type = rows[i].type,
		    .flags = rows[i].flags,
		    .at = rows[i].at,
		    .help = rows[i].help};
	/* Only wrong options come back. */
	return cmd_main(&cli, argc, argv) == 0 ? 0 : 1;
}
