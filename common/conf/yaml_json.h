/* SPDX-License-Identifier: ISC */
/*
 * YAML 1.1 files of the host's administrator, read into a JSON tree.  Bounded in size, depth and number of
 * values, aliases included.
 */
#ifndef POD_YAML_JSON_H
#define POD_YAML_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "common/base/err.h"

#define YAML_JSON_SIZE_MAX ((size_t)4 << 20)
#define YAML_JSON_DEPTH_MAX 64
#define YAML_JSON_VALUES_MAX 200000

/* The first document as a new reference, or NULL with e.  name is that of the file. */
json_t *yaml_json_read(const char *text, size_t n, const char *name, struct err *e);

/* The same, where scalars are text whatever they look like, null excepted, and no document is null. */
json_t *yaml_json_read_texts(const char *text, size_t n, const char *name, struct err *e);

#endif
