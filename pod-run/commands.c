/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "common/cli/complete.h"
#include "common/cli/help.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/commands.h"
#include "pod-run/ctx.h"
#include "pod-run/life/artifact.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/containers.h"
#include "pod-run/remote/images.h"
#include "pod-run/remote/networks.h"
#include "pod-run/remote/upkeep.h"
#include "pod-run/state/ctr.h"
#include "pod-run/state/secret.h"

static const struct cmd_place container_sub[] = {
    {.cmd = &cmd_attach},
    {.cmd = &cmd_container_checkpoint},
    {.cmd = &cmd_container_cleanup},
    {.cmd = &cmd_container_clone},
    {.cmd = &cmd_commit},
    {.cmd = &cmd_cp},
    {.cmd = &cmd_create},
    {.cmd = &cmd_container_diff},
    {.cmd = &cmd_exec},
    {.cmd = &cmd_container_exists},
    {.cmd = &cmd_export},
    {.cmd = &cmd_init},
    {.cmd = &cmd_container_inspect},
    {.cmd = &cmd_kill},
    {.cmd = &cmd_ps, .name = "list", .aliases = "ls"},
    {.cmd = &cmd_logs},
    {.cmd = &cmd_mount},
    {.cmd = &cmd_pause},
    {.cmd = &cmd_port},
    {.cmd = &cmd_container_prune},
    {.cmd = &cmd_ps},
    {.cmd = &cmd_rename},
    {.cmd = &cmd_restart},
    {.cmd = &cmd_container_restore},
    {.cmd = &cmd_rm},
    {.cmd = &cmd_run},
    {.cmd = &cmd_container_runlabel},
    {.cmd = &cmd_start},
    {.cmd = &cmd_stats},
    {.cmd = &cmd_stop},
    {.cmd = &cmd_top},
    {.cmd = &cmd_unmount},
    {.cmd = &cmd_unpause},
    {.cmd = &cmd_update},
    {.cmd = &cmd_wait},
    {0},
};

static const struct cmd container_group = {
    .name = "container",
    .brief = "Manage containers",
    .sub = container_sub,
};

static const struct cmd_place root_sub[] = {
    {.cmd = &cmd_artifact},
    {.cmd = &cmd_attach},
    {.cmd = &cmd_commit},
    {.cmd = &complete_cmd},
    {.cmd = &container_group},
    {.cmd = &cmd_cp},
    {.cmd = &cmd_create},
    {.cmd = &cmd_diff},
    {.cmd = &cmd_events},
    {.cmd = &cmd_exec},
    {.cmd = &cmd_export},
    {.cmd = &cmd_healthcheck},
    {.cmd = &help_cmd},
    {.cmd = &cmd_history},
    {.cmd = &cmd_image},
    {.cmd = &cmd_images},
    {.cmd = &cmd_import},
    {.cmd = &cmd_info},
    {.cmd = &cmd_init},
    {.cmd = &cmd_inspect},
    {.cmd = &cmd_kill},
    {.cmd = &cmd_load},
    {.cmd = &cmd_login},
    {.cmd = &cmd_logout},
    {.cmd = &cmd_logs},
    {.cmd = &cmd_manifest},
    {.cmd = &cmd_mount},
    {.cmd = &cmd_network},
    {.cmd = &cmd_pause},
    {.cmd = &cmd_port},
    {.cmd = &cmd_ps},
    {.cmd = &cmd_pull},
    {.cmd = &cmd_push},
    {.cmd = &cmd_rename},
    {.cmd = &cmd_restart},
    {.cmd = &cmd_rm},
    {.cmd = &cmd_rmi},
    {.cmd = &cmd_run},
    {.cmd = &cmd_save},
    {.cmd = &cmd_search},
    {.cmd = &cmd_secret},
    {.cmd = &cmd_start},
    {.cmd = &cmd_stats},
    {.cmd = &cmd_stop},
    {.cmd = &cmd_system},
    {.cmd = &cmd_tag},
    {.cmd = &cmd_top},
    {.cmd = &cmd_unmount},
    {.cmd = &cmd_unpause},
    {.cmd = &cmd_unshare},
    {.cmd = &cmd_untag},
    {.cmd = &cmd_update},
    {.cmd = &cmd_version},
    {.cmd = &cmd_volume},
    {.cmd = &cmd_wait},
    {0},
};

const struct cmd commands_root = {
    .name = "pod",
    .brief = "Manage pods, containers and images",
    .sub = root_sub,
};

/* --- Completion ---------------------------------------------------------------------------------*/

static const struct strv no_filters;

static int
list_containers(struct ctx *x, struct ctr_list *l, struct err *e)
{
	const struct containers_wanted all = {.all = true, .last = -1, .filters = &no_filters};
	own_json json_t *told = NULL;
	struct db *db;

	if (x->remote != NULL)
		return containers_list(x->remote, &all, l, &told, e);
	db = ctx_db(x, e);
	return db == NULL ? -1 : ctr_list(db, l, e);
}

static void
complete_containers(struct ctx *x, bool running, const char *prefix, struct strv *out)
{
	own_ctr_list struct ctr_list l = {0};
	struct err e = {0};

	if (list_containers(x, &l, &e) == -1)
		return;
	for (size_t i = 0; i < l.n; i++) {
		if (running && l.v[i].status != CTR_RUNNING)
			continue;
		if (text_has_prefix(l.v[i].name, prefix))
			strv_add(out, l.v[i].name);
		if (*prefix != '\0' && text_has_prefix(l.v[i].id, prefix))
			strv_addf(out, NAMES_SHORT_FMT "\t%s", l.v[i].id, l.v[i].name);
	}
}

static int
list_images(struct ctx *x, struct peer_in *in, struct err *e)
{
	own_json json_t *told = NULL;

	return x->remote != NULL ? images_list(x->remote, false, &no_filters, NULL, in, &told, e)
				 : image_row_list(x, false, 0, in, e);
}

static void
complete_images(struct ctx *x, const char *prefix, struct strv *out)
{
	own_peer_in struct peer_in in = {0};
	struct err e = {0};
	const struct msg_image_listed *l;

	if (list_images(x, &in, &e) == -1)
		return;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		const struct rec_image *im = &l->images.v[i];

		for (size_t k = 0; k < im->names.n; k++) {
			const char *last = strrchr(im->names.v[k], '/');

			if (text_has_prefix(im->names.v[k], prefix))
				strv_add(out, im->names.v[k]);
			else if (last != NULL && text_has_prefix(last + 1, prefix))
				strv_add(out, last + 1);
		}
		if (*prefix != '\0' && text_has_prefix(im->id, prefix))
			strv_addf(out, NAMES_SHORT_FMT, im->id);
	}
}

static void
complete_lists(struct ctx *x, const char *prefix, struct strv *out)
{
	own_peer_in struct peer_in in = {0};
	struct err e = {0};
	const struct msg_image_listed *l;

	if (list_images(x, &in, &e) == -1)
		return;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		const struct rec_image *im = &l->images.v[i];

		for (size_t k = 0; manifest_type_is_index(im->media_type) && k < im->names.n; k++)
			if (text_has_prefix(im->names.v[k], prefix))
				strv_add(out, im->names.v[k]);
	}
}

static void
complete_artifacts(struct ctx *x, const char *prefix, struct strv *out)
{
	own_peer_in struct peer_in in = {0};
	struct msg_artifact_look m = {0};
	struct err e = {0};
	const struct msg_artifact_look_r *r;

	if (artifact_look(x, &m, &in, &e) == -1)
		return;
	r = MSG_OF(&in, artifact_look_r);
	for (size_t i = 0; i < r->artifacts.n; i++)
		if (text_has_prefix(r->artifacts.v[i].name, prefix))
			strv_add(out, r->artifacts.v[i].name);
}

/* By a key of each, of what a service lists. */
static void
complete_told(const json_t *list, const char *key, const char *prefix, struct strv *out)
{
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o) {
		const char *name = json_string_value(json_object_get(o, key));

		if (name != NULL && text_has_prefix(name, prefix))
			strv_add(out, name);
	}
}

static void
complete_networks(struct ctx *x, const char *prefix, struct strv *out)
{
	own_peer_in struct peer_in in = {0};
	own_json json_t *told = NULL;
	struct err e = {0};
	const struct msg_net_listed *l;

	if (x->remote != NULL) {
		told = networks_list(x->remote, &no_filters, &e);
		complete_told(told, "name", prefix, out);
		return;
	}
	if (network_list(x, NULL, &in, &e) == -1)
		return;
	l = MSG_OF(&in, net_listed);
	for (size_t i = 0; i < l->networks.n; i++)
		if (text_has_prefix(l->networks.v[i].name, prefix))
			strv_add(out, l->networks.v[i].name);
}

static void
complete_volumes(struct ctx *x, const char *prefix, struct strv *out)
{
	own_volume_rows struct volume_rows rows = {0};
	own_json json_t *told = NULL;
	struct err e = {0};

	if (x->remote != NULL) {
		told = networks_volumes(x->remote, &no_filters, &e);
		complete_told(told, "Name", prefix, out);
		return;
	}
	if (volume_row_list(x, &no_filters, &rows, &e) == -1)
		return;
	for (size_t i = 0; i < rows.n; i++)
		if (text_has_prefix(rows.v[i].v->name, prefix))
			strv_add(out, rows.v[i].v->name);
}

static void
complete_secrets(struct ctx *x, const char *prefix, struct strv *out)
{
	own_secrets struct secrets s = SECRET_NONE;
	own_json json_t *all = NULL;
	struct err e = {0};

	if (x->remote != NULL)
		all = upkeep_secrets(x->remote, &e);
	else if (secret_open(x, false, &s, &e) == 0)
		all = secret_list(&s);
	complete_told(all, "name", prefix, out);
}

static void
complete_objects(struct ctx *x, const char *prefix, struct strv *out)
{
	complete_containers(x, false, prefix, out);
	complete_images(x, prefix, out);
	complete_networks(x, prefix, out);
	complete_volumes(x, prefix, out);
}

/* With and without the prefix of the kernel's names. */
static void
complete_word(const char *word, size_t bare, const char *prefix, struct strv *out)
{
	if (text_has_prefix(word, prefix))
		strv_add(out, word);
	if (text_has_prefix(word + bare, prefix))
		strv_add(out, word + bare);
}

/* The standard ones: nobody types a real-time signal by name. */
static void
complete_signals(const char *prefix, struct strv *out)
{
	char name[16];

	for (int i = 1; i < 32; i++) {
		sig_name(i, name, sizeof(name));
		complete_word(name, strlen("SIG"), prefix, out);
	}
}

static void
complete_capabilities(const char *prefix, struct strv *out)
{
	const char *name;

	for (unsigned i = 0; (name = spec_cap_name(i)) != NULL; i++)
		complete_word(name, strlen("CAP_"), prefix, out);
}

void
commands_complete(
    struct cli_ctx *cli, enum complete_kind kind, const char *prefix, struct strv *out)
{
	struct ctx *x = ctx_of(cli);
	struct err e = {0};

	if (x == NULL)
		cli->app = x = ctx_new(cli);
	if (command_attach(x, &e) == -1)
		return;
	if (kind == COMPLETE_CONTAINER || kind == COMPLETE_CONTAINER_RUNNING)
		complete_containers(x, kind == COMPLETE_CONTAINER_RUNNING, prefix, out);
	else if (kind == COMPLETE_IMAGE)
		complete_images(x, prefix, out);
	else if (kind == COMPLETE_ARTIFACT)
		complete_artifacts(x, prefix, out);
	else if (kind == COMPLETE_MANIFEST)
		complete_lists(x, prefix, out);
	else if (kind == COMPLETE_NETWORK)
		complete_networks(x, prefix, out);
	else if (kind == COMPLETE_VOLUME)
		complete_volumes(x, prefix, out);
	else if (kind == COMPLETE_SECRET)
		complete_secrets(x, prefix, out);
	else if (kind == COMPLETE_OBJECT)
		complete_objects(x, prefix, out);
	else if (kind == COMPLETE_SIGNAL)
		complete_signals(prefix, out);
	else if (kind == COMPLETE_CAPABILITY)
		complete_capabilities(prefix, out);
}
