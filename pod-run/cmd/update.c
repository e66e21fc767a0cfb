/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/monitor.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/limits.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/health.h"
#include "pod-run/life/lift.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/config_linux.h"
#include "pod-run/oci/spec_env.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/oci/spec_limits.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/state/event.h"

#define RESOURCES "resources.json" /* in the bundle */

struct update_opts {
	struct spec_options spec;
	bool latest;
};

#define S struct update_opts

/* clang-format off */
static const struct opt rows[] = {
	{"device-read-iops", 0, OPT_LIST(S, spec.device_read_iops), .arg = "path:rate", .help = "Limit read rate (IO per second) from a device (e.g. --device-read-iops=/dev/sda:1000)"},
	{"device-write-iops", 0, OPT_LIST(S, spec.device_write_iops), .arg = "path:rate", .help = "Limit write rate (IO per second) to a device (e.g. --device-write-iops=/dev/sda:1000)"},
	{"env", 'e', OPT_LIST(S, spec.env), .arg = "env", .help = "Set environment variables in container"},
	{"latest", 'l', OPT_BOOL(S, latest), .help = "Act on the latest container podman is aware of"},
	{"pids-limit", 0, OPT_STRING(S, spec.pids_limit), .arg = "limit", .help = "Tune container pids limit (set -1 for unlimited)"},
	{"restart", 0, OPT_STRING(S, spec.restart), .arg = "policy", .help = "Restart policy to apply when a container exits (\"always\"|\"no\"|\"never\"|\"on-failure\"|\"unless-stopped\")"},
	{"ulimit", 0, OPT_COMMA(S, spec.ulimit), .arg = "type=soft[:hard]", .help = "Ulimit options"},
	{"unsetenv", 0, OPT_LIST(S, spec.unsetenv), .arg = "env", .help = "Unset environment default variables in container"},
	OPT_END,
};
/* clang-format on */

/* NAME=value replaces the NAME that is there. */
static void
set_env(struct strs *env, const char *word, struct arena *a)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], word, n) == 0 && env->v[i][n] == '=') {
			env->v[i] = word;
			return;
		}
	spec_list_add(a, env, word);
}

static int
change_env(const struct spec_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct strs given = {0}, left = {0};

	for (size_t i = 0; i < o->env.n; i++)
		if (spec_env_word(o->env.v[i], (const char *const *)environ, a, &given, e) == -1)
			return -1;
	for (size_t i = 0; i < c->env.n; i++) {
		own_mem char *name = xstrndup(c->env.v[i], strcspn(c->env.v[i], "="));

		if (strv_find(&o->unsetenv, name) == o->unsetenv.n)
			spec_list_add(a, &left, c->env.v[i]);
	}
	for (size_t i = 0; i < given.n; i++)
		set_env(&left, given.v[i], a);
	c->env = left;
	return 0;
}

/* The container runs: its cgroup is changed by the runtime. */
static int
change_running(struct ctx *x, struct ctr *c, struct arena *a, struct err *e)
{
	own_runtime struct runtime r = {0};
	own_mem char *bundle = ctx_bundle(x, c->id), *option = NULL;
	own_strbuf struct strbuf json = {0};
	own_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct spec_facts facts;
	int rc;

	if (dir == -1)
		return err_sys(e, "opening the bundle of container %s", c->id);
	if (runtime_find(x, c->config, &r, e) == -1)
		return -1;
	bundle_facts(x, c, &r, bundle, a, &facts);
	if (config_linux_resources(c->config, &facts, &json, e) == -1)
		return -1;
	if (json.n == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "container %s has no cgroup of its own: its limits can only be changed for its "
		    "next start, while it is stopped",
		    c->id);
	if (file_write(dir, RESOURCES, json.s, json.n, 0600, 0, e) == -1)
		return -1;
	option = xasprintf("--resources=%s/" RESOURCES, bundle);
	rc = runtime_call(&r, "update", option, c->id, e);
	unlinkat(dir, RESOURCES, 0);
	return rc;
}

static bool
limits_given(const struct cli_ctx *cli)
{
	static const char *const more[] = {"pids-limit", "device-read-iops", "device-write-iops"};

	for (size_t i = 0; limits_rows[i].name != NULL; i++)
		if (cmd_given(cli, limits_rows[i].name))
			return true;
	for (size_t i = 0; i < COUNTOF(more); i++)
		if (cmd_given(cli, more[i]))
			return true;
	return false;
}

static bool
health_given(const struct cli_ctx *cli)
{
	for (size_t i = 0; spec_health_rows[i].name != NULL; i++)
		if (cmd_given(cli, spec_health_rows[i].name))
			return true;
	return false;
}

static int
change_health(const struct update_opts *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_health_options *h = &o->spec.health;

	/* Those of a check need one: what was typed must not be lost without a word. */
	if (!h->none && h->cmd == NULL && !spec_health_has(c->health))
		return err_set(e, ERR_INVALID,
		    "cannot change the health check of a container that has none: --health-cmd "
		    "sets one");
	if (!h->none && h->cmd != NULL && !spec_health_has(c->health))
		c->health = NULL;
	return spec_health(h, c, a, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct update_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = -1;
	char id[NAMES_ID_LEN + 1];

	if (select_one(x, argc > 0 ? argv[0] : NULL, o->latest, id, e) == -1)
		return -1;
	lock = sync_open(x, id, &c, e);
	if (lock == -1 || ctr_config(&c, e) == -1 ||
	    limits_apply(x, &o->spec, c.config, &a, e) == -1 ||
	    spec_options_restart(o->spec.restart, c.config->remove, c.config, e) == -1 ||
	    change_env(&o->spec, c.config, &a, e) == -1 ||
	    (health_given(cli) && change_health(o, c.config, &a, e) == -1))
		return -1;
	if (ctr_has_process(&c) && limits_given(cli) &&
	    (change_running(x, &c, &a, e) == -1 || lift_limits(&c, &o->spec, e) == -1))
		return -1;
	if (limits_given(cli) && !cgroup_wanted(c.config))
		spec_limits_ignored();
	if (ctr_save_config(ctx_db(x, e), &c, e) == -1)
		return -1;
	if (ctr_status_is_live(c.status) && health_given(cli) &&
	    health_tell_monitor(x, &c, e) == -1)
		return -1;
	event_ctr(x, &c, EVENT_UPDATE);
	puts(c.id);
	return 0;
}

const struct cmd cmd_update = {
    .name = "update",
    .synopsis = "[options] CONTAINER",
    .brief = "Update an existing container",
    .text = "Updates the configuration of an existing container, allowing changes to resource "
	    "limits, health check, environment and restart policy",
    .examples = "update --cpus=5 foobar_container\nupdate --restart=always -m 64m ctrID",
    .opts = {{limits_rows, offsetof(struct update_opts, spec)},
	{spec_health_rows, offsetof(struct update_opts, spec.health)}, {rows, 0}},
    .opts_size = sizeof(struct update_opts),
    .max = 1,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
