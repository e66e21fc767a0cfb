/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/cdi.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/yaml_json.h"
#include "common/fs/file.h"
#include "pod-run/oci/spec_list.h"

#define SPECS_MAX 1024

/* --- Names ------------------------------------------------------------------------------------------*/

/* A letter (or digit), then letters, digits and the characters of more, a letter or digit at the end. */
static bool
is_word(const char *s, size_t n, bool digit_first, const char *more)
{
	if (n == 0 ||
	    !(digit_first ? isalnum((unsigned char)s[0]) : isalpha((unsigned char)s[0])) ||
	    !isalnum((unsigned char)s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && strchr(more, s[i]) == NULL)
			return false;
	return true;
}

bool
cdi_is_name(const char *word)
{
	const char *slash = strchr(word, '/'), *eq = strchr(word, '=');

	return slash != NULL && eq != NULL && slash < eq &&
	       is_word(word, (size_t)(slash - word), false, "_-.") &&
	       is_word(slash + 1, (size_t)(eq - slash - 1), false, "_-") &&
	       is_word(eq + 1, strlen(eq + 1), true, "_-.:");
}

/* --- Files ------------------------------------------------------------------------------------------*/

/* All descriptions, those that win first. */
struct specs {
	json_t *v[SPECS_MAX];
	bool used[SPECS_MAX]; /* edits of the description as a whole are made once */
	size_t n;
};

static void
specs_free(struct specs *s)
{
	while (s->n > 0)
		json_decref(s->v[--s->n]);
}

static json_t *
read_spec(const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	size_t n;

	if (fd == -1) {
		err_sys(e, "open %s", path);
		return NULL;
	}
	if (file_slurp(fd, YAML_JSON_SIZE_MAX, path, &text, &n, e) == -1)
		return NULL;
	if (!text_has_suffix(path, ".json"))
		return yaml_json_read(text, n, path, e);
	return json_read(text, n, e);
}

/* One that cannot be read concerns only those who want its devices; they are told then. */
static void
read_dir(struct specs *s, const char *dir)
{
	own_dir DIR *d = opendir(dir);
	own_strv struct strv names = {0};
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (text_has_suffix(entry->d_name, ".json") ||
		    text_has_suffix(entry->d_name, ".yaml") ||
		    text_has_suffix(entry->d_name, ".yml"))
			strv_addf(&names, "%s/%s", dir, entry->d_name);
	strv_sort(&names);
	for (size_t i = 0; i < names.n && s->n < SPECS_MAX; i++) {
		struct err e = {0};
		json_t *j = read_spec(names.v[i], &e);

		if (json_is_object(j) && json_is_string(json_object_get(j, "kind"))) {
			s->v[s->n++] = j;
			continue;
		}
		json_decref(j);
		log_warn("CDI description %s is not understood: %s", names.v[i], e.text);
	}
}

/* The device in the descriptions; its description's index in *at. */
static const json_t *
find(const struct specs *s, const char *word, size_t *at)
{
	const char *eq = strchr(word, '=');

	for (size_t i = 0; i < s->n; i++) {
		const char *vendor_class = json_string_value(json_object_get(s->v[i], "kind"));
		const json_t *device;
		size_t k;

		if (strlen(vendor_class) != (size_t)(eq - word) ||
		    strncmp(vendor_class, word, (size_t)(eq - word)) != 0)
			continue;
		json_array_foreach (json_object_get(s->v[i], "devices"), k, device) {
			const char *name = json_string_value(json_object_get(device, "name"));

			if (name != NULL && strcmp(name, eq + 1) == 0) {
				*at = i;
				return device;
			}
		}
	}
	return NULL;
}

/* --- Edits ------------------------------------------------------------------------------------------*/

static int
add_node(const json_t *j, struct arena *a, struct cdi_edits *out, struct err *e)
{
	struct cdi_node d = {
	    .major = -1, .minor = -1, .mode = -1, .uid = -1, .gid = -1, .access = "rwm"};

	if (json_need_str(j, "path", &d.path, e) == -1 ||
	    json_want_str(j, "hostPath", &d.host_path, e) == -1 ||
	    json_want_str(j, "type", &d.type, e) == -1 ||
	    json_want_int(j, "major", 0, UINT32_MAX, &d.major, e) == -1 ||
	    json_want_int(j, "minor", 0, UINT32_MAX, &d.minor, e) == -1 ||
	    json_want_int(j, "fileMode", 0, 07777, &d.mode, e) == -1 ||
	    json_want_int(j, "uid", 0, UINT32_MAX, &d.uid, e) == -1 ||
	    json_want_int(j, "gid", 0, UINT32_MAX, &d.gid, e) == -1 ||
	    json_want_str(j, "permissions", &d.access, e) == -1)
		return -1;
	if (*d.path != '/' || (d.host_path != NULL && *d.host_path != '/'))
		return err_set(e, ERR_FORMAT, "deviceNodes: %s is not an absolute path", d.path);
	d.path = arena_strdup(a, d.path);
	d.host_path = d.host_path != NULL ? arena_strdup(a, d.host_path) : d.path;
	d.type = d.type != NULL ? arena_strdup(a, d.type) : NULL;
	d.access = arena_strdup(a, d.access);
	*SPEC_PUSH(a, &out->nodes) = d;
	return 0;
}

static int
add_mount(const json_t *j, struct arena *a, struct cdi_edits *out, struct err *e)
{
	own_strv struct strv options = {0};
	struct cdi_mount m = {.type = "bind"};

	if (json_need_str(j, "hostPath", &m.source, e) == -1 ||
	    json_need_str(j, "containerPath", &m.target, e) == -1 ||
	    json_want_str(j, "type", &m.type, e) == -1 ||
	    json_want_strv(j, "options", &options, e) == -1)
		return -1;
	if (*m.target != '/')
		return err_set(e, ERR_FORMAT, "mounts: %s is not an absolute path", m.target);
	m.source = arena_strdup(a, m.source);
	m.target = arena_strdup(a, m.target);
	m.type = arena_strdup(a, *m.type != '\0' ? m.type : "bind");
	for (size_t i = 0; i < options.n; i++)
		spec_list_add(a, &m.options, arena_strdup(a, options.v[i]));
	if (strcmp(m.type, "bind") == 0 && !spec_list_has(&m.options, "bind") &&
	    !spec_list_has(&m.options, "rbind"))
		spec_list_add(a, &m.options, "rbind");
	*SPEC_PUSH(a, &out->mounts) = m;
	return 0;
}

static int
add_hook(const json_t *j, struct arena *a, struct cdi_edits *out, struct err *e)
{
	const char *name, *path;

	(void)a;
	if (json_need_str(j, "hookName", &name, e) == -1 ||
	    json_need_str(j, "path", &path, e) == -1)
		return -1;
	if (*path != '/')
		return err_set(e, ERR_FORMAT, "hooks: %s is not an absolute path", path);
	if (out->hooks == NULL)
		out->hooks = json_arr();
	json_add_take(out->hooks, json_deep_copy(j));
	return 0;
}

static int
each(const json_t *edits, const char *key,
    int (*one)(const json_t *j, struct arena *a, struct cdi_edits *out, struct err *e),
    struct arena *a, struct cdi_edits *out, struct err *e)
{
	json_t *list = NULL, *j;
	size_t i;

	if (json_want_arr(edits, key, &list, e) == -1)
		return -1;
	json_array_foreach (list, i, j)
		if (one(j, a, out, e) == -1)
			return err_wrap(e, "%s", key);
	return 0;
}

static int
add_edits(const json_t *from, struct arena *a, struct cdi_edits *out, struct err *e)
{
	json_t *edits = NULL, *gids = NULL, *rdt = NULL, *j;
	own_strv struct strv env = {0};
	size_t i;

	if (json_want_obj(from, "containerEdits", &edits, e) == -1 || edits == NULL)
		return edits == NULL && !err_is_set(e) ? 0 : -1;
	if (json_want_strv(edits, "env", &env, e) == -1 ||
	    each(edits, "deviceNodes", add_node, a, out, e) == -1 ||
	    each(edits, "mounts", add_mount, a, out, e) == -1 ||
	    each(edits, "hooks", add_hook, a, out, e) == -1 ||
	    json_want_arr(edits, "additionalGids", &gids, e) == -1 ||
	    json_want_obj(edits, "intelRdt", &rdt, e) == -1)
		return -1;
	for (i = 0; i < env.n; i++)
		spec_list_env_set(a, &out->env, arena_strdup(a, env.v[i]));
	json_array_foreach (gids, i, j)
		if (json_is_integer(j) && json_integer_value(j) > 0)
			*SPEC_PUSH(a, &out->gids) = (uint64_t)json_integer_value(j);
	if (rdt != NULL && json_is_string(json_object_get(rdt, "closID")))
		out->rdt_class = arena_strdup(a, json_string_value(json_object_get(rdt, "closID")));
	return 0;
}

void
cdi_free(struct cdi_edits *edits)
{
	json_decref(edits->hooks);
	edits->hooks = NULL;
}

static int
find_all(struct specs *s, const struct strs *names, struct arena *a, struct cdi_edits *out,
    struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		size_t at = 0;
		const json_t *device = find(s, names->v[i], &at);

		if (device == NULL)
			return err_set(e, ERR_INVALID,
			    "setting up CDI devices: unresolvable CDI devices %s", names->v[i]);
		if (!s->used[at] && add_edits(s->v[at], a, out, e) == -1)
			return err_wrap(e, "CDI device %s", names->v[i]);
		s->used[at] = true;
		if (add_edits(device, a, out, e) == -1)
			return err_wrap(e, "CDI device %s", names->v[i]);
	}
	return 0;
}

int
cdi_find(const struct strv *dirs, const struct strs *names, struct arena *a, struct cdi_edits *out,
    struct err *e)
{
	struct specs *s;
	int rc;

	*out = (struct cdi_edits){0};
	if (names->n == 0)
		return 0;
	s = arena_alloc(a, sizeof(*s));
	for (size_t i = dirs->n; i-- > 0;)
		read_dir(s, dirs->v[i]);
	rc = find_all(s, names, a, out, e);
	specs_free(s);
	if (rc == -1)
		cdi_free(out);
	return rc;
}
