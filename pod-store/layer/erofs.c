/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-store/layer/erofs.h"

#define BLOCK_BITS 9u
#define BLOCK (1u << BLOCK_BITS)
#define MAGIC 0xe0f5e1e2u
#define SUPER_AT 1024u
#define SLOT 128u
#define INODES_AT 1536u
#define NID_SIZE 32u

#define COMPAT_MTIME 0x2u
#define INCOMPAT_CHUNKED_FILE 0x4u
#define INCOMPAT_DEVICE_TABLE 0x8u

#define INLINE_MAX (BLOCK - sizeof(struct inode)) /* so that some place keeps it in one block */
#define CHUNK_INDEXES 0x20u
#define CHUNK_BITS_MAX 31u
#define CHUNK_NONE UINT32_MAX
#define CHUNKS_MAX 4096u /* of a sparse file */
#define PAGE_BITS 12u
#define TAR_DEVICE 1u
#define BUFFER (1u << 20)

enum form { PLAIN = 0, INLINE = 2, CHUNKS = 4 };

struct super {
	uint32_t magic, checksum, feature_compat;
	uint8_t block_bits, ext_slots;
	uint16_t root_nid;
	uint64_t inodes, time;
	uint32_t time_ns, blocks, meta_block, xattr_block;
	uint8_t uuid[16], volume[16];
	uint32_t feature_incompat;
	uint16_t algorithms, devices, device_slot;
	uint8_t dir_block_bits, prefixes;
	uint32_t prefix_start;
	uint64_t packed_nid;
	uint8_t reserved[24];
} __attribute__((packed));

struct slot {
	uint8_t tag[64];
	uint32_t blocks, address;
	uint8_t reserved[56];
} __attribute__((packed));

struct inode {
	uint16_t format, xattr_count, mode, reserved;
	uint64_t size;
	uint32_t what; /* block, device number, or form of the chunks */
	uint32_t number, uid, gid;
	uint64_t mtime;
	uint32_t mtime_ns, links;
	uint8_t reserved2[16];
} __attribute__((packed));

struct chunk {
	uint16_t reserved, device;
	uint32_t block;
} __attribute__((packed));

struct dir_entry {
	uint64_t nid;
	uint16_t name_at;
	uint8_t type, reserved;
} __attribute__((packed));

struct xattr_head {
	uint32_t filter;
	uint8_t shared, reserved[7];
} __attribute__((packed));

struct xattr_entry {
	uint8_t name_len, prefix;
	uint16_t value_len;
} __attribute__((packed));

_Static_assert(sizeof(struct super) == SLOT && sizeof(struct slot) == SLOT &&
		   sizeof(struct inode) == 64 && sizeof(struct dir_entry) == 12,
    "EROFS on disk");

struct child {
	const char *text;
	size_t len;
	const struct node *node;
};

struct writer {
	struct nodes *t;
	int tar, out;
	struct node *last; /* of the list in the order of their places */
	uint64_t inodes;
	uint64_t end;  /* of what is placed */
	uint64_t area; /* next block for copied pieces */
	struct strbuf buf;
	uint64_t written;
	struct child *children;
	size_t children_cap;
	char *copy;
};

/* --- Extended attributes ----------------------------------------------------------------------------- */

static uint8_t
xattr_prefix(const char *name, const char **rest)
{
	static const struct {
		const char *text;
		uint8_t prefix;
	} prefixes[] = {{"user.", 1}, {"system.posix_acl_access", 2},
	    {"system.posix_acl_default", 3}, {"trusted.", 4}, {"security.", 6}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (text_has_prefix(name, prefixes[i].text)) {
			*rest = name + strlen(prefixes[i].text);
			return prefixes[i].prefix;
		}
	return 0; /* nodes.c keeps no others */
}

static size_t
align(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static size_t
xattrs_size(const struct node *n)
{
	size_t sum = 0;
	const char *rest = "";

	for (const struct node_xattr *x = n->xattrs; x != NULL; x = x->next) {
		xattr_prefix(x->name, &rest);
		sum += align(sizeof(struct xattr_entry) + strlen(rest) + x->n, 4);
	}
	return sum > 0 ? sum + sizeof(struct xattr_head) : 0;
}

static void
pad(struct strbuf *b, size_t n)
{
	static const char zeros[BLOCK];

	for (; n > sizeof(zeros); n -= sizeof(zeros))
		strbuf_addn(b, zeros, sizeof(zeros));
	strbuf_addn(b, zeros, n);
}

static void
add_xattrs(struct strbuf *b, const struct node *n)
{
	struct xattr_head head = {0};

	if (n->xattrs == NULL)
		return;
	strbuf_addn(b, (const char *)&head, sizeof(head));
	for (const struct node_xattr *x = n->xattrs; x != NULL; x = x->next) {
		const char *rest = "";
		struct xattr_entry w = {.prefix = xattr_prefix(x->name, &rest)};
		size_t len = strlen(rest);

		w.name_len = (uint8_t)len;
		w.value_len = htole16((uint16_t)x->n);
		strbuf_addn(b, (const char *)&w, sizeof(w));
		strbuf_addn(b, rest, len);
		strbuf_addn(b, x->value, x->n);
		pad(b, align(sizeof(w) + len + x->n, 4) - (sizeof(w) + len + x->n));
	}
}

/* --- Directories ------------------------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct child *x = a, *y = b;
	int c = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* What the directory holds, "." and ".." included, in the order in which the kernel searches. */
static size_t
list_children(struct writer *w, const struct node *dir)
{
	size_t n = 0;

	w->children =
	    mem_grow(w->children, &w->children_cap, dir->nnames + 2, sizeof(*w->children));
	w->children[n++] = (struct child){".", 1, dir};
	w->children[n++] = (struct child){"..", 2, dir->parent};
	for (const struct node_name *x = dir->names; x != NULL; x = x->next)
		w->children[n++] = (struct child){x->text, x->len, x->node};
	qsort(w->children, n, sizeof(*w->children), compare);
	return n;
}

/* How many of the n children fill one block, and how much of it. */
static size_t
fill_block(const struct child *c, size_t n, size_t *used)
{
	size_t i = 0;

	for (*used = 0; i < n && *used + sizeof(struct dir_entry) + c[i].len <= BLOCK; i++)
		*used += sizeof(struct dir_entry) + c[i].len;
	return i;
}

static uint64_t
dir_size(struct writer *w, const struct node *dir)
{
	size_t n = list_children(w, dir), used = 0;
	uint64_t size = 0;

	for (size_t i = 0; i < n;) {
		i += fill_block(w->children + i, n - i, &used);
		size += i < n ? BLOCK : used;
	}
	return size;
}

static uint8_t
type_of(const struct node *n)
{
	static const uint8_t types[] = {[TAR_FILE] = 1,
	    [TAR_DIR] = 2,
	    [TAR_CHAR] = 3,
	    [TAR_BLOCKDEV] = 4,
	    [TAR_FIFO] = 5,
	    [TAR_SYMLINK] = 7};

	return types[n->type];
}

static void
add_dir(struct writer *w, struct strbuf *b, const struct node *dir)
{
	size_t n = list_children(w, dir), used, count;

	for (size_t i = 0; i < n; i += count) {
		const struct child *c = w->children + i;
		size_t name_at;

		count = fill_block(c, n - i, &used);
		name_at = count * sizeof(struct dir_entry);
		for (size_t k = 0; k < count; name_at += c[k++].len) {
			struct dir_entry d = {.nid = htole64(c[k].node->place / NID_SIZE),
			    .name_at = htole16((uint16_t)name_at),
			    .type = type_of(c[k].node)};

			strbuf_addn(b, (const char *)&d, sizeof(d));
		}
		for (size_t k = 0; k < count; k++)
			strbuf_addn(b, c[k].text, c[k].len);
		if (i + count < n)
			pad(b, BLOCK - used);
	}
}

/* --- Files ------------------------------------------------------------------------------------------- */

static bool
is_whole(const struct nodes *t, const struct node *n)
{
	return n->npieces == 1 && t->pieces[n->piece].at == 0 && t->pieces[n->piece].n == n->size;
}

/* Bits of a chunk's size and the number of chunks. */
static unsigned
chunk_bits(const struct nodes *t, const struct node *n, uint64_t *count)
{
	unsigned bits = is_whole(t, n) ? BLOCK_BITS : PAGE_BITS;
	uint64_t max = is_whole(t, n) ? 1 : CHUNKS_MAX;

	while (bits < BLOCK_BITS + CHUNK_BITS_MAX && ((n->size - 1) >> bits) + 1 > max)
		bits++;
	*count = ((n->size - 1) >> bits) + 1;
	return bits;
}

/* The pieces of [at, at + n), from the file's piece *i on, which moves to the first that reaches further. */
static int
copy_pieces(struct writer *w, const struct node *f, size_t *i, uint64_t at, uint64_t n, uint64_t to,
    struct err *e)
{
	for (; *i < f->npieces; (*i)++) {
		const struct node_piece *p = &w->t->pieces[f->piece + *i];
		uint64_t from = p->at > at ? p->at : at, end = p->at + p->n;

		if (end > at + n)
			end = at + n;
		for (uint64_t left = end > from ? end - from : 0; left > 0;) {
			size_t want = left < BUFFER ? (size_t)left : BUFFER;
			ssize_t got = pread(w->tar, w->copy, want, (off_t)(p->from + from - p->at));

			if (got <= 0)
				return err_sys(e, "reading the layer's tar again");
			if (pwrite(w->out, w->copy, (size_t)got, (off_t)(to + from - at)) != got)
				return err_sys(e, "writing the layer's index");
			from += (uint64_t)got;
			left -= (uint64_t)got;
		}
		if (p->at + p->n > at + n)
			break;
	}
	return 0;
}

static int
add_chunk(struct writer *w, struct strbuf *b, const struct node *f, size_t *i, uint64_t at,
    uint64_t n, struct err *e)
{
	const struct node_piece *p;
	struct chunk c = {.block = CHUNK_NONE};

	while (
	    *i < f->npieces && w->t->pieces[f->piece + *i].at + w->t->pieces[f->piece + *i].n <= at)
		(*i)++;
	p = *i < f->npieces ? &w->t->pieces[f->piece + *i] : NULL;
	if (p != NULL && p->at <= at && p->at + p->n >= at + n &&
	    (p->from + at - p->at) % BLOCK == 0) {
		c.device = htole16(TAR_DEVICE);
		c.block = htole32((uint32_t)((p->from + at - p->at) >> BLOCK_BITS));
	} else if (p != NULL && p->at < at + n) {
		uint64_t block = w->area;

		w->area += (n + BLOCK - 1) >> BLOCK_BITS;
		if (w->area >= CHUNK_NONE)
			return err_set(e, ERR_LIMIT, "the sparse files of the layer are too large");
		c.block = htole32((uint32_t)block);
		if (copy_pieces(w, f, i, at, n, block << BLOCK_BITS, e) == -1)
			return -1;
	}
	strbuf_addn(b, (const char *)&c, sizeof(c));
	return 0;
}

static int
add_chunks(struct writer *w, struct strbuf *b, const struct node *f, struct err *e)
{
	uint64_t count;
	unsigned bits = chunk_bits(w->t, f, &count);
	size_t i = 0;

	for (uint64_t c = 0; c < count; c++) {
		uint64_t at = c << bits, n = UINT64_C(1) << bits;

		if (add_chunk(w, b, f, &i, at, f->size - at < n ? f->size - at : n, e) == -1)
			return -1;
	}
	return 0;
}

/* --- Places ------------------------------------------------------------------------------------------ */

static uint64_t
data_size(struct writer *w, const struct node *n)
{
	return n->type == TAR_DIR ? dir_size(w, n) : n->type == TAR_SYMLINK ? strlen(n->target) : 0;
}

static void
enlist(struct writer *w, struct node *n)
{
	if (n->place != 0)
		return;
	n->place = 1;
	w->inodes++;
	if (w->last != NULL)
		w->last->next = n;
	w->last = n;
}

static int
place_node(struct writer *w, struct node *n, struct err *e)
{
	size_t xattrs = xattrs_size(n), tail;
	uint64_t count = 0, head = sizeof(struct inode) + xattrs;

	if (xattrs / 4 > UINT16_MAX - 8)
		return err_set(
		    e, ERR_LIMIT, "a file of the layer has too many extended attributes");
	w->end = align(w->end, NID_SIZE);
	if (n->type == TAR_FILE) {
		if (n->size > 0 && chunk_bits(w->t, n, &count) > 0 && count > CHUNKS_MAX)
			return err_set(e, ERR_LIMIT, "a file of the layer is too large");
		n->place = w->end;
		w->end = align(w->end + head, 8) + count * sizeof(struct chunk);
		return 0;
	}
	n->size = data_size(w, n);
	tail = n->size <= INLINE_MAX ? (size_t)n->size : 0;
	while (tail > 0 && (w->end + head) / BLOCK != (w->end + head + tail - 1) / BLOCK)
		w->end += NID_SIZE;
	n->place = w->end;
	w->end += head + tail;
	return 0;
}

/* Inodes in the order of their depth, so that those of one directory are neighbours. */
static int
place_all(struct writer *w, struct err *e)
{
	enlist(w, w->t->root);
	w->end = INODES_AT;
	for (struct node *n = w->t->root; n != NULL; n = n->next) {
		size_t k = n->type == TAR_DIR ? list_children(w, n) : 0;

		for (size_t i = 0; i < k; i++)
			enlist(w, (struct node *)(uintptr_t)w->children[i].node);
		if (place_node(w, n, e) == -1)
			return -1;
	}
	w->end = align(w->end, BLOCK);
	for (struct node *n = w->t->root; n != NULL; n = n->next)
		if (n->type != TAR_FILE && n->size > INLINE_MAX) {
			n->data = w->end;
			w->end = align(w->end + n->size, BLOCK);
		}
	w->area = align(w->end, 1u << PAGE_BITS) >> BLOCK_BITS;
	return 0;
}

/* --- Writing ----------------------------------------------------------------------------------------- */

static int
flush(struct writer *w, struct err *e)
{
	for (size_t done = 0; done < w->buf.n;) {
		ssize_t n =
		    pwrite(w->out, w->buf.s + done, w->buf.n - done, (off_t)(w->written + done));

		if (n == -1 && errno != EINTR)
			return err_sys(e, "writing the layer's index");
		done += n > 0 ? (size_t)n : 0;
	}
	w->written += w->buf.n;
	w->buf.n = 0;
	return 0;
}

/* What follows goes to byte at, which is not behind us. */
static int
go_to(struct writer *w, uint64_t at, struct err *e)
{
	pad(&w->buf, (size_t)(at - w->written - w->buf.n));
	return w->buf.n >= BUFFER ? flush(w, e) : 0;
}

/* The kernel's encoding of a device number in 32 bits. */
static uint32_t
device_of(const struct node *n)
{
	return (n->minor & 0xff) | (n->major << 8) | ((n->minor & ~0xffu) << 12);
}

static enum form
form_of(const struct writer *w, const struct node *n, uint32_t *what)
{
	uint64_t count;

	*what = 0;
	switch (n->type) {
	case TAR_FILE:
		if (n->size == 0)
			return PLAIN;
		*what = CHUNK_INDEXES | (chunk_bits(w->t, n, &count) - BLOCK_BITS);
		return CHUNKS;
	case TAR_DIR:
	case TAR_SYMLINK:
		*what = (uint32_t)(n->data >> BLOCK_BITS);
		return n->data == 0 ? INLINE : PLAIN;
	default:
		*what = device_of(n);
		return PLAIN;
	}
}

static void
add_data(struct writer *w, const struct node *n)
{
	if (n->type == TAR_DIR)
		add_dir(w, &w->buf, n);
	else
		strbuf_add(&w->buf, n->target);
}

static int
write_node(struct writer *w, const struct node *n, uint32_t number, struct err *e)
{
	size_t xattrs = xattrs_size(n);
	bool dir = n->type == TAR_DIR, file = n->type == TAR_FILE;
	uint32_t what;
	enum form form = form_of(w, n, &what);
	struct inode i = {
	    .format = htole16((uint16_t)(1u | ((unsigned)form << 1))),
	    .xattr_count =
		htole16((uint16_t)(xattrs > 0 ? (xattrs - sizeof(struct xattr_head)) / 4 + 1 : 0)),
	    .mode = htole16((uint16_t)nodes_mode(n)),
	    .size = htole64(n->size),
	    .what = htole32(what),
	    .number = htole32(number),
	    .uid = htole32(n->uid),
	    .gid = htole32(n->gid),
	    .mtime = htole64((uint64_t)n->mtime),
	    .mtime_ns = htole32(n->mtime_ns),
	    .links = htole32(n->links + (dir ? 2 : 0)),
	};

	if (go_to(w, n->place, e) == -1)
		return -1;
	strbuf_addn(&w->buf, (const char *)&i, sizeof(i));
	add_xattrs(&w->buf, n);
	if (form == INLINE)
		add_data(w, n);
	if (!file || n->size == 0)
		return 0;
	pad(&w->buf, (size_t)(align(w->written + w->buf.n, 8) - w->written - w->buf.n));
	return add_chunks(w, &w->buf, n, e);
}

static int
write_super(struct writer *w, uint64_t tar_size, struct err *e)
{
	struct super s = {
	    .magic = htole32(MAGIC),
	    .feature_compat = htole32(COMPAT_MTIME),
	    .block_bits = BLOCK_BITS,
	    .root_nid = htole16((uint16_t)(w->t->root->place / NID_SIZE)),
	    .inodes = htole64(w->inodes),
	    .blocks = htole32((uint32_t)w->area),
	    .feature_incompat = htole32(INCOMPAT_CHUNKED_FILE | INCOMPAT_DEVICE_TABLE),
	    .devices = htole16(1),
	    .device_slot = htole16((SUPER_AT + sizeof(struct super)) / SLOT),
	};
	struct slot d = {.blocks = htole32((uint32_t)((tar_size + BLOCK - 1) >> BLOCK_BITS))};
	char both[sizeof(s) + sizeof(d)];

	memcpy(both, &s, sizeof(s));
	memcpy(both + sizeof(s), &d, sizeof(d));
	if (pwrite(w->out, both, sizeof(both), SUPER_AT) != (ssize_t)sizeof(both) ||
	    ftruncate(w->out, (off_t)(w->area << BLOCK_BITS)) == -1)
		return err_sys(e, "writing the layer's index");
	return 0;
}

static int
write_all(struct writer *w, uint64_t tar_size, struct err *e)
{
	uint32_t number = 1;

	for (const struct node *n = w->t->root; n != NULL; n = n->next)
		if (write_node(w, n, number++, e) == -1)
			return -1;
	for (const struct node *n = w->t->root; n != NULL; n = n->next)
		if (n->data != 0) {
			if (go_to(w, n->data, e) == -1)
				return -1;
			add_data(w, n);
		}
	if (flush(w, e) == -1)
		return -1;
	return write_super(w, tar_size, e);
}

int
erofs_write(struct nodes *t, int tar, uint64_t tar_size, int out, struct err *e)
{
	struct writer w = {.t = t, .tar = tar, .out = out};
	int r;

	/* Addresses have 32 bits. */
	if (tar_size >> BLOCK_BITS >= CHUNK_NONE)
		return err_set(e, ERR_LIMIT, "the layer is too large for this layout");
	w.copy = xmalloc(BUFFER);
	r = place_all(&w, e);
	if (r == 0 && w.area >= CHUNK_NONE)
		r = err_set(e, ERR_LIMIT, "the layer is too large for this layout");
	if (r == 0)
		r = write_all(&w, tar_size, e);
	free(w.copy);
	free(w.children);
	strbuf_free(&w.buf);
	return r;
}
