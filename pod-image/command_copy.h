/* SPDX-License-Identifier: ISC */
/* Commands that copy images from any place to any other, without pod. */
#ifndef POD_IMAGE_COMMAND_COPY_H
#define POD_IMAGE_COMMAND_COPY_H

#include "common/cli/cmd.h"

extern const struct cmd command_copy, command_sync;

#endif
