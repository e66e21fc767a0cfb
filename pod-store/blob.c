/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-store/blob.h"
#include "pod-store/layer.h"

#define NAME_MAX_ 96
#define PACKED "packed"
#define PACKED_MAX 256

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

int
blob_open(int dir, const char *digest)
{
	const char *hex = layer_hex(digest);
	char name[NAME_MAX_];

	if (hex == NULL)
		return -1;
	blob_name(hex, name);
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* "DIGEST SIZE HOW" */
static void
read_packed(int dir, struct rec_layer_ref *ref, struct arena *a)
{
	own_mem char *text = NULL;
	own_strv struct strv words = {0};
	struct err ignored = {0};
	uint64_t size;
	size_t n;

	if (file_read(dir, PACKED, PACKED_MAX, &text, &n, &ignored) == -1)
		return;
	text[strcspn(text, "\n")] = '\0';
	strv_split(&words, text, ' ');
	if (words.n != 3 || layer_hex(words.v[0]) == NULL || strlen(words.v[2]) > 63 ||
	    !text_is_utf8(words.v[2], strlen(words.v[2])) ||
	    text_to_u64(words.v[1], INT64_MAX, &size) == -1)
		return;
	ref->packed = arena_strdup(a, words.v[0]);
	ref->packed_size = size;
	ref->packed_how = arena_strdup(a, words.v[2]);
}

void
blob_describe(const struct store *s, const char *layer, struct rec_layer_ref *ref, struct arena *a)
{
	own_mem char *path = xasprintf("layers/%s", layer);
	struct err ignored = {0};
	own_fd int dir = store_dir(s, path, &ignored);
	own_fd int blob = -1;

	if (dir == -1)
		return;
	blob = blob_open(dir, ref->digest);
	ref->kept = blob != -1;
	read_packed(dir, ref, a);
}

int
blob_note(const struct store *s, const struct msg_layer_note *m, struct err *e)
{
	const struct rec_layer_ref *w = m->what;
	own_mem char *path = NULL, *line = NULL;
	own_fd int dir = -1;

	if (!text_is_hex(m->layer, 64))
		return err_set(e, ERR_INVALID, "the identifier of a layer is malformed");
	if (w->packed == NULL || layer_hex(w->packed) == NULL || w->packed_how == NULL ||
	    strpbrk(w->packed_how, " \n") != NULL)
		return err_set(e, ERR_INVALID, "malformed note");
	path = xasprintf("layers/%s", m->layer);
	dir = store_dir(s, path, e);
	if (dir == -1)
		return -1;
	line =
	    xasprintf("%s %llu %s\n", w->packed, (unsigned long long)w->packed_size, w->packed_how);
	return file_write(dir, PACKED, line, strlen(line), 0600, 0, e);
}
