/* SPDX-License-Identifier: ISC */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-image/archive/reader.h"

#define BLOCK ((size_t)128 << 10)
#define LINKS_MAX 8
#define SPOOL_MAX ((uint64_t)1 << 40) /* as the store takes of one layer */
#define SPOOL_SPARED 16		      /* this part of what is free stays so */

static void
release_archive(struct archive **a)
{
	archive_read_free(*a);
	*a = NULL;
}
#define own_archive own(release_archive)

static int
fault(struct archive *a, const char *what, struct err *e)
{
	char shown[300];

	text_escape(archive_error_string(a) != NULL ? archive_error_string(a) : "it is empty",
	    shown, sizeof(shown));
	return err_set(e, ERR_FORMAT, "%s: %s", what, shown);
}

/* --- Names ------------------------------------------------------------------------------------ */

char *
reader_clean(const char *name, const char *base)
{
	own_strv struct strv in = {0}, out = {0};
	own_strbuf struct strbuf b = {0};
	const char *slash = base != NULL ? strrchr(base, '/') : NULL;

	if (name[0] == '\0' || name[0] == '/' || strlen(name) > READER_NAME_MAX ||
	    !text_is_utf8(name, strlen(name)))
		return NULL;
	if (slash != NULL) {
		own_mem char *dir = xstrndup(base, (size_t)(slash - base));

		strv_split(&in, dir, '/');
	}
	strv_split(&in, name, '/');
	for (size_t i = 0; i < in.n; i++) {
		const char *part = in.v[i];

		if (part[0] == '\0' || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") != 0) {
			strv_add(&out, part);
			continue;
		}
		/* Safe because the way up ends at the archive's own top. */
		if (base == NULL || out.n == 0)
			return NULL;
		strv_remove(&out, out.n - 1);
	}
	for (size_t i = 0; i < out.n; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? "/" : "", out.v[i]);
	return b.n > 0 && b.n <= READER_NAME_MAX ? strbuf_take(&b) : NULL;
}

/* --- Listing ---------------------------------------------------------------------------------- */

/* Takes one entry into the list; other kinds than files and links, and unclean names, are passed over. */
static int
add_entry(struct reader *r, struct archive *a, struct archive_entry *entry, struct err *e)
{
	const char *name = archive_entry_pathname(entry) != NULL
			       ? archive_entry_pathname(entry)
			       : archive_entry_pathname_utf8(entry);
	const char *symlink = archive_entry_symlink(entry);
	const char *hardlink = archive_entry_hardlink(entry);
	own_mem char *clean = name != NULL ? reader_clean(name, NULL) : NULL, *link = NULL;
	struct reader_member *m;

	if (clean == NULL)
		return 0;
	if (symlink != NULL)
		link = reader_clean(symlink, clean);
	else if (hardlink != NULL)
		link = reader_clean(hardlink, NULL);
	if (link == NULL && (archive_entry_filetype(entry) != AE_IFREG || hardlink != NULL))
		return 0;
	if (r->n >= READER_MEMBERS_MAX)
		return err_set(
		    e, ERR_LIMIT, "the archive has more than %d members", READER_MEMBERS_MAX);
	if (archive_entry_size(entry) < 0)
		return err_set(e, ERR_FORMAT, "the archive has a member of negative size");
	r->members = mem_grow(r->members, &r->cap, r->n + 1, sizeof(*r->members));
	m = &r->members[r->n++];
	*m = (struct reader_member){.name = ptr_take(&clean),
	    .link = ptr_take(&link),
	    .size = (uint64_t)archive_entry_size(entry),
	    .offset = archive_read_header_position(a)};
	return 0;
}

/* A reader of plain tar that begins at offset. */
static struct archive *
open_at(int fd, int64_t offset, struct err *e)
{
	own_archive struct archive *a = archive_read_new();

	if (a == NULL || archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    lseek(fd, offset, SEEK_SET) < 0 || archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK) {
		err_set(e, ERR_FORMAT, "opening the archive: it is no tar archive");
		return NULL;
	}
	return ptr_take(&a);
}

static int
list(struct reader *r, struct err *e)
{
	own_archive struct archive *a = open_at(r->fd, 0, e);
	struct archive_entry *entry;
	int status;

	if (a == NULL)
		return -1;
	while ((status = archive_read_next_header(a, &entry)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN) {
		if (add_entry(r, a, entry, e) < 0)
			return -1;
	}
	return status == ARCHIVE_EOF ? 0 : fault(a, "reading the archive", e);
}

/* --- Spooling --------------------------------------------------------------------------------- */

static struct archive *
open_compressed(int fd, struct err *e)
{
	own_archive struct archive *a = archive_read_new();

	if (a == NULL || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK) {
		err_set(e, ERR_INTERNAL, "starting libarchive");
		return NULL;
	}
	if (archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK) {
		fault(a, "opening the archive", e);
		return NULL;
	}
	return ptr_take(&a);
}

/* A few bytes can stand for very many: the disk must not be full for others because of them. */
static uint64_t
spool_room(int spool)
{
	struct statfs fs;
	uint64_t free_bytes;

	if (fstatfs(spool, &fs) < 0)
		return SPOOL_MAX;
	free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	free_bytes -= free_bytes / SPOOL_SPARED;
	return free_bytes < SPOOL_MAX ? free_bytes : SPOOL_MAX;
}

/* Writes the uncompressed stream to spool, which is unlinked. */
static int
fill_spool(int input, int spool, struct err *e)
{
	own_archive struct archive *a = open_compressed(input, e);
	own_mem char *block = xmalloc(BLOCK);
	uint64_t room = spool_room(spool), left = room;
	struct archive_entry *entry;
	ssize_t n;

	if (a == NULL)
		return -1;
	if (archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return fault(a, "reading the archive", e);
	while ((n = archive_read_data(a, block, BLOCK)) > 0) {
		if ((uint64_t)n > left)
			return err_set(e, ERR_LIMIT,
			    "the archive holds more than %llu bytes, the most there is room for: "
			    "no space left on device",
			    (unsigned long long)room);
		left -= (uint64_t)n;
		if (file_put(spool, block, (size_t)n) < 0)
			return err_sys(e, "writing a temporary copy of the archive");
	}
	return n == 0 ? 0 : fault(a, "reading the archive", e);
}

int
reader_open(struct reader *r, int input, int spool, struct err *e)
{
	own_fd int in = input, copy = spool;

	*r = (struct reader){.fd = -1};
	if (copy >= 0) {
		if (fill_spool(in, copy, e) < 0)
			return -1;
		r->fd = fd_take(&copy);
	} else {
		r->fd = fd_take(&in);
	}
	return list(r, e);
}

void
reader_close(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->members[i].name);
		free(r->members[i].link);
	}
	free(r->members);
	fd_close(&r->fd);
	*r = (struct reader){.fd = -1};
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The last of several members with one name counts, as tar has it. */
static const struct reader_member *
find_one(const struct reader *r, const char *name)
{
	for (size_t i = r->n; i > 0; i--) {
		if (strcmp(r->members[i - 1].name, name) == 0)
			return &r->members[i - 1];
	}
	return NULL;
}

const struct reader_member *
reader_find(const struct reader *r, const char *name, struct err *e)
{
	own_mem char *clean = reader_clean(name, NULL);
	const struct reader_member *m = clean != NULL ? find_one(r, clean) : NULL;
	char shown[300];

	for (int i = 0; m != NULL && m->link != NULL && i < LINKS_MAX; i++)
		m = find_one(r, m->link);
	if (m != NULL && m->link == NULL)
		return m;
	text_escape(name, shown, sizeof(shown));
	err_set(e, ERR_NOTFOUND, "file %s not found in archive", shown);
	return NULL;
}

int
reader_content(const struct reader *r, const struct reader_member *m, reader_sink *sink, void *arg,
    struct err *e)
{
	own_archive struct archive *a = open_at(r->fd, m->offset, e);
	own_mem char *block = xmalloc(BLOCK);
	struct archive_entry *entry;
	ssize_t n;

	if (a == NULL)
		return -1;
	if (archive_read_next_header(a, &entry) < ARCHIVE_WARN)
		return fault(a, "reading the archive", e);
	while ((n = archive_read_data(a, block, BLOCK)) > 0) {
		if (sink(arg, block, (size_t)n, e) < 0)
			return -1;
	}
	return n == 0 ? 0 : fault(a, "reading the archive", e);
}
