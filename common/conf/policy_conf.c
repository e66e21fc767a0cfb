/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/policy_conf.h"
#include "common/role/spawn.h"

#define SHARED "/usr/share/containers/policy.json"

static char *
shipped(void)
{
	return xasprintf("%s/../share/containers/policy.json", spawn_bin_dir());
}

bool
policy_conf_is_shipped(const char *path)
{
	own_mem char *ours = shipped();

	return strcmp(path, SHARED) == 0 || strcmp(path, ours) == 0;
}

static char *
none(const struct strv *paths, struct err *e)
{
	own_strbuf struct strbuf list = {0};

	for (size_t i = 0; i < paths->n; i++)
		strbuf_addf(&list, "%s\"%s\"", i > 0 ? ", " : "", paths->v[i]);
	err_set(e, ERR_NOTFOUND, "no policy.json file found at any of the following: %s", list.s);
	return NULL;
}

char *
policy_conf_own(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config != NULL && config[0] == '/')
		return xasprintf("%s/containers/policy.json", config);
	if (home != NULL && home[0] == '/')
		return xasprintf("%s/.config/containers/policy.json", home);
	return NULL;
}

char *
policy_conf_path(const char *named, struct err *e)
{
	own_mem char *own = policy_conf_own();
	own_strv struct strv paths = {0};

	if (named != NULL)
		return xstrdup(named);
	if (own != NULL)
		strv_add(&paths, own);
	strv_add(&paths, POLICY_CONF_SYSTEM);
	strv_add(&paths, SHARED);
	strv_take(&paths, shipped());
	for (size_t i = 0; i < paths.n; i++) {
		/* One that is there but cannot be read is an error for who opens it. */
		if (access(paths.v[i], F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
			return xstrdup(paths.v[i]);
	}
	return none(&paths, e);
}

void
policy_conf_scopes_docker(const struct reference *r, struct strv *out)
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

void
policy_conf_scopes_path(const char *path, const char *image, struct strv *out)
{
	own_mem char *part = xstrdup(path);
	char *slash;

	if (image != NULL && *image != '\0')
		strv_addf(out, "%s:%s", path, image);
	do {
		if (*part != '\0')
			strv_add(out, part);
		slash = strrchr(part, '/');
		if (slash != NULL)
			*slash = '\0';
	} while (slash != NULL && slash != part);
}
