/* SPDX-License-Identifier: ISC */
/*
 * OCI hooks of the host's directories (oci-hooks(5)), formats 1.0.0 and 0.1.0: programs that the runtime runs
 * at stages of a container's life, if what is said of the container matches.  A file of a later directory
 * masks one of the same name; the rest go in the order of their names in lower case.
 */
#ifndef POD_HOOKS_H
#define POD_HOOKS_H

#include "common/base/json.h"
#include "common/wire/msg.h"

/*
 * Appends those that match c to *out (made if NULL): {hookName, path, args, env, timeout}, with hookName a
 * stage.  A directory that is missing is none.
 */
int hooks_find(
    const struct strv *dirs, const struct rec_ctr_config *c, json_t **out, struct err *e);

/* Writes them as the member "hooks" of the configuration; those of stage precreate are not for the runtime. */
void hooks_write(const json_t *hooks, struct strbuf *b);

/*
 * Runs those of stage precreate, which take the configuration on their input and give it back on their
 * output.
 */
int hooks_precreate(const json_t *hooks, struct strbuf *config, struct err *e);

#endif
