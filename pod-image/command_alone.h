/* SPDX-License-Identifier: ISC */
/* pod-image standalone-sign and standalone-verify: simple signatures of a manifest that is a file. */
#ifndef POD_IMAGE_COMMAND_ALONE_H
#define POD_IMAGE_COMMAND_ALONE_H

#include "common/cli/cmd.h"

extern const struct cmd command_standalone_sign, command_standalone_verify;

#endif
