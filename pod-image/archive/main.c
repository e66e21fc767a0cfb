/* SPDX-License-Identifier: ISC */
/*
 * pod-image-archive: the worker that takes tar archives of images apart and puts them together.  It
 * has no privilege, no network and sees no file but those handed over.
 */
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/wire/worker.h"
#include "pod-image/archive/reader.h"
#include "pod-image/archive/writer.h"

#define BLOCK ((size_t)128 << 10)

enum { PHASE_NEW = 1, PHASE_READ = 2, PHASE_WRITE = 4 };

struct worker {
	unsigned phase;
	struct reader reader;
	struct writer *writer;
};

/* --- Reading ---------------------------------------------------------------------------------- */

static int
on_open(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_open *m = MSG_OF(in, archive_open);
	struct worker *w = arg;
	struct msg_archive_opened out = {0};

	if (reader_open(&w->reader, fd_take(&m->input), fd_take(&m->spool), e) < 0)
		return -1;
	out.members.v = arena_array(&in->arena, w->reader.n + 1, sizeof(*out.members.v));
	out.members.n = w->reader.n;
	for (size_t i = 0; i < w->reader.n; i++)
		out.members.v[i] = (struct rec_archive_member){.name = w->reader.members[i].name,
		    .size = w->reader.members[i].size,
		    .link = w->reader.members[i].link};
	w->phase = PHASE_READ;
	return peer_send(p, &msg_archive_opened_desc, in->seq, &out, e);
}

struct collected {
	struct strbuf b;
	uint64_t max;
};

static int
collect(void *arg, const void *p, size_t n, struct err *e)
{
	struct collected *c = arg;

	if (n > c->max - c->b.n)
		return err_set(e, ERR_LIMIT, "the file is larger than allowed");
	strbuf_addn(&c->b, p, n);
	return 0;
}

static int
on_read(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_read *m = MSG_OF(in, archive_read);
	struct worker *w = arg;
	struct collected c = {.max = m->max};
	struct msg_archive_read_r out;
	const struct reader_member *member = reader_find(&w->reader, m->name, e);
	int r;

	if (member == NULL)
		return -1;
	r = reader_content(&w->reader, member, collect, &c, e);
	if (r == 0) {
		out.data = (struct bytes){(const uint8_t *)(c.b.s != NULL ? c.b.s : ""), c.b.n};
		r = peer_send(p, &msg_archive_read_r_desc, in->seq, &out, e);
	}
	strbuf_free(&c.b);
	return r;
}

static int
to_stream(void *arg, const void *p, size_t n, struct err *e)
{
	if (file_put(*(int *)arg, p, n) == 0)
		return 0;
	if (errno == EPIPE)
		return err_set(e, ERR_CANCELLED, "the reader has gone");
	return err_sys(e, "writing a file of the archive");
}

static int
on_copy(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_copy *m = MSG_OF(in, archive_copy);
	struct worker *w = arg;
	const struct reader_member *member = reader_find(&w->reader, m->name, e);

	if (member == NULL || reader_content(&w->reader, member, to_stream, &m->stream, e) < 0)
		return -1;
	fd_close(&m->stream);
	return peer_send_ok(p, in->seq, e);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static int
on_create(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct worker *w = arg;

	w->writer = writer_new(fd_take(&MSG_OF(in, archive_create)->output), e);
	if (w->writer == NULL)
		return -1;
	w->phase = PHASE_WRITE;
	return peer_send_ok(p, in->seq, e);
}

static int
add_stream(struct writer *w, const struct msg_archive_add *m, struct err *e)
{
	own_mem char *block = xmalloc(BLOCK);
	uint64_t left = m->size;
	ssize_t n;

	while ((n = file_get(m->stream, block, BLOCK)) > 0) {
		if ((uint64_t)n > left)
			return err_set(e, ERR_INTEGRITY, "%s is longer than announced", m->name);
		if (writer_data(w, block, (size_t)n, e) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "reading %s", m->name);
	return left == 0 ? 0 : err_set(e, ERR_INTEGRITY, "%s is shorter than announced", m->name);
}

static int
on_add(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_add *m = MSG_OF(in, archive_add);
	struct worker *w = arg;
	uint64_t size = m->stream > 0 ? m->size : m->data.n;

	if (writer_file(w->writer, m->name, size, e) < 0)
		return -1;
	if (m->stream > 0 ? add_stream(w->writer, m, e) < 0
			  : m->data.n > 0 && writer_data(w->writer, m->data.p, m->data.n, e) < 0)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

static int
on_end(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct worker *w = arg;

	w->phase = 0;
	if (writer_end(ptr_take(&w->writer), e) < 0)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

static const struct peer_handler handlers[] = {
    {&msg_archive_open_desc, PHASE_NEW, PEER_ONCE, on_open},
    {&msg_archive_read_desc, PHASE_READ, 0, on_read},
    {&msg_archive_copy_desc, PHASE_READ, 0, on_copy},
    {&msg_archive_create_desc, PHASE_NEW, PEER_ONCE, on_create},
    {&msg_archive_add_desc, PHASE_WRITE, 0, on_add},
    {&msg_archive_end_desc, PHASE_WRITE, PEER_ONCE, on_end},
};

/*
 * libarchive converts names of pax headers by iconv, which reads its tables from files at first use:
 * so the first use is now.
 */
static void
load_conversions(void)
{
	static const char *const pairs[][2] = {
	    {"UTF-8", "ANSI_X3.4-1968"}, {"ANSI_X3.4-1968", "UTF-8"}, {"UTF-8", "UTF-8"}};

	for (size_t i = 0; i < COUNTOF(pairs); i++) {
		iconv_t cd = iconv_open(pairs[i][0], pairs[i][1]);

		if (cd != (iconv_t)-1)
			iconv_close(cd);
	}
}

int
main(int argc, char **argv)
{
	struct worker w = {.phase = PHASE_NEW, .reader.fd = -1};
	const struct worker_face face = {.role = ROLE_ARCHIVE,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .phase = &w.phase,
	    .arg = &w,
	    .prepare = load_conversions};

	return worker_main(&face, argc, argv);
}
