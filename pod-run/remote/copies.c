/* SPDX-License-Identifier: ISC */
/*
 * What is copied goes through as a tar stream: the service packs and unpacks over there, our worker here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/fs/stream.h"
#include "pod-run/life/copying.h"
#include "pod-run/remote/containers.h"
#include "pod-run/remote/copies.h"

#define MODE_DIR ((json_int_t)1 << 31) /* of Go's FileMode */

static void
ask_archive(struct question *q, const char *method, const struct cp_side *s, const char *path)
{
	q->method = method;
	question_path(q, "/containers/%s/archive", s->container);
	question_put(q, "path", path);
}

/* --- What is there ------------------------------------------------------------------------------*/

/* The service answers alike for a path of a container that there is not. */
static int
check_container(struct remote *r, struct cp_side *s, struct arena *a, struct err *e)
{
	own_json json_t *o = containers_inspect(r, "container", s->container, false, e);
	const char *id = json_string_value(json_object_get(o, "Id"));

	if (o == NULL)
		return e->class == ERR_NOTFOUND
			   ? err_set(
				 e, ERR_NOTFOUND, "container \"%s\" does not exist", s->container)
			   : -1;
	s->id = arena_strdup(a, id != NULL ? id : s->container);
	return 0;
}

/* 1: something is there; 0. */
static int
ask_stat(struct remote *r, const struct cp_side *s, const char *path, bool *is_dir, char **target,
    struct err *e)
{
	own_question struct question q = {.answer = "none"};
	own_reply struct reply a = {0};
	const char *text;

	ask_archive(&q, "HEAD", s, path);
	if (remote_ask(r, &q, &a, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	*is_dir = (json_integer_value(json_object_get(a.document, "mode")) & MODE_DIR) == MODE_DIR;
	text = json_string_value(json_object_get(a.document, "linkTarget"));
	if (text == NULL || *text != '/')
		return err_set(e, ERR_FORMAT, "the service does not say where \"%s\" leads", path);
	if (target != NULL) {
		size_t n = strlen(text);

		*target = xstrndup(text, n > 2 && text_has_suffix(text, "/.") ? n - 2 : n);
	}
	return 1;
}

/* The directory of a path, and its last component, which is empty where there is none to be had. */
static const char *
parent_of(const char *path, char name[NAME_MAX + 1], struct arena *a)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	snprintf(name, NAME_MAX + 1, "%.*s", (int)(end - start), path + start);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		*name = '\0';
	return start == 0 ? "." : start == 1 ? "/" : arena_strndup(a, path, start - 1);
}

/* absolute: where links lead; of one that is not there, the directory it would be in. */
static int
find(struct remote *r, struct cp_side *s, bool *has_parent, struct arena *a, struct err *e)
{
	own_mem char *target = NULL;
	int there = check_container(r, s, a, e);

	if (there == 0)
		there = ask_stat(r, s, s->path, &s->is_dir, &target, e);
	if (there == -1)
		return -1;
	s->exists = there == 1;
	s->absolute = s->path;
	if (s->exists) {
		s->absolute = arena_strdup(a, target);
		parent_of(s->absolute, s->name, a);
		if (strcmp(s->name, "/") == 0)
			*s->name = '\0';
		return 0;
	}
	if (has_parent == NULL)
		return cp_not_found(s, e);
	there = ask_stat(r, s, parent_of(s->path, s->name, a), has_parent, NULL, e);
	*has_parent = there == 1 && *has_parent && *s->name != '\0';
	return there == -1 ? -1 : 0;
}

/* --- Out of a container --------------------------------------------------------------------------*/

/* What lies in a directory is asked for so that no name comes before it. */
static const char *
asked_path(const struct cp_side *s)
{
	return strcmp(s->path, "/") == 0 ? "/." : s->path;
}

/* The directory that what comes is put below, and the name it gets there, NULL for its own. */
static int
landing(const struct cp_side *from, struct cp_side *to, const char **name, struct err *e)
{
	bool content = from->is_dir && cp_is_content(from->path);

	*name = content ? NULL : to->is_dir ? from->name : to->name;
	if (to->is_dir)
		return path_reopen(to->fd, O_RDONLY | O_DIRECTORY, e);
	if (!content)
		return path_reopen(to->dir, O_RDONLY | O_DIRECTORY, e);
	if (mkdirat(to->dir, to->name, 0755) == -1)
		return err_sys(e, "making directory \"%s\"", to->path);
	return path_open(to->dir, to->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

int
copies_take(int *stream, int target, const char *name, bool overwrite, struct err *e)
{
	struct msg_copy m = {.form = "unpack",
	    .name = name,
	    .plain = true,
	    .overwrite = overwrite,
	    .as_made = true,
	    .no_devices = true,
	    .target = target};

	return copying_unpack(&m, stream, e);
}

static int
copy_here(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    struct err *e)
{
	own_question struct question q = {.answer = "raw"};
	own_reply struct reply reply = {0};
	own_fd int source = -1, into = -1, target = -1;
	struct err here = {0};
	const char *name;
	uint32_t seq;
	int ends[2], got;

	if (cp_check(from, to, to->dir != -1, e) == -1 ||
	    (target = landing(from, to, &name, e)) == -1 || stream_pair(ends, e) == -1)
		return -1;
	source = ends[0];
	q.out = into = ends[1];
	ask_archive(&q, "GET", from, asked_path(from));
	if (remote_send(r, &q, &seq, e) == -1)
		return -1;
	fd_close(&into);
	got = copies_take(&source, target, name, o->overwrite, &here);
	fd_close(&source);
	if (remote_receive(r, &q, seq, &reply, e) == -1 && e->class != ERR_CANCELLED)
		return -1;
	*e = here;
	return got;
}

static int
copy_out(struct remote *r, const struct cp_side *from, struct err *e)
{
	own_question struct question q = {.answer = "raw"};
	own_reply struct reply reply = {0};
	own_fd int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (out == -1)
		return err_sys(e, "writing to standard output");
	q.out = out;
	ask_archive(&q, "GET", from, asked_path(from));
	return remote_ask(r, &q, &reply, e);
}

/* --- Into a container ----------------------------------------------------------------------------*/

static void
ask_put(
    struct question *q, const struct cp_side *to, const char *dir, const struct cp_opts *o, int in)
{
	ask_archive(q, "PUT", to, dir);
	question_put_bool(q, "copyUIDGID", o->archive);
	question_put_bool(q, "noOverwriteDirNonDir", !o->overwrite);
	q->answer = "none";
	q->type = "application/x-tar";
	q->feed = true;
	q->in = in;
}

/* Where what is sent is put, and the name it gets there; both for a target that passed cp_check. */
static const char *
target_dir(
    const struct cp_side *from, const struct cp_side *to, char name[NAME_MAX + 1], struct arena *a)
{
	if (to->is_dir) {
		cp_base_name(from, name);
		return to->path;
	}
	return parent_of(to->absolute, name, a);
}

static int
copy_there(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    bool has_parent, struct arena *a, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	own_fd int source = -1, into = -1, read_end = -1;
	struct msg_copy m = {.form = "pack"};
	struct err there = {0};
	char name[NAME_MAX + 1];
	const char *dir;
	uint32_t seq;
	int ends[2], got;

	source = cp_open_source(from, e);
	if (source == -1 || cp_check(from, to, has_parent, e) == -1 || stream_pair(ends, e) == -1)
		return -1;
	read_end = ends[0];
	into = ends[1];
	dir = target_dir(from, to, name, a);
	m.name = to->is_dir && from->is_dir && cp_is_content(from->path) ? NULL : name;
	m.source = source;
	m.target = into;
	ask_put(&q, to, dir, o, read_end);
	if (remote_send(r, &q, &seq, e) == -1)
		return -1;
	fd_close(&read_end);
	got = copying_run(&m, e);
	fd_close(&into);
	if (remote_receive(r, &q, seq, &reply, &there) == -1) {
		*e = there;
		return -1;
	}
	return got;
}

static int
copy_in(struct remote *r, const struct cp_side *to, const struct cp_opts *o, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	own_fd int in = -1;

	if (!to->is_dir)
		return err_set(
		    e, ERR_INVALID, "destination must be a directory when copying from stdin");
	in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (in == -1)
		return err_sys(e, "reading standard input");
	ask_put(&q, to, to->path, o, in);
	return remote_ask(r, &q, &reply, e);
}

/* --- From one to another -------------------------------------------------------------------------*/

/* The service renames what it puts: the name that it packs under is that where links lead. */
static void
put_rename(struct question *q, const struct cp_side *from, const char *name)
{
	own_json json_t *o = json_obj();
	own_mem char *text = NULL;

	json_put_str(o, from->name, name);
	text = json_text(o);
	question_put(q, "rename", text);
}

/* From the one to the other. */
struct across {
	struct remote *r, *other;
	struct question get, put;
	int ends[2]; /* read from, written to */
};

static void
across_free(struct across *k)
{
	remote_free(k->other);
	question_free(&k->get);
	question_free(&k->put);
	fd_close(&k->ends[0]);
	fd_close(&k->ends[1]);
}

static int
carry(struct across *k, struct err *e)
{
	own_reply struct reply got = {0}, done = {0};
	struct err there = {0};
	uint32_t get_seq, put_seq;
	int r1, r2;

	k->get.out = k->ends[1];
	k->put.in = k->ends[0];
	k->other = remote_again(k->r);
	if (remote_send(k->r, &k->get, &get_seq, e) == -1 ||
	    remote_send(k->other, &k->put, &put_seq, e) == -1)
		return -1;
	fd_close(&k->ends[0]);
	fd_close(&k->ends[1]);
	r2 = remote_receive(k->other, &k->put, put_seq, &done, &there);
	r1 = remote_receive(k->r, &k->get, get_seq, &got, e);
	if (r2 == -1)
		*e = there;
	return r1 == -1 || r2 == -1 ? -1 : 0;
}

static int
make_temporary(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	own_mem char *path =
	    xasprintf("%s/pod-copy-XXXXXX", dir != NULL && *dir == '/' ? dir : "/var/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd == -1)
		return err_sys(e, "making a temporary file %s", path);
	unlink(path);
	return fd;
}

/* A service that packs and unpacks in one container at a time would wait for itself. */
static int
carry_within(struct across *k, struct err *e)
{
	own_reply struct reply got = {0}, done = {0};

	k->get.out = k->put.in = k->ends[0];
	if (remote_ask(k->r, &k->get, &got, e) == -1)
		return -1;
	if (lseek(k->ends[0], 0, SEEK_SET) == -1)
		return err_sys(e, "rewinding a temporary file");
	return remote_ask(k->r, &k->put, &done, e);
}

static int
copy_across(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    bool has_parent, struct arena *a, struct err *e)
{
	own(across_free) struct across k = {.r = r, .get.answer = "raw", .ends = {-1, -1}};
	bool within = strcmp(from->id, to->id) == 0;
	char name[NAME_MAX + 1];
	const char *dir;

	/* What becomes of a directory is renamed; the root has no name. */
	if (cp_check(from, to, has_parent, e) == -1)
		return -1;
	if (!to->is_dir && *from->name == '\0')
		return err_set(e, ERR_UNSUPPORTED,
		    "copying the root of a container to a new directory of another: "
		    "not built for a remote service yet");
	dir = target_dir(from, to, name, a);
	ask_archive(&k.get, "GET", from, to->is_dir ? asked_path(from) : from->absolute);
	ask_put(&k.put, to, dir, o, 0);
	if (!to->is_dir)
		put_rename(&k.put, from, name);
	if (within)
		k.ends[0] = make_temporary(e);
	else if (stream_pair(k.ends, e) == -1)
		return -1;
	if (k.ends[0] == -1)
		return -1;
	return within ? carry_within(&k, e) : carry(&k, e);
}

int
copies_run(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    struct arena *a, struct err *e)
{
	bool has_parent = false;

	if (!from->stream &&
	    (from->container != NULL ? find(r, from, NULL, a, e) : cp_find(from, a, e)) == -1)
		return -1;
	if (!from->stream && !from->exists)
		return cp_not_found(from, e);
	if (!to->stream &&
	    (to->container != NULL ? find(r, to, &has_parent, a, e) : cp_find(to, a, e)) == -1)
		return -1;
	if (from->stream)
		return copy_in(r, to, o, e);
	if (to->stream)
		return copy_out(r, from, e);
	if (to->container == NULL)
		return copy_here(r, from, to, o, e);
	return from->container != NULL ? copy_across(r, from, to, o, has_parent, a, e)
				       : copy_there(r, from, to, o, has_parent, a, e);
}
