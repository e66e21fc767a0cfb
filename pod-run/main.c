/* SPDX-License-Identifier: ISC */
/*
 * pod: the command line and coordinator of the suite.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "pod-run/commands.h"
#include "pod-run/ctx.h"
#include "pod-run/life/end.h"
#include "pod-run/preexec.h"
#include "pod-run/remote/command.h"
#include "pod-run/state/event.h"

static const struct opt globals[] = {
    {"root", 0, OPT_STRING(struct ctx_globals, root), .arg = "value", .complete = COMPLETE_DIR,
	.help = "Path to the graph root directory where images, containers, etc. are stored"},
    {"runroot", 0, OPT_STRING(struct ctx_globals, runroot), .arg = "value",
	.complete = COMPLETE_DIR,
	.help = "Path to the 'run directory' where all state information is stored"},
    {"tmpdir", 0, OPT_STRING(struct ctx_globals, tmpdir), .arg = "path", .complete = COMPLETE_DIR,
	.help = "Path to the tmp directory for libpod state content"},
    {"imagestore", 0, OPT_STRING(struct ctx_globals, imagestore), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Path to the 'image store', different from 'graph root', use this to split storing "
		"the image into a separate 'image store'"},
    {"volumepath", 0, OPT_STRING(struct ctx_globals, volumepath), .arg = "string",
	.complete = COMPLETE_DIR,
	.help = "Path to the volume directory in which volume data is stored"},
    {"storage-driver", 0, OPT_STRING(struct ctx_globals, storage_driver), .arg = "value",
	.complete = COMPLETE_CHOICE, .choices = "overlay,vfs",
	.help = "Select which storage driver is used to manage storage of images and containers"},
    {"storage-opt", 0, OPT_LIST(struct ctx_globals, storage_opt), .arg = "value",
	.help = "Used to pass an option to the storage driver"},
    {"log-level", 0, OPT_STRING(struct ctx_globals, log_level), .arg = "level", .def = "warn",
	.complete = COMPLETE_CHOICE, .choices = "trace,debug,info,warn,warning,error,fatal,panic",
	.help = "Log messages above specified level (trace, debug, info, warn, warning, error, "
		"fatal, panic)"},
    {"debug", 'D', OPT_BOOL(struct ctx_globals, debug), .flags = OPT_HIDDEN | OPT_LOCAL,
	.help = "Docker's spelling of --log-level=debug"},
    {"runtime", 0, OPT_STRING(struct ctx_globals, runtime), .arg = "value",
	.complete = COMPLETE_FILE,
	.help = "Path to the OCI-compatible binary used to run containers."},
    {"runtime-flag", 0, OPT_LIST(struct ctx_globals, runtime_flag), .arg = "flag",
	.help = "add global flags for the container runtime"},
    {"cgroup-manager", 0, OPT_STRING(struct ctx_globals, cgroup_manager), .arg = "manager",
	.complete = COMPLETE_CHOICE, .choices = "cgroupfs,systemd",
	.help = "Cgroup manager to use (\"cgroupfs\"|\"systemd\")"},
    {"cdi-spec-dir", 0, OPT_LIST(struct ctx_globals, cdi_spec_dir), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Set the CDI spec directory path (may be set multiple times)"},
    {"network-config-dir", 0, OPT_STRING(struct ctx_globals, network_config_dir),
	.arg = "directory", .complete = COMPLETE_DIR,
	.help = "Path of the configuration directory for networks"},
    {"syslog", 0, OPT_BOOL(struct ctx_globals, syslog), .flags = OPT_LOCAL,
	.help = "Output logging information to syslog as well as the console (default false)"},
    {"out", 0, OPT_STRING(struct ctx_globals, out), .arg = "path", .flags = OPT_LOCAL,
	.complete = COMPLETE_FILE, .help = "Send output (stdout) from podman to a file"},
    {"transient-store", 0, OPT_BOOL(struct ctx_globals, transient_store),
	.help = "Enable transient container storage"},
    {"conmon", 0, OPT_NO_STRING, .arg = "path", .flags = OPT_LOCAL,
	.help = "Accepted for compatibility: the monitor is always the suite's own"},
    {"default-mounts-file", 0, OPT_STRING(struct ctx_globals, default_mounts_file), .arg = "path",
	.flags = OPT_HIDDEN, .complete = COMPLETE_FILE, .help = "Path to default mounts file"},
    {"registries-conf", 0, OPT_STRING(struct ctx_globals, registries_conf), .arg = "path",
	.flags = OPT_HIDDEN, .complete = COMPLETE_FILE,
	.help = "Path to a registries.conf to use for image processing"},
    {"remote", 'r', OPT_BOOL(struct ctx_globals, remote), .flags = OPT_LOCAL,
	.help = "Access a remote Podman service"},
    {"url", 0, OPT_STRING(struct ctx_globals, url), .arg = "value", .flags = OPT_LOCAL,
	.help = "URL to access Podman service (CONTAINER_HOST)"},
    {"host", 'H', OPT_STRING(struct ctx_globals, host), .flags = OPT_HIDDEN | OPT_LOCAL,
	.help = "Docker's spelling of --url"},
    {"connection", 'c', OPT_STRING(struct ctx_globals, connection), .arg = "name",
	.flags = OPT_LOCAL,
	.help = "Connection to use for remote Podman service (CONTAINER_CONNECTION)"},
    {"context", 0, OPT_STRING(struct ctx_globals, context), .flags = OPT_HIDDEN | OPT_LOCAL,
	.help = "Docker's spelling of --connection"},
    {"identity", 0, OPT_STRING(struct ctx_globals, identity), .arg = "path", .flags = OPT_LOCAL,
	.complete = COMPLETE_FILE, .help = "Path to SSH identity file (CONTAINER_SSHKEY)"},
    {"ssh", 0, OPT_STRING(struct ctx_globals, ssh), .arg = "value", .flags = OPT_LOCAL,
	.complete = COMPLETE_CHOICE, .choices = "golang,native",
	.help = "Accepted for compatibility: the ssh(1) of the host is used"},
    {"tls-ca", 0, OPT_STRING(struct ctx_globals, tls_ca), .arg = "path", .flags = OPT_LOCAL,
	.complete = COMPLETE_FILE,
	.help = "Path to the certificates of authorities that a service over TCP is trusted by"},
    {"tls-cert", 0, OPT_STRING(struct ctx_globals, tls_cert), .arg = "path", .flags = OPT_LOCAL,
	.complete = COMPLETE_FILE, .help = "Path to the certificate shown to a service over TCP"},
    {"tls-key", 0, OPT_STRING(struct ctx_globals, tls_key), .arg = "path", .flags = OPT_LOCAL,
	.complete = COMPLETE_FILE, .help = "Path to the key of that certificate"},
    {"tls-details", 0, OPT_STRING(struct ctx_globals, tls_details), .arg = "path",
	.flags = OPT_LOCAL, .complete = COMPLETE_FILE,
	.help = "Path to a containers-tls-details.yaml(5) file"},
    {"config", 0, OPT_STRING(struct ctx_globals, docker_config), .arg = "directory",
	.flags = OPT_LOCAL, .complete = COMPLETE_DIR,
	.help = "Location of authentication config file"},
    {"noout", 0, OPT_BOOL(struct ctx_globals, noout), .flags = OPT_HIDDEN | OPT_LOCAL,
	.help = "do not output to stdout"},
    {"cpu-profile", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"memory-profile", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"pull-option", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"trace", 0, OPT_NO_BOOL, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"max-workers", 0, OPT_INT(struct ctx_globals, max_workers), .def = "1",
	.flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"namespace", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"network-backend", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"network-cmd-path", 0, OPT_NO_STRING, .flags = OPT_HIDDEN | OPT_LOCAL, .help = "No effect"},
    {"hooks-dir", 0, OPT_LIST(struct ctx_globals, hooks_dir), .arg = "dir",
	.complete = COMPLETE_DIR,
	.help = "Set the OCI hooks directory path (may be set multiple times)"},
    {"events-backend", 0, OPT_STRING(struct ctx_globals, events_backend), .arg = "type",
	.complete = COMPLETE_CHOICE, .choices = "file,journald,none",
	.help = "Events backend to use (\"file\"|\"journald\"|\"none\")"},
    {"module", 0, OPT_LIST(struct ctx_globals, module), .arg = "path", .flags = OPT_LOCAL,
	.help = "Load the containers.conf(5) module"},
    {"version", 'v', OPT_BOOL(struct ctx_globals, version), .flags = OPT_LOCAL,
	.help = "version for podman"},
    OPT_END,
};

static struct ctx *context;

/* --out: what we print goes there; what is wrong still stands on standard error. */
static int
redirect(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd == -1 || dup2(fd, STDOUT_FILENO) == -1)
		return err_sys(e, "open %s", path);
	return 0;
}

static int
prepare(struct cli_ctx *cli, struct err *e)
{
	const struct ctx_globals *g = cli->globals;
	enum log_level level;
	enum event_backend backend;

	if (log_level_parse(g->log_level, &level, e) == -1)
		return -1;
	log_set_level(g->debug ? LOG_LEVEL_DEBUG : level);
	if (g->syslog)
		log_set_syslog(cli->prog);
	if (g->events_backend != NULL && *g->events_backend != '\0' &&
	    event_backend_parse(g->events_backend, &backend, e) == -1)
		return -1;
	if (g->max_workers < 1)
		return err_set(e, ERR_USAGE,
		    "maximum workers must be set to a positive number (got %lld)",
		    (long long)g->max_workers);
	if (g->registries_conf != NULL && access(g->registries_conf, F_OK) == -1)
		return err_sys(
		    e, "locating specified registries.conf: stat %s", g->registries_conf);
	if (g->registries_conf != NULL &&
	    setenv("CONTAINERS_REGISTRIES_CONF", g->registries_conf, 1) < 0)
		return err_sys(e, "setting CONTAINERS_REGISTRIES_CONF");
	if (g->docker_config != NULL && setenv("DOCKER_CONFIG", g->docker_config, 1) < 0)
		return err_sys(e, "setting DOCKER_CONFIG");
	if ((g->out != NULL || g->noout) && redirect(g->noout ? "/dev/null" : g->out, e) == -1)
		return -1;
	if (g->version) {
		printf("%s version %s\n", cli->prog, POD_VERSION);
		return 1;
	}
	if (g->cgroup_manager != NULL && strcmp(g->cgroup_manager, "cgroupfs") != 0 &&
	    strcmp(g->cgroup_manager, "systemd") != 0)
		return err_set(e, ERR_INVALID,
		    "cgroup manager must be one of cgroupfs and systemd: invalid argument");
	if (cli->app == NULL)
		cli->app = context = ctx_new(cli);
	return g->tls_details != NULL && *g->tls_details != '\0'
		   ? ctx_limit_tls(context, g->tls_details, e)
		   : 0;
}

static const struct cli pod = {
    .names = "pod,podman,docker,pod-run",
    .root = &commands_root,
    .global = globals,
    .global_size = sizeof(struct ctx_globals),
    .prepare = prepare,
    .run = command_run,
    .complete = commands_complete,
};

int
main(int argc, char **argv)
{
	int r;

	mem_short_life();
	role_start();
	/* Asked now: in another mount namespace our own path may no longer be whole. */
	spawn_bin_dir();
	r = preexec_run(argc, argv);
	if (r != 0)
		return r;
	r = cmd_main(&pod, argc, argv);
	if (context != NULL)
		end_settle(context);
	ctx_free(context);
	return r;
}
