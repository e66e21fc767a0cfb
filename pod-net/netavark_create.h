/* SPDX-License-Identifier: ISC */
/*
 * "netavark create": a definition is completed and checked for a manager that keeps the files itself.
 */
#ifndef POD_NETAVARK_CREATE_H
#define POD_NETAVARK_CREATE_H

#include "common/base/err.h"
#include "common/base/mem.h"

/*
 * Reads {"network", "used": {"interfaces", "names", "subnets"}, "options": {"subnet_pools",
 * "default_interface_name", "check_used_subnets"}} and returns the whole definition, or NULL.
 */
char *netavark_create(const char *bytes, size_t n, const struct strv *plugin_dirs, struct err *e);

#endif
