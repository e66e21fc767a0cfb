/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/userns.h"
#include "pod-run/oci/detached.h"
#include "pod-run/state/event.h"

struct mount_opts {
	const char *format;
	bool all, latest, no_trunc, force;
};

static const struct opt mount_rows[] = {
    {"all", 'a', OPT_BOOL(struct mount_opts, all), .help = "Mount all containers"},
    {"format", 0, OPT_STRING(struct mount_opts, format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "json",
	.help = "Print the mounted containers in specified format (json)"},
    {"latest", 'l', OPT_BOOL(struct mount_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"no-trunc", 0, OPT_BOOL(struct mount_opts, no_trunc), .alias = "notruncate",
	.help = "Do not truncate output"},
    OPT_END,
};

static const struct opt unmount_rows[] = {
    {"all", 'a', OPT_BOOL(struct mount_opts, all),
	.help = "Unmount all of the currently mounted containers"},
    {"force", 'f', OPT_BOOL(struct mount_opts, force),
	.help = "Force the complete unmount of the specified mounted containers"},
    {"latest", 'l', OPT_BOOL(struct mount_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static const struct opt image_mount_rows[] = {
    {"all", 'a', OPT_BOOL(struct mount_opts, all), .help = "Mount all images"},
    {"format", 0, OPT_STRING(struct mount_opts, format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "json",
	.help = "Print the mounted images in specified format (json)"},
    OPT_END,
};

static const struct opt image_unmount_rows[] = {
    {"all", 'a', OPT_BOOL(struct mount_opts, all),
	.help = "Unmount all of the currently mounted images"},
    {"force", 'f', OPT_BOOL(struct mount_opts, force),
	.help = "Force the complete unmount of the specified mounted images"},
    OPT_END,
};

/* A mount in the namespace that our pause process keeps would be seen by nobody else. */
static int
check_namespace(struct cli_ctx *cli, const char *command, struct err *e)
{
	struct rootless r;

	if (rootless_look(&r, e) == -1)
		return -1;
	if (!r.needed)
		return ctx_paths(ctx_of(cli), e);
	return err_set(e, ERR_UNSUPPORTED,
	    "cannot run command \"%s %s\" in rootless mode, must execute `%s unshare` first",
	    cli->prog, command, cli->prog);
}

static int
check_format(const struct mount_opts *o, struct err *e)
{
	if (o->format == NULL || strcmp(o->format, "json") == 0)
		return 0;
	return err_set(e, ERR_USAGE, "unknown --format argument: \"%s\"", o->format);
}

/* --- One ------------------------------------------------------------------------------------------*/

static int
put_in_place(int root, const char *path, struct err *e)
{
	if (syscall(SYS_move_mount, root, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == -1)
		return err_sys(e, "mounting %s", path);
	return 0;
}

/* The container's own mount if it runs, so that both sides see the same; else one by the store. */
static int
attach(struct ctx *x, struct msg_rootfs_attach *m, pid_t pid, struct peer_in *in, struct err *e)
{
	own_fd int root = -1;
	const struct msg_rootfs_attached *r;

	if (pid > 0) {
		root = detached_root(pid, e);
		if (root == -1)
			return -1;
		m->place = true;
	}
	if (peer_call(ctx_store(x, e), &msg_rootfs_attach_desc, m, in, NULL, NULL, e) == -1)
		return -1;
	r = MSG_OF(in, rootfs_attached);
	if (root == -1)
		return r->root > 0 ? put_in_place(r->root, r->path, e) : 0;
	/* Whatever was there before, it is the container's mount that counts. */
	while (umount2(r->path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	return put_in_place(root, r->path, e);
}

static int
attach_ctr(struct ctx *x, const char *id, struct peer_in *in, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);
	struct userns u = USERNS_NONE;
	struct msg_rootfs_attach m = {.id = id};
	bool live;
	int r;

	if (lock == -1 || ctr_config(&c, e) == -1 || ctx_store(x, e) == NULL)
		return -1;
	live = c.status == CTR_RUNNING || c.status == CTR_PAUSED;
	r = live || x->rootless.userns ? 0 : userns_hold(&u, c.config, false, e);
	m.userns = u.user;
	if (r == 0)
		r = attach(x, &m, live ? c.pid : 0, in, e);
	userns_release(&u);
	if (r == 0)
		event_ctr(x, &c, EVENT_MOUNT);
	return r;
}

/* 1: unmounted; 0: it was not mounted. */
static int
detach(struct ctx *x, const char *id, const char *path, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_rootfs_detach m = {.id = id};

	if (umount2(path, UMOUNT_NOFOLLOW) == -1) {
		if (errno == EINVAL || errno == ENOENT)
			return 0;
		if (errno != EBUSY || umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == -1)
			return err_sys(e, "unmounting %s", path);
	}
	if (peer_call(ctx_store(x, e), &msg_rootfs_detach_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	return 1;
}

/* --- Lists ----------------------------------------------------------------------------------------*/

static int
mounted(struct ctx *x, struct peer_in *in, struct err *e)
{
	struct msg_rootfs_mounts m = {0};
	struct peer *store = ctx_store(x, e);

	return store == NULL ? -1
			     : peer_call(store, &msg_rootfs_mounts_desc, &m, in, NULL, NULL, e);
}

static const char *
path_of(const struct msg_rootfs_mounted *l, const char *id)
{
	for (size_t i = 0; i < l->ids.n; i++)
		if (strcmp(l->ids.v[i], id) == 0)
			return l->paths.v[i];
	return NULL;
}

/* As Podman's: one space for each level, and the first name last of all but the path. */
static int
print_rows(json_t *rows, bool json, const char *table, struct err *e)
{
	const struct output out = {.table = table, .type = "mountReporter", .noheading = true};
	own_strbuf struct strbuf text = {0};

	if (!json)
		return output_list(&out, rows, NULL, stdout, e);
	json_go(rows, " ", &text);
	puts(text.s);
	return 0;
}

static json_t *
row(const char *id, const char *path)
{
	json_t *o = json_obj();

	json_put_str(o, "id", id);
	json_put_take(o, "Names", json_arr());
	json_put_str(o, "mountpoint", path);
	return o;
}

static int
list_ctrs(struct ctx *x, const struct mount_opts *o, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_json json_t *rows = json_arr();
	own_ctr_list struct ctr_list l = {0};
	struct db *db = ctx_db(x, e);

	if (db == NULL || ctr_list_brief(db, &l, e) == -1 || mounted(x, &in, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		const char *path = path_of(MSG_OF(&in, rootfs_mounted), l.v[i].id);
		json_t *r;

		if (path == NULL)
			continue;
		r = row(l.v[i].id, path);
		json_add_str(json_object_get(r, "Names"), l.v[i].name);
		if (o->format == NULL && !o->no_trunc)
			json_put_take(r, "id", json_strn(l.v[i].id, 12));
		json_add_take(rows, r);
	}
	return print_rows(rows, o->format != NULL, "{{.id}}\t{{.mountpoint}}", e);
}

static json_t *
image_entry(const struct rec_image *im, const char *path, bool json)
{
	json_t *r = row(im->id, path), *names;

	if (!json) {
		json_put_str(r, "name", im->names.n > 0 ? im->names.v[0] : im->id);
		return r;
	}
	if (im->digest != NULL && *im->digest != '\0')
		json_add_str(json_object_get(r, "Names"), im->digest);
	names = json_put_arr(r, "Repositories");
	for (size_t i = 0; i < im->names.n; i++)
		json_add_str(names, im->names.v[i]);
	/* Once more, to stand last, as Podman has it. */
	json_object_del(r, "mountpoint");
	json_put_str(r, "mountpoint", path);
	return r;
}

static int
list_images(struct ctx *x, const struct strv *only, bool json, struct err *e)
{
	own_peer_in struct peer_in in = {0}, all = {0};
	own_json json_t *rows = json_arr();
	const struct msg_image_listed *l;

	if (mounted(x, &in, e) == -1 || image_row_list(x, true, 0, &all, e) == -1)
		return -1;
	l = MSG_OF(&all, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		const struct rec_image *im = &l->images.v[i];
		const char *path = path_of(MSG_OF(&in, rootfs_mounted), im->id);

		if (path != NULL && (only == NULL || strv_find(only, im->id) < only->n))
			json_add_take(rows, image_entry(im, path, json));
	}
	return print_rows(rows, json, "{{.name}}\t{{.mountpoint}}", e);
}

/* --- mount, unmount -------------------------------------------------------------------------------*/

static int
one_mount(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	(void)word;
	(void)arg;
	if (attach_ctr(x, id, &in, e) == -1)
		return -1;
	puts(MSG_OF(&in, rootfs_attached)->path);
	return 0;
}

static int
run_mount(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct mount_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	struct select s = {.argc = argc, .argv = argv, .all = o->all, .latest = o->latest};

	if (check_format(o, e) == -1 || check_namespace(cli, "mount", e) == -1)
		return -1;
	if (argc > 0 && o->all)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any container names or IDs");
	if (argc == 0 && !o->all && !o->latest)
		return list_ctrs(x, o, e);
	return select_each(x, &s, one_mount, NULL, e);
}

static int
one_unmount(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const bool *all = arg;
	const char *path;
	int r;

	if (mounted(x, &in, e) == -1)
		return -1;
	path = path_of(MSG_OF(&in, rootfs_mounted), id);
	r = path != NULL ? detach(x, id, path, e) : 0;
	if (r == -1)
		return -1;
	if (r == 1) {
		own_ctr struct ctr c = {0};
		struct err none = {0};

		if (ctr_load(ctx_db(x, &none), id, &c, &none) == 0)
			event_ctr(x, &c, EVENT_UNMOUNT);
	}
	if (r == 1 || !*all)
		puts(word);
	return 0;
}

static int
run_unmount(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct mount_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	struct select s = {.argc = argc, .argv = argv, .all = o->all, .latest = o->latest};

	if (check_namespace(cli, "unmount", e) == -1)
		return -1;
	return select_each(x, &s, one_unmount, &o->all, e);
}

/* --- Images ---------------------------------------------------------------------------------------*/

/* All of them are found before anything is done to one. */
static int
find_images(struct ctx *x, const struct strv *words, struct strv *ids, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		own_peer_in struct peer_in in = {0};

		if (image_row_find(x, words->v[i], &in, e) == -1)
			return -1;
		strv_add(ids, MSG_OF(&in, image_got)->image->id);
	}
	return 0;
}

static int
mount_image(struct ctx *x, const char *id, const char *word, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_rootfs_attach m = {.id = id};

	if (attach(x, &m, 0, &in, e) == -1)
		return -1;
	event_named(x, EVENT_IMAGE, EVENT_MOUNT, id, word);
	return 0;
}

static int
all_images(struct ctx *x, struct strv *words, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	if (image_row_list(x, false, 0, &in, e) == -1)
		return -1;
	for (size_t i = 0; i < MSG_OF(&in, image_listed)->images.n; i++)
		strv_add(words, MSG_OF(&in, image_listed)->images.v[i].id);
	return 0;
}

static int
run_image_mount(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct mount_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_strv struct strv words = {0}, ids = {0};

	if (check_format(o, e) == -1 || check_namespace(cli, "image mount", e) == -1)
		return -1;
	if (argc > 0 && o->all)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any image names or IDs");
	strv_add_all(&words, (const char *const *)argv, (size_t)argc);
	if ((o->all && all_images(x, &words, e) == -1) || find_images(x, &words, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++)
		if (mount_image(x, ids.v[i], words.v[i], e) == -1)
			return -1;
	if (argc == 1 && o->format == NULL) {
		own_peer_in struct peer_in in = {0};

		if (mounted(x, &in, e) == -1)
			return -1;
		puts(path_of(MSG_OF(&in, rootfs_mounted), ids.v[0]));
		return 0;
	}
	return list_images(x, words.n > 0 ? &ids : NULL, o->format != NULL, e);
}

/* Containers' mounts are in the list too: only what is an image counts. */
static int
mounted_images(struct ctx *x, const struct msg_rootfs_mounted *l, struct strv *words, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_image_listed *all;

	if (image_row_list(x, true, 0, &in, e) == -1)
		return -1;
	all = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < all->images.n; i++)
		if (path_of(l, all->images.v[i].id) != NULL)
			strv_add(words, all->images.v[i].id);
	return 0;
}

static int
unmount_image(struct ctx *x, const struct msg_rootfs_mounted *l, const char *id, const char *word,
    struct err *e)
{
	const char *path = path_of(l, id);
	int r = path != NULL ? detach(x, id, path, e) : 0;

	if (r == 1) {
		puts(id);
		event_named(x, EVENT_IMAGE, EVENT_UNMOUNT, id, word);
	}
	return r == -1 ? -1 : 0;
}

static int
run_image_unmount(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct mount_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_strv struct strv words = {0}, ids = {0};
	const struct msg_rootfs_mounted *l;

	if (check_namespace(cli, "image unmount", e) == -1)
		return -1;
	if (argc == 0 && !o->all)
		return err_set(e, ERR_USAGE, "image name or ID must be specified");
	if (argc > 0 && o->all)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any image names or IDs");
	if (mounted(x, &in, e) == -1)
		return -1;
	l = MSG_OF(&in, rootfs_mounted);
	strv_add_all(&words, (const char *const *)argv, (size_t)argc);
	if ((o->all && mounted_images(x, l, &words, e) == -1) ||
	    find_images(x, &words, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++)
		if (unmount_image(x, l, ids.v[i], words.v[i], e) == -1)
			return -1;
	return 0;
}

const struct cmd cmd_mount = {
    .name = "mount",
    .synopsis = "[options] [CONTAINER...]",
    .brief = "Mount a working container's root filesystem",
    .text = "podman mount\n    Lists all mounted containers mount points if no container is "
	    "specified\n\n  podman mount CONTAINER-NAME-OR-ID\n    Mounts the specified container "
	    "and outputs the mountpoint",
    .examples = "mount\nmount ctrID",
    .opts = {{mount_rows, 0}},
    .opts_size = sizeof(struct mount_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run_mount,
};

const struct cmd cmd_unmount = {
    .name = "unmount",
    .aliases = "umount",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Unmount working container's root filesystem",
    .text = "Container storage increments a mount counter each time a container is mounted.\n\n  "
	    "Here a container is mounted once, however often that was asked for.",
    .examples = "unmount ctrID\nunmount ctrID1 ctrID2 ctrID3\nunmount --all",
    .opts = {{unmount_rows, 0}},
    .opts_size = sizeof(struct mount_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run_unmount,
};

const struct cmd cmd_image_mount = {
    .name = "mount",
    .synopsis = "[options] [IMAGE...]",
    .brief = "Mount an image's root filesystem",
    .text =
	"podman image mount\n    Lists all mounted images mount points if no images is "
	"specified\n\n  podman image mount IMAGE-NAME-OR-ID\n    Mounts the specified image and "
	"outputs the mountpoint",
    .examples =
	"image mount imgID\nimage mount imgID1 imgID2 imgID3\nimage mount\nimage mount --all",
    .opts = {{image_mount_rows, 0}},
    .opts_size = sizeof(struct mount_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_image_mount,
};

const struct cmd cmd_image_unmount = {
    .name = "unmount",
    .aliases = "umount",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Unmount an image's root filesystem",
    .text = "Unmounts what image mount mounted.",
    .examples = "image unmount imgID\nimage unmount imgID1 imgID2 imgID3\nimage unmount --all",
    .opts = {{image_unmount_rows, 0}},
    .opts_size = sizeof(struct mount_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_image_unmount,
};
