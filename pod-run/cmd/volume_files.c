/* SPDX-License-Identifier: ISC */
/*
 * What is in volumes: export, import; mount, unmount; and reload, which asks plug-ins for theirs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/life/copying.h"
#include "pod-run/life/volume_plugin.h"
#include "pod-run/life/volumes.h"
#include "pod-run/state/event.h"

#define US "pod" /* who mounts, to a plug-in */

/* The volume by name or unique prefix, mounted, and its directory.  in holds v. */
static int
open_volume(struct ctx *x, const char *word, struct peer_in *in, const struct rec_volume **v,
    struct arena *a, struct err *e)
{
	struct msg_volume_get m = {.name = word};
	struct peer *store = ctx_store(x, e);
	const char *path;
	int fd;

	if (store == NULL || peer_call(store, &msg_volume_get_desc, &m, in, NULL, NULL, e) == -1)
		return -1;
	*v = MSG_OF(in, volume_got)->volume;
	if (volumes_is_image(*v))
		return err_set(e, ERR_UNSUPPORTED,
		    "volume %s shows an image: only a container can mount it", (*v)->name);
	if (volumes_mount(x, *v, US, &path, a, e) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd != -1 ? fd : err_sys(e, "opening volume %s", (*v)->name);
}

/* Leaves nothing mounted that no container needs; the work itself is done. */
static int
close_volume(struct ctx *x, const struct rec_volume *v, int *fd, struct err *e)
{
	fd_close(fd);
	return volumes_unmount(x, v, US, e);
}

/* --- export -----------------------------------------------------------------------------------------*/

struct export_opts {
	const char *output;
};

static const struct opt export_rows[] = {
    {"output", 'o', OPT_STRING(struct export_opts, output), .arg = "file",
	.complete = COMPLETE_FILE,
	.help = "Write to a specified file (default: stdout, which must be redirected)"},
    OPT_END,
};

static int export(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct export_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	own_fd int target = -1, source = -1;
	struct msg_copy m = {.form = "pack"};
	const struct rec_volume *v;

	(void)argc;
	if (o->output == NULL && isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE,
		    "cannot redirect the volume export to terminal: use --output or redirect it");
	source = open_volume(x, argv[0], &in, &v, &a, e);
	if (source == -1)
		return -1;
	target = o->output != NULL
		     ? open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0644)
		     : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (target == -1)
		return err_sys(e, "open %s", o->output != NULL ? o->output : "standard output");
	m.source = source;
	m.target = target;
	if (copying_run(&m, e) == -1)
		return err_wrap(e, "exporting volume %s", v->name);
	return close_volume(x, v, &source, e);
}

/* --- import -----------------------------------------------------------------------------------------*/

static int
import(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	bool standard = argc < 2 || strcmp(argv[1], "-") == 0;
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	own_fd int target = -1, source = -1;
	struct msg_copy m = {.form = "unpack", .path = "/", .overwrite = true};
	const struct rec_volume *v;

	(void)opts;
	if (standard && isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE,
		    "cannot read the tar stream from a terminal: name a file or redirect it");
	source = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(argv[1], O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (source == -1)
		return err_sys(e, "open %s", standard ? "standard input" : argv[1]);
	target = open_volume(x, argv[0], &in, &v, &a, e);
	if (target == -1)
		return -1;
	m.target = target;
	/* As for Podman, no bytes at all are an archive of nothing. */
	if (!copying_is_empty(source) && copying_unpack(&m, &source, e) == -1)
		return err_wrap(e, "importing into volume %s", v->name);
	return close_volume(x, v, &target, e);
}

/* --- mount, unmount ---------------------------------------------------------------------------------*/

/* Only who is in the namespace sees what is mounted in it. */
static int
check_namespace(const struct cli_ctx *cli, const char *what, struct err *e)
{
	if (geteuid() == 0)
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
	    "cannot run command \"%s volume %s\" in rootless mode, must execute `%s unshare` first",
	    cli->prog, what, cli->prog);
}

static int
mount_one(struct ctx *x, const struct rec_volume *v, struct err *e)
{
	own_arena struct arena a = {0};
	const char *path;

	if (volumes_is_image(v))
		return err_set(e, ERR_UNSUPPORTED,
		    "volume %s shows an image: only a container can mount it", v->name);
	if (volumes_mount(x, v, US, &path, &a, e) == -1)
		return -1;
	puts(path);
	event_named(x, EVENT_VOLUME, EVENT_MOUNT, NULL, v->name);
	return 0;
}

static int
unmount_one(struct ctx *x, const struct rec_volume *v, struct err *e)
{
	if (volumes_unmount(x, v, US, e) == -1)
		return -1;
	puts(v->name);
	event_named(x, EVENT_VOLUME, EVENT_UNMOUNT, NULL, v->name);
	return 0;
}

static int
for_each(struct ctx *x, int argc, char **argv,
    int (*one)(struct ctx *x, const struct rec_volume *v, struct err *e), struct err *e)
{
	struct err last = {0};

	for (int i = 0; i < argc; i++) {
		struct msg_volume_get m = {.name = argv[i]};
		own_peer_in struct peer_in in = {0};
		struct peer *store = ctx_store(x, e);

		if (store != NULL &&
		    peer_call(store, &msg_volume_get_desc, &m, &in, NULL, NULL, e) == 0 &&
		    one(x, MSG_OF(&in, volume_got)->volume, e) == 0)
			continue;
		if (err_is_set(&last))
			err_print(&last, stderr);
		last = *e;
		err_clear(e);
	}
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static int
mount_(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	if (check_namespace(cli, "mount", e) == -1)
		return -1;
	return for_each(ctx_of(cli), argc, argv, mount_one, e);
}

static int
unmount_(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	if (check_namespace(cli, "unmount", e) == -1)
		return -1;
	return for_each(ctx_of(cli), argc, argv, unmount_one, e);
}

/* --- reload -----------------------------------------------------------------------------------------*/

static bool
is_listed(const struct volume_rows *rows, const char *plugin, const char *name)
{
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->v[i].v->name, name) == 0 &&
		    strcmp(inspect_or(rows->v[i].v->driver, "local"), plugin) == 0)
			return true;
	return false;
}

static bool
plugin_has(const json_t *volumes, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach (volumes, i, v) {
		const char *s = json_string_value(json_object_get(v, "Name"));

		if (s != NULL && strcmp(s, name) == 0)
			return true;
	}
	return false;
}

/* Takes over what the plug-in has and we do not know. */
static int
add_foreign(struct ctx *x, const char *plugin, const json_t *volumes,
    const struct volume_rows *rows, struct strv *added, struct err *e)
{
	const json_t *j;
	size_t i;

	json_array_foreach (volumes, i, j) {
		struct rec_volume v = {.driver = plugin};
		struct msg_volume_create m = {.volume = &v};
		own_peer_in struct peer_in in = {0};
		struct peer *store = ctx_store(x, e);

		v.name = json_string_value(json_object_get(j, "Name"));
		if (v.name == NULL || is_listed(rows, plugin, v.name))
			continue;
		if (store == NULL)
			return -1;
		if (peer_call(store, &msg_volume_create_desc, &m, &in, NULL, NULL, e) == 0) {
			strv_add(added, v.name);
			continue;
		}
		/* A volume of another driver has the name: it keeps it. */
		err_print(e, stderr);
		err_clear(e);
	}
	return 0;
}

static int
drop_gone(struct ctx *x, const char *plugin, const json_t *volumes, const struct volume_rows *rows,
    struct strv *removed, struct err *e)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct rec_volume *v = rows->v[i].v;
		struct msg_volume_remove m = {.name = v->name, .ignore = true};
		own_peer_in struct peer_in in = {0};

		if (strcmp(inspect_or(v->driver, "local"), plugin) != 0 || rows->v[i].users > 0 ||
		    plugin_has(volumes, v->name))
			continue;
		if (peer_call(ctx_store(x, e), &msg_volume_remove_desc, &m, &in, NULL, NULL, e) ==
		    -1)
			return -1;
		strv_add(removed, v->name);
	}
	return 0;
}

static void
show(const char *title, const struct strv *l)
{
	if (l->n > 0)
		puts(title);
	for (size_t i = 0; i < l->n; i++)
		puts(l->v[i]);
}

static int
reload(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	static const struct strv none;
	struct ctx *x = ctx_of(cli);
	const struct containers_conf *conf = ctx_conf(x, e);
	own_volume_rows struct volume_rows rows = {0};
	own_strv struct strv added = {0}, removed = {0};
	const char *plugin;
	json_t *path;

	(void)opts;
	(void)argc;
	(void)argv;
	if (conf == NULL || volume_row_list(x, &none, &rows, e) == -1)
		return -1;
	json_object_foreach (conf->engine_volume_plugins, plugin, path) {
		own_json json_t *answer = NULL;
		json_t *volumes;

		if (volume_plugin_call(x, plugin, "List", NULL, &answer, e) == -1) {
			err_print(e, stderr);
			err_clear(e);
			continue;
		}
		volumes = json_object_get(answer, "Volumes");
		if (add_foreign(x, plugin, volumes, &rows, &added, e) == -1 ||
		    drop_gone(x, plugin, volumes, &rows, &removed, e) == -1)
			return -1;
	}
	show("Added:", &added);
	show("Removed:", &removed);
	return 0;
}

/* --- The table ----------------------------------------------------------------------------------------*/

const struct cmd cmd_volume_export = {
    .name = "export",
    .synopsis = "[options] VOLUME",
    .brief = "Export volumes",
    .text = "Allow content of volume to be exported into external tar.",
    .examples = "volume export --output vol.tar myvol\nvolume export myvol | tar -t",
    .opts = {{export_rows, 0}},
    .opts_size = sizeof(struct export_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_VOLUME,
    .run = export,
};

const struct cmd cmd_volume_import = {
    .name = "import",
    .synopsis = "VOLUME [SOURCE]",
    .brief = "Import a tarball contents into a podman volume",
    .text = "Imports contents into a podman volume from specified tarball (.tar, .tar.gz, .tgz)",
    .examples = "volume import my_vol /home/user/import.tar\ncat ctr.tar | volume import my_vol -",
    .min = 1,
    .max = 2,
    .complete = COMPLETE_VOLUME,
    .run = import,
};

const struct cmd cmd_volume_mount = {
    .name = "mount",
    .synopsis = "[VOLUME...]",
    .brief = "Mount volume",
    .text = "Mount a volume and return the mountpoint",
    .examples = "volume mount myvol",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_VOLUME,
    .run = mount_,
};

const struct cmd cmd_volume_unmount = {
    .name = "unmount",
    .aliases = "umount",
    .synopsis = "VOLUME [VOLUME...]",
    .brief = "Unmount volume",
    .text = "Unmount a volume",
    .examples = "volume unmount myvol",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_VOLUME,
    .run = unmount_,
};

const struct cmd cmd_volume_reload = {
    .name = "reload",
    .brief = "Reload all volumes from volume plugins",
    .text = "Check all configured volume plugins and update the libpod database with all available "
	    "volumes.\n\n  Existing volumes are also removed from the database when they are no "
	    "longer present in the plugin.",
    .examples = "volume reload",
    .max = 0,
    .run = reload,
};
