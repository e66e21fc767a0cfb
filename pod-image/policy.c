/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/fs/file.h"
#include "pod-image/policy.h"

#define FILE_MAX ((size_t)1 << 20)

/*
 * The names under which rules for r may stand, the most specific first: with tag or digest, the
 * repository, its parents up to the registry, then "*.domain" wildcards.
 */
static void
list_scopes(const struct reference *r, struct strv *out)
{
	own_mem char *full = reference_string(r), *part = reference_repository(r);
	char *slash;

	strv_add(out, full);
	if (strcmp(full, part) != 0)
		strv_add(out, part);
	while ((slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		strv_add(out, part);
	}
	for (const char *dot = strchr(part, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		strv_addf(out, "*%s", dot);
}

/* The rules that apply, and in *scope the name they stand under. */
static const json_t *
find_rules(const json_t *j, const char *transport, const struct reference *r)
{
	const json_t *scopes = json_object_get(json_object_get(j, "transports"), transport);
	own_strv struct strv names = {0};
	const json_t *rules;

	if (r != NULL)
		list_scopes(r, &names);
	strv_add(&names, "");
	for (size_t i = 0; i < names.n; i++) {
		rules = json_object_get(scopes, names.v[i]);
		if (rules != NULL)
			return rules;
	}
	return json_object_get(j, "default");
}

static int
check_rules(const json_t *rules, const char *what, struct err *e)
{
	if (!json_is_array(rules) || json_array_size(rules) == 0)
		return err_set(e, ERR_INVALID, "policy.json has no list of rules for %s", what);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const char *type =
		    json_string_value(json_object_get(json_array_get(rules, i), "type"));

		if (type == NULL)
			return err_set(e, ERR_INVALID, "a rule of policy.json has no type");
		if (strcmp(type, "insecureAcceptAnything") == 0)
			continue;
		if (strcmp(type, "reject") == 0)
			return err_set(e, ERR_DENIED,
			    "Source image rejected: Running image %s is rejected by policy.", what);
		return err_set(e, ERR_UNSUPPORTED,
		    "Source image rejected: policy.json demands \"%.64s\" for %s, and this version "
		    "cannot verify signatures",
		    type, what);
	}
	return 0;
}

int
policy_check_text(
    const char *text, size_t n, const char *transport, const struct reference *r, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, FILE_MAX, 32, e);
	own_mem char *name = r != NULL ? reference_string(r) : NULL;
	own_mem char *what =
	    xasprintf("%s:%s%s", transport, name != NULL ? "//" : "", name != NULL ? name : "");

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "it is no JSON object");
	return check_rules(find_rules(j, transport, r), what, e);
}

static int
open_policy(const char *file, const char **found, struct err *e)
{
	static char user[4096];
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const char *paths[] = {user, "/etc/containers/policy.json"};

	if (config != NULL && config[0] == '/')
		snprintf(user, sizeof(user), "%s/containers/policy.json", config);
	else
		snprintf(user, sizeof(user), "%s/.config/containers/policy.json",
		    home != NULL ? home : "");
	if (file != NULL) {
		int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

		*found = file;
		return fd >= 0 ? fd : err_sys(e, "open %s", file);
	}
	for (size_t i = 0; i < COUNTOF(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NOCTTY);

		*found = paths[i];
		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "open %s", paths[i]);
	}
	*found = NULL;
	return -1;
}

static int
check(const char *file, const char *transport, const struct reference *r, struct err *e)
{
	const char *path = NULL;
	own_fd int fd = open_policy(file, &path, e);
	own_mem char *text = NULL;
	size_t n;
	enum err_class class;

	if (fd < 0)
		return path == NULL ? 0 : -1;
	if (file_slurp(fd, FILE_MAX, path, &text, &n, e) < 0)
		return -1;
	if (policy_check_text(text, n, transport, r, e) == 0)
		return 0;
	class = e->class;
	return class == ERR_DENIED || class == ERR_UNSUPPORTED ? -1
							       : err_wrap(e, "policy %s", path);
}

int
policy_check(const char *file, const struct reference *r, struct err *e)
{
	return check(file, "docker", r, e);
}

int
policy_check_transport(const char *file, const char *transport, struct err *e)
{
	return check(file, transport, NULL, e);
}
