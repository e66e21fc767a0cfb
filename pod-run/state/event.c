/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-run/state/event.h"
#include "pod-run/state/event_file.h"
#include "pod-run/state/event_journal.h"

static const char *const types[EVENT_TYPE_COUNT] = {
    [EVENT_ARTIFACT] = "artifact",
    [EVENT_CONTAINER] = "container",
    [EVENT_IMAGE] = "image",
    [EVENT_MACHINE] = "machine",
    [EVENT_NETWORK] = "network",
    [EVENT_POD] = "pod",
    [EVENT_SECRET] = "secret",
    [EVENT_SYSTEM] = "system",
    [EVENT_VOLUME] = "volume",
};

static const char *const statuses[EVENT_STATUS_COUNT] = {
    [EVENT_ATTACH] = "attach",
    [EVENT_AUTO_UPDATE] = "auto-update",
    [EVENT_BUILD] = "build",
    [EVENT_CHECKPOINT] = "checkpoint",
    [EVENT_CLEANUP] = "cleanup",
    [EVENT_COMMIT] = "commit",
    [EVENT_CONNECT] = "connect",
    [EVENT_COPY] = "copy",
    [EVENT_CREATE] = "create",
    [EVENT_DIED] = "died",
    [EVENT_DISCONNECT] = "disconnect",
    [EVENT_EXEC] = "exec",
    [EVENT_EXEC_DIED] = "exec_died",
    [EVENT_EXPORT] = "export",
    [EVENT_HEALTH_STATUS] = "health_status",
    [EVENT_HISTORY] = "history",
    [EVENT_IMPORT] = "import",
    [EVENT_INIT] = "init",
    [EVENT_KILL] = "kill",
    [EVENT_LOAD] = "loadfromarchive",
    [EVENT_MOUNT] = "mount",
    [EVENT_PAUSE] = "pause",
    [EVENT_PRUNE] = "prune",
    [EVENT_PULL] = "pull",
    [EVENT_PULL_ERROR] = "pull-error",
    [EVENT_PUSH] = "push",
    [EVENT_REFRESH] = "refresh",
    [EVENT_REMOVE] = "remove",
    [EVENT_RENAME] = "rename",
    [EVENT_RENUMBER] = "renumber",
    [EVENT_RESTART] = "restart",
    [EVENT_RESTORE] = "restore",
    [EVENT_ROTATE] = "log-rotation",
    [EVENT_SAVE] = "save",
    [EVENT_START] = "start",
    [EVENT_STOP] = "stop",
    [EVENT_SYNC] = "sync",
    [EVENT_TAG] = "tag",
    [EVENT_UNMOUNT] = "unmount",
    [EVENT_UNPAUSE] = "unpause",
    [EVENT_UNTAG] = "untag",
    [EVENT_UPDATE] = "update",
};

static const char *const backends[] = {
    [EVENT_NONE] = "none",
    [EVENT_FILE] = "file",
    [EVENT_JOURNALD] = "journald",
};

static int
find(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

int
event_type_find(const char *word)
{
	return find(types, COUNTOF(types), word);
}

int
event_status_find(const char *word)
{
	return strcmp(word, "die") == 0 ? EVENT_DIED : find(statuses, COUNTOF(statuses), word);
}

/* --- Backend ------------------------------------------------------------------------------------*/

const char *
event_backend_name(enum event_backend b)
{
	return backends[b];
}

int
event_backend_parse(const char *word, enum event_backend *out, struct err *e)
{
	int i = find(backends, COUNTOF(backends), word);

	if (i == -1)
		return err_set(
		    e, ERR_INVALID, "\"%s\" is not a valid events backend: invalid argument", word);
	*out = (enum event_backend)i;
	return 0;
}

int
event_backend(struct ctx *x, enum event_backend *out, struct err *e)
{
	const char *word = x->g->events_backend;
	const struct containers_conf *conf;

	if (word == NULL || *word == '\0') {
		conf = ctx_conf(x, e);
		if (conf == NULL)
			return -1;
		word = conf->engine_events_logger;
	}
	if (*word == '\0') {
		*out = event_journal_usable() ? EVENT_JOURNALD : EVENT_FILE;
		return 0;
	}
	return event_backend_parse(word, out, e);
}

char *
event_path(struct ctx *x, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);

	if (conf == NULL || ctx_paths(x, e) == -1)
		return NULL;
	return *conf->engine_events_logfile_path != '\0'
		   ? xstrdup(conf->engine_events_logfile_path)
		   : xasprintf("%s/events/events.log", x->tmp_dir);
}

/* --- Writing ------------------------------------------------------------------------------------*/

static void
put_text(json_t *o, const char *key, const char *value)
{
	if (value != NULL && *value != '\0')
		json_put_str(o, key, value);
}

static json_t *
attributes(const struct event *ev)
{
	json_t *o;

	if (ev->type != EVENT_CONTAINER && ev->attributes_n == 0)
		return json_null();
	o = json_obj();
	for (size_t i = 0; i < ev->attributes_n; i++)
		json_put_str(o, ev->attributes[i].key, ev->attributes[i].value);
	return o;
}

/* In the order of Podman's structure, since people look at the file. */
static json_t *
document(const struct event *ev, int64_t now_ns)
{
	json_t *o = json_obj();
	char when[HUMAN_MAX];

	if (ev->exited)
		json_put_int(o, "ContainerExitCode", ev->exit_code);
	put_text(o, "ID", ev->id);
	put_text(o, "Image", ev->image);
	put_text(o, "Name", ev->name);
	put_text(o, "Network", ev->network);
	json_put_str(o, "Status", statuses[ev->status]);
	json_put_str(o, "Time", human_rfc3339nano(now_ns, when, sizeof(when)));
	json_put_str(o, "Type", types[ev->type]);
	put_text(o, "health_status", ev->health);
	put_text(o, "HealthLog", ev->health_log);
	if (ev->failing_streak > 0)
		json_put_int(o, "HealthFailingStreak", (int64_t)ev->failing_streak);
	if (ev->oom)
		json_put_bool(o, "OOMKilled", true);
	put_text(o, "Error", ev->error);
	put_text(o, "PodID", ev->pod_id);
	put_text(o, "ContainerInspectData", ev->inspect);
	json_put_take(o, "Attributes", attributes(ev));
	return o;
}

static int
write_it(struct ctx *x, const struct event *ev, struct err *e)
{
	own_json json_t *doc = NULL;
	own_mem char *path = NULL;
	enum event_backend backend;
	const struct containers_conf *conf;

	if (event_backend(x, &backend, e) == -1)
		return -1;
	if (backend == EVENT_NONE)
		return 0;
	doc = document(ev, ctx_now_ns());
	if (backend == EVENT_JOURNALD)
		return event_journal_send(doc, e);
	path = event_path(x, e);
	conf = ctx_conf(x, e);
	return path == NULL ? -1
			    : event_file_append(path, doc, conf->engine_events_logfile_max_size, e);
}

void
event_write(struct ctx *x, const struct event *ev)
{
	struct err e = {0};

	if (write_it(x, ev, &e) == -1)
		log_warn("Unable to write %s event: %s", statuses[ev->status], e.text);
}

void
event_of_ctr(struct ctr *c, enum event_status status, struct event *ev)
{
	struct err e = {0};

	*ev =
	    (struct event){.type = EVENT_CONTAINER, .status = status, .id = c->id, .name = c->name};
	if (ctr_config(c, &e) == -1)
		return;
	ev->image = c->config->image_name;
	ev->attributes = c->config->labels.v;
	ev->attributes_n = c->config->labels.n;
}

void
event_ctr(struct ctx *x, struct ctr *c, enum event_status status)
{
	struct event ev;

	event_of_ctr(c, status, &ev);
	event_write(x, &ev);
}

void
event_died(struct ctx *x, struct ctr *c, bool stopping)
{
	struct event ev;

	if (stopping)
		event_ctr(x, c, EVENT_STOP);
	event_of_ctr(c, EVENT_DIED, &ev);
	ev.exited = true;
	ev.exit_code = c->exit_code;
	ev.oom = c->oom;
	event_write(x, &ev);
}

void
event_exec_died(struct ctx *x, struct ctr *c, int code)
{
	struct event ev;

	event_of_ctr(c, EVENT_EXEC_DIED, &ev);
	ev.exited = true;
	ev.exit_code = code;
	event_write(x, &ev);
}

void
event_named(
    struct ctx *x, enum event_type type, enum event_status status, const char *id, const char *name)
{
	struct event ev = {.type = type, .status = status, .id = id, .name = name};

	event_write(x, &ev);
}
