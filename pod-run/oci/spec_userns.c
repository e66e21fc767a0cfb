/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_userns.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/idmap.h"
#include "pod-run/oci/spec_list.h"

#define RANGES_MAX 340 /* what the kernel takes */

/* --- Maps ----------------------------------------------------------------------------------------*/

static void
append(struct id_map *map, uint64_t inside, uint64_t outside, uint64_t count, struct arena *a)
{
	if (count > 0)
		*SPEC_PUSH(a, map) =
		    (struct rec_id_range){.inside = inside, .outside = outside, .count = count};
}

static int
by_inside(const void *va, const void *vb)
{
	const struct rec_id_range *x = va, *y = vb;

	return x->inside < y->inside ? -1 : x->inside > y->inside;
}

/* In order, and what follows seamlessly as one. */
static void
tidy(struct id_map *map)
{
	size_t kept = 0;

	if (map->n < 2)
		return;
	qsort(map->v, map->n, sizeof(*map->v), by_inside);
	for (size_t i = 1; i < map->n; i++) {
		struct rec_id_range *last = &map->v[kept], *r = &map->v[i];

		if (last->inside + last->count == r->inside &&
		    last->outside + last->count == r->outside)
			last->count += r->count;
		else
			map->v[++kept] = *r;
	}
	map->n = kept + 1;
}

/* Takes count ids from first out of map, by their numbers inside or outside. */
static void
punch(struct id_map *map, bool inside, uint64_t first, uint64_t count, struct arena *a)
{
	struct id_map out = {0};

	for (size_t i = 0; i < map->n; i++) {
		const struct rec_id_range *r = &map->v[i];
		uint64_t start = inside ? r->inside : r->outside, end = start + r->count;
		uint64_t left, right;

		if (first >= end || first + count <= start) {
			append(&out, r->inside, r->outside, r->count, a);
			continue;
		}
		left = first > start ? first - start : 0;
		right = first + count < end ? end - (first + count) : 0;
		append(&out, r->inside, r->outside, left, a);
		append(&out, r->inside + r->count - right, r->outside + r->count - right, right, a);
	}
	*map = out;
}

void
spec_userns_add(struct id_map *map, const struct rec_id_range *range, bool extend, struct arena *a)
{
	if (extend) {
		punch(map, true, range->inside, range->count, a);
		punch(map, false, range->outside, range->count, a);
	}
	append(map, range->inside, range->outside, range->count, a);
}

/* The kernel refuses such a map with a bare EINVAL. */
static int
check(const struct id_map *map, uint32_t have, const char *what, struct err *e)
{
	if (map->n > RANGES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d ranges in the %s map", RANGES_MAX, what);
	for (size_t i = 0; i < map->n; i++) {
		const struct rec_id_range *x = &map->v[i];

		if (x->inside + x->count > UINT32_MAX || x->outside + x->count > UINT32_MAX)
			return err_set(e, ERR_INVALID,
			    "initializing ID mappings: a range of the %s map leaves the numbers "
			    "there are",
			    what);
		if (x->outside + x->count > have)
			return err_set(e, ERR_INVALID,
			    "initializing ID mappings: %llu of the %s map is not an ID that this "
			    "user "
			    "has: there are %u, from 0",
			    (unsigned long long)(x->outside + x->count - 1), what, have);
		for (size_t k = 0; k < i; k++) {
			const struct rec_id_range *y = &map->v[k];

			if ((x->inside < y->inside + y->count &&
				y->inside < x->inside + x->count) ||
			    (x->outside < y->outside + y->count &&
				y->outside < x->outside + x->count))
				return err_set(e, ERR_INVALID,
				    "initializing ID mappings: two ranges of the %s map overlap",
				    what);
		}
	}
	return 0;
}

/* --- --uidmap and --gidmap -------------------------------------------------------------------------*/

int
spec_userns_word(
    const char *word, bool users, struct spec_userns_word *out, struct arena *a, struct err *e)
{
	size_t flags = strspn(word, "+ug@"), n = 0;
	char *rest = arena_strdup(a, word + flags), *part[3] = {0}, *from;

	*out = (struct spec_userns_word){.range.count = 1};
	for (size_t i = 0; i < flags; i++) {
		out->extend |= word[i] == '+';
		out->users |= word[i] == 'u';
		out->groups |= word[i] == 'g';
		out->parent |= word[i] == '@';
	}
	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, ":");
	from = part[1];
	if (from != NULL && *from == '@') {
		out->parent = true;
		from++;
	}
	if (n < 2 || rest != NULL || text_to_u64(part[0], UINT32_MAX - 1, &out->range.inside) < 0 ||
	    text_to_u64(from, UINT32_MAX - 1, &out->range.outside) < 0 ||
	    (n == 3 &&
		(text_to_u64(part[2], UINT32_MAX, &out->range.count) < 0 || out->range.count == 0)))
		return err_set(e, ERR_INVALID,
		    "initializing ID mappings: %s setting is malformed expected "
		    "[\"uint32:uint32[:uint32]\"]: [\"%s\"]",
		    users ? "UID" : "GID", word);
	return 0;
}

/* Ids of the namespace above ours as the ranges of ours that stand for them. */
static int
from_parent(const struct spec_input *in, const char *file, const struct rec_id_range *range,
    struct id_map *out, struct arena *a, struct err *e)
{
	struct idmap *own = arena_alloc(a, sizeof(*own));
	uint64_t found = 0;

	if (!in->d->rootless) {
		append(out, range->inside, range->outside, range->count, a);
		return 0;
	}
	if (idmap_read(file, own, e) < 0)
		return -1;
	for (size_t i = 0; i < own->n; i++) {
		uint64_t first = own->v[i].outside, last = first + own->v[i].count;
		uint64_t from = range->outside > first ? range->outside : first;
		uint64_t to =
		    range->outside + range->count < last ? range->outside + range->count : last;

		if (from >= to)
			continue;
		append(out, range->inside + (from - range->outside),
		    own->v[i].inside + (from - first), to - from, a);
		found += to - from;
	}
	if (found == range->count)
		return 0;
	return err_set(e, ERR_INVALID,
	    "could not use host ID %llu of the mapping: it is not mapped into this user's "
	    "namespace",
	    (unsigned long long)range->outside);
}

/* The gaps from 0 upwards are given all ids of ours that no range has yet. */
static void
fill_gaps(struct id_map *map, uint64_t have, struct arena *a)
{
	struct id_map all = {0}, left = {0};
	uint64_t next = 0;

	append(&all, 0, 0, have, a);
	for (size_t i = 0; i < map->n; i++)
		punch(&all, false, map->v[i].outside, map->v[i].count, a);
	tidy(map);
	for (size_t i = 0; i < all.n; i++) {
		uint64_t outside = all.v[i].outside, count = all.v[i].count;

		while (count > 0) {
			uint64_t room = count;

			for (size_t k = 0; k < map->n; k++)
				if (next >= map->v[k].inside &&
				    next - map->v[k].inside < map->v[k].count)
					next = map->v[k].inside + map->v[k].count;
			for (size_t k = 0; k < map->n; k++)
				if (map->v[k].inside > next && map->v[k].inside - next < room)
					room = map->v[k].inside - next;
			append(&left, next, outside, room, a);
			next += room;
			outside += room;
			count -= room;
		}
	}
	for (size_t i = 0; i < left.n; i++)
		append(map, left.v[i].inside, left.v[i].outside, left.v[i].count, a);
}

struct maps {
	const struct spec_input *in;
	struct id_map uids, gids;
	bool fill_uids, fill_gids;
};

static int
lay(struct maps *m, const struct spec_userns_word *w, bool users, struct arena *a, struct err *e)
{
	struct id_map *map = users ? &m->uids : &m->gids, ranges = {0};
	bool *fill = users ? &m->fill_uids : &m->fill_gids;

	if (w->parent) {
		if (from_parent(m->in, users ? "/proc/self/uid_map" : "/proc/self/gid_map",
			&w->range, &ranges, a, e) < 0)
			return -1;
	} else {
		append(&ranges, w->range.inside, w->range.outside, w->range.count, a);
	}
	/* Only one who extends what is not there yet wants it to be made. */
	if (map->n == 0 && w->extend && m->in->d->rootless)
		*fill = true;
	for (size_t i = 0; i < ranges.n; i++)
		spec_userns_add(map, &ranges.v[i], w->extend, a);
	return 0;
}

/*
 * Words of one option.  What is said of one kind of id goes for the other if its option is not
 * there, but for words with a flag.
 */
static int
lay_words(
    struct maps *m, const struct strv *l, bool users, bool both, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct spec_userns_word w;
		bool one, other;

		if (spec_userns_word(l->v[i], users, &w, a, e) < 0)
			return -1;
		one = users ? !w.groups || w.users : !w.users || w.groups;
		other = both ? (users ? !w.users || w.groups : !w.groups || w.users)
			     : (users ? w.groups : w.users);
		if ((one && lay(m, &w, users, a, e) < 0) || (other && lay(m, &w, !users, a, e) < 0))
			return -1;
	}
	return 0;
}

/* The ranges of NAME in /etc/subuid or /etc/subgid, one behind the other from 0. */
static int
subordinate(
    struct maps *m, const char *file, const char *name, bool users, struct arena *a, struct err *e)
{
	struct idmap *found = arena_alloc(a, sizeof(*found));

	/* No number is UINT32_MAX, so that only the name counts. */
	if (idmap_subordinate(file, name, UINT32_MAX, found, e) < 0)
		return -1;
	if (found->n == 0)
		return err_set(e, ERR_INVALID, "no sub%s ranges found for user \"%s\" in %s",
		    users ? "uid" : "gid", name, file);
	for (size_t i = 0; i < found->n; i++) {
		struct spec_userns_word w = {.parent = true,
		    .range = {.inside = found->v[i].inside,
			.outside = found->v[i].outside,
			.count = found->v[i].count}};

		if (lay(m, &w, users, a, e) < 0)
			return -1;
	}
	return 0;
}

static bool
has_root(const struct id_map *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->v[i].inside == 0 && map->v[i].count > 0)
			return true;
	return false;
}

static int
explicit_maps(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const char *uid_name = o->subuidname != NULL ? o->subuidname : o->subgidname;
	const char *gid_name = o->subgidname != NULL ? o->subgidname : o->subuidname;
	struct maps m = {.in = in};

	if (uid_name != NULL && (subordinate(&m, "/etc/subuid", uid_name, true, a, e) < 0 ||
				    subordinate(&m, "/etc/subgid", gid_name, false, a, e) < 0))
		return -1;
	if (lay_words(&m, &o->uidmap, true, o->gidmap.n == 0, a, e) < 0 ||
	    lay_words(&m, &o->gidmap, false, o->uidmap.n == 0, a, e) < 0)
		return -1;
	if (m.fill_uids)
		fill_gaps(&m.uids, in->d->uids, a);
	if (m.fill_gids)
		fill_gaps(&m.gids, in->d->gids, a);
	/* With a flag one kind may have been left out: it keeps the numbers we have. */
	if (m.uids.n == 0)
		append(&m.uids, 0, 0, in->d->uids, a);
	if (m.gids.n == 0)
		append(&m.gids, 0, 0, in->d->gids, a);
	if (check(&m.uids, in->d->uids, "user", e) < 0 ||
	    check(&m.gids, in->d->gids, "group", e) < 0)
		return -1;
	/* An image's layers are mounted by the namespace's root. */
	if (!o->rootfs && (!has_root(&m.uids) || !has_root(&m.gids)))
		return err_set(e, ERR_INVALID,
		    "initializing ID mappings: the user namespace has no root: ID 0 is not mapped");
	tidy(&m.uids);
	tidy(&m.gids);
	c->uid_map.v = m.uids.v;
	c->uid_map.n = m.uids.n;
	c->gid_map.v = m.gids.v;
	c->gid_map.n = m.gids.n;
	c->user_ns = "private";
	return 0;
}

/* --- keep-id and nomap -----------------------------------------------------------------------------*/

/* The caller's id keeps its number, or gets that of the option; those around it take the rest. */
static void
keep(struct id_map *map, uint64_t id, uint64_t have, struct arena *a)
{
	uint64_t below = have > 0 ? have - 1 : 0;

	below = below < id ? below : id;
	append(map, 0, 1, below, a);
	append(map, id, 0, 1, a);
	if (have > id + 1)
		append(map, id + 1, id + 1, have - id - 1, a);
}

static int
keep_id(const struct spec_input *in, struct rec_ctr_config *c, char *options, struct arena *a,
    struct err *e)
{
	uint64_t uid = in->d->uid, gid = in->d->gid, size = UINT32_MAX;
	struct id_map uids = {0}, gids = {0};

	for (char *o; (o = strsep(&options, ",")) != NULL;) {
		uint64_t *at = text_has_prefix(o, "uid=")    ? &uid
			       : text_has_prefix(o, "gid=")  ? &gid
			       : text_has_prefix(o, "size=") ? &size
							     : NULL;
		const char *value = strchr(o, '=');

		if (at == NULL)
			return err_set(e, ERR_INVALID, "unknown option specified: \"%s\"", o);
		if (text_to_u64(value + 1, INT32_MAX, at) < 0)
			return err_set(e, ERR_INVALID,
			    "strconv.ParseUint: parsing \"%s\": invalid syntax", value + 1);
	}
	if (size == 0)
		return err_set(e, ERR_INVALID, "keep-id: the size must be greater than 0");
	if (!in->d->rootless) {
		append(&uids, 0, 0, size, a);
		append(&gids, 0, 0, size, a);
	} else {
		keep(&uids, uid, in->d->uids < size ? in->d->uids : size, a);
		keep(&gids, gid, in->d->gids < size ? in->d->gids : size, a);
		if (c->user == NULL)
			c->user = arena_printf(
			    a, "%llu:%llu", (unsigned long long)uid, (unsigned long long)gid);
	}
	c->uid_map.v = uids.v;
	c->uid_map.n = uids.n;
	c->gid_map.v = gids.v;
	c->gid_map.n = gids.n;
	return 0;
}

static int
no_map(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct id_map uids = {0}, gids = {0};

	if (!in->d->rootless)
		return err_set(e, ERR_INVALID, "nomap is only supported in rootless mode");
	if (in->d->uids < 2 || in->d->gids < 2)
		return err_set(
		    e, ERR_INVALID, "nomap needs subordinate ids in /etc/subuid and /etc/subgid");
	append(&uids, 0, 1, (uint64_t)in->d->uids - 1, a);
	append(&gids, 0, 1, (uint64_t)in->d->gids - 1, a);
	c->uid_map.v = uids.v;
	c->uid_map.n = uids.n;
	c->gid_map.v = gids.v;
	c->gid_map.n = gids.n;
	return 0;
}

/* --- auto -------------------------------------------------------------------------------------------*/

static int
auto_range(const char *value, bool users, struct id_map *map, struct arena *a, struct err *e)
{
	struct spec_userns_word w;

	if (spec_userns_word(value, users, &w, a, e) < 0)
		return -1;
	spec_userns_add(map, &w.range, true, a);
	return 0;
}

int
spec_userns_auto(
    const struct rec_ctr_config *c, struct spec_userns_auto *out, struct arena *a, struct err *e)
{
	char *options = strchr(arena_strdup(a, c->user_ns), ':');

	*out = (struct spec_userns_auto){0};
	if (options != NULL)
		options++;
	for (char *o; (o = strsep(&options, ",")) != NULL;) {
		const char *value = strchr(o, '=');

		if (value == NULL)
			return err_set(e, ERR_INVALID, "invalid option specified: \"%s\"", o);
		value++;
		if (text_has_prefix(o, "size=")) {
			if (text_to_u64(value, UINT32_MAX, &out->size) < 0)
				return err_set(e, ERR_INVALID,
				    "strconv.ParseUint: parsing \"%s\": invalid syntax", value);
		} else if (text_has_prefix(o, "uidmapping=")) {
			if (auto_range(value, true, &out->uids, a, e) < 0)
				return -1;
		} else if (text_has_prefix(o, "gidmapping=")) {
			if (auto_range(value, false, &out->gids, a, e) < 0)
				return -1;
		} else {
			return err_set(e, ERR_INVALID, "unknown option specified: \"%.*s\"",
			    (int)(value - 1 - o), o);
		}
	}
	return 0;
}

int
spec_userns_choose(const struct id_map *available, const struct id_map *used, uint64_t size,
    const struct id_map *extra, struct id_map *out, struct arena *a, struct err *e)
{
	struct id_map unused = {0}, map = {0};
	uint64_t next = 0;

	for (size_t i = 0; i < available->n; i++)
		append(&unused, 0, available->v[i].outside, available->v[i].count, a);
	for (size_t i = 0; i < used->n; i++)
		punch(&unused, false, used->v[i].outside, used->v[i].count, a);
	for (size_t i = 0; i < extra->n; i++)
		punch(&unused, false, extra->v[i].outside, extra->v[i].count, a);
	for (size_t i = 0; i < unused.n && next < size; i++) {
		uint64_t n = unused.v[i].count < size - next ? unused.v[i].count : size - next;

		append(&map, next, unused.v[i].outside, n, a);
		next += n;
	}
	if (next < size)
		return err_set(e, ERR_LIMIT,
		    "creating a user namespace: not enough unused IDs in user namespace: %llu of "
		    "%llu",
		    (unsigned long long)next, (unsigned long long)size);
	for (size_t i = 0; i < extra->n; i++)
		spec_userns_add(&map, &extra->v[i], true, a);
	tidy(&map);
	*out = map;
	return check(out, UINT32_MAX, "user namespace's", e);
}

/* --- --userns ---------------------------------------------------------------------------------------*/

static const char *
environment(const struct spec_input *in, const char *name)
{
	size_t n = strlen(name);

	for (const char *const *v = in->d->environ; v != NULL && *v != NULL; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

/* --userns, then PODMAN_USERNS, then containers.conf. */
static const char *
asked(const struct spec_input *in)
{
	const char *word = in->o->userns;

	if (word == NULL || *word == '\0')
		word = environment(in, "PODMAN_USERNS");
	if (word == NULL || *word == '\0')
		word = in->d->conf->containers_userns;
	return *word == '\0' ? "host" : word;
}

static int
read_mode(const struct spec_input *in, struct rec_ctr_config *c, const char *given, struct arena *a,
    struct err *e)
{
	struct spec_userns_auto ignored;
	char *mode = arena_strdup(a, given), *options = strchr(mode, ':');

	c->user_ns = given;
	if (options != NULL)
		*options++ = '\0';
	if (strcmp(given, "host") == 0)
		return 0;
	if (strcmp(mode, "ns") == 0 && options != NULL && *options == '/')
		return 0;
	if (strcmp(mode, "container") == 0 && options != NULL && *options != '\0')
		return 0;
	if (strcmp(mode, "auto") == 0)
		return spec_userns_auto(c, &ignored, a, e);
	if (strcmp(mode, "keep-id") == 0)
		return keep_id(in, c, options, a, e);
	if (strcmp(given, "nomap") == 0)
		return no_map(in, c, a, e);
	if (strcmp(given, "private") == 0)
		return err_set(e, ERR_INVALID,
		    "must provide at least one UID or GID mapping to configure a user namespace: "
		    "invalid argument");
	return err_set(e, ERR_INVALID, "unrecognized namespace mode %s passed", given);
}

int
spec_userns_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	bool maps = o->uidmap.n + o->gidmap.n > 0 || o->subuidname != NULL || o->subgidname != NULL;

	if (!maps)
		return read_mode(in, c, asked(in), a, e);
	if (o->userns != NULL && *o->userns != '\0' && strcmp(o->userns, "host") != 0 &&
	    strcmp(o->userns, "private") != 0)
		return err_set(e, ERR_INVALID,
		    "--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually "
		    "exclusive");
	return explicit_maps(in, c, a, e);
}
