/* SPDX-License-Identifier: ISC */
/* Containers of a service, as records like those of ours, so that they are shown alike. */
#ifndef POD_REMOTE_CONTAINERS_H
#define POD_REMOTE_CONTAINERS_H

#include "pod-run/remote/remote.h"
#include "pod-run/state/ctr.h"

struct containers_wanted {
	bool all, external, size, sync;
	int64_t last; /* negative: no such limit */
	const struct strv *filters;
};

/* *told: what the service says of each, by its ID; a new reference. */
int containers_list(struct remote *r, const struct containers_wanted *w, struct ctr_list *l,
    json_t **told, struct err *e);

/* The one that the user names so. */
int containers_get(struct remote *r, const char *word, struct ctr *c, struct err *e);

/* ERR_NOTFOUND if there is none. */
int containers_exists(struct remote *r, const char *word, struct err *e);

/* Bytes of its own layer and of its image. */
void containers_size(const json_t *told, const char *id, uint64_t *rw, uint64_t *image);

/* What a row of ps shows that no record of ours has. */
void containers_put_told(json_t *row, const json_t *told, const char *id);

/* What differs from below, or from another, as the service lists it; type is all, container or image. */
json_t *containers_changes(struct remote *r, const char *kind, const char *word, const char *type,
    const char *against, struct err *e);

/* What those use, or all that run, as the service tells it: an array, or NULL with e. */
json_t *containers_stats(struct remote *r, const struct strv *words, struct err *e);

/* The documents of inspect: kind is container, image, volume or network.  ERR_NOTFOUND if there is none. */
json_t *containers_inspect(
    struct remote *r, const char *kind, const char *word, bool size, struct err *e);

#endif
