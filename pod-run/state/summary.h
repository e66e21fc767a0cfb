/* SPDX-License-Identifier: ISC */
/*
 * What lists of containers show of a configuration.
 */
#ifndef POD_SUMMARY_H
#define POD_SUMMARY_H

#include <stdbool.h>

#include "common/wire/msg.h"

/* All words of the container's process, an init process before them. */
void summary_args(const struct rec_ctr_config *c, struct strv *out);

/* Networks the container joins by name; true if it joins the default one instead. */
bool summary_networks(const struct rec_ctr_config *c, struct strv *out);

/* What lives in *out is the configuration's or the arena's. */
void summary_make(const struct rec_ctr_config *c, struct rec_ctr_summary *out, struct arena *a);

#endif
