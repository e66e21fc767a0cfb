/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/layer/sparse.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tar-state.h"
#include "pod-store/layer/tarhdr.h"

struct tar *
tar_new(void)
{
	return xcalloc(1, sizeof(struct tar));
}

void
tar_free(struct tar **t)
{
	if (*t == NULL)
		return;
	free((*t)->meta);
	arena_free(&(*t)->xattr_mem);
	sparse_free(&(*t)->sparse);
	free(*t);
	*t = NULL;
}

void
tar_feed(struct tar *t, const void *p, size_t n)
{
	t->p = p;
	t->n = n;
	t->eof = n == 0;
}

/* An error about the entry under way, whose name is foreign text. */
int
tar_bad(const struct tar *t, struct err *e, enum err_class class, const char *what)
{
	char safe[256];

	text_escape(t->entry.name != NULL ? t->entry.name : "", safe, sizeof(safe));
	if (safe[0] == '\0')
		return err_set(e, class, "tar: %s", what);
	return err_set(e, class, "tar: %s: %s", safe, what);
}

int
tar_malformed(const struct tar *t, struct err *e, const char *what)
{
	return tar_bad(t, e, ERR_FORMAT, what);
}

int
tar_entry_failed(const struct tar_entry *x, const char *what, struct err *e)
{
	char safe[300];
	int no = errno;

	text_escape(x->name, safe, sizeof(safe));
	errno = no;
	return err_sys(e, "%s %s", what, safe);
}

int
tar_entry_refused(const struct tar_entry *x, const char *why, struct err *e)
{
	char safe[300];

	text_escape(x->name, safe, sizeof(safe));
	return err_set(e, ERR_FORMAT, "unpacking %s: %s", safe, why);
}

const struct tar_entry *
tar_entry(const struct tar *t)
{
	return &t->entry;
}

const void *
tar_data(const struct tar *t, size_t *n, uint64_t *offset)
{
	*n = t->data_n;
	if (offset != NULL)
		*offset = t->data_offset;
	return t->data;
}

static int
begin_meta(struct tar *t, struct err *e)
{
	int64_t size;
	bool name = t->h.type == 'L' || t->h.type == 'K';

	if (tarhdr_number(t->h.size, sizeof(t->h.size), &size) == -1 || size < 0)
		return tar_malformed(t, e, "the size of an extended header is not a number");
	if (size > (name ? TAR_PATH_MAX + 1 : TAR_META_MAX))
		return tar_bad(t, e, ERR_LIMIT,
		    name ? "a name is longer than 4095 bytes"
			 : "an extended header is larger than 1 MiB");
	t->meta_type = t->h.type;
	t->meta_size = (uint64_t)size;
	t->meta_n = 0;
	t->meta = mem_grow(t->meta, &t->meta_cap, (size_t)size + 1, 1);
	t->meta[size] = '\0';
	t->left = (uint64_t)size;
	t->padding = (unsigned)(-size & (TAR_BLOCK - 1));
	t->state = META;
	return 0;
}

/* --- The header of an entry --- */

static void
header_name(struct tar *t)
{
	enum tarhdr_format f = tarhdr_format(&t->h);
	size_t prefix = 0, n;

	if (t->pend.path)
		return;
	if (f == TARHDR_USTAR || f == TARHDR_STAR)
		prefix = strnlen(t->h.prefix, f == TARHDR_STAR ? 131 : sizeof(t->h.prefix));
	memcpy(t->name, t->h.prefix, prefix);
	if (prefix > 0)
		t->name[prefix++] = '/';
	n = strnlen(t->h.name, sizeof(t->h.name));
	memcpy(t->name + prefix, t->h.name, n);
	t->name[prefix + n] = '\0';
}

static void
header_link(struct tar *t)
{
	size_t n = strnlen(t->h.link, sizeof(t->h.link));

	if (t->pend.link)
		return;
	memcpy(t->link, t->h.link, n);
	t->link[n] = '\0';
}

static int
header_type(struct tar *t, struct err *e)
{
	static const char types[] = {'0', '1', '2', '3', '4', '5', '6'};
	size_t n = strlen(t->name);
	char what[64], type = t->h.type;

	if (type == '\0' || type == '7' || type == 'S')
		type = '0';
	/* Version 7 had no type for directories. */
	if (t->h.type == '\0' && n > 0 && t->name[n - 1] == '/')
		type = '5';
	for (size_t i = 0; i < sizeof(types); i++)
		if (types[i] == type) {
			t->entry.type = (enum tar_type)i;
			return 0;
		}
	snprintf(what, sizeof(what), "unknown type 0x%02x", (unsigned char)t->h.type);
	return tar_malformed(t, e, what);
}

static int
header_id(struct tar *t, const char *field, bool have, uint64_t value, uint32_t *out)
{
	int64_t v;

	/* The field may overflow where the extended header tells the truth. */
	if (have) {
		*out = (uint32_t)value;
		return 0;
	}
	(void)t;
	if (tarhdr_number(field, 8, &v) == -1 || v < 0 || v > UINT32_MAX - 1)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int
header_size(struct tar *t, uint64_t *size)
{
	/* What writers put where the true size does not fit. */
	static const int64_t saturated = 077777777777;
	int64_t v;

	if (tarhdr_number(t->h.size, sizeof(t->h.size), &v) == -1 || v < 0 || v > TAR_SIZE_MAX)
		return -1;
	*size = (uint64_t)v;
	if (!t->pend.size)
		return 0;
	if (v != 0 && v != saturated && (uint64_t)v != t->pend.size_value)
		return -1;
	*size = t->pend.size_value;
	return 0;
}

static int
header_numbers(struct tar *t, struct err *e)
{
	struct tar_entry *n = &t->entry;
	int64_t mode, major = 0, minor = 0;

	if (tarhdr_number(t->h.mode, sizeof(t->h.mode), &mode) == -1)
		return tar_malformed(t, e, "the mode is not a number");
	n->mode = (mode_t)(mode & 07777);
	if (header_id(t, t->h.uid, t->pend.uid, t->pend.uid_value, &n->uid) == -1)
		return tar_malformed(t, e, "the user id is not within 0..4294967294");
	if (header_id(t, t->h.gid, t->pend.gid, t->pend.gid_value, &n->gid) == -1)
		return tar_malformed(t, e, "the group id is not within 0..4294967294");
	if (t->pend.mtime) {
		n->mtime = t->pend.mtime_value;
		n->mtime_ns = t->pend.mtime_ns;
	} else if (tarhdr_number(t->h.mtime, sizeof(t->h.mtime), &n->mtime) == -1) {
		return tar_malformed(t, e, "the time is not a number");
	}
	if (n->type != TAR_CHAR && n->type != TAR_BLOCKDEV)
		return 0;
	if (tarhdr_number(t->h.major, sizeof(t->h.major), &major) == -1 || major < 0 ||
	    major > 0xfff || tarhdr_number(t->h.minor, sizeof(t->h.minor), &minor) == -1 ||
	    minor < 0 || minor > 0xfffff)
		return tar_malformed(t, e, "the device number is not valid");
	n->major = (unsigned)major;
	n->minor = (unsigned)minor;
	return 0;
}

static int
old_sparse_pairs(struct tar *t, const char (*pair)[24], size_t n, struct err *e)
{
	for (size_t i = 0; i < n && pair[i][0] != '\0'; i++) {
		int64_t offset, bytes;

		if (tarhdr_number(pair[i], 12, &offset) == -1 || offset < 0 ||
		    tarhdr_number(pair[i] + 12, 12, &bytes) == -1 || bytes < 0)
			return tar_malformed(t, e, "the map of a sparse file is malformed");
		if (sparse_add(&t->sparse, (uint64_t)offset, (uint64_t)bytes, e) == -1)
			return -1;
	}
	return 0;
}

/* What comes after the header: the map of a sparse file in one of its four forms, or contents. */
static int
header_sparse(struct tar *t, struct err *e)
{
	struct pending *p = &t->pend;
	int64_t real;

	t->state = START;
	if (t->h.type == 'S') {
		if (tarhdr_format(&t->h) != TARHDR_GNU || p->sparse_map || p->sparse_version ||
		    tarhdr_number(t->h.gnu.real_size, sizeof(t->h.gnu.real_size), &real) == -1 ||
		    real < 0 || real > TAR_SIZE_MAX)
			return tar_malformed(t, e, "a malformed sparse file");
		t->entry.sparse = true;
		t->entry.size = (uint64_t)real;
		if (t->h.gnu.extended != 0)
			t->state = OLD_SPARSE;
		return old_sparse_pairs(t, t->h.gnu.sparse, 4, e);
	}
	if (!p->sparse_map && !p->sparse_version && !p->sparse_size)
		return 0;
	if (t->entry.type != TAR_FILE || !p->sparse_size ||
	    p->sparse_map == (p->sparse_major == 1) ||
	    (p->sparse_major == 1 && p->sparse_minor != 0))
		return tar_malformed(t, e, "a sparse file of an unknown format");
	t->entry.sparse = true;
	t->entry.size = p->real_size;
	if (p->sparse_major == 1) {
		t->map_left = UINT64_MAX;
		t->number = t->digits = 0;
		t->state = MAP;
	}
	return 0;
}

static int
begin_entry(struct tar *t, struct err *e)
{
	uint64_t size;

	header_name(t);
	header_link(t);
	t->entry.name = t->name;
	t->entry.link = t->link;
	t->entry.xattrs = t->xattrs;
	if (++t->entries > TAR_ENTRIES_MAX)
		return tar_bad(t, e, ERR_LIMIT, "more than 16777216 entries");
	if (t->name[0] == '\0')
		return tar_malformed(t, e, "an entry without a name");
	if (header_type(t, e) == -1)
		return -1;
	if (header_size(t, &size) == -1)
		return tar_malformed(t, e, "the size is not valid");
	if (header_numbers(t, e) == -1)
		return -1;
	t->left = t->entry.type == TAR_FILE ? size : 0;
	t->padding = (unsigned)(-t->left & (TAR_BLOCK - 1));
	t->entry.size = t->left;
	return header_sparse(t, e);
}

static int
is_zero(const uint8_t *b)
{
	return b[0] == 0 && memcmp(b, b + 1, TAR_BLOCK - 1) == 0;
}

static int
read_header(struct tar *t, struct err *e)
{
	if (is_zero(t->block)) {
		t->state = ZERO;
		return 0;
	}
	if (!tarhdr_checksum_ok(&t->h))
		return tar_malformed(t, e, "a header with a wrong checksum");
	if (t->h.type != '\0' && strchr("xXgLK", t->h.type) != NULL)
		return begin_meta(t, e);
	return begin_entry(t, e);
}

/* Everything extended headers said is for one entry only. */
static void
end_entry(struct tar *t)
{
	t->pend = (struct pending){0};
	t->entry = (struct tar_entry){0};
	sparse_clear(&t->sparse);
	t->segment = 0;
	t->within = 0;
	if (t->xattr_mem.head != NULL)
		arena_free(&t->xattr_mem);
}

/* One block of the map that stands before the contents in format 1.0. */
static int
read_map(struct tar *t, struct err *e)
{
	if (t->left < TAR_BLOCK)
		return tar_malformed(t, e, "the map of a sparse file is longer than its contents");
	t->left -= TAR_BLOCK;
	for (size_t i = 0; i < TAR_BLOCK && t->map_left > 0; i++) {
		unsigned d = (unsigned)t->block[i] - (unsigned)'0';

		if (d <= 9 && ++t->digits < 20) {
			t->number = t->number * 10 + d;
			continue;
		}
		if (t->block[i] != '\n' || t->digits == 0 || t->number > TAR_SIZE_MAX)
			return tar_malformed(t, e, "the map of a sparse file is malformed");
		if (t->map_left == UINT64_MAX) {
			if (t->number > TAR_SEGMENTS_MAX)
				return tar_bad(
				    t, e, ERR_LIMIT, "a sparse file has too many pieces");
			t->map_left = t->number * 2;
		} else {
			if (sparse_add_number(&t->sparse, t->number, e) == -1)
				return -1;
			t->map_left--;
		}
		t->number = t->digits = 0;
	}
	t->state = t->map_left > 0 ? MAP : START;
	return 0;
}

static int
read_old_sparse(struct tar *t, struct err *e)
{
	t->state = t->block[504] != 0 ? OLD_SPARSE : START;
	return old_sparse_pairs(t, (const char(*)[24])t->block, 21, e);
}

/* --- The machine --- */

static enum tar_event
raw(struct tar *t, const uint8_t *p, size_t n)
{
	t->data = p;
	t->data_n = n;
	return TAR_RAW;
}

static void
consume(struct tar *t, size_t n)
{
	t->p += n;
	t->n -= n;
}

/* Gathers a block; when it is complete, gives it out as raw and goes to the state after. */
static enum tar_event
gather(struct tar *t, enum tar_state after, struct err *e)
{
	size_t n = TAR_BLOCK - t->fill;

	if (t->n == 0 && t->eof) {
		/* As the peers: a stream may end without the end-of-archive blocks. */
		if (t->fill == 0 && (t->state == ZERO || (t->state == HEADER && !t->pend.pax &&
							     !t->pend.path && !t->pend.link))) {
			t->state = DONE;
			return TAR_END;
		}
		tar_malformed(t, e, "the stream ends too early");
		return TAR_BAD;
	}
	if (t->n == 0)
		return TAR_MORE;
	if (n > t->n)
		n = t->n;
	memcpy(t->block + t->fill, t->p, n);
	t->fill += n;
	consume(t, n);
	if (t->fill < TAR_BLOCK)
		return TAR_MORE;
	t->fill = 0;
	t->state = after;
	return raw(t, t->block, TAR_BLOCK);
}

/* Bytes at hand, at most max; 0 at the end of the input, which is an error then. */
static size_t
take(struct tar *t, uint64_t max, struct err *e)
{
	if (t->n == 0 && t->eof)
		tar_malformed(t, e, "the stream ends too early");
	return t->n < max ? t->n : (size_t)max;
}

static enum tar_event
meta_bytes(struct tar *t, struct err *e)
{
	const uint8_t *p = t->p;
	size_t n;

	if (t->left == 0 && t->padding == 0) {
		t->state = GOT_META;
		return TAR_MORE;
	}
	n = take(t, t->left > 0 ? t->left : t->padding, e);
	if (n == 0)
		return t->eof ? TAR_BAD : TAR_MORE;
	if (t->left > 0) {
		memcpy(t->meta + t->meta_n, p, n);
		t->meta_n += n;
		t->left -= n;
	} else {
		t->padding -= (unsigned)n;
	}
	consume(t, n);
	return raw(t, p, n);
}

static enum tar_event
contents(struct tar *t, struct err *e)
{
	uint64_t max = t->left;
	size_t n;

	if (t->left == 0) {
		t->state = FINISH;
		return TAR_MORE;
	}
	if (t->entry.sparse)
		max = t->sparse.v[t->segment].n - t->within;
	n = take(t, max, e);
	if (n == 0)
		return t->eof ? TAR_BAD : TAR_MORE;
	t->data = t->p;
	t->data_n = n;
	t->data_offset =
	    t->entry.sparse ? t->sparse.v[t->segment].offset + t->within : t->entry.size - t->left;
	t->left -= n;
	t->within += n;
	if (t->entry.sparse && t->within == t->sparse.v[t->segment].n) {
		t->segment++;
		t->within = 0;
	}
	consume(t, n);
	return TAR_DATA;
}

static enum tar_event
pad(struct tar *t, struct err *e)
{
	const uint8_t *p = t->p;
	size_t n = take(t, t->padding, e);

	if (t->padding == 0) {
		err_clear(e);
		t->state = HEADER;
		return TAR_MORE;
	}
	if (n == 0)
		return t->eof ? TAR_BAD : TAR_MORE;
	t->padding -= (unsigned)n;
	consume(t, n);
	return raw(t, p, n);
}

static enum tar_event
rest(struct tar *t, struct err *e)
{
	const uint8_t *p = t->p;
	size_t n = t->n;

	if (n == 0) {
		t->state = t->eof ? DONE : TRAILER;
		return t->eof ? TAR_END : TAR_MORE;
	}
	t->trailer += n;
	if (t->trailer > TAR_TRAILER_MAX) {
		tar_bad(t, e, ERR_LIMIT, "more than 64 MiB after the end of the archive");
		return TAR_BAD;
	}
	consume(t, n);
	return raw(t, p, n);
}

/* Steps that need no input: 0 to go on, -1 for an error. */
static int
think(struct tar *t, struct err *e)
{
	enum tar_state s = t->state;

	switch (s) {
	case GOT_HEADER:
		return read_header(t, e);
	case GOT_META:
		t->state = HEADER;
		return tarpax_read(t, e);
	case GOT_OLD_SPARSE:
		return read_old_sparse(t, e);
	case GOT_MAP:
		return read_map(t, e);
	case GOT_ZERO:
		t->state = TRAILER;
		return is_zero(t->block) ? 0 : tar_malformed(t, e, "a lone zero block");
	default:
		return 0;
	}
}

static enum tar_event
step(struct tar *t, struct err *e)
{
	switch (t->state) {
	case HEADER:
		return gather(t, GOT_HEADER, e);
	case OLD_SPARSE:
		return gather(t, GOT_OLD_SPARSE, e);
	case MAP:
		return gather(t, GOT_MAP, e);
	case ZERO:
		return gather(t, GOT_ZERO, e);
	case META:
		return meta_bytes(t, e);
	case START:
		if (t->entry.sparse && sparse_check(&t->sparse, t->entry.size, t->left, e) == -1) {
			err_wrap(e, "tar");
			return TAR_BAD;
		}
		t->state = DATA;
		return TAR_ENTRY;
	case DATA:
		return contents(t, e);
	case FINISH:
		t->state = PADDING;
		return TAR_ENTRY_END;
	case PADDING:
		if (t->entry.name != NULL)
			end_entry(t);
		return pad(t, e);
	case TRAILER:
		return rest(t, e);
	default:
		return TAR_END;
	}
}

enum tar_event
tar_next(struct tar *t, struct err *e)
{
	for (;;) {
		enum tar_state before;
		enum tar_event got;

		if (think(t, e) == -1)
			return TAR_BAD;
		before = t->state;
		got = step(t, e);
		/* No event: a step that only changed the state, or one that wants input. */
		if (got != TAR_MORE)
			return got;
		if (t->state == before && t->n == 0 && !t->eof)
			return TAR_MORE;
	}
}
