/* SPDX-License-Identifier: ISC */
/*
 * --network and what belongs to it: addresses, aliases, host name, name resolution.
 */
#ifndef POD_SPEC_NETWORK_H
#define POD_SPEC_NETWORK_H

#include "pod-run/oci/spec_options.h"

int spec_network_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* NAME[:OPTION,…] of --network: adds to c's networks.  What they point to lives in a. */
int spec_network_join(const char *word, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
