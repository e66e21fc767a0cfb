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

/*
 * What a container gets of RLIMIT_NOFILE or RLIMIT_NPROC that asked for nothing: the caller's own where that is less
 * and it may not raise it.
 */
void config_process_default_limit(bool may_raise, int resource, uint64_t *soft, uint64_t *hard);

#endif
