/* SPDX-License-Identifier: ISC */
/*
 * Containers whose process is systemd: --systemd, --shm-size-systemd.
 */
#ifndef POD_SPEC_SYSTEMD_H
#define POD_SPEC_SYSTEMD_H

#include "pod-run/oci/spec_options.h"

/* Checks the words; "always" takes effect at once. */
int spec_systemd_read(const struct spec_input *in, struct rec_ctr_config *c, struct err *e);

/* Once the command is known: is it systemd?  Its stop signal is SIGRTMIN+3 unless another was given. */
void spec_systemd_merge(const struct spec_input *in, struct rec_ctr_config *c);

/* The directories that are a tmpfs then; NULL at the end. */
extern const char *const spec_systemd_tmpfs[];

#endif
