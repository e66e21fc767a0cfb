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

/* The words of --security-opt label=, and those that other options imply. */
struct strs spec_security_label_words(
    const struct spec_input *in, const struct rec_ctr_config *c, struct arena *a);

#endif
