/* SPDX-License-Identifier: ISC */
/*
 * The part of YAML that configuration files of images are written in: block mappings of scalars and
 * of further mappings, comments, plain and quoted scalars.  Everything else (lists, flow
 * collections other than {}, anchors, tags, block scalars) is refused with its line.
 */
#ifndef POD_YAML_MAP_H
#define POD_YAML_MAP_H

#include <jansson.h>
#include <stddef.h>

#include "common/base/err.h"

/* An object of strings and objects; a key without a value has null.  NULL with "NAME:LINE: …". */
json_t *yaml_map_read(const char *text, size_t n, const char *name, struct err *e);

#endif
