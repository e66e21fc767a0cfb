/* SPDX-License-Identifier: ISC */
/*
 * Namespaces, user and ids, capabilities, security options.
 */
#ifndef POD_SPEC_SECURITY_H
#define POD_SPEC_SECURITY_H

#include "pod-run/oci/spec_options.h"

int spec_security_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* What the image's labels say about capabilities and, with --seccomp-policy image, about system calls. */
int spec_security_merge(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* The SELinux labels, once it is known what the container runs; nothing where SELinux is off. */
int spec_security_labels(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
