/* SPDX-License-Identifier: ISC */
/*
 * pod: the command line and coordinator of the suite.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/role/spawn.h"
#include "pod-run/commands.h"
#include "pod-run/ctx.h"
#include "pod-run/life/end.h"

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
    {"storage-driver", 0, OPT_STRING(struct ctx_globals, storage_driver), .arg = "value",
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

static int
prepare(struct cli_ctx *cli, struct err *e)
{
	const struct ctx_globals *g = cli->globals;
	enum log_level level;

	if (log_level_parse(g->log_level, &level, e) == -1)
		return -1;
	log_set_level(g->debug ? LOG_LEVEL_DEBUG : level);
	if (g->version) {
		printf("%s version %s\n", cli->prog, POD_VERSION);
		return 1;
	}
	if (g->cgroup_manager != NULL && strcmp(g->cgroup_manager, "cgroupfs") != 0 &&
	    strcmp(g->cgroup_manager, "systemd") != 0)
		return err_set(e, ERR_INVALID,
		    "invalid cgroup manager type %s: only cgroupfs and systemd are known",
		    g->cgroup_manager);
	if (cli->app == NULL)
		cli->app = context = ctx_new(cli);
	return 0;
}

static const struct cli pod = {
    .names = "pod,podman,docker,pod-run",
    .root = &commands_root,
    .global = globals,
    .global_size = sizeof(struct ctx_globals),
    .prepare = prepare,
    .complete = commands_complete,
};

int
main(int argc, char **argv)
{
	int r;

	role_start();
	/* Asked now: in another mount namespace our own path may no longer be whole. */
	spawn_bin_dir();
	r = cmd_main(&pod, argc, argv);
	if (context != NULL)
		end_settle(context);
	ctx_free(context);
	return r;
}
