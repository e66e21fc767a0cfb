/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/conf/storage_conf.h"
#include "common/conf/network_hello.h"
#include "common/conf/storage_hello.h"
#include "common/conf/tls_details.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/fs/spread.h"
#include "common/role/spawn.h"
#include "pod-run/ctx.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/remote/remote.h"
#include "pod-run/state/ctr.h"
#include "pod-run/state/event.h"
#include "pod-run/state/mend.h"

#define ALIVE "alive" /* a file in the run root, which a reboot empties */

struct ctx *
ctx_of(struct cli_ctx *cli)
{
	return cli->app;
}

struct ctx *
ctx_new(struct cli_ctx *cli)
{
	struct ctx *x = xcalloc(1, sizeof(*x));

	x->cli = cli;
	x->g = cli->globals;
	x->exit_fd = x->lock_fd = x->early_fetch_ = -1;
	return x;
}

int
ctx_limit_tls(struct ctx *x, const char *path, struct err *e)
{
	x->tls = arena_alloc(&x->tls_arena_, sizeof(*x->tls));
	return tls_details_load(path, &x->tls_arena_, x->tls, e);
}

void
ctx_expect(struct ctx *x, unsigned asks)
{
	struct err ignored = {0};
	pid_t pid;

	/* An ordinary user's helpers are born in the namespace that is entered later. */
	if (geteuid() != 0)
		return;
	/* First what takes longest to come up. */
	if (asks & CTX_ASKS_FETCH)
		x->early_fetch_ = spawn_end_of(ROLE_FETCH, &ignored);
	if (asks & CTX_ASKS_STORE)
		x->early_store_ = spawn_peer(ROLE_RUN, ROLE_STORE, &pid, &ignored);
}

void
ctx_expect_none(struct ctx *x)
{
	fd_close(&x->early_fetch_);
	peer_free(x->early_store_);
	x->early_store_ = NULL;
}

void
ctx_end_helpers(struct ctx *x)
{
	ctx_expect_none(x);
	peer_free(x->store_);
	peer_free(x->net_);
	db_close(x->db_);
	x->store_ = x->net_ = NULL;
	x->db_ = NULL;
}

void
ctx_free(struct ctx *x)
{
	bool fold;

	if (x == NULL)
		return;
	fold = x->db_ != NULL && db_wants_folding(x->db_);
	ctx_end_helpers(x);
	remote_free(x->remote);
	if (fold)
		db_fold_later(x->graph_root);
	if (x->conf_loaded_)
		containers_conf_free(&x->conf_);
	fd_close(&x->exit_fd);
	fd_close(&x->lock_fd);
	arena_free(&x->tls_arena_);
	if (x->creds != NULL)
		explicit_bzero(x->creds, strlen(x->creds));
	free(x->creds);
	free(x->remains);
	free(x->announced);
	free(x->graph_root);
	free(x->run_root);
	free(x->tmp_dir);
	free(x->image_store);
	free(x->driver);
	free(x->storage_conf_file);
	strv_free(&x->storage_options);
	free(x->exit_dir);
	free(x->lock_dir);
	free(x);
}

int64_t
ctx_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- Paths --------------------------------------------------------------------------------------*/

static char *
absolute(const char *path)
{
	own_mem char *cwd = NULL;

	if (*path == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	return xasprintf("%s/%s", cwd != NULL ? cwd : "", path);
}

/* What the user said wins over the files. */
static void
replace(char **at, const char *given)
{
	if (given == NULL || *given == '\0')
		return;
	free(*at);
	*at = absolute(given);
}

/*
 * tmp_dir of containers.conf is Podman's own, which keeps files of the same names there: ours lie one directory
 * further down.  --runroot takes it along.
 */
static int
choose_tmp_dir(struct ctx *x, struct err *e)
{
	const struct containers_conf *c = ctx_conf(x, e);

	if (c == NULL)
		return -1;
	if (*c->engine_tmp_dir == '\0' || (x->g->runroot != NULL && *x->g->runroot != '\0')) {
		x->tmp_dir = xstrdup(x->run_root);
		return 0;
	}
	x->tmp_dir = xasprintf("%s/pod", c->engine_tmp_dir);
	return 0;
}

static int
choose(struct ctx *x, struct err *e)
{
	own_storage_conf struct storage_conf s = {0};

	if (storage_conf_load(&s, x->rootless.user ? x->rootless.uid : 0, e) == -1)
		return -1;
	x->graph_root = ptr_take(&s.graphroot);
	x->run_root = ptr_take(&s.runroot);
	x->image_store = ptr_take(&s.imagestore);
	x->driver = ptr_take(&s.driver);
	x->storage_conf_file = ptr_take(&s.file);
	x->transient = x->g->transient_store || s.transient_store;
	storage_conf_settings(&s, &x->g->storage_opt, &x->storage_options);
	replace(&x->graph_root, x->g->root);
	replace(&x->run_root, x->g->runroot);
	replace(&x->image_store, x->g->imagestore);
	replace(&x->tmp_dir, x->g->tmpdir);
	if (x->tmp_dir == NULL && choose_tmp_dir(x, e) == -1)
		return -1;
	if (x->g->storage_driver != NULL && *x->g->storage_driver != '\0') {
		free(x->driver);
		x->driver = xstrdup(x->g->storage_driver);
	}
	x->exit_dir = xasprintf("%s/exits", x->tmp_dir);
	x->lock_dir = xasprintf("%s/locks", x->tmp_dir);
	return 0;
}

static int
make_dir(const char *path, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int fd = path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, e);

	return fd == -1 ? -1 : 0;
}

static int
make_dirs(struct ctx *x, struct err *e)
{
	own_mem char *bundles = xasprintf("%s/containers", x->run_root);
	own_mem char *kept = xasprintf("%s/containers", x->graph_root);
	own_fd int strangers = -1;

	if (make_dir(x->graph_root, e) == -1 || make_dir(bundles, e) == -1 ||
	    make_dir(kept, e) == -1 || make_dir(x->exit_dir, e) == -1 ||
	    make_dir(x->lock_dir, e) == -1)
		return -1;
	strangers = open(kept, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (strangers >= 0)
		spread_below(strangers);
	return 0;
}

/* Once: later we may be in a namespace. */
static int
look(struct ctx *x, struct err *e)
{
	if (x->looked_)
		return 0;
	x->looked_ = true;
	return rootless_look(&x->rootless, e);
}

static const char *
database_root(const struct ctx *x)
{
	return x->transient ? x->run_root : x->graph_root;
}

int
ctx_database_check(struct ctx *x, bool quick, char *why, size_t size, struct err *e)
{
	return mend_look(database_root(x), quick, why, size, e);
}

/* The first command after a reboot: what ran before does not run any more. */
static int
refresh(struct ctx *x, struct err *e)
{
	own_fd int dir = open(x->tmp_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int lock = lock_acquire(x->lock_fd, "refresh", LOCK_EXCLUSIVE, LOCK_WAIT, e);

	if (lock == -1)
		return -1;
	if (faccessat(dir, ALIVE, F_OK, 0) == 0)
		return 0;
	if (db_open(database_root(x), x->run_root, &x->db_, e) == -1 ||
	    ctr_reset_all(x->db_, e) == -1)
		return -1;
	x->refreshed = true;
	return file_write(dir, ALIVE, "", 0, 0600, 0, e);
}

static int
open_dirs(struct ctx *x, struct err *e)
{
	x->exit_fd = open(x->exit_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	x->lock_fd = open(x->lock_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return x->exit_fd == -1 || x->lock_fd == -1
		   ? err_sys(e, "opening state directories in %s", x->tmp_dir)
		   : 0;
}

static bool
has_database(const struct ctx *x)
{
	own_mem char *path = xasprintf("%s/pod.db", database_root(x));

	return access(path, F_OK) == 0 || errno != ENOENT;
}

int
ctx_paths(struct ctx *x, struct err *e)
{
	own_mem char *alive = NULL;
	bool fresh;

	if (x->entered)
		return 0;
	/* What was meant for another machine may not act on this one. */
	if (x->remote != NULL)
		return err_set(
		    e, ERR_UNSUPPORTED, "%s: not built for a remote service yet", x->remote->name);
	if (look(x, e) == -1 || choose(x, e) == -1 ||
	    storage_conf_own_runroot(x->run_root, e) == -1)
		return -1;
	x->is_gone = x->makes_nothing && !has_database(x);
	if (x->is_gone)
		return err_set(e, ERR_NOTFOUND, "%s: no pod.db", database_root(x));
	if (x->rootless.needed &&
	    (make_dir(x->run_root, e) == -1 || rootless_enter(&x->rootless, x->run_root, e) == -1))
		return -1;
	alive = xasprintf("%s/" ALIVE, x->tmp_dir);
	fresh = access(alive, F_OK) == -1;
	if ((fresh || access(x->graph_root, F_OK) == -1) && make_dirs(x, e) == -1)
		return -1;
	if (open_dirs(x, e) == -1 ||
	    (x->repairs && mend_put_right(database_root(x), x->run_root, e) == -1) ||
	    (fresh && refresh(x, e) == -1))
		return -1;
	x->entered = true;
	if (x->refreshed)
		event_named(x, EVENT_SYSTEM, EVENT_REFRESH, NULL, NULL);
	log_debug("Using graph driver %s", *x->driver != '\0' ? x->driver : "overlay");
	log_debug("Using graph root %s", x->graph_root);
	log_debug("Using run root %s", x->run_root);
	log_debug("Using tmp dir %s", x->tmp_dir);
	return 0;
}

char *
ctx_bundle(const struct ctx *x, const char *id)
{
	return xasprintf("%s/containers/%s", x->run_root, id);
}

char *
ctx_static_dir(const struct ctx *x, const char *id)
{
	return xasprintf("%s/containers/%s", x->graph_root, id);
}

char *
ctx_volume_path(const struct ctx *x)
{
	char *inside = xasprintf("%s/volumes", x->graph_root), target[PATH_MAX];
	ssize_t n = readlink(inside, target, sizeof(target));

	if (n <= 0 || n == sizeof(target))
		return inside;
	free(inside);
	return xstrndup(target, (size_t)n);
}

/* --- Another command of ours ---------------------------------------------------------------------*/

void
ctx_add_option(struct strv *l, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	strv_add(l, name);
	strv_add(l, value);
}

static void
add_options(struct strv *l, const char *name, const struct strv *values)
{
	for (size_t i = 0; i < values->n; i++)
		ctx_add_option(l, name, values->v[i]);
}

/* What was settled, else what was asked for. */
static const char *
either(const char *settled, const char *asked)
{
	return settled != NULL ? settled : asked;
}

void
ctx_own_command(const struct ctx *x, struct strv *out)
{
	const struct ctx_globals *g = x->g;

	strv_addf(out, "%s/pod-run", spawn_bin_dir());
	ctx_add_option(out, "--root", either(x->graph_root, g->root));
	ctx_add_option(out, "--runroot", either(x->run_root, g->runroot));
	ctx_add_option(out, "--tmpdir", either(x->tmp_dir, g->tmpdir));
	ctx_add_option(out, "--imagestore", either(x->image_store, g->imagestore));
	ctx_add_option(out, "--volumepath", g->volumepath);
	ctx_add_option(out, "--storage-driver", either(x->driver, g->storage_driver));
	add_options(out, "--storage-opt", &g->storage_opt);
	add_options(out, "--runtime-flag", &g->runtime_flag);
	add_options(out, "--module", &g->module);
	ctx_add_option(out, "--log-level", g->log_level);
	ctx_add_option(out, "--cgroup-manager", g->cgroup_manager);
	ctx_add_option(out, "--network-config-dir", g->network_config_dir);
	ctx_add_option(out, "--events-backend", g->events_backend);
	add_options(out, "--hooks-dir", &g->hooks_dir);
	add_options(out, "--cdi-spec-dir", &g->cdi_spec_dir);
	ctx_add_option(out, "--default-mounts-file", g->default_mounts_file);
	ctx_add_option(out, "--registries-conf", g->registries_conf);
	if (g->transient_store)
		strv_add(out, "--transient-store");
	/* Against an environment or a configuration that names a service. */
	if (opt_given(&x->cli->global_parse, "remote"))
		strv_add(out, "--remote=false");
}

/* --- Configuration, database, helpers -----------------------------------------------------------*/

/* Variables for the engine itself and its helpers; those of the caller win. */
static void
set_environment(const struct strv *l)
{
	for (size_t i = 0; i < l->n; i++) {
		own_mem char *name = xstrndup(l->v[i], strcspn(l->v[i], "="));
		const char *value = l->v[i] + strlen(name);

		if (*name == '\0' || *value != '=')
			log_warn("invalid environment variable for engine %s, valid configuration "
				 "is KEY=value pair",
			    l->v[i]);
		else
			setenv(name, value + 1, 0);
	}
}

const struct containers_conf *
ctx_conf(struct ctx *x, struct err *e)
{
	if (!x->conf_loaded_) {
		uid_t uid;

		if (look(x, e) == -1)
			return NULL;
		uid = x->rootless.user ? x->rootless.uid : getuid();
		if (containers_conf_load(&x->conf_, uid, &x->g->module, e) == -1)
			return NULL;
		x->conf_loaded_ = true;
		set_environment(&x->conf_.engine_env);
		/* They were born without it. */
		if (x->conf_.engine_env.n > 0)
			ctx_expect_none(x);
	}
	return &x->conf_;
}

const char *
ctx_network_dir(struct ctx *x)
{
	struct err e = {0};
	const struct containers_conf *c;

	if (x->g->network_config_dir != NULL && *x->g->network_config_dir != '\0')
		return x->g->network_config_dir;
	c = ctx_conf(x, &e);
	return c != NULL && *c->network_network_config_dir != '\0' ? c->network_network_config_dir
								   : NULL;
}

const struct strv *
ctx_cdi_dirs(struct ctx *x, struct err *e)
{
	const struct containers_conf *c;

	if (x->g->cdi_spec_dir.n > 0)
		return &x->g->cdi_spec_dir;
	c = ctx_conf(x, e);
	return c == NULL ? NULL : &c->engine_cdi_spec_dirs;
}

const struct strv *
ctx_hooks_dirs(struct ctx *x, struct err *e)
{
	const struct containers_conf *c;

	if (x->g->hooks_dir.n > 0)
		return &x->g->hooks_dir;
	c = ctx_conf(x, e);
	return c == NULL ? NULL : &c->engine_hooks_dir;
}

struct db *
ctx_db(struct ctx *x, struct err *e)
{
	if (ctx_paths(x, e) == -1)
		return NULL;
	if (x->db_ == NULL && db_open(database_root(x), x->run_root, &x->db_, e) == -1)
		return NULL;
	return x->db_;
}

/* Where volumes shall lie.  --root takes that of containers.conf along, so that two roots never share them. */
static int
put_volume_path(struct ctx *x, struct rec_kv *v, size_t *n, struct arena *a, struct err *e)
{
	own_mem char *path = NULL;
	const struct containers_conf *c;

	if (x->g->volumepath != NULL && *x->g->volumepath != '\0') {
		replace(&path, x->g->volumepath);
		v[(*n)++] = (struct rec_kv){.key = "volume_path", .value = arena_strdup(a, path)};
		return 0;
	}
	if (x->g->root != NULL && *x->g->root != '\0')
		return 0;
	c = ctx_conf(x, e);
	if (c == NULL)
		return -1;
	if (*c->engine_volume_path == '\0')
		return 0;
	v[(*n)++] = (struct rec_kv){.key = "default_volume_path", .value = c->engine_volume_path};
	return 0;
}

/* What a helper is told first; mode: how it is to be started. */
static int
fill_hello(struct ctx *x, enum role role, struct msg_hello *hello, const char **mode,
    struct arena *a, struct err *e)
{
	size_t n = 0;
	const struct containers_conf *conf =
	    role == ROLE_NET || role == ROLE_IMAGE ? ctx_conf(x, e) : NULL;
	size_t more = conf != NULL ? network_hello_max(conf) : 0;
	struct rec_kv *options;

	if (((role == ROLE_NET || role == ROLE_IMAGE) && conf == NULL) || ctx_paths(x, e) == -1)
		return -1;
	hello->graph_root = x->graph_root;
	hello->run_root = x->run_root;
	hello->image_store = x->image_store;
	hello->driver = x->driver;
	hello->rootless = x->rootless.user;
	hello->uid = x->rootless.uid;
	if (role == ROLE_IMAGE)
		hello->tls = x->tls;
	options = storage_hello_options(&x->storage_options, more + 3, a, e);
	if (options == NULL)
		return -1;
	if (role == ROLE_STORE)
		n = x->storage_options.n;
	if (role == ROLE_STORE && x->repairs)
		options[n++] = (struct rec_kv){.key = "repair", .value = "yes"};
	if (role == ROLE_STORE && put_volume_path(x, options, &n, a, e) == -1)
		return -1;
	if (role == ROLE_NET && x->starts)
		options[n++] = (struct rec_kv){.key = "prepare", .value = "netns"};
	if (role == ROLE_IMAGE && conf->engine_image_parallel_copies > 0)
		options[n++] = (struct rec_kv){.key = "parallel_copies",
		    .value =
			arena_printf(a, "%lld", (long long)conf->engine_image_parallel_copies)};
	if (role == ROLE_IMAGE && *conf->engine_image_copy_tmp_dir == '/')
		options[n++] = (struct rec_kv){
		    .key = "copy_tmp_dir", .value = conf->engine_image_copy_tmp_dir};
	if (role == ROLE_NET) {
		n += network_hello_options(conf, options + n, a);
		*mode = network_hello_others(conf) ? "--peer-plugins" : NULL;
	}
	hello->options.v = options;
	hello->options.n = n;
	return 0;
}

struct peer *
ctx_helper(struct ctx *x, enum role role, pid_t *pid, struct err *e)
{
	own_arena struct arena a = {0};
	struct msg_hello hello = {.log_level = log_level_name(log_get_level())};
	const char *mode = NULL;
	struct peer *p = NULL;
	/*
	 * Before we know what it is to be told, so that it comes up meanwhile.  Not if that decides how it is
	 * started, nor for an ordinary user, whose helpers are born in the namespace that is entered then.
	 */
	bool early = role != ROLE_NET && (x->entered || geteuid() == 0);

	if (role == ROLE_STORE)
		p = ptr_take(&x->early_store_);
	if (p == NULL && early && (p = spawn_peer_mode(ROLE_RUN, role, NULL, pid, e)) == NULL)
		return NULL;
	if (fill_hello(x, role, &hello, &mode, &a, e) == -1)
		goto failed;
	if (p == NULL && (p = spawn_peer_mode(ROLE_RUN, role, mode, pid, e)) == NULL)
		return NULL;
	if (peer_send(p, &msg_hello_desc, 0, &hello, e) == 0)
		return p;
failed:
	peer_free(p);
	return NULL;
}

int
ctx_fetch(struct ctx *x, struct err *e)
{
	/* engine.env may name a proxy; and an ordinary user's helpers are born in the namespace. */
	if (ctx_conf(x, e) == NULL || (geteuid() != 0 && ctx_paths(x, e) == -1))
		return -1;
	return x->early_fetch_ != -1 ? fd_take(&x->early_fetch_) : spawn_end_of(ROLE_FETCH, e);
}

struct peer *
ctx_store(struct ctx *x, struct err *e)
{
	pid_t pid;

	if (x->store_ == NULL)
		x->store_ = ctx_helper(x, ROLE_STORE, &pid, e);
	return x->store_;
}

struct peer *
ctx_net(struct ctx *x, struct err *e)
{
	pid_t pid;

	if (x->net_ == NULL)
		x->net_ = ctx_helper(x, ROLE_NET, &pid, e);
	return x->net_;
}

const char *
ctx_cgroup_manager(struct ctx *x, const struct containers_conf *conf)
{
	const char *asked = x->g->cgroup_manager;

	return cgroup_manager(
	    asked != NULL ? asked : conf->engine_cgroup_manager, x->rootless.user);
}
