/* SPDX-License-Identifier: ISC */
/* Networks and volumes of a service: arrays as it lists them, or NULL with e. */
#ifndef POD_REMOTE_NETWORKS_H
#define POD_REMOTE_NETWORKS_H

#include "common/wire/msg.h"
#include "pod-run/remote/remote.h"

json_t *networks_list(struct remote *r, const struct strv *filters, struct err *e);
json_t *networks_volumes(struct remote *r, const struct strv *filters, struct err *e);

/*
 * Removes volumes that no container uses, of those that fit the filters: the anonymous ones, or all; dry: none.  Names
 * of what went, or would, are added to *names.  A service's own prune knows no difference between the two.
 */
int networks_prune_volumes(struct remote *r, bool all, bool dry, const struct strv *filters,
    struct strv *names, struct err *e);

int networks_connect(
    struct remote *r, const struct rec_net_attach *at, const char *container, struct err *e);
int networks_disconnect(
    struct remote *r, const char *network, const char *container, bool force, struct err *e);

#endif
