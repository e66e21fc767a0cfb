/* SPDX-License-Identifier: ISC */
/* Networks and volumes of a service: arrays as it lists them, or NULL with e. */
#ifndef POD_REMOTE_NETWORKS_H
#define POD_REMOTE_NETWORKS_H

#include "pod-run/remote/remote.h"

json_t *networks_list(struct remote *r, const struct strv *filters, struct err *e);
json_t *networks_volumes(struct remote *r, const struct strv *filters, struct err *e);

#endif
