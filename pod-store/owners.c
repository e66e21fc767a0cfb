/* SPDX-License-Identifier: ISC */
#include "pod-store/owners.h"

#include <errno.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/fs/file.h"

#define FILE_NAME "owners"
#define FILE_MAX (64u << 10)
#define RANGES_MAX 340 /* what the kernel takes */
#define NOBODY 65534

void
owners_free(struct owners *o)
{
	arena_free(&o->mem);
	*o = (struct owners){0};
}

bool
owners_is_mapped(const struct owners *o)
{
	return o->nuid > 0;
}

static int
check(const struct rec_id_range *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].count == 0 || v[i].inside + v[i].count - 1 > UINT32_MAX ||
		    v[i].outside + v[i].count - 1 > UINT32_MAX)
			return err_set(e, ERR_INVALID, "a range of the ID map is out of range");
		for (size_t k = 0; k < i; k++)
			if ((v[i].inside < v[k].inside + v[k].count &&
				v[k].inside < v[i].inside + v[i].count) ||
			    (v[i].outside < v[k].outside + v[k].count &&
				v[k].outside < v[i].outside + v[i].count))
				return err_set(e, ERR_INVALID, "ranges of the ID map overlap");
	}
	return 0;
}

/* Every id stands for itself: as far as files go that is no map. */
static bool
is_identity(const struct rec_id_range *v, size_t n)
{
	return n == 1 && v->inside == 0 && v->outside == 0 && v->count >= UINT32_MAX;
}

int
owners_of(const struct msg_rootfs_open *m, struct owners *out, struct err *e)
{
	*out = (struct owners){
	    .uid = m->uid_map.v, .nuid = m->uid_map.n, .gid = m->gid_map.v, .ngid = m->gid_map.n};
	if ((out->nuid == 0) != (out->ngid == 0))
		return err_set(
		    e, ERR_INVALID, "a user namespace needs a map of users and of groups");
	if (is_identity(out->uid, out->nuid) && is_identity(out->gid, out->ngid))
		*out = (struct owners){0};
	return check(out->uid, out->nuid, e) == 0 ? check(out->gid, out->ngid, e) : -1;
}

/* --- Single ids ----------------------------------------------------------------------------------- */

static uint32_t
outside(const struct rec_id_range *v, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return (uint32_t)(v[i].outside + (id - v[i].inside));
	return n == 0 ? id : OWNERS_NONE;
}

uint32_t
owners_uid_outside(const struct owners *o, uint32_t uid)
{
	return outside(o->uid, o->nuid, uid);
}

uint32_t
owners_gid_outside(const struct owners *o, uint32_t gid)
{
	return outside(o->gid, o->ngid, gid);
}

/* false: it has no counterpart and goes to somebody who is nobody inside. */
static bool
shift_id(const struct rec_id_range *v, size_t n, uint32_t *id)
{
	uint32_t to = outside(v, n, *id);

	if (to != OWNERS_NONE) {
		*id = to;
		return true;
	}
	to = outside(v, n, NOBODY);
	*id = to != OWNERS_NONE ? to : 0;
	return false;
}

void
owners_shift(const struct owners *o, struct stat *st)
{
	bool uid = shift_id(o->uid, o->nuid, &st->st_uid);
	bool gid = shift_id(o->gid, o->ngid, &st->st_gid);

	if (!uid || !gid)
		st->st_mode &= ~(mode_t)(S_ISUID | S_ISGID);
}

/* --- The container's root ------------------------------------------------------------------------- */

int
owners_become(const struct owners *o, struct err *e)
{
	uint32_t uid = owners_uid_outside(o, 0), gid = owners_gid_outside(o, 0);

	if (!owners_is_mapped(o))
		return 0;
	if (uid == OWNERS_NONE || gid == OWNERS_NONE)
		return err_set(
		    e, ERR_INVALID, "the user namespace has no root: ID 0 is not mapped");
	/* Else the change of the number would take the capabilities for files with it. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == -1)
		return err_sys(e, "keeping capabilities");
	setfsgid(gid);
	setfsuid(uid);
	/* An invalid number asks for the present one. */
	if ((uint32_t)setfsuid((uid_t)-1) == uid && (uint32_t)setfsgid((gid_t)-1) == gid)
		return 0;
	owners_return(o);
	return err_set(e, ERR_DENIED, "taking the number of the container's root");
}

void
owners_return(const struct owners *o)
{
	if (!owners_is_mapped(o))
		return;
	setfsuid(geteuid());
	setfsgid(getegid());
	prctl(PR_SET_SECUREBITS, 0, 0, 0, 0);
}

/* --- As text -------------------------------------------------------------------------------------- */

static void
add_lines(struct strbuf *b, const char *kind, const struct rec_id_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s %llu %llu %llu\n", kind, (unsigned long long)v[i].inside,
		    (unsigned long long)v[i].outside, (unsigned long long)v[i].count);
}

static void
to_text(const struct owners *o, struct strbuf *b)
{
	add_lines(b, "uid", o->uid, o->nuid);
	add_lines(b, "gid", o->gid, o->ngid);
}

void
owners_name(const struct owners *o, char out[OWNERS_NAME])
{
	own_strbuf struct strbuf text = {0};
	char hex[SHA256_HEX];

	to_text(o, &text);
	sha256_hex(text.s, text.n, hex);
	snprintf(out, OWNERS_NAME, "map-%.16s", hex);
}

int
owners_save(const struct owners *o, int rw, struct err *e)
{
	own_strbuf struct strbuf text = {0};

	strbuf_add(&text, o->shifted ? "shifted\n" : "mounted\n");
	to_text(o, &text);
	return file_write(rw, FILE_NAME, text.s, text.n, 0600, 0, e);
}

static int
read_line(struct owners *o, char *line, struct err *e)
{
	char *kind = strsep(&line, " "), *field[3];
	bool uid = strcmp(kind, "uid") == 0;
	size_t *n = uid ? &o->nuid : &o->ngid;
	struct rec_id_range *r = uid ? &o->uid[*n] : &o->gid[*n];

	for (size_t i = 0; i < COUNTOF(field); i++)
		field[i] = strsep(&line, " ");
	if ((!uid && strcmp(kind, "gid") != 0) || *n == RANGES_MAX || field[2] == NULL ||
	    line != NULL || text_to_u64(field[0], UINT32_MAX, &r->inside) == -1 ||
	    text_to_u64(field[1], UINT32_MAX, &r->outside) == -1 ||
	    text_to_u64(field[2], UINT32_MAX, &r->count) == -1)
		return err_set(e, ERR_FORMAT, "the ID map of the container is malformed");
	(*n)++;
	return 0;
}

int
owners_load(struct owners *o, int rw, struct err *e)
{
	own_mem char *text = NULL;
	struct err why = {0};
	char *rest;
	size_t n;

	*o = (struct owners){0};
	if (file_read(rw, FILE_NAME, FILE_MAX, &text, &n, &why) == -1) {
		if (why.no == ENOENT)
			return 0;
		*e = why;
		return -1;
	}
	o->uid = arena_array(&o->mem, RANGES_MAX, sizeof(*o->uid));
	o->gid = arena_array(&o->mem, RANGES_MAX, sizeof(*o->gid));
	rest = text;
	o->shifted = strcmp(strsep(&rest, "\n"), "shifted") == 0;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && read_line(o, line, e) == -1)
			return -1;
	return check(o->uid, o->nuid, e) == 0 ? check(o->gid, o->ngid, e) : -1;
}
