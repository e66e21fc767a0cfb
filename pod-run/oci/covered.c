/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/covered.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/oci/spec_list.h"

static bool
covers(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool
covered_path(const struct rec_ctr_config *c, bool all, const char *path)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if ((all || !c->mounts.v[i].implied) && covers(c->mounts.v[i].target, path))
			return true;
	return all && (covers("/proc", path) || covers("/sys", path) || covers("/dev", path));
}

void
covered_homes(const struct rec_ctr_config *c, struct strs *out, struct arena *a)
{
	bool number = c->user != NULL && *c->user >= '0' && *c->user <= '9';
	bool lines = c->mounts.n > 0 && (number || c->host_users.n > 0);
	own_file FILE *f = lines ? fopen("/etc/passwd", "re") : NULL;
	const struct passwd *pw;

	while (f != NULL && (pw = fgetpwent(f)) != NULL)
		if (*pw->pw_dir == '/' && pw->pw_dir[1] != '\0' &&
		    covered_path(c, false, pw->pw_dir))
			spec_list_add(a, out, arena_strdup(a, pw->pw_dir));
}
