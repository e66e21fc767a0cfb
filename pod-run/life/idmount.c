/* SPDX-License-Identifier: ISC */
#include "pod-run/life/idmount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/life/userns.h"
#include "pod-run/oci/spec_list.h"

#define RANGES_MAX 340 /* of one map, as user_namespaces(7) has it */

static bool
take_number(const char **p, char end, uint64_t *out)
{
	char *after;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoull(*p, &after, 10);
	if (errno != 0 || *out > UINT32_MAX || (end != '\0' && *after != end))
		return false;
	*p = after + (end != '\0');
	return true;
}

/* The host's ID of one in the container. */
static bool
outside(const struct rec_id_range *v, size_t n, uint64_t id, uint64_t count, uint64_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside + count <= v[i].count) {
			*out = v[i].outside + (id - v[i].inside);
			return true;
		}
	return false;
}

/* FROM-TO-COUNT#…, up to the end or a semicolon. */
static int
parse_ranges(const char **p, const struct rec_id_range *own, size_t own_n, struct rec_id_range **v,
    size_t *n, struct arena *a)
{
	for (;;) {
		uint64_t from, to, count;
		bool relative;

		if (!take_number(p, '-', &from))
			return -1;
		relative = **p == '@';
		*p += relative;
		if (!take_number(p, '-', &to) || !take_number(p, '\0', &count) || count == 0 ||
		    from + count - 1 > UINT32_MAX || to + count - 1 > UINT32_MAX ||
		    *n == RANGES_MAX || (relative && !outside(own, own_n, to, count, &to)))
			return -1;
		*(struct rec_id_range *)spec_list_push(a, v, n, sizeof(**v)) =
		    (struct rec_id_range){.inside = from, .outside = to, .count = count};
		if (**p != '#')
			return **p == '\0' || **p == ';' ? 0 : -1;
		(*p)++;
	}
}

int
idmount_parse(const char *word, const struct rec_ctr_config *c, struct rec_ctr_config *maps,
    struct arena *a, struct err *e)
{
	const char *p = word + strcspn(word, "=");
	int r = 0;

	maps->uid_map = c->uid_map;
	maps->gid_map = c->gid_map;
	if (*p != '\0') {
		maps->uid_map.n = maps->gid_map.n = 0;
		maps->uid_map.v = maps->gid_map.v = NULL;
		for (p++; r == 0 && *p != '\0'; p += *p == ';') {
			if (text_has_prefix(p, "uids=") && maps->uid_map.n == 0) {
				p += strlen("uids=");
				r = parse_ranges(&p, c->uid_map.v, c->uid_map.n, &maps->uid_map.v,
				    &maps->uid_map.n, a);
			} else if (text_has_prefix(p, "gids=") && maps->gid_map.n == 0) {
				p += strlen("gids=");
				r = parse_ranges(&p, c->gid_map.v, c->gid_map.n, &maps->gid_map.v,
				    &maps->gid_map.n, a);
			} else {
				r = -1;
			}
		}
		if (r == -1)
			return err_set(e, ERR_INVALID, "invalid idmap option \"%s\"", word);
	}
	if (maps->uid_map.n == 0 || maps->gid_map.n == 0)
		return err_set(e, ERR_INVALID,
		    "the option %s needs maps of users and of groups: its own (uids=…;gids=…) or "
		    "those of a user namespace",
		    word);
	return 0;
}

int
idmount_apply(int mount, const struct rec_ctr_config *c, const char *word, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_ctr_config maps = {0};
	struct userns u = USERNS_NONE;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	int r;

	if (idmount_parse(word, c, &maps, &a, e) == -1)
		return -1;
	r = userns_hold(&u, &maps, false, e);
	attr.userns_fd = (uint64_t)u.user;
	if (r == 0 &&
	    mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == -1)
		r = errno == EPERM || errno == EINVAL
			? err_sys(e, "mapping owners (idmap): the kernel does so only on file "
				     "systems that "
				     "can, and for those who may mount them")
			: err_sys(e, "mapping owners (idmap)");
	userns_release(&u);
	return r;
}
