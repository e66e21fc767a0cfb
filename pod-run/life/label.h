/* SPDX-License-Identifier: ISC */
/*
 * Which SELinux labels a new container gets.
 */
#ifndef POD_LABEL_H
#define POD_LABEL_H

#include "pod-run/ctx.h"
#include "pod-run/oci/spec_options.h"

/*
 * Fills label, mount_label and label_nested of c, whose namespaces name other containers by ID: whoever joins the
 * processes or the memory of one has its label, and all others have categories that no container has.  Nothing
 * where SELinux is off or containers.conf wants no labels.
 */
int label_choose(struct ctx *x, const struct spec_input *in, struct rec_ctr_config *c,
    struct arena *a, struct err *e);

/* The same for a clone: the labels that c has from its original, with other categories unless those were asked for. */
int label_renew(struct ctx *x, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
