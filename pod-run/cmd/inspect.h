/* SPDX-License-Identifier: ISC */
/*
 * The documents that inspect shows.
 */
#ifndef POD_INSPECT_H
#define POD_INSPECT_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

/*
 * One kind of object: finds word and makes its document.  ERR_NOTFOUND lets inspect try the next kind.
 */
typedef int inspect_fn(struct ctx *x, const char *word, bool size, json_t **out, struct err *e);
inspect_fn inspect_container, inspect_image, inspect_volume, inspect_network;

/* All of a container whose configuration was read. */
json_t *inspect_document(struct ctx *x, const struct ctr *c);

/* Parts of a container's document. */
json_t *inspect_config(struct ctx *x, const struct ctr *c);
json_t *inspect_host_config(struct ctx *x, const struct ctr *c);
json_t *inspect_network_settings(struct ctx *x, const struct ctr *c);
json_t *inspect_mounts(struct ctx *x, const struct ctr *c);

/* How the SELinux label of a mount is changed: "z", "Z" or "". */
const char *inspect_mount_mode(const struct rec_ctr_mount *m);

/* "80/tcp": [{HostIp, HostPort}] of published ports, and null for those only exposed. */
json_t *inspect_port_bindings(const struct ctr *c, bool exposed);

/* RFC 3339, Go's zero time for 0. */
void inspect_put_time(json_t *o, const char *key, int64_t ns);

/* The strings of a record as an array. */
json_t *inspect_strs(const struct strs *l);
json_t *inspect_kvs(const struct rec_kv *v, size_t n); /* as an object */
/* Where a layer's content lies: a directory, or the image of a layer that is kept as its tar.  To be freed. */
char *inspect_layer_path(const struct ctx *x, const char *layer);

const char *inspect_or(const char *s, const char *otherwise);

#endif
