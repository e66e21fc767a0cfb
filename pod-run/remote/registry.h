/* SPDX-License-Identifier: ISC */
/* Registries that a service speaks with for us. */
#ifndef POD_REMOTE_REGISTRY_H
#define POD_REMOTE_REGISTRY_H

#include "pod-run/remote/command.h"

/*
 * The credentials that --creds, or a file of ours, has for what the word names go along with the question; without
 * any the service looks for its own.
 */
int registry_put_auth(struct question *q, const struct args *a, const char *word, struct err *e);

/* What the service finds, an array; NULL with e. */
json_t *registry_search(struct remote *r, const struct args *a, const char *term, uint64_t limit,
    bool list_tags, struct err *e);

#endif
