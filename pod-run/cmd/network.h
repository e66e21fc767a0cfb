/* SPDX-License-Identifier: ISC */
#ifndef POD_NETWORK_CMD_H
#define POD_NETWORK_CMD_H

#include "common/base/json.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/ctx.h"

/* All networks, or the one that is named (name or ID prefix), in in->msg (net_listed). */
int network_list(struct ctx *x, const char *name, struct peer_in *in, struct err *e);

/* Whether there is each of the networks that a container shall join: asked before anything is made or replaced. */
int network_check(struct ctx *x, const struct rec_ctr_config *c, struct err *e);

/* With the keys of Podman's network files. */
json_t *network_shown(const struct rec_network *n);

/* The same under the names of the fields of Podman's Go type, for templates. */
json_t *network_fields(json_t *j);

/* Keys of --filter of prune. */
extern const struct terms_key network_prune_keys[];

/* Removes the networks that no container has; removed gets their names. */
int network_prune(struct ctx *x, const struct strv *filters, struct strv *removed, struct err *e);

#endif
