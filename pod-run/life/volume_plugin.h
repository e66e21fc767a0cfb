/* SPDX-License-Identifier: ISC */
/*
 * Volume plug-ins: programs of the host's administrator that speak HTTP and JSON on a unix socket (the volume
 * plug-in protocol of Docker).
 */
#ifndef POD_VOLUME_PLUGIN_H
#define POD_VOLUME_PLUGIN_H

#include "common/base/json.h"
#include "pod-run/ctx.h"

/*
 * Calls METHOD ("Create", "Mount", …) of the plug-in that containers.conf has under that name.  request (owned
 * by the call, may be NULL) is its body; *answer (may be NULL) gets its answer, a new reference.  What the plug-in
 * says went wrong is the error.
 */
int volume_plugin_call(struct ctx *x, const char *plugin, const char *method, json_t *request,
    json_t **answer, struct err *e);

/* An error if there is none of that name, or it does not speak the protocol. */
int volume_plugin_check(struct ctx *x, const char *plugin, struct err *e);

#endif
