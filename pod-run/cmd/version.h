/* SPDX-License-Identifier: ISC */
#ifndef POD_VERSION_CMD_H
#define POD_VERSION_CMD_H

#include "common/base/json.h"

/* What was built and for what, with the names of Podman's define.Version. */
json_t *version_json(void);

#endif
