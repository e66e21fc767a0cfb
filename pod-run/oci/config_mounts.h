/* SPDX-License-Identifier: ISC */
/*
 * The mounts of config.json: the engine's, the files of the bundle, the user's.
 */
#ifndef POD_CONFIG_MOUNTS_H
#define POD_CONFIG_MOUNTS_H

#include "pod-run/oci/spec_config.h"

int config_mounts_write(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e);

/* True if the container cannot mount its own sysfs and gets the host's, read-only. */
bool config_mounts_sys_is_host(const struct rec_ctr_config *c, const struct spec_facts *f);

#endif
