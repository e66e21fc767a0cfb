/* SPDX-License-Identifier: ISC */
/* Requests about the store's artifacts, each in the two halves of a task. */
#ifndef POD_IMAGE_ARTIFACT_TASK_H
#define POD_IMAGE_ARTIFACT_TASK_H

#include "common/wire/peer.h"
#include "pod-image/dest.h"

#define ARTIFACT_FILES_MAX 128 /* of one request */

struct task;

struct artifact_job {
	const struct msg_artifact_edit *edit;
	const struct msg_artifact_look *look;
	const struct msg_artifact_extract *extract;
	int files[ARTIFACT_FILES_MAX]; /* to be added */
	size_t nfiles;
	struct dest target; /* the worker that writes what is extracted */
	/* results */
	struct strv digests;
	struct rec_artifact *found;
	size_t n;
	struct strbuf text;
	struct arena arena;
};

int artifact_prepare_edit(struct task *t, struct msg_artifact_edit *m, struct err *e);
int artifact_run_edit(struct task *t, struct err *e);
int artifact_prepare_look(struct task *t, struct msg_artifact_look *m, struct err *e);
int artifact_run_look(struct task *t, struct err *e);
int artifact_prepare_extract(struct task *t, struct msg_artifact_extract *m, struct err *e);
int artifact_run_extract(struct task *t, struct err *e);
void artifact_job_fds(const struct artifact_job *j, struct keep *k);
/* With the caller's power: opens the files. */
int artifact_open_files(struct task *t, const struct strs *files, struct err *e);

/* Stores a file in t->to; type NULL: a guess.  f is filled in, its words live in the job's arena. */
int artifact_store_file(
    struct task *t, int fd, const char *type, struct rec_artifact_file *f, struct err *e);

void artifact_job_free(struct artifact_job *j);

#endif
