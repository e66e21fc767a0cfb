/* SPDX-License-Identifier: ISC */
/* What a service tells of itself; each a new reference, or NULL with e. */
#ifndef POD_REMOTE_OTHERS_H
#define POD_REMOTE_OTHERS_H

#include "pod-run/remote/remote.h"

/* With the keys of version_json. */
json_t *others_version(struct remote *r, struct err *e);

/* With the keys of info --format json. */
json_t *others_info(struct remote *r, struct err *e);

/* An event as it is told, with the keys of ours. */
json_t *others_event(const json_t *told);

#endif
