/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_USAGE_H
#define POD_REMOTE_USAGE_H

#include "pod-run/cmd/system_df.h"
#include "pod-run/remote/remote.h"

/* Fills in what a service's images, containers and volumes take. */
int usage_report(struct remote *r, struct df_report *out, struct err *e);

#endif
