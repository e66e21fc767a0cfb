/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_UPKEEP_H
#define POD_REMOTE_UPKEEP_H

#include "pod-run/remote/remote.h"

/* Removes what nothing uses, and prints what has gone. */
int upkeep_prune(
    struct remote *r, bool all, bool volumes, const struct strv *filters, struct err *e);

/* Secrets with the keys of our own records, without their data: an array, and one; NULL with e. */
json_t *upkeep_secrets(struct remote *r, struct err *e);
json_t *upkeep_secret(struct remote *r, const char *word, struct err *e);

int upkeep_secret_remove(struct remote *r, const char *word, struct err *e);

struct upkeep_secret {
	const char *name, *driver; /* driver NULL: the service's */
	const struct strv *driver_options, *labels;
	bool replace;
	int data;
};
/* *id is the caller's. */
int upkeep_secret_create(struct remote *r, const struct upkeep_secret *s, char **id, struct err *e);

#endif
