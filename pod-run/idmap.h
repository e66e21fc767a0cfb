/* SPDX-License-Identifier: ISC */
/*
 * Maps of user namespaces: reading ours, and giving a new namespace the map of an ordinary user.
 */
#ifndef POD_IDMAP_H
#define POD_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

#define IDMAP_MAX 340 /* what the kernel takes */

struct idmap {
	struct {
		uint32_t inside, outside, count;
	} v[IDMAP_MAX];
	size_t n;
};

int idmap_read(const char *path, struct idmap *m, struct err *e); /* a /proc/PID/uid_map */
bool idmap_is_whole(const struct idmap *m);			/* the map of the first namespace */
uint64_t idmap_count(const struct idmap *m);			/* ids mapped */
uint32_t idmap_outside(const struct idmap *m, uint32_t inside); /* UINT32_MAX if not mapped */

/*
 * Reads the subordinate ranges of a user from /etc/subuid or /etc/subgid (subuid(5): name or number, first,
 * count) and appends them to m, which holds the user's own id, one behind the other.
 */
int idmap_subordinate(
    const char *path, const char *name, uid_t uid, struct idmap *m, struct err *e);

/* The same from text; lines that make no sense are passed over. */
void idmap_parse(const char *text, const char *name, uid_t uid, struct idmap *m);

/*
 * Writes the maps of process pid, which is in a new user namespace: 0 is the caller, then come its
 * subordinate ids by newuidmap and newgidmap.  Where there are none, only the caller's own id is mapped,
 * with one warning; *single tells.
 */
int idmap_install(pid_t pid, uid_t uid, gid_t gid, bool *single, struct err *e);

#endif
