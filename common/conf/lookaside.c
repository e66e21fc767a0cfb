/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/policy_conf.h"
#include "common/conf/yaml_map.h"
#include "common/fs/file.h"
#include "common/conf/host_root.h"
#include "common/conf/lookaside.h"

#define FILE_MAX ((size_t)1 << 20)
#define SYSTEM_DIR "/etc/containers/registries.d"
#define SYSTEM_STORE "file:///var/lib/containers/sigstore"

void
lookaside_free(struct lookaside *l)
{
	free(l->read);
	free(l->write);
	memset(l, 0, sizeof(*l));
}

/* --- Reading the files ------------------------------------------------------------------------ */

struct conf { /* of all files together */
	json_t *fallback, *scopes;
};

static void
conf_free(struct conf *c)
{
	json_decref(c->fallback);
	json_decref(c->scopes);
}

static int
merge_file(struct conf *c, const char *path, struct err *e)
{
	static const char *const keys[] = {"default-docker", "docker", NULL};
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	json_t *fallback = NULL, *scopes = NULL, *v;
	const char *scope;
	size_t n;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (file_slurp(fd, FILE_MAX, path, &text, &n, e) < 0 ||
	    (j = yaml_map_read(text, n, path, e)) == NULL)
		return -1;
	if (json_only_keys(j, keys, e) < 0 || json_want_obj(j, keys[0], &fallback, e) < 0 ||
	    json_want_obj(j, keys[1], &scopes, e) < 0)
		return err_wrap(e, "%s", path);
	if (fallback != NULL && c->fallback != NULL)
		return err_set(e, ERR_INVALID,
		    "Error parsing signature storage configuration: \"default-docker\" defined "
		    "both in another file and \"%s\"",
		    path);
	if (fallback != NULL)
		c->fallback = json_incref(fallback);
	json_object_foreach (scopes, scope, v) {
		if (json_object_get(c->scopes, scope) != NULL)
			return err_set(e, ERR_INVALID,
			    "Error parsing signature storage configuration: \"docker\" namespace "
			    "\"%s\" defined both in another file and \"%s\"",
			    scope, path);
		json_object_set(c->scopes, scope, v);
	}
	return 0;
}

static char *
conf_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	own_mem char *dir = NULL;

	if (config != NULL && config[0] == '/')
		dir = xasprintf("%s/containers/registries.d", config);
	else if (home != NULL && home[0] == '/')
		dir = xasprintf("%s/.config/containers/registries.d", home);
	return dir != NULL && access(dir, F_OK) == 0 ? ptr_take(&dir) : xstrdup(SYSTEM_DIR);
}

static int
read_conf(struct conf *c, struct err *e)
{
	own_mem char *path = conf_dir();
	own_dir DIR *d = opendir(path);
	own_strv struct strv names = {0};
	struct dirent *entry;

	c->scopes = json_obj();
	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "opening %s", path);
	while ((entry = readdir(d)) != NULL) {
		if (text_has_suffix(entry->d_name, ".yaml"))
			strv_addf(&names, "%s/%s", path, entry->d_name);
	}
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		if (merge_file(c, names.v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* --- What applies ----------------------------------------------------------------------------- */

/* Adds what j says to what a more specific scope has left open. */
static int
take(const json_t *j, struct lookaside *out, bool *said, struct err *e)
{
	static const char *const readers[] = {"lookaside", "sigstore"};
	static const char *const writers[] = {
	    "lookaside-staging", "sigstore-staging", "lookaside", "sigstore"};
	const char *attachments = NULL, *url;

	if (!json_is_object(j))
		return 0;
	for (size_t i = 0; out->read == NULL && i < COUNTOF(readers); i++) {
		url = NULL;
		if (json_want_str(j, readers[i], &url, e) < 0)
			return -1;
		out->read = url != NULL ? xstrdup(url) : NULL;
	}
	for (size_t i = 0; out->write == NULL && i < COUNTOF(writers); i++) {
		url = NULL;
		if (json_want_str(j, writers[i], &url, e) < 0)
			return -1;
		out->write = url != NULL ? xstrdup(url) : NULL;
	}
	if (json_want_str(j, "use-sigstore-attachments", &attachments, e) < 0)
		return -1;
	if (attachments != NULL && !*said) {
		*said = true;
		out->attachments = strcmp(attachments, "true") == 0;
	}
	return 0;
}

static char *
own_store(void)
{
	const char *home = getenv("HOME");

	if (host_root() || home == NULL)
		return xstrdup(SYSTEM_STORE);
	return xasprintf("file://%s/.local/share/containers/sigstore", home);
}

static int
check_url(const char *url, struct err *e)
{
	static const char *const schemes[] = {"https://", "http://"};

	if (lookaside_dir(url) != NULL)
		return 0;
	for (size_t i = 0; i < COUNTOF(schemes); i++)
		if (text_has_prefix(url, schemes[i]) &&
		    strspn(url + strlen(schemes[i]), "/?#") == 0 && url[strlen(schemes[i])] != '\0')
			return 0;
	return err_set(e, ERR_INVALID, "Invalid signature storage URL %.200s", url);
}

static int
find(const struct strv *scopes, struct lookaside *out, struct err *e)
{
	own(conf_free) struct conf c = {0};
	bool said = false;

	if (read_conf(&c, e) < 0)
		return -1;
	for (size_t i = 0; i < scopes->n; i++) {
		if (scopes->v[i][0] != '*' &&
		    take(json_object_get(c.scopes, scopes->v[i]), out, &said, e) < 0)
			return err_wrap(e, "registries.d: %s", scopes->v[i]);
	}
	return take(c.fallback, out, &said, e) < 0 ? err_wrap(e, "registries.d") : 0;
}

int
lookaside_find(const struct reference *r, struct lookaside *out, struct err *e)
{
	own_strv struct strv scopes = {0};

	policy_conf_scopes_docker(r, &scopes);
	if (find(&scopes, out, e) < 0)
		return -1;
	if (out->read == NULL)
		out->read = own_store();
	if (out->write == NULL)
		out->write = own_store();
	return check_url(out->read, e) < 0 || check_url(out->write, e) < 0 ? -1 : 0;
}

int
lookaside_of_scope(const char *scope, struct lookaside *out, struct err *e)
{
	own_strv struct strv scopes = {0};
	own_mem char *part = xstrdup(scope);
	char *slash;

	strv_add(&scopes, part);
	while ((slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		strv_add(&scopes, part);
	}
	return find(&scopes, out, e);
}

const char *
lookaside_dir(const char *url)
{
	if (text_has_prefix(url, "file:///"))
		return url + strlen("file://");
	return text_has_prefix(url, "file:/") ? url + strlen("file:") : NULL;
}

char *
lookaside_name(const struct reference *r, const char *digest, unsigned number)
{
	return xasprintf("%s@sha256=%s/signature-%u", r->path, digest + strlen("sha256:"), number);
}
