/* SPDX-License-Identifier: ISC */
/* What lies on a web server that is no registry, fetched by the worker fetch. */
#ifndef POD_IMAGE_WEB_H
#define POD_IMAGE_WEB_H

#include "common/wire/peer.h"

struct task;

struct web {
	struct peer *fetch;
	uint32_t setup_seq;
	char *path;
	struct msg_url_get *get;
};

/* With the caller's power: starts the worker for the server that the URL names. */
int web_prepare(struct task *t, struct msg_url_get *m, struct err *e);
int web_run(struct task *t, struct err *e);
void web_free(struct web *w);

#endif
