/* SPDX-License-Identifier: ISC */
/*
 * The process object of config.json, and of exec.
 */
#ifndef POD_CONFIG_PROCESS_H
#define POD_CONFIG_PROCESS_H

#include "pod-run/oci/spec_config.h"

/* x is NULL for the container's own process.  key NULL: the object alone. */
int config_process_write(const struct rec_ctr_config *c, const struct spec_facts *f,
    const struct spec_exec *x, const char *key, struct strbuf *b, struct err *e);

#endif
