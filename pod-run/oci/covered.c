/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/covered.h"

#include <string.h>

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
