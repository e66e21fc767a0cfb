/* SPDX-License-Identifier: ISC */
/*
 * TOML 1.0, read into a JSON tree: tables are objects, dates and times are strings.  Bounded in
 * size, depth and number of values.
 */
#ifndef POD_TOML_H
#define POD_TOML_H

#include <jansson.h>
#include <stddef.h>

#include "common/base/err.h"

#define TOML_SIZE_MAX ((size_t)1 << 20)
#define TOML_DEPTH_MAX 32

/* A new object, or NULL with "NAME:LINE: …" in e.  name is that of the file. */
json_t *toml_read(const char *text, size_t n, const char *name, struct err *e);

/* The same for a file.  An absent file gives NULL with errno ENOENT and class NOTFOUND. */
json_t *toml_read_file(const char *path, struct err *e);

#endif
