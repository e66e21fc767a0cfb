/* SPDX-License-Identifier: ISC */
/*
 * Opaque directories of layers and of containers' upper directories: those that hide what lower
 * layers have at their name.  Overlay knows them by an extended attribute, trusted.overlay.opaque,
 * or user.overlay.opaque where it is mounted in a user namespace; fuse-overlayfs sets one of the two or its
 * own, and leaves entries besides.  The first takes CAP_SYS_ADMIN,
 * which the workers do not have: pod-store-unpack reports such directories and pod-store marks
 * them; pod-store lists them for pod-store-pack.
 */
#ifndef POD_OPAQUE_H
#define POD_OPAQUE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "pod-store/layer/result.h"

/* True where overlay uses user.overlay.*: in any user namespace but the first. */
bool opaque_in_user(void);

/*
 * Marks the directories of a layer that the unpack worker reported.  Safe with a worker that was
 * taken over: the names are resolved below root and only directories get the mark, which can but
 * hide.
 */
int opaque_apply(int root, const struct result *r, struct err *e);

/* Is the directory fd opaque? */
bool opaque_is_set(int fd);

/* Is this an entry that fuse-overlayfs leaves in opaque directories, beside the attribute? */
bool opaque_is_mark(const char *name, const struct stat *st);

/*
 * Appends the opaque directories below root as lines in the form of results ("opaque PATH\n"), to
 * be handed to pod-store-pack as descriptor 6.
 */
int opaque_list(int root, struct strbuf *out, struct err *e);

#endif
