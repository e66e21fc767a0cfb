/* SPDX-License-Identifier: ISC */
/*
 * What the policy of SELinux says of containers.
 */
#ifndef POD_SELINUX_CONF_H
#define POD_SELINUX_CONF_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define SELINUX_XATTR "security.selinux"

bool selinux_conf_enabled(void);

/* The text of the policy's file lxc_contexts, which the caller frees; NULL: there is none (e). */
char *selinux_conf_contexts(struct err *e);

/* KEY = "VALUE" or KEY=VALUE in a file of lines; NULL if there is none. */
char *selinux_conf_value(const char *text, const char *key, struct arena *a);

#endif
