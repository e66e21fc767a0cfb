/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "common/oci/decrypt_key.h"
#include "common/oci/reference.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "pod-run/life/artifact.h"
#include "pod-run/life/create.h"
#include "pod-run/life/end.h"
#include "pod-run/life/label.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/secrets.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/usermap.h"
#include "pod-run/life/volumes.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_logging.h"
#include "pod-run/oci/spec_mounts.h"
#include "pod-run/state/event.h"
#include "pod-run/state/event_journal.h"

#define NAME_TRIES 20

void
create_init(struct create *c, struct ctx *x, const struct spec_options *o)
{
	*c = (struct create){.x = x, .o = o, .lock = -1, .userns_lock = -1, .names_lock = -1};
}

void
create_free(struct create *c)
{
	peer_in_free(&c->image);
	strv_free(&c->needs);
	ctr_free(&c->ctr);
	fd_close(&c->lock);
	fd_close(&c->userns_lock);
	fd_close(&c->names_lock);
	arena_free(&c->arena);
}

/* --- Words --------------------------------------------------------------------------------------*/

int
create_defaults(struct create *c, struct err *e)
{
	struct ctx *x = c->x;
	const struct containers_conf *conf = ctx_conf(x, e);

	if (conf == NULL || runtime_name(x, &c->defaults.runtime, e) == -1)
		return -1;
	c->defaults.conf = conf;
	c->defaults.cdi_dirs = ctx_cdi_dirs(x, e);
	c->defaults.cgroup_manager = ctx_cgroup_manager(x, conf);
	c->defaults.journal = event_journal_usable();
	return spec_defaults_host(
	    &c->defaults, x->rootless.user, x->rootless.uid, x->rootless.gid, &c->arena, e);
}

static int
fill_pull(struct create *c, struct err *e)
{
	const struct spec_options *o = c->o;
	const struct containers_conf *conf = c->defaults.conf;
	const char *wait = o->retry_delay != NULL ? o->retry_delay : conf->engine_retry_delay;
	struct spec_platform platform = {0};
	struct rec_registry_access *a = &c->pull.access;
	int64_t delay;

	if (image_policy_check(
		o->pull != NULL ? o->pull : conf->engine_pull_policy, &c->pull.policy, e) == -1 ||
	    spec_options_platform(o, &platform, &c->arena, e) == -1)
		return -1;
	c->pull.os = platform.os;
	c->pull.arch = platform.arch;
	c->pull.variant = platform.variant;
	c->pull.quiet = o->quiet;
	if (decrypt_key_fill(&o->decryption_key, a, &c->arena, e) == -1)
		return -1;
	a->auth_file = o->authfile;
	a->cert_dir = o->cert_dir;
	a->creds = o->creds;
	a->policy_file = o->signature_policy;
	a->tls_verify = o->tls_verify < 0 ? NULL : o->tls_verify ? "true" : "false";
	a->retries = o->retry >= 0 ? (uint64_t)o->retry + 1
		     : conf->engine_retry_set && conf->engine_retry >= 0
			 ? (uint64_t)conf->engine_retry + 1
			 : 0;
	if (wait != NULL && *wait != '\0') {
		if (value_duration(wait, &delay, e) == -1)
			return err_wrap(e, "invalid retry delay \"%s\"", wait);
		a->retry_delay_ms = (uint64_t)(delay / 1000000);
	}
	return 0;
}

static int
check_cidfile(const char *path, struct err *e)
{
	if (path == NULL || *path == '\0' || access(path, F_OK) == -1)
		return 0;
	return err_set(e, ERR_EXISTS,
	    "container id file exists. Ensure another container is not using it or delete %s",
	    path);
}

/* platform_to_oci_runtime: "OS/ARCH[/VARIANT]" = "RUNTIME", of the image; what the user typed comes first. */
static void
choose_runtime(struct create *c, const struct rec_image_config *image)
{
	const json_t *map = c->defaults.conf->engine_platform_to_oci_runtime;
	const char *runtime = NULL, *key;

	if (map == NULL || c->x->g->runtime != NULL || image == NULL || image->os == NULL ||
	    image->architecture == NULL)
		return;
	key = arena_printf(&c->arena, "%s/%s", image->os, image->architecture);
	if (image->variant != NULL)
		runtime = json_string_value(
		    json_object_get(map, arena_printf(&c->arena, "%s/%s", key, image->variant)));
	if (runtime == NULL)
		runtime = json_string_value(json_object_get(map, key));
	if (runtime != NULL && *runtime != '\0')
		c->config.runtime = runtime;
}

/* "container:NAME" becomes "container:ID". */
static int
resolve(struct create *c, const char *kind, const char **mode, struct strv *needs, struct err *e)
{
	char id[NAMES_ID_LEN + 1];
	struct db *db;

	if (*mode == NULL || !text_has_prefix(*mode, "container:"))
		return 0;
	db = ctx_db(c->x, e);
	if (db == NULL)
		return -1;
	if (ctr_find(db, *mode + strlen("container:"), id, e) == -1)
		return err_wrap(e, "looking up container to share %s namespace with", kind);
	*mode = arena_printf(&c->arena, "container:%s", id);
	strv_add(needs, id);
	return 0;
}

static int
resolve_all(struct create *c, struct strv *needs, struct err *e)
{
	struct rec_ctr_config *g = &c->config;

	if (resolve(c, "net", &g->network_mode, needs, e) == -1 ||
	    resolve(c, "pid", &g->pid_ns, needs, e) == -1 ||
	    resolve(c, "ipc", &g->ipc_ns, needs, e) == -1 ||
	    resolve(c, "uts", &g->uts_ns, needs, e) == -1 ||
	    resolve(c, "cgroup", &g->cgroup_ns, needs, e) == -1 ||
	    resolve(c, "user", &g->user_ns, needs, e) == -1)
		return -1;
	if (usermap_resolve(c->x, g, &c->userns_lock, &c->arena, e) == -1)
		return -1;
	for (size_t i = 0; i < g->requires.n; i++) {
		char id[NAMES_ID_LEN + 1];
		struct db *db = ctx_db(c->x, e);

		if (db == NULL)
			return -1;
		if (ctr_find(db, g->requires.v[i], id, e) == -1)
			return err_wrap(e,
			    "\"%s\" is not a valid container, cannot be used as a dependency",
			    g->requires.v[i]);
		g->requires.v[i] = arena_strdup(&c->arena, id);
		strv_add(needs, id);
	}
	return 0;
}

int
create_read(struct create *c, int argc, char **argv, struct err *e)
{
	struct cli_ctx *cli = c->x->cli;

	if (ctx_paths(c->x, e) == -1 || create_defaults(c, e) == -1 || fill_pull(c, e) == -1)
		return -1;
	c->input = (struct spec_input){.o = c->o,
	    .d = &c->defaults,
	    .image = argv[0],
	    .words = (const char *const *)argv + 1,
	    .words_n = (size_t)argc - 1,
	    .command_line = (const char *const *)cli->argv,
	    .command_line_n = (size_t)cli->argc};
	if (spec_options_read(&c->input, &c->config, &c->arena, e) == -1 ||
	    check_cidfile(c->config.cid_file, e) == -1)
		return -1;
	if (c->config.name != NULL && *c->config.name != '\0' && !names_is_valid(c->config.name))
		return err_set(e, ERR_INVALID, "%s", NAMES_RULE);
	return 0;
}

/* Images that are mounted somewhere are pulled like the container's own. */
static int
find_images(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->config.mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->config.mounts.v[i];
		own_peer_in struct peer_in in = {0};
		uint32_t seq;

		if (strcmp(m->type, "image") != 0)
			continue;
		if (image_ask(c->x, m->source, &c->pull, &seq, e) == -1 ||
		    image_found(c->x, m->source, seq, &c->pull, &in, e) == -1)
			return -1;
	}
	return 0;
}

/* --volumes-from: their mounts come before those of the image. */
static int
inherit_volumes(struct create *c, struct err *e)
{
	const struct strv *l = &c->o->volumes_from;
	struct db *db = l->n > 0 ? ctx_db(c->x, e) : NULL;

	for (size_t i = 0; i < l->n; i++) {
		own_ctr struct ctr other = {0};
		char id[NAMES_ID_LEN + 1];
		const char *name;
		unsigned how;

		if (db == NULL ||
		    spec_mounts_inherit_word(l->v[i], &name, &how, &c->arena, e) == -1)
			return -1;
		if (ctr_find(db, name, id, e) == -1)
			return err_wrap(e, "looking up container \"%s\" for volumes-from", name);
		if (ctr_load(db, id, &other, e) == -1 || ctr_config(&other, e) == -1)
			return -1;
		spec_mounts_inherit(other.config, how, &c->config, &c->arena);
		spec_list_add(&c->arena, &c->config.volumes_from, l->v[i]);
		strv_add(&c->needs, id);
	}
	return 0;
}

/* --- Image --------------------------------------------------------------------------------------*/

int
create_ask(struct create *c, struct err *e)
{
	return c->o->rootfs ? 0 : image_ask(c->x, c->input.image, &c->pull, &c->image_seq, e);
}

/* The one of the image's names that it was asked for by; NULL: by its ID. */
static const char *
image_name(struct create *c)
{
	const struct msg_image_got *got = MSG_OF(&c->image, image_got);
	own_reference struct reference ref = {0};
	struct err ignored = {0};

	if (got->matched != NULL)
		return got->matched;
	if (reference_parse(c->input.image, &ref, &ignored) == -1 || ref.domain == NULL ||
	    ref.digest == NULL)
		return NULL;
	return arena_printf(&c->arena, "%s/%s@%s", ref.domain, ref.path, ref.digest);
}

int
create_merge(struct create *c, struct err *e)
{
	const struct rec_image *image = NULL;

	if (!c->o->rootfs &&
	    image_found(c->x, c->input.image, c->image_seq, &c->pull, &c->image, e) == -1)
		return -1;
	if (!c->o->rootfs) {
		image = MSG_OF(&c->image, image_got)->image;
		c->config.image_name = image_name(c);
		choose_runtime(c, image->config);
	}
	if (artifact_mounts(c->x, image != NULL ? image->id : NULL, &c->config, &c->arena, e) ==
		-1 ||
	    find_images(c, e) == -1 || inherit_volumes(c, e) == -1 ||
	    spec_options_merge(&c->input, image, &c->config, &c->arena, e) == -1)
		return -1;
	names_id(c->ctr.id);
	c->ctr.created_ns = c->config.created_ns = ctx_now_ns();
	c->ctr.status = CTR_CONFIGURED;
	c->ctr.image = image != NULL ? image->id : "";
	c->ctr.error = "";
	c->ctr.config = &c->config;
	return 0;
}

/* --- Row ----------------------------------------------------------------------------------------*/

static void
list_volumes(const struct rec_ctr_config *c, struct strv *volumes)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].type, "volume") == 0 && c->mounts.v[i].source != NULL)
			strv_add(volumes, c->mounts.v[i].source);
}

static int
replace(struct create *c, struct err *e)
{
	struct remove how = {.force = true, .timeout_s = STOP_TIMEOUT_OWN};
	char id[NAMES_ID_LEN + 1];
	struct db *db = ctx_db(c->x, e);

	if (!c->o->replace)
		return 0;
	if (c->config.name == NULL || *c->config.name == '\0')
		return err_set(e, ERR_USAGE, "cannot replace container without --name being set");
	if (db == NULL)
		return -1;
	if ((ctr_find_name(db, c->config.name, id, e) == -1 ||
		remove_ctr(c->x, id, &how, e) == -1) &&
	    e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

/* A byte of one file stands for each name that a command has made up and not yet written down. */
static bool
claim_name(struct create *c, const char *name)
{
	struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (c->names_lock == -1)
		c->names_lock =
		    openat(c->x->lock_fd, "names", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	f.l_start = hash;
	return fcntl(c->names_lock, F_OFD_SETLK, &f) == 0 || errno != EAGAIN;
}

static int
choose_name(struct create *c, struct err *e)
{
	struct db *db = ctx_db(c->x, e);
	bool is_free = false;
	char *name;

	c->ctr.name = c->config.name;
	if (c->ctr.name != NULL && *c->ctr.name != '\0')
		return ctr_name_check(db, c->ctr.name, e);
	name = arena_alloc(&c->arena, NAMES_GENERATED_MAX);
	for (int i = 0; i < NAME_TRIES && !is_free; i++) {
		names_generate(name);
		/* First, so that the row of one who has let it go is seen. */
		if (!claim_name(c, name))
			continue;
		if (ctr_name_is_free(db, name, &is_free, e) == -1)
			return -1;
	}
	c->ctr.name = c->config.name = name;
	return 0;
}

/* container_name_as_hostname: the name without what a host name cannot hold. */
static void
name_host(struct create *c)
{
	struct rec_ctr_config *g = &c->config;
	char *name;
	size_t n = 0;

	if (!c->defaults.conf->containers_container_name_as_hostname || g->hostname != NULL ||
	    (g->uts_ns != NULL && strcmp(g->uts_ns, "private") != 0))
		return;
	name = arena_strdup(&c->arena, g->name);
	for (const char *p = name; *p != '\0' && n < 64; p++)
		if (*p != '_')
			name[n++] = *p;
	name[n] = '\0';
	g->hostname = name;
}

/* log_path: the logs of all containers below one directory, where they outlive the containers. */
static int
place_log(struct create *c, struct err *e)
{
	const char *top = c->defaults.conf->containers_log_path;
	struct rec_ctr_config *g = &c->config;
	own_fd int root = -1, dir = -1;
	const char *path;

	if (*top == '\0' || (g->log_path != NULL && *g->log_path != '\0') ||
	    !spec_logging_is_file(g->log_driver))
		return 0;
	path = arena_printf(&c->arena, "%s/%s", top, c->ctr.id);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	dir = path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, e);
	if (dir == -1)
		return err_wrap(e, "making the directory of the container's log");
	g->log_path = arena_printf(&c->arena, "%s/ctr.log", path);
	return 0;
}

int
create_resolve(struct create *c, struct err *e)
{
	if (ctx_db(c->x, e) == NULL || resolve_all(c, &c->needs, e) == -1 ||
	    label_choose(c->x, &c->input, &c->config, &c->arena, e) == -1 || replace(c, e) == -1)
		return -1;
	if (choose_name(c, e) == -1)
		return -1;
	name_host(c);
	return place_log(c, e);
}

static void
announce(struct create *c)
{
	own_json json_t *doc = NULL;
	own_mem char *text = NULL;
	struct event ev;

	if (!c->defaults.conf->engine_events_container_create_inspect_data || c->describe == NULL) {
		event_ctr(c->x, &c->ctr, EVENT_CREATE);
		return;
	}
	event_of_ctr(&c->ctr, EVENT_CREATE, &ev);
	doc = c->describe(c->x, &c->ctr);
	text = json_dumps(doc, JSON_COMPACT);
	ev.inspect = text;
	event_write(c->x, &ev);
}

int
create_record(struct create *c, struct err *e)
{
	own_strv struct strv volumes = {0};
	int r;

	list_volumes(&c->config, &volumes);
	if (secrets_resolve(c->x, &c->config, &c->arena, e) == -1)
		return -1;
	c->lock = lock_acquire(c->x->lock_fd, c->ctr.id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (c->lock == -1)
		return -1;
	r = ctr_insert(ctx_db(c->x, e), &c->ctr, &c->needs, &volumes, e);
	/* Whoever chooses next sees our row. */
	fd_close(&c->userns_lock);
	fd_close(&c->names_lock);
	if (r == -1) {
		unlinkat(c->x->lock_fd, c->ctr.id, 0);
		return -1;
	}
	if (secrets_copy(c->x, &c->ctr, e) == -1) {
		create_forget(c);
		return -1;
	}
	announce(c);
	if (c->config.cid_file == NULL || *c->config.cid_file == '\0')
		return 0;
	if (file_write(AT_FDCWD, c->config.cid_file, c->ctr.id, NAMES_ID_LEN, 0644, FILE_NOREPLACE,
		e) == -1) {
		create_forget(c);
		return -1;
	}
	return 0;
}

static int
refuse_creation(const struct rec_volume_use *u, struct err *e)
{
	return err_set(e, ERR_NOTFOUND,
	    "volume %s does not exist and its creation was disabled: no such volume", u->name);
}

int
create_fresh_volumes(struct create *c, struct strv *out, struct err *e)
{
	own_mem char *all = ctx_volume_path(c->x);
	struct rec_volume_use *v;
	size_t n = spec_options_volumes(&c->config, &c->arena, &v);

	for (size_t i = 0; i < n; i++) {
		own_mem char *path = xasprintf("%s/%s", all, v[i].name);

		if (access(path, F_OK) == 0 || errno != ENOENT)
			continue;
		if (v[i].no_create) {
			own_arena struct arena a = {0};
			struct rec_volume old;
			int r = volumes_find(c->x, v[i].name, &old, &a, e);

			if (r != 1)
				return r == 0 ? refuse_creation(&v[i], e) : -1;
		}
		strv_add(out, v[i].name);
	}
	return 0;
}

/* 1: the store can prepare it; 0: that is somebody else's. */
static int
make_volume(struct create *c, const struct rec_volume_use *u, struct err *e)
{
	struct rec_volume v = {.name = u->name, .anonymous = u->anonymous};
	struct msg_volume_create m = {.volume = &v, .ignore = true};
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	struct rec_volume old;
	int r = volumes_find(c->x, u->name, &old, &a, e);

	if (r == -1)
		return -1;
	if (r == 1)
		return volumes_is_plain(&old) ? 1 : 0;
	if (u->no_create)
		return refuse_creation(u, e);
	if (peer_call(ctx_store(c->x, e), &msg_volume_create_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	event_named(c->x, EVENT_VOLUME, EVENT_CREATE, NULL, u->name);
	return 1;
}

int
create_volumes(struct create *c, struct err *e)
{
	const struct rec_ctr_config *g = &c->config;
	struct msg_rootfs_open m = {
	    .id = c->ctr.id, .image = g->image_id, .user = g->user, .no_passwd = true, .dir = -1};
	own_peer_in struct peer_in in = {0};

	m.volumes.n = spec_options_volumes(g, &c->arena, &m.volumes.v);
	for (size_t i = 0; i < m.volumes.n; i++) {
		int r = m.volumes.v[i].external ? 0 : make_volume(c, &m.volumes.v[i], e);

		if (r == -1)
			return -1;
		m.volumes.v[i].external = r == 0;
	}
	if (m.volumes.n == 0 || g->rootfs != NULL ||
	    !c->defaults.conf->containers_prepare_volume_on_create)
		return 0;
	m.volatile_ = g->remove;
	m.size = g->storage_size;
	m.uid_map.v = g->uid_map.v;
	m.uid_map.n = g->uid_map.n;
	m.gid_map.v = g->gid_map.v;
	m.gid_map.n = g->gid_map.n;
	return peer_call(ctx_store(c->x, e), &msg_rootfs_open_desc, &m, &in, NULL, NULL, e);
}

void
create_forget(struct create *c)
{
	struct err e = {0};

	end_remove(c->x, &c->ctr, true, &e);
}
