/* SPDX-License-Identifier: ISC */
/*
 * "container restore": from the container's own checkpoint, an archive, or an image.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/restore.h"
#include "pod-run/oci/spec_ports.h"

struct restore_opts {
	bool all, file_locks, ignore_rootfs, ignore_static_ip, ignore_static_mac, ignore_volumes;
	bool keep, latest, print_stats, tcp_close, tcp_established;
	const char *import, *import_previous, *name;
	struct strv publish;
	struct restore how;
	json_t *figures; /* of all containers; or NULL */
};

#define S struct restore_opts

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(S, all), .help = "Restore all checkpointed containers"},
    {"file-locks", 0, OPT_BOOL(S, file_locks), .help = "Restore a container with file locks"},
    {"ignore-rootfs", 0, OPT_BOOL(S, ignore_rootfs),
	.help = "Do not apply root file-system changes when importing from exported checkpoint"},
    {"ignore-static-ip", 0, OPT_BOOL(S, ignore_static_ip),
	.help = "Ignore IP address set via --static-ip"},
    {"ignore-static-mac", 0, OPT_BOOL(S, ignore_static_mac),
	.help = "Ignore MAC address set via --mac-address"},
    {"ignore-volumes", 0, OPT_BOOL(S, ignore_volumes),
	.help = "Do not restore volumes associated with container"},
    {"import", 'i', OPT_STRING(S, import), .arg = "string", .complete = COMPLETE_FILE,
	.help = "Restore from exported checkpoint archive (tar.gz)"},
    {"import-previous", 0, OPT_STRING(S, import_previous), .arg = "string",
	.complete = COMPLETE_FILE, .help = "Restore from exported pre-checkpoint archive (tar.gz)"},
    {"keep", 'k', OPT_BOOL(S, keep), .help = "Keep all temporary checkpoint files"},
    {"latest", 'l', OPT_BOOL(S, latest), .help = "Act on the latest container podman is aware of"},
    {"name", 'n', OPT_STRING(S, name), .arg = "string",
	.help = "Specify new name for container restored from exported checkpoint (only works with "
		"image or --import)"},
    {"print-stats", 0, OPT_BOOL(S, print_stats), .help = "Display restore statistics"},
    {"publish", 'p', OPT_COMMA(S, publish), .arg = "strings",
	.help = "Publish a container's port, or a range of ports, to the host (default [])"},
    {"tcp-close", 0, OPT_BOOL(S, tcp_close),
	.help = "Restore a container, but close the TCP connections"},
    {"tcp-established", 0, OPT_BOOL(S, tcp_established),
	.help = "Restore a container with established TCP connections"},
    OPT_END,
};

static void
report(struct restore_opts *o, const char *id, const char *word, struct checkpoint_figures *f)
{
	json_t *row;

	if (o->figures == NULL) {
		json_decref(f->criu);
		puts(word);
		return;
	}
	row = json_add_obj(o->figures);
	json_put_str(row, "Id", id);
	json_put_int(row, "runtime_restore_duration", f->runtime_us);
	json_put_take(row, "criu_statistics", f->criu);
}

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	struct restore_opts *o = arg;
	struct checkpoint_figures f = {0};
	struct checkpoint_state s;

	if (o->all) {
		checkpoint_state(x, id, &s);
		if (!s.checkpointed)
			return 0;
	}
	if (restore_own(x, id, &o->how, &f, e) == -1) {
		json_decref(f.criu);
		return -1;
	}
	report(o, id, word, &f);
	return 0;
}

/* With neither --import nor one word that names an image. */
static int
check_own(const struct restore_opts *o, struct err *e)
{
	const struct {
		bool given;
		const char *option;
	} only[] = {{o->import_previous != NULL, "--import-previous"},
	    {o->ignore_rootfs, "--ignore-rootfs"}, {o->ignore_volumes, "--ignore-volumes"},
	    {o->name != NULL, "--name"}, {o->publish.n > 0, "--publish"}};

	for (size_t i = 0; i < COUNTOF(only); i++)
		if (only[i].given)
			return err_set(e, ERR_USAGE, "%s can only be used with image or --import",
			    only[i].option);
	return 0;
}

static int
check(const struct restore_opts *o, int argc, struct err *e)
{
	if (o->import != NULL && (o->all || o->latest))
		return err_set(e, ERR_USAGE, "cannot use --import with --all or --latest");
	if (o->import != NULL && argc > 0)
		return err_set(e, ERR_USAGE, "cannot use --import with positional arguments");
	if (o->all && argc > 0)
		return err_set(e, ERR_USAGE, "no arguments are needed with --all");
	if (o->name != NULL && o->tcp_established)
		return err_set(e, ERR_USAGE, "--tcp-established cannot be used with --name");
	if (o->tcp_close && o->tcp_established)
		return err_set(e, ERR_USAGE, "--tcp-established cannot be used with --tcp-close");
	if (o->name != NULL && argc > 1)
		return err_set(e, ERR_USAGE, "--name can only be used with one checkpoint image");
	return 0;
}

/* A word that names no container but an image. */
static bool
names_image(struct ctx *x, const char *word)
{
	char id[NAMES_ID_LEN + 1];
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	return db != NULL && ctr_find(db, word, id, &e) == -1 && e.class == ERR_NOTFOUND;
}

static int
restore_all(struct ctx *x, struct restore_opts *o, int argc, char **argv, struct err *e)
{
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .states = 1u << CTR_CONFIGURED | 1u << CTR_EXITED | 1u << CTR_STOPPED};
	struct checkpoint_figures f = {0};
	char id[NAMES_ID_LEN + 1];
	bool image = o->import == NULL && argc == 1 && names_image(x, argv[0]);
	int r;

	if (o->import == NULL && !image)
		return check_own(o, e) == -1 ? -1 : select_each(x, &s, one, o, e);
	r = image ? restore_image(x, argv[0], &o->how, &f, id, e)
		  : restore_archive(x, o->import, &o->how, &f, id, e);
	if (r == 0)
		report(o, id, id, &f);
	else
		json_decref(f.criu);
	if (r == -1 && image && e->class == ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND,
		    "no container or image with name or ID \"%s\" found: no such container",
		    argv[0]);
	return r;
}

static int
fill(struct restore_opts *o, struct arena *a, struct err *e)
{
	struct rec_port_map *ports = arena_array(a, o->publish.n + 1, sizeof(*ports));

	for (size_t i = 0; i < o->publish.n; i++)
		if (spec_ports_parse(o->publish.v[i], a, &ports[i], e) == -1)
			return -1;
	o->how = (struct restore){.keep = o->keep,
	    .tcp_established = o->tcp_established,
	    .tcp_close = o->tcp_close,
	    .file_locks = o->file_locks,
	    .ignore_rootfs = o->ignore_rootfs,
	    .ignore_volumes = o->ignore_volumes,
	    .ignore_static_ip = o->ignore_static_ip,
	    .ignore_static_mac = o->ignore_static_mac,
	    .name = o->name,
	    .ports = ports,
	    .ports_n = o->publish.n,
	    .previous = o->import_previous};
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct restore_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_json json_t *all = json_obj();
	int64_t began = checkpoint_now_us();
	int r;

	if (check(o, argc, e) == -1 || fill(o, &a, e) == -1 || ctx_paths(x, e) == -1)
		return -1;
	if (x->rootless.user)
		return err_set(e, ERR_UNSUPPORTED,
		    "restoring a container requires root: the kernel lets nobody else do it");
	if (o->print_stats) {
		json_put_int(all, "podman_restore_duration", 0);
		o->figures = json_put_arr(all, "container_statistics");
	}
	r = restore_all(x, o, argc, argv, e);
	end_settle(x);
	if (r == 0 && o->print_stats) {
		own_strbuf struct strbuf text = {0};

		json_put_int(all, "podman_restore_duration", checkpoint_now_us() - began);
		json_go(all, "    ", &text);
		puts(text.s);
	}
	return r;
}

const struct cmd cmd_container_restore = {
    .name = "restore",
    .synopsis = "[options] CONTAINER|IMAGE [CONTAINER|IMAGE...]",
    .brief = "Restore one or more containers from a checkpoint",
    .text = "Restores a container from a checkpoint. The container name or ID can be used.",
    .examples = "container restore ctrID\ncontainer restore --all\ncontainer restore --import "
		"/tmp/ctr.tar.zst --name copy",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct restore_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
