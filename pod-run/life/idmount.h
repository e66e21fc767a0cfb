/* SPDX-License-Identifier: ISC */
/*
 * Mounts whose owners are mapped: the option idmap of --rootfs.
 */
#ifndef POD_IDMOUNT_H
#define POD_IDMOUNT_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

/*
 * The words "idmap" (the maps of the container's user namespace) or "idmap=uids=FROM-TO-COUNT#…;gids=…": IDs of the
 * file system from FROM on are those from TO on of the host, or with @ before TO of the container.  What is not
 * named stays without an owner.
 */
int idmount_parse(const char *word, const struct rec_ctr_config *c, struct rec_ctr_config *maps,
    struct arena *a, struct err *e);

/* Maps the owners of the detached mount (and of those below it), before anybody sees it. */
int idmount_apply(int mount, const struct rec_ctr_config *c, const char *word, struct err *e);

#endif
