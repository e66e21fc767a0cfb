/* SPDX-License-Identifier: ISC */
#ifndef POD_SECRET_DRIVER_H
#define POD_SECRET_DRIVER_H

#include "common/base/json.h"

/* A driver keeps data by ID.  options are the record's driverOptions. */
struct secret_driver {
	const char *name;
	int (*store)(
	    const json_t *options, const char *id, const char *data, size_t n, struct err *e);
	int (*lookup)(const json_t *options, const char *id, char **data, size_t *n, struct err *e);
	int (*remove)(const json_t *options, const char *id, struct err *e);
};

/* NULL with Podman's error for an unknown name. */
const struct secret_driver *secret_driver_find(const char *name, struct err *e);

#endif
