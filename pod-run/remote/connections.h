/* SPDX-License-Identifier: ISC */
/*
 * The user's named connections: podman-connections.json, and service_destinations of containers.conf.
 */
#ifndef POD_CONNECTIONS_H
#define POD_CONNECTIONS_H

#include "pod-run/remote/dest.h"

/* The file's path; the caller frees.  NULL with e where the user has no home. */
char *connections_path(struct err *e);

/* What it holds, an object; of a file that is not there an empty one. */
json_t *connections_read(struct err *e);

/* The same to be changed: *lock, which the caller closes, keeps others from it. */
json_t *connections_edit(int *lock, struct err *e);
int connections_write(const json_t *file, struct err *e);

/* The name of the default, borrowed from the two; NULL if there is none. */
const char *connections_default(const json_t *file, const struct containers_conf *conf);

/* The connection of that name; -1 with e, for which ERR_NOTFOUND is that there is none. */
int connections_find(const json_t *file, const struct containers_conf *conf, const char *name,
    struct dest *d, struct err *e);

#endif
