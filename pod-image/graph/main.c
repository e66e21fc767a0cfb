/* SPDX-License-Identifier: ISC */
/*
 * pod-image-graph: the worker that reads the store of another engine, a graph root of
 * containers/storage.  It sees that directory only, and cannot change it.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/tarsplit.h"
#include "common/wire/worker.h"

static int
on_read(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_archive_read *m = MSG_OF(in, archive_read);
	own_fd int fd =
	    path_open_regular(ROLE_VIEW_FD_NUMBER, m->name, PATH_PLAIN, (off_t)m->max, NULL, e);
	own_mem char *text = NULL;
	struct msg_archive_read_r out;

	(void)arg;
	if (fd < 0 || file_slurp(fd, m->max, m->name, &text, &out.data.n, e) < 0)
		return -1;
	out.data.p = (const uint8_t *)text;
	return peer_send(p, &msg_archive_read_r_desc, in->seq, &out, e);
}

/* --- A layer's tar ---------------------------------------------------------------------------- */

static int
open_diff(const struct msg_graph_layer *m, struct err *e)
{
	own_mem char *path = strcmp(m->driver, "vfs") == 0
				 ? xasprintf("vfs/dir/%s", m->layer)
				 : xasprintf("%s/%s/diff", m->driver, m->layer);

	return path_open(ROLE_VIEW_FD_NUMBER, path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

static int
on_layer(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_graph_layer *m = MSG_OF(in, graph_layer);
	own_mem char *name = xasprintf("%s-layers/%s.tar-split.gz", m->driver, m->layer);
	own_fd int diff = open_diff(m, e), split = -1;

	(void)arg;
	if (diff < 0)
		return -1;
	split = path_open_regular(ROLE_VIEW_FD_NUMBER, name, PATH_PLAIN, SPLIT_FILE_MAX, NULL, e);
	if (split < 0 && e->no == ENOENT)
		return err_set(e, ERR_UNSUPPORTED,
		    "layer %s has no tar-split data: its tar cannot be put together again",
		    m->layer);
	if (split < 0 || split_tar(split, diff, m->stream, e) < 0)
		return e->class == ERR_CANCELLED ? -1 : err_wrap(e, "reading %s", name);
	fd_close(&m->stream);
	return peer_send_ok(p, in->seq, e);
}

static const struct peer_handler handlers[] = {
    {&msg_archive_read_desc, 1, 0, on_read},
    {&msg_graph_layer_desc, 1, 0, on_layer},
};

/* jansson reads its random seed from a file: so it does that now. */
static void
seed_json(void)
{
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	const struct worker_face face = {.role = ROLE_GRAPH,
	    .starter = ROLE_IMAGE,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .prepare = seed_json,
	    .view = true};

	return worker_main(&face, argc, argv);
}
