/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "pod-run/life/cleanup.h"

void
cleanup_environment(struct strv *l)
{
	/* What the runtime and the cleanup need of the caller's; nothing else outlives the command. */
	static const char *const names[] = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR",
	    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "CONTAINERS_CONF",
	    "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF",
	    "DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "POD_TRACE"};

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *v = getenv(names[i]);

		if (v != NULL && text_is_utf8(v, strlen(v)))
			strv_addf(l, "%s=%s", names[i], v);
	}
}

static void
add_option(struct strv *l, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	strv_add(l, name);
	strv_add(l, value);
}

static void
add_globals(struct ctx *x, struct strv *l)
{
	const struct ctx_globals *g = x->g;

	strv_addf(l, "%s/pod-run", spawn_bin_dir());
	add_option(l, "--root", x->graph_root);
	add_option(l, "--runroot", x->run_root);
	add_option(l, "--tmpdir", x->tmp_dir);
	add_option(l, "--imagestore", x->image_store);
	add_option(l, "--storage-driver", x->driver);
	for (size_t i = 0; i < g->storage_opt.n; i++)
		add_option(l, "--storage-opt", g->storage_opt.v[i]);
	for (size_t i = 0; i < g->runtime_flag.n; i++)
		add_option(l, "--runtime-flag", g->runtime_flag.v[i]);
	for (size_t i = 0; i < g->module.n; i++)
		add_option(l, "--module", g->module.v[i]);
	add_option(l, "--log-level", g->log_level);
	add_option(l, "--cgroup-manager", g->cgroup_manager);
	add_option(l, "--network-config-dir", g->network_config_dir);
	add_option(l, "--events-backend", g->events_backend);
	for (size_t i = 0; i < g->hooks_dir.n; i++)
		add_option(l, "--hooks-dir", g->hooks_dir.v[i]);
	for (size_t i = 0; i < g->cdi_spec_dir.n; i++)
		add_option(l, "--cdi-spec-dir", g->cdi_spec_dir.v[i]);
	add_option(l, "--default-mounts-file", g->default_mounts_file);
	if (g->transient_store)
		strv_add(l, "--transient-store");
}

static void
add_cleanup(struct ctx *x, struct strv *l)
{
	add_globals(x, l);
	strv_add(l, "container");
	strv_add(l, "cleanup");
	strv_add(l, "--stopped-only");
}

void
cleanup_command(struct ctx *x, const char *id, struct strv *out)
{
	add_cleanup(x, out);
	strv_add(out, id);
}

void
cleanup_exec_command(struct ctx *x, const char *id, const char *session, struct strv *out)
{
	add_cleanup(x, out);
	strv_add(out, "--exec");
	strv_add(out, session);
	strv_add(out, id);
}

void
cleanup_health_command(struct ctx *x, const char *id, struct strv *out)
{
	add_globals(x, out);
	strv_add(out, "healthcheck");
	strv_add(out, "run");
	strv_add(out, "--timer");
	strv_add(out, id);
}
