/* SPDX-License-Identifier: ISC */
/*
 * --secret NAME[,type=mount|env,target=…,uid=…,gid=…,mode=…]
 */
#ifndef POD_SPEC_SECRET_H
#define POD_SPEC_SECRET_H

#include "pod-run/oci/spec_options.h"

#define SPEC_SECRET_FILE "secret." /* in the bundle, followed by the secret's place in the list */

/* The words, into c->secrets. */
int spec_secret_read(
    const struct strv *words, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
