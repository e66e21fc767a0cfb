/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
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
add_cleanup(struct ctx *x, struct strv *l)
{
	ctx_own_command(x, l);
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
	ctx_own_command(x, out);
	strv_add(out, "healthcheck");
	strv_add(out, "run");
	strv_add(out, "--timer");
	strv_add(out, id);
}
