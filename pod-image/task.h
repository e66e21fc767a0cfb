/* SPDX-License-Identifier: ISC */
/*
 * The one request that a process of pod-image carries out, in two halves: task_prepare_X, with the
 * caller's power, reads configuration, opens what was named and starts the workers; after
 * task_confine it is gone, and task_run_X meets the bytes of registries and archives.
 */
#ifndef POD_IMAGE_TASK_H
#define POD_IMAGE_TASK_H

#include "common/wire/peer.h"
#include "pod-image/artifact_task.h"
#include "pod-image/list_edit.h"
#include "pod-image/load.h"
#include "pod-image/plan.h"
#include "pod-image/pull.h"
#include "pod-image/search.h"
#include "pod-image/source_list.h"
#include "pod-image/transfer.h"
#include "pod-image/web.h"

struct task {
	struct report report;
	struct peer *store;
	struct peer *control;	/* the store, for its owner, until task_confine; or NULL */
	int keep_fd;		/* a further descriptor to keep open, or 0 */
	const char *graph_root; /* where large files may be spooled, or NULL */
	size_t parallel;	/* image_parallel_copies */
	struct plan plan;
	struct pull pull;
	bool from_archive; /* a pull by a transport that is no registry */
	struct load load;
	/* of a copy that does not end in the store, and of save */
	struct plan to_plan;
	struct source from;
	struct dest to;
	struct signer signer;
	struct crypt crypt; /* keys for encrypted layers */
	bool sign_all;	    /* every image of an index */
	struct transfer transfer;
	const struct msg_image_save *saved;
	const char *image; /* ID, if it comes from the store */
	struct source_list parts;
	bool is_list; /* of the store: parts holds what it names */
	struct search search;
	struct list_job list;
	struct web web;
	struct artifact_job artifact;
	struct strv ids, names; /* results */
};

/* The messages are borrowed until the task ends, except for secrets, which are overwritten. */
int task_prepare_pull(struct task *t, struct msg_image_pull *m, struct err *e);
int task_run_pull(struct task *t, struct err *e);
int task_prepare_load(struct task *t, struct msg_image_load *m, struct err *e);
int task_run_load(struct task *t, struct err *e);
int task_prepare_save(struct task *t, struct msg_image_save *m, struct err *e);
int task_run_save(struct task *t, struct err *e);
int task_prepare_copy(struct task *t, struct msg_image_copy *m, struct err *e);
int task_run_copy(struct task *t, struct err *e); /* the result stands in t->transfer */
/* A copy's source alone: what the message says of it is enough.  task_open_source fills t->from. */
int task_prepare_source(struct task *t, struct msg_image_copy *m, struct err *e);
int task_open_source(struct task *t, struct err *e);
int task_prepare_sign(struct task *t, struct msg_image_sign *m, struct err *e);
int task_run_sign(struct task *t, struct err *e);
int task_prepare_search(struct task *t, struct msg_image_search *m, struct err *e);
int task_run_search(struct task *t, struct err *e);
int task_prepare_login(struct task *t, struct msg_registry_login *m, struct err *e);
int task_run_login(struct task *t, struct err *e);

/* Enters the role; what the task needs stays open. */
int task_confine(struct task *t, struct err *e);

void task_free(struct task *t);

/* Overwrites a secret of a message; NULL is let through. */
void task_wipe(const char *s);

#endif
