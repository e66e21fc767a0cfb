/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-store/blob.h"
#include "pod-store/layer.h"
#include "pod-store/places.h"

#define NAME_MAX_ 96
#define PACKED "packed"
#define PACKED_MAX 4 /* ways of compressing it */
#define TOC "toc"
#define PLACES "places"
#define PLACES_MAX 16
#define NOTES_MAX ((size_t)16 << 10)
#define PLACE_LENGTH 512

static void
blob_name(const char *hex, char out[NAME_MAX_])
{
	snprintf(out, NAME_MAX_, "blob.%.64s", hex);
}

int
blob_begin(const struct stage *g, const struct staged *l, struct err *e)
{
	char path[NAME_MAX_];
	int fd;

	snprintf(path, sizeof(path), "%.16s/blob", l->name);
	fd = openat(g->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : err_sys(e, "making the file of a layer's blob");
}

void
blob_end(const struct stage *g, const struct staged *l)
{
	char from[NAME_MAX_], name[NAME_MAX_], to[2 * NAME_MAX_];
	const char *hex = layer_hex(l->digest);

	snprintf(from, sizeof(from), "%.16s/blob", l->name);
	if (hex == NULL || strcmp(hex, l->diff_hex) == 0) {
		unlinkat(g->dir, from, 0);
		return;
	}
	blob_name(hex, name);
	snprintf(to, sizeof(to), "%.16s/%s", l->name, name);
	(void)renameat(g->dir, from, g->dir, to);
}

const char *
blob_hex(const char *name)
{
	return text_has_prefix(name, "blob.") && text_is_hex(name + 5, 64) ? name + 5 : NULL;
}

int
blob_open(int dir, const char *digest)
{
	const char *hex = layer_hex(digest);
	own_fd int fd = -1;
	char name[NAME_MAX_];
	struct stat st;

	if (hex == NULL)
		return -1;
	blob_name(hex, name);
	fd = path_try(dir, name, PATH_PLAIN, O_RDONLY | O_NONBLOCK, 0);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fd_take(&fd) : -1;
}

int
blob_toc_begin(const struct stage *g, const struct staged *l, struct err *e)
{
	char path[NAME_MAX_];
	int fd;

	snprintf(path, sizeof(path), "%.16s/" TOC, l->name);
	fd = openat(g->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : err_sys(e, "making the file of a layer's table of contents");
}

static bool
is_chunked(int fd)
{
	char end[8];
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(end) &&
	       pread(fd, end, sizeof(end), st.st_size - (off_t)sizeof(end)) == sizeof(end) &&
	       strncasecmp(end, "GNUlInUx", sizeof(end)) == 0;
}

int
blob_toc_open(int dir, const char *digest)
{
	own_fd int fd = path_try(dir, TOC, PATH_PLAIN, O_RDONLY, 0);

	if (fd == -1)
		fd = blob_open(dir, digest);
	return fd >= 0 && is_chunked(fd) ? fd_take(&fd) : -1;
}

/* The lines of a small file of the layer, newest first; none if it is not there. */
static void
read_lines(int dir, const char *name, struct strv *out)
{
	own_mem char *text = NULL;
	struct err ignored = {0};
	size_t n;

	if (file_read(dir, name, NOTES_MAX, &text, &n, &ignored) == -1 || !text_is_utf8(text, n))
		return;
	strv_split(out, text, '\n');
}

static int
write_lines(int dir, const char *name, const struct strv *lines, size_t max, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	for (size_t i = 0; i < lines->n && i < max; i++)
		if (lines->v[i][0] != '\0')
			strbuf_addf(&b, "%s\n", lines->v[i]);
	return file_write(dir, name, b.s != NULL ? b.s : "", b.n, 0600, 0, e);
}

/* "DIGEST SIZE HOW" */
static bool
parse_packed(const char *line, struct rec_packed *out, struct arena *a)
{
	own_strv struct strv words = {0};

	strv_split(&words, line, ' ');
	if (words.n != 3 || layer_hex(words.v[0]) == NULL || strlen(words.v[2]) > 63 ||
	    text_to_u64(words.v[1], INT64_MAX, &out->size) == -1)
		return false;
	out->digest = arena_strdup(a, words.v[0]);
	out->how = arena_strdup(a, words.v[2]);
	return true;
}

static void
read_notes(int dir, struct rec_layer_ref *ref, struct arena *a)
{
	own_strv struct strv packed = {0}, places = {0};

	read_lines(dir, PACKED, &packed);
	read_lines(dir, PLACES, &places);
	ref->packed.v = arena_array(a, PACKED_MAX, sizeof(*ref->packed.v));
	for (size_t i = 0; i < packed.n && ref->packed.n < PACKED_MAX; i++)
		ref->packed.n += parse_packed(packed.v[i], &ref->packed.v[ref->packed.n], a);
	ref->places.v = arena_array(a, PLACES_MAX, sizeof(*ref->places.v));
	for (size_t i = 0; i < places.n && ref->places.n < PLACES_MAX; i++)
		if (places.v[i][0] != '\0')
			ref->places.v[ref->places.n++] = arena_strdup(a, places.v[i]);
}

void
blob_describe(struct store *s, const char *layer, struct rec_layer_ref *ref, struct arena *a)
{
	struct err ignored = {0};
	const struct store *at = places_layer(s, layer, &ignored);
	/* Nothing of ours is beside a layer of others. */
	own_fd int dir = at != NULL && !at->theirs ? store_open_layer(at, layer, "", &ignored) : -1;
	own_fd int blob = -1;
	struct stat st;

	if (dir == -1)
		return;
	blob = blob_open(dir, ref->digest);
	/* What was cut off is made anew.  Whoever sends it finds all else by its digest. */
	ref->kept = blob != -1 && fstat(blob, &st) == 0 && (uint64_t)st.st_size == ref->size;
	read_notes(dir, ref, a);
}

/* The newest one first; one line for each way. */
static int
note_packed(int dir, const struct rec_packed *w, struct err *e)
{
	own_strv struct strv old = {0}, lines = {0};
	own_arena struct arena a = {0};

	if (layer_hex(w->digest) == NULL || strpbrk(w->how, " \n") != NULL)
		return err_set(e, ERR_INVALID, "malformed note");
	strv_addf(&lines, "%s %llu %s", w->digest, (unsigned long long)w->size, w->how);
	read_lines(dir, PACKED, &old);
	for (size_t i = 0; i < old.n; i++) {
		struct rec_packed x = {0};

		if (parse_packed(old.v[i], &x, &a) && strcmp(x.how, w->how) != 0)
			strv_add(&lines, old.v[i]);
	}
	return write_lines(dir, PACKED, &lines, PACKED_MAX, e);
}

static int
note_place(int dir, const char *place, struct err *e)
{
	own_strv struct strv old = {0}, lines = {0};

	if (place[0] == '\0' || strlen(place) > PLACE_LENGTH || strchr(place, '\n') != NULL)
		return err_set(e, ERR_INVALID, "malformed note");
	strv_add(&lines, place);
	read_lines(dir, PLACES, &old);
	for (size_t i = 0; i < old.n; i++)
		if (strcmp(old.v[i], place) != 0)
			strv_add(&lines, old.v[i]);
	return write_lines(dir, PLACES, &lines, PLACES_MAX, e);
}

int
blob_note(const struct store *s, const struct msg_layer_note *m, struct err *e)
{
	const struct rec_layer_ref *w = m->what;
	own_mem char *path = NULL;
	own_fd int dir = -1;

	if (!text_is_hex(m->layer, 64))
		return err_set(e, ERR_INVALID, "the identifier of a layer is malformed");
	path = xasprintf("layers/%s", m->layer);
	dir = store_dir(s, path, e);
	if (dir == -1)
		return -1;
	for (size_t i = 0; i < w->packed.n; i++)
		if (note_packed(dir, &w->packed.v[i], e) == -1)
			return -1;
	for (size_t i = 0; i < w->places.n; i++)
		if (note_place(dir, w->places.v[i], e) == -1)
			return -1;
	return 0;
}
