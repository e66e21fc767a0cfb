/* SPDX-License-Identifier: ISC */
/* Requests about manifest lists of the store, each in the two halves of a task. */
#ifndef POD_IMAGE_LIST_EDIT_H
#define POD_IMAGE_LIST_EDIT_H

#include "pod-image/document.h"

struct task;

struct list_job {
	const struct msg_list_edit *edit;
	const struct msg_list_show *show;
	char *origin; /* what stands before "@digest" in the place of an entry */
	/* results */
	char id[65], digest[DIGEST_TEXT];
	struct strbuf text;
	bool single; /* what is shown is no list */
};

int list_prepare_edit(struct task *t, struct msg_list_edit *m, struct err *e);
int list_run_edit(struct task *t, struct err *e);
int list_prepare_show(struct task *t, struct msg_list_show *m, struct err *e);
int list_run_show(struct task *t, struct err *e);
void list_job_free(struct list_job *l);

#endif
