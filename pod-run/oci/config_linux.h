/* SPDX-License-Identifier: ISC */
/*
 * The linux object of config.json.
 */
#ifndef POD_CONFIG_LINUX_H
#define POD_CONFIG_LINUX_H

#include "pod-run/oci/spec_config.h"

/* The limits alone, as "update --resources" of the runtime takes them. */
int config_linux_resources(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e);

int config_linux_write(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e);

/* True if containers have this path masked unless they ask for it. */
bool config_linux_masks(const char *path);

#endif
