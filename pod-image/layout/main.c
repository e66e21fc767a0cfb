/* SPDX-License-Identifier: ISC */
/*
 * pod-image-layout: the worker that reads and writes the files of one image directory (an OCI layout,
 * or "dir:") for pod-image.  It may open any file there, but looks into none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/wire/worker.h"

#define BLOCK ((size_t)128 << 10)
#define LIST_MAX 65536
#define FILE_MAX ((off_t)1 << 50)

struct made { /* a file, or a directory, which was not there before */
	char *name;
	dev_t dev;
	ino_t ino;
};

struct layout {
	struct made *made; /* since the last archive_end */
	size_t n, cap;
};

/* --- Reading ---------------------------------------------------------------------------------- */

static int
on_list(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	own_dir DIR *d = NULL;
	own_strv struct strv names = {0};
	struct msg_archive_opened out = {0};
	struct dirent *entry;
	int fd = openat(ROLE_VIEW_FD_NUMBER, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)arg;
	if (fd < 0 || (d = fdopendir(fd)) == NULL)
		return err_sys(e, "opening the image directory");
	while ((entry = readdir(d)) != NULL && names.n < LIST_MAX) {
		if (entry->d_name[0] != '.' && text_is_utf8(entry->d_name, strlen(entry->d_name)))
			strv_add(&names, entry->d_name);
	}
	out.members.v = arena_array(&in->arena, names.n + 1, sizeof(*out.members.v));
	out.members.n = names.n;
	for (size_t i = 0; i < names.n; i++)
		out.members.v[i].name = names.v[i];
	return peer_send(p, &msg_archive_opened_desc, in->seq, &out, e);
}

/* Safe because links are refused on the way: an image directory cannot point to other files. */
static int
open_file(const char *name, off_t max, struct err *e)
{
	return path_open_regular(ROLE_VIEW_FD_NUMBER, name, PATH_PLAIN, max, NULL, e);
}

static int
on_read(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_read *m = MSG_OF(in, archive_read);
	own_fd int fd = open_file(m->name, (off_t)m->max, e);
	own_mem char *text = NULL;
	struct msg_archive_read_r out;

	(void)arg;
	if (fd < 0 || file_slurp(fd, m->max, m->name, &text, &out.data.n, e) < 0)
		return -1;
	out.data.p = (const uint8_t *)text;
	return peer_send(p, &msg_archive_read_r_desc, in->seq, &out, e);
}

static int
on_copy(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_copy *m = MSG_OF(in, archive_copy);
	own_fd int fd = open_file(m->name, FILE_MAX, e);
	own_mem char *block = xmalloc(BLOCK);
	ssize_t n;

	(void)arg;
	if (fd < 0)
		return -1;
	while ((n = file_get(fd, block, BLOCK)) > 0) {
		if (file_put(m->stream, block, (size_t)n) < 0)
			return errno == EPIPE ? err_set(e, ERR_CANCELLED, "the reader has gone")
					      : err_sys(e, "copying %s", m->name);
	}
	if (n < 0)
		return err_sys(e, "reading %s", m->name);
	fd_close(&m->stream);
	return peer_send_ok(p, in->seq, e);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static bool
look(const char *name, struct stat *st)
{
	own_fd int fd = path_try(ROLE_VIEW_FD_NUMBER, name, PATH_PLAIN, O_PATH | O_NOFOLLOW, 0);

	return fd >= 0 && fstat(fd, st) == 0;
}

static bool
exists(const char *name)
{
	struct stat st;

	return look(name, &st);
}

static void
remember(struct layout *l, const char *name)
{
	struct stat st;

	if (!look(name, &st))
		return;
	l->made = mem_grow(l->made, &l->cap, l->n + 1, sizeof(*l->made));
	l->made[l->n++] = (struct made){xstrdup(name), st.st_dev, st.st_ino};
}

/* Unless somebody else has put another in its place since; a directory only if it is empty. */
static void
remove_made(const struct made *m)
{
	char last[NAME_MAX + 1];
	struct err ignored;
	struct stat st;
	own_fd int dir = path_parent(ROLE_VIEW_FD_NUMBER, m->name, PATH_PLAIN, last, &ignored);

	if (dir >= 0 && look(m->name, &st) && st.st_dev == m->dev && st.st_ino == m->ino)
		(void)unlinkat(dir, last, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}

static void
forget(struct layout *l, bool undo)
{
	while (l->n > 0) {
		struct made *m = &l->made[--l->n];

		if (undo)
			remove_made(m);
		free(m->name);
	}
}

/* What was begun and not ended must not be met by who comes next. */
static void
undo(struct layout *l)
{
	forget(l, true);
	free(l->made);
}

/* Opens the directory that name lies in, making it, and gives its last part. */
static int
open_parent(struct layout *l, const char *name, const char **last, struct err *e)
{
	const char *slash = strrchr(name, '/');
	own_mem char *dir = slash != NULL ? xstrndup(name, (size_t)(slash - name)) : NULL;
	own_strv struct strv missing = {0};
	own_fd int parent = -1;

	*last = slash != NULL ? slash + 1 : name;
	if (dir == NULL)
		return openat(ROLE_VIEW_FD_NUMBER, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (const char *end = name; (end = strchr(end, '/')) != NULL; end++) {
		own_mem char *part = xstrndup(name, (size_t)(end - name));

		if (!exists(part))
			strv_add(&missing, part);
	}
	parent = path_mkdirs(ROLE_VIEW_FD_NUMBER, dir, PATH_PLAIN, 0755, NULL, e);
	for (size_t i = 0; i < missing.n; i++)
		remember(l, missing.v[i]);
	return parent < 0 ? -1 : path_reopen(parent, O_RDONLY | O_DIRECTORY, e);
}

static int
copy_in(int from, int to, const struct msg_archive_add *m, struct err *e)
{
	own_mem char *block = xmalloc(BLOCK);
	uint64_t done = 0;
	ssize_t n;

	while ((n = file_get(from, block, BLOCK)) > 0) {
		if (file_put(to, block, (size_t)n) < 0)
			return err_sys(e, "writing %s", m->name);
		done += (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "reading %s", m->name);
	return done == m->size || m->unsized
		   ? 0
		   : err_set(e, ERR_INTEGRITY, "%s has another size than announced", m->name);
}

/* Under a name that no reader looks at until the file is complete. */
static int
add_stream(int dir, const char *last, const struct msg_archive_add *m, struct err *e)
{
	own_mem char *temporary = xasprintf(".%s.new", last);
	own_fd int fd =
	    openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_sys(e, "making %s", m->name);
	if (copy_in(m->stream, fd, m, e) < 0) {
		unlinkat(dir, temporary, 0);
		return -1;
	}
	return renameat(dir, temporary, dir, last) < 0 ? err_sys(e, "renaming %s", m->name) : 0;
}

static int
on_add(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_add *m = MSG_OF(in, archive_add);
	struct layout *l = arg;
	const char *last;
	own_fd int dir = open_parent(l, m->name, &last, e);
	bool old = exists(m->name);

	if (dir < 0)
		return err_is_set(e) ? -1 : err_sys(e, "opening the directory of %s", m->name);
	if (m->stream > 0 ? add_stream(dir, last, m, e) < 0
			  : file_write(dir, last, m->data.p, m->data.n, 0644, 0, e) < 0)
		return -1;
	if (!old)
		remember(l, m->name);
	return peer_send_ok(p, in->seq, e);
}

static int
on_rename(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_layout_rename *m = MSG_OF(in, layout_rename);
	char from[NAME_MAX + 1];
	const char *to;
	own_fd int from_dir = path_parent(ROLE_VIEW_FD_NUMBER, m->from, PATH_PLAIN, from, e);
	own_fd int to_dir = -1;
	struct layout *l = arg;
	bool old;

	if (from_dir < 0)
		return -1;
	if (m->to == NULL) {
		if (unlinkat(from_dir, from, 0) < 0)
			return err_sys(e, "removing %s", m->from);
		return peer_send_ok(p, in->seq, e);
	}
	old = exists(m->to);
	to_dir = open_parent(l, m->to, &to, e);
	if (to_dir < 0)
		return err_is_set(e) ? -1 : err_sys(e, "opening the directory of %s", m->to);
	if (renameat(from_dir, from, to_dir, to) < 0)
		return err_sys(e, "renaming %s", m->from);
	if (!old)
		remember(l, m->to);
	return peer_send_ok(p, in->seq, e);
}

static int
on_end(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	forget(arg, false);
	return peer_send_ok(p, in->seq, e);
}

static const struct peer_handler handlers[] = {
    {&msg_layout_list_desc, 1, 0, on_list},
    {&msg_archive_read_desc, 1, 0, on_read},
    {&msg_archive_copy_desc, 1, 0, on_copy},
    {&msg_archive_add_desc, 1, 0, on_add},
    {&msg_layout_rename_desc, 1, 0, on_rename},
    {&msg_archive_end_desc, 1, 0, on_end},
};

int
main(int argc, char **argv)
{
	own(undo) struct layout l = {0};
	const struct worker_face face = {.role = ROLE_LAYOUT,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .arg = &l,
	    .view = true};

	return worker_main(&face, argc, argv);
}
