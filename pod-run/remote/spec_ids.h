/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_SPEC_IDS_H
#define POD_REMOTE_SPEC_IDS_H

#include "pod-run/remote/command.h"

#define SPEC_IDS_OPTIONS "gidmap,uidmap,userns"

/* Puts the user namespace that was asked for into o. */
int spec_ids_put(json_t *o, const struct args *a, struct err *e);

#endif
