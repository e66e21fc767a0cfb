/* SPDX-License-Identifier: ISC */
/*
 * What several programs need to know of policy.json(5): where it is, and the names ("scopes") under
 * which rules for an image may stand.
 */
#ifndef POD_POLICY_CONF_H
#define POD_POLICY_CONF_H

#include "common/base/mem.h"
#include "common/oci/reference.h"

#define POLICY_CONF_SYSTEM "/etc/containers/policy.json"

/*
 * The file that was named; else the first that is there of $XDG_CONFIG_HOME/containers/policy.json
 * ($HOME/.config), /etc/containers/policy.json, /usr/share/containers/policy.json and the one that
 * comes with these programs, share/containers/policy.json beside their bin.  The caller frees it.
 * NULL: there is none, and no image may be used.
 */
char *policy_conf_path(const char *named, struct err *e);

/* The caller's own, there or not; NULL: there is no home.  The caller frees it. */
char *policy_conf_own(void);

/* Is that file one of the last two, which administrators do not edit? */
bool policy_conf_is_shipped(const char *path);

/* Scopes of an image of a registry: with tag or digest, the repository, its parents, "*.host". */
void policy_conf_scopes_docker(const struct reference *r, struct strv *out);

/* Scopes of an absolute path: with ":image" (which may be NULL), the path, its parents. */
void policy_conf_scopes_path(const char *path, const char *image, struct strv *out);

#endif
