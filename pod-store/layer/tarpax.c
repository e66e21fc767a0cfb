/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/layer/tar-state.h"

static int
set_text(char *dst, bool *have, const char *value, size_t n)
{
	if (n > TAR_PATH_MAX || memchr(value, '\0', n) != NULL)
		return -1;
	memcpy(dst, value, n);
	dst[n] = '\0';
	*have = n > 0; /* an empty value takes back what was said */
	return 0;
}

static int
pax_path(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return t->pend.sparse_name ? 0 : set_text(t->name, &t->pend.path, v, n);
}

static int
pax_sparse_name(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	t->pend.sparse_name = true;
	return set_text(t->name, &t->pend.path, v, n);
}

static int
pax_linkpath(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return set_text(t->link, &t->pend.link, v, n);
}

static int
pax_u64(const char *v, size_t n, uint64_t max, uint64_t *out, bool *have)
{
	if (n == 0) {
		*have = false;
		return 0;
	}
	*have = true;
	return tarhdr_pax_number(v, n, max, out);
}

static int
pax_size(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_u64(v, n, TAR_SIZE_MAX, &t->pend.size_value, &t->pend.size);
}

static int
pax_uid(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_u64(v, n, UINT32_MAX - 1, &t->pend.uid_value, &t->pend.uid);
}

static int
pax_gid(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_u64(v, n, UINT32_MAX - 1, &t->pend.gid_value, &t->pend.gid);
}

static int
pax_mtime(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	t->pend.mtime = n > 0;
	return n == 0 ? 0 : tarhdr_pax_time(v, n, &t->pend.mtime_value, &t->pend.mtime_ns);
}

static int
pax_sparse_size(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_u64(v, n, TAR_SIZE_MAX, &t->pend.real_size, &t->pend.sparse_size);
}

static int
pax_sparse_number(struct tar *t, const char *v, size_t n, struct err *e)
{
	uint64_t number;

	t->pend.sparse_map = true;
	if (tarhdr_pax_number(v, n, TAR_SIZE_MAX, &number) == -1)
		return -1;
	return sparse_add_number(&t->sparse, number, e);
}

static int
pax_sparse_map(struct tar *t, const char *v, size_t n, struct err *e)
{
	t->pend.sparse_map = true;
	return sparse_parse_list(&t->sparse, v, n, e);
}

static int
pax_sparse_version(struct tar *t, const char *v, size_t n, unsigned *out)
{
	uint64_t number;

	t->pend.sparse_version = true;
	if (tarhdr_pax_number(v, n, 1, &number) == -1)
		return -1;
	*out = (unsigned)number;
	return 0;
}

static int
pax_sparse_major(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_sparse_version(t, v, n, &t->pend.sparse_major);
}

static int
pax_sparse_minor(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)e;
	return pax_sparse_version(t, v, n, &t->pend.sparse_minor);
}

/* The number of pieces is plain from the pieces. */
static int
pax_ignore(struct tar *t, const char *v, size_t n, struct err *e)
{
	(void)t, (void)v, (void)n, (void)e;
	return 0;
}

#define XATTR "SCHILY.xattr."

static int
pax_xattr(struct tar *t, const char *key, const char *v, size_t n, struct err *e)
{
	struct tar_xattr *x = &t->xattrs[t->entry.nxattrs];

	key += sizeof(XATTR) - 1;
	if (*key == '\0' || strlen(key) > 255)
		return -1;
	if (n > TAR_XATTR_MAX)
		return tar_bad(t, e, ERR_LIMIT, "an extended attribute is larger than 64 KiB");
	if (t->entry.nxattrs >= TAR_XATTRS_MAX)
		return tar_bad(t, e, ERR_LIMIT, "more than 256 extended attributes");
	x->name = arena_strdup(&t->xattr_mem, key);
	x->value = arena_strndup(&t->xattr_mem, v, n);
	x->n = n;
	t->entry.nxattrs++;
	return 0;
}

/* Keys that mean something to us; in a global header none of them may stand where "local" is set.
 */
static const struct {
	const char *key;
	bool local;
	int (*set)(struct tar *, const char *, size_t, struct err *);
} pax_keys[] = {
    {"path", true, pax_path},
    {"linkpath", true, pax_linkpath},
    {"size", true, pax_size},
    {"uid", false, pax_uid},
    {"gid", false, pax_gid},
    {"mtime", false, pax_mtime},
    {"GNU.sparse.name", true, pax_sparse_name},
    {"GNU.sparse.size", true, pax_sparse_size},
    {"GNU.sparse.realsize", true, pax_sparse_size},
    {"GNU.sparse.numblocks", true, pax_ignore},
    {"GNU.sparse.offset", true, pax_sparse_number},
    {"GNU.sparse.numbytes", true, pax_sparse_number},
    {"GNU.sparse.map", true, pax_sparse_map},
    {"GNU.sparse.major", true, pax_sparse_major},
    {"GNU.sparse.minor", true, pax_sparse_minor},
};

static int
pax_record(struct tar *t, const char *key, const char *v, size_t n, struct err *e)
{
	const bool global = t->meta_type == 'g';

	for (size_t i = 0; i < COUNTOF(pax_keys); i++) {
		if (strcmp(key, pax_keys[i].key) != 0)
			continue;
		if (global)
			return pax_keys[i].local ? -1 : 0;
		return pax_keys[i].set(t, v, n, e);
	}
	if (text_has_prefix(key, XATTR))
		return global ? -1 : pax_xattr(t, key, v, n, e);
	/* A kind of sparse file from the future must not be unpacked as a plain one. */
	return text_has_prefix(key, "GNU.sparse.") ? -1 : 0;
}

static int
read_pax(struct tar *t, struct err *e)
{
	char *p = t->meta, *key, *value;
	size_t n = t->meta_size, value_n;
	int got;

	if (t->meta_type != 'g' && t->pend.pax)
		return tar_malformed(t, e, "two extended headers for one entry");
	if (t->meta_type != 'g')
		t->pend.pax = true;
	while ((got = tarhdr_pax_next(&p, &n, &key, &value, &value_n)) == 1) {
		err_clear(e);
		if (pax_record(t, key, value, value_n, e) == 0)
			continue;
		if (!err_is_set(e)) {
			char safe[128], what[192];

			text_escape(key, safe, sizeof(safe));
			snprintf(what, sizeof(what), "the extended header field %s is not valid%s",
			    safe, t->meta_type == 'g' ? " for all entries" : "");
			tar_malformed(t, e, what);
		}
		return -1;
	}
	return got == -1 ? tar_malformed(t, e, "a malformed extended header") : 0;
}

/* GNU 'L' and 'K': the name with a NUL at its end. */
static int
read_long(struct tar *t, char *dst, bool *have, struct err *e)
{
	size_t n = strnlen(t->meta, t->meta_size);

	if (*have)
		return tar_malformed(t, e, "two long names for one entry");
	if (n == 0 || set_text(dst, have, t->meta, n) == -1)
		return tar_malformed(t, e, "a malformed long name");
	return 0;
}

int
tarpax_read(struct tar *t, struct err *e)
{
	if (t->meta_type == 'L')
		return read_long(t, t->name, &t->pend.path, e);
	if (t->meta_type == 'K')
		return read_long(t, t->link, &t->pend.link, e);
	return read_pax(t, e);
}
