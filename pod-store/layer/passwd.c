/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "pod-store/layer/passwd.h"

struct part {
	const char *p;
	size_t n;
};

/* The next line of the file that is not empty, without space around it.  False at the end. */
static bool
next_line(struct part *rest, struct part *line)
{
	while (rest->n > 0) {
		const char *end = memchr(rest->p, '\n', rest->n);
		size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;

		*line = (struct part){rest->p, n};
		n += end != NULL;
		rest->p += n;
		rest->n -= n;
		while (line->n > 0 && strchr(" \t\r", line->p[0]) != NULL)
			line->p++, line->n--;
		while (line->n > 0 && strchr(" \t\r", line->p[line->n - 1]) != NULL)
			line->n--;
		if (line->n > 0 && memchr(line->p, '\0', line->n) == NULL)
			return true;
	}
	return false;
}

/* Splits at sep; parts beyond max are left out.  Returns how many there are. */
static size_t
split(struct part s, char sep, struct part *parts, size_t max)
{
	size_t count = 0;

	for (; count < max; count++) {
		const char *end = memchr(s.p, sep, s.n);

		parts[count] = (struct part){s.p, end != NULL ? (size_t)(end - s.p) : s.n};
		if (end == NULL)
			return count + 1;
		s.n -= parts[count].n + 1;
		s.p = end + 1;
	}
	return count;
}

static bool
to_id(struct part s, uint32_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 10)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (v > PASSWD_ID_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool
equals(struct part a, struct part b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool
all_digits(struct part s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static int
out_of_range(struct err *e)
{
	return err_set(e, ERR_INVALID, "uids and gids must be in range 0-%u", PASSWD_ID_MAX);
}

/* name:password:uid:gid:gecos:home:shell; the last three may be missing. */
static bool
find_user(const struct passwd_files *f, struct part name, bool by_id, uint32_t id,
    struct passwd_user *out, struct arena *a)
{
	struct part rest = {f->passwd, f->passwd_n}, line;

	while (f->passwd != NULL && next_line(&rest, &line)) {
		struct part field[7] = {{"", 0}};
		size_t n = split(line, ':', field, 7);
		uint32_t uid, gid;

		if (n < 4 || !to_id(field[2], &uid) || !to_id(field[3], &gid))
			continue;
		if (by_id ? uid != id : !equals(field[0], name))
			continue;
		out->uid = uid;
		out->gid = gid;
		out->known = true;
		out->name = arena_strndup(a, field[0].p, field[0].n);
		out->home = n > 5 ? arena_strndup(a, field[5].p, field[5].n) : "";
		out->shell = n > 6 ? arena_strndup(a, field[6].p, field[6].n) : "";
		return true;
	}
	return false;
}

static int
add_group(struct passwd_user *out, uint32_t gid, struct err *e)
{
	for (size_t i = 0; i < out->ngroups; i++)
		if (out->groups[i] == gid)
			return 0;
	/* Few files have more than a handful; the bound keeps the search above from mattering. */
	if (out->ngroups >= PASSWD_GROUPS_MAX)
		return err_set(e, ERR_LIMIT, "the user is in more than 1024 groups");
	out->groups = mem_grow(out->groups, &out->groups_cap, out->ngroups + 1, sizeof(uint32_t));
	out->groups[out->ngroups++] = gid;
	return 0;
}

/* name:password:gid:member,member,… */
static bool
next_group(struct part *rest, struct part field[4], uint32_t *gid)
{
	struct part line;

	while (next_line(rest, &line)) {
		size_t n;

		field[3] = (struct part){"", 0};
		n = split(line, ':', field, 4);
		if (n >= 3 && to_id(field[2], gid))
			return true;
	}
	return false;
}

static bool
is_member(struct part list, struct part name)
{
	while (list.n > 0) {
		const char *comma = memchr(list.p, ',', list.n);
		struct part one = {list.p, comma != NULL ? (size_t)(comma - list.p) : list.n};

		if (equals(one, name))
			return true;
		list.p += one.n + (comma != NULL);
		list.n -= one.n + (comma != NULL);
	}
	return false;
}

static int
supplementary(const struct passwd_files *f, struct passwd_user *out, struct err *e)
{
	struct part rest = {f->group, f->group_n}, field[4];
	struct part name = {out->name, strlen(out->name)};
	uint32_t gid;

	while (f->group != NULL && next_group(&rest, field, &gid))
		if (name.n > 0 && is_member(field[3], name) && add_group(out, gid, e) == -1)
			return -1;
	return 0;
}

/* A group by name or number. */
static int
find_group(const struct passwd_files *f, struct part name, uint32_t *out, struct err *e)
{
	struct part rest = {f->group, f->group_n}, field[4];
	bool number = all_digits(name);
	uint32_t id = 0, gid;
	char safe[256], *copy;

	if (number && !to_id(name, &id))
		return out_of_range(e);
	while (!number && f->group != NULL && next_group(&rest, field, &gid))
		if (equals(field[0], name)) {
			*out = gid;
			return 0;
		}
	if (number) {
		*out = id;
		return 0;
	}
	copy = xstrndup(name.p, name.n);
	text_escape(copy, safe, sizeof(safe));
	free(copy);
	return err_set(
	    e, ERR_NOTFOUND, "unable to find group %s: no matching entries in group file", safe);
}

static int
lookup_user(const struct passwd_files *f, struct part name, struct passwd_user *out,
    struct arena *a, struct err *e)
{
	bool by_id = name.n == 0 || all_digits(name);
	uint32_t id = 0;
	char safe[256];

	if (name.n > 0 && by_id && !to_id(name, &id))
		return out_of_range(e);
	if (find_user(f, name, by_id, id, out, a))
		return 0;
	if (by_id) {
		out->uid = id;
		return 0;
	}
	text_escape(arena_strndup(a, name.p, name.n), safe, sizeof(safe));
	return err_set(
	    e, ERR_NOTFOUND, "unable to find user %s: no matching entries in passwd file", safe);
}

/* By number; whoever asks by name gets an error instead if there is none. */
static bool
group_is_known(const struct passwd_files *f, struct part name)
{
	struct part rest = {f->group, f->group_n}, field[4];
	uint32_t id, gid;

	if (!all_digits(name) || !to_id(name, &id))
		return true;
	while (f->group != NULL && next_group(&rest, field, &gid))
		if (gid == id)
			return true;
	return false;
}

int
passwd_lookup(const struct passwd_files *f, const char *spec, const struct strv *more,
    struct passwd_user *out, struct arena *a, struct err *e)
{
	const char *colon = strchrnul(spec, ':');
	struct part name = {spec, (size_t)(colon - spec)}, group = {"", 0};

	*out = (struct passwd_user){.name = "", .home = "/", .shell = ""};
	if (*colon == ':')
		group = (struct part){colon + 1, strlen(colon + 1)};
	if (lookup_user(f, name, out, a, e) == -1)
		return -1;
	if (group.n > 0) {
		if (find_group(f, group, &out->gid, e) == -1)
			return -1;
	} else if (out->known && supplementary(f, out, e) == -1) {
		return -1;
	}
	out->group_known = group_is_known(f, group.n > 0 ? group : name);
	for (size_t i = 0; i < more->n; i++) {
		uint32_t gid;

		if (find_group(f, (struct part){more->v[i], strlen(more->v[i])}, &gid, e) == -1 ||
		    add_group(out, gid, e) == -1)
			return -1;
	}
	return 0;
}

void
passwd_free(struct passwd_user *u)
{
	free(u->groups);
	u->groups = NULL;
}
