/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/checkpoint.h"
#include "pod-run/life/health.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/usage.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_config.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/state/exec.h"
#include "pod-run/state/summary.h"

#define OCI_VERSION "1.0.2"

void
inspect_put_time(json_t *o, const char *key, int64_t ns)
{
	char text[HUMAN_MAX];

	json_put_str(
	    o, key, ns == 0 ? "0001-01-01T00:00:00Z" : human_rfc3339nano(ns, text, sizeof(text)));
}

json_t *
inspect_strs(const struct strs *l)
{
	json_t *a = json_arr();

	for (size_t i = 0; i < l->n; i++)
		json_add_str(a, l->v[i]);
	return a;
}

json_t *
inspect_kvs(const struct rec_kv *v, size_t n)
{
	json_t *o = json_obj();

	for (size_t i = 0; i < n; i++)
		json_put_str(o, v[i].key, v[i].value);
	return o;
}

const char *
inspect_or(const char *s, const char *otherwise)
{
	return s != NULL && *s != '\0' ? s : otherwise;
}

/* What is kept of the checks, in Podman's words only. */
static void
put_health(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_json json_t *state = health_load(x, c);
	static const char *const keys[] = {"Status", "FailingStreak", "Log"};
	json_t *h, *v;

	if (!spec_health_has(c->config->health))
		return;
	h = json_put_obj(o, "Health");
	json_put_str(h, "Status", "");
	json_put_int(h, "FailingStreak", 0);
	json_put_take(h, "Log", json_null());
	for (size_t i = 0; state != NULL && i < COUNTOF(keys); i++)
		if ((v = json_object_get(state, keys[i])) != NULL)
			json_object_set(h, keys[i], v);
}

static void
put_checkpoint(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_mem char *dir = ctx_static_dir(x, c->id), *bundle = ctx_bundle(x, c->id);
	own_mem char *images = xasprintf("%s/" CHECKPOINT_DIR, dir);
	own_mem char *log = xasprintf("%s/" CHECKPOINT_LOG, dir);
	own_mem char *restore = xasprintf("%s/" CHECKPOINT_RESTORE_LOG, bundle);
	struct checkpoint_state s;

	checkpoint_state(x, c->id, &s);
	if (s.checkpointed)
		json_put_bool(o, "Checkpointed", true);
	inspect_put_time(o, "CheckpointedAt", s.checkpointed_ns);
	inspect_put_time(o, "RestoredAt", s.restored_ns);
	if (s.checkpointed) {
		json_put_str(o, "CheckpointLog", log);
		json_put_str(o, "CheckpointPath", images);
	}
	if (s.restored) {
		json_put_str(o, "RestoreLog", restore);
		json_put_bool(o, "Restored", true);
	}
}

static json_t *
state(struct ctx *x, const struct ctr *c)
{
	own_mem char *cgroup = usage_cgroup_path(c);
	json_t *o = json_obj();

	json_put_str(o, "OciVersion", OCI_VERSION);
	json_put_str(o, "Status", ctr_status_name(c->status));
	json_put_bool(o, "Running", c->status == CTR_RUNNING || c->status == CTR_STOPPING);
	json_put_bool(o, "Paused", c->status == CTR_PAUSED);
	json_put_bool(o, "Restarting", false);
	json_put_bool(o, "OOMKilled", c->oom);
	json_put_bool(o, "Dead", false);
	json_put_int(o, "Pid", c->pid);
	if (c->monitor_pid > 0)
		json_put_int(o, "ConmonPid", c->monitor_pid);
	json_put_int(o, "ExitCode", c->exit_code);
	json_put_str(o, "Error", c->error);
	inspect_put_time(o, "StartedAt", c->started_ns);
	inspect_put_time(o, "FinishedAt", c->finished_ns);
	put_checkpoint(o, x, c);
	put_health(o, x, c);
	json_put_str(o, "CgroupPath", c->pid > 0 && cgroup != NULL ? cgroup : "");
	return o;
}

static void
put_command(json_t *o, const struct ctr *c)
{
	own_strv struct strv words = {0};

	summary_args(c->config, &words);
	json_put_str(o, "Path", words.n > 0 ? words.v[0] : "");
	if (words.n > 0)
		strv_remove(&words, 0);
	json_put_strv(o, "Args", &words);
}

/* Files that exist only once the container has been started. */
static void
put_paths(json_t *o, struct ctx *x, const struct ctr *c)
{
	static const struct {
		const char *key, *file;
		unsigned wanted;
	} files[] = {{"ResolvConfPath", "resolv.conf", ETC_RESOLV},
	    {"HostnamePath", "hostname", ETC_HOSTNAME}, {"HostsPath", "hosts", ETC_HOSTS},
	    {"OCIConfigPath", "config.json", 0}};
	own_mem char *bundle = ctx_bundle(x, c->id), *dir = ctx_static_dir(x, c->id);
	bool started = c->started_ns != 0;

	for (size_t i = 0; i < COUNTOF(files); i++) {
		own_mem char *path = xasprintf("%s/%s", bundle, files[i].file);
		bool there = started && (files[i].wanted == 0 ||
					    (etc_files_wanted(c->config) & files[i].wanted) != 0);

		json_put_str(o, files[i].key, there ? path : "");
	}
	json_put_str(o, "StaticDir", dir);
}

static void
put_runtime(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_mem char *bundle = ctx_bundle(x, c->id);
	own_mem char *monitor = xasprintf("%s/" BUNDLE_MONITOR_PID, bundle);
	own_mem char *process = xasprintf("%s/" BUNDLE_PID, bundle);
	const char *name = c->config->runtime;
	struct err ignored = {0};

	if (name == NULL || *name == '\0')
		runtime_name(x, &name, &ignored);
	json_put_str(o, "OCIRuntime", inspect_or(name, ""));
	json_put_str(o, "ConmonPidFile", inspect_or(c->config->monitor_pid_file, monitor));
	json_put_str(o, "PidFile", inspect_or(c->config->pid_file, process));
}

static void
put_exec_ids(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_strv struct strv ids = {0};
	struct err ignored = {0};

	exec_list(ctx_db(x, &ignored), c->id, &ids, &ignored);
	json_put_strv(o, "ExecIDs", &ids);
}

static void
put_dependencies(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_strv struct strv ids = {0};
	struct err ignored = {0};

	ctr_needs(ctx_db(x, &ignored), c->id, &ids, &ignored);
	json_put_strv(o, "Dependencies", &ids);
}

/* A container keeps the storage driver it was made with. */
static const char *
driver_of(struct ctx *x, const struct ctr *c)
{
	own_mem char *whole = xasprintf("%s/rw/%s/root", x->graph_root, c->id);

	return access(whole, F_OK) == 0 ? "vfs" : "overlay";
}

/*
 * What lies below the read-write layer, highest first; the mount points if its link (pod-store/below.h) ends with them.
 * Nothing is told if a layer lies in another store.
 */
static void
put_lower(json_t *data, const struct ctx *x, const struct ctr *c)
{
	own_mem char *link = xasprintf("%s/rw/%s/image", x->graph_root, c->id);
	const struct strs *layers = &c->config->image_layers;
	own_strbuf struct strbuf lower = {0};
	char text[NAME_MAX];
	ssize_t n = readlink(link, text, sizeof(text));

	for (size_t i = layers->n; i > 0; i--) {
		own_mem char *path = inspect_layer_path(x, layers->v[i - 1]);

		if (access(path, F_OK) == -1)
			return;
		strbuf_addf(&lower, "%s%s", lower.n > 0 ? ":" : "", path);
	}
	if (lower.n == 0)
		return;
	if (n > 0 && memmem(text, (size_t)n, "/mountpoints", 12) != NULL)
		strbuf_addf(&lower, ":%s/mountpoints", x->graph_root);
	json_put_str(data, "LowerDir", lower.s);
}

static json_t *
graph_driver(struct ctx *x, const struct ctr *c)
{
	json_t *o = json_obj(), *data;
	own_mem char *upper = xasprintf("%s/rw/%s/upper", x->graph_root, c->id);
	own_mem char *work = xasprintf("%s/rw/%s/work", x->graph_root, c->id);

	json_put_str(o, "Name", driver_of(x, c));
	data = json_put_obj(o, "Data");
	if (strcmp(driver_of(x, c), "vfs") == 0)
		return o;
	put_lower(data, x, c);
	/* Only the container's own mount namespace has it mounted. */
	if (ctr_status_is_live(c->status) && c->pid > 0) {
		own_mem char *merged = xasprintf("/proc/%d/root", (int)c->pid);

		json_put_str(data, "MergedDir", merged);
	}
	json_put_str(data, "UpperDir", upper);
	json_put_str(data, "WorkDir", work);
	return o;
}

static int
put_size(json_t *o, struct ctx *x, const struct ctr *c, struct err *e)
{
	struct msg_rootfs_size m = {.id = c->id};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	if (store == NULL || peer_call(store, &msg_rootfs_size_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	json_put_int(o, "SizeRw", (int64_t)MSG_OF(&in, rootfs_size_r)->rw);
	json_put_int(o, "SizeRootFs",
	    (int64_t)(MSG_OF(&in, rootfs_size_r)->rw + MSG_OF(&in, rootfs_size_r)->image));
	return 0;
}

/* The user decides at the start which are effective; its name tells it earlier. */
static void
put_caps(json_t *o, const struct rec_ctr_config *g)
{
	own_arena struct arena a = {0};
	struct strs effective = {0};
	const char *user = inspect_or(g->user, "0");
	size_t n = strcspn(user, ":");
	bool root = n == 0 || (n == 1 && *user == '0') || (n == 4 && strncmp(user, "root", n) == 0);

	spec_cap_list(
	    spec_cap_effective(&g->cap_add, spec_cap_mask(&g->caps), root), &a, &effective);
	json_put_take(o, "EffectiveCaps", inspect_strs(&effective));
	json_put_take(o, "BoundingCaps", inspect_strs(&g->caps));
}

json_t *
inspect_document(struct ctx *x, const struct ctr *c)
{
	const struct rec_ctr_config *g = c->config;
	json_t *o = json_obj();

	json_put_str(o, "Id", c->id);
	inspect_put_time(o, "Created", c->created_ns);
	put_command(o, c);
	json_put_take(o, "State", state(x, c));
	json_put_str(o, "Image", c->image);
	json_put_str(o, "ImageDigest", inspect_or(g->image_digest, ""));
	json_put_str(o, "ImageName", inspect_or(g->image_name, ""));
	json_put_str(o, "Rootfs", inspect_or(g->rootfs, ""));
	json_put_str(o, "Pod", "");
	put_paths(o, x, c);
	put_runtime(o, x, c);
	json_put_str(o, "Name", c->name);
	json_put_int(o, "RestartCount", (int64_t)c->restarts);
	json_put_str(o, "Driver", driver_of(x, c));
	json_put_str(o, "MountLabel", inspect_or(g->mount_label, ""));
	json_put_str(o, "ProcessLabel", inspect_or(g->label, ""));
	json_put_str(o, "AppArmorProfile", inspect_or(g->apparmor, ""));
	put_caps(o, g);
	put_exec_ids(o, x, c);
	json_put_take(o, "GraphDriver", graph_driver(x, c));
	json_put_take(o, "Mounts", inspect_mounts(x, c));
	put_dependencies(o, x, c);
	json_put_take(o, "NetworkSettings", inspect_network_settings(x, c));
	json_put_str(o, "Namespace", "");
	json_put_bool(o, "IsInfra", false);
	json_put_bool(o, "IsService", false);
	json_put_str(o, "KubeExitCodePropagation", "invalid");
	json_put_int(o, "lockNumber", 0);
	json_put_take(o, "Config", inspect_config(x, c));
	json_put_take(o, "HostConfig", inspect_host_config(x, c));
	return o;
}

int
inspect_container(struct ctx *x, const char *word, bool size, json_t **out, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open_word(x, word, &c, e);
	own_json json_t *o = NULL;

	if (lock == -1 || ctr_config(&c, e) == -1)
		return -1;
	o = inspect_document(x, &c);
	if (size && put_size(o, x, &c, e) == -1)
		return -1;
	*out = ptr_take(&o);
	return 0;
}
