/* SPDX-License-Identifier: ISC */
/*
 * info: one document, in which templates find Podman's field names and JSON and YAML Podman's keys.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/output.h"
#include "common/conf/registries_conf.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/info_host.h"
#include "pod-run/cmd/version.h"
#include "pod-run/cmd/yaml.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/others.h"

struct info_opts {
	bool debug;
	const char *format;
};

static const struct opt rows[] = {
    {"debug", 'D', OPT_BOOL(struct info_opts, debug), .flags = OPT_HIDDEN,
	.help = "Display additional debug information"},
    {"format", 'f', OPT_STRING(struct info_opts, format), .arg = "format",
	.help = "Change the output format to JSON or a Go template"},
    OPT_END,
};

/* --- The store ----------------------------------------------------------------------------------*/

static int
put_containers(json_t *store, struct ctx *x, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	size_t running = 0, paused = 0;
	json_t *o;

	if (sync_list(x, &l, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		running += l.v[i].status == CTR_RUNNING;
		paused += l.v[i].status == CTR_PAUSED;
	}
	o = json_put_obj(store, "ContainerStore");
	json_put_int(o, "Number", (int64_t)l.n);
	json_put_int(o, "Paused", (int64_t)paused);
	json_put_int(o, "Running", (int64_t)running);
	json_put_int(o, "Stopped", (int64_t)(l.n - running - paused));
	return 0;
}

static int
put_graph(json_t *store, struct ctx *x, struct err *e)
{
	struct msg_store_info m = {0};
	own_peer_in struct peer_in in = {0};
	struct peer *p = ctx_store(x, e);
	const struct msg_store_info_r *r;
	json_t *o;

	if (p == NULL || peer_call(p, &msg_store_info_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	r = MSG_OF(&in, store_info_r);
	json_put_str(store, "GraphDriverName", r->driver);
	o = json_put_obj(store, "GraphStatus");
	for (size_t i = 0; i < r->status.n; i++)
		json_put_str(o, r->status.v[i].key, r->status.v[i].value);
	json_put_int(json_put_obj(store, "ImageStore"), "Number", (int64_t)r->images);
	return 0;
}

/* Where pod-image keeps what it cannot stream. */
static char *
copy_tmp_dir(const struct ctx *x, const struct containers_conf *conf)
{
	const char *tmp = getenv("TMPDIR"), *said = conf->engine_image_copy_tmp_dir;

	if (tmp != NULL && *tmp == '/')
		return xstrdup(tmp);
	return *said == '/' ? xstrdup(said) : xasprintf("%s/tmp", x->graph_root);
}

static json_t *
store_info(struct ctx *x, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	own_json json_t *o = json_obj();
	own_mem char *volumes = NULL, *spool = NULL;
	uint64_t total, used;
	json_t *options;

	if (conf == NULL || ctx_paths(x, e) == -1 || put_graph(o, x, e) == -1 ||
	    put_containers(o, x, e) == -1)
		return NULL;
	info_disk(x->graph_root, &total, &used);
	volumes = ctx_volume_path(x);
	spool = copy_tmp_dir(x, conf);
	options = json_put_obj(o, "GraphOptions");
	for (size_t i = 0; i < x->storage_options.n; i++) {
		const char *word = x->storage_options.v[i], *eq = strchr(word, '=');
		own_mem char *key = xstrndup(word, eq != NULL ? (size_t)(eq - word) : strlen(word));

		json_put_str(options, key, eq != NULL ? eq + 1 : "");
	}
	json_put_str(o, "ConfigFile", x->storage_conf_file != NULL ? x->storage_conf_file : "");
	json_put_str(o, "GraphRoot", x->graph_root);
	json_put_int(o, "GraphRootAllocated", (int64_t)total);
	json_put_int(o, "GraphRootUsed", (int64_t)used);
	json_put_str(o, "ImageCopyTmpDir", spool);
	json_put_str(o, "RunRoot", x->run_root);
	json_put_str(o, "VolumePath", volumes);
	json_put_bool(o, "TransientStore", x->transient);
	return json_incref(o);
}

/* --- The rest -----------------------------------------------------------------------------------*/

static json_t *
words(const char *const *v)
{
	json_t *a = json_arr();

	for (; *v != NULL; v++)
		json_add_str(a, *v);
	return a;
}

static json_t *
plugins(void)
{
	json_t *o = json_obj();

	json_put_take(o, "Volume", words((const char *const[]){"local", NULL}));
	json_put_take(o, "Network", words((const char *const[]){"bridge", NULL}));
	json_put_take(
	    o, "Log", words((const char *const[]){"k8s-file", "none", "passthrough", NULL}));
	json_put_take(o, "Authorization", json_null());
	return o;
}

static void
put_mirrors(json_t *o, const struct registries_entry *r)
{
	static const char *const uses[] = {[REGISTRIES_MIRROR_ALL] = "",
	    [REGISTRIES_MIRROR_DIGEST] = "digest-only",
	    [REGISTRIES_MIRROR_TAG] = "tag-only"};
	json_t *list = r->nmirrors > 0 ? json_put_arr(o, "Mirrors") : NULL;

	if (list == NULL)
		json_put_take(o, "Mirrors", json_null());
	for (size_t i = 0; i < r->nmirrors; i++) {
		json_t *m = json_add_obj(list);

		json_put_str(m, "Location", r->mirrors[i].location);
		json_put_bool(m, "Insecure", r->mirrors[i].insecure);
		json_put_str(m, "PullFromMirror", uses[r->mirrors[i].use]);
	}
}

static int
put_registries(json_t *doc, struct err *e)
{
	own_registries_conf struct registries_conf conf = {0};
	json_t *o;

	if (registries_conf_load(&conf, NULL, e) == -1)
		return -1;
	o = json_put_obj(doc, "Registries");
	if (conf.search.n > 0)
		json_put_strv(o, "search", &conf.search);
	for (size_t i = 0; i < conf.nentries; i++) {
		const struct registries_entry *r = &conf.entries[i];
		json_t *one = json_put_obj(o, r->prefix);

		json_put_str(one, "Prefix", r->prefix);
		json_put_str(
		    one, "Location", r->primary.location != NULL ? r->primary.location : r->prefix);
		json_put_bool(one, "Insecure", r->primary.insecure);
		json_put_str(one, "PullFromMirror", "");
		put_mirrors(one, r);
		json_put_bool(one, "Blocked", r->blocked);
		json_put_bool(one, "MirrorByDigestOnly", r->mirror_by_digest_only);
	}
	return 0;
}

static json_t *
document(struct ctx *x, struct err *e)
{
	own_json json_t *doc = json_obj();
	json_t *host, *store;

	host = ctx_paths(x, e) == 0 ? info_host(x, e) : NULL;
	if (host == NULL)
		return NULL;
	json_put_take(doc, "Host", host);
	store = store_info(x, e);
	if (store == NULL)
		return NULL;
	json_put_take(doc, "Store", store);
	json_put_take(doc, "Plugins", plugins());
	json_put_take(doc, "Version", version_json());
	return put_registries(doc, e) == 0 ? json_incref(doc) : NULL;
}

/* --- Names --------------------------------------------------------------------------------------*/

/* Fields whose key is not their name with a small first letter. */
static const struct {
	const char *field, *key;
} names[] = {{"AppArmorEnabled", "apparmorEnabled"}, {"CgroupsVersion", "cgroupVersion"},
    {"CPUs", "cpus"}, {"CPUUtilization", "cpuUtilization"}, {"DefaultCapabilities", "capabilities"},
    {"GIDMap", "gidmap"}, {"IDMappings", "idMappings"}, {"OCIRuntime", "ociRuntime"}, {"OS", "os"},
    {"SECCOMPEnabled", "seccompEnabled"}, {"SECCOMPProfilePath", "seccompProfilePath"},
    {"SELinuxEnabled", "selinuxEnabled"}, {"Slirp4NetNS", "slirp4netns"}, {"UIDMap", "uidmap"}};

/* Objects whose keys are data, or are spelt like the fields. */
static const char *const verbatim[] = {
    "Version", "Registries", "GraphStatus", "GraphOptions", NULL};

static json_t *rename_keys(const json_t *j);

static json_t *
rename_object(const json_t *j)
{
	json_t *o = json_obj(), *value;
	const char *field;

	json_object_foreach ((json_t *)(uintptr_t)j, field, value) {
		own_mem char *key = xstrdup(field);
		bool keep = false;

		*key = (char)tolower((unsigned char)*key);
		for (size_t i = 0; i < COUNTOF(names); i++)
			if (strcmp(names[i].field, field) == 0) {
				own_mem_free(&key);
				key = xstrdup(names[i].key);
			}
		for (const char *const *v = verbatim; *v != NULL; v++)
			keep = keep || (strcmp(*v, field) == 0 && json_is_object(value));
		json_put_take(o, key, keep ? json_incref(value) : rename_keys(value));
	}
	return o;
}

static json_t *
rename_keys(const json_t *j)
{
	size_t i;
	const json_t *one;
	json_t *a;

	if (json_is_object(j))
		return rename_object(j);
	if (!json_is_array(j))
		return json_incref((json_t *)(uintptr_t)j);
	a = json_arr();
	json_array_foreach (j, i, one)
		json_add_take(a, rename_keys(one));
	return a;
}

/* The other way, for templates over what a service told. */
static json_t *name_fields(const json_t *j);

static json_t *
name_object(const json_t *j)
{
	json_t *o = json_obj(), *value;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)j, key, value) {
		own_mem char *field = xstrdup(key);
		bool keep = false;

		*field = (char)toupper((unsigned char)*field);
		for (size_t i = 0; i < COUNTOF(names); i++)
			if (strcmp(names[i].key, key) == 0) {
				own_mem_free(&field);
				field = xstrdup(names[i].field);
			}
		for (const char *const *v = verbatim; *v != NULL; v++)
			keep = keep || (strcmp(*v, field) == 0 && json_is_object(value));
		json_put_take(o, field, keep ? json_incref(value) : name_fields(value));
	}
	return o;
}

static json_t *
name_fields(const json_t *j)
{
	size_t i;
	const json_t *one;
	json_t *a;

	if (json_is_object(j))
		return name_object(j);
	if (!json_is_array(j))
		return json_incref((json_t *)(uintptr_t)j);
	a = json_arr();
	json_array_foreach (j, i, one)
		json_add_take(a, name_fields(one));
	return a;
}

/* --- The command --------------------------------------------------------------------------------*/

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct info_opts *o = opts;
	struct remote *r = ctx_of(cli)->remote;
	own_json json_t *doc = NULL, *renamed = NULL, *list = json_arr();
	own_strbuf struct strbuf text = {0};

	(void)argc;
	(void)argv;
	if (r != NULL) {
		renamed = others_info(r, e);
		doc = renamed != NULL ? name_fields(renamed) : NULL;
	} else {
		doc = document(ctx_of(cli), e);
		renamed = doc != NULL ? rename_keys(doc) : NULL;
	}
	if (doc == NULL)
		return -1;
	if (o->format != NULL && !output_is_json(o->format)) {
		json_add_take(list, json_incref(doc));
		return output_inspect(o->format, list, "define.Info", stdout, e);
	}
	if (o->format != NULL)
		return output_json(renamed, stdout, e);
	yaml_add(renamed, &text);
	fputs(text.s, stdout);
	return 0;
}

const struct cmd cmd_info = {
    .name = "info",
    .synopsis = "[options]",
    .brief = "Display podman system information",
    .text = "Display information pertaining to the host, current storage stats, and build of "
	    "podman.\n\n  Useful for the user and when reporting issues.",
    .examples = "info\ninfo --format json\ninfo --format '{{.Host.Arch}}'",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct info_opts),
    .max = 0,
    .run = run,
};
