/* SPDX-License-Identifier: ISC */
/* Commands that look at images where they are, or delete them there. */
#ifndef POD_IMAGE_COMMAND_LOOK_H
#define POD_IMAGE_COMMAND_LOOK_H

#include "common/cli/cmd.h"

extern const struct cmd command_inspect, command_list_tags, command_delete, command_manifest_digest;

#endif
