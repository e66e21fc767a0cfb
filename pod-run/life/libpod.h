/* SPDX-License-Identifier: ISC */
/*
 * Containers out of the checkpoint archives of Podman, whose config.dump lacks our own record.
 */
#ifndef POD_LIBPOD_H
#define POD_LIBPOD_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

/*
 * Fills in c->config and c->run, in c's arena, from what the worker read in config.dump, spec.dump and network.status
 * (document.h).  What the command line could not ask for is refused with the command line's errors.
 */
int libpod_read(struct ctx *x, const struct msg_dump_got *m, struct ctr *c, struct err *e);

/* What Podman needs to know of c to import it: the members of config.dump beside those that everybody reads. */
void libpod_put(const struct ctr *c, json_t *config);

/*
 * Makes of config.json in the directory bundle what Podman keeps in spec.dump: without our own files and name
 * spaces, for which it has its own, and with volumes where it keeps them.
 */
void libpod_put_spec(const struct ctr *c, const char *bundle, json_t *spec);

#endif
