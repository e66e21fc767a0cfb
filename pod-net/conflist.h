/* SPDX-License-Identifier: ISC */
/*
 * Network definitions of CNI: lists of plug-ins in NAME.conflist.
 */
#ifndef POD_CONFLIST_H
#define POD_CONFLIST_H

#include "common/base/json.h"
#include "common/wire/msg.h"
#include "pod-net/network.h"

#define CONFLIST_DEFAULT_BRIDGE "cni-podman0"

/* All lists of a directory whose plug-ins are there, by name; what is bad costs a warning. */
int conflist_list(const char *dir, const struct strv *plugin_dirs, const struct network_default *d,
    struct network_list *out, struct err *e);

/* One of them, by name or ID prefix. */
int conflist_find(const char *dir, const struct strv *plugin_dirs, const struct network_default *d,
    const char *name, struct rec_network *out, struct arena *a, struct err *e);

/* The list itself, by its exact name; owned by the caller. */
json_t *conflist_load(
    const char *dir, const struct network_default *d, const char *name, struct err *e);

/* The list that does what a network of our own asks for; options that CNI has no words for are an error. */
json_t *conflist_make(const struct rec_network *n, struct err *e);

int conflist_write(const char *dir, const struct rec_network *n, struct err *e);
int conflist_remove(const char *dir, const char *name, struct err *e);

#endif
