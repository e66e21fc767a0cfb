/* SPDX-License-Identifier: ISC */
/*
 * Volumes of the local driver: GRAPHROOT/volumes/NAME/_data (or elsewhere, see volume_place.h) and a record in the index.
 */
#ifndef POD_VOLUME_H
#define POD_VOLUME_H

#include <sys/types.h>

#include "common/wire/msg.h"
#include "pod-store/store.h"

/* Answers of the requests of these names; out points into arena memory. */
int volume_create(struct store *s, const struct msg_volume_create *m, struct rec_volume *out,
    struct arena *a, struct err *e);
int volume_get(struct store *s, const char *name, bool exact, struct rec_volume *out,
    struct arena *a, struct err *e);
int volume_list(struct store *s, struct msg_volume_listed *out, struct arena *a, struct err *e);
int volume_remove(struct store *s, const char *name, bool ignore, struct err *e);

/*
 * What a container's start does with a named volume: makes it if need be, and if it was never used,
 * copies what root holds at the target into it, or gives it to uid and gid.  root may be -1 (no image).
 * *path (arena) is the directory to mount.
 */
int volume_use(struct store *s, int root, const struct rec_volume_use *u, uid_t uid, gid_t gid,
    const char **path, struct arena *a, struct err *e);

/* A volume that lost its directory or its row gets them again; what it holds stays. */
int volume_restore(struct store *s, const char *name, struct err *e);

/* Adds the names of those whose rows cannot be read, and for each the key by which volume_drop takes the row away. */
int volume_damaged(struct store *s, struct strv *names, struct strv *keys, struct err *e);
int volume_drop(struct store *s, const char *key, struct err *e);

#endif
