/* SPDX-License-Identifier: ISC */
#ifndef POD_YAML_H
#define POD_YAML_H

#include <jansson.h>

#include "common/base/mem.h"

/*
 * Appends the value as a block of YAML 1.2, the way Podman's info looks: keys in order of the
 * alphabet, two spaces for each level, strings quoted only where they need it.
 */
void yaml_add(const json_t *j, struct strbuf *out);

#endif
