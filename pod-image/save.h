/* SPDX-License-Identifier: ISC */
/*
 * Images of the store as docker-archive, oci-archive, OCI layout ("oci") or "dir".  The layers come
 * from pod-store and go to the worker that writes; for a docker-archive straight through a pipe, as
 * the exact tars that were stored, so that IDs stay.
 */
#ifndef POD_IMAGE_SAVE_H
#define POD_IMAGE_SAVE_H

#include "common/wire/peer.h"
#include "pod-image/report.h"

#define SAVE_FDS_MAX 2

struct save {
	/* set before save_prepare */
	struct peer *store;
	struct report report;
	const char *graph_root;
	const char *form;
	bool compress;		    /* layers of "dir" */
	struct strs images;	    /* IDs */
	const struct rec_kv *names; /* ID and reference */
	size_t nnames;

	struct peer *worker;
	uint32_t create_seq; /* 0: nothing to wait for */
	int spool;
};

/* output: a stream for archives, else a directory; taken over. */
int save_prepare(struct save *s, int output, struct err *e);
size_t save_fds(const struct save *s, int fds[SAVE_FDS_MAX]);
int save_run(struct save *s, struct err *e);
void save_free(struct save *s);

#endif
