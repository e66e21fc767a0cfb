/* SPDX-License-Identifier: ISC */
/*
 * "system reset": everything goes, as if the engine had never run here.
 */
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/db/salvage.h"
#include "common/fs/tree.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/network.h"
#include "pod-run/life/end.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/volumes.h"
#include "pod-run/state/event.h"

struct reset_opts {
	bool force;
};

static const struct opt rows[] = {
    {"force", 'f', OPT_BOOL(struct reset_opts, force),
	.help = "Do not prompt for confirmation.  The default is false"},
    OPT_END,
};

/* What we make below the two roots; whatever else is there is somebody else's. */
static const char *const graph_names[] = {"pod.db", "pod.db-wal", "pod.db-shm", "store.db",
    "store.db-wal", "store.db-shm", "layers", "rw", "volumes", "containers", "tmp", "secrets",
    "mounts", "trash", "empty", "made", "mountpoints", "artifacts", "store.lock"};
static const char *const network_names[] = {"networks"};
static const char *const run_names[] = {"containers", "net", "seccomp", "mnt", "oci-crun",
    "oci-runc", "image-stores", "pod.db", "pod.db-wal", "pod.db-shm", "pause.lock"};
static const char *const tmp_names[] = {"exits", "locks", "alive", "events"};

/* --- Objects ------------------------------------------------------------------------------------*/

static void
complain(struct err *e)
{
	if (err_is_set(e))
		log_error("%s", e->text);
	err_clear(e);
}

static int
remove_containers(struct ctx *x, struct err *e)
{
	struct remove how = {.force = true, .volumes = true, .depend = true, .timeout_s = 0};
	own_strv struct strv ids = {0};
	struct err one = {0};

	if (ctr_ids(ctx_db(x, e), &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		/* One that another stands on may have gone with it. */
		if (remove_ctr(x, ids.v[i], &how, &one) == -1 && one.class == ERR_NOTFOUND)
			err_clear(&one);
		complain(&one);
	}
	end_settle(x);
	return 0;
}

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* They lie in a directory of somebody's, which is not ours to empty. */
static bool
volumes_lie_elsewhere(const struct ctx *x)
{
	own_mem char *path = ctx_volume_path(x);

	return !is_below(path, x->graph_root);
}

static void
remove_volume(struct ctx *x, const char *name, struct err *e)
{
	struct msg_volume_remove m = {.name = name, .ignore = true};
	own_peer_in struct peer_in in = {0};

	peer_call(ctx_store(x, e), &msg_volume_remove_desc, &m, &in, NULL, NULL, e);
}

/* What they mounted, or had a plug-in make, and those that do not go with the graph root. */
static void
remove_volumes(struct ctx *x)
{
	bool elsewhere = volumes_lie_elsewhere(x);
	struct msg_volume_list m = {0};
	own_peer_in struct peer_in in = {0};
	struct err e = {0};
	struct peer *store = ctx_store(x, &e);
	const struct msg_volume_listed *l;

	if (store == NULL ||
	    peer_call(store, &msg_volume_list_desc, &m, &in, NULL, NULL, &e) == -1) {
		complain(&e);
		return;
	}
	l = MSG_OF(&in, volume_listed);
	for (size_t i = 0; i < l->volumes.n; i++) {
		const struct rec_volume *v = &l->volumes.v[i];

		if (!volumes_is_plain(v) && volumes_unmount(x, v, "", &e) == 0 &&
		    volumes_is_plugin(v))
			volumes_plugin_remove(x, v, &e);
		if (elsewhere && !err_is_set(&e))
			remove_volume(x, v->name, &e);
		complain(&e);
	}
}

/* An ordinary user's definitions lie in the graph root. */
static bool
networks_lie_inside(struct ctx *x)
{
	return x->rootless.user && ctx_network_dir(x) == NULL;
}

/* Definitions of root are shared by all roots, unless they have a directory of their own: those of others stay. */
static bool
owns_networks(struct ctx *x)
{
	return x->g->root == NULL || ctx_network_dir(x) != NULL || networks_lie_inside(x);
}

static void
remove_networks(struct ctx *x)
{
	own_peer_in struct peer_in in = {0};
	const struct containers_conf *conf;
	const struct msg_net_listed *l;
	struct err e = {0};

	conf = ctx_conf(x, &e);
	if (conf == NULL || network_list(x, NULL, &in, &e) == -1) {
		complain(&e);
		return;
	}
	l = MSG_OF(&in, net_listed);
	for (size_t i = 0; i < l->networks.n; i++) {
		own_peer_in struct peer_in done = {0};
		struct msg_net_remove m = {
		    .network_dir = ctx_network_dir(x), .name = l->networks.v[i].name};

		if (strcmp(m.name, conf->network_default_network) != 0)
			peer_call(ctx_net(x, &e), &msg_net_remove_desc, &m, &done, NULL, NULL, &e);
		complain(&e);
	}
}

/* --- Files --------------------------------------------------------------------------------------*/

/* Root file systems and images that were mounted for all to see; the last one first. */
static void
unmount_all(const struct ctx *x)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	own_strv struct strv mounts = {0};
	struct mntent *m;

	while (f != NULL && (m = getmntent(f)) != NULL)
		if (is_below(m->mnt_dir, x->graph_root) || is_below(m->mnt_dir, x->run_root))
			strv_add(&mounts, m->mnt_dir);
	if (f != NULL)
		endmntent(f);
	for (size_t i = mounts.n; i-- > 0;)
		if (umount2(mounts.v[i], MNT_DETACH | UMOUNT_NOFOLLOW) == -1)
			log_error("unmounting %s: %s", mounts.v[i], strerror(errno));
}

static int
remove_names(const char *root, const char *const *names, size_t n, struct err *e)
{
	own_fd int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err one = {0};

	if (dir == -1)
		return err_sys(e, "opening %s", root);
	for (size_t i = 0; i < n; i++) {
		if (tree_remove(dir, names[i], &one) == -1 && !err_is_set(e))
			*e = one;
		err_clear(&one);
	}
	return err_is_set(e) ? -1 : 0;
}

static int
remove_volume_place(const char *path, struct err *e)
{
	static const char *const names[] = {".trash"};
	int r = access(path, F_OK) == 0 ? remove_names(path, names, COUNTOF(names), e) : 0;

	rmdir(path);
	return r;
}

static int
remove_files(struct ctx *x, struct err *e)
{
	own_mem char *volumes = volumes_lie_elsewhere(x) ? ctx_volume_path(x) : NULL;
	int r;

	unmount_all(x);
	r = remove_names(x->graph_root, graph_names, COUNTOF(graph_names), e);
	if (salvage_forget(x->graph_root, "pod.db", e) == -1 ||
	    salvage_forget(x->graph_root, "store.db", e) == -1 ||
	    salvage_forget(x->run_root, "pod.db", e) == -1)
		r = -1;
	if (volumes != NULL && remove_volume_place(volumes, e) == -1)
		r = -1;
	if (networks_lie_inside(x) &&
	    remove_names(x->graph_root, network_names, COUNTOF(network_names), e) == -1)
		r = -1;
	if (remove_names(x->tmp_dir, tmp_names, COUNTOF(tmp_names), e) == -1 ||
	    remove_names(x->run_root, run_names, COUNTOF(run_names), e) == -1)
		r = -1;
	/* They stay if somebody else keeps something there. */
	rmdir(x->graph_root);
	rmdir(x->tmp_dir);
	rmdir(x->run_root);
	return r;
}

/* --- The command --------------------------------------------------------------------------------*/

/* 1: go on. */
static int
confirmed(struct ctx *x, struct err *e)
{
	own_mem char *warning = xasprintf("WARNING! This will remove:\n"
					  "        - all containers\n"
					  "        - all images\n"
					  "%s"
					  "        - all secrets\n"
					  "        - all volumes\n"
					  "        - the graphRoot directory: \"%s\"\n"
					  "        - the runRoot directory: \"%s\"\n",
	    owns_networks(x) ? "        - all networks\n" : "", x->graph_root, x->run_root);

	return confirm_ask(warning, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct reset_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	int go;

	(void)argc;
	(void)argv;
	if (ctx_paths(x, e) == -1)
		return -1;
	go = o->force ? 1 : confirmed(x, e);
	if (go != 1)
		return go;
	if (ctx_db(x, e) == NULL || remove_containers(x, e) == -1)
		return -1;
	orphans_remove(x, true, NULL);
	remove_volumes(x);
	if (owns_networks(x))
		remove_networks(x);
	ctx_end_helpers(x);
	if (x->rootless.user && rootless_end(x->run_root, e) == -1)
		return -1;
	return remove_files(x, e);
}

const struct cmd cmd_system_reset = {
    .name = "reset",
    .synopsis = "[options]",
    .brief = "Reset podman storage",
    .text = "Reset podman storage back to default state\n\n  All containers will be stopped and "
	    "removed, and all images, volumes, networks and secrets will be removed.",
    .examples = "system reset\nsystem reset --force",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct reset_opts),
    .max = 0,
    .run = run,
};
